//! Uninstalling under load, and what is left: nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use gmsa_core::names::NAME;
use gmsa_testkit::process::eventually;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::ResourceExt as _;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams};
use kube::discovery::{Discovery, verbs};
use serde_json::Value;

use super::Cluster;
use crate::support::load::{Load, admit};
use crate::support::world::SOON;

/// What changes by itself all the time, or is not stored but looked up.
const RESTLESS: [&str; 4] = ["Event", "Lease", "Node", "ComponentStatus"];

/// In this time the rest is gone.
const GONE: Duration = Duration::from_mins(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uninstall_leaves_nothing_and_costs_no_creation() {
    let test = "uninstall_leaves_nothing_and_costs_no_creation";
    let Some(cluster) = Cluster::new(test).await else { return };
    cluster.without_installation().await;
    let roles: Api<ClusterRole> = Api::all(cluster.node.client.clone());
    // Of an earlier test, like its namespaces, which take a while to go.
    let _not_there = roles.delete("spec", &DeleteParams::default()).await;
    let namespaces: Api<Namespace> = Api::all(cluster.node.client.clone());
    eventually("only the cluster's own namespaces are left", SOON, || async {
        let mut all = namespaces.list(&ListParams::default()).await.unwrap().items;
        all.retain(|one| one.name_any() != "default" && !one.name_any().starts_with("kube-"));
        for one in &all {
            // One that failed has left its own.
            let _going_already = namespaces.delete(&one.name_any(), &DeleteParams::default()).await;
        }
        all.is_empty().then_some(())
    })
    .await;
    let before = objects(&cluster).await;

    let everything = ["--audit", "--early-warnings", "--viewer-role", "--network-policy"];
    cluster.installed(&everything).await;
    cluster.namespace("leave").await;
    let load = Load::unexpanded(&cluster.node.client, "leave");
    load.nothing_failed("at the start").await;
    cluster.done(&["uninstall", "--yes"]).await;
    load.nothing_failed("while it was uninstalled").await;
    load.end().await;

    // Its namespace is being deleted, and install waits for that.
    let ending = namespaces.get_opt(NAME).await.unwrap();
    let ending = ending.is_some_and(|one| one.metadata.deletion_timestamp.is_some());
    if ending {
        let ran = cluster.run(&["install", "--dry-run=server"]).await;
        // It may be gone by now.
        if ran.code != 0 {
            assert!(ran.stderr.contains("is being deleted"), "{}", ran.stderr);
        }
    }
    let said = cluster.done(&["install", "--audit=false", "--viewer-role=false"]).await;
    assert!(said.contains(&format!("namespace/{NAME} created")), "{said}");
    admit(&cluster.node.client, "leave").await.unwrap();

    cluster.remove_namespace("leave").await;
    roles.delete("spec", &DeleteParams::default()).await.unwrap();
    cluster.without_installation().await;
    let started = Instant::now();
    loop {
        let after = objects(&cluster).await;
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let differ: Vec<_> = names
            .into_iter()
            .map(|name| (name, before.get(name), after.get(name)))
            .filter(|(_, before, after)| before != after)
            .collect();
        if differ.is_empty() {
            break;
        }
        // What follows a namespace or a definition takes a moment to go.
        assert!(started.elapsed() < GONE, "{differ:#?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Every object of the cluster as it is, without what the server counts.
async fn objects(cluster: &Cluster) -> BTreeMap<String, Value> {
    let client = cluster.node.client.clone();
    let mut all = BTreeMap::new();
    let groups = Discovery::new(client.clone()).run().await.unwrap();
    for group in groups.groups() {
        for (resource, capabilities) in group.recommended_resources() {
            if RESTLESS.contains(&&*resource.kind) || !capabilities.supports_operation(verbs::LIST)
            {
                continue;
            }
            let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
            // A kind of a definition that is just going.
            let Ok(list) = api.list(&ListParams::default()).await else { continue };
            for object in list.items {
                let mut object = serde_json::to_value(object).unwrap();
                let metadata = object["metadata"].as_object_mut().unwrap();
                metadata.remove("managedFields");
                metadata.remove("resourceVersion");
                let of = |key: &str| metadata.get(key).and_then(Value::as_str).unwrap_or_default();
                let name = format!("{} {}/{}", resource.plural, of("namespace"), of("name"));
                all.insert(name, object);
            }
        }
    }
    all
}
