use serde_json::json;

use super::*;

#[test]
fn all_keys_have_the_names_of_the_custom_resource() {
    let object = json!({
        "ActiveDirectoryConfig": {
            "GroupManagedServiceAccounts": [{"Name": "WebApp1", "Scope": "CONTOSO"}],
            "HostAccountConfig": {
                "PluginGUID": "{CCC2A336-D7F3-4818-A213-272B7924213E}",
                "PluginInput": "ObjectId=1;SecretUri=https://vault/secrets/a",
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
    });
    let spec: CredentialSpec = serde_json::from_value(object.clone()).unwrap();
    assert_eq!(serde_json::to_value(&spec).unwrap(), object);
}

#[test]
fn absent_keys_stay_absent() {
    let spec: CredentialSpec = serde_json::from_value(json!({"DomainJoinConfig": {}})).unwrap();
    assert_eq!(serde_json::to_string(&spec).unwrap(), r#"{"DomainJoinConfig":{}}"#);
}

#[test]
fn debug_output_hides_the_input_of_the_plugin() {
    let config = HostAccountConfig {
        plugin_input: Some("user@contoso.com:hunter2".to_owned()),
        ..HostAccountConfig::default()
    };
    let text = format!("{config:?}");
    assert!(!text.contains("hunter2"), "{text}");
    assert!(text.contains("plugin_input: Some"), "{text}");
}
