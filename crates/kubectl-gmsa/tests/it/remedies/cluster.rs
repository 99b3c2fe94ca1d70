//! The remedies of the doctor's checks of the cluster, on a real API server with the webhook
//! installed; processes on this machine stand in for the webhook's pods.

use gmsa_testkit::objects;
use serde_json::{Value, json};

use super::living::{CRD, Living, MUTATING, VALIDATING, advices, command, hooks};
use super::{Catalogue, Entry};
use crate::support::windows::NAMESPACE;

const SERVICE: &str = "/api/v1/namespaces/gmsa-webhook/services/gmsa-webhook";
const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/gmsa-webhook/deployments/gmsa-webhook";
const ROLE: &str = "/apis/rbac.authorization.k8s.io/v1/clusterroles/gmsa-webhook";
const ACCOUNT: &str = "/api/v1/namespaces/gmsa-webhook/serviceaccounts/gmsa-webhook";
const COREDNS: &str = "/api/v1/namespaces/kube-system/configmaps/coredns";
const SPEC: &str = "/apis/windows.k8s.io/v1/gmsacredentialspecs/web";
/// It passes always, and says what an outage stops.
const OUTAGE: &str = "webhook-outage";
/// It depends on who looks.
const METRICS: &str = "webhook-metrics";
const LEFT: &str = "/apis/apps/v1/namespaces/default/deployments/windows-gmsa-webhook";

/// How a fault is planted.
enum Plant {
    /// A merge patch, made of the object as it is.
    Patch(&'static str, fn(&Value) -> Value),
    Delete(&'static str),
    Apply(fn() -> Value),
    Run(&'static str),
    /// A merge patch, and then a command.
    PatchAndRun(&'static str, fn(&Value) -> Value, &'static str),
}

/// How the advice is followed.
enum Follow {
    /// The command that the advice names and that begins so.
    Run(&'static str),
    /// The same, after which the check advises what the next row follows.
    RunFirst(&'static str),
    /// Several commands, in this order.
    RunAll(&'static [&'static str]),
    /// A merge patch, made of the object as it is and of the advice.
    Patch(&'static str, fn(&Value, &str) -> Value),
    Delete(&'static str),
    /// The command with what it asks for, then more.
    Complete(&'static str, &'static str),
}

struct Row {
    check: &'static str,
    /// A part of the advice.
    says: &'static str,
    plant: Plant,
    follow: Follow,
}

const fn row(check: &'static str, says: &'static str, plant: Plant, follow: Follow) -> Row {
    Row { check, says, plant, follow }
}

const ROWS: [Row; 29] = [
    row(
        "webhook-configured",
        "Run `kubectl gmsa install`",
        Plant::Delete(MUTATING),
        Follow::Run("kubectl gmsa install"),
    ),
    row(
        "webhook-rules",
        "which restores the rules",
        Plant::Patch(VALIDATING, |object| {
            hooks(object, "/rules", &json!([object["webhooks"][0]["rules"][0]]))
        }),
        Follow::Run("kubectl gmsa install"),
    ),
    row(
        "webhook-exclusions",
        "Remove the objectSelector",
        Plant::Patch(VALIDATING, |object| {
            hooks(object, "/objectSelector", &json!({"matchLabels": {"gmsa": "yes"}}))
        }),
        Follow::Run("kubectl gmsa install"),
    ),
    row(
        "webhook-failure-policy",
        "which sets `Fail` again",
        Plant::Patch(VALIDATING, |object| hooks(object, "/failurePolicy", &json!("Ignore"))),
        Follow::Run("kubectl gmsa install"),
    ),
    row(
        "webhook-timeout",
        "Set it to 5 seconds",
        Plant::Patch(VALIDATING, |object| hooks(object, "/timeoutSeconds", &json!(30))),
        Follow::Run("kubectl gmsa install --timeout-seconds=5"),
    ),
    row(
        "webhook-rights",
        "which restores roles and bindings",
        Plant::Patch(ROLE, |object| json!({"rules": [object["rules"][0]]})),
        Follow::Run("kubectl gmsa install"),
    ),
    row(
        "webhook-token",
        "Restart the pods",
        Plant::Run(
            "kubectl delete serviceaccount gmsa-webhook -n gmsa-webhook && \
             kubectl create serviceaccount gmsa-webhook -n gmsa-webhook",
        ),
        Follow::Run("kubectl rollout restart deployment/gmsa-webhook -n gmsa-webhook"),
    ),
    row(
        "webhook-token",
        "which makes it and restarts the pods",
        Plant::Delete(ACCOUNT),
        Follow::Run("kubectl gmsa install"),
    ),
    row(
        "webhook-drift",
        "`kubectl gmsa install --force-conflicts` removes them",
        Plant::Patch(SERVICE, |_| json!({"metadata": {"labels": {"app.kubernetes.io/name": "x"}}})),
        Follow::RunAll(&[
            "kubectl gmsa install --force-conflicts --dry-run=server",
            "kubectl gmsa install --force-conflicts` removes",
        ]),
    ),
    row(
        "webhook-sync",
        "Run `kubectl gmsa install --force-conflicts`, which grants the right",
        Plant::PatchAndRun(
            ROLE,
            |object| {
                let mut rules = object["rules"].clone();
                for rule in rules.as_array_mut().unwrap() {
                    if rule["resources"] == json!(["gmsacredentialspecs"]) {
                        rule["verbs"] = json!(["get"]);
                    }
                }
                json!({"rules": rules})
            },
            // Those that run watch already.
            "kubectl rollout restart deployment/gmsa-webhook -n gmsa-webhook",
        ),
        Follow::Run("kubectl gmsa install"),
    ),
    row(
        "old-webhook",
        "delete the named objects",
        Plant::Apply(|| {
            json!({"apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": "windows-gmsa-webhook", "namespace": "default"},
                "spec": {"replicas": 0, "selector": {"matchLabels": {"a": "b"}}, "template": {
                    "metadata": {"labels": {"a": "b"}},
                    "spec": {"containers": [{"name": "a", "image": "k8s-gmsa-webhook:v1"}]}}}})
        }),
        Follow::Delete(LEFT),
    ),
    row(
        "webhook-replicas",
        "Run kubectl gmsa install",
        Plant::Delete(DEPLOYMENT),
        Follow::Run("kubectl gmsa install"),
    ),
    row(
        "webhook-replicas",
        "kubectl gmsa install --replicas=2",
        Plant::Run("kubectl scale deployment/gmsa-webhook -n gmsa-webhook --replicas=0"),
        Follow::Run("kubectl gmsa install --replicas=2"),
    ),
    row(
        "webhook-rollout",
        "goes back to what ran before",
        // Pods of a class that does not exist are refused.
        Plant::Run(
            "kubectl patch deployment gmsa-webhook -n gmsa-webhook --type=merge \
             -p '{\"spec\": {\"template\": {\"spec\": {\"priorityClassName\": \"missing\"}}}}'",
        ),
        Follow::RunAll(&[
            "kubectl get pods -n gmsa-webhook",
            "kubectl rollout undo deployment/gmsa-webhook -n gmsa-webhook",
        ]),
    ),
    row(
        "webhook-restarts",
        "After `OOMKilled`, raise the limit",
        // As a kubelet reports it.
        Plant::Run(
            "kubectl patch --subresource=status -n gmsa-webhook --type=json \
             $(kubectl get pods -n gmsa-webhook -o name | head -n 1) -p '[{\"op\": \"add\", \
             \"path\": \"/status/containerStatuses/0/lastState\", \"value\": {\"terminated\": \
             {\"exitCode\": 137, \"reason\": \"OOMKilled\", \
             \"finishedAt\": \"'$(date -u +%FT%TZ)'\"}}}]'",
        ),
        Follow::Run("kubectl gmsa install --memory-limit=256Mi"),
    ),
    row(
        "webhook-redundancy",
        "Run at least two",
        Plant::Run("kubectl gmsa install --replicas=1"),
        Follow::Run("kubectl gmsa install --replicas=2"),
    ),
    row(
        "webhook-redundancy",
        "Run at least two",
        Plant::Run("kubectl scale deployment/gmsa-webhook -n gmsa-webhook --replicas=1"),
        Follow::Run("kubectl gmsa install --replicas=2"),
    ),
    row(
        "webhook-service",
        "Run `kubectl gmsa install",
        Plant::Delete(SERVICE),
        Follow::Run("kubectl gmsa install"),
    ),
    row(
        "webhook-service",
        "Create it again",
        Plant::Patch(SERVICE, |object| {
            let mut ports = object["spec"]["ports"].clone();
            ports[0]["port"] = json!(444);
            json!({"spec": {"ports": ports}})
        }),
        Follow::RunAll(&["kubectl delete service", "kubectl gmsa install"]),
    ),
    row(
        "webhook-endpoints",
        "restores the selector",
        Plant::Patch(
            SERVICE,
            |_| json!({"spec": {"selector": {"app.kubernetes.io/name": "another"}}}),
        ),
        Follow::RunAll(&["kubectl get service,pods", "kubectl gmsa install"]),
    ),
    row(
        "admission-answers",
        "kubectl gmsa install --force-conflicts",
        Plant::Patch(VALIDATING, |object| {
            hooks(object, "/clientConfig/service/path", &json!("/nothing"))
        }),
        Follow::Run("kubectl gmsa install"),
    ),
    row(
        "credspec-present",
        "Make one",
        Plant::Delete(SPEC),
        Follow::Complete(
            "kubectl gmsa credspec create",
            "web --account WebApp1 --domain contoso.com --netbios CONTOSO \
             --sid S-1-5-21-2126449477-2524075714-3094792973 \
             --guid 244818ae-87ac-4fcd-92ec-e79e5252348a --apply",
        ),
    ),
    row(
        "credspec-findings",
        "Run `kubectl gmsa credspec lint NAME`",
        Plant::Patch(
            SPEC,
            |_| json!({"credspec": {"DomainJoinConfig": {"Sid": "S-1-5-21-1-2-3-4"}}}),
        ),
        Follow::Patch(SPEC, |_, lint| {
            // The command's own advice.
            assert!(lint.contains("with one more number: remove that"), "{lint}");
            json!({"credspec": {"DomainJoinConfig": {"Sid": "S-1-5-21-1-2-3"}}})
        }),
    ),
    row(
        "dns-forwarding",
        "Add to the Corefile in ConfigMap kube-system/coredns",
        Plant::Patch(
            COREDNS,
            |_| json!({"data": {"Corefile": ".:53 {\n  forward . /etc/resolv.conf\n}\n"}}),
        ),
        Follow::Patch(COREDNS, |object, advice| {
            let (_, stanza) = advice.split_once(":\n").unwrap();
            let stanza = stanza.replace("ADDRESS-OF-A-DOMAIN-CONTROLLER", "10.0.0.4");
            let corefile = object["data"]["Corefile"].as_str().unwrap();
            json!({"data": {"Corefile": format!("{corefile}{stanza}\n")}})
        }),
    ),
    row(
        "webhook-exclusions",
        "kubectl label namespace NAME gmsa-webhook-",
        Plant::Apply(|| {
            let mut pod = objects::pod("aside", "x", &objects::gmsa(Some("web"), None));
            pod["spec"]["serviceAccountName"] = json!("nobody");
            let mut deployment = objects::deployment("aside", "aside", &pod);
            deployment["spec"]["replicas"] = json!(0);
            deployment
        }),
        Follow::Complete("kubectl label namespace NAME gmsa-webhook-", ""),
    ),
    row(
        "crd-versions",
        "the objects stay, and both versions are served",
        Plant::Patch(CRD, |object| {
            let mut versions = object["spec"]["versions"].clone();
            for version in versions.as_array_mut().unwrap() {
                version["storage"] = json!(version["name"] == "v1alpha1");
            }
            json!({"spec": {"versions": versions}})
        }),
        Follow::RunFirst("kubectl gmsa install"),
    ),
    row(
        "crd-versions",
        "write every object once",
        // What the row before leaves: the API server remembers that v1alpha1 was stored.
        Plant::Run("kubectl get crd gmsacredentialspecs.windows.k8s.io"),
        Follow::RunAll(&["kubectl get gmsacredentialspecs -o json", "kubectl patch crd"]),
    ),
    row(
        "crd-schema",
        "Run `kubectl gmsa install --force-conflicts`",
        Plant::Patch(CRD, |object| {
            let mut versions = object["spec"]["versions"].clone();
            for version in versions.as_array_mut().unwrap() {
                let schema = &mut version["schema"]["openAPIV3Schema"];
                let keys = &mut schema["properties"]["credspec"]["properties"];
                let directory = &mut keys["ActiveDirectoryConfig"]["properties"];
                directory.as_object_mut().unwrap().remove("HostAccountConfig").unwrap();
            }
            json!({"spec": {"versions": versions}})
        }),
        Follow::Run("kubectl gmsa install --force-conflicts"),
    ),
    row(
        "crd-present",
        "then apply the credential specs again",
        Plant::Delete(CRD),
        Follow::Run("kubectl gmsa install"),
    ),
];

pub(super) fn entries() -> impl Iterator<Item = Entry> {
    ROWS.iter()
        .map(|row| row.check)
        .chain([OUTAGE, METRICS])
        .map(|check| (Catalogue::Checks, check))
}

async fn plant(world: &Living, plant: &Plant) {
    match plant {
        Plant::Patch(path, change) => {
            let old = world.get(path).await;
            world.patch(path, &change(&old)).await;
        }
        Plant::Delete(path) => world.delete(path).await,
        Plant::Apply(object) => world.apply(&object()).await,
        Plant::Run(command) => world.must(command).await,
        Plant::PatchAndRun(path, change, command) => {
            let old = world.get(path).await;
            world.patch(path, &change(&old)).await;
            world.must(command).await;
        }
    }
}

async fn follow(world: &Living, row: &Row, advice: &str) -> Result<(), String> {
    match row.follow {
        Follow::Run(start) | Follow::RunFirst(start) => {
            world.shell(&command(advice, start)).await?;
        }
        Follow::RunAll(starts) => {
            for start in starts {
                world.shell(&command(advice, start)).await?;
            }
        }
        Follow::Patch(path, change) => {
            let mut advice = advice.to_owned();
            if row.check == "credspec-findings" {
                let lint = command(&advice, "kubectl gmsa credspec lint NAME");
                advice = world.output(&lint.replace("NAME", "web")).await;
            }
            let old = world.get(path).await;
            world.patch(path, &change(&old, &advice)).await;
        }
        Follow::Delete(path) => world.delete(path).await,
        Follow::Complete(start, more) => {
            let command = command(advice, start).replace("NAME", "aside");
            world.shell(&format!("{command} {more}")).await?;
        }
    }
    if row.check == "crd-present" {
        // The other step of the advice.
        world.apply(&objects::credential_spec("web", "WebApp1")).await;
    }
    Ok(())
}

/// Makes all well again, so that one failure does not become another.
async fn restore(world: &Living) {
    for path in [MUTATING, VALIDATING, SERVICE, DEPLOYMENT] {
        drop(world.output(&format!("kubectl delete --raw {path}")).await);
    }
    drop(world.output("kubectl gmsa install --force-conflicts").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_doctor_advises_for_the_cluster_works() {
    let Some(world) = Living::new("what_the_doctor_advises_for_the_cluster_works").await else {
        return;
    };
    let labels = json!({"gmsa-webhook": "disabled"});
    let mut failures = Vec::new();
    for row in &ROWS {
        if row.says.contains("label namespace") {
            if world.plane.at_least(1, 28) {
                // There install leaves no namespace out.
                continue;
            }
            world.bare_namespace("aside", &labels).await;
        }
        eprintln!("{}: {}", row.check, row.says);
        plant(&world, &row.plant).await;
        let advice = match world.advised(&["doctor"], row.check, row.says).await {
            Ok(advice) => advice,
            Err(why) => {
                failures.push(why);
                continue;
            }
        };
        let done = match follow(&world, row, &advice).await {
            Ok(()) if matches!(row.follow, Follow::RunFirst(_)) => Ok(()),
            Ok(()) => world.gone(&["doctor"], row.check).await,
            Err(failed) => Err(failed),
        };
        if let Err(left) = done {
            failures.push(format!("{} is followed: {advice}\nand is left: {left}", row.check));
            restore(&world).await;
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    outage(&world).await;
}

/// Fewer pods depend on the webhook once namespaces opt in.
async fn outage(world: &Living) {
    let says = || async {
        let (_, report) = world.report(&["doctor"]).await;
        let outcomes = crate::support::windows::outcomes(&report, OUTAGE);
        outcomes[0]["message"].as_str().unwrap().to_owned()
    };
    let before = says().await;
    assert!(!before.contains("opted in"), "{before}");
    let check = gmsa_core::diagnosis::all().find(|check| check.id == OUTAGE).unwrap();
    world.must(&command(check.remedy, "kubectl gmsa install")).await;
    let label = check.remedy.rsplit('`').nth(1).unwrap();
    world.must(&format!("kubectl label namespace {NAMESPACE} {label}")).await;
    let after = says().await;
    assert!(after.contains("in namespaces that opted in"), "{after}");
}

/// A user who may see everything but the metrics.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_doctor_advises_for_metrics_works() {
    let test = "what_the_doctor_advises_for_metrics_works";
    if !gmsa_testkit::stand_in::address::available() {
        return gmsa_testkit::tools::skip(
            test,
            "pods cannot have addresses: `ip` and root are needed",
        );
    }
    let Some(world) = Living::new(test).await else { return };
    world.must("kubectl create serviceaccount looker -n shop").await;
    world.must("kubectl create clusterrolebinding looker --clusterrole=view --serviceaccount=shop:looker").await;
    let kubeconfig = world.kubeconfig_of("looker").await;
    let report = || async {
        let ran = world.run_as(&kubeconfig, &["doctor", "-o", "json"]).await;
        serde_json::from_str::<Value>(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.stderr))
    };
    let found = advices(&report().await, METRICS);
    let [advice] = &found[..] else { panic!("{found:?}") };
    let user = "system:serviceaccount:shop:looker";
    for start in ["kubectl create role ", "kubectl create rolebinding "] {
        let line = command(advice, start).replace("USER", user);
        world.must(&line).await;
    }
    gmsa_testkit::process::eventually(
        "the metrics are read",
        crate::support::windows::SOON,
        || async { advices(&report().await, METRICS).is_empty().then_some(()) },
    )
    .await;
}
