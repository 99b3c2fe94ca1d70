//! Questions that several commands answer: they agree, on a real API server.

use gmsa_core::names::{NAME, SECRET};
use gmsa_testkit::pki::Authority;
use gmsa_testkit::process::eventually;
use gmsa_testkit::{control_plane, objects};
use k8s_openapi::ByteString;
use serde_json::{Value, json};

use crate::support::windows_gmsa::{by_script, certificate};
use crate::support::world::{SOON, World};

const VALIDATING: &str =
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/gmsa-webhook";

/// The outcomes of a check.
fn outcomes<'a>(report: &'a Value, check: &str) -> Vec<&'a Value> {
    report["outcomes"].as_array().unwrap().iter().filter(|one| one["check"] == check).collect()
}

/// The names of the objects of the findings with a code.
fn found<'a>(report: &'a Value, code: &str) -> Vec<&'a str> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings.filter(|one| one["code"] == code).map(|one| one["name"].as_str().unwrap()).collect()
}

/// An account, and a Deployment of it that uses a credential spec.
async fn plant_user(world: &World) {
    let mut pod = objects::pod("shop", "web", &objects::gmsa(Some("web"), None));
    pod["spec"]["serviceAccountName"] = json!("web");
    for object in [
        json!(gmsa_cluster::installation::definition::definition()),
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}),
        json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": "web", "namespace": "shop"}}),
        objects::credential_spec("web", "WebApp1"),
        objects::role("web"),
        objects::binding("web", "shop", "web"),
        objects::deployment("shop", "web", &pod),
    ] {
        world.apply(&object).await;
    }
}

/// API servers can verify the certificate, so the webhook works; the plugin cannot.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_that_cannot_be_verified_is_unknown_everywhere() {
    let test = "a_signature_that_cannot_be_verified_is_unknown_everywhere";
    let Some(world) = World::new(test).await else { return };
    let authority = Authority::with_p521("of a user");
    let pair = authority.server(&["gmsa-webhook.gmsa-webhook.svc"]);
    let base64 = |text: &str| ByteString(text.as_bytes().to_vec());
    world
        .apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAME}}))
        .await;
    world
        .apply(&json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
            "metadata": {"name": SECRET, "namespace": NAME},
            "data": {"tls.crt": base64(&pair.cert), "tls.key": base64(&pair.key),
                "ca.crt": base64(authority.pem())}}))
        .await;
    let _stand_in = world.stand_in(None).await;
    let words = "the algorithm of the certificate's signature cannot be verified here";
    let ran = world.run(&["install", "--certificates=files"]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.stderr.matches(words).count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("the webhook answers"), "{}", ran.stderr);
    for command in ["status", "doctor"] {
        let (_, report) = world.report(&[command]).await;
        let found = outcomes(&report, "webhook-ca-bundle");
        assert_eq!(found.len(), 2, "{command}: {report:#}");
        for one in found {
            assert_eq!(one["state"], "unknown", "{command}: {one}");
            assert!(one["message"].as_str().unwrap().contains(words), "{command}: {one}");
        }
    }
}

/// API servers refuse an operator that they do not know, but one may have been stored by a newer one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_operator_selects_nothing_for_audit_and_doctor() {
    let test = "an_unknown_operator_selects_nothing_for_audit_and_doctor";
    let options = control_plane::Options::default();
    let Some(world) = World::start(test, options).await else { return };
    plant_user(&world).await;
    let options = gmsa_cluster::installation::Options::default();
    for object in gmsa_cluster::installation::objects(&options, world.version()).webhooks {
        world.apply(&object).await;
    }
    let excluded = "gmsa-in-excluded-namespace";
    let (_, report) = world.report(&["audit"]).await;
    assert!(found(&report, excluded).is_empty(), "{report:#}");
    let (_, report) = world.report(&["doctor"]).await;
    let problems = |report: &Value| {
        let found = outcomes(report, "webhook-exclusions").into_iter();
        found.filter(|one| one["state"] == "problem").cloned().collect::<Vec<_>>()
    };
    assert!(problems(&report).is_empty(), "{report:#}");

    let mut stored = world.get(VALIDATING).await;
    stored["webhooks"][0]["namespaceSelector"] = json!({"matchExpressions": [
        {"key": "kubernetes.io/metadata.name", "operator": "Near", "values": ["shop"]}]});
    let change = json!({"webhooks": stored["webhooks"]});
    let refused = world.request("PATCH", VALIDATING, &change).await.unwrap_err();
    assert!(refused.to_string().contains("not a valid selector operator"), "{refused}");
    world.plane.store("validatingwebhookconfigurations/gmsa-webhook", &stored);
    eventually("the API server serves it", SOON, || async {
        let selector = &world.get(VALIDATING).await["webhooks"][0]["namespaceSelector"];
        (selector["matchExpressions"][0]["operator"] == "Near").then_some(())
    })
    .await;
    let (_, report) = world.report(&["audit"]).await;
    assert_eq!(found(&report, excluded), ["shop"], "{report:#}");
    let (_, report) = world.report(&["doctor"]).await;
    let problems = problems(&report);
    assert_eq!(problems.len(), 1, "{report:#}");
    let message = problems[0]["message"].as_str().unwrap();
    assert_eq!(message, "pods with a GMSA are not sent from the namespaces shop");
}

/// Neither the configuration nor its Service has a name that suggests a GMSA.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_only_its_hook_names_is_seen_by_install_audit_and_doctor() {
    let test = "a_webhook_that_only_its_hook_names_is_seen_by_install_audit_and_doctor";
    let options = control_plane::Options::default();
    let Some(world) = World::start(test, options).await else { return };
    plant_user(&world).await;
    let (_, report) = world.report(&["audit"]).await;
    assert_eq!(found(&report, "webhook-missing").len(), 1, "{report:#}");

    let (_files, bundle) = certificate("policies", "policies");
    let (_, configurations) = by_script(&bundle);
    for mut configuration in configurations {
        configuration["metadata"]["name"] = json!("policies");
        let hook = &mut configuration["webhooks"][0];
        assert_eq!(hook["name"], "admission-webhook.windows-gmsa.sigs.k8s.io");
        hook["clientConfig"]["service"]["name"] = json!("policies");
        hook["clientConfig"]["service"]["namespace"] = json!("policies");
        world.apply(&configuration).await;
    }
    let ran = world.run(&["install"]).await;
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    let words = "MutatingWebhookConfiguration policies, ValidatingWebhookConfiguration policies";
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
    let (_, report) = world.report(&["audit"]).await;
    assert!(found(&report, "webhook-missing").is_empty(), "{report:#}");
    let (_, report) = world.report(&["doctor"]).await;
    let configured = outcomes(&report, "webhook-configured");
    assert!(configured.iter().all(|one| one["state"] == "ok"), "{configured:#?}");
    let rules = outcomes(&report, "webhook-rules");
    let objects: Vec<&Value> = rules.iter().map(|one| &one["object"]).collect();
    assert_eq!(
        objects,
        ["MutatingWebhookConfiguration policies", "ValidatingWebhookConfiguration policies"]
    );
}
