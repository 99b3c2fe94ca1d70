//! The remedies of what `review` and `credspec lint` find in files.

use gmsa_testkit::objects;
use serde_json::{Value, json};

use super::specs::OF_SPECS;
use super::{Catalogue, Entry};
use crate::reviewing::run;

/// The files of one workload with everything that it needs.
pub(super) struct Files {
    pub(super) spec: Value,
    pub(super) role: Value,
    binding: Value,
    account: Value,
    workload: Value,
}

/// A fault, its remedy in words and in deeds.
pub(super) struct Row {
    entry: Entry,
    /// The part of the advice that `follow` carries out, as users read it.
    says: &'static str,
    plant: fn(&mut Files),
    follow: fn(&mut Files),
}

pub(super) const PLUGIN: &str = "{CCC2A336-D7F3-4818-A213-272B7924213E}";
pub(super) const INPUT: &str = "ObjectId=244818ae-87ac-4fcd-92ec-e79e5252348a;SecretUri=https://\
                     shop.vault.azure.net/secrets/webapp1";

impl Files {
    /// What nothing is found in.
    fn new() -> Self {
        let mut pod = objects::pod("shop", "db", &objects::gmsa(Some("webapp"), None));
        pod["spec"]["serviceAccountName"] = json!("web");
        Self {
            spec: objects::credential_spec("webapp", "WebApp1"),
            role: objects::role("webapp"),
            binding: objects::binding("webapp", "shop", "web"),
            account: json!({"apiVersion": "v1", "kind": "ServiceAccount",
                "metadata": {"name": "web", "namespace": "shop"}}),
            workload: objects::deployment("shop", "db", &pod),
        }
    }

    fn text(&self) -> String {
        let Self { spec, role, binding, account, workload } = self;
        [spec, role, binding, account, workload].map(ToString::to_string).join("\n---\n")
    }

    /// The domain's part of the credential spec.
    pub(super) fn domain(&mut self) -> &mut Value {
        &mut self.spec["credspec"]["DomainJoinConfig"]
    }

    pub(super) fn accounts(&mut self) -> &mut Value {
        &mut self.spec["credspec"]["ActiveDirectoryConfig"]["GroupManagedServiceAccounts"]
    }

    pub(super) fn host(&mut self) -> &mut Value {
        &mut self.spec["credspec"]["ActiveDirectoryConfig"]["HostAccountConfig"]
    }

    /// Lets hosts outside the domain use the account, by the plug-in of AKS.
    pub(super) fn with_plugin(&mut self) {
        *self.host() =
            json!({"PluginGUID": PLUGIN, "PluginInput": INPUT, "PortableCcgVersion": "1"});
    }

    pub(super) fn pod(&mut self) -> &mut Value {
        &mut self.workload["spec"]["template"]["spec"]
    }

    pub(super) fn options(&mut self) -> &mut Value {
        &mut self.pod()["securityContext"]["windowsOptions"]
    }

    fn review(&self) -> Value {
        let ran = run(&["review", "-f", "-", "-o", "json"], &self.text());
        assert!(ran.code < 2, "{}", ran.stderr);
        serde_json::from_str(&ran.stdout).unwrap()
    }

    pub(super) fn lint(&self) -> Value {
        let ran = run(&["credspec", "lint", "-f", "-", "-o", "json"], &self.spec.to_string());
        assert!(ran.code < 2, "{}", ran.stderr);
        serde_json::from_str(&ran.stdout).unwrap()
    }
}

pub(super) fn remove(object: &mut Value, key: &str) {
    object.as_object_mut().unwrap().remove(key).unwrap_or_else(|| panic!("{key}: {object}"));
}

/// What a report says of an id: the whole advice of each finding or denial.
pub(super) fn advice(report: &Value, id: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![report];
    while let Some(value) = open.pop() {
        if value["code"] == id || value["reason"] == id {
            let text = |key: &str| value[key].as_str().unwrap().to_owned();
            found.push(format!("{} -> {}", text("message"), text("hint")));
        }
        match value {
            Value::Array(values) => open.extend(values),
            Value::Object(map) => open.extend(map.values()),
            _ => {}
        }
    }
    found
}

/// The codes and reasons of everything in a report.
fn all(report: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![report];
    while let Some(value) = open.pop() {
        if value["hint"].is_string() {
            let id = value["reason"].as_str().or_else(|| value["code"].as_str());
            found.push(id.unwrap().to_owned());
        }
        match value {
            Value::Array(values) => open.extend(values),
            Value::Object(map) => open.extend(map.values()),
            _ => {}
        }
    }
    found
}

pub(super) const fn finding(
    id: &'static str,
    says: &'static str,
    plant: fn(&mut Files),
    follow: fn(&mut Files),
) -> Row {
    Row { entry: (Catalogue::Findings, id), says, plant, follow }
}

pub(super) const fn denial(
    id: &'static str,
    says: &'static str,
    plant: fn(&mut Files),
    follow: fn(&mut Files),
) -> Row {
    Row { entry: (Catalogue::Denials, id), says, plant, follow }
}

const OF_PODS: [Row; 23] = [
    finding(
        "gmsa-with-host-process",
        "Remove `hostProcess: true`",
        |files| files.options()["hostProcess"] = json!(true),
        |files| remove(files.options(), "hostProcess"),
    ),
    finding(
        "not-bound-to-windows",
        "Set the node selector `kubernetes.io/os: windows`",
        |files| {
            remove(files.pod(), "nodeSelector");
            files.pod()["securityContext"]["runAsUser"] = json!(1000);
        },
        |files| files.pod()["nodeSelector"] = json!({"kubernetes.io/os": "windows"}),
    ),
    finding(
        "fixed-hostname",
        "Leave `hostname` and `hostnameOverride` out",
        |files| {
            files.pod()["hostname"] = json!("web");
            files.pod()["hostnameOverride"] = json!("web.contoso.com");
        },
        |files| {
            remove(files.pod(), "hostname");
            remove(files.pod(), "hostnameOverride");
        },
    ),
    finding(
        "field-not-read",
        "move it to spec.template.spec.securityContext.windowsOptions.gmsaCredentialSpecName",
        |files| {
            let name = files.options()["gmsaCredentialSpecName"].take();
            remove(files.options(), "gmsaCredentialSpecName");
            files.pod()["windowsOptions"] = json!({"gmsaCredentialSpecName": name});
        },
        |files| {
            let name = files.pod()["windowsOptions"]["gmsaCredentialSpecName"].take();
            remove(files.pod(), "windowsOptions");
            files.options()["gmsaCredentialSpecName"] = name;
        },
    ),
    finding(
        "credspec-not-judged",
        "`helm template` for a chart or a HelmRelease",
        |files| {
            let values = files.pod()["securityContext"].clone();
            files.workload = json!({"apiVersion": "helm.toolkit.fluxcd.io/v2",
                "kind": "HelmRelease", "metadata": {"name": "db", "namespace": "shop"},
                "spec": {"values": {"podSecurityContext": values}}});
        },
        // What its chart renders.
        |files| files.workload = Files::new().workload,
    ),
    finding(
        "field-of-another-system",
        "Remove the fields that the message names",
        |files| {
            files.pod()["os"] = json!({"name": "windows"});
            files.pod()["securityContext"]["fsGroup"] = json!(2000);
        },
        |files| remove(&mut files.pod()["securityContext"], "fsGroup"),
    ),
    finding(
        "field-of-another-system",
        "or leave `os` out",
        |files| {
            files.pod()["os"] = json!({"name": "windows"});
            files.pod()["securityContext"]["fsGroup"] = json!(2000);
        },
        |files| remove(files.pod(), "os"),
    ),
    finding(
        "os-label-deprecated",
        "Write `kubernetes.io/os: windows`",
        |files| files.pod()["nodeSelector"] = json!({"beta.kubernetes.io/os": "windows"}),
        |files| files.pod()["nodeSelector"] = json!({"kubernetes.io/os": "windows"}),
    ),
    finding(
        "user-without-identity",
        "or write `NT AUTHORITY\\NetworkService`",
        |files| files.options()["runAsUserName"] = json!("svc-web"),
        |files| files.options()["runAsUserName"] = json!("NT AUTHORITY\\NetworkService"),
    ),
    finding(
        "image-build-mismatch",
        "`ltsc2019` for build 17763",
        |files| {
            files.pod()["nodeSelector"]["node.kubernetes.io/windows-build"] = json!("10.0.17763");
            files.pod()["containers"][0]["image"] = json!("servercore:ltsc2022");
        },
        |files| files.pod()["containers"][0]["image"] = json!("servercore:ltsc2019"),
    ),
    finding(
        "shared-hostname-prefix",
        "A shorter name helps a StatefulSet",
        |files| {
            files.workload["kind"] = json!("StatefulSet");
            files.workload["metadata"]["name"] = json!("a-long-database");
        },
        |files| files.workload["metadata"]["name"] = json!("db"),
    ),
    finding(
        "gmsa-in-several-containers",
        "Name the credential spec only at the container that needs it",
        |files| {
            files.pod()["containers"] = json!([{"name": "iis", "image": "iis"},
                {"name": "log", "image": "log"}]);
        },
        |files| {
            let context = files.pod()["securityContext"].take();
            remove(files.pod(), "securityContext");
            files.pod()["containers"][0]["securityContext"] = context;
        },
    ),
    finding(
        "service-account-missing",
        "correct `serviceAccountName`",
        |files| files.pod()["serviceAccountName"] = json!("wbe"),
        |files| files.pod()["serviceAccountName"] = json!("web"),
    ),
    finding(
        "role-names-no-credspec",
        "write \"webapp\"",
        |files| files.role["rules"][0]["resourceNames"] = json!(["WebApp"]),
        |files| files.role["rules"][0]["resourceNames"] = json!(["webapp"]),
    ),
    finding(
        "role-names-no-credspec",
        "list each credential spec by its name",
        |files| files.role["rules"][0]["resourceNames"] = json!(["web*"]),
        |files| files.role["rules"][0]["resourceNames"] = json!(["webapp"]),
    ),
    finding(
        "role-names-no-credspec",
        "leave `resourceNames` out to allow all",
        |files| files.role["rules"][0]["resourceNames"] = json!(["*"]),
        |files| remove(&mut files.role["rules"][0], "resourceNames"),
    ),
    finding(
        "binding-without-role",
        "correct `roleRef`",
        |files| files.binding["roleRef"]["name"] = json!("web"),
        |files| files.binding["roleRef"]["name"] = json!("webapp"),
    ),
    denial(
        "contents-without-name",
        "Set gmsaCredentialSpecName to the name of the GMSACredentialSpec and leave \
         gmsaCredentialSpec out",
        |files| *files.options() = json!({"gmsaCredentialSpec": "{}"}),
        |files| *files.options() = json!({"gmsaCredentialSpecName": "webapp"}),
    ),
    denial(
        "name-invalid",
        "Write \"webapp\"",
        |files| files.options()["gmsaCredentialSpecName"] = json!("WebApp"),
        |files| files.options()["gmsaCredentialSpecName"] = json!("webapp"),
    ),
    denial(
        "name-invalid",
        "Write the name of a credential spec, or leave gmsaCredentialSpecName out",
        |files| files.options()["gmsaCredentialSpecName"] = json!(""),
        |files| remove(files.options(), "gmsaCredentialSpecName"),
    ),
    denial(
        "credspec-not-found",
        "correct the name",
        |files| {
            files.role["rules"][0]["resourceNames"] = json!(["webapp", "shopping"]);
            files.options()["gmsaCredentialSpecName"] = json!("shopping");
        },
        |files| {
            files.role["rules"][0]["resourceNames"] = json!(["webapp"]);
            files.options()["gmsaCredentialSpecName"] = json!("webapp");
        },
    ),
    denial(
        "contents-mismatch",
        "Leave gmsaCredentialSpec out of the pod",
        |files| files.options()["gmsaCredentialSpec"] = json!("{}"),
        |files| remove(files.options(), "gmsaCredentialSpec"),
    ),
    denial(
        "too-many-places",
        "Set the credential spec once, in the security context of the pod",
        |files| {
            let context = files.pod()["securityContext"].take();
            remove(files.pod(), "securityContext");
            let container = |index| {
                json!({"name": format!("c{index}"), "image": "iis",
                "securityContext": context})
            };
            files.pod()["containers"] = (0..501).map(container).collect();
        },
        |files| {
            let context = files.pod()["containers"][0]["securityContext"].take();
            files.pod()["securityContext"] = context;
            // What they have in common is left; that there are many is another matter.
            files.pod()["containers"] = json!([{"name": "c0", "image": "iis"}]);
        },
    ),
];

pub(super) fn entries() -> impl Iterator<Item = Entry> {
    OF_PODS.iter().chain(&OF_SPECS).map(|row| row.entry)
}

#[test]
fn what_review_advises_works() {
    let healthy = Files::new();
    assert_eq!(all(&healthy.review()), [""; 0], "{}", healthy.review());
    let mut failures = Vec::new();
    for row in OF_PODS.iter().chain(&OF_SPECS) {
        let (_, id) = row.entry;
        let mut files = Files::new();
        (row.plant)(&mut files);
        let mut reports = vec![files.review()];
        let of_spec = advice(&files.lint(), id);
        if !of_spec.is_empty() {
            reports.push(files.lint());
        }
        for report in reports {
            let advice = advice(&report, id);
            if !advice.iter().any(|advice| advice.contains(row.says)) {
                failures.push(format!("{id} does not say {:?}: {advice:?}", row.says));
            }
        }
        (row.follow)(&mut files);
        let left = [all(&files.review()), all(&files.lint())].concat();
        if !left.is_empty() {
            failures.push(format!("{id} is followed, and {left:?} is left: {}", files.review()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
