//! The next step that a command prints is one line, which a shell runs as it is.

use std::path::Path;
use std::process::Stdio;

use gmsa_testkit::domain_controller::{ADMINISTRATOR, ADMINISTRATOR_PASSWORD, DomainController};
use gmsa_testkit::{objects, recordings, shared};
use serde_json::json;

use crate::support::windows::{NAMESPACE, World, world};
use crate::support::{Ran, plugin, ran};

/// Runs the plugin, which finds the cluster by a flag alone; the next step that it prints.
fn next_step(world: &World, args: &[&str]) -> String {
    let kubeconfig = format!("--kubeconfig={}", world.plane.kubeconfig_path().display());
    let ran = ran(plugin(args).arg(kubeconfig));
    assert_eq!(ran.stderr.matches("next: ").count(), 1, "{args:?}: {}", ran.stderr);
    let (_, line) = ran.stderr.split_once("next: ").unwrap();
    line.lines().next().unwrap().to_owned()
}

/// Runs a line in a shell that knows of no cluster, and perhaps of a directory.
async fn sh(line: &str, controller: Option<&DomainController>) -> Ran {
    let plugin = Path::new(env!("CARGO_BIN_EXE_kubectl-gmsa")).parent().unwrap();
    let mut shell = tokio::process::Command::new("bash");
    // Kubectl passes on to its plugins what it is given.
    let function = "kubectl() { shift; kubectl-gmsa \"$@\"; }";
    shell
        .args(["-c", &format!("{function}; {line}")])
        .env("PATH", format!("{}:/usr/bin:/bin", plugin.display()))
        .env("KUBECONFIG", "/nonexistent")
        .stdin(Stdio::null());
    if let Some(controller) = controller {
        shell
            .env("GMSA_DC", controller.address.to_string())
            .env("GMSA_CA", &controller.ca)
            .env("GMSA_BIND_USER", ADMINISTRATOR)
            .env("GMSA_BIND_PASSWORD", ADMINISTRATOR_PASSWORD);
    }
    shell.output().await.unwrap().into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_next_step_runs_as_it_is_printed() {
    let test = "every_next_step_runs_as_it_is_printed";
    let Some(world) = world(test).await else { return };
    for account in ["worker", "other"] {
        world
            .apply(&json!({"apiVersion": "v1", "kind": "ServiceAccount",
                "metadata": {"name": account, "namespace": NAMESPACE}}))
            .await;
    }
    world.node.record("", recordings::healthy());
    let mut pod = objects::pod(NAMESPACE, "x", &objects::gmsa(Some("web"), None));
    pod["spec"]["serviceAccountName"] = json!("web");
    world.apply(&objects::deployment(NAMESPACE, "web", &pod)).await;

    // What each command says is there to see.
    let installed = ["install", "--replicas=2"];
    let one = ["grant", "web", "--to", "shop/worker"];
    let several = ["grant", "web", "--to", "shop/worker", "shop/other"];
    let add = ["doctor", "deployment/web", "-n", NAMESPACE, "--add-lifecycle"];
    for (args, begins, shows) in [
        (&installed[..], "kubectl gmsa status ", "webhook-replicas"),
        (&one, "kubectl gmsa access web --service-account shop/worker ", "shop/worker"),
        (&several, "kubectl gmsa access web -n shop ", "shop/other"),
        (&add, "kubectl gmsa doctor deployment/web -n shop ", "Nothing wrong was found"),
    ] {
        let line = next_step(&world, args);
        assert!(line.starts_with(begins), "{line}");
        // New pods take a moment.
        gmsa_testkit::process::eventually(&line, crate::support::windows::SOON, || async {
            let ran = sh(&line, None).await;
            assert_ne!(ran.code, 2, "{line}: {}", ran.stderr);
            (ran.code == 0 && ran.stdout.contains(shows)).then_some(())
        })
        .await;
    }

    // The channel that is repaired, and the one that is not.
    world.pod("broken", |_| {}).await;
    world.node.record("", recordings::channel_repaired_by_reset());
    let repair = ["doctor", "broken", "-n", NAMESPACE, "--repair", "--yes"];
    let line = next_step(&world, &repair);
    let ran = sh(&line, None).await;
    assert_eq!(ran.code, 0, "{line}: {}", ran.stderr);
    assert!(ran.stdout.contains("postStart"), "{line}: {}", ran.stdout);

    let Some(controller) = shared::domain_controller(test).await else { return };
    world.node.record("", recordings::channel_not_mended());
    let line = next_step(&world, &repair);
    assert_eq!(line, "kubectl gmsa account check WebApp1");
    let ran = sh(&line, Some(&controller)).await;
    // Whether there is such an account or not.
    assert!([0, 1].contains(&ran.code) && ran.stdout.contains("exists"), "{ran:?}");
}
