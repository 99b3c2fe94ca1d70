//! What commands say of objects that do not exist, or of which they see only a part, is true, and what they
//! advise works when it is followed to the letter.

use crate::support::world::{SOON, World};
use gmsa_testkit::objects::{self, gmsa};
use gmsa_testkit::process::eventually;
use serde_json::{Value, json};

fn deployment(namespace: &str, account: &str, spec: &str) -> Value {
    let mut pod = objects::pod(namespace, "web", &gmsa(Some(spec), None));
    pod["spec"]["serviceAccountName"] = json!(account);
    let mut deployment = objects::deployment(namespace, &format!("{account}-{spec}"), &pod);
    deployment["spec"]["replicas"] = json!(0);
    deployment
}

fn account(namespace: &str, name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": name, "namespace": namespace}})
}

/// What `review --cluster` says of the only workload, with its exit code.
async fn review(world: &World, objects: &[&Value]) -> (i32, Value) {
    let directory = tempfile::tempdir().unwrap();
    let text: Vec<String> = objects.iter().map(|object| format!("---\n{object}\n")).collect();
    std::fs::write(directory.path().join("all.yaml"), text.concat()).unwrap();
    let path = directory.path().to_str().unwrap();
    let (code, report) = world.report(&["review", "--cluster", "-f", path]).await;
    (code, report["workloads"][0].clone())
}

fn codes(findings: &Value) -> Vec<&str> {
    findings.as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect()
}

/// The audit's findings of one code, in one namespace.
async fn audited(world: &World, namespace: &str, code: &str) -> Vec<Value> {
    let (_, report) = world.report(&["audit", "-n", namespace]).await;
    let mut found = report["findings"].as_array().unwrap().clone();
    found.retain(|one| one["code"] == code);
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_account_that_does_not_exist_is_found_before_its_pods_are_refused() {
    let test = "a_service_account_that_does_not_exist_is_found_before_its_pods_are_refused";
    let Some(world) = World::new(test).await else { return };
    let _stand_in = world.stand_in(None).await;
    world.done(&["install"]).await;
    world.namespace("shop").await;
    world.done(&["grant", "spec", "--to", "shop/ghost"]).await;
    let workload = deployment("shop", "ghost", "spec");
    // The server refuses such a pod, whatever its rights are.
    let mut pod = objects::pod("shop", "ghost", &json!({}));
    pod["spec"]["serviceAccountName"] = json!("ghost");
    let refused = world.request("POST", "/api/v1/namespaces/shop/pods?dryRun=All", &pod).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("serviceaccount \"ghost\" not found"), "{refused}");

    let (code, reviewed) = review(&world, &[&workload]).await;
    assert_eq!((code, &reviewed["verdict"]), (1, &json!("admitted")), "{reviewed:#}");
    assert!(codes(&reviewed["findings"]).contains(&"service-account-missing"), "{reviewed:#}");
    // It may come in the same files.
    let (code, reviewed) = review(&world, &[&workload, &account("shop", "ghost")]).await;
    assert_eq!(code, 0, "{reviewed:#}");

    world.apply(&workload).await;
    let found = audited(&world, "shop", "service-account-missing").await;
    let [finding] = &found[..] else { panic!("{found:#?}") };
    assert_eq!(finding["name"], "ghost-spec", "{finding:#}");
    let remedy = finding["remedy"].as_str().unwrap();
    let advised = "kubectl create serviceaccount ghost -n shop";
    assert!(remedy.starts_with(advised), "{remedy}");
    world.apply(&account("shop", "ghost")).await;
    assert_eq!(audited(&world, "shop", "service-account-missing").await, [] as [Value; 0]);
    let (code, reviewed) = review(&world, &[&workload]).await;
    assert_eq!(code, 0, "{reviewed:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn advice_about_rights_leads_to_the_end() {
    let test = "advice_about_rights_leads_to_the_end";
    let Some(world) = World::new(test).await else { return };
    let _stand_in = world.stand_in(None).await;
    world.done(&["install"]).await;
    world.namespace("shop").await;
    world.bare_namespace("other", &json!({})).await;

    // A grant alone would lead to the next denial.
    world.apply(&account("shop", "web")).await;
    let (code, reviewed) = review(&world, &[&deployment("shop", "web", "spce")]).await;
    assert_eq!((code, &reviewed["verdict"]), (1, &json!("denied")), "{reviewed:#}");
    let hint = reviewed["places"][0]["denial"]["hint"].as_str().unwrap();
    assert!(hint.contains("has no GMSACredentialSpec \"spce\": correct the name"), "{hint}");
    let ran = world.run(&["credspec", "show", "spce"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("does not exist; did you mean \"spec\"?"), "{}", ran.stderr);
    let ran = world.run(&["access", "spce"]).await;
    assert!(ran.stderr.contains("did you mean \"spec\"?"), "{}", ran.stderr);

    // Where a field has its command in a later message, its own advice has it.
    let mut twice = deployment("shop", "web", "spec");
    let container =
        json!({"name": "second", "image": "iis", "securityContext": gmsa(Some("spec"), None)});
    let containers = twice.pointer_mut("/spec/template/spec/containers").unwrap();
    containers.as_array_mut().unwrap().push(container);
    let (_, reviewed) = review(&world, &[&twice]).await;
    for place in reviewed["places"].as_array().unwrap() {
        let denial = &place["denial"];
        let said = format!("{}{}", denial["message"], denial["hint"]);
        assert!(said.contains("kubectl gmsa grant spec --to shop/web"), "{denial:#}");
    }

    // Of another namespace nothing is said.
    let ran = world.run(&["access", "spec", "-n", "other"]).await;
    let words = "no service account of namespace other may use it, and nothing there does";
    assert!(ran.stdout.contains(words), "{}", ran.stdout);
    // Flags before the command are those after it, and all namespaces are more than one.
    let before = world.run(&["-n", "other", "access", "spec"]).await;
    assert_eq!((before.code, &before.stdout), (ran.code, &ran.stdout), "{}", before.stderr);
    let all = world.run(&["-n", "other", "access", "spec", "-A"]).await;
    assert!(all.stdout.contains("shop/default  allowed"), "{}{}", all.stdout, all.stderr);
    let ran = world.run(&["access", "spec", "--service-account", "shop/web"]).await;
    assert!(ran.stdout.contains("shop/web  denied"), "{}", ran.stdout);

    // `revoke` would not change a binding of another name.
    let spare = account("shop", "spare");
    world.apply(&spare).await;
    let mut binding = objects::binding("spec", "shop", "spare");
    binding["metadata"]["name"] = json!("team");
    world.apply(&binding).await;
    let advised = |found: Vec<Value>| {
        let of = found.into_iter().filter(|one| one["name"] == "spare");
        of.map(|one| one["remedy"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let [remedy] = &advised(audited(&world, "shop", "right-unused").await)[..] else {
        panic!("no advice")
    };
    assert!(!remedy.contains("revoke"), "{remedy}");
    assert!(
        remedy.contains("remove ServiceAccount shop/spare from RoleBinding shop/team"),
        "{remedy}"
    );
    world
        .patch(
            "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings/team",
            &json!({"subjects": []}),
        )
        .await;
    world.done(&["grant", "spec", "--to", "system:serviceaccount:shop:spare"]).await;
    let [remedy] = &advised(audited(&world, "shop", "right-unused").await)[..] else {
        panic!("no advice")
    };
    assert_eq!(remedy, "If it is not needed: kubectl gmsa revoke spec --from shop/spare");
    world.done(&["revoke", "spec", "--from", "shop/spare"]).await;
    assert_eq!(advised(audited(&world, "shop", "right-unused").await), [] as [String; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_that_only_the_mutating_webhook_leaves_out_is_not_called_admitted() {
    let test = "a_namespace_that_only_the_mutating_webhook_leaves_out_is_not_called_admitted";
    let Some(world) = World::since(28, test, "only the newer servers have match conditions").await
    else {
        return;
    };
    let _stand_in = world.stand_in(None).await;
    world.done(&["install"]).await;
    world.namespace("shop").await;
    eventually("pods are admitted", SOON, || async { world.admit("shop").await.ok() }).await;
    let path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/gmsa-webhook";
    let mut hooks = world.get(path).await["webhooks"].clone();
    hooks[0]["namespaceSelector"] = json!({"matchLabels": {"team": "b"}});
    world.patch(path, &json!({ "webhooks": hooks })).await;
    let refused = eventually("pods are not expanded", SOON, || async {
        world.admit("shop").await.err().filter(|why| why.contains("was not expanded"))
    })
    .await;
    let workload = deployment("shop", "default", "spec");
    let (code, reviewed) = review(&world, &[&workload]).await;
    assert_eq!((code, &reviewed["verdict"]), (1, &json!("denied")), "{refused}: {reviewed:#}");
    let denial = &reviewed["places"][0]["denial"];
    assert_eq!(denial["reason"], "not-expanded", "{denial:#}");
    world.apply(&workload).await;
    let found = audited(&world, "shop", "workload-would-be-denied").await;
    assert!(
        found.len() == 1 && found[0]["message"].to_string().contains("not-expanded"),
        "{found:?}"
    );
    let (_, report) = world.report(&["-n", "shop", "doctor", "deploy", "default-spec"]).await;
    let mut outcomes = report["outcomes"].as_array().unwrap().iter();
    let admission = outcomes.find(|one| one["check"] == "pod-admission").unwrap();
    assert_eq!(admission["state"], "problem", "{admission:#}");
    // The advice of the denial.
    assert!(denial["hint"].as_str().unwrap().contains("kubectl gmsa install --force-conflicts"));
    world.done(&["install", "--force-conflicts"]).await;
    eventually("pods are admitted", SOON, || async { world.admit("shop").await.ok() }).await;
    let (code, reviewed) = review(&world, &[&workload]).await;
    assert_eq!((code, &reviewed["verdict"]), (0, &json!("admitted")), "{reviewed:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_denies_a_pod_and_the_next_one_is_said_once() {
    let test = "what_denies_a_pod_and_the_next_one_is_said_once";
    let Some(world) = World::new(test).await else { return };
    let _stand_in = world.stand_in(None).await;
    world.done(&["install"]).await;
    world.namespace("shop").await;
    world.apply(&account("shop", "web")).await;
    world.can_have_pods("shop", "web").await;
    world.done(&["grant", "spec", "--to", "shop/web"]).await;
    let mut workload = deployment("shop", "web", "spec");
    workload["spec"]["replicas"] = json!(1);
    world.apply(&workload).await;
    let pods = "/api/v1/namespaces/shop/pods";
    eventually("its pod is there", SOON, || async {
        world.get(pods).await["items"].as_array()?.first().cloned()
    })
    .await;
    let admission = async || {
        let (_, report) = world.report(&["doctor", "deployment/web-spec", "-n", "shop"]).await;
        let mut outcomes = report["outcomes"].as_array().unwrap().clone();
        outcomes.retain(|one| one["check"] == "pod-admission");
        outcomes
    };
    let found = admission().await;
    assert!(found.len() == 2 && found.iter().all(|one| one["state"] == "ok"), "{found:#?}");
    world.done(&["revoke", "spec", "--from", "shop/web"]).await;
    let found = admission().await;
    let [one] = &found[..] else { panic!("{found:#?}") };
    assert_eq!(one["state"], "problem", "{one:#}");
    let object = one["object"].as_str().unwrap();
    assert!(object.starts_with("Pod shop/web-spec-"), "{object}");
    assert!(object.ends_with(" and the next pod of Deployment shop/web-spec"), "{object}");
    // A grant for a name that is wrong would not help.
    world.apply(&deployment("shop", "web", "spce")).await;
    let (_, report) = world.report(&["doctor", "deployment/web-spce", "-n", "shop"]).await;
    let mut outcomes = report["outcomes"].as_array().unwrap().iter();
    let one = outcomes.find(|one| one["check"] == "pod-admission").unwrap();
    let next = one["next"].as_str().unwrap();
    assert!(next.contains("has no GMSACredentialSpec \"spce\": correct the name"), "{one:#}");
}
