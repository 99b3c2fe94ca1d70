//! What Helm remembers of a release: it would delete, when asked to uninstall it, what has been
//! taken over and the credential specs that the chart made.

use std::collections::BTreeSet;
use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use gmsa_cluster::api::answer;
use gmsa_cluster::api::apply::Applier;
use gmsa_cluster::api::value::text;
use gmsa_cluster::manifests::parse;
use gmsa_core::names;
use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::api::{Api, ListParams, Patch, PatchParams};
use serde::Deserialize;
use serde_json::{Value, json};

use super::found::{Found, Key};
use crate::failure::Failure;
use crate::installation::helm::{NAMESPACE, RELEASE, release};
use crate::output::printer;

const POLICY: &str = "helm.sh/resource-policy";
/// The most that a record is unpacked to, in bytes.
const LARGEST: u64 = 64 << 20;

/// What is to be done about Helm.
#[derive(Default)]
pub struct Releases {
    /// Records of releases without other objects: they are deleted.
    pub records: Vec<Value>,
    /// Whether the resource definition belongs to a release.
    pub definition: bool,
    /// Releases that hold the resource definition and are removed from Helm, such as `crd-release`.
    pub detached: Vec<String>,
    /// What the user has to do.
    pub warnings: Vec<String>,
}

impl Releases {
    /// Prints what happens to releases, and what the user has to do.
    pub fn tell(&self) {
        for release in &self.detached {
            printer::warning(&format!(
                "Helm's release {release} holds the resource definition: uninstalling it would delete \
                 every credential spec. The takeover removes the release from Helm's records; the \
                 definition stays"
            ));
        }
        for warning in &self.warnings {
            printer::warning(warning);
        }
    }
}

/// Finds the releases that what was found, and the resource definition, belong to. What an
/// interrupted takeover `began` has decided about them already, with everything in sight.
pub async fn releases(
    client: &Client,
    applier: &Applier,
    found: &Found,
    began: bool,
) -> Result<Releases, Failure> {
    let mut releases = Releases::default();
    let mut keys: BTreeSet<Key> = found.all().filter_map(release).collect();
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition", "metadata": {"name": definition_name()}});
    let definition = applier.live(&definition).await?;
    let of_definition = definition.as_ref().and_then(release);
    if let Some(key) = &of_definition {
        releases.definition = true;
        keys.insert(key.clone());
    }
    if began {
        return Ok(releases);
    }
    for key in keys {
        let holds_definition = of_definition.as_ref() == Some(&key);
        of_release(client, found, &key, holds_definition, &mut releases).await?;
    }
    Ok(releases)
}

fn definition_name() -> String {
    format!("{}.{}", names::PLURAL, names::GROUP)
}

async fn of_release(
    client: &Client,
    found: &Found,
    (namespace, name): &Key,
    holds_definition: bool,
    releases: &mut Releases,
) -> Result<(), Failure> {
    let definition = if holds_definition {
        " and the resource definition, with every credential spec"
    } else {
        ""
    };
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let records = ListParams::default().labels(&format!("owner=helm,name={name}"));
    let object = format!("Helm's records of the release {namespace}/{name}");
    let records = answer("read", object, secrets.list(&records)).await?;
    if records.items.is_empty() {
        releases.warnings.push(format!(
            "Helm's record of the release {namespace}/{name} was not found: do not uninstall this \
             release; it would delete what is taken over{definition}"
        ));
        return Ok(());
    }
    let mut others = BTreeSet::new();
    let mut unreadable = false;
    for record in &records.items {
        match manifest(record) {
            Some(objects) => others.extend(objects.iter().filter_map(|one| other(found, one))),
            None => unreadable = true,
        }
    }
    if others.is_empty() && !unreadable {
        for record in &records.items {
            releases.records.push(json!({"apiVersion": "v1", "kind": "Secret", "metadata":
                {"name": record.metadata.name, "namespace": namespace,
                    "uid": record.metadata.uid}}));
        }
        if holds_definition {
            releases.detached.push(format!("{namespace}/{name}"));
        }
        return Ok(());
    }
    let what = match others.first() {
        Some(first) => format!("has other objects too, such as {first}"),
        None => "cannot be read".to_owned(),
    };
    releases.warnings.push(format!(
        "Helm's release {namespace}/{name} {what}, so its record stays: do not uninstall it before \
         the annotation {POLICY}: keep is in its templates; it would delete what is taken \
         over{definition}, and credential specs that it made"
    ));
    Ok(())
}

/// An object of the release that is neither removed anyway nor independent of the record.
fn other(found: &Found, object: &Value) -> Option<String> {
    let kind = text(object, "/kind");
    let is_known = [names::KIND, "CustomResourceDefinition"].contains(&kind)
        || found.all().any(|one| {
            text(one, "/kind") == kind
                && text(one, "/metadata/name") == text(object, "/metadata/name")
        })
        || found
            .stays
            .iter()
            .any(|told| told.starts_with(kind) && told.contains(text(object, "/metadata/name")));
    (!is_known).then(|| format!("{kind} {}", text(object, "/metadata/name")))
}

#[derive(Deserialize)]
struct Record {
    manifest: String,
}

/// The objects of a release: JSON, compressed and in base64, which the Secret has in base64 once
/// more.
fn manifest(record: &Secret) -> Option<Vec<Value>> {
    let encoded = &record.data.as_ref()?.get("release")?.0;
    let packed = STANDARD.decode(encoded).ok()?;
    let mut text = Vec::new();
    GzDecoder::new(&*packed).take(LARGEST).read_to_end(&mut text).ok()?;
    let record: Record = serde_json::from_slice(&text).ok()?;
    let documents = parse("release", &record.manifest);
    documents.into_iter().map(|document| Some(document.ok()?.into_value())).collect()
}

/// Keeps Helm from deleting the resource definition when a release no longer has it. If the release
/// is `detached`, the definition also stops saying that it belongs to it.
pub async fn keep_definition(client: &Client, detached: bool) -> Result<(), Failure> {
    type Definition =
        k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
    let definitions: Api<Definition> = Api::all(client.clone());
    let patch = if detached {
        json!({"metadata": {
            "annotations": {POLICY: "keep", RELEASE: null, NAMESPACE: null},
            "labels": {"app.kubernetes.io/managed-by": null}}})
    } else {
        json!({"metadata": {"annotations": {POLICY: "keep"}}})
    };
    let params = PatchParams {
        // Not with the field manager of install, whose next run would remove it.
        field_manager: Some("kubectl-gmsa-takeover".to_owned()),
        ..PatchParams::default()
    };
    let (name, patch) = (definition_name(), Patch::Merge(patch));
    let annotated = definitions.patch(&name, &params, &patch);
    answer("annotate", "the resource definition", annotated).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use k8s_openapi::api::core::v1::Secret;
    use serde_json::json;

    use super::super::found::Found;
    use super::{manifest, other};

    fn record(manifest: &str) -> Secret {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed
            .write_all(json!({"name": "r", "manifest": manifest}).to_string().as_bytes())
            .unwrap();
        let release = STANDARD.encode(STANDARD.encode(packed.finish().unwrap()));
        serde_json::from_value(json!({"metadata": {}, "data": {"release": release}})).unwrap()
    }

    #[test]
    fn a_release_with_other_objects_is_recognized() {
        let of = |kind: &str, name: &str| format!("---\nkind: {kind}\nmetadata:\n  name: {name}\n");
        let found = Found {
            rest: vec![json!({"kind": "Deployment", "metadata": {"name": "gmsa"}})],
            stays: vec!["Secret ns/cert stays: the release did not create it".to_owned()],
            ..Found::default()
        };
        let its =
            of("Deployment", "gmsa") + &of("GMSACredentialSpec", "spec") + &of("Secret", "cert");
        let more = its.clone() + &of("ConfigMap", "settings");
        for (text, expected) in [(its, vec![]), (more, vec!["ConfigMap settings".to_owned()])] {
            let objects = manifest(&record(&text)).unwrap();
            let others: Vec<_> = objects.iter().filter_map(|one| other(&found, one)).collect();
            assert_eq!(others, expected);
        }
    }

    #[test]
    fn what_is_not_a_record_is_not_an_empty_one() {
        let no_record = json!({"metadata": {}, "data": {"release": STANDARD.encode("x")}});
        assert!(manifest(&serde_json::from_value(no_record).unwrap()).is_none());
        assert!(manifest(&record("a: [")).is_none());
    }
}
