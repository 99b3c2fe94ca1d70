//! scripts/demo-cluster.sh shows what it says.

use std::os::unix::fs::symlink;
use std::process::Command;

use gmsa_testkit::tools;

use super::Cluster;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/demo-cluster.sh");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_shows_a_pod_admitted_one_denied_and_the_right_granted() {
    let test = "the_demo_shows_a_pod_admitted_one_denied_and_the_right_granted";
    let Some(kubectl) = tools::find(test, "kubectl") else { return };
    let Some(cluster) = Cluster::new(test).await else { return };
    cluster.installed(&[]).await;
    let programs = tempfile::tempdir().unwrap();
    symlink(kubectl, programs.path().join("kubectl")).unwrap();
    let plugin = env!("CARGO_BIN_EXE_kubectl-gmsa");
    symlink(plugin, programs.path().join("kubectl-gmsa")).unwrap();
    let path = format!("{}:{}", programs.path().display(), std::env::var("PATH").unwrap());
    // What it leaves does not matter the second time.
    for _ in 0..2 {
        let mut demo = Command::new(SCRIPT);
        demo.arg("here").env("PATH", &path).env("KUBECONFIG", &cluster.node.kubeconfig);
        let output = tokio::task::spawn_blocking(move || demo.output()).await.unwrap().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}{errors}");
        let steps: Vec<&str> = said.split("\n\n# ").collect();
        let step = |words: &str| {
            let found = steps.iter().find(|step| step.starts_with(words));
            *found.unwrap_or_else(|| panic!("{words}: {said}"))
        };
        let admitted = step("Its pod was admitted");
        assert!(admitted.contains("Pending"), "{said}");
        assert!(admitted.contains("\"GroupManagedServiceAccounts\""), "{said}");
        let denied = step("A Deployment whose service account has no right");
        assert!(denied.contains("is not authorized to `use` GMSA cred spec"), "{said}");
        assert!(denied.contains("kubectl gmsa grant gmsa-webapp1 --to default/billing"), "{said}");
        let granted = step("That command, or this one, grants it");
        assert!(granted.contains("billing-") && granted.contains("Pending"), "{said}");
    }
    let tidy = Command::new(programs.path().join("kubectl"))
        .args(["delete", "deployments", "web", "billing", "-n", "default", "--kubeconfig"])
        .arg(&cluster.node.kubeconfig)
        .output()
        .unwrap();
    assert!(tidy.status.success(), "{tidy:?}");
    cluster.done(&["revoke", "gmsa-webapp1", "--from", "default/billing"]).await;
    let bindings: kube::api::Api<k8s_openapi::api::rbac::v1::RoleBinding> =
        kube::api::Api::namespaced(cluster.node.client.clone(), "default");
    let name = "gmsa-use-gmsa-webapp1";
    bindings.delete(name, &kube::api::DeleteParams::default()).await.unwrap();
}
