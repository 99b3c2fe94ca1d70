//! Options of install: further objects, where pods run, and the messages when something is wrong;
//! on a real control plane.

use std::path::Path;

use crate::support::windows_gmsa::plant;
use crate::support::world::{SOON, World};
use crate::support::{ROOT, Ran, webhook};
use gmsa_cluster::installation::{self, Options};
use gmsa_core::names;
use gmsa_testkit::objects;
use gmsa_testkit::pki::Authority;
use gmsa_testkit::process::eventually;
use gmsa_testkit::stand_in::{Problem, StandIn, Workload};
use kube::config::Kubeconfig;
use serde_json::{Value, json};

/// A resource definition with the name of one of the Prometheus operator's, for any contents.
fn definition(kind: &str, plural: &str) -> Value {
    objects::definition("monitoring.coreos.com", kind, plural, &objects::any())
}

fn named(api_version: &str, kind: &str, name: &str) -> Value {
    json!({"apiVersion": api_version, "kind": kind,
        "metadata": {"name": name, "namespace": names::NAME}})
}

/// Each is there, and what is published for monitoring is what is there.
async fn assert_as_published(world: &World, further: &[Value]) {
    let mut live = Vec::new();
    for object in further {
        live.push(world.live(object).await.unwrap_or_else(|| panic!("{object} is missing")));
    }
    let published = |file: &str| {
        std::fs::read_to_string(Path::new(ROOT).join("deploy/monitoring").join(file)).unwrap()
    };
    assert!(
        published("alerts.yaml")
            .contains(live[1]["spec"]["groups"][0]["rules"][0]["alert"].as_str().unwrap())
    );
    assert_eq!(live[2]["data"]["gmsa-webhook.json"], published("dashboard.json"));
    assert_eq!(live[2]["metadata"]["labels"]["grafana_dashboard"], "1");
}

/// The pods are where and as large as was said.
fn assert_placed(pod: &Value) {
    assert_eq!(pod["nodeSelector"], json!({"kubernetes.io/os": "linux", "pool": "infra"}));
    assert_eq!(
        pod["tolerations"],
        json!([{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists",
            "effect": "NoSchedule"}])
    );
    assert!(pod["affinity"]["nodeAffinity"].is_object(), "{pod}");
    assert_eq!(
        pod["containers"][0]["resources"],
        json!({"requests": {"cpu": "50m", "memory": "48Mi"},
            "limits": {"cpu": "500m", "memory": "128Mi"}})
    );
}

#[expect(clippy::too_many_lines, reason = "one installation goes through all options")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn further_objects_come_and_go_with_their_options() {
    let Some(world) = World::new("further_objects_come_and_go_with_their_options").await else {
        return;
    };
    let of_operator = ["--service-monitor", "--prometheus-rule"];
    let Ran { code, stdout, stderr } = world.run(&[&["install"], &of_operator[..]].concat()).await;
    assert_eq!(code, 3, "{stdout}");
    for words in ["ServiceMonitor", "PrometheusRule", "leave out the option", "nothing was changed"]
    {
        assert!(stderr.contains(words), "{words}: {stderr}");
    }
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": names::NAME}});
    assert!(world.live(&namespace).await.is_none());

    plant(
        &world,
        &[
            definition("ServiceMonitor", "servicemonitors"),
            definition("PrometheusRule", "prometheusrules"),
        ],
    )
    .await;
    let files = tempfile::tempdir().unwrap();
    let affinity = files.path().join("affinity.yaml");
    std::fs::write(
        &affinity,
        "nodeAffinity:\n  preferredDuringSchedulingIgnoredDuringExecution:\n    - weight: 1\n      \
         preference:\n        matchExpressions:\n          - {key: pool, operator: In, values: [infra]}\n",
    )
    .unwrap();
    let affinity = format!("--affinity-file={}", affinity.display());
    let _stand_in = world.stand_in(None).await;
    let all = [
        "install",
        "--service-monitor",
        "--prometheus-rule",
        "--dashboard",
        "--network-policy",
        "--viewer-role",
        "--node-selector=pool=infra",
        "--toleration=node-role.kubernetes.io/control-plane:NoSchedule",
        "--cpu-limit=500m",
        "--memory-request=48Mi",
        &affinity,
    ];
    eventually("the kinds are served", SOON, || async {
        let ran = world.run(&[&all[..], &["--dry-run=server"]].concat()).await;
        (ran.code == 0).then_some(())
    })
    .await;
    world.done(&all).await;
    world.namespace("web").await;
    world.admit("web").await.unwrap();

    let monitoring = "monitoring.coreos.com/v1";
    let further = [
        named(monitoring, "ServiceMonitor", names::NAME),
        named(monitoring, "PrometheusRule", names::NAME),
        named("v1", "ConfigMap", "gmsa-webhook-dashboard"),
        named("networking.k8s.io/v1", "NetworkPolicy", names::NAME),
        named("rbac.authorization.k8s.io/v1", "ClusterRole", "gmsa-webhook-viewer"),
    ];
    assert_as_published(&world, &further).await;
    let view = named("rbac.authorization.k8s.io/v1", "ClusterRole", "view");
    eventually("viewers may read credential specs", SOON, || async {
        world.live(&view).await?["rules"].to_string().contains("gmsacredentialspecs").then_some(())
    })
    .await;
    let deployment = || async {
        world.live(&named("apps/v1", "Deployment", names::NAME)).await.unwrap()["spec"]["template"]
            ["spec"]
            .clone()
    };
    assert_placed(&deployment().await);

    let again = world.done(&["install"]).await;
    assert!(again.lines().all(|line| line.ends_with(" unchanged")), "{again}");
    // What is switched off is deleted, and everything else stays.
    let fewer = world
        .done(&[
            "upgrade",
            "--network-policy=false",
            "--prometheus-rule=false",
            "--toleration=",
            "--cpu-limit=",
            "--affinity-file=",
        ])
        .await;
    for name in ["networkpolicy/gmsa-webhook", "prometheusrule/gmsa-webhook"] {
        assert!(fewer.contains(&format!("{name} deleted")), "{fewer}");
    }
    for (object, is_there) in further.iter().zip([true, false, true, false, true]) {
        assert_eq!(world.live(object).await.is_some(), is_there, "{object}");
    }
    let pod = deployment().await;
    assert!(pod["tolerations"].is_null() && pod["affinity"]["nodeAffinity"].is_null(), "{pod}");
    assert_eq!(pod["nodeSelector"]["pool"], "infra");

    world.done(&["uninstall", "--yes"]).await;
    let everything = installation::objects(&Options::default().with_everything(), world.version());
    for object in everything.iter() {
        let gone = world.live(object).await.is_none_or(|live| {
            // The namespace takes a while.
            ["Namespace", "CustomResourceDefinition"].contains(&live["kind"].as_str().unwrap())
        });
        assert!(gone, "{object} is left");
    }
}

/// With the resource definition every credential spec goes, which is asked for in so many words.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn purging_removes_what_otherwise_stays() {
    let Some(world) = World::new("purging_removes_what_otherwise_stays").await else { return };
    let before = world.objects().await;
    let _stand_in = world.stand_in(None).await;
    world.done(&["install"]).await;
    world.namespace("web").await;
    let spec = objects::credential_spec("spec", "WebApp1");
    let dry = world.done(&["uninstall", "--purge-credspecs", "--dry-run=server"]).await;
    // First the guard, so that no pod is refused because the webhook is gone.
    let mut lines = dry.lines().map(|line| line.split('/').next().unwrap());
    if world.plane.at_least(1, 30) {
        assert_eq!(lines.next(), Some("validatingadmissionpolicybinding"), "{dry}");
        assert_eq!(lines.next(), Some("validatingadmissionpolicy"), "{dry}");
    }
    assert_eq!(lines.next(), Some("validatingwebhookconfiguration"), "{dry}");
    assert_eq!(lines.next(), Some("mutatingwebhookconfiguration"), "{dry}");
    assert!(dry.contains("customresourcedefinition/gmsacredentialspecs.windows.k8s.io deleted"));
    assert!(world.live(&spec).await.is_some(), "a dry run deleted something");
    let ran = world.run(&["uninstall", "--purge-credspecs"]).await;
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("every credential spec of the cluster is deleted"));
    assert!(world.live(&spec).await.is_some());

    world.done(&["uninstall", "--purge-credspecs", "--yes"]).await;
    eventually("all is as it was", SOON, || async {
        (world.objects().await == before).then_some(())
    })
    .await;
    assert!(world.live(&spec).await.is_none());
    let nothing = world.run(&["uninstall", "--yes"]).await;
    assert!(nothing.stderr.contains("there is nothing to remove"));
}

/// A user who may read everything and write nothing gets the missing rights before anything changes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_rights_are_named_before_anything_is_changed() {
    let test = "missing_rights_are_named_before_anything_is_changed";
    let Some(world) = World::new(test).await else { return };
    let rbac = "rbac.authorization.k8s.io";
    plant(
        &world,
        &[
            json!({"apiVersion": format!("{rbac}/v1"), "kind": "ClusterRole",
                "metadata": {"name": "reader"}, "rules": [{"apiGroups": ["*"], "resources": ["*"],
                    "verbs": ["get", "list", "watch"]}]}),
            json!({"apiVersion": format!("{rbac}/v1"), "kind": "ClusterRoleBinding",
                "metadata": {"name": "reader"},
                "subjects": [{"kind": "User", "name": "reader", "apiGroup": rbac}],
                "roleRef": {"kind": "ClusterRole", "name": "reader", "apiGroup": rbac}}),
        ],
    )
    .await;
    let mut kubeconfig = Kubeconfig::read_from(world.plane.kubeconfig_path()).unwrap();
    for user in &mut kubeconfig.auth_infos {
        user.auth_info.as_mut().unwrap().impersonate = Some("reader".to_owned());
    }
    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("kubeconfig");
    std::fs::write(&path, serde_json::to_string(&kubeconfig).unwrap()).unwrap();
    let before = world.objects().await;
    let kubeconfig = format!("--kubeconfig={}", path.display());
    let Ran { code, stdout, stderr } = world.run(&["install", &kubeconfig]).await;
    assert_eq!(code, 3, "{stdout}");
    for object in ["deployment/gmsa-webhook", "mutatingwebhookconfiguration/gmsa-webhook"] {
        assert!(stderr.contains(&format!("you may not create {object}")), "{stderr}");
    }
    assert!(stderr.contains("nothing was changed") && stdout.is_empty(), "{stderr}");
    assert_eq!(world.objects().await, before);

    // Nor is half an installation deleted.
    let _stand_in = world.stand_in(None).await;
    world.done(&["install"]).await;
    let before = world.objects().await;
    let Ran { code, stdout, stderr } = world.run(&["uninstall", "--yes", &kubeconfig]).await;
    assert_eq!(code, 3, "{stdout}");
    for object in ["deployment/gmsa-webhook", "mutatingwebhookconfiguration/gmsa-webhook"] {
        assert!(stderr.contains(&format!("you may not delete {object}")), "{stderr}");
    }
    assert!(stderr.contains("nothing was deleted") && stdout.is_empty(), "{stderr}");
    assert_eq!(world.objects().await, before);

    // And each command acts on the namespace of the installation alone.
    for command in [&["install"][..], &["install", "--dry-run=server"], &["uninstall", "--yes"]] {
        let elsewhere = [command, &["--namespace=elsewhere"]].concat();
        let Ran { code, stdout, stderr } = world.run(&elsewhere).await;
        assert_eq!(code, 3, "{elsewhere:?}: {stdout}");
        let why = "in the namespace elsewhere: the installation is in gmsa-webhook";
        assert!(stderr.contains(why) && stdout.is_empty(), "{elsewhere:?}: {stderr}");
    }
    assert_eq!(world.objects().await, before);
}

/// The message says why the webhook does not answer and what to do, and no pod is blocked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_install_says_why_and_blocks_no_pod() {
    let Some(world) = World::new("a_failed_install_says_why_and_blocks_no_pod").await else {
        return;
    };
    let failed = async |args: &[&str], words: &[&str]| {
        let Ran { code, stderr, .. } = world.run(&[&["install"], args].concat()).await;
        assert_eq!(code, 3, "{stderr}");
        for word in words {
            assert!(stderr.contains(word), "{word}: {stderr}");
        }
        for kind in ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] {
            let object = named("admissionregistration.k8s.io/v1", kind, names::NAME);
            assert!(world.live(&object).await.is_none(), "{kind} is left");
        }
    };
    let unreachable = world.stand_in(Some(Problem::Unreachable)).await;
    let words = ["cannot reach the webhook's pods", "--host-network", "removed again"];
    failed(&["--wait=30", "--timeout-seconds=2"], &words).await;
    drop(unreachable);

    // It serves a certificate of a CA that the configurations do not trust.
    let authority = Authority::new("another");
    let pair = authority.server(&["gmsa-webhook.gmsa-webhook.svc"]);
    let files = tempfile::tempdir().unwrap();
    let (certificate, key) = pair.write(files.path(), "its");
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata":
        {"name": names::SECRET, "namespace": names::NAME}, "stringData": {"ca.crt": authority.pem()}});
    plant(&world, &[secret]).await;
    let mut workload = webhook();
    workload.args.push(format!("--tls-cert={}", certificate.display()));
    workload.args.push(format!("--tls-key={}", key.display()));
    let untrusted = StandIn::start(&world.plane, Workload { ..workload }).await;
    failed(&["--wait=30", "--image=somewhere/gmsa:2"], &["x509", "kubectl logs"]).await;
    drop(untrusted);

    // When the cause is fixed, the same command finishes the installation.
    let secret = named("v1", "Secret", names::SECRET);
    world.applier().delete(&secret).await.unwrap();
    let _stand_in = world.stand_in(None).await;
    world.done(&["install", "--image=somewhere/gmsa:3"]).await;
    world.namespace("web").await;
    world.admit("web").await.unwrap();
}

/// Killed while its webhooks match probes only: no pod is blocked, and the next run finishes it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_install_is_finished_by_the_next_run() {
    let Some(world) = World::new("a_killed_install_is_finished_by_the_next_run").await else {
        return;
    };
    let unreachable = world.stand_in(Some(Problem::Unreachable)).await;
    let mut killed = std::process::Command::new(env!("CARGO_BIN_EXE_kubectl-gmsa"))
        .env("KUBECONFIG", world.plane.kubeconfig_path())
        .args(["install", "--timeout-seconds=30"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let kind = "ValidatingWebhookConfiguration";
    let configuration = named("admissionregistration.k8s.io/v1", kind, names::NAME);
    eventually("the webhooks are sent probes", SOON, || async { world.live(&configuration).await })
        .await;
    killed.kill().unwrap();
    killed.wait().unwrap();
    let live = world.live(&configuration).await.unwrap();
    assert!(live["webhooks"][0]["objectSelector"]["matchLabels"].is_object(), "{live}");
    world.namespace("web").await;
    world.plain("web").await.unwrap();
    assert_eq!(world.admit("web").await, Err("not expanded".to_owned()));
    drop(unreachable);

    let _stand_in = world.stand_in(None).await;
    // Other replicas, because the processes of the first are gone with their stand-in.
    world.done(&["install", "--image=somewhere/gmsa:2", "--timeout-seconds=5"]).await;
    world.admit("web").await.unwrap();
    let again = world.done(&["install"]).await;
    assert!(again.lines().all(|line| line.ends_with(" unchanged")), "{again}");
}

/// The replicas get the settings, and what reads their metrics follows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_settings_reach_the_replicas_and_metrics_are_read_over_https() {
    let test = "tls_settings_reach_the_replicas_and_metrics_are_read_over_https";
    let Some(world) = World::new(test).await else { return };
    for (args, words) in [
        (&["--tls-min-version=VersionTLS10"][..], "expected VersionTLS12 or VersionTLS13"),
        (&["--tls-cipher-suites=RC4"], "TLS_AES_128_GCM_SHA256"),
        (&["--tls-curves=CurveP256,CurveP521"], "CurveP384 (24)"),
        (&["--tls-curves=CurveP256", "--follow-tls-profile"], "leave one out"),
    ] {
        let ran = world.run(&[&["install"], args].concat()).await;
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(words), "{args:?}: {}", ran.stderr);
    }
    let _stand_in = world.stand_in(None).await;
    let settings =
        ["--metrics-https", "--tls-min-version=VersionTLS13", "--tls-curves=X25519MLKEM768,23"];
    world.done(&[&["install"], &settings[..]].concat()).await;
    let server = named("apps/v1", "Deployment", names::NAME);
    let args = |live: &Value| live["spec"]["template"]["spec"]["containers"][0]["args"].to_string();
    let live = args(&world.live(&server).await.unwrap());
    for flag in ["--tls-min-version=VersionTLS13", "--tls-curves=X25519MLKEM768,23"] {
        assert!(live.contains(flag), "{live}");
    }
    let again = world.done(&["install"]).await;
    assert!(again.lines().all(|line| line.ends_with(" unchanged")), "{again}");
    eventually("the metrics of both replicas are read", SOON, || async {
        let (_, report) = world.report(&["status"]).await;
        let replicas = report["replicas"].as_array()?;
        (replicas.len() == 2 && replicas.iter().all(|one| one["metrics"].is_object())).then_some(())
    })
    .await;

    // The cluster's profile takes the place of the settings, with a right of its own.
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": "gmsa-webhook-tls-profile"}});
    assert!(world.live(&role).await.is_none());
    let instead = ["upgrade", "--tls-min-version=", "--tls-curves=", "--follow-tls-profile"];
    world.done(&instead).await;
    let live = args(&world.live(&server).await.unwrap());
    assert!(live.contains("--follow-tls-profile=true") && !live.contains("--tls-curves"), "{live}");
    let rules = world.live(&role).await.unwrap()["rules"].clone();
    assert_eq!(
        rules,
        json!([{"apiGroups": ["config.openshift.io"], "resources": ["apiservers"],
            "resourceNames": ["cluster"], "verbs": ["get"]}])
    );
    world.done(&["upgrade", "--follow-tls-profile=false", "--metrics-https=false"]).await;
    assert!(world.live(&role).await.is_none());
}
