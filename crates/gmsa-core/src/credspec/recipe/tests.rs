use serde_json::json;

use super::*;
use crate::credspec::lint_contents;

fn domain() -> DomainFacts {
    DomainFacts {
        sid: "S-1-5-21-1-2-3".to_owned(),
        guid: "244818ae-87ac-4fcd-92ec-e79e5252348a".to_owned(),
        dns_name: "eu.contoso.com".to_owned(),
        forest: "contoso.com".to_owned(),
        netbios_name: "EU".to_owned(),
    }
}

#[test]
fn what_is_made_has_no_findings() {
    let input = "ObjectId=4d2;SecretUri=https://v.vault.azure.net/secrets/s";
    let additional = ["Second".to_owned()];
    let recipe = Recipe {
        account: "WebApp1$",
        additional_accounts: &additional,
        domain: &domain(),
        plugin: Some(("ccc2a336-d7f3-4818-a213-272b7924213e", input)),
    };
    let made = serde_json::to_value(recipe.make()).unwrap();
    assert_eq!(lint_contents(&made), []);
    assert_eq!(
        made,
        json!({
            "ActiveDirectoryConfig": {
                "GroupManagedServiceAccounts": [
                    { "Name": "WebApp1", "Scope": "EU" },
                    { "Name": "WebApp1", "Scope": "eu.contoso.com" },
                    { "Name": "Second", "Scope": "EU" },
                    { "Name": "Second", "Scope": "eu.contoso.com" },
                ],
                "HostAccountConfig": {
                    "PluginGUID": "{CCC2A336-D7F3-4818-A213-272B7924213E}",
                    "PluginInput": input,
                    "PortableCcgVersion": "1",
                },
            },
            "CmsPlugins": ["ActiveDirectory"],
            "DomainJoinConfig": {
                "DnsName": "eu.contoso.com",
                "DnsTreeName": "contoso.com",
                "Guid": "244818ae-87ac-4fcd-92ec-e79e5252348a",
                "MachineAccountName": "WebApp1",
                "NetBiosName": "EU",
                "Sid": "S-1-5-21-1-2-3",
            },
        })
    );
    assert_eq!(domain_differences(&made, &domain()), []);
}

#[test]
fn what_differs_from_the_domain() {
    let contents = json!({ "DomainJoinConfig": {
        "Sid": "S-1-5-21-1-2-4", "Guid": "244818AE-87AC-4FCD-92EC-E79E5252348A", "DnsName": 1,
        "DnsTreeName": "Contoso.com", "NetBiosName": "CONTOSO",
    }});
    let found = domain_differences(&contents, &domain());
    let paths: Vec<_> = found.iter().filter_map(|finding| finding.path.as_deref()).collect();
    assert_eq!(paths, ["credspec.DomainJoinConfig.Sid", "credspec.DomainJoinConfig.NetBiosName"]);
    assert_eq!(
        found[0].message,
        "Sid is \"S-1-5-21-1-2-4\", but in the directory it is S-1-5-21-1-2-3"
    );
    assert_eq!(domain_differences(&json!(null), &domain()), []);
}
