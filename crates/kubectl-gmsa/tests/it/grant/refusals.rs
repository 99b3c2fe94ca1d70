//! What `kubectl gmsa grant` and `revoke` refuse, and how they say so.

use std::path::Path;
use std::time::Duration;

use gmsa_testkit::process::{eventually, free_port};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DeleteParams};
use serde_json::json;

use super::{Seen, ready, run};

#[test]
fn a_dry_run_without_a_value_is_the_clients_and_consumes_no_argument() {
    let run = |args: &[&str]| run(Path::new("/nonexistent"), args);
    let (code, printed, why) =
        run(&["grant", "--dry-run", "web", "--to", "shop/web", "-o", "name"]);
    assert_eq!(code, 0, "{why}");
    assert!(printed.contains("web"), "{printed}");
    let named = run(&["grant", "web", "--to", "shop/web", "-o", "name", "--dry-run=client"]);
    assert_eq!(named.1, printed);
    // As in kubectl, a word without an equals sign is not the option's value, but here a credential spec.
    let (code, both, why) =
        run(&["grant", "web", "--dry-run", "server", "--to", "shop/web", "-o", "name"]);
    assert_eq!(code, 0, "{why}");
    assert!(both.contains("server") && both.contains("web"), "{both}");

    let (code, manifests, why) = run(&["install", "--dry-run", "-o", "yaml"]);
    assert_eq!(code, 0, "{why}");
    assert!(manifests.contains("kind: Deployment"), "{manifests}");
    let (code, _, why) = run(&["uninstall", "--dry-run"]);
    assert_eq!(code, 2);
    assert!(why.contains("--dry-run=client cannot show what is removed"), "{why}");
    let (code, _, why) = run(&["uninstall", "--dry-run", "server"]);
    assert_eq!(code, 2);
    assert!(why.contains("unexpected argument 'server'"), "{why}");
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    let Some(cluster) = ready("refusals_say_what_to_do").await else { return };
    let namespace = cluster.namespace("grant").await;
    let (spec, to) = (cluster.unique("spec"), format!("{namespace}/default"));
    for (credential_spec, account, what) in [
        ("*", "shop/web", "a wildcard would give the right"),
        ("WebApp1", "shop/web", "did you mean \"webapp1\"?"),
        ("webapp1", "shop/*", "has a wildcard"),
        ("webapp1", "web", "is not NAMESPACE/SERVICEACCOUNT"),
        ("webapp1", "Shop/web", "is not a namespace name"),
        ("webapp1", "a.b/web", "is not a namespace name"),
        ("webapp1", "shop/we_b", "is not a service account name"),
        ("webapp1", "shop/", "is not a service account name"),
    ] {
        for (command, flag) in [("grant", "--to"), ("revoke", "--from")] {
            let args = [command, credential_spec, flag, account];
            let (code, stdout, stderr) = run(&cluster.kubeconfig, &args);
            assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}");
            assert!(stderr.contains(what), "{args:?}: {stderr}");
        }
    }
    let nowhere = format!("{}/web", cluster.unique("nowhere"));
    let (code, _, stderr) = run(&cluster.kubeconfig, &["grant", &spec, "--to", &nowhere]);
    assert_eq!(code, 3);
    assert!(stderr.contains("it does not exist, and nothing was changed; create it"), "{stderr}");
    let seen = Seen::new(&cluster);
    assert_eq!(seen.role(&spec).await, None);

    // Who has no rights, and who may write roles but not give what they do not have.
    let poor = cluster.token_kubeconfig(&namespace, "default").await;
    let (code, _, stderr) = run(&poor, &["grant", &spec, "--to", &to]);
    assert_eq!(code, 3);
    assert!(stderr.contains("failed to read ClusterRole") && stderr.contains("403"), "{stderr}");
    let name = cluster.unique("writer");
    let subject = json!([{"kind": "ServiceAccount", "name": "default", "namespace": namespace}]);
    let api = "rbac.authorization.k8s.io/v1";
    cluster
        .apply(&json!({"apiVersion": api, "kind": "ClusterRole", "metadata": {"name": name},
        "rules": [{"apiGroups": ["rbac.authorization.k8s.io"], "verbs": ["get", "create", "update"],
            "resources": ["clusterroles", "rolebindings"]}]}))
        .await;
    cluster
        .apply(&json!({"apiVersion": api, "kind": "ClusterRoleBinding", "metadata": {"name": name},
        "subjects": subject, "roleRef": {"apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole", "name": name}}))
        .await;
    eventually("the refusal is of the second kind", Duration::from_secs(20), || async {
        let (code, _, stderr) = run(&poor, &["grant", &spec, "--to", &to]);
        assert_eq!(code, 3);
        let told = stderr.contains("failed to create ClusterRole")
            && stderr.contains("which other roles grant the right: failed to list")
            && stderr.contains("attempting to grant RBAC permissions not currently held")
            && stderr.contains("`escalate` and `bind`");
        told.then_some(())
    })
    .await;
    let nobody = cluster.proxy_kubeconfig(([127, 0, 0, 1], free_port()).into());
    let (code, _, stderr) = run(&nobody, &["revoke", &spec, "--from", &to]);
    assert_eq!(code, 3);
    assert!(stderr.contains("failed to list clusterroles"), "{stderr}");
}

#[tokio::test]
async fn what_cannot_be_granted_leaves_nothing_behind() {
    let Some(cluster) = ready("what_cannot_be_granted_leaves_nothing_behind").await else { return };
    let (spec, seen) = (cluster.unique("spec"), Seen::new(&cluster));
    // A namespace that cannot go while it has a finalizer.
    let ending = cluster.unique("ending");
    let object = |finalizers: serde_json::Value| {
        json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": ending, "finalizers": finalizers}})
    };
    cluster.apply(&object(json!(["example.com/kept"]))).await;
    let namespaces: Api<Namespace> = Api::all(cluster.client.clone());
    namespaces.delete(&ending, &DeleteParams::default()).await.unwrap();
    let (code, stdout, stderr) =
        run(&cluster.kubeconfig, &["grant", &spec, "--to", &format!("{ending}/web")]);
    assert_eq!((code, stdout.as_str()), (3, ""), "{stderr}");
    assert!(stderr.contains("it is being deleted, and nothing was changed"), "{stderr}");
    assert_eq!(seen.role(&spec).await, None);
    cluster.apply(&object(json!([]))).await;

    // A user who may make the cluster role, and not the binding.
    let namespace = cluster.namespace("half").await;
    let (name, api) = (cluster.unique("half"), "rbac.authorization.k8s.io/v1");
    let group = ["rbac.authorization.k8s.io"];
    cluster
        .apply(&json!({"apiVersion": api, "kind": "ClusterRole", "metadata": {"name": name},
        "rules": [
            {"apiGroups": group, "resources": ["clusterroles"],
                "verbs": ["get", "list", "create", "delete", "escalate"]},
            {"apiGroups": group, "resources": ["rolebindings"], "verbs": ["get"]}]}))
        .await;
    cluster
        .apply(&json!({"apiVersion": api, "kind": "ClusterRoleBinding", "metadata": {"name": name},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": namespace}],
        "roleRef": {"apiGroup": group[0], "kind": "ClusterRole", "name": name}}))
        .await;
    let half = cluster.token_kubeconfig(&namespace, "default").await;
    let stderr = eventually("the cluster role can be made", Duration::from_mins(1), || async {
        let (code, _, stderr) =
            run(&half, &["grant", &spec, "--to", &format!("{namespace}/default")]);
        assert_eq!(code, 3, "{stderr}");
        stderr.contains("failed to create RoleBinding").then_some(stderr)
    })
    .await;
    let words = format!("ClusterRole gmsa-use-{spec}, which was created for it, was deleted again");
    assert!(stderr.contains(&words), "{stderr}");
    assert_eq!(seen.role(&spec).await, None);
}
