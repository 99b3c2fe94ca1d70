use serde_json::json;

use super::{ACCOUNTS, check};

#[test]
fn accounts_and_scopes() {
    let list = "credspec.ActiveDirectoryConfig.GroupManagedServiceAccounts";
    for value in [None, Some(json!([]))] {
        let expected =
            format!("account-not-listed {list}: GroupManagedServiceAccounts lists no account");
        check(ACCOUNTS, value, &[&expected]);
    }
    check(
        &format!("{ACCOUNTS}/0"),
        None,
        &[&format!(
            r#"scope-missing {list}: no entry has the domain's NetBIOS name "CONTOSO" as Scope"#
        )],
    );
    check(
        &format!("{ACCOUNTS}/1"),
        None,
        &[&format!(
            r#"scope-missing {list}: no entry has the domain's DNS name "contoso.com" as Scope"#
        )],
    );
    check(
        &format!("{ACCOUNTS}/-"),
        json!({"Name": "Sql", "Scope": "contoso.com"}),
        &[&format!(
            r#"account-scope-incomplete {list}[2]: the account "Sql" has no entry with the Scope "CONTOSO""#
        )],
    );
    check(
        &format!("{ACCOUNTS}/-"),
        json!({"Name": "Sql", "Scope": "fabrikam.com"}),
        &[&format!(
            r#"account-scope-incomplete {list}[2]: the account "Sql" has the Scope "fabrikam.com" but none with the NetBIOS name"#
        )],
    );
    check(
        &format!("{ACCOUNTS}/-"),
        json!({"Name": "Sql", "Scope": "FABRIKAM"}),
        &[&format!(
            r#"account-scope-incomplete {list}[2]: the account "Sql" has the Scope "FABRIKAM" but none with the DNS name"#
        )],
    );
    // Active Directory compares names without regard to case.
    check(&format!("{ACCOUNTS}/0"), json!({"Name": "webapp1", "Scope": "contoso"}), &[]);
    check(
        ACCOUNTS,
        json!([{"Name": "Sql", "Scope": "CONTOSO"}, {"Name": "Sql", "Scope": "contoso.com"}]),
        &[&format!(
            r#"account-not-listed {list}: the MachineAccountName "WebApp1" is not in GroupManagedServiceAccounts"#
        )],
    );
}
