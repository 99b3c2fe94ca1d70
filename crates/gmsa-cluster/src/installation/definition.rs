//! The custom resource `GMSACredentialSpec` and its definition.

use gmsa_core::credspec::CredentialSpec;
use gmsa_core::names::{GROUP, KIND, PLURAL};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceColumnDefinition, CustomResourceConversion, CustomResourceDefinition,
    CustomResourceDefinitionNames, CustomResourceDefinitionSpec, CustomResourceDefinitionVersion,
    CustomResourceValidation, JSONSchemaProps,
};
use kube::api::ObjectMeta;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// The definition of the custom resource, for API servers from 1.20 on.
///
/// The contents are in the root field `credspec`. Both versions have the same schema, in which
/// nothing is required: the linter reports problems, the schema rejects nothing.
#[must_use]
pub fn definition() -> CustomResourceDefinition {
    let approval =
        "https://github.com/kubernetes/enhancements/tree/master/keps/sig-windows/689-windows-gmsa";
    CustomResourceDefinition {
        metadata: ObjectMeta {
            name: Some(format!("{PLURAL}.{GROUP}")),
            // The API server demands one for groups under k8s.io.
            annotations: Some(
                [("api-approved.kubernetes.io".to_owned(), approval.to_owned())].into(),
            ),
            ..ObjectMeta::default()
        },
        spec: CustomResourceDefinitionSpec {
            group: GROUP.to_owned(),
            scope: "Cluster".to_owned(),
            names: CustomResourceDefinitionNames {
                kind: KIND.to_owned(),
                list_kind: Some(format!("{KIND}List")),
                plural: PLURAL.to_owned(),
                singular: Some("gmsacredentialspec".to_owned()),
                short_names: Some(vec!["gmsa".to_owned()]),
                categories: None,
            },
            conversion: Some(CustomResourceConversion {
                strategy: "None".to_owned(),
                webhook: None,
            }),
            versions: vec![version("v1", true), version("v1alpha1", false)],
            ..CustomResourceDefinitionSpec::default()
        },
        status: None,
    }
}

fn version(name: &str, stored: bool) -> CustomResourceDefinitionVersion {
    CustomResourceDefinitionVersion {
        name: name.to_owned(),
        served: true,
        storage: stored,
        deprecated: (!stored).then_some(true),
        deprecation_warning: (!stored)
            .then(|| format!("{GROUP}/{name} {KIND} is deprecated; use {GROUP}/v1")),
        schema: Some(CustomResourceValidation { open_api_v3_schema: Some(schema()) }),
        additional_printer_columns: Some(columns()),
        ..CustomResourceDefinitionVersion::default()
    }
}

fn columns() -> Vec<CustomResourceColumnDefinition> {
    let column = |name: &str, type_: &str, path: &str, priority| CustomResourceColumnDefinition {
        name: name.to_owned(),
        type_: type_.to_owned(),
        json_path: path.to_owned(),
        priority,
        ..CustomResourceColumnDefinition::default()
    };
    let (domain, plugin) = (".credspec.DomainJoinConfig", ".credspec.ActiveDirectoryConfig");
    vec![
        column("Account", "string", &format!("{domain}.MachineAccountName"), None),
        column("Domain", "string", &format!("{domain}.DnsName"), None),
        column("Plugin", "string", &format!("{plugin}.HostAccountConfig.PluginGUID"), Some(1)),
        column("Age", "date", ".metadata.creationTimestamp", None),
    ]
}

/// The keys of a credential spec that an API server with this definition drops from objects of
/// version `v1`, as `credspec.ActiveDirectoryConfig.HostAccountConfig`: those that its schema does
/// not have. Of what is dropped as a whole only the outermost key is named.
#[must_use]
pub fn dropped_keys(found: &CustomResourceDefinition) -> Vec<String> {
    let mut dropped = Vec::new();
    if found.spec.preserve_unknown_fields == Some(true) {
        return dropped;
    }
    let served = found.spec.versions.iter().find(|version| version.name == "v1");
    let theirs = served.and_then(|version| {
        let schema = version.schema.as_ref()?.open_api_v3_schema.as_ref();
        serde_json::to_value(schema).ok()
    });
    let theirs = theirs.unwrap_or_default();
    let ours = serde_json::to_value(schema()).unwrap_or_default();
    compare("", &ours, &theirs, &mut dropped);
    dropped
}

fn compare(path: &str, ours: &Value, theirs: &Value, dropped: &mut Vec<String>) {
    if theirs.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true)) {
        return;
    }
    if let (Some(ours), Some(theirs)) = (ours.get("items"), theirs.get("items")) {
        return compare(path, ours, theirs, dropped);
    }
    for (key, ours) in ours.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match theirs.get("properties").and_then(|properties| properties.get(key)) {
            Some(theirs) => compare(&below, ours, theirs, dropped),
            None => dropped.push(below),
        }
    }
}

/// The structural schema of the whole resource, from the types of the credential spec.
fn schema() -> JSONSchemaProps {
    let mut credspec = credspec();
    if let Value::Object(schema) = &mut credspec {
        schema.insert("description".to_owned(), json!("The contents of the credential spec."));
    }
    let root = json!({
        "description": "A credential spec: which group managed service account of Active \
                        Directory Windows containers run as. Pods name it in \
                        securityContext.windowsOptions.gmsaCredentialSpecName.",
        "type": "object",
        "properties": {"credspec": credspec},
    });
    serde_json::from_value(root).unwrap_or_default()
}

fn credspec() -> Value {
    let generator = SchemaSettings::draft2019_09()
        .with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        })
        .into_generator();
    let mut schema = generator.into_root_schema_for::<CredentialSpec>().to_value();
    to_structural(&mut schema);
    schema
}

/// Keeps what a structural schema of Kubernetes may have: an optional key is one that is absent,
/// not one that is null.
fn to_structural(schema: &mut Value) {
    let Value::Object(keys) = schema else { return };
    keys.retain(|key, _| matches!(key.as_str(), "type" | "description" | "properties" | "items"));
    if let Some(Value::Array(types)) = keys.get("type") {
        let only = types.iter().find(|kind| *kind != "null").cloned();
        keys.insert("type".to_owned(), only.unwrap_or(Value::Null));
    }
    if let Some(items) = keys.get_mut("items") {
        to_structural(items);
    }
    let mut nothing = Map::new();
    let properties = keys.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.unwrap_or(&mut nothing).values_mut() {
        to_structural(property);
    }
}

/// The definition as YAML: deploy/crd.yaml.
pub fn yaml() -> Result<String, serde_saphyr::ser::Error> {
    let yaml = serde_saphyr::to_string(&definition())?;
    Ok(format!("# Generated by `cargo xtask generate`.\n{yaml}"))
}

#[cfg(test)]
mod tests;
