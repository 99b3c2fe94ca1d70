use serde_json::json;

use super::{ACCOUNTS, DOMAIN, check, with};
use crate::credspec::lint;
use crate::finding::Code;

#[test]
fn sids_and_guids() {
    check(
        &format!("{DOMAIN}/Sid"),
        json!("S-1-5-21-1-2-3-1104"),
        &[
            r#"sid-not-domain credspec.DomainJoinConfig.Sid: Sid "S-1-5-21-1-2-3-1104" is an account's, its domain's is S-1-5-21-1-2-3"#,
        ],
    );
    check(
        &format!("{DOMAIN}/Sid"),
        json!("S-1-5-32-544"),
        &[
            r#"sid-not-domain credspec.DomainJoinConfig.Sid: Sid "S-1-5-32-544" is not the SID of a domain (S-1-5-21-a-b-c)"#,
        ],
    );
    check(
        &format!("{DOMAIN}/Guid"),
        json!("{244818ae-87ac-4fcd-92ec-e79e5252348a}"),
        &[
            r#"guid-invalid credspec.DomainJoinConfig.Guid: Guid "{244818ae-87ac-4fcd-92ec-e79e5252348a}" is not a GUID without braces"#,
        ],
    );
}

#[test]
fn names_of_the_account() {
    for (name, trouble) in [
        ("WebApp1$", r#""WebApp1$" is not the bare name, write "WebApp1""#),
        (r"CONTOSO\WebApp1$", r#""CONTOSO\WebApp1$" names a domain, write "WebApp1""#),
        ("WebApp1@contoso.com", r#""WebApp1@contoso.com" names a domain, write "WebApp1""#),
    ] {
        let expected = format!(
            "machine-account-name-invalid credspec.DomainJoinConfig.MachineAccountName: MachineAccountName {trouble}"
        );
        check(&format!("{DOMAIN}/MachineAccountName"), json!(name), &[&expected]);
    }
    for (name, trouble) in [
        ("WebApplication16", r#""WebApplication16" has 16 characters, at most 15 are allowed"#),
        ("Web*App", r#""Web*App" has a character that no account has"#),
    ] {
        let expected = [
            format!(
                "machine-account-name-invalid credspec.DomainJoinConfig.MachineAccountName: MachineAccountName {trouble}"
            ),
            format!(
                "account-not-listed credspec.ActiveDirectoryConfig.GroupManagedServiceAccounts: the MachineAccountName \"{name}\" is not in GroupManagedServiceAccounts"
            ),
        ];
        let expected = expected.each_ref().map(String::as_str);
        check(&format!("{DOMAIN}/MachineAccountName"), json!(name), &expected);
    }
    check(
        &format!("{DOMAIN}/MachineAccountName"),
        json!("$"),
        &[
            "machine-account-name-invalid credspec.DomainJoinConfig.MachineAccountName: MachineAccountName has no name",
        ],
    );
    check(&format!("{DOMAIN}/MachineAccountName"), json!("WEBAPP1"), &[]);
    check(
        &format!("{ACCOUNTS}/0/Name"),
        json!("WebApp1$"),
        &[
            r#"account-name-invalid credspec.ActiveDirectoryConfig.GroupManagedServiceAccounts[0].Name: the account's Name "WebApp1$" is not the bare name, write "WebApp1""#,
        ],
    );
}

#[test]
fn names_of_the_domain() {
    check(
        &format!("{DOMAIN}/NetBiosName"),
        json!("CORP.CONTOSO"),
        &[
            r#"netbios-name-invalid credspec.DomainJoinConfig.NetBiosName: NetBiosName "CORP.CONTOSO" has a dot, it seems to be the DNS name"#,
            r#"scope-missing credspec.ActiveDirectoryConfig.GroupManagedServiceAccounts: no entry has the domain's NetBIOS name "CORP.CONTOSO" as Scope"#,
        ],
    );
    check(
        &format!("{DOMAIN}/DnsTreeName"),
        json!("contoso"),
        &[
            r#"dns-name-invalid credspec.DomainJoinConfig.DnsTreeName: DnsTreeName "contoso" is the NetBIOS name, write the full DNS name"#,
        ],
    );
    check(
        &format!("{DOMAIN}/DnsTreeName"),
        json!("forest"),
        &[
            r#"dns-name-invalid credspec.DomainJoinConfig.DnsTreeName: DnsTreeName "forest" has no dot, write the full DNS name"#,
        ],
    );
    check(
        &format!("{DOMAIN}/DnsTreeName"),
        json!("contoso..com"),
        &[
            r#"dns-name-invalid credspec.DomainJoinConfig.DnsTreeName: DnsTreeName "contoso..com" is not a DNS name"#,
        ],
    );
    check(
        &format!("{DOMAIN}/DnsName"),
        json!("CONTOSO"),
        &[
            r#"dns-name-invalid credspec.DomainJoinConfig.DnsName: DnsName "CONTOSO" is the NetBIOS name, write the full DNS name"#,
        ],
    );
    for (name, code) in
        [("", "is empty"), ("ABCDEFGHIJKLMNOP", "16 characters"), ("A B", "character")]
    {
        let found = lint("a", &with(&format!("{DOMAIN}/NetBiosName"), Some(json!(name))));
        assert_eq!(found[0].code, Code::NetbiosNameInvalid);
        assert!(found[0].message.contains(code), "{}", found[0].message);
    }
}

#[test]
fn swapped_names_of_domain_and_forest() {
    let swapped = |tree: &str, found: bool| {
        let object = with(&format!("{DOMAIN}/DnsTreeName"), Some(json!(tree)));
        let findings = lint("gmsa-webapp1", &object);
        let codes: Vec<Code> = findings.iter().map(|finding| finding.code).collect();
        let expected: &[Code] = if found { &[Code::DnsNamesSwapped] } else { &[] };
        assert_eq!(codes, expected, "{tree}: {findings:?}");
    };
    swapped("emea.contoso.com", true);
    swapped("EMEA.Contoso.com", true);
    swapped("contoso.com", false);
    swapped("fabrikam.com", false);
    swapped("xcontoso.com", false);
}
