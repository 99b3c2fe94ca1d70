//! A temporary installation: it answers while our names still belong to another one.
//!
//! It has its own namespace with the usual names in it, and another name for cluster-scoped
//! objects, so it can run alongside both the old one and the new one.

use std::collections::BTreeMap;

use gmsa_core::names::{PROBE_LABEL, TAKEOVER};
use serde_json::{Value, json};

use super::{Engine, Objects, Options, Tls, Version, merge, objects};

/// The objects of a temporary installation, of the webhook, that decides like one with these options. Its
/// namespace also carries these labels.
///
/// Its webhooks ask nothing about pods in a namespace with the label [`PROBE_LABEL`]: there the
/// webhooks of the installation that follows are tried.
#[must_use]
pub fn beside(
    options: &Options,
    version: Version,
    namespace_labels: &BTreeMap<String, String>,
) -> Objects {
    let options = Options {
        namespace: TAKEOVER.to_owned(),
        // What answers meanwhile needs no index, whichever engine follows.
        engine: Engine::Webhook,
        // The policies look at the pod alone, whichever webhook saw it; they follow with the installation.
        guard: false,
        protect: false,
        early_warnings: false,
        audit: false,
        viewer_role: false,
        network_policy: false,
        service_monitor: false,
        prometheus_rule: false,
        dashboard: false,
        tls: Tls { follow_cluster_profile: false, ..options.tls.clone() },
        // On the nodes' network both listen at the same addresses, so the ports must differ.
        port: if options.host_network { options.port.saturating_add(1) } else { options.port },
        ..options.clone()
    };
    let mut made = objects(&options, version);
    made.base.retain(|object| {
        let namespace = object.get("kind") == Some(&json!("Namespace"));
        let of_others = object.pointer("/metadata/name") != Some(&json!(TAKEOVER));
        object.get("kind") != Some(&json!("CustomResourceDefinition")) && !(namespace && of_others)
    });
    for object in made.base.iter_mut().chain(&mut made.webhooks) {
        rename(object, &options);
        if object.get("kind") == Some(&json!("Namespace"))
            && let Some(labels) = object.pointer_mut("/metadata/labels")
        {
            merge(labels, json!(namespace_labels));
            merge(labels, json!({PROBE_LABEL: "true"}));
        }
    }
    for webhook in made.webhooks.iter_mut().filter_map(|object| object.pointer_mut("/webhooks/0")) {
        let not_probes = json!({"key": PROBE_LABEL, "operator": "DoesNotExist"});
        match webhook.pointer_mut("/namespaceSelector/matchExpressions") {
            Some(Value::Array(requirements)) => requirements.push(not_probes),
            _ => merge(webhook, json!({"namespaceSelector": {"matchExpressions": [not_probes]}})),
        }
    }
    made
}

/// Gives cluster-scoped objects the other name, in references too.
fn rename(object: &mut Value, options: &Options) {
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    let set = |object: &mut Value, pointer: &str| {
        if let Some(name) = object.pointer_mut(pointer) {
            *name = json!(TAKEOVER);
        }
    };
    match kind.as_str() {
        "ClusterRole" => {
            set(object, "/metadata/name");
            let rules = object.get_mut("rules").and_then(Value::as_array_mut);
            for rule in rules.into_iter().flatten() {
                set(rule, "/resourceNames/0");
            }
        }
        "ClusterRoleBinding" => {
            set(object, "/metadata/name");
            set(object, "/roleRef/name");
        }
        "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => {
            set(object, "/metadata/name");
        }
        "Deployment" => {
            let mut more = vec![json!(format!("--webhook-configuration={TAKEOVER}"))];
            if options.host_network {
                more.push(json!("--metrics-port=9444"));
            }
            let at = "/spec/template/spec/containers/0";
            if let Some(container) = object.pointer_mut(at) {
                if let Some(Value::Array(args)) = container.get_mut("args") {
                    args.extend(more);
                }
                if options.host_network
                    && let Some(port) = container.pointer_mut("/ports/1/containerPort")
                {
                    *port = json!(9444);
                }
            }
            // Its options are not those of an installation.
            if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.remove("annotations");
            }
        }
        _ => {}
    }
}
