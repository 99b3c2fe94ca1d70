//! The chart in a real cluster, and the ways between it and install.

use gmsa_core::names::{DISABLED, NAME, NAMESPACE_LABEL, SECRET};
use gmsa_testkit::tools;
use k8s_openapi::api::core::v1::Secret;
use kube::api::Api;
use serde_json::json;

use super::Cluster;
use crate::support::helm::{CHART, run};
use crate::support::load::{Load, admit};

async fn helm(cluster: &Cluster, program: &std::path::Path, args: &[&str]) -> String {
    let mut all: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    all.extend(["-n".to_owned(), NAME.to_owned()]);
    all.push(format!("--kubeconfig={}", cluster.node.kubeconfig.display()));
    let (program, shown) = (program.to_owned(), format!("{args:?}"));
    let done = tokio::task::spawn_blocking(move || {
        run(&program, &all.iter().map(String::as_str).collect::<Vec<_>>())
    });
    done.await.unwrap().unwrap_or_else(|why| panic!("{shown}: {why}"))
}

/// Removes the release and its replicas, whose account is deleted with it: until they end, they answer on
/// connections that the API server keeps, and their token is rejected.
async fn remove_release(cluster: &Cluster, program: &std::path::Path) {
    helm(cluster, program, &["uninstall", "gmsa", "--wait"]).await;
    cluster.end_replicas().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_is_tested_upgraded_and_taken_over_and_back() {
    let test = "a_release_is_tested_upgraded_and_taken_over_and_back";
    let Some(program) = tools::find(test, "helm") else { return };
    let Some(cluster) = Cluster::new(test).await else { return };
    cluster.without_installation().await;
    let labels: &[&str] = if cluster.node.at_least(1, 21) {
        &[]
    } else {
        &["--set", "legacyNamespacesLabelled=true"]
    };

    // As the page of the chart asks for it: otherwise the webhook is asked about its own first pods, unless
    // those are created before its configuration is in force.
    if !labels.is_empty() {
        let labels = json!({NAMESPACE_LABEL: DISABLED});
        cluster
            .apply(&json!({"apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": NAME, "labels": labels}}))
            .await;
    }

    // From nothing by helm.
    let install =
        [&["install", "gmsa", CHART, "--create-namespace", "--wait"][..], labels].concat();
    helm(&cluster, &program, &install).await;
    let tested = helm(&cluster, &program, &["test", "gmsa"]).await;
    assert!(tested.contains("Phase:          Succeeded"), "{tested}");
    cluster.namespace("release").await;
    let load = Load::start(&cluster.node.client, "release");
    let upgrade = [
        &["upgrade", "gmsa", CHART, "--wait", "--set", "audit.enabled=true"][..],
        &["--set", "earlyWarnings=true"],
        labels,
    ]
    .concat();
    helm(&cluster, &program, &upgrade).await;
    load.nothing_failed("in an upgrade").await;
    helm(&cluster, &program, &["rollback", "gmsa", "1", "--wait"]).await;
    load.nothing_failed("in a rollback").await;
    let status = cluster.run(&["status"]).await;
    assert!(!status.stdout.contains("webhook-drift  warning"), "{}", status.stdout);
    load.end().await;

    // What it leaves holds the CA's key.
    remove_release(&cluster, &program).await;
    let secrets: Api<Secret> = Api::namespaced(cluster.node.client.clone(), NAME);
    assert!(secrets.get_opt(SECRET).await.unwrap().is_some());

    // From install to helm, and back.
    cluster.installed(&[]).await;
    let load = Load::start(&cluster.node.client, "release");
    let takeover =
        [&install[..], &["--take-ownership", "--force-conflicts", "--server-side=true"]].concat();
    helm(&cluster, &program, &takeover).await;
    load.nothing_failed("while helm took over").await;
    let tested = helm(&cluster, &program, &["test", "gmsa"]).await;
    assert!(tested.contains("Phase:          Succeeded"), "{tested}");
    load.end().await;
    remove_release(&cluster, &program).await;
    cluster.installed(&[]).await;
    admit(&cluster.node.client, "release").await.unwrap();
    cluster.remove_namespace("release").await;
}
