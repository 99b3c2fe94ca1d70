//! The guard and the protection on a real API server, with and without the webhook in the way. They
//! take a server from 1.30, by `KUBEBUILDER_ASSETS`: the one that the tests build is older.

use std::collections::BTreeMap;

use crate::support::Ran;
use crate::support::world::{SOON, World};
use gmsa_cluster::installation::{Options, Version, engine};
use gmsa_core::names::{
    DOMAIN, EARLY_WARNINGS, ENGINE_CHECK, ENGINE_EXPAND, GUARD, INDEX, INDEX_KEEPER, INDEX_PLURAL,
    NAME, PROTECTION,
};
use gmsa_testkit::objects::{self, gmsa};
use gmsa_testkit::process::eventually;
use gmsa_testkit::tools::skip_in_ci_too;
use serde_json::{Value, json};

const MUTATING: &str =
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/gmsa-webhook";
const VALIDATING: &str =
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/gmsa-webhook";
const POLICY: &str =
    "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/gmsa-webhook-guard";
const BINDING: &str =
    "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/gmsa-webhook-guard";
const DEFINITION: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/\
    gmsacredentialspecs.windows.k8s.io";

/// A control plane whose API server evaluates admission policies.
async fn world(test: &str) -> Option<World> {
    let why_not = "this API server has no admission policies; see docs/guard.md";
    World::since(30, test, why_not).await
}

/// Creates a pod as a dry run; the error is its code and message.
async fn create(world: &World, pod: &Value) -> Result<Value, (u16, String)> {
    let namespace = pod["metadata"]["namespace"].as_str().unwrap();
    let path = format!("/api/v1/namespaces/{namespace}/pods?dryRun=All");
    world.request("POST", &path, pod).await.map_err(denied)
}

fn denied(error: kube::Error) -> (u16, String) {
    match error {
        kube::Error::Api(status) => (status.code, status.message),
        other => panic!("{other}"),
    }
}

/// Creates it until the answer is the wanted one: API servers read policies some moments later.
async fn answers(world: &World, pod: &Value, code: u16, words: &str) -> String {
    let what = format!("{code} {words}");
    eventually(&what, SOON, || async {
        match create(world, pod).await {
            Ok(_) if code == 201 => Some(String::new()),
            Err((got, message)) if got == code && message.contains(words) => Some(message),
            _ => None,
        }
    })
    .await
}

/// A pod with a field of each kind; the last is that of the pod itself.
fn in_each_place(namespace: &str, context: &Value) -> [(&'static str, Value); 3] {
    let plain = || objects::pod(namespace, "p", &json!({}));
    let with = |pointer: &str, value: Value| {
        let mut pod = plain();
        pod["spec"][pointer] = value;
        pod
    };
    let container = |name: &str| json!([{"name": name, "image": "i", "securityContext": context}]);
    [
        ("container \"iis\"", with("containers", container("iis"))),
        ("init container \"setup\"", with("initContainers", container("setup"))),
        ("pod \"p\"", objects::pod(namespace, "p", context)),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_webhook_no_pod_takes_an_identity_without_the_right() {
    let test = "without_the_webhook_no_pod_takes_an_identity_without_the_right";
    let Some(world) = world(test).await else { return };
    let _stand_in = world.stand_in(None).await;
    let installed = world.done(&["install"]).await;
    assert!(
        installed.contains(&format!("validatingadmissionpolicy/{GUARD} created")),
        "{installed}"
    );
    world.namespace("web").await;
    world.admit("web").await.unwrap();
    world.bare_namespace("other", &json!({})).await;
    // The words are the guard's, though the webhook would deny it too.
    let contents = objects::contents("WebApp1").to_string();
    let foreign = objects::pod("other", "p", &gmsa(Some("spec"), Some(&contents)));
    answers(&world, &foreign, 403, &format!("ValidatingAdmissionPolicy '{GUARD}'")).await;
    // The probe of the doctor still reaches the webhook, and notices that it is not asked.
    let ran = world.run(&["doctor"]).await;
    let row = |text: &str, id: &str| {
        text.lines().find(|row| row.trim_start().starts_with(id)).map(str::to_owned)
    };
    assert!(!ran.stdout.contains("no answer came from"), "{}", ran.stdout);
    world.request("DELETE", VALIDATING, &json!({})).await.unwrap();
    eventually("the doctor misses validation", SOON, || async {
        let ran = world.run(&["doctor"]).await;
        ran.stdout.contains("no answer came from the validating webhook").then_some(())
    })
    .await;
    world.request("DELETE", MUTATING, &json!({})).await.unwrap();

    answers(&world, &objects::pod("other", "p", &json!({})), 201, "").await;
    for (field, pod) in in_each_place("web", &gmsa(Some("spec"), None)) {
        let words = format!("{field}: GMSA cred spec \"spec\" was not expanded");
        answers(&world, &pod, 422, &words).await;
    }
    for (field, pod) in in_each_place("web", &gmsa(None, Some(&contents))) {
        let words = format!("{field} has a GMSA cred spec set, but does not define the name");
        answers(&world, &pod, 422, &words).await;
    }
    for (field, pod) in in_each_place("other", &gmsa(Some("spec"), Some(&contents))) {
        let words = format!(
            "{field}: service account \"default\" is not authorized to `use` GMSA cred spec \
             \"spec\" in namespace \"other\"; an administrator grants it with `kubectl gmsa grant \
             spec --to other/default`"
        );
        answers(&world, &pod, 403, &words).await;
    }
    for (_, pod) in in_each_place("web", &gmsa(Some("spec"), Some(&contents))) {
        answers(&world, &pod, 201, "").await;
    }
    // The command in the message is the remedy.
    world.done(&["grant", "spec", "--to", "other/default"]).await;
    answers(&world, &foreign, 201, "").await;
    world.done(&["revoke", "spec", "--from", "other/default"]).await;
    answers(&world, &foreign, 403, "is not authorized to `use`").await;

    ephemeral(&world, &contents).await;
    many_names(&world, &contents).await;

    // What is left open is said.
    let (code, report) = world.report(&["audit", "-A"]).await;
    let found = report["findings"].as_array().unwrap();
    let missing = found.iter().find(|one| one["code"] == "webhook-missing").unwrap();
    assert!(missing["evidence"].to_string().contains("contents are not compared"), "{missing}");
    assert_eq!(code, 1);
    let status = world.run(&["status"]).await.stdout;
    assert!(row(&status, "guard-whole").unwrap().contains(" ok "), "{status}");
}

/// Ephemeral containers come in through a subresource, to a pod that runs.
async fn ephemeral(world: &World, contents: &str) {
    for (namespace, code) in [("web", None), ("other", Some(403))] {
        let pod = objects::pod(namespace, "running", &json!({}));
        let path = format!("/api/v1/namespaces/{namespace}/pods");
        world.request("POST", &path, &pod).await.unwrap();
        let path = format!("{path}/running/ephemeralcontainers");
        let add = |name: &str, context: Value| {
            json!({"spec": {"ephemeralContainers": [
                {"name": name, "image": "i", "securityContext": context}]}})
        };
        let right = add("debug", gmsa(Some("spec"), Some(contents)));
        let answer = world.request("PATCH", &path, &right).await.map_err(denied);
        match (code, answer) {
            (None, Ok(_)) => {}
            (Some(code), Err((got, message))) => {
                assert_eq!(got, code, "{message}");
                let words = "ephemeral container \"debug\": service account \"default\" is not \
                    authorized";
                assert!(message.contains(words), "{message}");
            }
            (wanted, got) => panic!("{wanted:?}: {got:?}"),
        }
        for (context, words) in [
            (gmsa(Some("spec"), None), "was not expanded"),
            (gmsa(None, Some(contents)), "does not define the name"),
        ] {
            let mut list = world.get(&path).await["spec"]["ephemeralContainers"].clone();
            let added = add("more", context)["spec"]["ephemeralContainers"][0].clone();
            match &mut list {
                Value::Array(list) => list.push(added),
                _ => list = json!([added]),
            }
            let change = json!({"spec": {"ephemeralContainers": list}});
            let (got, message) =
                world.request("PATCH", &path, &change).await.map_err(denied).unwrap_err();
            // Without the right that comes first.
            let words = if namespace == "other" && words.contains("expanded") {
                "not authorized"
            } else {
                words
            };
            assert!(message.contains(words), "{got} {message}");
        }
        // An ordinary one is added beside one that uses a GMSA.
        let mut list = world.get(&path).await["spec"]["ephemeralContainers"].clone();
        let plain = json!({"name": "plain", "image": "i"});
        match &mut list {
            Value::Array(list) => list.push(plain),
            _ => list = json!([plain]),
        }
        let change = json!({"spec": {"ephemeralContainers": list}});
        world.request("PATCH", &path, &change).await.unwrap();
    }
}

/// The limit is what the API server's budget for expressions allows.
async fn many_names(world: &World, contents: &str) {
    let names: Vec<String> =
        (0..=gmsa_cluster::installation::MOST_NAMES).map(|index| format!("many-{index}")).collect();
    let names_of = |count: usize, fields: usize| {
        let container = |index: usize| {
            json!({"name": format!("c{index}"), "image": "i",
                "securityContext": gmsa(Some(&names[index % count]), Some(contents))})
        };
        let mut pod = objects::pod("web", "p", &json!({}));
        pod["spec"]["containers"] = (0..fields).map(container).collect();
        pod
    };
    let most = names.len() - 1;
    world
        .apply(&json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": "many"}, "rules": [{"apiGroups": ["windows.k8s.io"],
            "resources": ["gmsacredentialspecs"], "verbs": ["use"], "resourceNames": names}]}))
        .await;
    world
        .apply(&json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": "many", "namespace": "web"},
            "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "web"}],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                "name": "many"}}))
        .await;
    answers(world, &names_of(most, most), 201, "").await;
    answers(world, &names_of(most, 500), 201, "").await;
    answers(world, &names_of(most + 1, most + 1), 422, "more than 20 different").await;
    // The longest texts stay below what the API server shows.
    world
        .request(
            "DELETE",
            "/apis/rbac.authorization.k8s.io/v1/namespaces/web/rolebindings/many",
            &json!({}),
        )
        .await
        .unwrap();
    answers(world, &names_of(most, 500), 403, "[and more]").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guard_that_was_changed_is_reported_restored_and_removed() {
    let test = "a_guard_that_was_changed_is_reported_restored_and_removed";
    let Some(world) = world(test).await else { return };
    let _stand_in = world.stand_in(None).await;
    world.done(&["install"]).await;
    let again = world.done(&["install"]).await;
    assert!(again.lines().all(|line| line.ends_with(" unchanged")), "{again}");
    for (path, change, words) in [
        (BINDING, json!({"spec": {"validationActions": ["Audit"]}}), "does not deny"),
        (
            BINDING,
            json!({"spec": {"matchResources": {"namespaceSelector": {"matchLabels": {"a": "b"}}}}}),
            "binding leaves pods out",
        ),
        (POLICY, json!({"spec": {"failurePolicy": "Ignore"}}), "failurePolicy"),
        (
            POLICY,
            json!({"spec": {"matchConstraints": {"excludeResourceRules": [{"apiGroups": [""],
                "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]}}}),
            "match constraints leave pods out",
        ),
    ] {
        world.patch(path, &change).await;
        let Ran { code, stdout, .. } = world.run(&["status"]).await;
        assert_eq!(code, 1, "{stdout}");
        let row = stdout.lines().find(|row| row.starts_with("guard-whole")).unwrap();
        assert!(row.contains(" problem ") && row.contains(words), "{row}");
        // The remedy of the check.
        world.done(&["install", "--force-conflicts"]).await;
        let status = world.run(&["status"]).await.stdout;
        let row = status.lines().find(|row| row.starts_with("guard-whole")).unwrap();
        assert!(row.contains(" ok "), "{words}: {status}");
    }
    // Another validation is drift.
    world.patch(POLICY, &json!({"spec": {"validations": [{"expression": "true"}]}})).await;
    let Ran { stdout, .. } = world.run(&["status"]).await;
    let row = stdout.lines().find(|row| row.starts_with("webhook-drift")).unwrap();
    assert!(row.contains(GUARD) && row.contains("spec.validations"), "{row}");
    world.done(&["install", "--force-conflicts"]).await;
    for path in [BINDING, POLICY] {
        world.request("DELETE", path, &json!({})).await.unwrap();
        let Ran { code, stdout, .. } = world.run(&["status"]).await;
        let row = stdout.lines().find(|row| row.starts_with("guard-whole")).unwrap();
        assert!(code == 1 && row.contains("is missing"), "{row}");
    }
    world.done(&["install"]).await;

    let off = world.done(&["upgrade", "--guard=false"]).await;
    assert!(off.contains(&format!("validatingadmissionpolicybinding/{GUARD} deleted")), "{off}");
    let status = world.done(&["status"]).await;
    let row = status.lines().find(|row| row.starts_with("guard-whole")).unwrap();
    assert!(row.contains("--guard=false"), "{row}");
    assert_eq!(
        world.request("GET", POLICY, &Value::Null).await.map_err(denied).unwrap_err().0,
        404
    );
    // Options that are omitted keep their value.
    world.done(&["upgrade"]).await;
    assert_eq!(
        world.request("GET", POLICY, &Value::Null).await.map_err(denied).unwrap_err().0,
        404
    );
    world.done(&["upgrade", "--guard"]).await;

    let removed = world.done(&["uninstall", "--yes"]).await;
    let lines: Vec<&str> = removed.lines().collect();
    let line = |words: &str| lines.iter().position(|line| line.contains(words)).unwrap();
    assert!(
        line(&format!("validatingadmissionpolicybinding/{GUARD}")) < line("webhookconfiguration")
    );
    assert_eq!(
        world.request("GET", POLICY, &Value::Null).await.map_err(denied).unwrap_err().0,
        404
    );
    // A name is then nobody's business: pods are created as if there had never been a webhook.
    world.namespace("web").await;
    answers(&world, &objects::pod("web", "p", &gmsa(Some("spec"), None)), 201, "").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_that_is_left_out_has_no_gmsa() {
    let test = "a_namespace_that_is_left_out_has_no_gmsa";
    let Some(world) = world(test).await else { return };
    let _stand_in = world.stand_in(None).await;
    world.bare_namespace("opted", &json!({"gmsa-webhook": "enabled"})).await;
    world.done(&["install", "--namespaces-opt-in"]).await;
    world.namespace("opted").await;
    world
        .apply(&json!({"apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": "opted", "labels": {"gmsa-webhook": "enabled"}}}))
        .await;
    world.namespace("out").await;
    let contents = objects::contents("WebApp1").to_string();
    for context in [gmsa(Some("spec"), Some(&contents)), gmsa(Some("spec"), None)] {
        let words = "namespace \"out\" is left out by the GMSA webhook";
        answers(&world, &objects::pod("out", "p", &context), 403, words).await;
    }
    answers(&world, &objects::pod("out", "p", &json!({})), 201, "").await;
    answers(&world, &objects::pod("opted", "p", &gmsa(Some("spec"), None)), 201, "").await;
    // With every namespace sent, the guard's condition ends too.
    world.done(&["upgrade", "--namespaces-opt-in=false"]).await;
    answers(&world, &objects::pod("out", "p", &gmsa(Some("spec"), None)), 201, "").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_administrators_change_what_is_protected() {
    let test = "only_administrators_change_what_is_protected";
    let Some(world) = world(test).await else { return };
    let _stand_in = world.stand_in(None).await;
    world.done(&["install", "--protect", "--early-warnings"]).await;
    let ops = Ops::new(&world).await;
    let cluster_role = format!("/apis/rbac.authorization.k8s.io/v1/clusterroles/{NAME}");
    let warnings = VALIDATING.replace(NAME, EARLY_WARNINGS);
    let all_validating = VALIDATING.rsplit_once('/').unwrap().0.to_owned();
    // Built-in validation comes first, so what is sent must be valid.
    let mut narrowed = world.get(VALIDATING).await;
    narrowed["webhooks"][0]["failurePolicy"] = json!("Ignore");
    let selector = format!("{all_validating}?labelSelector=app.kubernetes.io/name%3D{NAME}");
    for (method, path, body) in [
        ("PATCH", VALIDATING.to_owned(), json!({"webhooks": narrowed["webhooks"]})),
        ("PATCH", MUTATING.to_owned(), json!({"webhooks": []})),
        ("PATCH", VALIDATING.to_owned(), json!({"metadata": {"labels": null}})),
        ("DELETE", VALIDATING.to_owned(), json!({})),
        ("DELETE", warnings, json!({})),
        ("DELETE", selector, json!({})),
        ("DELETE", DEFINITION.to_owned(), json!({})),
        ("PATCH", cluster_role.clone(), json!({"rules": []})),
        ("DELETE", cluster_role.replace("clusterroles", "clusterrolebindings"), json!({})),
    ] {
        ops.is_refused(method, &path, &body).await;
    }
    // Others of these kinds are nobody's concern.
    let own = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": "of-ops"}, "rules": []});
    ops.asks("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", &own).await.unwrap();
    let path = "/apis/rbac.authorization.k8s.io/v1/clusterroles/of-ops";
    ops.asks("DELETE", path, &json!({})).await.unwrap();
    // The server goes on to write its CA bundle: without one it does so at once.
    let mut configuration = world.get(VALIDATING).await;
    let before = configuration["webhooks"][0]["clientConfig"]["caBundle"].clone();
    configuration["webhooks"][0]["clientConfig"]["caBundle"] = Value::Null;
    world.request("PUT", VALIDATING, &configuration).await.unwrap();
    eventually("the server writes its CA bundle", SOON, || async {
        let now = world.get(VALIDATING).await;
        (now["webhooks"][0]["clientConfig"]["caBundle"] == before).then_some(())
    })
    .await;
    // Administrators go on as before.
    world.done(&["upgrade", "--replicas=3"]).await;
    world.done(&["status"]).await;
    world.done(&["uninstall", "--yes"]).await;
}

/// The options of a deletion that is a dry run. API servers read `?dryRun=All` only where there is no body.
fn dry_run() -> Value {
    json!({"apiVersion": "v1", "kind": "DeleteOptions", "dryRun": ["All"]})
}

/// A user who has every right to what an installation has for the whole cluster, but not to everything.
struct Ops {
    client: kube::Client,
}

impl Ops {
    async fn new(world: &World) -> Self {
        world.bare_namespace("ops", &json!({})).await;
        let rbac = "rbac.authorization.k8s.io";
        let groups = ["admissionregistration.k8s.io", "apiextensions.k8s.io", rbac, DOMAIN];
        world
            .apply(&json!({"apiVersion": format!("{rbac}/v1"), "kind": "ClusterRole",
                "metadata": {"name": "ops"},
                "rules": [{"apiGroups": groups, "resources": ["*"], "verbs": ["*"]}]}))
            .await;
        world
            .apply(&json!({"apiVersion": format!("{rbac}/v1"), "kind": "ClusterRoleBinding",
                "metadata": {"name": "ops"},
                "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "ops"}],
                "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "ops"}}))
            .await;
        let kubeconfig = world.plane.token_kubeconfig("ops", "default").await;
        Self { client: gmsa_testkit::control_plane::client(&kubeconfig).await }
    }

    async fn asks(&self, method: &str, path: &str, body: &Value) -> Result<Value, (u16, String)> {
        let answer = gmsa_testkit::requests::request(&self.client, method, path, body).await;
        answer.map_err(denied)
    }

    /// Tries it as a dry run until the protection refuses it: API servers read policies some moments later.
    async fn is_refused(&self, method: &str, path: &str, body: &Value) {
        let what = format!("{method} {path} is refused");
        let path = format!("{path}{}dryRun=All", if path.contains('?') { "&" } else { "?" });
        let dry_run = dry_run();
        let body = if method == "DELETE" { &dry_run } else { body };
        eventually(&what, SOON, || async {
            match self.asks(method, &path, body).await {
                Err((403, message)) if message.contains(PROTECTION) => Some(()),
                _ => None,
            }
        })
        .await;
    }
}

/// The index, its definition, the keeper's configuration and rights; and the keeper goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_protection_covers_the_index_of_the_policy_engine() {
    let test = "the_protection_covers_the_index_of_the_policy_engine";
    let why_not = "this API server changes no pods by policies; see docs/engine.md";
    let Some(world) = World::since(36, test, why_not).await else { return };
    let _stand_in = world.stand_in(None).await;
    world.done(&["install", "--engine=policy", "--protect", "--settle=3"]).await;
    let ops = Ops::new(&world).await;
    let indexes = format!("/apis/{DOMAIN}/v1/{INDEX_PLURAL}");
    let index = format!("{indexes}/{INDEX}");
    let keeper = VALIDATING.replace(NAME, INDEX_KEEPER);
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    let mut narrowed = world.get(&keeper).await;
    narrowed["webhooks"][0]["failurePolicy"] = json!("Fail");
    let object = json!({"apiVersion": format!("{DOMAIN}/v1"), "kind": "GMSAIndex",
        "metadata": {"name": INDEX}, "entries": {"forged": "{}"}});
    for (method, path, body) in [
        ("PATCH", index.clone(), json!({"entries": {"forged": "{}"}})),
        ("DELETE", index.clone(), json!({})),
        ("DELETE", indexes.clone(), json!({})),
        ("POST", indexes.clone(), object),
        (
            "DELETE",
            DEFINITION
                .replace("gmsacredentialspecs.windows.k8s.io", &format!("{INDEX_PLURAL}.{DOMAIN}")),
            json!({}),
        ),
        ("PATCH", keeper.clone(), json!({"webhooks": narrowed["webhooks"]})),
        ("DELETE", keeper.clone(), json!({})),
        ("PATCH", format!("{rbac}/clusterroles/{INDEX_KEEPER}"), json!({"rules": []})),
        ("DELETE", format!("{rbac}/clusterrolebindings/{INDEX_KEEPER}"), json!({})),
    ] {
        ops.is_refused(method, &path, &body).await;
    }
    // API servers exempt policies from what they read from the API.
    let policies = "/apis/admissionregistration.k8s.io/v1";
    for path in [
        format!("{policies}/mutatingadmissionpolicies/{ENGINE_EXPAND}"),
        format!("{policies}/validatingadmissionpolicybindings/{ENGINE_CHECK}"),
    ] {
        ops.asks("DELETE", &path, &dry_run()).await.unwrap();
    }
    // The server goes on to write the index and its CA bundle.
    world.namespace("web").await;
    eventually("a new credential spec is in the index", SOON, || async {
        let entries = world.get(&index).await["entries"].clone();
        entries.get("spec").is_some().then_some(())
    })
    .await;
    world.patch(&index, &json!({"entries": {"forged": "{}"}})).await;
    eventually("the server restores the index", SOON, || async {
        let entries = world.get(&index).await["entries"].clone();
        (entries.get("forged").is_none() && entries.get("spec").is_some()).then_some(())
    })
    .await;
    let mut configuration = world.get(&keeper).await;
    let before = configuration["webhooks"][0]["clientConfig"]["caBundle"].clone();
    assert!(before.is_string(), "{configuration}");
    configuration["webhooks"][0]["clientConfig"]["caBundle"] = Value::Null;
    world.request("PUT", &keeper, &configuration).await.unwrap();
    eventually("the server writes its CA bundle", SOON, || async {
        let now = world.get(&keeper).await;
        (now["webhooks"][0]["clientConfig"]["caBundle"] == before).then_some(())
    })
    .await;
    eventually("pods are expanded", SOON, || async { world.admit("web").await.ok() }).await;
    let status = world.run(&["status"]).await;
    assert_eq!(status.code, 0, "{}", status.stdout);
    // An administrator switches with the protection in force, and removes everything.
    world.done(&["install", "--engine=webhook", "--settle=3"]).await;
    world.done(&["install", "--engine=policy", "--static", "--settle=3"]).await;
    ops.is_refused("DELETE", DEFINITION, &json!({})).await;
    world.done(&["uninstall", "--yes"]).await;
}

/// The objects of a file in `deploy/guard`.
fn manifest(file: &str) -> Vec<Value> {
    let path = std::path::Path::new(crate::support::ROOT).join("deploy/guard").join(file);
    let manifests =
        gmsa_cluster::manifests::read(&[gmsa_cluster::manifests::Input::Path(path)]).unwrap();
    assert!(manifests.unreadable.is_empty());
    manifests.documents.into_iter().map(gmsa_cluster::manifests::Document::into_value).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_manifests_are_accepted() {
    let Some(world) = world("the_manifests_are_accepted").await else { return };
    for file in ["guard.yaml", "protection.yaml"] {
        for object in manifest(file) {
            world.apply(&object).await;
        }
    }
    world.bare_namespace("web", &json!({})).await;
    let contents = objects::pod("web", "p", &gmsa(None, Some("{}")));
    answers(&world, &contents, 422, "does not define the name").await;
    // The controller manager checks the types of every expression against those of a pod.
    let checked = eventually("the types are checked", SOON, || async {
        let status = world.get(POLICY).await["status"].clone();
        status["observedGeneration"].is_number().then_some(status)
    })
    .await;
    assert_eq!(checked["typeChecking"]["expressionWarnings"], Value::Null, "{checked:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guard_that_the_api_server_reads_from_files_protects_the_policies_too() {
    let test = "a_guard_that_the_api_server_reads_from_files_protects_the_policies_too";
    let files = tempfile::tempdir().unwrap();
    let static_files = files.path().join("static");
    std::fs::create_dir(&static_files).unwrap();
    for file in ["guard.yaml", "protection.yaml"] {
        let from =
            std::path::Path::new(crate::support::ROOT).join("deploy/guard/static").join(file);
        std::fs::copy(from, static_files.join(file)).unwrap();
    }
    let config = files.path().join("admission.json");
    let plugin = json!({"name": "ValidatingAdmissionPolicy", "configuration": {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyConfiguration",
        "staticManifestsDir": static_files}});
    let admission = json!({"apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AdmissionConfiguration", "plugins": [plugin]});
    std::fs::write(&config, admission.to_string()).unwrap();
    let Some(before) = gmsa_testkit::control_plane::version_of_programs(test) else { return };
    if before < (1, 36) {
        skip_in_ci_too(test, "API servers read policies from files from 1.36; see docs/guard.md");
        return;
    }
    let options = gmsa_testkit::control_plane::Options {
        with_controller_manager: true,
        extra_api_server_args: vec![
            "--feature-gates=ManifestBasedAdmissionControlConfig=true".to_owned(),
            format!("--admission-control-config-file={}", config.display()),
        ],
    };
    let world = World::start(test, options).await.unwrap();
    world.bare_namespace("web", &json!({})).await;
    let contents = objects::pod("web", "p", &gmsa(None, Some("{}")));
    answers(&world, &contents, 422, "does not define the name").await;
    let foreign = objects::pod("web", "p", &gmsa(Some("spec"), Some("{}")));
    answers(&world, &foreign, 403, "is not authorized to `use`").await;
    // A user who may do everything to admission, and nothing else.
    for file in ["guard.yaml", "../engine/expand.yaml"] {
        for object in manifest(file) {
            world.apply(&object).await;
        }
    }
    let literals = engine::literal_policies(&Options::default(), Version(1, 36), &BTreeMap::new());
    for object in literals.iter() {
        world.apply(object).await;
    }
    let ops = Ops::new(&world).await;
    let kind =
        |kind: &str, name: &str| format!("/apis/admissionregistration.k8s.io/v1/{kind}/{name}");
    for path in [
        POLICY.to_owned(),
        BINDING.to_owned(),
        kind("mutatingadmissionpolicies", ENGINE_EXPAND),
        kind("mutatingadmissionpolicybindings", ENGINE_EXPAND),
        kind("mutatingadmissionpolicies", "gmsa-static-expand"),
        kind("validatingadmissionpolicies", "gmsa-static-check"),
        kind("validatingadmissionpolicybindings", "gmsa-static-guard"),
    ] {
        ops.is_refused("DELETE", &path, &json!({})).await;
    }
    // An administrator may.
    world.request("DELETE", POLICY, &json!({})).await.unwrap();
}

/// What the creation of a pod as a dry run costs: milliseconds in half of so many cases, and
/// milliseconds of the API server's CPU for each, which other work on the machine disturbs less.
async fn cost(world: &World, pod: &Value, count: u32) -> [f64; 2] {
    let mut taken = Vec::new();
    let before = cpu(world).await;
    for _ in 0..count {
        let start = std::time::Instant::now();
        create(world, pod).await.unwrap();
        taken.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    let cpu = (cpu(world).await - before) * 1000.0 / f64::from(count);
    taken.sort_by(f64::total_cmp);
    [taken[taken.len() / 2], cpu]
}

/// Seconds of CPU that the API server has used.
async fn cpu(world: &World) -> f64 {
    let request = http::Request::get("/metrics").body(Vec::new()).unwrap();
    let text = world.client.request_text(request).await.unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("process_cpu_seconds_total "));
    line.unwrap().parse().unwrap()
}

/// For docs/guard.md. Rounds with and without the guard follow each other, so that both meet the same
/// noise.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, not a test"]
async fn what_the_guard_costs() {
    let Some(world) = world("what_the_guard_costs").await else { return };
    world.bare_namespace("web", &json!({})).await;
    for object in [objects::role("spec"), objects::binding("spec", "web", "default")] {
        world.apply(&object).await;
    }
    let contents = objects::contents("WebApp1").to_string();
    let plain = objects::pod("web", "p", &json!({}));
    let user = objects::pod("web", "p", &gmsa(Some("spec"), Some(&contents)));
    let refused = objects::pod("web", "p", &gmsa(None, Some("{}")));
    cost(&world, &plain, 300).await;
    for round in 0..8 {
        let without = [cost(&world, &plain, 300).await, cost(&world, &user, 300).await];
        for object in manifest("guard.yaml") {
            world.apply(&object).await;
        }
        answers(&world, &refused, 422, "does not define the name").await;
        let with = [cost(&world, &plain, 300).await, cost(&world, &user, 300).await];
        for (what, without, with) in
            [("plain", without[0], with[0]), ("with a GMSA", without[1], with[1])]
        {
            println!(
                "round {round}, {what}: p50 {:.2} -> {:.2} ms, CPU {:.2} -> {:.2} ms",
                without[0], with[0], without[1], with[1]
            );
        }
        for path in [BINDING, POLICY] {
            world.request("DELETE", path, &json!({})).await.unwrap();
        }
        answers(&world, &refused, 201, "").await;
    }
}
