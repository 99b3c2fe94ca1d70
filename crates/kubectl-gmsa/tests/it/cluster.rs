//! `kubectl gmsa review --cluster`, and the examples, on a real API server.

use std::path::Path;
use std::time::Duration;

use crate::support::{ROOT, install_definition, plugin, ran};
use gmsa_testkit::process::{eventually, free_port};
use gmsa_testkit::{objects, shared};
use serde_json::Value;

fn review(kubeconfig: &Path, stdin: &str) -> (i32, String, String) {
    let args = ["review", "-f", "-", "--cluster", "-o", "json"];
    ran(plugin(&args).env("KUBECONFIG", kubeconfig).write_stdin(stdin)).parts()
}

#[tokio::test]
async fn the_facts_come_from_the_cluster() {
    let test = "the_facts_come_from_the_cluster";
    let Some((_plane, cluster)) = shared::separate_cluster(test).await else { return };
    install_definition(&cluster).await;
    let namespace = cluster.namespace("review").await;
    let name = cluster.unique("spec");
    cluster.apply(&objects::credential_spec(&name, "WebApp1")).await;
    let pod = objects::pod(&namespace, "web", &objects::gmsa(Some(&name), None)).to_string();
    let (code, stdout, stderr) = review(&cluster.kubeconfig, &pod);
    assert_eq!(code, 1, "{stdout}");
    let warning = "neither a GMSA webhook nor policies decide in this cluster";
    assert!(stderr.contains(warning) && stderr.lines().count() == 1, "{stderr}");
    assert!(stdout.contains("not-authorized"), "{stdout}");
    cluster.apply(&objects::role(&name)).await;
    cluster.apply(&objects::binding(&name, &namespace, "default")).await;
    eventually("the right is known", Duration::from_secs(20), || async {
        (review(&cluster.kubeconfig, &pod).0 == 0).then_some(())
    })
    .await;

    // Without the right to ask there is no verdict, and the message names the missing right.
    let poor = cluster.token_kubeconfig(&namespace, "default").await;
    let (code, stdout, stderr) = review(&poor, &pod);
    assert_eq!((code, stdout.as_str()), (3, ""));
    assert!(stderr.contains("gmsacredentialspecs") && stderr.contains("403"), "{stderr}");
    let nobody = cluster.proxy_kubeconfig(([127, 0, 0, 1], free_port()).into());
    let (code, _, stderr) = review(&nobody, &pod);
    assert_eq!(code, 3);
    assert!(
        stderr.contains("the API server at") && stderr.contains("cannot be reached"),
        "{stderr}"
    );
}

#[tokio::test]
async fn the_examples_apply_unchanged() {
    let Some(cluster) = shared::cluster("the_examples_apply_unchanged").await else { return };
    install_definition(&cluster).await;
    let examples = Path::new(ROOT).join("examples");
    let input = gmsa_cluster::manifests::Input::Path(examples);
    let manifests = gmsa_cluster::manifests::read(&[input]).unwrap();
    assert!(manifests.unreadable.is_empty());
    let mut kinds: Vec<Value> = Vec::new();
    for document in &manifests.documents {
        let stored = cluster.apply(&document.value).await;
        assert_eq!(stored["metadata"]["name"], document.value["metadata"]["name"]);
        kinds.push(stored["kind"].clone());
    }
    kinds.sort_by_key(Value::to_string);
    assert_eq!(
        kinds,
        [
            "ClusterRole",
            "Deployment",
            "Deployment",
            "Deployment",
            "GMSACredentialSpec",
            "RoleBinding",
            "ServiceAccount"
        ]
    );
}
