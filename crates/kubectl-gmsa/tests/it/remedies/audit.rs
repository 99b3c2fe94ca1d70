//! The remedies of what `audit` and `access` find, on a real API server with the webhook installed.

use gmsa_core::credspec::canonical_json;
use gmsa_testkit::objects;
use gmsa_testkit::process::eventually;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DeleteParams, PostParams};
use serde_json::{Value, json};

use super::living::{Living, MUTATING, VALIDATING, command, hooks};
use super::{Catalogue, Entry};
use crate::support::windows::{NAMESPACE, SOON};

const AUDIT: &[&str] = &["audit"];
const NAMESPACES: &str = "/api/v1/namespaces";

/// A finding, and what its advice says.
type Row = (&'static str, &'static str);

const ROWS: [Row; 20] = [
    ("pod-without-right", "If it may: kubectl gmsa grant web --to shop/other"),
    ("pod-without-right", "else: kubectl delete pod intruder -n shop"),
    (
        "pod-contents-without-name",
        "set `gmsaCredentialSpecName` in its template instead, and delete",
    ),
    ("pod-credspec-gone", "Delete the pod"),
    ("pod-credspec-gone", "make the credential spec again"),
    ("pod-contents-differ", "Restart the workload"),
    ("pod-not-expanded", "Delete the pod while the webhook answers"),
    ("pod-would-be-denied", "Fix the pod template as docs/denials.md says"),
    ("workload-would-be-denied", "kubectl gmsa grant web --to shop/other"),
    ("workload-would-be-denied", "Create it, or correct the name"),
    ("gmsa-in-excluded-namespace", "Change the namespace's labels"),
    ("gmsa-not-sent", "Remove the `objectSelector` from the webhook configuration"),
    ("webhook-may-skip-pods", "which removes the `objectSelector`"),
    ("namespaces-excluded", "Change the labels of the namespaces"),
    ("webhook-missing", "Run `kubectl gmsa install`"),
    ("right-unused", "kubectl gmsa revoke web --from shop/spare"),
    ("credspec-unused", "If it is not needed: kubectl delete gmsacredentialspec idle"),
    ("shared-hostname-prefix", "`kubectl gmsa install --random-hostname`"),
    ("role-names-no-credspec", "Write the name of the credential spec exactly"),
    ("not-bound-to-windows", "Set the node selector `kubernetes.io/os: windows`"),
];

pub(super) fn entries() -> impl Iterator<Item = Entry> {
    ROWS.iter().map(|(code, _)| (Catalogue::Findings, *code))
}

fn carried(spec: &str, account: &str) -> Value {
    objects::gmsa(Some(spec), Some(&canonical_json(&objects::contents(account))))
}

impl Living {
    /// Creates a pod that the webhook does not see.
    async fn unseen(&self, name: &str, account: &str, context: &Value) {
        self.blind(async || self.create(name, account, context).await).await;
    }

    /// Does something while the namespace is not sent to the webhook.
    async fn blind(&self, work: impl AsyncFnOnce()) {
        let configurations = [VALIDATING, MUTATING];
        let mut kept = Vec::new();
        for path in configurations {
            let old = self.get(path).await;
            let other = json!({"matchLabels": {"none": "at-all"}});
            self.patch(path, &hooks(&old, "/namespaceSelector", &other)).await;
            kept.push((path, json!({"webhooks": old["webhooks"]})));
        }
        // The API server's own view of the configurations lags behind.
        eventually("nothing is sent", SOON, || async {
            let mut pod = objects::pod(NAMESPACE, "seen", &objects::gmsa(Some("none"), None));
            pod["spec"]["serviceAccountName"] = json!("web");
            let pods: Api<Pod> = Api::namespaced(self.client.clone(), NAMESPACE);
            let dry = PostParams { dry_run: true, ..PostParams::default() };
            pods.create(&dry, &serde_json::from_value(pod).unwrap()).await.ok()
        })
        .await;
        work().await;
        for (path, old) in kept {
            self.patch(path, &old).await;
        }
        eventually("all is sent", SOON, || async {
            let mut pod = objects::pod(NAMESPACE, "seen", &objects::gmsa(Some("none"), None));
            pod["spec"]["serviceAccountName"] = json!("web");
            let pods: Api<Pod> = Api::namespaced(self.client.clone(), NAMESPACE);
            let dry = PostParams { dry_run: true, ..PostParams::default() };
            pods.create(&dry, &serde_json::from_value(pod).unwrap()).await.err()
        })
        .await;
    }

    async fn create(&self, name: &str, account: &str, context: &Value) {
        let mut pod = objects::pod(NAMESPACE, name, context);
        pod["spec"]["serviceAccountName"] = json!(account);
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), NAMESPACE);
        let pod = serde_json::from_value(pod).unwrap();
        pods.create(&PostParams::default(), &pod).await.unwrap();
    }

    async fn remove(&self, name: &str) {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), NAMESPACE);
        drop(pods.delete(name, &DeleteParams::default().grace_period(0)).await.unwrap());
    }

    /// A workload with one pod, or with none.
    async fn deploy(&self, name: &str, account: &str, spec: &str, replicas: u32) {
        let mut pod = objects::pod(NAMESPACE, name, &objects::gmsa(Some(spec), None));
        pod["spec"]["serviceAccountName"] = json!(account);
        let mut deployment = objects::deployment(NAMESPACE, name, &pod);
        deployment["spec"]["replicas"] = json!(replicas);
        self.apply(&deployment).await;
    }

    async fn has_pod(&self, name: &str) {
        eventually("a pod is there", SOON, || async {
            self.pods(&format!("app={name}")).await.into_iter().next()
        })
        .await;
    }
}

/// Plants the fault of a row.
async fn plant(world: &Living, (code, says): Row) {
    match code {
        "pod-without-right" => world.unseen("intruder", "other", &carried("web", "WebApp1")).await,
        "pod-contents-without-name" => {
            let contents = canonical_json(&objects::contents("WebApp1"));
            world.unseen("nameless", "web", &objects::gmsa(None, Some(&contents))).await;
        }
        "pod-credspec-gone" => world.unseen("gone", "web", &carried("gone", "Gone")).await,
        "pod-contents-differ" => {
            world.deploy("old", "web", "web", 1).await;
            world.has_pod("old").await;
            let mut spec = objects::credential_spec("web", "WebApp1");
            spec["credspec"]["DomainJoinConfig"]["DnsTreeName"] = json!("forest.contoso.com");
            world.apply(&spec).await;
        }
        "pod-not-expanded" => {
            world
                .blind(async || {
                    world.deploy("bare", "web", "web", 1).await;
                    world.has_pod("bare").await;
                })
                .await;
        }
        "pod-would-be-denied" => {
            world
                .blind(async || {
                    let context = objects::gmsa(Some("web"), None);
                    let containers: Vec<Value> = (0..501)
                        .map(|index| {
                            json!({"name": format!("c{index}"), "image": "iis",
                                "securityContext": context})
                        })
                        .collect();
                    let mut pod = objects::pod(NAMESPACE, "many", &json!({}));
                    pod["spec"]["serviceAccountName"] = json!("web");
                    pod["spec"]["containers"] = json!(containers);
                    let mut deployment = objects::deployment(NAMESPACE, "many", &pod);
                    deployment["spec"]["strategy"] = json!({"type": "Recreate"});
                    world.apply(&deployment).await;
                    world.has_pod("many").await;
                })
                .await;
        }
        "workload-would-be-denied" if says.contains("grant") => {
            world.deploy("no", "other", "web", 0).await;
        }
        "workload-would-be-denied" => world.deploy("no", "web", "wbe", 0).await,
        "gmsa-in-excluded-namespace" => {
            world.bare_namespace("aside", &json!({"gmsa-webhook": "disabled"})).await;
            let mut pod = objects::pod("aside", "x", &objects::gmsa(Some("web"), None));
            pod["spec"]["serviceAccountName"] = json!("nobody");
            let mut deployment = objects::deployment("aside", "aside", &pod);
            deployment["spec"]["replicas"] = json!(0);
            world.apply(&deployment).await;
        }
        "gmsa-not-sent" | "webhook-may-skip-pods" => {
            let old = world.get(VALIDATING).await;
            let selector = json!({"matchExpressions": [
                {"key": "app", "operator": "NotIn", "values": ["quiet"]}]});
            world.patch(VALIDATING, &hooks(&old, "/objectSelector", &selector)).await;
            world.deploy("quiet", "web", "web", 0).await;
        }
        "namespaces-excluded" => {
            world.bare_namespace("quiet", &json!({"gmsa-webhook": "disabled"})).await;
        }
        "webhook-missing" => world.delete(VALIDATING).await,
        "right-unused" => {
            world
                .apply(&json!({"apiVersion": "v1", "kind": "ServiceAccount",
                    "metadata": {"name": "spare", "namespace": NAMESPACE}}))
                .await;
            world.must("kubectl gmsa grant web --to shop/spare").await;
        }
        "credspec-unused" => world.apply(&objects::credential_spec("idle", "Idle")).await,
        "shared-hostname-prefix" => {
            world.deploy("name-of-15-signs-and-more", "web", "web", 1).await;
            world.has_pod("name-of-15-signs-and-more").await;
        }
        "role-names-no-credspec" => world.apply(&objects::role("Web")).await,
        "not-bound-to-windows" => {
            let mut pod = objects::pod(NAMESPACE, "any", &objects::gmsa(Some("web"), None));
            pod["spec"]["serviceAccountName"] = json!("web");
            pod["spec"]["nodeSelector"] = json!(null);
            let mut deployment = objects::deployment(NAMESPACE, "any", &pod);
            deployment["spec"]["replicas"] = json!(0);
            world.apply(&deployment).await;
        }
        _ => panic!("{code}"),
    }
}

/// Does what the advice says.
async fn follow(world: &Living, (code, says): Row, advice: &str) -> Result<(), String> {
    let deployment =
        |name: &str| format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{name}");
    match code {
        "pod-without-right" => {
            let start =
                if says.starts_with("If") { "kubectl gmsa grant" } else { "kubectl delete" };
            world.shell(&command(advice, start)).await?;
        }
        "pod-contents-without-name" => {
            world.remove("nameless").await;
            world.create("nameless", "web", &objects::gmsa(Some("web"), None)).await;
        }
        "pod-credspec-gone" if says.contains("Delete") => world.remove("gone").await,
        "pod-credspec-gone" => {
            // The workload needs it, and so its right.
            world.apply(&objects::credential_spec("gone", "Gone")).await;
            world.shell("kubectl gmsa grant gone --to shop/web").await?;
        }
        "pod-contents-differ" => {
            world.shell("kubectl rollout restart deployment/old -n shop").await?;
        }
        "pod-not-expanded" => world.shell("kubectl delete pod -l app=bare -n shop").await?,
        "pod-would-be-denied" => {
            let page = gmsa_core::admission::denials_page();
            let remedy = "Set the credential spec once, in the security context of the pod";
            assert!(page.contains(remedy), "{page}");
            let context = objects::gmsa(Some("web"), None);
            // One of them is enough to show what they have in common.
            let containers = json!([{"name": "c0", "image": "iis"}]);
            let spec = json!({"securityContext": context, "containers": containers});
            let patch = json!({"spec": {"template": {"spec": spec}}});
            world.patch(&deployment("many"), &patch).await;
        }
        "workload-would-be-denied" if says.contains("grant") => {
            world.shell(&command(advice, "kubectl gmsa grant")).await?;
        }
        "workload-would-be-denied" => {
            let context = objects::gmsa(Some("web"), None);
            let patch = json!({"spec": {"template": {"spec": {"securityContext": context}}}});
            world.patch(&deployment("no"), &patch).await;
        }
        "gmsa-in-excluded-namespace" | "namespaces-excluded" => {
            let name = if code == "namespaces-excluded" { "quiet" } else { "aside" };
            let patch = json!({"metadata": {"labels": {"gmsa-webhook": null}}});
            world.patch(&format!("{NAMESPACES}/{name}"), &patch).await;
        }
        "gmsa-not-sent" => {
            let old = world.get(VALIDATING).await;
            world.patch(VALIDATING, &hooks(&old, "/objectSelector", &json!(null))).await;
        }
        "webhook-may-skip-pods" | "webhook-missing" => {
            world.shell(&command(advice, "kubectl gmsa install")).await?;
        }
        "right-unused" => world.shell(&command(advice, "kubectl gmsa revoke")).await?,
        "credspec-unused" => world.shell(&command(advice, "kubectl delete")).await?,
        "shared-hostname-prefix" => {
            world.shell(&command(advice, "kubectl gmsa install")).await?;
            let restart = "kubectl rollout restart deployment/name-of-15-signs-and-more -n shop";
            world.shell(restart).await?;
        }
        "role-names-no-credspec" => {
            let rules = json!([{"apiGroups": ["windows.k8s.io"],
                "resources": ["gmsacredentialspecs"], "verbs": ["use"], "resourceNames": ["web"]}]);
            let path = "/apis/rbac.authorization.k8s.io/v1/clusterroles/Web";
            world.patch(path, &json!({"rules": rules})).await;
        }
        "not-bound-to-windows" => {
            let selector = json!({"nodeSelector": {"kubernetes.io/os": "windows"}});
            let patch = json!({"spec": {"template": {"spec": selector}}});
            world.patch(&deployment("any"), &patch).await;
        }
        _ => panic!("{code}"),
    }
    Ok(())
}

/// Leaves nothing behind that the next row would meet.
async fn clear(world: &Living, (code, says): Row) {
    match code {
        "pod-without-right" if says.starts_with("If") => {
            world.remove("intruder").await;
            world.must("kubectl gmsa revoke web --from shop/other").await;
        }
        "pod-contents-without-name" => world.remove("nameless").await,
        "pod-credspec-gone" if says.contains("make") => {
            world.remove("gone").await;
            world.must("kubectl gmsa revoke gone --from shop/web").await;
            world.must("kubectl delete gmsa gone").await;
        }
        "pod-contents-differ" => world.apply(&objects::credential_spec("web", "WebApp1")).await,
        "pod-would-be-denied" => world.must("kubectl delete deployment many -n shop").await,
        "workload-would-be-denied" if says.contains("grant") => {
            world.must("kubectl gmsa revoke web --from shop/other").await;
            world.must("kubectl delete deployment no -n shop").await;
        }
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_audit_and_access_advise_works() {
    let Some(world) = Living::new("what_audit_and_access_advise_works").await else { return };
    world
        .apply(&json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": "other", "namespace": NAMESPACE}}))
        .await;
    world.can_have_pods(NAMESPACE, "other").await;
    let mut failures = Vec::new();
    for row in ROWS {
        let (code, says) = row;
        let is_of_namespaces =
            ["gmsa-in-excluded-namespace", "namespaces-excluded"].contains(&code);
        if is_of_namespaces && world.plane.at_least(1, 28) {
            // There install leaves no namespace out.
            continue;
        }
        eprintln!("{} {code}: {says}", k8s_openapi::jiff::Timestamp::now());
        plant(&world, row).await;
        match world.advised(AUDIT, code, says).await {
            Ok(advice) => {
                let done = match follow(&world, row, &advice).await {
                    Ok(()) => world.gone(AUDIT, code).await,
                    Err(failed) => Err(failed),
                };
                if let Err(left) = done {
                    failures.push(format!("{code} is followed: {advice}\nand is left: {left}"));
                }
            }
            Err(why) => failures.push(why),
        }
        clear(&world, row).await;
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    access(&world).await;
}

/// The table of `access` names the command that gives a missing right.
async fn access(world: &Living) {
    world.deploy("ask", "other", "web", 0).await;
    let table = world.output("kubectl gmsa access web").await;
    let line = table.lines().find(|line| line.contains("kubectl gmsa grant")).expect(&table);
    let grant = command(line, "kubectl gmsa grant");
    world.must(&grant).await;
    eventually("the right is there", SOON, || async {
        let table = world.output("kubectl gmsa access web").await;
        (!table.lines().any(|line| line.ends_with(&grant))).then_some(())
    })
    .await;
}
