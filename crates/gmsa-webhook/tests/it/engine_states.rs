//! The engine without a webhook while a part of it is missing or broken: no pod takes an identity
//! unchecked, and plain pods, and plain ephemeral containers, are admitted all the time.

use std::time::{Duration, Instant};

use gmsa_cluster::installation::{Options, Version, definition, engine};
use gmsa_core::index::{self, Spec};
use gmsa_core::names::{ENGINE_EXPAND, INDEX_PLURAL, SEEN};
use gmsa_testkit::control_plane::{self, ControlPlane, version_of_programs};
use gmsa_testkit::objects::{self, gmsa};
use gmsa_testkit::process::eventually;
use gmsa_testkit::requests::request;
use gmsa_testkit::tools::skip_in_ci_too;
use kube::Client;
use serde_json::{Value, json};

use crate::support::{canonical, contents_at};

/// Parameters of a kind whose definition is new are known after 45 s.
const LONG: Duration = Duration::from_mins(4);
/// How long each state is looked at: API servers read policies once a second.
const LOOK: Duration = Duration::from_secs(3);

const NAMESPACE: &str = "default";
const PODS: &str = "/api/v1/namespaces/default/pods";

struct World {
    plane: ControlPlane,
    client: Client,
    policies: engine::Policies,
}

/// A request, and what may come of it.
struct Attempt {
    what: &'static str,
    ephemeral: bool,
    body: Value,
    may: May,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum May {
    /// Admitted in every state.
    Always,
    /// Admitted with the contents of its credential spec, or denied.
    WithContents,
    /// Denied in every state.
    Never,
}

fn attempts() -> Vec<Attempt> {
    let (own, other) = (canonical("WebApp1"), canonical("Other"));
    let pod = |context: Value| objects::pod(NAMESPACE, "p", &context);
    let ephemeral = |context: Value| {
        let mut container = json!({"name": "debug", "image": "i"});
        if context != json!({}) {
            container["securityContext"] = context;
        }
        json!({"spec": {"ephemeralContainers": [container]}})
    };
    let mut labeled = pod(gmsa(Some("spec"), Some(&other)));
    labeled["metadata"]["labels"] = json!({SEEN: "true"});
    let mut in_container = pod(json!({}));
    in_container["spec"]["containers"][0]["securityContext"] = gmsa(Some("spec"), Some(&other));
    let attempt = |what, ephemeral, body, may| Attempt { what, ephemeral, body, may };
    vec![
        attempt("plain", false, pod(json!({})), May::Always),
        attempt("named", false, pod(gmsa(Some("spec"), None)), May::WithContents),
        attempt("preset", false, pod(gmsa(Some("spec"), Some(&own))), May::WithContents),
        attempt("forged", false, pod(gmsa(Some("spec"), Some(&other))), May::Never),
        attempt("forged in a container", false, in_container, May::Never),
        attempt("forged with the label", false, labeled, May::Never),
        attempt("without the right", false, pod(gmsa(Some("other"), Some(&other))), May::Never),
        attempt("without a name", false, pod(gmsa(None, Some(&own))), May::Never),
        attempt("ephemeral plain", true, ephemeral(json!({})), May::Always),
        attempt("ephemeral named", true, ephemeral(gmsa(Some("spec"), None)), May::WithContents),
        attempt("ephemeral forged", true, ephemeral(gmsa(Some("spec"), Some(&other))), May::Never),
        attempt(
            "ephemeral without the right",
            true,
            ephemeral(gmsa(Some("other"), Some(&other))),
            May::Never,
        ),
    ]
}

impl World {
    async fn start(test: &str) -> Option<Self> {
        if version_of_programs(test)? < (1, 36) {
            let why = "API servers have mutating policies from 1.36; see docs/engine.md";
            skip_in_ci_too(test, why);
            return None;
        }
        let options =
            control_plane::Options { with_controller_manager: true, ..Default::default() };
        let plane = ControlPlane::start_private(test, options).await?;
        let client = plane.client().await;
        let policies = engine::policies(&Options::default(), Version(1, 36));
        let world = Self { plane, client, policies };
        world.apply(&json!(definition::definition())).await;
        world.apply(&json!(engine::index_definition())).await;
        for object in [
            objects::credential_spec("spec", "WebApp1"),
            objects::credential_spec("other", "Other"),
            objects::role("spec"),
            objects::binding("spec", NAMESPACE, "default"),
            index(),
        ] {
            world.apply(&object).await;
        }
        for object in world.policies.iter() {
            world.apply(object).await;
        }
        world.send("POST", PODS, &objects::pod(NAMESPACE, "running", &json!({}))).await.unwrap();
        world.is_whole().await;
        Some(world)
    }

    async fn send(&self, method: &str, path: &str, body: &Value) -> kube::Result<Value> {
        request(&self.client, method, path, body).await
    }

    /// Creates an object, or replaces it; waits until its kind is served.
    async fn apply(&self, object: &Value) {
        let path = path_of(object);
        let collection = path.rsplit_once('/').unwrap().0;
        eventually(&format!("{path} is applied"), LONG, || async {
            if self.send("POST", collection, object).await.is_ok() {
                return Some(());
            }
            let there = self.send("GET", &path, &json!({})).await.ok()?;
            let mut object = object.clone();
            object["metadata"]["resourceVersion"] = there["metadata"]["resourceVersion"].clone();
            self.send("PUT", &path, &object).await.ok().map(drop)
        })
        .await;
    }

    async fn delete(&self, object: &Value) {
        self.send("DELETE", &path_of(object), &json!({})).await.unwrap();
    }

    /// Makes an attempt as a dry run, and checks what comes of it. Gives whether it was admitted, or the
    /// message.
    async fn attempt(&self, state: &str, attempt: &Attempt) -> Result<(), String> {
        let (method, path) = if attempt.ephemeral {
            ("PATCH", format!("{PODS}/running/ephemeralcontainers?dryRun=All"))
        } else {
            ("POST", format!("{PODS}?dryRun=All"))
        };
        let what = attempt.what;
        match self.send(method, &path, &attempt.body).await {
            Ok(stored) => {
                assert!(attempt.may != May::Never, "{state}: {what} is admitted");
                if attempt.may == May::WithContents {
                    let field =
                        if attempt.ephemeral { "/spec/ephemeralContainers/0" } else { "/spec" };
                    let contents = contents_at(&stored, field);
                    assert_eq!(contents, Some(&*canonical("WebApp1")), "{state}: {what}");
                }
                Ok(())
            }
            Err(kube::Error::Api(status)) => {
                let message = format!("{} {}", status.code, status.message);
                assert!(attempt.may != May::Always, "{state}: {what} is denied: {message}");
                Err(message)
            }
            Err(error) => panic!("{state}: {what}: {error}"),
        }
    }

    /// Makes every attempt, again and again, until the state was looked at for a while and a pod with a
    /// GMSA is admitted, or not, as it is expected. Prints what came of the last round.
    #[allow(clippy::print_stdout, reason = "what came of each attempt, for docs/engine.md")]
    async fn look(&self, state: &str, admitted: Option<bool>) {
        let attempts = attempts();
        let start = Instant::now();
        loop {
            let mut round = Vec::new();
            for one in &attempts {
                round.push(self.attempt(state, one).await);
            }
            let named = round[1].is_ok();
            let as_expected = admitted.is_none_or(|admitted| admitted == named);
            if as_expected && start.elapsed() > LOOK {
                println!("== {state}");
                for (one, answer) in attempts.iter().zip(round) {
                    match answer {
                        Ok(()) => println!("   {}: admitted", one.what),
                        Err(message) => println!("   {}: {message}", one.what),
                    }
                }
                return;
            }
            assert!(start.elapsed() < LONG, "{state}: {round:?}");
        }
    }

    /// Waits until everything is as before.
    async fn is_whole(&self) {
        let attempts = attempts();
        eventually("the engine is whole", LONG, || async {
            for one in &attempts {
                let answer = self.send_only(one).await;
                let is_right = match one.may {
                    May::Never => answer.is_err_and(|message| !message.contains("no params found")),
                    May::Always | May::WithContents => answer.is_ok(),
                };
                if !is_right {
                    return None;
                }
            }
            Some(())
        })
        .await;
    }

    async fn send_only(&self, attempt: &Attempt) -> Result<Value, String> {
        let (method, path) = if attempt.ephemeral {
            ("PATCH", format!("{PODS}/running/ephemeralcontainers?dryRun=All"))
        } else {
            ("POST", format!("{PODS}?dryRun=All"))
        };
        self.send(method, &path, &attempt.body).await.map_err(|error| error.to_string())
    }
}

fn index() -> Value {
    let specs = [("spec", "WebApp1"), ("other", "Other")]
        .map(|(name, account)| (name, Spec::of(&objects::credential_spec(name, account))));
    index::build(specs.iter().map(|(name, spec)| (*name, spec))).object()
}

/// The path of an object.
fn path_of(object: &Value) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let group = text("/apiVersion").unwrap();
    let kind = text("/kind").unwrap();
    let plural = match kind.to_lowercase() {
        kind if kind == "gmsaindex" => INDEX_PLURAL.to_owned(),
        kind if kind.ends_with("policy") => format!("{}ies", kind.trim_end_matches('y')),
        kind => format!("{kind}s"),
    };
    let namespace = text("/metadata/namespace")
        .filter(|_| kind != "ClusterRole")
        .map_or_else(String::new, |namespace| format!("/namespaces/{namespace}"));
    format!("/apis/{group}{namespace}/{plural}/{}", text("/metadata/name").unwrap())
}

#[tokio::test]
async fn whatever_is_missing_no_identity_is_unchecked_and_plain_pods_are_admitted() {
    let test = "whatever_is_missing_no_identity_is_unchecked_and_plain_pods_are_admitted";
    let Some(world) = World::start(test).await else { return };
    world.look("whole", Some(true)).await;

    // Each policy and each binding.
    for object in world.policies.iter() {
        let (kind, name) = (&object["kind"], object["metadata"]["name"].as_str().unwrap());
        world.delete(object).await;
        let admitted = if name == ENGINE_EXPAND { Some(false) } else { None };
        world.look(&format!("without the {kind} {name}"), admitted).await;
        world.apply(object).await;
        world.is_whole().await;
    }

    // The index.
    for (state, broken) in [
        ("an empty index", json!({"entries": {}, "templates": {}})),
        ("an index of nothing", json!({})),
        ("an index with an unknown template", json!({"entries": {"spec": "t9:WebApp1"}})),
        ("an index with a broken entry", json!({"entries": {"spec": "WebApp1"}})),
    ] {
        let mut object = index();
        for key in ["entries", "templates"] {
            object.as_object_mut().unwrap().remove(key);
        }
        object.as_object_mut().unwrap().extend(broken.as_object().unwrap().clone());
        world.apply(&object).await;
        world.look(state, Some(false)).await;
        world.apply(&index()).await;
        world.is_whole().await;
    }
    world.delete(&index()).await;
    world.look("without the index", Some(false)).await;
    world.apply(&index()).await;
    world.is_whole().await;

    // Its definition, and with it the index.
    let definition = json!(engine::index_definition());
    world.delete(&definition).await;
    world.look("without the definition of the index", Some(false)).await;
    // Policies are read again when one changes.
    for object in world.policies.iter() {
        world.apply(object).await;
    }
    world.look("without the definition, and policies read again", Some(false)).await;
    world.apply(&definition).await;
    world.apply(&index()).await;
    let start = Instant::now();
    world.look("with the definition again", Some(true)).await;
    println!("after {:?}", start.elapsed());
}

/// Pods whose containers name so many credential specs, over so many fields.
fn many(names: usize, fields: usize, contents: Option<&str>) -> Value {
    let container = |index: usize| {
        let name = format!("many-{}", index % names);
        json!({"name": format!("c{index}"), "image": "i",
            "securityContext": gmsa(Some(&name), contents)})
    };
    let mut pod = objects::pod(NAMESPACE, "p", &json!({}));
    pod["spec"]["containers"] = (0..fields).map(container).collect();
    pod
}

#[tokio::test]
async fn the_budget_for_expressions_is_enough_for_twenty_names_and_hundreds_of_fields() {
    let test = "the_budget_for_expressions_is_enough_for_twenty_names_and_hundreds_of_fields";
    let Some(world) = World::start(test).await else { return };
    let names: Vec<String> = (0..=20).map(|index| format!("many-{index}")).collect();
    let object = |name: &str| objects::credential_spec(name, "WebApp1");
    let specs: Vec<(String, Spec)> =
        names.iter().map(|name| (name.clone(), Spec::of(&object(name)))).collect();
    let index = index::build(specs.iter().map(|(name, spec)| (name.as_str(), spec))).object();
    world.apply(&index).await;
    let mut role = objects::role("many");
    role["rules"][0]["resourceNames"] = json!(names);
    world.apply(&role).await;
    let turned = {
        let Value::Object(contents) = objects::contents("WebApp1") else { panic!() };
        let members = contents.iter().rev().map(|(key, value)| format!("\"{key}\": {value}"));
        format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
    };
    let path = format!("{PODS}?dryRun=All");
    let denied = |pod: Value| {
        let (world, path) = (&world, &path);
        async move {
            match world.send("POST", path, &pod).await {
                Ok(_) => "admitted".to_owned(),
                Err(kube::Error::Api(status)) => format!("{} {}", status.code, status.message),
                Err(error) => panic!("{error}"),
            }
        }
    };
    let said = eventually("the index is in force", LONG, || async {
        let said = denied(many(20, 20, None)).await;
        said.contains("not authorized").then_some(said)
    })
    .await;
    assert!(said.starts_with("403") && said.contains("[and more]"), "{said}");
    world.apply(&objects::binding("many", NAMESPACE, "default")).await;
    eventually("the rights are known", LONG, || async {
        (denied(many(20, 20, None)).await == "admitted").then_some(())
    })
    .await;
    let (own, other) = (canonical("WebApp1"), canonical("Other"));
    assert_eq!(denied(many(20, 20, Some(&own))).await, "admitted");
    assert_eq!(denied(many(1, 20, Some(&turned))).await, "admitted", "contents in another order");
    let said = denied(many(20, 20, Some(&other))).await;
    assert!(said.starts_with("422") && said.contains("does not match"), "{said}");
    assert_eq!(denied(many(20, 500, None)).await, "admitted");
    assert_eq!(denied(many(20, 500, Some(&own))).await, "admitted");
    // Beyond the budget nothing is admitted with foreign contents.
    for (names, fields) in
        [(20, 100), (1, 100), (20, 250), (1, 250), (10, 500), (1, 500), (20, 500)]
    {
        for (what, contents) in [("named", None), ("preset", Some(&own)), ("turned", Some(&turned))]
        {
            let said = denied(many(names, fields, contents.map(String::as_str))).await;
            let said: String = said.chars().take(400).collect();
            println!("{names} names, {fields} fields, {what}: {said}");
        }
        let said = denied(many(names, fields, Some(&other))).await;
        assert!(said.starts_with('4'), "{names} names, {fields} fields: {said}");
        println!(
            "{names} names, {fields} fields, forged: {}",
            said.chars().take(200).collect::<String>()
        );
    }
    for (pod, words) in [
        (many(21, 21, None), "more than 20 different"),
        (many(1, 501, None), "501 fields of the pod"),
        // The API server itself allows no more in one request than it can read.
        (many(21, 1000, Some(&own)), "1000 fields of the pod"),
    ] {
        let said = denied(pod).await;
        assert!(said.starts_with("422") && said.contains(words), "{said}");
    }
    assert_eq!(denied(objects::pod(NAMESPACE, "p", &json!({}))).await, "admitted");
}

#[tokio::test]
async fn ten_thousand_credential_specs_are_in_the_policies() {
    let test = "ten_thousand_credential_specs_are_in_the_policies";
    let Some(world) = World::start(test).await else { return };
    for object in world.policies.iter().rev() {
        world.delete(object).await;
    }
    world.delete(&json!(engine::index_definition())).await;
    for (what, count, different) in
        [("of one domain", 10_000, false), ("without a common template", 4_000, true)]
    {
        let object = |number: usize| {
            let mut object = objects::credential_spec("x", &format!("App{number}"));
            if different {
                object["credspec"]["DomainJoinConfig"]["Guid"] = json!(format!("{number:036}"));
            }
            object
        };
        let specs = (0..count)
            .map(|number| (format!("spec-{number:05}"), Spec::of(&object(number))))
            .collect();
        let policies = engine::literal_policies(&Options::default(), Version(1, 36), &specs);
        let names: Vec<String> =
            [0, count / 2, count - 1].map(|number| format!("spec-{number:05}")).into();
        let mut role = objects::role("large");
        role["rules"][0]["resourceNames"] = json!([names[0], names[1], names[2], "absent"]);
        world.apply(&role).await;
        world.apply(&objects::binding("large", NAMESPACE, "default")).await;
        let sizes: Vec<usize> = policies.iter().map(|object| object.to_string().len()).collect();
        let start = Instant::now();
        for object in policies.iter() {
            world.apply(object).await;
        }
        let applied = start.elapsed();
        let path = format!("{PODS}?dryRun=All");
        for (name, number) in names.iter().zip([0, count / 2, count - 1]) {
            let pod = objects::pod(NAMESPACE, "p", &gmsa(Some(name), None));
            let expected = gmsa_core::credspec::canonical_json(&object(number)["credspec"]);
            eventually("it is expanded", LONG, || async {
                // Until the policies are in force pods are admitted without contents, or with those before.
                let stored = world.send("POST", &path, &pod).await.ok()?;
                (contents_at(&stored, "/spec") == Some(&*expected)).then_some(())
            })
            .await;
            let in_force = start.elapsed();
            let forged = gmsa(Some(name), Some(&canonical("Other")));
            let forged = objects::pod(NAMESPACE, "p", &forged);
            // What checks is read a moment after what expands.
            eventually("it is checked", LONG, || async {
                let error = world.send("POST", &path, &forged).await.err()?.to_string();
                error.contains("does not match").then_some(())
            })
            .await;
            println!("{what}: {name} in force after {in_force:?}");
        }
        let absent = objects::pod(NAMESPACE, "p", &gmsa(Some("absent"), None));
        let error = world.send("POST", &path, &absent).await.unwrap_err().to_string();
        assert!(error.contains("cred spec absent does not exist"), "{error}");
        println!(
            "{what}: {count} in {} objects, the largest {} bytes, applied in {applied:?}",
            sizes.len(),
            sizes.iter().max().unwrap()
        );
    }
}

#[tokio::test]
async fn after_a_restart_of_the_api_server_nothing_is_unchecked_and_plain_pods_are_admitted() {
    let test = "after_a_restart_of_the_api_server_nothing_is_unchecked_and_plain_pods_are_admitted";
    let Some(mut world) = World::start(test).await else { return };
    world.plane.stop_api_server();
    world.plane.start_api_server().await;
    world.client = world.plane.client().await;
    let start = Instant::now();
    world.look("after a restart", Some(true)).await;
    println!("a pod with a GMSA is admitted after {:?}", start.elapsed());
}
