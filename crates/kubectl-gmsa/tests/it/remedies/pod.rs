//! The remedies of the doctor's checks of one pod, and of denials by a real API server. A stand-in
//! for a Windows node answers from recordings what is asked inside containers.

use gmsa_testkit::process::eventually;
use gmsa_testkit::{objects, recordings};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, PostParams};
use serde_json::{Value, json};

use super::living::{Living, MUTATING, VALIDATING, command, hooks};
use super::{Catalogue, Entry};
use crate::support::windows::{NAMESPACE, SOON};

/// A check, what is looked at, and what its advice says.
type Row = (&'static str, &'static str, &'static str);

const ROWS: [Row; 12] = [
    (
        "pod-identity",
        "deployment/plain",
        "Set `securityContext.windowsOptions.gmsaCredentialSpecName`",
    ),
    ("pod-admission", "deployment/admission", "Create it, or correct the name"),
    ("pod-created", "deployment/created", "Read the reason in the evidence"),
    ("pod-created", "deployment/none", "Give it replicas"),
    ("pod-contents", "deployment/old", "`kubectl rollout restart deployment/old -n shop`"),
    ("pod-scheduled", "deployment/linux", "Set the node selector `kubernetes.io/os: windows`"),
    ("pod-hostname", "deployment/frontend-of-shop", "`kubectl gmsa install --random-hostname`"),
    ("pod-image", "deployment/nano", "Use an image of Windows Server Core"),
    ("pod-build", "deployment/build", "such as ltsc2022, or select nodes"),
    ("pod-tools", "tools", "kubectl gmsa doctor POD --probe-pod --probe-image=SERVERCORE-IMAGE"),
    ("pod-secure-channel", "channel", "Reset it: kubectl gmsa doctor channel -n shop --repair"),
    ("pod-exec", "web", "Get the rights `get` and `create` on `pods/exec`"),
];

const DENIALS: [&str; 4] = ["not-expanded", "immutable", "wrong-kind", "credspec-not-found"];

pub(super) fn entries() -> impl Iterator<Item = Entry> {
    let checks = ROWS.iter().map(|(check, ..)| (Catalogue::Checks, *check));
    checks.chain(DENIALS.iter().map(|reason| (Catalogue::Denials, *reason)))
}

fn args<'a>(target: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["doctor", target, "-n", NAMESPACE], more].concat()
}

fn path(name: &str) -> String {
    format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{name}")
}

/// A workload of the service account `web` that uses the credential spec `web`, changed.
async fn deploy(world: &Living, name: &str, change: impl FnOnce(&mut Value)) {
    let mut pod = objects::pod(NAMESPACE, name, &objects::gmsa(Some("web"), None));
    pod["spec"]["serviceAccountName"] = json!("web");
    let mut deployment = objects::deployment(NAMESPACE, name, &pod);
    change(&mut deployment);
    world.apply(&deployment).await;
}

async fn template(world: &Living, name: &str, spec: Value) {
    world.patch(&path(name), &json!({"spec": {"template": {"spec": spec}}})).await;
}

async fn plant(world: &Living, check: &str, target: &str) {
    let name = target.rsplit('/').next().unwrap();
    match target {
        "deployment/plain" => {
            let none =
                |one: &mut Value| one["spec"]["template"]["spec"]["securityContext"] = json!({});
            deploy(world, name, none).await;
        }
        "deployment/admission" | "deployment/created" => {
            world.apply(&objects::role(name)).await;
            world.apply(&objects::binding(name, NAMESPACE, "web")).await;
            let context = objects::gmsa(Some(name), None);
            let missing =
                |one: &mut Value| one["spec"]["template"]["spec"]["securityContext"] = context;
            deploy(world, name, missing).await;
        }
        "deployment/none" => {
            deploy(world, name, |one| one["spec"]["replicas"] = json!(0)).await;
        }
        "deployment/old" => {
            deploy(world, name, |_| {}).await;
            eventually("a pod is there", SOON, || async {
                world.pods("app=old").await.into_iter().next()
            })
            .await;
            let mut spec = objects::credential_spec("web", "WebApp1");
            spec["credspec"]["DomainJoinConfig"]["DnsTreeName"] = json!("forest.contoso.com");
            world.apply(&spec).await;
        }
        "deployment/linux" => {
            let any = |one: &mut Value| one["spec"]["template"]["spec"]["nodeSelector"] = json!({});
            deploy(world, name, any).await;
        }
        "deployment/frontend-of-shop" => {
            deploy(world, name, |one| one["spec"]["replicas"] = json!(2)).await;
        }
        "deployment/nano" => {
            let image = json!("mcr.microsoft.com/windows/nanoserver:ltsc2022");
            let nano = |one: &mut Value| {
                one["spec"]["template"]["spec"]["containers"][0]["image"] = image;
            };
            deploy(world, name, nano).await;
        }
        "deployment/build" => {
            let image = json!("mcr.microsoft.com/windows/servercore:ltsc2019");
            let build = |one: &mut Value| {
                one["spec"]["template"]["spec"]["containers"][0]["image"] = image;
            };
            deploy(world, name, build).await;
        }
        "tools" => {
            world.node.record("tools", recordings::no_nltest());
            world.node.record("probe-", recordings::healthy());
            world.pod("tools", |_| {}).await;
        }
        "channel" => {
            world.node.record("channel", recordings::channel_repaired_by_reset());
            world.pod("channel", |_| {}).await;
        }
        _ => panic!("{check}: {target}"),
    }
}

async fn follow(world: &Living, check: &str, target: &str, advice: &str) -> Result<(), String> {
    let name = target.rsplit('/').next().unwrap();
    match target {
        "deployment/plain" => {
            let context = objects::gmsa(Some("web"), None);
            template(world, name, json!({"securityContext": context})).await;
        }
        "deployment/admission" => world.apply(&objects::credential_spec(name, "WebApp2")).await,
        "deployment/created" => {
            // The reason stands in the evidence, and the controller tries again by itself.
            let (_, report) = world.doctor(target, &[]).await;
            let found = crate::support::windows::outcomes(&report, check);
            let evidence = found[0]["evidence"].to_string();
            assert!(evidence.contains("cred spec created does not exist"), "{evidence}");
            world.apply(&objects::credential_spec(name, "WebApp3")).await;
        }
        "deployment/none" => world.patch(&path(name), &json!({"spec": {"replicas": 1}})).await,
        "deployment/old" => {
            let restart = command(advice, "kubectl rollout restart");
            world.shell(&format!("{} -n shop", restart.replace("KIND/NAME", target))).await?;
        }
        "deployment/linux" => {
            template(world, name, json!({"nodeSelector": {"kubernetes.io/os": "windows"}})).await;
        }
        "deployment/frontend-of-shop" => {
            world.shell(&command(advice, "kubectl gmsa install")).await?;
            world.shell("kubectl rollout restart deployment/frontend-of-shop -n shop").await?;
        }
        "deployment/nano" | "deployment/build" => {
            let image = "mcr.microsoft.com/windows/servercore:ltsc2022";
            let containers = json!([{"name": "iis", "image": image}]);
            template(world, name, json!({"containers": containers})).await;
        }
        "channel" => {
            let repair = command(advice, "kubectl gmsa doctor");
            world.shell(&format!("{repair} --yes")).await?;
        }
        _ => panic!("{check}: {target}"),
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_doctor_advises_for_a_pod_works() {
    let Some(world) = Living::new("what_the_doctor_advises_for_a_pod_works").await else { return };
    world.node.record("", recordings::healthy());
    let mut failures = Vec::new();
    for (check, target, says) in ROWS {
        eprintln!("{check}: {says}");
        match check {
            // Commands run in the pod's stead, and rights of another user.
            "pod-tools" => probe(&world).await,
            "pod-exec" => exec(&world).await,
            _ => {
                plant(&world, check, target).await;
                let advice = match world.advised(&args(target, &[]), check, says).await {
                    Ok(advice) => advice,
                    Err(why) => {
                        failures.push(why);
                        continue;
                    }
                };
                let done = match follow(&world, check, target, &advice).await {
                    Ok(()) => world.gone(&args(target, &[]), check).await,
                    Err(failed) => Err(failed),
                };
                if let Err(left) = done {
                    failures.push(format!("{check} is followed: {advice}\nand is left: {left}"));
                }
            }
        }
        if target == "deployment/old" {
            world.apply(&objects::credential_spec("web", "WebApp1")).await;
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// From a pod with a fuller image the tools are there.
async fn probe(world: &Living) {
    plant(world, "pod-tools", "tools").await;
    let says = "--probe-pod --probe-image=SERVERCORE-IMAGE";
    let advice = world.advised(&args("tools", &[]), "pod-tools", says).await.unwrap();
    let look = command(&advice, "kubectl gmsa doctor POD");
    let look = look.replace("POD ", "tools -n shop ").replace("SERVERCORE-IMAGE", "servercore");
    let report: Value =
        serde_json::from_str(&world.printed(&format!("{look} -o json")).await).unwrap();
    let states: Vec<&Value> = crate::support::windows::outcomes(&report, "pod-tools")
        .iter()
        .map(|one| &one["state"])
        .collect();
    assert_eq!(states, ["ok"], "{report:#}");
}

/// Who gets the rights that are named can run the commands.
async fn exec(world: &Living) {
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": "viewer", "namespace": NAMESPACE}});
    let bind = |kind: &str, role: &str, kind_of_role: &str| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
        "metadata": {"name": role, "namespace": if kind == "RoleBinding" { json!(NAMESPACE) } else { json!(null) }},
        "subjects": [{"kind": "ServiceAccount", "name": "viewer", "namespace": NAMESPACE}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind_of_role, "name": role}})
    };
    world.apply(&account).await;
    world.apply(&bind("ClusterRoleBinding", "view", "ClusterRole")).await;
    world.pod("web", |_| {}).await;
    let kubeconfig = world.kubeconfig_of("viewer").await;
    let state = || async {
        let ran = world.run_as(&kubeconfig, &args("web", &["-o", "json"])).await;
        let report = serde_json::from_str::<Value>(&ran.stdout).ok()?;
        let outcome =
            crate::support::windows::outcomes(&report, "pod-exec").first().copied()?.clone();
        Some(outcome)
    };
    let refused = eventually("the right is missing", SOON, || async {
        state().await.filter(|one| one["state"] == "unknown")
    })
    .await;
    assert!(
        refused["message"].as_str().unwrap().contains("get and create on pods/exec"),
        "{refused}"
    );
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": {"name": "exec", "namespace": NAMESPACE},
        "rules": [{"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["get", "create"]}]});
    world.apply(&role).await;
    world.apply(&bind("RoleBinding", "exec", "Role")).await;
    eventually("the right is there", SOON, || async {
        state().await.filter(|one| one["state"] == "ok")
    })
    .await;
}

/// Creates a pod that uses `web`; the words of the API server if it is refused.
async fn create(world: &Living, account: &str, spec: &str) -> Result<(), String> {
    let mut pod = objects::pod(NAMESPACE, "asked", &objects::gmsa(Some(spec), None));
    pod["spec"]["serviceAccountName"] = json!(account);
    let pods: Api<Pod> = Api::namespaced(world.client.clone(), NAMESPACE);
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    let done = pods.create(&dry, &serde_json::from_value(pod).unwrap()).await;
    done.map(drop).map_err(|error| error.to_string())
}

/// Waits for a refusal in these words.
async fn refused(world: &Living, account: &str, spec: &str, words: &str) -> String {
    eventually(words, SOON, || async {
        create(world, account, spec).await.err().filter(|error| error.contains(words))
    })
    .await
}

async fn admitted(world: &Living, account: &str, spec: &str) {
    let last = std::sync::Mutex::new(String::new());
    let wait = eventually("it is admitted", SOON, || async {
        let done = create(world, account, spec).await;
        done.map_err(|error| *last.lock().unwrap() = error).ok()
    });
    let done = tokio::time::timeout(SOON / 2, wait).await;
    done.unwrap_or_else(|_| panic!("{}", last.lock().unwrap()));
}

fn remedy(id: &str) -> &'static str {
    use gmsa_core::admission::Reason;
    Reason::ALL.iter().copied().find(|reason| reason.id() == id).unwrap().remedy()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_denials_advise_works() {
    let Some(world) = Living::new("what_denials_advise_works").await else { return };
    for id in DENIALS {
        eprintln!("{id}");
        match id {
            "credspec-not-found" => {
                assert!(remedy(id).contains("Create it"), "{}", remedy(id));
                world.apply(&objects::role("shopping")).await;
                world.apply(&objects::binding("shopping", NAMESPACE, "web")).await;
                refused(&world, "web", "shopping", "cred spec shopping does not exist").await;
                let list = world.printed(&command(remedy(id), "kubectl get")).await;
                assert!(list.contains("web") && !list.contains("shopping"), "{list}");
                world.apply(&objects::credential_spec("shopping", "Shopping")).await;
                admitted(&world, "web", "shopping").await;
            }
            "not-expanded" => {
                assert!(remedy(id).starts_with("Try again once the mutating webhook answers"));
                world.delete(MUTATING).await;
                refused(&world, "web", "web", "was not expanded").await;
                world.must("kubectl gmsa install").await;
                admitted(&world, "web", "web").await;
            }
            "immutable" => immutable(&world).await,
            "wrong-kind" => wrong_kind(&world).await,
            _ => panic!("{id}"),
        }
    }
}

async fn wrong_kind(world: &Living) {
    let says =
        "Limit the rules of the webhook configuration to `pods` and `pods/ephemeralcontainers`";
    assert!(remedy("wrong-kind").contains(says));
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "any", "namespace": NAMESPACE}});
    let apply = || async {
        let applier = gmsa_cluster::api::apply::Applier::new(world.client.clone(), "test", true);
        applier.apply(&map).await.map(drop).map_err(|error| error.to_string())
    };
    let old = world.get(VALIDATING).await;
    let mut rules = old["webhooks"][0]["rules"].clone();
    rules.as_array_mut().unwrap().push(json!({"apiGroups": [""], "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}));
    let mut wide = hooks(&old, "/rules", &rules);
    // Where the API server knows them, they let pods through alone.
    for hook in wide["webhooks"].as_array_mut().unwrap() {
        hook.as_object_mut().unwrap().remove("matchConditions");
    }
    world.patch(VALIDATING, &wide).await;
    eventually("the object is refused", SOON, || async {
        world.output("kubectl delete configmap any -n shop").await;
        apply().await.err().filter(|error| error.contains("expected a Pod object"))
    })
    .await;
    let rules: Vec<&Value> = rules
        .as_array()
        .unwrap()
        .iter()
        .filter(|rule| {
            rule["resources"][0].as_str().is_some_and(|resource| resource.starts_with("pods"))
        })
        .collect();
    world.patch(VALIDATING, &hooks(&old, "/rules", &json!(rules))).await;
    eventually("the object is taken", SOON, || async { apply().await.ok() }).await;
}

async fn immutable(world: &Living) {
    let says = "Change the workload's pod template, so that new pods replace the old ones";
    assert!(remedy("immutable").contains(says));
    world.apply(&objects::credential_spec("other", "Other")).await;
    world.apply(&objects::role("other")).await;
    world.apply(&objects::binding("other", NAMESPACE, "web")).await;
    deploy(world, "fixed", |_| {}).await;
    let name = eventually("a pod is there", SOON, || async {
        world.pods("app=fixed").await.into_iter().next()?.metadata.name
    })
    .await;
    // Our configurations leave updates of pods to the API server, which refuses them itself.
    let patch =
        r#"{"spec":{"securityContext":{"windowsOptions":{"gmsaCredentialSpecName":"other"}}}}"#;
    let said = world.output(&format!("kubectl patch pod {name} -n shop -p '{patch}'")).await;
    assert!(said.contains("pod updates may not change fields"), "{said}");
    let context = objects::gmsa(Some("other"), None);
    template(world, "fixed", json!({"securityContext": context})).await;
    eventually("the new pod has the other one", SOON, || async {
        let pods = world.pods("app=fixed").await;
        let has = |pod: &Pod| {
            let options = pod.spec.as_ref()?.security_context.as_ref()?.windows_options.as_ref()?;
            Some(options.gmsa_credential_spec_name.as_deref() == Some("other"))
        };
        pods.iter().all(|pod| has(pod) == Some(true)).then_some(())
    })
    .await;
}
