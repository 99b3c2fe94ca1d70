use serde_json::{Value, json};

use super::{definition, yaml};

#[test]
fn the_file_is_generated() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/crd.yaml");
    let file = std::fs::read_to_string(path).unwrap();
    assert!(file == yaml().unwrap(), "run `cargo xtask generate`");
}

/// Every path of the schema with its type, and nothing that an old API server does not know.
fn paths(schema: &Value, path: &str, found: &mut Vec<String>) {
    for key in schema.as_object().unwrap().keys() {
        assert!(["type", "description", "properties", "items"].contains(&key.as_str()), "{key}");
    }
    found.push(format!("{path} {}", schema["type"].as_str().unwrap()));
    if let Some(items) = schema.get("items") {
        paths(items, &format!("{path}[]"), found);
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        paths(property, &format!("{path}.{name}"), found);
    }
}

#[test]
fn the_schema_has_exactly_the_known_keys_and_requires_none() {
    let definition = serde_json::to_value(definition()).unwrap();
    for version in [0, 1] {
        let schema = &definition["spec"]["versions"][version]["schema"]["openAPIV3Schema"];
        let mut found = Vec::new();
        paths(schema, "", &mut found);
        let account = ".credspec.ActiveDirectoryConfig.GroupManagedServiceAccounts";
        let host = ".credspec.ActiveDirectoryConfig.HostAccountConfig";
        let domain = ".credspec.DomainJoinConfig";
        let mut expected = vec![
            " object".to_owned(),
            ".credspec object".to_owned(),
            ".credspec.ActiveDirectoryConfig object".to_owned(),
            format!("{account} array"),
            format!("{account}[] object"),
            format!("{account}[].Name string"),
            format!("{account}[].Scope string"),
            format!("{host} object"),
            format!("{host}.PluginGUID string"),
            format!("{host}.PluginInput string"),
            format!("{host}.PortableCcgVersion string"),
            ".credspec.CmsPlugins array".to_owned(),
            ".credspec.CmsPlugins[] string".to_owned(),
            format!("{domain} object"),
        ];
        for key in ["DnsName", "DnsTreeName", "Guid", "MachineAccountName", "NetBiosName", "Sid"] {
            expected.push(format!("{domain}.{key} string"));
        }
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
    }
}

#[test]
fn both_versions_are_served_and_the_new_one_is_stored() {
    let definition = serde_json::to_value(definition()).unwrap();
    let versions: Vec<_> = definition["spec"]["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| json!([version["name"], version["served"], version["storage"]]))
        .collect();
    assert_eq!(versions, [json!(["v1", true, true]), json!(["v1alpha1", true, false])]);
    assert_eq!(definition["spec"]["names"]["shortNames"], json!(["gmsa"]));
    assert!(definition["metadata"]["annotations"]["api-approved.kubernetes.io"].is_string());
}
