mod accounts;
mod domain;
mod host;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::credspec::test_values::{any_object, any_value};

fn good() -> Value {
    json!({
        "apiVersion": "windows.k8s.io/v1",
        "kind": "GMSACredentialSpec",
        "metadata": {"name": "gmsa-webapp1"},
        "credspec": {
            "ActiveDirectoryConfig": {
                "GroupManagedServiceAccounts": [
                    {"Name": "WebApp1", "Scope": "CONTOSO"},
                    {"Name": "WebApp1", "Scope": "contoso.com"},
                ],
                "HostAccountConfig": {
                    "PluginGUID": "{CCC2A336-D7F3-4818-A213-272B7924213E}",
                    "PluginInput": "ObjectId=1;SecretUri=https://kv.vault.azure.net/secrets/a",
                    "PortableCcgVersion": "1",
                },
            },
            "CmsPlugins": ["ActiveDirectory"],
            "DomainJoinConfig": {
                "DnsName": "contoso.com",
                "DnsTreeName": "contoso.com",
                "Guid": "244818ae-87ac-4fcd-92ec-e79e5252348a",
                "MachineAccountName": "WebApp1",
                "NetBiosName": "CONTOSO",
                "Sid": "S-1-5-21-2126449477-2524075714-3094792973",
            },
        },
    })
}

/// The good resource with the value at a pointer set, or removed if there is none to set.
fn with(pointer: &str, value: Option<Value>) -> Value {
    let mut object = good();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = object.pointer_mut(parent).unwrap();
    match (parent, value) {
        (Value::Object(map), Some(value)) => drop(map.insert(key.to_owned(), value)),
        (Value::Object(map), None) => drop(map.remove(key).unwrap()),
        (Value::Array(items), Some(value)) if key == "-" => items.push(value),
        (Value::Array(items), Some(value)) => items[key.parse::<usize>().unwrap()] = value,
        (Value::Array(items), None) => drop(items.remove(key.parse().unwrap())),
        (other, _) => panic!("{other}"),
    }
    object
}

/// The findings as `id path: message`.
fn lines(findings: &[Finding]) -> Vec<String> {
    findings
        .iter()
        .map(|finding| {
            let path = finding.path.as_deref().unwrap_or("-");
            format!("{} {path}: {}", finding.code, finding.message)
        })
        .collect()
}

#[track_caller]
fn check(pointer: &str, value: impl Into<Option<Value>>, expected: &[&str]) {
    let object = with(pointer, value.into());
    assert_eq!(lines(&lint("gmsa-webapp1", &object)), expected, "{pointer}");
}

const DOMAIN: &str = "/credspec/DomainJoinConfig";
const DIRECTORY: &str = "/credspec/ActiveDirectoryConfig";
const ACCOUNTS: &str = "/credspec/ActiveDirectoryConfig/GroupManagedServiceAccounts";
const HOST: &str = "/credspec/ActiveDirectoryConfig/HostAccountConfig";

#[test]
fn a_good_credential_spec_has_no_findings() {
    assert_eq!(lint("gmsa-webapp1", &good()), []);
    assert_eq!(lint_contents(&good()["credspec"]), []);
    check(&format!("{DIRECTORY}/HostAccountConfig"), None, &[]);
    check(&format!("{DOMAIN}/DnsTreeName"), None, &[]);
    check(
        "/status",
        json!(null),
        &[
            "unknown-key status: status is not a key here, known are apiVersion, kind, metadata, credspec",
        ],
    );
}

#[test]
fn names_of_the_resource() {
    assert_eq!(
        lines(&lint("gmsa-WebApp1", &good())),
        [
            r#"credspec-name-invalid metadata.name: "gmsa-WebApp1" is not a valid name for a credential spec, write "gmsa-webapp1""#
        ]
    );
}

#[test]
fn missing_contents() {
    check("/credspec", None, &["credspec-missing credspec: there is no credspec"]);
    check("/credspec", json!(null), &["credspec-missing credspec: there is no credspec"]);
    check("/credspec", json!({}), &["credspec-missing credspec: credspec is empty"]);
    check(
        "/credspec",
        json!([]),
        &["value-type-wrong credspec: credspec must be an object, not an array"],
    );
    assert_eq!(lines(&lint("a", &json!(5))), ["credspec-missing credspec: there is no credspec"]);
    assert_eq!(lines(&lint_contents(&json!({}))), ["credspec-missing -: there are no contents"]);
    assert_eq!(
        lines(&lint_contents(&json!("x"))),
        ["value-type-wrong -: the value must be an object, not a string"]
    );
    let nothing = lint("a", &json!({"credspec": {"CmsPlugins": null}}));
    let codes: Vec<Code> = nothing.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [Code::CmsPluginsIncomplete, Code::KeyMissing, Code::AccountNotListed]);
}

#[test]
fn wrong_types() {
    check(
        &format!("{DOMAIN}/Sid"),
        json!(5),
        &[
            "value-type-wrong credspec.DomainJoinConfig.Sid: credspec.DomainJoinConfig.Sid must be a string, not a number",
        ],
    );
    check(
        DOMAIN,
        json!("x"),
        &[
            "value-type-wrong credspec.DomainJoinConfig: credspec.DomainJoinConfig must be an object, not a string",
        ],
    );
    check(
        ACCOUNTS,
        json!({}),
        &[
            "value-type-wrong credspec.ActiveDirectoryConfig.GroupManagedServiceAccounts: credspec.ActiveDirectoryConfig.GroupManagedServiceAccounts must be an array, not an object",
        ],
    );
    check(
        "/credspec/CmsPlugins",
        json!("ActiveDirectory"),
        &[
            "value-type-wrong credspec.CmsPlugins: credspec.CmsPlugins must be an array, not a string",
        ],
    );
    check(
        &format!("{HOST}/PortableCcgVersion"),
        json!(1),
        &[
            "value-type-wrong credspec.ActiveDirectoryConfig.HostAccountConfig.PortableCcgVersion: credspec.ActiveDirectoryConfig.HostAccountConfig.PortableCcgVersion must be a string, not a number",
        ],
    );
    check(
        &format!("{ACCOUNTS}/-"),
        json!(true),
        &[
            "value-type-wrong credspec.ActiveDirectoryConfig.GroupManagedServiceAccounts[2]: credspec.ActiveDirectoryConfig.GroupManagedServiceAccounts[2] must be an object, not a boolean",
        ],
    );
}

#[test]
fn unknown_keys() {
    check(
        &format!("{DOMAIN}/DnsNames"),
        json!("x"),
        &[
            "unknown-key credspec.DomainJoinConfig.DnsNames: DnsNames is not a key here, did you mean DnsName?",
        ],
    );
    check(
        &format!("{HOST}/PluginGuid"),
        json!("x"),
        &[
            "unknown-key credspec.ActiveDirectoryConfig.HostAccountConfig.PluginGuid: PluginGuid is not a key here, did you mean PluginGUID?",
        ],
    );
    check(
        "/credspec/GroupManagedServiceAccounts",
        json!([]),
        &[
            "unknown-key credspec.GroupManagedServiceAccounts: GroupManagedServiceAccounts is not a key here, it belongs in ActiveDirectoryConfig",
        ],
    );
    check(
        "/DomainJoinConfig",
        json!({}),
        &[
            "unknown-key DomainJoinConfig: DomainJoinConfig is not a key here, it belongs in credspec",
        ],
    );
    check(
        "/spec",
        json!({}),
        &[
            "unknown-key spec: spec is not a key here, known are apiVersion, kind, metadata, credspec",
        ],
    );
    check(
        &format!("{ACCOUNTS}/1/\u{1b}x"),
        json!("x"),
        &[
            r#"unknown-key credspec.ActiveDirectoryConfig.GroupManagedServiceAccounts[1]."\u{1b}x": "\u{1b}x" is not a key here, known are Name, Scope"#,
        ],
    );
}

#[test]
fn plugins_of_the_contents() {
    for value in [None, Some(json!([])), Some(json!(["activedirectory"]))] {
        check(
            "/credspec/CmsPlugins",
            value,
            &[
                "cms-plugins-incomplete credspec.CmsPlugins: CmsPlugins does not contain ActiveDirectory",
            ],
        );
    }
    check("/credspec/CmsPlugins", json!(["Other", "ActiveDirectory"]), &[]);
}

#[test]
fn missing_keys() {
    check(DOMAIN, None, &["key-missing credspec.DomainJoinConfig: DomainJoinConfig is missing"]);
    for key in ["DnsName", "Guid", "MachineAccountName", "NetBiosName", "Sid"] {
        let expected = format!("key-missing credspec.DomainJoinConfig.{key}: {key} is missing");
        check(&format!("{DOMAIN}/{key}"), None, &[&expected]);
        check(&format!("{DOMAIN}/{key}"), json!(null), &[&expected]);
    }
    check(
        &format!("{HOST}/PluginGUID"),
        None,
        &[
            "key-missing credspec.ActiveDirectoryConfig.HostAccountConfig.PluginGUID: PluginGUID is missing",
        ],
    );
    check(
        &format!("{ACCOUNTS}/-"),
        json!({}),
        &[
            "key-missing credspec.ActiveDirectoryConfig.GroupManagedServiceAccounts[2].Name: Name is missing",
            "key-missing credspec.ActiveDirectoryConfig.GroupManagedServiceAccounts[2].Scope: Scope is missing",
        ],
    );
}

/// A text that occurs nowhere else.
const SECRET: &str = "hunter2zq";

proptest! {
    #[test]
    fn anything_is_judged(name in any::<String>(), object in any_value()) {
        for finding in lint(&name, &object) {
            prop_assert!(finding.path.is_some_and(|path| !path.is_empty()));
            prop_assert!(!finding.message.contains(char::is_control));
        }
        let _ = lint_contents(&object);
    }

    #[test]
    fn no_message_quotes_the_host_account(
        mut contents in any_object(),
        values in prop::collection::vec("[a-zA-Z@:={}\"\\\\/;]{0,8}", 3),
        guid in prop::sample::select(vec![0, 1, 2, 3, 4]),
    ) {
        let value = |text: &String| format!("{text}{SECRET}");
        let guid = super::super::plugin::PLUGINS
            .get(guid)
            .map_or_else(|| value(&values[0]), |plugin| format!("{{{}}}", plugin.guid));
        contents["ActiveDirectoryConfig"] = json!({"HostAccountConfig": {
            "PluginGUID": guid,
            "PluginInput": value(&values[1]),
            "PortableCcgVersion": value(&values[2]),
            "PluginInputs": value(&values[1]),
        }});
        for finding in lint_contents(&contents) {
            prop_assert!(!finding.message.contains(SECRET), "{}", finding.message);
            prop_assert!(!finding.path.unwrap_or_default().contains(SECRET));
        }
    }
}
