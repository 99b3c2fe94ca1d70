//! The table of denials, and who sees them.

use gmsa_core::grant::Grant;
use gmsa_testkit::https::Https;
use gmsa_testkit::objects::{self, gmsa};
use gmsa_testkit::process::eventually;
use k8s_openapi::ByteString;
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Event;
use kube::api::{Api, ListParams};
use serde_json::{Value, json};

use super::{SOON, World, canonical};

/// A security context that is denied, the code, and words of the message.
pub struct Case {
    pub context: Value,
    pub code: u16,
    pub words: String,
    /// Whether the API server itself refuses a workload with such a template.
    pub no_template: bool,
    /// The code and words of the engine's policies, where they differ.
    pub by_policies: Option<(u16, String)>,
}

impl Case {
    pub fn new(context: Value, code: u16, words: impl Into<String>) -> Self {
        Self { context, code, words: words.into(), no_template: false, by_policies: None }
    }

    fn refused_in_templates(self) -> Self {
        Self { no_template: true, ..self }
    }

    /// Each difference is one of the table in docs/engine.md.
    fn by_policies(self, code: u16, words: impl Into<String>) -> Self {
        Self { by_policies: Some((code, words.into())), ..self }
    }

    /// The code and words that are expected.
    fn expected(&self, world: &World) -> (u16, &str) {
        match &self.by_policies {
            Some((code, words)) if world.policies.is_some() => (*code, words),
            _ => (self.code, &self.words),
        }
    }
}

/// A row for each denial of a place that does not depend on what fails. Where watching is
/// forbidden, no name that may be meant is known.
pub async fn cases(world: &World, watched: bool) -> Vec<Case> {
    let spec = world.credential_spec("default").await;
    let [hollow, gone, other, large] =
        ["hollow", "gone", "other", "large"].map(|prefix| world.cluster.unique(prefix));
    let (typo, unlawful_typo) = (format!("{spec}x"), format!("{spec}y"));
    let mut empty = objects::credential_spec(&hollow, "x");
    empty["credspec"] = json!({});
    world.cluster.apply(&empty).await;
    world.cluster.apply(&objects::credential_spec(&other, "Other")).await;
    let huge = "x".repeat(64 * 1024 + 1);
    world.cluster.apply(&objects::credential_spec(&large, &huge)).await;
    for name in [&hollow, &gone, &typo, &large] {
        world.grant(name, "default").await;
    }
    let upper = spec.to_uppercase();
    let different = canonical("WebApp1").replace("contoso.com", "example.com");
    let not_authorized = |name: &str| {
        format!("service account \"default\" is not authorized to `use` GMSA cred spec \"{name}\"")
    };
    let mut cases = vec![
        Case::new(
            gmsa(None, Some("{}")),
            422,
            "has a GMSA cred spec set, but does not define the name of the corresponding resource",
        ),
        Case::new(gmsa(Some(&upper), None), 422, format!("write \"{spec}\", which exists"))
            .refused_in_templates(),
        Case::new(gmsa(Some(&other), None), 403, not_authorized(&other)),
        Case::new(
            gmsa(Some(&other), Some(&canonical("Other"))),
            403,
            Grant::of(&other, &world.namespace, "default").unwrap().with_kubectl(),
        ),
        Case::new(gmsa(Some(&gone), None), 404, format!("cred spec {gone} does not exist"))
            .by_policies(422, format!("cred spec {gone} does not exist")),
        Case::new(
            gmsa(Some(&hollow), None),
            417,
            format!("cred spec {hollow} does not have a credspec key"),
        )
        .by_policies(422, format!("cred spec {hollow} does not have a credspec key")),
        Case::new(
            gmsa(Some(&spec), Some(&different)),
            422,
            format!(
                "does not match the contents of GMSA resource \"{spec}\": ActiveDirectoryConfig.GroupManagedServiceAccounts[1].Scope differs"
            ),
        )
        .by_policies(422, format!("does not match the contents of GMSA resource \"{spec}\"; leave")),
        Case::new(
            gmsa(Some(&spec), Some(&huge)),
            422,
            format!("the contents of GMSA cred spec \"{spec}\" are over 64 KiB"),
        )
        .refused_in_templates(),
        Case::new(
            gmsa(Some(&large), None),
            422,
            format!("the contents of GMSA cred spec \"{large}\" are over 64 KiB"),
        )
        .by_policies(422, format!("cred spec {large} does not exist")),
    ];
    if watched && world.policies.is_none() {
        let meant = format!("did you mean \"{spec}\"");
        // The store learns of a name a moment after it was made.
        let https = Https::new(world.server.https, world.authority.pem());
        let pod = world.pod(&gmsa(Some(&typo), None));
        let review = objects::review(&world.namespace, &pod);
        eventually("the store knows the name", SOON, || async {
            https.review("/mutate", &review).await.to_string().contains(&spec).then_some(())
        })
        .await;
        let not_found = format!("cred spec {typo} does not exist; {meant}?");
        cases.push(Case::new(gmsa(Some(&typo), None), 404, not_found));
        cases.push(Case::new(gmsa(Some(&unlawful_typo), None), 403, meant));
    }
    cases
}

/// At the pod and at each kind of container the client gets the denial, and nothing is stored.
pub async fn creations_are_denied(world: &World, cases: &[Case]) {
    for case in cases {
        let (context, (code, words)) = (&case.context, case.expected(world));
        for list in [None, Some("containers"), Some("initContainers")] {
            let (pod, place) = match list {
                None => (world.pod(context), "pod \""),
                Some(list) => {
                    let mut pod = world.pod(&json!({}));
                    let container =
                        json!([{"name": "c", "image": "i", "securityContext": context}]);
                    pod["spec"][list] = container;
                    let place = if list == "containers" {
                        "container \"c\""
                    } else {
                        "init container \"c\""
                    };
                    (pod, place)
                }
            };
            let (seen, message) = world.try_create(&pod).await.expect_err(words);
            assert_eq!(seen, code, "{message}");
            assert!(message.contains(words), "{words} is not in {message}");
            assert!(message.contains(place), "{place} is not in {message}");
        }
    }
}

/// The same of ephemeral containers, as newer API servers send them.
pub async fn ephemeral_containers_are_denied(world: &World, cases: &[Case]) {
    let https = Https::new(world.server.https, world.authority.pem());
    let old = world.pod(&json!({}));
    if world.policies.is_some() {
        world.create(&old).await;
    }
    for case in cases {
        let (context, (code, words)) = (&case.context, case.expected(world));
        let new = with_ephemeral(&old, context);
        let review = objects::ephemeral_review(&world.namespace, &old, &new);
        let answer = match &world.policies {
            Some(_) => world.add_ephemeral(&old, context).await,
            None => both_steps(&https, &review).await,
        };
        let (seen, message) = answer.expect_err(words);
        assert_eq!(seen, code, "{message}");
        assert!(message.contains(words), "{words} is not in {message}");
        assert!(message.contains("ephemeral container \"debug\""), "{message}");
    }
}

/// The pod with one more ephemeral container.
pub fn with_ephemeral(pod: &Value, context: &Value) -> Value {
    let mut new = pod.clone();
    new["spec"]["ephemeralContainers"] =
        json!([{"name": "debug", "image": "i", "securityContext": context}]);
    new
}

/// What is stored when a review goes through both steps, or the code and message of the denial.
pub async fn both_steps(https: &Https, review: &Value) -> Result<Value, (u16, String)> {
    let mut review = review.clone();
    for path in ["/mutate", "/validate"] {
        let answer = https.review(path, &review).await;
        if answer["allowed"] != json!(true) {
            let code = u16::try_from(answer["status"]["code"].as_u64().unwrap()).unwrap();
            return Err((code, answer["status"]["message"].as_str().unwrap().to_owned()));
        }
        if answer["patch"].is_string() {
            // Base64, as the API server reads it.
            let patch: ByteString = serde_json::from_value(answer["patch"].clone()).unwrap();
            let patch: json_patch::Patch = serde_json::from_slice(&patch.0).unwrap();
            json_patch::patch(&mut review["request"]["object"], &patch).unwrap();
        }
    }
    Ok(review["request"]["object"].clone())
}

/// Each case as the template of a Deployment: the replica set's condition and an event tell, and
/// no pod is there.
pub async fn replica_sets_are_denied(world: &World, cases: &[Case]) {
    let mut made = Vec::new();
    world.settled().await;
    for case in cases {
        let (context, (_, words)) = (&case.context, case.expected(world));
        let name = world.cluster.unique("denied");
        let deployment = objects::deployment(&world.namespace, &name, &world.pod(context));
        if case.no_template {
            let error = world.cluster.try_apply(&deployment).await.unwrap_err().to_string();
            assert!(error.contains("windowsOptions"), "{error}");
        } else {
            world.cluster.apply(&deployment).await;
            made.push((name, words));
        }
    }
    let sets: Api<ReplicaSet> = Api::namespaced(world.cluster.client.clone(), &world.namespace);
    let events: Api<Event> = Api::namespaced(world.cluster.client.clone(), &world.namespace);
    for (name, words) in made {
        let labelled = ListParams::default().labels(&format!("app={name}"));
        let set = eventually(&format!("the condition with {words}"), SOON, || async {
            let set = sets.list(&labelled).await.unwrap().items.into_iter().next()?;
            let conditions = set.status.as_ref()?.conditions.as_ref()?;
            let failure =
                conditions.iter().find(|one| one.type_.as_deref() == Some("ReplicaFailure"))?;
            failure.message.as_deref()?.contains(words).then_some(set)
        })
        .await;
        eventually(&format!("the event with {words}"), SOON, || async {
            let events = events.list(&ListParams::default()).await.unwrap();
            events
                .items
                .iter()
                .filter(|event| event.reason.as_deref() == Some("FailedCreate"))
                .filter(|event| event.involved_object.name == set.metadata.name)
                .any(|event| event.message.as_deref().unwrap_or_default().contains(words))
                .then_some(())
        })
        .await;
    }
    assert!(world.pods().list(&ListParams::default()).await.unwrap().items.is_empty());
}
