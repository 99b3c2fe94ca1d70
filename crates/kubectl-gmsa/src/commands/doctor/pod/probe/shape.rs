//! What the short-lived pod looks like.

use std::hash::{BuildHasher as _, RandomState};

use gmsa_cluster::api::value::text;
use gmsa_core::names::{FIELD_MANAGER, PROBE_LABEL};
use gmsa_core::pod::{PlaceKind, Pod, identities};
use serde_json::{Map, Value, json};

use crate::cli::Doctor;

/// The pod ends by itself after this many seconds.
pub const DEADLINE: u32 = 1800;

/// Of the pod's spec, what decides where and as whom it runs.
const KEPT: [&str; 8] = [
    "serviceAccountName",
    "nodeSelector",
    "tolerations",
    "imagePullSecrets",
    "runtimeClassName",
    "os",
    "affinity",
    "dnsPolicy",
];

/// A pod with a container for each identity of the given one; none if it has none.
pub fn pod(like: &Value, view: &Pod<'_>, namespace: &str, args: &Doctor) -> Option<Value> {
    let mut containers: Vec<Value> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    let usable = identities(view)
        .filter(|one| !one.host_process && one.container.kind != PlaceKind::EphemeralContainer);
    for identity in usable {
        if seen.contains(&identity.credential_spec) {
            continue;
        }
        seen.push(identity.credential_spec);
        let list = identity.container.kind.list().unwrap_or_default();
        let own = like.pointer(&format!("/spec/{list}/{}", identity.container.index));
        let own = own.unwrap_or(&Value::Null);
        let user = |object: &Value| {
            object.pointer("/securityContext/windowsOptions/runAsUserName").cloned()
        };
        let mut options = json!({"gmsaCredentialSpecName": identity.credential_spec});
        let spec = like.get("spec").unwrap_or(&Value::Null);
        if let Some(user) = user(own).or_else(|| user(spec)) {
            add(&mut options, "runAsUserName", user);
        }
        let image = args.probe_image.clone().unwrap_or_else(|| text(own, "/image").to_owned());
        let mut container = json!({
            "name": identity.container.name,
            "image": image,
            "command": ["cmd", "/c", "ping -n 86400 127.0.0.1 >nul"],
            "securityContext": {"windowsOptions": options},
        });
        // An image on the node need not be pulled again, but the user's own choice of image is not one of its secrets.
        if let Some(policy) = own.get("imagePullPolicy").filter(|_| args.probe_image.is_none()) {
            add(&mut container, "imagePullPolicy", policy.clone());
        }
        containers.push(container);
    }
    if containers.is_empty() {
        return None;
    }
    let mut spec = Map::new();
    for key in KEPT {
        if let Some(value) = like.pointer(&format!("/spec/{key}")) {
            spec.insert(key.to_owned(), value.clone());
        }
    }
    // Where the pod runs, and past the scheduler: there may be no room.
    if let Some(node) = like.pointer("/spec/nodeName") {
        spec.insert("nodeName".to_owned(), node.clone());
    }
    for (key, value) in [
        ("automountServiceAccountToken", json!(false)),
        ("restartPolicy", json!("Never")),
        ("activeDeadlineSeconds", json!(DEADLINE)),
        ("terminationGracePeriodSeconds", json!(1)),
        ("enableServiceLinks", json!(false)),
        ("containers", json!(containers)),
    ] {
        spec.insert(key.to_owned(), value);
    }
    Some(json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name(),
            "namespace": namespace,
            "labels": {"app.kubernetes.io/managed-by": FIELD_MANAGER, PROBE_LABEL: "true"},
        },
        "spec": spec,
    }))
}

/// At most 15 characters, so that Windows does not cut the hostname.
fn name() -> String {
    // The hasher's keys are random in each process.
    let random = RandomState::new().hash_one(std::process::id());
    format!("probe-{:08x}", random & 0xffff_ffff)
}

fn add(object: &mut Value, key: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    fn args(more: &[&str]) -> Cli {
        let start = ["kubectl-gmsa", "doctor", "web", "--probe-pod"];
        Cli::try_parse_from(start.into_iter().chain(more.iter().copied())).unwrap()
    }

    fn made(like: &Value, more: &[&str]) -> Option<Value> {
        let cli = args(more);
        let Command::Doctor(args) = &cli.command else { return None };
        let text = like.to_string();
        pod(like, &serde_json::from_str(&text).unwrap(), "shop", args)
    }

    #[test]
    fn it_has_the_identity_the_node_and_the_image_and_nothing_that_is_secret() {
        let like = json!({"metadata": {"name": "web", "labels": {"app": "web"}}, "spec": {
            "nodeName": "win1", "serviceAccountName": "web", "volumes": [{"name": "v"}],
            "securityContext": {"windowsOptions": {"gmsaCredentialSpecName": "web",
                "gmsaCredentialSpec": "{}", "runAsUserName": "ContainerUser"}},
            "containers": [
                {"name": "iis", "image": "iis:1", "env": [{"name": "P", "value": "hidden"}]},
                {"name": "side", "image": "side:1"},
                {"name": "sql", "image": "sql:1", "securityContext": {"windowsOptions":
                    {"gmsaCredentialSpecName": "sql"}}}]}});
        let made_pod = made(&like, &[]).unwrap();
        let text = made_pod.to_string();
        assert!(!text.contains("hidden") && !text.contains("volumes"), "{text}");
        assert!(!text.contains("\"gmsaCredentialSpec\"") && !text.contains("\"app\""), "{text}");
        let spec = &made_pod["spec"];
        assert_eq!(spec["nodeName"], "win1");
        assert_eq!(spec["serviceAccountName"], "web");
        assert_eq!(spec["activeDeadlineSeconds"], DEADLINE);
        let names: Vec<&str> = spec["containers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["iis", "sql"], "one of each identity");
        let options = &spec["containers"][0]["securityContext"]["windowsOptions"];
        assert_eq!(options["runAsUserName"], "ContainerUser");
        assert!(made_pod["metadata"]["name"].as_str().unwrap().len() <= 15);
        let other = made(&like, &["--probe-image=core:1"]).unwrap();
        assert_eq!(other["spec"]["containers"][0]["image"], "core:1");
        assert_eq!(made(&json!({"spec": {"containers": [{"name": "a"}]}}), &[]), None);
    }
}
