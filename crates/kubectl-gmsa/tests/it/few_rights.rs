//! What `status`, `doctor` and `audit` say to a user who may not read what they look at.

use crate::support::world::{SOON, World};
use gmsa_testkit::process::eventually;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_not_be_read_is_no_all_clear() {
    let Some(world) = World::new("what_may_not_be_read_is_no_all_clear").await else { return };
    let _stand_in = world.stand_in(None).await;
    world.done(&["install"]).await;
    world.done(&["status"]).await;
    world.bare_namespace("shop", &json!({})).await;
    let kubeconfig = world.plane.token_kubeconfig("shop", "default").await;

    for command in ["status", "doctor", "audit"] {
        let ran = world.run_as(&kubeconfig, &[command]).await;
        assert_eq!(ran.code, 3, "{command}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("forbidden"), "{command}: {}", ran.stderr);
        let words = if command == "audit" { "failed to list" } else { "is not known" };
        assert!(ran.stderr.contains(words), "{command}: {}", ran.stderr);
    }
    // Who may read credential specs is a decision of the administrator.
    for words in [&["credspec", "list"][..], &["credspec", "show", "web"], &["audit"]] {
        let ran = world.run_as(&kubeconfig, words).await;
        assert_eq!(ran.code, 3, "{words:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("kubectl gmsa install --viewer-role"), "{}", ran.stderr);
    }
    // Each check that could not be made says which right it lacks.
    let ran = world.run_as(&kubeconfig, &["status", "-o", "json"]).await;
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let outcomes = report["outcomes"].as_array().unwrap();
    let unknown: Vec<&Value> = outcomes.iter().filter(|one| one["state"] == "unknown").collect();
    assert!(unknown.len() >= 5, "{report:#}");
    assert!(!outcomes.iter().any(|one| one["state"] == "problem"), "{report:#}");
    // What could not be read is not said to be missing.
    for check in ["webhook-rights", "webhook-service", "webhook-token", "webhook-replicas"] {
        let outcome = outcomes.iter().find(|one| one["check"] == check).unwrap();
        assert_eq!(outcome["state"], "unknown", "{outcome:#}");
        assert!(outcome["message"].as_str().unwrap().contains("forbidden"), "{outcome:#}");
    }

    access_to_one(&world).await;

    // Who sees the credential specs, and no pods, still does not know what runs.
    let rbac = "rbac.authorization.k8s.io";
    let bind = |role: &str| {
        json!({"apiVersion": format!("{rbac}/v1"), "kind": "ClusterRoleBinding",
            "metadata": {"name": format!("shop-{role}")},
            "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "shop"}],
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": role}})
    };
    world
        .apply(&json!({"apiVersion": format!("{rbac}/v1"), "kind": "ClusterRole",
            "metadata": {"name": "specs"}, "rules": [{"apiGroups": ["windows.k8s.io"],
                "resources": ["gmsacredentialspecs"], "verbs": ["list"]}]}))
        .await;
    world.apply(&bind("specs")).await;
    let ran = eventually("the credential specs are listed", SOON, || async {
        let ran = world.run_as(&kubeconfig, &["audit"]).await;
        ran.stderr.contains("the audit is not complete").then_some(ran)
    })
    .await;
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);

    // The role `view` shows the Deployment, and not what API servers ask.
    world.apply(&bind("view")).await;
    let ran = eventually("the role is in force", SOON, || async {
        let ran = world.run_as(&kubeconfig, &["status"]).await;
        let row = ran.stdout.lines().find(|row| row.starts_with("webhook-replicas"))?.to_owned();
        row.contains(" ok ").then_some(ran)
    })
    .await;
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("webhookconfigurations"), "{}", ran.stderr);
    // The audit sees what runs.
    let ran = world.run_as(&kubeconfig, &["audit"]).await;
    assert!(ran.code != 3, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("the audit is not complete"), "{}", ran.stderr);
}

/// An administrator of one namespace may ask for one right there, and not which role gives it.
async fn access_to_one(world: &World) {
    let rbac = "rbac.authorization.k8s.io";
    world.namespace("team").await;
    world
        .apply(&json!({"apiVersion": format!("{rbac}/v1"), "kind": "RoleBinding",
            "metadata": {"name": "admins", "namespace": "team"},
            "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "team"}],
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "admin"}}))
        .await;
    let kubeconfig = world.plane.token_kubeconfig("team", "default").await;
    let one = ["access", "spec", "--service-account", "team/default"];
    let ran = eventually("the binding is in force", SOON, || async {
        Some(world.run_as(&kubeconfig, &one).await).filter(|ran| ran.code == 0)
    })
    .await;
    let row = "  team/default  allowed, unused\n    by the API server; you may not list the roles";
    assert!(ran.stdout.contains(row), "{}{}", ran.stdout, ran.stderr);
    assert!(!ran.stdout.contains("does not exist"), "{}", ran.stdout);
    for unknown in ["what gives the right is not known", "whether spec exists is not known"] {
        assert!(ran.stderr.contains(unknown), "{unknown}: {}", ran.stderr);
    }
    let ran = world.run_as(&kubeconfig, &["access", "spec", "--service-account", "team/web"]).await;
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout.contains("team/web  denied (the service account does not exist)"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("-> kubectl gmsa grant spec --to team/web"), "{}", ran.stdout);
    // Without a pair, or without the API server's answer, the roles are needed.
    for args in [&["access", "-n", "team"][..], &[&one[..], &["--no-verify"]].concat()] {
        let ran = world.run_as(&kubeconfig, args).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("access needs the right to list roles"), "{}", ran.stderr);
    }
}
