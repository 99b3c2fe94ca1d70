//! The remedies of what `review` and `credspec lint` find in files.

use gmsa_testkit::objects;
use serde_json::{Value, json};

use super::{Catalogue, Entry};
use crate::reviewing::run;

/// The files of one workload with everything that it needs.
struct Files {
    spec: Value,
    role: Value,
    binding: Value,
    account: Value,
    workload: Value,
}

/// A fault, its remedy in words and in deeds.
struct Row {
    entry: Entry,
    /// The part of the advice that `follow` carries out, as users read it.
    says: &'static str,
    plant: fn(&mut Files),
    follow: fn(&mut Files),
}

const PLUGIN: &str = "{CCC2A336-D7F3-4818-A213-272B7924213E}";
const INPUT: &str = "ObjectId=244818ae-87ac-4fcd-92ec-e79e5252348a;SecretUri=https://\
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
    fn domain(&mut self) -> &mut Value {
        &mut self.spec["credspec"]["DomainJoinConfig"]
    }

    fn accounts(&mut self) -> &mut Value {
        &mut self.spec["credspec"]["ActiveDirectoryConfig"]["GroupManagedServiceAccounts"]
    }

    fn host(&mut self) -> &mut Value {
        &mut self.spec["credspec"]["ActiveDirectoryConfig"]["HostAccountConfig"]
    }

    /// Lets hosts outside the domain use the account, by the plug-in of AKS.
    fn with_plugin(&mut self) {
        *self.host() =
            json!({"PluginGUID": PLUGIN, "PluginInput": INPUT, "PortableCcgVersion": "1"});
    }

    fn pod(&mut self) -> &mut Value {
        &mut self.workload["spec"]["template"]["spec"]
    }

    fn options(&mut self) -> &mut Value {
        &mut self.pod()["securityContext"]["windowsOptions"]
    }

    fn review(&self) -> Value {
        let ran = run(&["review", "-f", "-", "-o", "json"], &self.text());
        assert!(ran.code < 2, "{}", ran.stderr);
        serde_json::from_str(&ran.stdout).unwrap()
    }

    fn lint(&self) -> Value {
        let ran = run(&["credspec", "lint", "-f", "-", "-o", "json"], &self.spec.to_string());
        assert!(ran.code < 2, "{}", ran.stderr);
        serde_json::from_str(&ran.stdout).unwrap()
    }
}

fn remove(object: &mut Value, key: &str) {
    object.as_object_mut().unwrap().remove(key).unwrap_or_else(|| panic!("{key}: {object}"));
}

/// What a report says of an id: the whole advice of each finding or denial.
fn advice(report: &Value, id: &str) -> Vec<String> {
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

const fn finding(
    id: &'static str,
    says: &'static str,
    plant: fn(&mut Files),
    follow: fn(&mut Files),
) -> Row {
    Row { entry: (Catalogue::Findings, id), says, plant, follow }
}

const fn denial(
    id: &'static str,
    says: &'static str,
    plant: fn(&mut Files),
    follow: fn(&mut Files),
) -> Row {
    Row { entry: (Catalogue::Denials, id), says, plant, follow }
}

const OF_PODS: [Row; 16] = [
    finding(
        "gmsa-with-host-process",
        "Take `hostProcess: true` away",
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
        "Leave `hostname` out",
        |files| files.pod()["hostname"] = json!("web"),
        |files| remove(files.pod(), "hostname"),
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

const OF_SPECS: [Row; 26] = [
    finding(
        "credspec-findings",
        "`kubectl gmsa credspec lint -f FILE`",
        |files| remove(files.domain(), "Sid"),
        |files| {
            let found = &files.lint()["credentialSpecs"][0]["findings"][0];
            assert_eq!(found["message"], "Sid is missing", "{found}");
            files.domain()["Sid"] = json!("S-1-5-21-1-2-3");
        },
    ),
    finding(
        "credspec-name-invalid",
        "Use lower-case letters",
        |files| {
            files.spec["metadata"]["name"] = json!("WebApp");
            files.role["rules"][0]["resourceNames"] = json!(["WebApp"]);
            files.options()["gmsaCredentialSpecName"] = json!("WebApp");
        },
        |files| {
            files.spec["metadata"]["name"] = json!("webapp");
            // The report names these places, too.
            files.role["rules"][0]["resourceNames"] = json!(["webapp"]);
            files.options()["gmsaCredentialSpecName"] = json!("webapp");
        },
    ),
    finding(
        "credspec-missing",
        "Write the contents under the key `credspec` at the root of the resource",
        |files| {
            let contents = files.spec["credspec"].take();
            remove(&mut files.spec, "credspec");
            files.spec["spec"] = json!({"credspec": contents});
        },
        |files| {
            let contents = files.spec["spec"]["credspec"].take();
            remove(&mut files.spec, "spec");
            files.spec["credspec"] = contents;
        },
    ),
    denial(
        "credspec-empty",
        "Put the credential spec under the key `credspec` at the root of the object",
        |files| files.spec["credspec"] = json!({}),
        |files| files.spec["credspec"] = objects::contents("WebApp1"),
    ),
    denial(
        "contents-too-large",
        "Shorten the credential spec",
        |files| {
            for index in 0..1000 {
                for scope in ["contoso.com", "CONTOSO"] {
                    let account = json!({"Name": format!("WebApp{index}"), "Scope": scope});
                    files.accounts().as_array_mut().unwrap().push(account);
                }
            }
        },
        |files| files.accounts().as_array_mut().unwrap().truncate(2),
    ),
    finding(
        "value-type-wrong",
        "goes into quotes",
        |files| {
            files.with_plugin();
            files.host()["PortableCcgVersion"] = json!(1);
        },
        |files| files.host()["PortableCcgVersion"] = json!("1"),
    ),
    finding(
        "unknown-key",
        "Correct the spelling, upper and lower case included",
        |files| {
            let tree = files.domain()["DnsTreeName"].take();
            remove(files.domain(), "DnsTreeName");
            files.domain()["dnsTreeName"] = tree;
        },
        |files| {
            let tree = files.domain()["dnsTreeName"].take();
            remove(files.domain(), "dnsTreeName");
            files.domain()["DnsTreeName"] = tree;
        },
    ),
    finding(
        "key-missing",
        "Add the key",
        |files| remove(files.domain(), "Guid"),
        |files| files.domain()["Guid"] = json!("244818ae-87ac-4fcd-92ec-e79e5252348a"),
    ),
    finding(
        "cms-plugins-incomplete",
        "Set `CmsPlugins: [ActiveDirectory]`",
        |files| files.spec["credspec"]["CmsPlugins"] = json!([]),
        |files| files.spec["credspec"]["CmsPlugins"] = json!(["ActiveDirectory"]),
    ),
    finding(
        "sid-not-domain",
        "an account's SID is the domain's with one more number, which has to go",
        |files| files.domain()["Sid"] = json!("S-1-5-21-1-2-3-1104"),
        |files| files.domain()["Sid"] = json!("S-1-5-21-1-2-3"),
    ),
    finding(
        "guid-invalid",
        "Write the `objectGUID` of the domain",
        |files| files.domain()["Guid"] = json!("{244818AE-87AC-4FCD-92EC-E79E5252348A}"),
        |files| files.domain()["Guid"] = json!("244818ae-87ac-4fcd-92ec-e79e5252348a"),
    ),
    finding(
        "machine-account-name-invalid",
        "Write the account's SAM name without `$` and without a domain",
        |files| files.domain()["MachineAccountName"] = json!("CONTOSO\\WebApp1$"),
        |files| files.domain()["MachineAccountName"] = json!("WebApp1"),
    ),
    finding(
        "netbios-name-invalid",
        "Write the short name of the domain, such as `CONTOSO`",
        |files| files.domain()["NetBiosName"] = json!("contoso.com"),
        |files| files.domain()["NetBiosName"] = json!("CONTOSO"),
    ),
    finding(
        "dns-name-invalid",
        "Write the full name, such as `contoso.com`",
        |files| files.domain()["DnsName"] = json!("CONTOSO"),
        |files| files.domain()["DnsName"] = json!("contoso.com"),
    ),
    finding(
        "account-not-listed",
        "Add two entries with the account's name: one with the NetBIOS name of the domain as \
         `Scope`, one with its DNS name",
        |files| files.domain()["MachineAccountName"] = json!("Other"),
        |files| {
            for scope in ["CONTOSO", "contoso.com"] {
                let entry = json!({"Name": "Other", "Scope": scope});
                files.accounts().as_array_mut().unwrap().push(entry);
            }
        },
    ),
    finding(
        "account-name-invalid",
        "Write the account's SAM name without `$` and without a domain",
        |files| files.accounts()[0]["Name"] = json!("WebApp1$"),
        |files| files.accounts()[0]["Name"] = json!("WebApp1"),
    ),
    finding(
        "scope-missing",
        "one with `NetBiosName` as `Scope`, one with `DnsName`",
        |files| {
            files.accounts().as_array_mut().unwrap().truncate(1);
        },
        |files| {
            let entry = json!({"Name": "WebApp1", "Scope": "contoso.com"});
            files.accounts().as_array_mut().unwrap().push(entry);
        },
    ),
    finding(
        "account-scope-incomplete",
        "Add a second entry with the same `Name` and the other name of the domain as `Scope`",
        |files| {
            let entry = json!({"Name": "Other", "Scope": "CONTOSO"});
            files.accounts().as_array_mut().unwrap().push(entry);
        },
        |files| {
            let entry = json!({"Name": "Other", "Scope": "contoso.com"});
            files.accounts().as_array_mut().unwrap().push(entry);
        },
    ),
    finding(
        "host-account-config-misplaced",
        "Move it into `ActiveDirectoryConfig`",
        |files| {
            files.with_plugin();
            let host = files.host().take();
            remove(&mut files.spec["credspec"]["ActiveDirectoryConfig"], "HostAccountConfig");
            files.spec["credspec"]["HostAccountConfig"] = host;
        },
        |files| {
            let host = files.spec["credspec"]["HostAccountConfig"].take();
            remove(&mut files.spec["credspec"], "HostAccountConfig");
            *files.host() = host;
        },
    ),
    finding(
        "plugin-guid-invalid",
        "Write the plug-in's class identifier in braces",
        |files| {
            files.with_plugin();
            files.host()["PluginGUID"] = json!("CCC2A336-D7F3-4818-A213-272B7924213E");
        },
        |files| files.host()["PluginGUID"] = json!(PLUGIN),
    ),
    finding(
        "portable-ccg-version-invalid",
        "Set `PortableCcgVersion: \"1\"`",
        |files| {
            files.with_plugin();
            files.host()["PortableCcgVersion"] = json!("2");
        },
        |files| files.host()["PortableCcgVersion"] = json!("1"),
    ),
    finding(
        "plugin-input-invalid",
        "Write it as the message shows",
        |files| {
            files.with_plugin();
            files.host()["PluginInput"] = json!("webapp1");
        },
        |files| {
            // As the message shows it, with values for what it leaves open.
            let advice = advice(&files.lint(), "plugin-input-invalid").concat();
            let (_, format) = advice.split_once(" plug-in wants ").unwrap();
            let (format, _) = format.split_once(" -> ").unwrap();
            let mut input = String::new();
            for part in format.split('<') {
                let (name, rest) = part.split_once('>').unwrap_or(("", part));
                input.push_str(match name {
                    "" => "",
                    name if name.contains("vault") => "shop",
                    _ => "webapp1",
                });
                input.push_str(rest);
            }
            assert!(input.starts_with("ObjectId="), "{advice}");
            files.host()["PluginInput"] = json!(input);
        },
    ),
    finding(
        "plugin-input-plaintext-password",
        "keep the new one in the plug-in's secret store, and write only where it is",
        |files| {
            files.with_plugin();
            files.host()["PluginInput"] = json!("web@contoso.com:Secret1");
        },
        |files| files.host()["PluginInput"] = json!(INPUT),
    ),
    finding(
        "version-deprecated",
        "Write `apiVersion: windows.k8s.io/v1`",
        |files| files.spec["apiVersion"] = json!("windows.k8s.io/v1alpha1"),
        |files| files.spec["apiVersion"] = json!("windows.k8s.io/v1"),
    ),
    finding(
        "machine-account-name-invalid",
        "make an account with a shorter name",
        |files| {
            files.domain()["MachineAccountName"] = json!("ApplicationOfTheShop");
            for entry in files.accounts().as_array_mut().unwrap() {
                entry["Name"] = json!("ApplicationOfTheShop");
            }
        },
        |files| files.spec = objects::credential_spec("webapp", "ShopApp"),
    ),
    finding(
        "unknown-key",
        "move the key to where it belongs",
        |files| {
            let sid = files.domain()["Sid"].take();
            remove(files.domain(), "Sid");
            files.spec["credspec"]["Sid"] = sid;
        },
        |files| {
            let sid = files.spec["credspec"]["Sid"].take();
            remove(&mut files.spec["credspec"], "Sid");
            files.domain()["Sid"] = sid;
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
