//! The decision once more, as naively as can be: untyped JSON, no store, no plan.

use serde_json::{Value, json};

/// Names that generated pods use: four that exist (one without contents), one that does not, and
/// some that no resource can have.
pub const SPEC_NAMES: &[&str] = &["web", "sql", "hollow", "open", "gone", "Web", "", "a_b"];

/// Contents that generated pods carry.
pub const CONTENTS: [fn() -> String; 8] = [
    || spec("Web").to_string(),
    || serde_json::to_string_pretty(&spec("Web")).unwrap(),
    || spec("Sql").to_string(),
    || spec("Open").to_string(),
    || String::new(),
    || "{}".to_owned(),
    || "not json".to_owned(),
    || format!("{} {{}}", spec("Web")),
];

fn spec(account: &str) -> Value {
    json!({"CmsPlugins": ["ActiveDirectory"], "DomainJoinConfig": {
        "DnsName": "contoso.com", "DnsTreeName": "contoso.com", "NetBiosName": "CONTOSO",
        "Guid": "244818ae-87ac-4fcd-92ec-e79e5252348a", "MachineAccountName": account,
        "Sid": "S-1-5-21-2126449477-2524075714-3094792973"}})
}

/// The same world as manifests: `web` may use web and hollow, `all` everything, and in namespace
/// shop everybody may use open.
pub fn manifests() -> String {
    let object = |name: &str, credspec: Value| {
        json!({"apiVersion": "windows.k8s.io/v1", "kind": "GMSACredentialSpec",
            "metadata": {"name": name}, "credspec": credspec})
    };
    let role = |name: &str, names: Value| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": name}, "rules": [{"apiGroups": ["windows.k8s.io"],
                "resources": ["gmsacredentialspecs"], "verbs": ["use"], "resourceNames": names}]})
    };
    let binding = |role: &str, subject: Value| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": role, "namespace": "shop"}, "subjects": [subject],
            "roleRef": {"kind": "ClusterRole", "name": role,
                "apiGroup": "rbac.authorization.k8s.io"}})
    };
    let account = |name: &str| json!({"kind": "ServiceAccount", "name": name, "namespace": "shop"});
    let objects = [
        object("web", spec("Web")),
        object("sql", spec("Sql")),
        object("open", spec("Open")),
        object("hollow", json!({})),
        role("web", json!(["web", "hollow"])),
        role("all", json!([])),
        role("open", json!(["open"])),
        binding("web", account("web")),
        binding("all", account("all")),
        binding(
            "open",
            json!({"kind": "Group", "name": "system:serviceaccounts:shop",
            "apiGroup": "rbac.authorization.k8s.io"}),
        ),
    ];
    objects.map(|object| object.to_string()).join("\n---\n")
}

/// The naive decision in the world of [`manifests`], for namespace shop.
pub struct Naive;

impl Naive {
    fn credspec(name: &str) -> Option<Value> {
        match name {
            "web" => Some(spec("Web")),
            "sql" => Some(spec("Sql")),
            "open" => Some(spec("Open")),
            _ => None,
        }
    }

    fn may_use(account: &str, name: &str) -> bool {
        name == "open"
            || account == "all"
            || (account == "web" && ["web", "hollow"].contains(&name))
    }

    /// Every `windowsOptions` that counts.
    fn places(object: &Value) -> Vec<Value> {
        let mut places = vec![object["spec"]["securityContext"]["windowsOptions"].clone()];
        for list in ["containers", "initContainers", "ephemeralContainers"] {
            for container in object["spec"][list].as_array().into_iter().flatten() {
                places.push(container["securityContext"]["windowsOptions"].clone());
            }
        }
        places
    }

    /// Whether the final object may be admitted.
    pub fn validate(object: &Value) -> bool {
        Self::places(object).iter().all(|options| Self::is_sound(object, options))
    }

    /// Whether the pod may have what stands at one place.
    fn is_sound(object: &Value, options: &Value) -> bool {
        let account = object["spec"]["serviceAccountName"].as_str().unwrap_or_default();
        let account = if account.is_empty() { "default" } else { account };
        let (name, contents) = (&options["gmsaCredentialSpecName"], &options["gmsaCredentialSpec"]);
        if name.is_null() && contents.is_null() {
            return true;
        }
        let (Some(name), Some(contents)) = (name.as_str(), contents.as_str()) else {
            return false;
        };
        Self::may_use(account, name)
            && Self::credspec(name).is_some_and(|expected| {
                serde_json::from_str::<Value>(contents).is_ok_and(|actual| actual == expected)
            })
    }

    /// Whether an ephemeral container is there already, with the same identity.
    fn is_old(old: &Value, container: &Value) -> bool {
        let identity = |container: &Value| {
            let options = &container["securityContext"]["windowsOptions"];
            ["gmsaCredentialSpecName", "gmsaCredentialSpec"].map(|key| options[key].clone())
        };
        let olds = old["spec"]["ephemeralContainers"].as_array();
        olds.into_iter()
            .flatten()
            .any(|old| old["name"] == container["name"] && identity(old) == identity(container))
    }

    /// Whether these ephemeral containers may be set.
    pub fn validate_update(old: &Value, new: &Value) -> bool {
        let containers = new["spec"]["ephemeralContainers"].as_array();
        containers.into_iter().flatten().all(|container| {
            Self::is_old(old, container)
                || Self::is_sound(new, &container["securityContext"]["windowsOptions"])
        })
    }

    /// The object with contents filled in at each new ephemeral container that has a name only.
    pub fn mutate_update(old: &Value, new: &Value) -> Value {
        let mut new = new.clone();
        let containers = new["spec"]["ephemeralContainers"].as_array_mut();
        for container in containers.into_iter().flatten() {
            if !Self::is_old(old, container) && container.get("securityContext").is_some() {
                Self::fill(&mut container["securityContext"]["windowsOptions"]);
            }
        }
        new
    }

    fn fill(options: &mut Value) {
        if options["gmsaCredentialSpec"].is_null()
            && let Some(name) = options["gmsaCredentialSpecName"].as_str()
            && let Some(spec) = Self::credspec(name)
        {
            options["gmsaCredentialSpec"] = json!(spec.to_string());
        }
    }

    /// The object with contents filled in at each place that has a name only.
    pub fn mutate(object: &Value) -> Value {
        let mut object = object.clone();
        let fill = Self::fill;
        let spec = &mut object["spec"];
        if spec["securityContext"]["windowsOptions"].is_object() {
            fill(&mut spec["securityContext"]["windowsOptions"]);
        }
        for list in ["containers", "initContainers", "ephemeralContainers"] {
            for container in spec[list].as_array_mut().into_iter().flatten() {
                if container.get("securityContext").is_some() {
                    fill(&mut container["securityContext"]["windowsOptions"]);
                }
            }
        }
        object
    }
}
