//! Three replicas under steady creation of pods: a rolling restart, a killed replica, a lost Secret,
//! evictions. And the audit's schedule, which takes its minute meanwhile.

use gmsa_core::names::{AUDIT, NAME, SECRET};
use gmsa_testkit::process::eventually;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use kube::ResourceExt as _;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::Cluster;
use crate::support::load::Load;
use crate::support::unpacked;
use crate::support::world::SOON;

const TEST: &str = "a_restart_a_killed_replica_a_lost_secret_and_evictions_cost_no_creation";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_a_killed_replica_a_lost_secret_and_evictions_cost_no_creation() {
    let Some(cluster) = Cluster::new(TEST).await else { return };
    cluster.installed(&["--replicas=3", "--audit", "--audit-schedule=* * * * *"]).await;
    cluster.namespace("load").await;
    let pod = cluster.pods().await.remove(0);
    runs_with_nothing_that_it_does_not_need(&cluster, cluster.process(&pod).await);
    let load = Load::start(&cluster.node.client, "load");
    load.nothing_failed("at the start").await;

    let secrets: Api<Secret> = Api::namespaced(cluster.node.client.clone(), NAME);
    let before = secrets.get(SECRET).await.unwrap();
    let restored = cluster.events("SecretRestored").await.len();
    secrets.delete(SECRET, &DeleteParams::default()).await.unwrap();
    eventually("the deleted Secret is back", SOON, || async {
        let secret = secrets.get_opt(SECRET).await.unwrap()?;
        (secret.uid() != before.uid() && secret.data == before.data).then_some(())
    })
    .await;
    load.nothing_failed("with a lost Secret").await;

    // As `kubectl rollout restart` does it.
    let deployments: Api<Deployment> = Api::namespaced(cluster.node.client.clone(), NAME);
    let restart = json!({"spec": {"template": {"metadata": {"annotations":
        {"kubectl.kubernetes.io/restartedAt": "2026-11-28T00:00:00Z"}}}}});
    deployments.patch(NAME, &PatchParams::default(), &Patch::Merge(restart)).await.unwrap();
    cluster.rolled_out().await;
    load.nothing_failed("in a rolling restart").await;

    let pods: Api<Pod> = Api::namespaced(cluster.node.client.clone(), NAME);
    evictions(&cluster, &pods).await;
    cluster.rolled_out().await;
    load.nothing_failed("with evictions").await;

    // In a pod that is to stay: kubelet starts nothing again in one that was evicted.
    cluster.replicas_ended().await;
    let killed = cluster.pods().await.remove(0);
    let process = cluster.process(&killed).await;
    let killed = killed.name_any();
    cluster.node.shell(&format!("kill -9 {process}"));
    eventually("kubelet starts it again", SOON, || async {
        let pod = pods.get(&killed).await.unwrap();
        (restarts(&pod) > 0 && is_ready(&pod)).then_some(())
    })
    .await;
    load.goes_on().await;
    // Until kubelet notices, the Service leads there, and what was in flight there is lost.
    let failed = load.failures();
    for why in &failed {
        let lost = ["connection refused", "connection reset", "EOF"];
        assert!(lost.iter().any(|words| why.contains(words)), "{why}");
    }
    load.goes_on().await;
    assert_eq!(load.failures().len(), failed.len(), "it goes on failing");
    eprintln!("{} creations, {} failed", load.count(), failed.len());
    load.end().await;

    // Each of the three noticed, and one reports it.
    assert_eq!(cluster.events("SecretRestored").await.len(), restored + 1);
    restart_is_reported(&cluster, &killed).await;
    audit_ran(&cluster).await;
    cluster.remove_namespace("load").await;
}

/// As its process is on the node: without root, capabilities and a way to get any.
fn runs_with_nothing_that_it_does_not_need(cluster: &Cluster, process: u32) {
    let status = cluster.node.shell(&format!("cat /proc/{process}/status"));
    let value = |key: &str| {
        let line = status.lines().find(|line| line.starts_with(key)).unwrap();
        line[key.len()..].split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(value("Uid:"), ["65532"; 4]);
    assert_eq!(value("Gid:"), ["65532"; 4]);
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
        assert_eq!(value(set), ["0000000000000000"], "{set}");
    }
    assert_eq!(value("NoNewPrivs:"), ["1"]);
    assert_eq!(value("Seccomp:"), ["2"], "a filter");
    let root = cluster.node.shell(&format!("grep ' / / ' /proc/{process}/mountinfo"));
    assert!(root.contains(" ro,"), "{root}");
}

/// The disruption budget lets one go at a time.
async fn evictions(cluster: &Cluster, pods: &Api<Pod>) {
    let names: Vec<String> = cluster.pods().await.iter().map(Pod::name_any).collect();
    let version = if cluster.node.at_least(1, 22) { "policy/v1" } else { "policy/v1beta1" };
    let evict = async |name: &str| {
        let eviction = json!({"apiVersion": version, "kind": "Eviction",
            "metadata": {"name": name, "namespace": NAME}});
        let params = PostParams::default();
        let answer: Result<Value, _> =
            pods.create_subresource("eviction", name, &params, &eviction).await;
        answer.map(drop).map_err(|error| error.to_string())
    };
    eventually("the first may go", SOON, || async { evict(&names[0]).await.ok() }).await;
    let refused = evict(&names[1]).await.expect_err("two at once");
    assert!(refused.contains("disruption budget"), "{refused}");
    eventually("the next may go when there are three again", SOON, || async {
        evict(&names[1]).await.ok()
    })
    .await;
}

pub(super) fn restarts(pod: &Pod) -> i32 {
    let statuses = pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
    statuses.map(|status| status.restart_count).sum()
}

pub(super) fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|one| one.type_ == "Ready" && one.status == "True")
}

async fn restart_is_reported(cluster: &Cluster, pod: &str) {
    for command in ["status", "doctor"] {
        let ran = cluster.run(&[command]).await;
        assert!(ran.stdout.contains("webhook-restarts"), "{command}: {}", ran.stdout);
        assert!(ran.stdout.contains("with code 137"), "{command}: {}", ran.stdout);
    }
    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("support.zip");
    cluster.run(&["doctor", "--bundle", file.to_str().unwrap()]).await;
    let archive = unpacked(&file);
    for log in ["webhook.log", "webhook.previous.log"] {
        let name = format!("logs/{NAME}/{pod}/{log}");
        let text = archive.get(&name).unwrap_or_else(|| panic!("{name}: {:?}", archive.keys()));
        assert!(text.contains("\"listening\""), "{name}: {text}");
    }
}

/// The controller ran it by its schedule.
async fn audit_ran(cluster: &Cluster) {
    let jobs: Api<Job> = Api::namespaced(cluster.node.client.clone(), NAME);
    eventually("a Job of the schedule succeeded", SOON, || async {
        let jobs = jobs.list(&ListParams::default()).await.unwrap().items;
        let scheduled = jobs
            .iter()
            .filter(|job| job.owner_references().iter().any(|owner| owner.kind == "CronJob"));
        let mut succeeded = scheduled.filter_map(|job| job.status.as_ref()?.succeeded);
        succeeded.any(|count| count > 0).then_some(())
    })
    .await;
    let maps: Api<ConfigMap> = Api::namespaced(cluster.node.client.clone(), NAME);
    let results = maps.get(AUDIT).await.unwrap();
    assert!(!results.data.unwrap_or_default().is_empty());
}
