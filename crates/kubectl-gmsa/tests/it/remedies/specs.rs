//! The remedies of what is found in credential specs.

use gmsa_testkit::objects;
use serde_json::json;

use super::manifests::{INPUT, PLUGIN, Row, advice, denial, finding, remove};

pub(super) const OF_SPECS: [Row; 28] = [
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
        "in quotes",
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
        "an account's SID is the domain's SID with one more number: remove that",
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
        "dns-names-swapped",
        "Swap the two values, and write the new `DnsName` as the `Scope`",
        |files| files.domain()["DnsTreeName"] = json!("emea.contoso.com"),
        |files| {
            files.domain()["DnsTreeName"] = json!("contoso.com");
            files.domain()["DnsName"] = json!("emea.contoso.com");
            files.accounts()[1]["Scope"] = json!("emea.contoso.com");
        },
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
        "api-version-wrong",
        "Write `apiVersion: windows.k8s.io/v1` and `kind: GMSACredentialSpec`",
        |files| files.spec["apiVersion"] = json!("auth.k8s.io/v1alpha1"),
        |files| files.spec["apiVersion"] = json!("windows.k8s.io/v1"),
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
