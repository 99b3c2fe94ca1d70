use serde_json::json;

use super::{DOMAIN, HOST, check, lines, with};
use crate::credspec::lint;
use crate::finding::Code;

#[test]
fn the_host_account() {
    let host = "credspec.ActiveDirectoryConfig.HostAccountConfig";
    for pointer in ["/credspec", DOMAIN, ""] {
        let found = lint("a", &with(&format!("{pointer}/HostAccountConfig"), Some(json!({}))));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].code, Code::HostAccountConfigMisplaced);
    }
    for (guid, trouble) in [
        ("CCC2A336-D7F3-4818-A213-272B7924213E", "has no braces around the GUID"),
        ("{CCC2A336}", "is not a GUID in braces"),
        ("", "is not a GUID in braces"),
    ] {
        let expected = format!("plugin-guid-invalid {host}.PluginGUID: PluginGUID {trouble}");
        check(&format!("{HOST}/PluginGUID"), json!(guid), &[&expected]);
    }
    check(
        &format!("{HOST}/PortableCcgVersion"),
        json!("2"),
        &[&format!(
            r#"portable-ccg-version-invalid {host}.PortableCcgVersion: PortableCcgVersion is not "1""#
        )],
    );
    check(
        &format!("{HOST}/PortableCcgVersion"),
        None,
        &[&format!(
            r#"portable-ccg-version-invalid {host}.PortableCcgVersion: PortableCcgVersion is missing, it must be "1""#
        )],
    );
}

#[test]
fn the_input_of_the_plugin() {
    let input = "credspec.ActiveDirectoryConfig.HostAccountConfig.PluginInput";
    let format = "ObjectId=<managed identity>;SecretUri=https://<vault>/secrets/<name>";
    check(
        &format!("{HOST}/PluginInput"),
        None,
        &[&format!(
            "plugin-input-invalid {input}: PluginInput is missing or empty: the AKS Key Vault plug-in wants {format}"
        )],
    );
    check(
        &format!("{HOST}/PluginInput"),
        json!("a:b"),
        &[&format!(
            "plugin-input-invalid {input}: PluginInput does not fit: the AKS Key Vault plug-in wants {format}"
        )],
    );
    let password = format!(
        "plugin-input-plaintext-password {input}: PluginInput seems to contain a password in plain text"
    );
    check(&format!("{HOST}/PluginInput"), json!("a@contoso.com:b"), &[&password]);

    let judge = |guid: &str, value: &str| {
        let host = json!({"PluginGUID": guid, "PluginInput": value, "PortableCcgVersion": "1"});
        lines(&lint("a", &with(HOST, Some(host))))
    };
    let unknown = "{00000000-0000-0000-0000-000000000001}";
    assert_eq!(judge(unknown, "anything goes"), [""; 0]);
    assert_eq!(judge(unknown, "password=b"), [password.as_str()]);
    let plaintext = "{DEFFF03C-3245-465F-8391-CC586A2D1F32}";
    assert_eq!(judge(plaintext, "a@contoso.com:b"), [password.as_str()]);
    let rancher = "{e4781092-f116-4b79-b55e-28eb6a224e26}";
    assert_eq!(judge(rancher, "ns:password"), [""; 0]);
}
