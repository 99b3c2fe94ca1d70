//! The doctor's view of one pod: its objects on a real API server, and what is seen from inside
//! through that server's exec, from a stand-in Windows node that answers with recordings.

use crate::support::windows::{NAMESPACE, World, causes, outcomes, world};
use gmsa_testkit::windows_node::Recording;
use gmsa_testkit::{objects, recordings};
use serde_json::{Value, json};

/// What readers of the documentation's page meet, and what the doctor makes of it.
struct Scene {
    name: &'static str,
    recording: fn() -> Recording,
    causes: &'static [&'static str],
    code: i32,
    words: &'static [&'static str],
}

const SCENES: [Scene; 12] = [
    Scene {
        name: "healthy",
        recording: recordings::healthy,
        causes: &[],
        code: 0,
        words: &["Nothing wrong was found in"],
    },
    Scene {
        name: "no-spec",
        recording: recordings::no_credential_spec,
        causes: &["pod-credential-spec"],
        code: 1,
        words: &[
            "1. pod-credential-spec of container \"iis\" of Pod shop/no-spec (problem, likely): \
             no credential spec reached it",
            "nltest /parentdomain: 1722 (0x6ba) RPC_S_SERVER_UNAVAILABLE",
            "hence pod-secure-channel",
            "hence pod-ticket",
        ],
    },
    Scene {
        name: "dns",
        recording: recordings::dns_broken,
        causes: &["pod-dns"],
        code: 1,
        words: &[
            "(problem, certain): contoso.com has no address",
            "nslookup contoso.com.: 10.96.0.10 was asked",
            "hence pod-srv",
            "hence pod-secure-channel",
        ],
    },
    Scene {
        name: "no-dc",
        recording: recordings::controller_unreachable,
        causes: &["pod-domain-controller"],
        code: 1,
        words: &[
            "(problem, likely): no domain controller of contoso.com answers",
            "nltest /query: 1311 (0x51f) ERROR_NO_LOGON_SERVERS",
            "nltest /sc_verify:contoso.com: 1311 (0x51f) ERROR_NO_LOGON_SERVERS",
            "Open the ports 53, 88",
        ],
    },
    Scene {
        name: "channel",
        recording: recordings::channel_repaired_by_reset,
        causes: &["pod-secure-channel"],
        code: 1,
        words: &[
            "it is broken: 1722 RPC_S_SERVER_UNAVAILABLE",
            "-> Reset it: kubectl gmsa doctor channel -n shop --repair",
            "kubectl gmsa account check WebApp1",
        ],
    },
    Scene {
        name: "not-mended",
        recording: recordings::channel_not_mended,
        causes: &["pod-secure-channel"],
        code: 1,
        words: &["1786 (0x6fa) ERROR_NO_TRUST_LSA_SECRET", "klist get krbtgt works"],
    },
    Scene {
        name: "denied",
        recording: recordings::access_denied,
        causes: &["pod-user"],
        code: 1,
        words: &[
            "commands run as ContainerUser (S-1-5-93-2-2)",
            "(problem, likely)",
            "access is denied: 5 ERROR_ACCESS_DENIED",
        ],
    },
    Scene {
        name: "no-nltest",
        recording: recordings::no_nltest,
        causes: &["pod-tools"],
        code: 0,
        words: &["not in the image: nltest, klist", "--probe-image", "Not found out:"],
    },
    Scene {
        name: "runtime",
        recording: recordings::runtime_fails,
        causes: &[],
        code: 0,
        words: &["Not found out:", "pod-ticket", "it was not started", "(0x6be)"],
    },
    Scene {
        name: "hangs",
        recording: recordings::hanging,
        causes: &[],
        code: 0,
        words: &["Not found out:", "did not end within 2 s", "1 of"],
    },
    Scene {
        name: "gone",
        recording: recordings::gone,
        causes: &[],
        code: 0,
        words: &["Not found out:", "ended before \"nltest /query\" did"],
    },
    Scene {
        name: "german",
        recording: recordings::german,
        causes: &["pod-secure-channel"],
        code: 1,
        words: &["1722 (0x6ba) RPC_S_SERVER", "1789 (0x6fd) ERROR_TRUSTED_RELATIONSHIP_FAILURE"],
    },
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_seen_from_inside_has_one_verdict() {
    let Some(world) = world("what_is_seen_from_inside_has_one_verdict").await else { return };
    for scene in &SCENES {
        // Each run begins with the recording anew.
        world.node.record(scene.name, (scene.recording)());
        world.pod(scene.name, |_| {}).await;
        let (code, report) = world.doctor(scene.name, &["--exec-timeout=2"]).await;
        assert_eq!((causes(&report), code), (scene.causes.to_vec(), scene.code), "{report:#}");
        world.node.record(scene.name, (scene.recording)());
        let args = ["doctor", scene.name, "-n", NAMESPACE, "--exec-timeout=2"];
        let ran = world.run(&args).await;
        assert_eq!(ran.code, scene.code, "{}: {}{}", scene.name, ran.stdout, ran.stderr);
        for words in scene.words {
            assert!(ran.stdout.contains(words), "{}: {words}: {}", scene.name, ran.stdout);
        }
    }
    the_order_is_that_of_the_page(&world);
    the_archive_holds_what_commands_printed(&world).await;
    commands_go_into_each_container_with_the_identity(&world).await;
    the_connection_that_is_cut_stops_the_rest(&world).await;
    a_missing_right_is_named(&world).await;
}

fn the_order_is_that_of_the_page(world: &World) {
    let asked = world.node.asked();
    let of: Vec<&str> = asked.iter().filter_map(|one| one.strip_prefix("healthy/iis: ")).collect();
    let page = [
        "nltest /parentdomain",
        "nslookup contoso.com.",
        "nslookup -type=srv _ldap._tcp.dc._msdcs.contoso.com.",
        "nltest /query",
        "nltest /sc_verify:contoso.com",
        "klist get krbtgt",
        "whoami /user /fo csv /nh",
    ];
    assert_eq!(of[..page.len()], page);
}

async fn the_archive_holds_what_commands_printed(world: &World) {
    world.node.record("no-dc", recordings::controller_unreachable());
    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("bundle.zip");
    let file_text = file.display().to_string();
    let ran = world.run(&["doctor", "no-dc", "-n", NAMESPACE, "--bundle", &file_text]).await;
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let archive = crate::support::unpacked(&file);
    let outputs: Vec<_> =
        archive.iter().filter(|(name, _)| name.starts_with("outputs/no-dc/iis/")).collect();
    assert!(outputs.len() > 3, "{:?}", archive.keys());
    let said =
        outputs.iter().filter(|(_, text)| text.contains("1311 0x51f ERROR_NO_LOGON_SERVERS"));
    assert_eq!(said.count(), 2, "{outputs:#?}");
    assert!(outputs.iter().all(|(name, _)| ran.stderr.contains(name.as_str())), "{}", ran.stderr);
}

async fn commands_go_into_each_container_with_the_identity(world: &World) {
    let options = objects::gmsa(Some("web"), None);
    for (name, with) in [("one-of-two", &["app"][..]), ("two-of-three", &["app", "jobs"])] {
        world.node.record(name, recordings::healthy());
        world
            .pod(name, |pod| {
                let spec = &mut pod["spec"];
                spec.as_object_mut().unwrap().remove("securityContext");
                let other = spec["containers"][0].clone();
                let containers = spec["containers"].as_array_mut().unwrap();
                containers[0]["name"] = json!("log");
                for container in with {
                    let mut one = other.clone();
                    one["name"] = json!(container);
                    one["securityContext"] = options.clone();
                    containers.push(one);
                }
            })
            .await;
        let before = world.node.asked().len();
        let (_, report) = world.doctor(name, &[]).await;
        let asked = world.node.asked().split_off(before);
        let mut entered: Vec<&str> =
            asked.iter().filter_map(|one| Some(one.split_once(": ")?.0)).collect();
        entered.sort_unstable();
        entered.dedup();
        let expected: Vec<String> = with.iter().map(|one| format!("{name}/{one}")).collect();
        assert_eq!(entered, expected, "{asked:?}");
        let found: Vec<&str> = outcomes(&report, "pod-ticket")
            .iter()
            .filter(|one| one["state"] == "ok")
            .filter_map(|one| one["object"].as_str())
            .collect();
        let objects: Vec<String> =
            with.iter().map(|one| format!("container \"{one}\" of Pod shop/{name}")).collect();
        assert_eq!(found, objects, "{report:#}");
    }
}

async fn the_connection_that_is_cut_stops_the_rest(world: &World) {
    world.node.record("gone", recordings::gone());
    let before = world.node.asked().len();
    let (_, report) = world.doctor("gone", &[]).await;
    let asked = world.node.asked().split_off(before);
    assert!(asked.last().unwrap().ends_with("nltest /query"), "{asked:?}");
    assert_eq!(outcomes(&report, "pod-exec")[0]["state"], "unknown");
    assert_eq!(outcomes(&report, "pod-ticket")[0]["state"], "skipped");
}

async fn a_missing_right_is_named(world: &World) {
    let viewer = json!({"apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": "viewer", "namespace": NAMESPACE}});
    let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": "viewer"},
        "subjects": [{"kind": "ServiceAccount", "name": "viewer", "namespace": NAMESPACE}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
            "name": "view"}});
    world.apply(&viewer).await;
    world.apply(&binding).await;
    let kubeconfig = world.kubeconfig_of("viewer").await;
    let args = ["doctor", "healthy", "-n", NAMESPACE, "-o", "json"];
    let report = gmsa_testkit::process::eventually(
        "the right to view",
        crate::support::windows::SOON,
        || async {
            let ran = world.run_as(&kubeconfig, &args).await;
            serde_json::from_str::<Value>(&ran.stdout).ok()
        },
    )
    .await;
    let exec = outcomes(&report, "pod-exec")[0];
    assert_eq!(exec["state"], "unknown", "{exec:#}");
    let message = exec["message"].as_str().unwrap();
    assert!(message.contains("the rights get and create on pods/exec"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_objects_tell_has_one_verdict() {
    let Some(world) = world("what_the_objects_tell_has_one_verdict").await else { return };
    world.node.record("", recordings::healthy());

    a_workload_that_is_denied(&world).await;
    a_pod_without_contents(&world).await;
    old_contents(&world).await;
    placement(&world).await;
    kinds_that_are_not_every_clusters(&world).await;
    names_that_are_none(&world).await;
}

async fn a_workload_that_is_denied(world: &World) {
    let pod = objects::pod(NAMESPACE, "x", &objects::gmsa(Some("web"), None));
    world.apply(&objects::deployment(NAMESPACE, "stranger", &pod)).await;
    gmsa_testkit::process::eventually(
        "the denial is reported",
        crate::support::windows::SOON,
        || async {
            let (_, report) = world.doctor("deployment/stranger", &[]).await;
            let created = outcomes(&report, "pod-created")[0].to_string();
            created.contains("is not authorized to `use`").then_some(())
        },
    )
    .await;
    let (code, report) = world.doctor("deploy/stranger", &[]).await;
    assert_eq!((causes(&report), code), (vec!["pod-admission"], 1), "{report:#}");
    let cause = &report["verdict"]["causes"][0];
    assert_eq!(cause["consequences"], json!(["pod-created"]));
    let message = cause["message"].as_str().unwrap();
    assert!(
        message.contains("service account \"default\" is not authorized to `use`"),
        "{message}"
    );
    // Without replicas there is no pod, whatever admission would say.
    let mut idle = objects::deployment(NAMESPACE, "idle", &pod);
    idle["spec"]["replicas"] = json!(0);
    world.apply(&idle).await;
    let (code, report) = world.doctor("deploy/idle", &[]).await;
    assert_eq!((causes(&report), code), (vec!["pod-admission", "pod-created"], 1), "{report:#}");
    assert_eq!(report["verdict"]["causes"][0]["consequences"], json!([]), "{report:#}");
    // What has no conditions tells by events.
    let mut set = objects::deployment(NAMESPACE, "set", &pod);
    set["kind"] = json!("StatefulSet");
    set["spec"]["serviceName"] = json!("set");
    world.apply(&set).await;
    gmsa_testkit::process::eventually(
        "the denial is reported",
        crate::support::windows::SOON,
        || async {
            let (code, report) = world.doctor("sts/set", &[]).await;
            let created = outcomes(&report, "pod-created")[0]["evidence"].to_string();
            (code == 1 && created.contains("is not authorized to `use`")).then_some(())
        },
    )
    .await;
    // Once the right is there, the controller makes the pod, which is then looked at.
    let mut binding = objects::binding("web", NAMESPACE, "default");
    binding["metadata"]["name"] = json!("web-default");
    world.apply(&binding).await;
    gmsa_testkit::process::eventually(
        "the pod is made",
        crate::support::windows::SOON * 2,
        || async {
            let (code, report) = world.doctor("deployment.apps/stranger", &[]).await;
            (code == 0 && causes(&report).is_empty()).then_some(())
        },
    )
    .await;
}

async fn a_pod_without_contents(world: &World) {
    if world.plane.at_least(1, 28) {
        // There no namespace is left out: the webhooks tell by conditions which pods they are sent.
        return;
    }
    world
        .apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata":
            {"name": "aside", "labels": {"gmsa-webhook": "disabled"}}}))
        .await;
    gmsa_testkit::process::eventually(
        "the service account is there",
        crate::support::windows::SOON,
        || async {
            let accounts: kube::Api<k8s_openapi::api::core::v1::ServiceAccount> =
                kube::Api::namespaced(world.client.clone(), "aside");
            accounts.get_opt("default").await.unwrap()
        },
    )
    .await;
    world.apply(&objects::binding("web", "aside", "default")).await;
    world
        .pod("bare", |pod| {
            pod["metadata"]["namespace"] = json!("aside");
            pod["spec"]["serviceAccountName"] = json!("default");
        })
        .await;
    let ran = world.run(&["doctor", "bare", "-n", "aside"]).await;
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    let first = ran.stdout.lines().find(|line| line.starts_with("1. ")).unwrap();
    assert!(first.starts_with("1. webhook-exclusions"), "{}", ran.stdout);
    let words = "hence pod-contents of Pod aside/bare: it names a credential spec and carries no";
    assert!(ran.stdout.contains(words), "{}", ran.stdout);
    let pods: kube::Api<k8s_openapi::api::core::v1::Pod> =
        kube::Api::namespaced(world.client.clone(), "aside");
    pods.delete("bare", &kube::api::DeleteParams::default()).await.unwrap();
    gmsa_testkit::process::eventually("the pod is gone", crate::support::windows::SOON, || async {
        pods.get_opt("bare").await.unwrap().is_none().then_some(())
    })
    .await;
    // A namespace that is left out is a warning even while nothing there uses a GMSA.
    let ran = world.run(&["doctor"]).await;
    let warned = "pods in these namespaces are not checked: aside";
    assert!(ran.stdout.contains(warned), "{}", ran.stdout);
    let namespaces: kube::Api<k8s_openapi::api::core::v1::Namespace> =
        kube::Api::all(world.client.clone());
    let sent = kube::api::Patch::Merge(json!({"metadata": {"labels": {"gmsa-webhook": null}}}));
    namespaces.patch("aside", &kube::api::PatchParams::default(), &sent).await.unwrap();
}

async fn old_contents(world: &World) {
    world.pod("old", |_| {}).await;
    let mut changed = objects::credential_spec("web", "WebApp1");
    changed["credspec"]["DomainJoinConfig"]["DnsTreeName"] = json!("fabrikam.com");
    world.apply(&changed).await;
    let (code, report) = world.doctor("old", &[]).await;
    assert_eq!((causes(&report), code), (vec!["pod-contents"], 0), "{report:#}");
    let outcome = outcomes(&report, "pod-contents")[0].to_string();
    assert!(outcome.contains("DnsTreeName") && !outcome.contains("fabrikam."), "{outcome}");
    assert_eq!(outcomes(&report, "pod-admission")[0]["state"], "ok", "{report:#}");
    world.apply(&objects::credential_spec("web", "WebApp1")).await;
}

async fn placement(world: &World) {
    world.pod("linux", |pod| pod["spec"]["nodeName"] = json!("stand-in")).await;
    let (code, report) = world.doctor("linux", &[]).await;
    assert_eq!((causes(&report), code), (vec!["pod-scheduled"], 1), "{report:#}");

    let message = "failed to create containerd task: hcs::CreateComputeSystem iis: winapi error: \
                   (0xc0020017)";
    world.node.keep("hcs", json!({"waiting": {"reason": "RunContainerError", "message": message}}));
    world.pod("hcs", |_| {}).await;
    let (code, report) = world.doctor("hcs", &[]).await;
    assert_eq!((causes(&report), code), (vec!["pod-running"], 1), "{report:#}");
    let evidence = outcomes(&report, "pod-running")[0]["evidence"].to_string();
    assert!(evidence.contains("RPC_NT_SERVER_UNAVAILABLE"), "{evidence}");
    assert!(evidence.contains("mistake in the credential spec"), "{evidence}");

    for name in ["frontend-of-shop-a", "frontend-of-shop-b"] {
        world.pod(name, |_| {}).await;
    }
    let (code, report) = world.doctor("frontend-of-shop-a", &[]).await;
    assert_eq!((causes(&report), code), (vec!["pod-hostname"], 0), "{report:#}");

    world
        .pod("nano", |pod| {
            pod["spec"]["containers"][0]["image"] = json!("nanoserver:ltsc2022");
            pod["spec"]["containers"][0]["securityContext"] = pod["spec"]["securityContext"].take();
        })
        .await;
    world.node.record("nano", recordings::no_nltest());
    let (code, report) = world.doctor("pod/nano", &[]).await;
    assert_eq!((causes(&report), code), (vec!["pod-image"], 0), "{report:#}");
    let identity = outcomes(&report, "pod-identity")[0]["message"].as_str().unwrap();
    let field = "spec.containers[0].securityContext.windowsOptions.gmsaCredentialSpec";
    assert!(identity.contains(field), "{identity}");

    // What an eviction leaves has no statuses of containers.
    world.pod("evicted", |_| {}).await;
    let pods: kube::Api<k8s_openapi::api::core::v1::Pod> =
        kube::Api::namespaced(world.client.clone(), NAMESPACE);
    let status = json!({"status": {"phase": "Failed", "reason": "Evicted",
        "message": "The node was low on memory.", "containerStatuses": null}});
    let params = kube::api::PatchParams::default();
    pods.patch_status("evicted", &params, &kube::api::Patch::Merge(status)).await.unwrap();
    let (code, report) = world.doctor("evicted", &[]).await;
    assert_eq!((causes(&report), code), (vec!["pod-running"], 1), "{report:#}");
    let message = outcomes(&report, "pod-running")[0]["message"].as_str().unwrap();
    assert_eq!(message, "the pod has failed: Evicted: The node was low on memory.");

    world.pod("plain", |pod| pod["spec"]["securityContext"] = json!({})).await;
    let (code, report) = world.doctor("plain", &[]).await;
    assert_eq!((causes(&report), code), (vec!["pod-identity"], 1), "{report:#}");
}

async fn kinds_that_are_not_every_clusters(world: &World) {
    let any = objects::any();
    world.apply(&objects::definition("example.com", "Rollout", "rollouts", &any)).await;
    let pod = objects::pod(NAMESPACE, "x", &objects::gmsa(Some("web"), None));
    let mut rollout = objects::deployment(NAMESPACE, "web", &pod);
    rollout["apiVersion"] = json!("example.com/v1");
    rollout["kind"] = json!("Rollout");
    let uid = gmsa_testkit::process::eventually(
        "the kind is served",
        crate::support::windows::SOON,
        || async {
            let applier =
                gmsa_cluster::api::apply::Applier::new(world.client.clone(), "test", true);
            applier.apply(&rollout).await.ok()?;
            let live = applier.live(&rollout).await.ok()??;
            Some(live["metadata"]["uid"].clone())
        },
    )
    .await;
    let owner = json!({"apiVersion": "example.com/v1", "kind": "Rollout", "name": "web",
        "uid": uid, "controller": true});
    world.pod("rolled", |pod| pod["metadata"]["ownerReferences"] = json!([owner])).await;
    for target in ["rollout/web", "rollouts.example.com/web"] {
        let (code, report) = world.doctor(target, &[]).await;
        assert_eq!((causes(&report), code), (vec![], 0), "{report:#}");
        let exec = outcomes(&report, "pod-exec")[0];
        assert_eq!(exec["object"], "container \"iis\" of Pod shop/rolled");
    }

    let group = if world.plane.at_least(1, 21) { "batch/v1" } else { "batch/v1beta1" };
    world
        .apply(&json!({"apiVersion": group, "kind": "CronJob",
            "metadata": {"name": "nightly", "namespace": NAMESPACE},
            "spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": {"spec": {
                "restartPolicy": "Never", "serviceAccountName": "web",
                "securityContext": objects::gmsa(Some("web"), None),
                "containers": [{"name": "job", "image": "job"}]}}}}}}))
        .await;
    let (code, report) = world.doctor("cj/nightly", &[]).await;
    assert_eq!((causes(&report), code), (vec![], 0), "{report:#}");
    assert_eq!(outcomes(&report, "pod-admission")[0]["state"], "ok");
    assert_eq!(outcomes(&report, "pod-created")[0]["state"], "skipped");
}

async fn names_that_are_none(world: &World) {
    for (target, code, words) in [
        ("nothing", 1, "failed to find nothing in namespace shop"),
        ("deployment/nothing", 1, "there is none"),
        ("gizmo/web", 2, "failed to find the kind \"gizmo\""),
        ("serviceaccount/web", 2, "it creates no pods"),
        ("a/b/c", 2, "expected POD or KIND/NAME"),
        ("/web", 2, "expected POD or KIND/NAME"),
    ] {
        let ran = world.run(&["doctor", target, "-n", NAMESPACE]).await;
        assert_eq!(ran.code, code, "{target}: {}", ran.stderr);
        assert!(ran.stderr.contains(words), "{target}: {}", ran.stderr);
    }
}
