//! The objects for cert-manager, held by a real API server against what cert-manager's definitions
//! say. Its controllers are not there: nothing is issued and nothing injected.

use std::path::Path;

use crate::support::Ran;
use crate::support::world::{SOON, World};
use gmsa_cluster::api::apply::{Applier, shown};
use gmsa_cluster::installation::{self, Certificates, Options, Version};
use gmsa_cluster::manifests::{Input, read};
use gmsa_core::names;
use gmsa_testkit::process::eventually;
use serde_json::{Value, json};

/// Whether what was sent is what was kept: a field that the definition does not know is dropped.
fn dropped(sent: &Value, kept: &Value, path: &str, found: &mut Vec<String>) {
    match (sent, kept) {
        (Value::Object(sent), Value::Object(kept)) => {
            for (key, value) in sent {
                let path = format!("{path}.{key}");
                match kept.get(key) {
                    Some(kept) => dropped(value, kept, &path, found),
                    None => found.push(path),
                }
            }
        }
        _ if sent == kept => {}
        _ => found.push(path.to_owned()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_objects_for_cert_manager_fit_its_definitions() {
    let test = "the_objects_for_cert_manager_fit_its_definitions";
    let Some(world) = World::new(test).await else { return };
    let applier = Applier::new(world.client.clone(), "test", true);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cert-manager.yaml");
    let definitions = read(&[Input::Path(file)]).unwrap().documents;
    assert_eq!(definitions.len(), 2);
    // Without them nothing is begun.
    let install = ["install", "--certificates=cert-manager"];
    let Ran { code, stderr, .. } = world.run(&install).await;
    assert_eq!(code, 3, "{stderr}");
    assert!(stderr.contains("cert-manager.io/v1"), "{stderr}");
    assert!(world.objects().await.iter().flatten().all(|one| one["kind"] == "Namespace"));
    for definition in &definitions {
        applier.apply(&definition.value).await.unwrap();
    }
    let options = Options { certificates: Certificates::CertManager, ..Options::default() };
    let (major, minor) = world.plane.version();
    let all = installation::objects(&options, Version(major, minor));
    applier.apply(&all.base[0]).await.unwrap();
    let ours: Vec<&Value> =
        all.base.iter().filter(|one| one["apiVersion"] == "cert-manager.io/v1").collect();
    assert_eq!(ours.len(), 4);
    for object in &ours {
        eventually("the object is taken", SOON, || async { applier.apply(object).await.ok() })
            .await;
        let kept = applier.live(object).await.unwrap().unwrap();
        let mut found = Vec::new();
        dropped(object, &kept, "", &mut found);
        assert!(found.is_empty(), "{}: {found:?}", shown(object));
    }

    let dry = world.done(&[&install[..], &["--dry-run=server"]].concat()).await;
    for object in &ours {
        assert!(dry.contains(&shown(object)), "{}: {dry}", shown(object));
    }

    // That the definitions would show a mistake.
    let leaf = ours.iter().find(|one| one["spec"]["dnsNames"].is_array()).unwrap();
    for (pointer, value) in [
        ("/spec/usages/0", json!("server")),
        ("/spec/privateKey/rotationPolicy", json!("Sometimes")),
        ("/spec/issuerRef/name", Value::Null),
        ("/spec/secretName", json!(1)),
    ] {
        let mut wrong = (*leaf).clone();
        *wrong.pointer_mut(pointer).unwrap() = value;
        applier.apply(&wrong).await.expect_err(pointer);
    }
    let mut unknown = (*leaf).clone();
    unknown["spec"]["dnsName"] = json!("x");
    // Old servers refuse what is applied with it, newer ones drop it.
    if let Err(error) = applier.apply(&unknown).await {
        assert!(error.to_string().contains(".spec.dnsName"), "{error}");
    } else {
        let kept = applier.live(&unknown).await.unwrap().unwrap();
        let mut found = Vec::new();
        dropped(&unknown, &kept, "", &mut found);
        assert_eq!(found, [".spec.dnsName"]);
    }

    // They belong together: the issuer signs with the CA's Secret, the configurations
    // trust the CA, and the certificate has the names by which they call.
    let find = |kind: &str, name: &str| {
        let one = |one: &&&Value| one["kind"] == kind && one["metadata"]["name"] == name;
        ours.iter().find(one).copied().unwrap_or_else(|| panic!("no {kind} {name}"))
    };
    let ca = find("Certificate", names::CERT_MANAGER_CA);
    assert_eq!(ca["spec"]["isCA"], true);
    let issuer = find("Issuer", names::NAME);
    assert_eq!(issuer["spec"]["ca"]["secretName"], ca["spec"]["secretName"]);
    let self_signed = find("Issuer", ca["spec"]["issuerRef"]["name"].as_str().unwrap());
    assert_eq!(self_signed["spec"], json!({"selfSigned": {}}));
    assert_eq!(leaf["spec"]["issuerRef"]["name"], names::NAME);
    assert_eq!(leaf["spec"]["secretName"], names::SECRET);
    assert_eq!(leaf["spec"]["dnsNames"][0], "gmsa-webhook.gmsa-webhook.svc");
    for webhook in &all.webhooks {
        let annotation = &webhook["metadata"]["annotations"]["cert-manager.io/inject-ca-from"];
        assert_eq!(annotation, "gmsa-webhook/gmsa-webhook-ca");
    }
}
