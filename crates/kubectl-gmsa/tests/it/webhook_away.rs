//! What goes on while the webhook is away, or half there: its configurations are there and nothing answers, or
//! an install stopped before its end. It takes a server that filters by contents, from 1.28, by
//! `KUBEBUILDER_ASSETS`.

use crate::support::world::{SOON, World};
use gmsa_testkit::objects::{self, gmsa};
use gmsa_testkit::process::eventually;
use serde_json::{Value, json};

const PODS: &str = "/api/v1/namespaces/web/pods";

/// Adds an ephemeral container to the pod `iis`, as `kubectl debug` does.
async fn debug(world: &World, name: &str, context: &Value) -> Result<(), String> {
    let path = format!("{PODS}/iis/ephemeralcontainers");
    let mut list = match &world.get(&path).await["spec"]["ephemeralContainers"] {
        Value::Array(list) => list.clone(),
        _ => Vec::new(),
    };
    list.push(json!({"name": name, "image": "i", "securityContext": context}));
    let change = json!({"spec": {"ephemeralContainers": list}});
    world.request("PATCH", &path, &change).await.map(drop).map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_with_a_gmsa_can_be_debugged_while_the_webhook_is_away() {
    let test = "a_pod_with_a_gmsa_can_be_debugged_while_the_webhook_is_away";
    let Some(world) = World::since(28, test, "this API server has no match conditions").await
    else {
        return;
    };
    let stand_in = world.stand_in(None).await;
    world.done(&["install"]).await;
    world.namespace("web").await;
    eventually("pods are expanded", SOON, || async { world.admit("web").await.ok() }).await;
    let pod = objects::pod("web", "iis", &gmsa(Some("spec"), None));
    world.request("POST", PODS, &pod).await.unwrap();
    debug(&world, "with", &gmsa(Some("spec"), None)).await.unwrap();

    drop(stand_in);
    let refused = eventually("the webhook is away", SOON, || async {
        world.admit("web").await.err().filter(|error| error.contains("failed calling webhook"))
    })
    .await;
    assert!(refused.contains("gmsa-webhook"), "{refused}");
    // Beside containers that use a GMSA, in a pod that does.
    debug(&world, "plain", &json!({})).await.unwrap();
    world.plain("web").await.unwrap();
    for (name, context) in [
        ("named", gmsa(Some("spec"), None)),
        ("filled", gmsa(Some("spec"), Some(&objects::contents("WebApp1").to_string()))),
    ] {
        let error = debug(&world, name, &context).await.unwrap_err();
        assert!(error.contains("failed calling webhook"), "{name}: {error}");
    }
}

/// An install that stops half-way, as when another policy refuses an object, can be run again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_install_that_stops_says_what_is_done_and_goes_on() {
    let test = "an_install_that_stops_says_what_is_done_and_goes_on";
    let Some(world) = World::since(30, test, "this API server has no admission policies").await
    else {
        return;
    };
    let _stand_in = world.stand_in(None).await;
    // It refuses the Deployment only when it is really created, so that no plan notices it before.
    let api = "admissionregistration.k8s.io/v1";
    let policy = json!({"apiVersion": api, "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "no-deployment"},
        "spec": {"matchConstraints": {"resourceRules": [{"apiGroups": ["apps"], "apiVersions": ["*"],
                "operations": ["CREATE"], "resources": ["deployments"]}]},
            "validations": [{"expression": "has(request.dryRun) && request.dryRun",
                "message": "not today"}]}});
    let binding = json!({"apiVersion": api, "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "no-deployment"},
        "spec": {"policyName": "no-deployment", "validationActions": ["Deny"]}});
    world.apply(&policy).await;
    world.apply(&binding).await;
    world.bare_namespace("shop", &json!({})).await;
    let deployment = objects::deployment("shop", "x", &objects::pod("shop", "x", &json!({})));
    eventually("the policy is in force", SOON, || async {
        let path = "/apis/apps/v1/namespaces/shop/deployments";
        let refused = world.request("POST", path, &deployment).await.err()?;
        let _deleted = world.request("DELETE", &format!("{path}/x"), &json!({})).await;
        refused.to_string().contains("not today").then_some(())
    })
    .await;
    let ran = world.run(&["install"]).await;
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    let last = ran.stdout.lines().last().unwrap().split(' ').next().unwrap().to_owned();
    for words in [
        "not today",
        &format!("the installation is not finished: {last} and the "),
        "run the same command again: it goes on from there",
    ] {
        assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
    }
    let path = format!("/apis/{api}/validatingadmissionpolicybindings/no-deployment");
    world.request("DELETE", &path, &json!({})).await.unwrap();
    eventually("the policy is gone", SOON, || async {
        let path = "/apis/apps/v1/namespaces/shop/deployments";
        world.request("POST", path, &deployment).await.ok()
    })
    .await;
    let ran = world.run(&["install"]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains(&format!("{last} unchanged")), "{}", ran.stdout);
    assert!(ran.stderr.contains("the webhook answers"), "{}", ran.stderr);
    world.done(&["status"]).await;
    // The options are kept by the Deployment, and go with it.
    let words = "the options of the previous install are gone";
    assert!(!ran.stderr.contains(words), "{}", ran.stderr);
    let path = "/apis/apps/v1/namespaces/gmsa-webhook/deployments/gmsa-webhook";
    world.request("DELETE", path, &json!({})).await.unwrap();
    eventually("the loss is noticed", SOON, || async {
        let ran = world.run(&["install", "--dry-run=server"]).await;
        (ran.code == 0 && ran.stderr.contains(words)).then_some(())
    })
    .await;
}
