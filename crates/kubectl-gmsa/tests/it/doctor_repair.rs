//! What the doctor does: resets secure channels, puts the hook into workloads, starts a pod of its
//! own and takes it away again; on a real API server with a stand-in Windows node.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::support::windows::{NAMESPACE, SOON, World, causes, outcomes, world};
use crate::support::{plugin, run};
use gmsa_testkit::process::{eventually, signal};
use gmsa_testkit::{objects, recordings};
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::Api;
use serde_json::{Value, json};

const RESET: &str = "nltest /sc_reset:contoso.com";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secure_channel_is_reset_after_asking_and_verified() {
    let Some(world) = world("a_secure_channel_is_reset_after_asking_and_verified").await else {
        return;
    };
    let is_reset = |pod: &str| world.node.asked().contains(&format!("{pod}/iis: {RESET}"));

    // Without a terminal there is no confirmation, and nothing is even checked.
    world.node.record("", recordings::channel_repaired_by_reset());
    world.pod("broken", |_| {}).await;
    let ran = world.run(&["doctor", "broken", "-n", NAMESPACE, "--repair"]).await;
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("no terminal to ask for confirmation; give --yes"),
        "{}",
        ran.stderr
    );
    assert!(world.node.asked().is_empty());

    // On a terminal an answer other than yes leaves it alone.
    let shown = on_a_terminal(&world, "doctor broken -n shop --repair", "n\n").await;
    assert!(shown.contains(&format!("run {RESET} in it?")), "{shown}");
    assert!(shown.contains("nothing was done") && shown.contains("-> Reset it:"), "{shown}");
    assert!(!is_reset("broken"));

    world.node.record("", recordings::channel_repaired_by_reset());
    let shown = on_a_terminal(&world, "doctor broken -n shop --repair", "y\n").await;
    assert!(is_reset("broken") && shown.contains("Nothing wrong was found"), "{shown}");

    world.node.record("", recordings::channel_repaired_by_reset());
    let args = ["doctor", "broken", "-n", NAMESPACE, "--repair", "--yes", "-o", "wide"];
    let ran = world.run(&args).await;
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let told = format!("container \"iis\" of Pod shop/broken: repaired by {RESET}, and verified");
    assert!(ran.stderr.contains(&told), "{}", ran.stderr);
    let asked = world.node.asked();
    let reset = asked.iter().rposition(|one| one.ends_with(RESET)).unwrap();
    let after: Vec<&str> = asked[reset + 1..].iter().map(String::as_str).collect();
    let verified = ["nltest /query", "nltest /sc_verify:contoso.com", "klist get krbtgt"];
    assert_eq!(after, verified.map(|one| format!("broken/iis: {one}")));

    world.node.record("", recordings::channel_not_mended());
    let (code, report) = world.doctor("broken", &["--repair", "--yes"]).await;
    assert_eq!((causes(&report), code), (vec!["pod-secure-channel"], 1), "{report:#}");
    let evidence = outcomes(&report, "pod-secure-channel")[0]["evidence"].to_string();
    let told = format!("{RESET} was run: 1787 (0x6fb) ERROR_NO_TRUST_SAM_ACCOUNT");
    assert!(evidence.contains(&told), "{evidence}");
    let next = outcomes(&report, "pod-secure-channel")[0]["next"].as_str().unwrap();
    assert!(next.contains("kubectl gmsa account check WebApp1"), "{next}");

    // What has no broken channel, or no identity, is left alone.
    for recording in [recordings::healthy(), recordings::no_credential_spec()] {
        let before = world.node.asked().len();
        world.node.record("", recording);
        let ran = world.run(&["doctor", "broken", "-n", NAMESPACE, "--repair", "--yes"]).await;
        assert!(ran.stderr.contains("no broken secure channel"), "{}", ran.stderr);
        assert!(!world.node.asked()[before..].iter().any(|one| one.ends_with(RESET)));
    }
}

/// What a person sees who answers on a terminal.
async fn on_a_terminal(world: &World, args: &str, answer: &'static str) -> String {
    let program = env!("CARGO_BIN_EXE_kubectl-gmsa");
    let mut command = Command::new("script");
    command
        .args(["-qec", &format!("{program} {args}"), "/dev/null"])
        .env("KUBECONFIG", world.plane.kubeconfig_path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let run = move || {
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(answer.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hook_gets_into_workloads_once_and_nothing_else_changes() {
    let Some(world) = world("the_hook_gets_into_workloads_once_and_nothing_else_changes").await
    else {
        return;
    };
    world.node.record("", recordings::healthy());
    let mut pod = objects::pod(NAMESPACE, "x", &json!({}));
    pod["spec"]["serviceAccountName"] = json!("web");
    let stop = json!({"exec": {"command": ["cmd", "/c", "echo"]}});
    let gmsa = objects::gmsa(Some("web"), None);
    pod["spec"]["containers"] = json!([
        {"name": "side", "image": "side"},
        {"name": "iis", "image": "iis", "securityContext": gmsa, "lifecycle": {"preStop": stop}}]);
    world.apply(&objects::deployment(NAMESPACE, "web", &pod)).await;
    let deployments: Api<Deployment> = Api::namespaced(world.client.clone(), NAMESPACE);
    let template = || async {
        let found = deployments.get("web").await.unwrap();
        serde_json::to_value(found.spec.template).unwrap()
    };
    let before = template().await;
    let add = ["doctor", "deployment/web", "-n", NAMESPACE, "--add-lifecycle"];

    for mode in ["client", "server"] {
        let dry = format!("--dry-run={mode}");
        let ran = world.run(&[&add[..], &[&dry]].concat()).await;
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let first = format!("deployment/web configured ({mode} dry run)");
        assert!(ran.stdout.starts_with(&first), "{}", ran.stdout);
        let line = "spec.template.spec.containers[1].lifecycle.postStart: (nothing) -> ";
        assert!(ran.stdout.contains(line) && ran.stdout.contains("nltest.exe"), "{}", ran.stdout);
        assert_eq!(template().await, before, "{mode}");
    }

    let ran = world.run(&add).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let after = template().await;
    let mut expected = before.clone();
    let hook = json!({"exec": {"command": gmsa_core::windows::hook::command(30)}});
    expected["spec"]["containers"][1]["lifecycle"]["postStart"] = hook;
    assert_eq!(after, expected, "preStop and all else stay");

    let ran = world.run(&add).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "deployment/web unchanged\n"));
    for mode in ["--dry-run=client", "--dry-run=server"] {
        let ran = world.run(&[&add[..], &[mode]].concat()).await;
        assert!(ran.stdout.starts_with("deployment/web unchanged"), "{}", ran.stdout);
    }
    let ran = world.run(&[&add[..], &["--lifecycle-tries=5"]].concat()).await;
    assert!(ran.stdout.contains("deployment/web configured"), "{}{}", ran.stdout, ran.stderr);
    assert!(template().await.to_string().contains("$restarts -ge 5)"));

    // Admission takes the pods with it, and the doctor finds nothing wrong with them.
    eventually("a pod with the hook is well", SOON * 2, || async {
        let pods = world.pods("app=web").await;
        let has = pods.iter().any(|pod| serde_json::to_string(pod).unwrap().contains("-ge 5)"));
        if !has {
            return None;
        }
        let (code, report) = world.doctor("deployment/web", &[]).await;
        (code == 0 && causes(&report).is_empty()).then_some(())
    })
    .await;

    the_hook_is_refused(&world, &pod).await;
    the_hook_gets_into_kinds_of_operators(&world, &pod).await;
}

/// Kinds with the spec of their pods at paths of their own, some of them in lists.
async fn the_hook_gets_into_kinds_of_operators(world: &World, pod: &Value) {
    let any = objects::any();
    let container = json!({"type": "object", "properties": {"name": {"type": "string"},
        "image": {"type": "string"}, "securityContext": any}});
    let narrow = json!({"type": "object", "properties": {"serviceAccountName": {"type": "string"},
        "containers": {"type": "array", "items": container}}});
    for (kind, plural, of_pod) in [("Pool", "pools", &any), ("Narrow", "narrows", &narrow)] {
        let group = json!({"type": "object", "properties": {"podSpec": of_pod}});
        let spec = json!({"type": "object", "properties": {"podSpec": of_pod,
            "groups": {"type": "array", "items": group}}});
        let schema = json!({"type": "object", "properties": {"spec": spec}});
        world.apply(&objects::definition("example.com", kind, plural, &schema)).await;
    }
    let side = json!({"name": "side", "image": "side"});
    let iis = json!({"name": "iis", "image": "iis",
        "securityContext": objects::gmsa(Some("web"), None)});
    let of = |containers: Value| json!({"serviceAccountName": "web", "containers": containers});
    let object = |kind: &str| {
        let spec = if kind == "Pool" { pod["spec"].clone() } else { of(json!([side, iis])) };
        json!({"apiVersion": "example.com/v1", "kind": kind,
            "metadata": {"name": "ci", "namespace": NAMESPACE},
            "spec": {"podSpec": spec,
                "groups": [{"podSpec": of(json!([side]))}, {"podSpec": spec}]}})
    };
    let applier = gmsa_cluster::api::apply::Applier::new(world.client.clone(), "test", true);
    for kind in ["Pool", "Narrow"] {
        let object = object(kind);
        let is_served = || async { applier.apply(&object).await.ok() };
        eventually("the kind is served", SOON, is_served).await;
    }
    let before = applier.live(&object("Pool")).await.unwrap().unwrap()["spec"].clone();
    let add = ["doctor", "pool/ci", "-n", NAMESPACE, "--add-lifecycle"];
    for mode in ["client", "server"] {
        let ran = world.run(&[&add[..], &[&format!("--dry-run={mode}")]].concat()).await;
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let first = format!("pool/ci configured ({mode} dry run)");
        assert!(ran.stdout.starts_with(&first), "{}", ran.stdout);
        let now = applier.live(&object("Pool")).await.unwrap().unwrap()["spec"].clone();
        assert_eq!(now, before, "{mode}");
    }
    let ran = world.run(&add).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for path in ["spec.podSpec.containers[1]", "spec.groups[1].podSpec.containers[1]"] {
        let line = format!("{path}.lifecycle.postStart: (nothing) -> ");
        assert!(ran.stdout.contains(&line), "{path}: {}", ran.stdout);
    }
    let hook = json!({"exec": {"command": gmsa_core::windows::hook::command(30)}});
    let mut expected = before;
    for pointer in ["/podSpec/containers/1", "/groups/1/podSpec/containers/1"] {
        expected.pointer_mut(pointer).unwrap()["lifecycle"]["postStart"] = hook.clone();
    }
    let now = applier.live(&object("Pool")).await.unwrap().unwrap()["spec"].clone();
    assert_eq!(now, expected, "every other container stays as it is");
    let ran = world.run(&add).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "pool/ci unchanged\n"), "{}", ran.stderr);

    let before = applier.live(&object("Narrow")).await.unwrap().unwrap();
    let ran = world.run(&["doctor", "narrow/ci", "-n", NAMESPACE, "--add-lifecycle"]).await;
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    let words = "the definition of its kind drops spec.groups[1].podSpec.containers[1].lifecycle";
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
    let after = applier.live(&object("Narrow")).await.unwrap().unwrap();
    assert_eq!(after["metadata"]["resourceVersion"], before["metadata"]["resourceVersion"]);
}

async fn the_hook_is_refused(world: &World, pod: &Value) {
    let mut other = pod.clone();
    let own = json!({"exec": {"command": ["cmd", "/c", "warm-up"]}});
    other["spec"]["containers"][1]["lifecycle"]["postStart"] = own;
    world.apply(&objects::deployment(NAMESPACE, "own", &other)).await;
    let mut none = pod.clone();
    none["spec"]["containers"][1]["securityContext"] = json!({});
    world.apply(&objects::deployment(NAMESPACE, "none", &none)).await;
    let mut stranger = pod.clone();
    stranger["spec"]["serviceAccountName"] = json!("default");
    world.apply(&objects::deployment(NAMESPACE, "stranger", &stranger)).await;
    world.pod("single", |_| {}).await;
    for (target, code, words) in [
        ("deployment/own", 1, "container \"iis\" already has a postStart hook"),
        ("deployment/none", 1, "none of its containers has a credential spec"),
        ("deployment/stranger", 1, "its pods would be denied"),
        ("single", 2, "cannot be changed"),
    ] {
        let ran = world.run(&["doctor", target, "-n", NAMESPACE, "--add-lifecycle"]).await;
        assert_eq!(ran.code, code, "{target}: {}", ran.stderr);
        assert!(ran.stderr.contains(words), "{target}: {}", ran.stderr);
    }
    let deployments: Api<Deployment> = Api::namespaced(world.client.clone(), NAMESPACE);
    let kept = serde_json::to_string(&deployments.get("own").await.unwrap()).unwrap();
    assert!(kept.contains("warm-up") && !kept.contains("nltest"), "{kept}");
}

#[test]
fn the_hook_is_printed_without_a_cluster() {
    let ran = run(&["doctor", "--print-lifecycle", "--lifecycle-tries=7"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.starts_with("lifecycle:\n"), "{}", ran.stdout);
    let documents = gmsa_cluster::manifests::parse("-", &ran.stdout);
    let value = &documents[0].as_ref().unwrap().value;
    let command = &value["lifecycle"]["postStart"]["exec"]["command"];
    assert_eq!(*command, json!(gmsa_core::windows::hook::command(7)), "YAML keeps every sign");
    let ran = run(&["doctor", "--print-lifecycle", "--lifecycle-tries=0"]);
    assert_eq!(ran.code, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_temporary_pod_is_always_deleted() {
    let Some(world) = world("the_temporary_pod_is_always_deleted").await else { return };
    let left = || async { world.pods("kube-gmsa.dev/probe=true").await.len() };
    let probe = ["doctor", "web", "-n", NAMESPACE, "--probe-pod", "--exec-timeout=1"];
    // In the pod itself nothing can be run.
    world.node.record("probe-", recordings::healthy());
    world.pod("web", |_| {}).await;

    let ran = world.run(&probe).await;
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("Nothing wrong was found"), "{}", ran.stdout);
    assert!(ran.stderr.contains("is gone"), "{}", ran.stderr);
    assert_eq!(left().await, 0);
    let asked = world.node.asked();
    assert!(asked.iter().all(|one| one.starts_with("probe-")), "{asked:?}");

    // The same identity, node and image as the pod: the webhook filled it in.
    world.node.record("probe-", recordings::dns_broken());
    let (code, report) = world.doctor("web", &["--probe-pod"]).await;
    assert_eq!((causes(&report), code), (vec!["pod-dns"], 1), "{report:#}");
    assert_eq!(left().await, 0);

    world.node.record("probe-", recordings::hanging());
    let ran = world.run(&probe).await;
    assert!(ran.stdout.contains("did not end within 1 s"), "{}", ran.stdout);
    assert_eq!(left().await, 0);

    world.node.keep("probe-", json!({"waiting": {"reason": "ImagePullBackOff", "message": "no"}}));
    let (code, report) = world.doctor("web", &["--probe-pod"]).await;
    assert_eq!((causes(&report), code), (vec!["pod-running"], 1), "{report:#}");
    assert_eq!(left().await, 0);

    // It never starts, and the user interrupts the command.
    world.node.keep("probe-", json!({"waiting": {"reason": "ContainerCreating"}}));
    let late = world.run(&[&probe[..], &["--probe-timeout=1"]].concat()).await;
    assert!(late.stdout.contains("did not run within 1 s"), "{}", late.stdout);
    assert_eq!(left().await, 0);
    for name in ["INT", "TERM"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-gmsa"));
        let command = command.args(probe).env("KUBECONFIG", world.plane.kubeconfig_path());
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        eventually("the pod is there", SOON, || async { (left().await == 1).then_some(()) }).await;
        signal(name, child.id());
        let wait = move || child.wait_with_output().unwrap();
        let output = tokio::task::spawn_blocking(wait).await.unwrap();
        assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(left().await, 0, "{name}");
    }

    // A pod that admission refuses was never there.
    let mut pod = objects::pod(NAMESPACE, "x", &objects::gmsa(Some("web"), None));
    pod["spec"]["serviceAccountName"] = json!("default");
    world.apply(&objects::deployment(NAMESPACE, "stranger", &pod)).await;
    let (code, report) = world.doctor("deployment/stranger", &["--probe-pod"]).await;
    assert_eq!((causes(&report), code), (vec!["pod-admission"], 1), "{report:#}");
    let exec = outcomes(&report, "pod-exec")[0]["message"].to_string();
    assert!(exec.contains("is not authorized to `use`"), "{exec}");
    assert_eq!(left().await, 0);
}

#[test]
fn what_does_not_go_together_is_refused() {
    for args in [
        &["doctor", "--probe-pod"][..],
        &["doctor", "--repair"],
        &["doctor", "web", "--probe-image=x"],
        &["doctor", "web", "--probe-pod", "--repair"],
        &["doctor", "web", "--exec-timeout=0"],
        &["doctor", "--add-lifecycle"],
    ] {
        assert_eq!(plugin(args).output().unwrap().status.code(), Some(2), "{args:?}");
    }
}
