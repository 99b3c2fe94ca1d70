//! What the real kubectl offers when Tab is pressed after `kubectl gmsa`.

use std::os::unix::fs::symlink;
use std::process::Command;

use crate::support::world::World;
use gmsa_testkit::tools;

#[test]
fn kubectl_completes_the_plugin() {
    let Some(kubectl) = tools::find("kubectl_completes_the_plugin", "kubectl") else { return };
    let path = tempfile::tempdir().unwrap();
    for name in ["kubectl-gmsa", "kubectl_complete-gmsa"] {
        symlink(env!("CARGO_BIN_EXE_kubectl-gmsa"), path.path().join(name)).unwrap();
    }
    let complete = |words: &[&str]| {
        let ran = Command::new(&kubectl)
            .args(["__complete", "gmsa"])
            .args(words)
            .env("PATH", path.path())
            .env("HOME", path.path())
            .output()
            .unwrap();
        String::from_utf8(ran.stdout).unwrap()
    };
    let commands = complete(&["re"]);
    let mut lines = commands.lines();
    assert_eq!(lines.next(), Some("review\tCheck workloads in files as admission would"));
    assert!(commands.contains("\nrevoke\t"), "{commands}");
    assert!(!commands.contains("\ngrant"), "{commands}");
    assert_eq!(commands.lines().last(), Some(":4"), "{commands}");

    assert!(complete(&["credspec", "cr"]).starts_with("create\t"));
    assert!(complete(&["grant", "--dry"]).starts_with("--dry-run"));
    assert!(complete(&["access", "-o", "mer"]).starts_with("mermaid"));
    assert_eq!(complete(&["nonsense", "x"]).lines().last(), Some(":0"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_are_completed_from_the_cluster_of_the_words() {
    let test = "names_are_completed_from_the_cluster_of_the_words";
    let Some(kubectl) = tools::find(test, "kubectl") else { return };
    let Some(world) = World::new(test).await else { return };
    world.apply(&serde_json::json!(gmsa_cluster::installation::definition::definition())).await;
    world.namespace("shop").await;
    world
        .apply(&gmsa_testkit::objects::deployment(
            "shop",
            "web",
            &gmsa_testkit::objects::pod("shop", "web", &serde_json::json!({})),
        ))
        .await;
    let path = tempfile::tempdir().unwrap();
    for name in ["kubectl-gmsa", "kubectl_complete-gmsa"] {
        symlink(env!("CARGO_BIN_EXE_kubectl-gmsa"), path.path().join(name)).unwrap();
    }
    let kubeconfig = world.plane.kubeconfig_path();
    let run = |words: &[&str], kubeconfig: &std::path::Path| {
        let mut command = Command::new(&kubectl);
        command.args(words).env("PATH", path.path()).env("HOME", path.path());
        let ran = command.env("KUBECONFIG", kubeconfig).output().unwrap();
        String::from_utf8(ran.stdout).unwrap()
    };
    let complete = |words: &[&str]| run(&[&["__complete", "gmsa"], words].concat(), &kubeconfig);
    for words in [
        &["credspec", "show", "sp"][..],
        &["credspec", "lint", "sp"],
        &["access", "sp"],
        &["grant", "sp"],
        &["revoke", "sp"],
    ] {
        assert_eq!(complete(words), "spec\n:4\n", "{words:?}");
    }
    for words in [&["audit", "-n", "sh"][..], &["doctor", "web", "--namespace", "sh"]] {
        assert_eq!(complete(words), "shop\n:4\n", "{words:?}");
    }
    // A namespace goes on with its service accounts, and a kind with its objects.
    for words in [&["grant", "spec", "--to", "sh"][..], &["access", "--service-account", "sh"]] {
        assert_eq!(complete(words), "shop/\n:6\n", "{words:?}");
    }
    assert_eq!(complete(&["revoke", "spec", "--from", "shop/d"]), "shop/default\n:4\n");
    assert_eq!(complete(&["doctor", "-n", "shop", "deployment/"]), "deployment/web\n:4\n");
    assert_eq!(complete(&["doctor", "--namespace=shop", "cronj"]), "cronjob/\n:6\n");
    assert!(complete(&["doctor", "explain", "crd-p"]).starts_with("crd-present"));
    let context = run(&["config", "current-context"], &kubeconfig);
    assert_eq!(complete(&["status", "--context", ""]), format!("{context}:4\n"));
    // The flags of the words count.
    let given = kubeconfig.to_str().unwrap();
    let nowhere = std::path::Path::new("/nonexistent/kubeconfig");
    let words = ["__complete", "gmsa", "credspec", "show", "--kubeconfig", given, "sp"];
    assert_eq!(run(&words, nowhere), "spec\n:4\n");
    // Without a cluster there is nothing to complete, and no error.
    assert_eq!(run(&["__complete", "gmsa", "credspec", "show", "sp"], nowhere), ":0\n");
}
