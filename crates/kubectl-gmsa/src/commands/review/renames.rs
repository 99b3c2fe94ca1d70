//! Names that no object can have, and what to write instead: what comes before all else.

use std::collections::{BTreeMap, BTreeSet};

use gmsa_cluster::manifests::{ManifestSet, Source};
use gmsa_cluster::simulate::not_there;
use gmsa_core::admission::{Denial, GRANTS_IT, Reason};
use gmsa_core::credspec::name::{is_pattern, is_valid_name, made_valid};
use gmsa_core::grant::Grant;
use gmsa_core::names::{GROUP, KIND};
use gmsa_core::pod::shown;
use gmsa_core::rbac::Policy;
use schemars::JsonSchema;
use serde::Serialize;

use super::simulate::{Place, Simulated};

/// A field with a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holder {
    CredentialSpec,
    Role,
    Workload,
}

/// A name to write instead of others that no credential spec can have.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rename {
    /// The name to write.
    pub name: String,
    /// The current value.
    pub instead_of: Vec<String>,
    /// Where to write it.
    pub places: Vec<RenamePlace>,
    /// The credential specs and roles among them.
    #[serde(skip)]
    facts: Vec<String>,
    /// Whether a credential spec is among them.
    #[serde(skip)]
    of_credential_spec: bool,
}

/// A field with such a name.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RenamePlace {
    /// The object, as `ClusterRole webapp1`.
    pub object: String,
    /// The field.
    pub field: String,
    /// The file, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line on which the document begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

/// All of a review.
pub struct Renames<'a> {
    by_name: BTreeMap<String, Rename>,
    /// The rights that the files give; none where the cluster's count.
    policy: Option<&'a Policy>,
    /// The credential specs of the files that no API server takes, because of their API version.
    unserved: BTreeSet<&'a str>,
}

/// What to print for a denial that the spelling of a name explains.
pub struct Cure {
    /// Replaces admission's message, which would advise granting a right that is already granted.
    pub message: Option<String>,
    pub hint: String,
}

impl<'a> Renames<'a> {
    /// What has to be written otherwise in the objects and in the places that were judged.
    pub fn of(set: &'a ManifestSet, simulated: &[Simulated<'_>], cluster: bool) -> Self {
        let policy = (!cluster).then_some(&set.policy);
        let unserved = set.credential_specs.iter().filter(|(_, spec)| !spec.is_served());
        let unserved = unserved.map(|(name, _)| name.as_str()).collect();
        let mut renames = Self { by_name: BTreeMap::new(), policy, unserved };
        for (name, spec) in &set.credential_specs {
            let (object, at) = (format!("GMSACredentialSpec {name}"), Some(&spec.source));
            renames.add(name, object, "metadata.name", at, Holder::CredentialSpec);
        }
        for (role, name) in set.policy.named() {
            if !is_pattern(name) {
                renames.add(name, role, "rules.resourceNames", None, Holder::Role);
            }
        }
        for one in simulated {
            let workload = one.workload;
            for place in &one.places {
                let name = place.credential_spec.as_deref().unwrap_or_default();
                if is_valid_name(name) {
                    continue;
                }
                let field = workload.field(&format!("{}gmsaCredentialSpecName", place.prefix));
                let object = format!("{} {}/{}", workload.kind, workload.namespace, workload.name);
                renames.add(name, object, &field, Some(&workload.source), Holder::Workload);
            }
        }
        renames
    }

    /// The names of facts come before those of workloads.
    fn add(&mut self, name: &str, object: String, field: &str, at: Option<&Source>, of: Holder) {
        if name.is_empty() || is_valid_name(name) {
            return;
        }
        let wanted = made_valid(name);
        let rename = self.by_name.entry(wanted.clone()).or_default();
        rename.name = wanted;
        if !rename.instead_of.iter().any(|known| known == name) {
            rename.instead_of.push(name.to_owned());
        }
        let place = RenamePlace {
            object,
            field: field.to_owned(),
            file: at.map(|source| source.file.to_string()),
            line: at.map(|source| source.line),
        };
        // A role may name it in several rules.
        if rename.places.last() == Some(&place) {
            return;
        }
        if of != Holder::Workload {
            rename.facts.push(place.object.clone());
        }
        rename.of_credential_spec |= of == Holder::CredentialSpec;
        rename.places.push(place);
    }

    /// What to say of a denial of the service account at this place, if writing other names at
    /// other places comes before what admission itself would advise.
    pub fn cure(&self, denial: &Denial, name: &str, of: (&str, &str)) -> Option<Cure> {
        if denial.reason == Reason::NotFound && self.unserved.contains(name) {
            let hint = format!("Write apiVersion: {GROUP}/v1 in {KIND} {name}.");
            return Some(Cure { message: None, hint });
        }
        let rename = self.by_name.get(name)?;
        let (namespace, account) = of;
        let write = format!("Write \"{name}\" in {}", rename.facts.join(" and "));
        match denial.reason {
            Reason::NotAuthorized => {
                let granted = rename.instead_of.iter().find(|written| {
                    self.policy.is_some_and(|policy| policy.may_use(namespace, account, written))
                });
                if let Some(written) = granted {
                    let said = denial.without_commands();
                    let message =
                        format!("{said}: the right is to \"{written}\", which is not a valid name");
                    let hint = format!("{write}. The right is there once the names are.");
                    return Some(Cure { message: Some(message), hint });
                }
                let remedy = denial.reason.remedy();
                let hint = format!("{write}. {remedy}");
                rename.of_credential_spec.then_some(Cure { message: None, hint })
            }
            Reason::NotFound if rename.of_credential_spec => {
                Some(Cure { message: None, hint: format!("{write}.") })
            }
            _ => None,
        }
    }

    /// All of them, in the order of the names to write.
    pub fn into_list(self) -> Vec<Rename> {
        self.by_name.into_values().collect()
    }
}

impl Cure {
    /// What to say of a missing right where the pod template names no service account: nobody asked
    /// for a grant to `default`, which every pod of the namespace runs as that names none.
    pub fn of_unnamed_account(denial: &Denial, simulated: &Simulated<'_>) -> Option<Self> {
        if denial.reason != Reason::NotAuthorized || simulated.names_account {
            return None;
        }
        let namespace = shown(&simulated.workload.namespace);
        let is_pod = simulated.workload.kind == "Pod";
        let who = if is_pod {
            "The pod names no service account, so it runs"
        } else {
            "The pod template names no service account, so its pods run"
        };
        let whose = if is_pod { "its own" } else { "the workload's own" };
        Some(Self {
            message: Some(denial.without_commands().to_owned()),
            hint: format!(
                "{who} as \"default\" of namespace \"{namespace}\", as others may: set serviceAccountName \
                 to an account of {whose}, and grant that one the right."
            ),
        })
    }

    /// What to say of a missing right to a credential spec that does not exist: a grant alone would lead to
    /// the next denial.
    pub fn of_absent(denial: &Denial, place: &Place) -> Option<Self> {
        let is_it = denial.reason == Reason::NotAuthorized && place.is_absent;
        let name = place.credential_spec.as_deref().filter(|_| is_it)?;
        Some(Self { message: None, hint: not_there(name) })
    }

    /// What to say of a missing right whose commands are in a later message.
    pub fn of_repeated(
        denial: &Denial,
        name: &str,
        (namespace, account): (&str, &str),
    ) -> Option<Self> {
        let is_it = denial.reason == Reason::NotAuthorized && !denial.message.contains(GRANTS_IT);
        let grant = Grant::of(name, namespace, account).filter(|_| is_it)?;
        Some(Self {
            message: None,
            hint: format!(
                "If this workload is meant to have this identity, let an administrator run `{}`.",
                grant.with_plugin()
            ),
        })
    }
}

impl Rename {
    /// The other spellings, each in quotes.
    pub fn others(&self) -> String {
        let quoted: Vec<String> =
            self.instead_of.iter().map(|name| format!("\"{name}\"")).collect();
        quoted.join(", ")
    }
}
