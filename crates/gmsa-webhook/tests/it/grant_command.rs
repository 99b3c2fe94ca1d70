//! The commands of a denial, copied out of an event and run as they are.

use std::path::Path;

use gmsa_core::grant::Grant;
use gmsa_testkit::objects::{self, gmsa};
use gmsa_testkit::process::eventually;
use gmsa_testkit::tools;
use k8s_openapi::api::core::v1::Event;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::api::{Api, ListParams};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::{SOON, World, canonical, contents_at, engines, world};

engines!(the_line_copied_from_an_event_grants_the_right_and_the_next_pod_is_admitted);

/// What stands before the line for a shell.
const BEFORE: &str = "or with kubectl alone: ";

/// Runs a line in bash, with kubectl in the PATH, as a reader does who has copied it.
async fn bash(world: &World, kubectl: &Path, line: &str) -> (bool, String) {
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", kubectl.parent().unwrap().display());
    let output = Command::new("bash")
        .args(["-c", line])
        .env("PATH", path)
        .env("HOME", world.cluster.files())
        .env("KUBECONFIG", &world.cluster.kubeconfig)
        .output()
        .await
        .unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.success(), text.concat())
}

/// The `FailedCreate` events of the one ReplicaSet of a deployment.
async fn failures(world: &World, deployment: &str) -> Vec<Event> {
    let events: Api<Event> = Api::namespaced(world.cluster.client.clone(), &world.namespace);
    let all = events.list(&ListParams::default()).await.unwrap().items;
    let of = format!("{deployment}-");
    let is_it = |event: &Event| {
        event.reason.as_deref() == Some("FailedCreate")
            && event.involved_object.kind.as_deref() == Some("ReplicaSet")
            && event.involved_object.name.as_deref().is_some_and(|name| name.starts_with(&of))
    };
    all.into_iter().filter(is_it).collect()
}

/// Creates a deployment whose pods its service account may not have, and returns the event.
async fn denied(world: &World, spec: &str, account: &str) -> (String, String) {
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": account, "namespace": world.namespace}});
    world.cluster.apply(&account).await;
    let name = world.cluster.unique("denied");
    let mut deployment =
        objects::deployment(&world.namespace, &name, &world.pod(&gmsa(Some(spec), None)));
    deployment["spec"]["template"]["spec"]["serviceAccountName"] =
        account["metadata"]["name"].clone();
    world.settled().await;
    world.cluster.apply(&deployment).await;
    // The controller tries again soon, and later and later.
    let message = eventually("the event is counted", SOON, || async {
        let events = failures(world, &name).await;
        let counted = events.iter().find(|event| event.count > Some(1))?;
        counted.message.clone()
    })
    .await;
    let events = failures(world, &name).await;
    // The API server names the pod before the words of a policy, and each try makes another name.
    let is_counted = events.len() == 1 || world.policies.is_some();
    assert!(is_counted, "each try has an event of its own: {events:#?}");
    (name, message)
}

async fn the_line_copied_from_an_event_grants_the_right_and_the_next_pod_is_admitted(world: World) {
    let test = "the_line_copied_from_an_event_grants_the_right_and_the_next_pod_is_admitted";
    let Some(kubectl) = tools::find(test, "kubectl") else { return };
    let [spec, other] = ["spec", "other"].map(|prefix| world.cluster.unique(prefix));
    for name in [&spec, &other] {
        world.cluster.apply(&objects::credential_spec(name, "WebApp1")).await;
    }
    let grant = Grant::of(&spec, &world.namespace, "web").unwrap();
    let (name, message) = denied(&world, &spec, "web").await;
    let denied = if world.policies.is_some() { "denied request" } else { "denied the request" };
    assert!(message.contains(&format!("{denied}: pod of ReplicaSet \"")), "{message}");
    let (said, line) = message.split_once(BEFORE).unwrap();
    assert!(said.ends_with(&format!("`{}`, ", grant.with_plugin())), "{message}");

    // People read it here.
    let describe = format!("kubectl describe replicaset -n {} -l app={name}", world.namespace);
    let (_, described) = bash(&world, &kubectl, &describe).await;
    assert!(described.contains(line), "{described}");

    let (done, said) = bash(&world, &kubectl, line).await;
    assert!(done, "{line}\n{said}");
    // The controller waits before it tries again, by then for minutes.
    let restart = format!("kubectl rollout restart deployment/{name} -n {}", world.namespace);
    let (done, said) = bash(&world, &kubectl, &restart).await;
    assert!(done, "{said}");
    let pods = world.pods();
    let labelled = ListParams::default().labels(&format!("app={name}"));
    let pod = eventually("the next pod is admitted", SOON, || async {
        pods.list(&labelled).await.unwrap().items.into_iter().next()
    })
    .await;
    let pod = serde_json::to_value(pod).unwrap();
    assert_eq!(contents_at(&pod, "/spec"), Some(canonical("WebApp1").as_str()));

    // That one right, and no other.
    world.reviewed(&spec, "web", true).await;
    world.reviewed(&other, "web", false).await;
    world.reviewed(&spec, "default", false).await;
    let client = world.cluster.client.clone();
    let object_name = grant.object_name();
    let role: Role =
        Api::namespaced(client.clone(), &world.namespace).get(&object_name).await.unwrap();
    assert_eq!(
        serde_json::to_value(role.rules).unwrap(),
        json!([{"apiGroups": ["windows.k8s.io"], "resources": ["gmsacredentialspecs"],
            "resourceNames": [spec], "verbs": ["use"]}])
    );
    let bindings: Api<RoleBinding> = Api::namespaced(client, &world.namespace);
    let binding = bindings.get(&object_name).await.unwrap();
    assert_eq!(
        serde_json::to_value(binding.subjects).unwrap(),
        json!([{"kind": "ServiceAccount", "name": "web", "namespace": world.namespace}])
    );

    // Once more changes nothing, and says so.
    let (done, said) = bash(&world, &kubectl, line).await;
    assert!(!done && said.contains("unchanged") && said.contains("already exists"), "{said}");

    // Another service account leaves this one its right.
    let line = Grant::of(&spec, &world.namespace, "worker").unwrap().with_kubectl();
    let (done, said) = bash(&world, &kubectl, &line).await;
    assert!(done, "{said}");
    world.reviewed(&spec, "worker", true).await;
    world.reviewed(&spec, "web", true).await;
}

#[tokio::test]
async fn the_line_leaves_the_roles_of_others_as_they_are() {
    let test = "the_line_leaves_the_roles_of_others_as_they_are";
    let Some(world) = world(test).await else { return };
    let Some(kubectl) = tools::find(test, "kubectl") else { return };
    let spec = world.cluster.unique("spec");
    let name = format!("gmsa-use-{spec}");
    // A role and a binding as `kubectl gmsa grant` names them, with more in them.
    let mut role = objects::role(&name);
    role["rules"][0]["resourceNames"] = json!([spec, "another"]);
    let binding = objects::binding(&name, &world.namespace, "others");
    let [role, binding] = [world.cluster.apply(&role).await, world.cluster.apply(&binding).await];
    let line = Grant::of(&spec, &world.namespace, "web").unwrap().with_kubectl();
    let (done, said) = bash(&world, &kubectl, &line).await;
    assert!(done, "{said}");
    world.reviewed(&spec, "web", true).await;
    world.reviewed("another", "web", false).await;
    world.reviewed(&spec, "others", true).await;
    for before in [role, binding] {
        let api = world.cluster.api(&before).await;
        let now = api.get(&name).await.unwrap();
        assert_eq!(
            now.metadata.resource_version.as_deref(),
            before["metadata"]["resourceVersion"].as_str()
        );
    }
}

#[tokio::test]
async fn the_longest_names_can_be_granted() {
    let test = "the_longest_names_can_be_granted";
    let Some(world) = world(test).await else { return };
    let Some(kubectl) = tools::find(test, "kubectl") else { return };
    let longest = |first: &str| format!("{first}{}", ".a1".repeat(84));
    let (spec, account) = (longest("s"), longest("w"));
    assert_eq!(spec.len(), 253);
    let line = Grant::of(&spec, &world.namespace, &account).unwrap().with_kubectl();
    let (done, said) = bash(&world, &kubectl, &line).await;
    assert!(done, "{said}");
    world.reviewed(&spec, &account, true).await;
}

/// PowerShell is not to be had here: this is as far as its grammar goes.
#[test]
fn the_line_is_sound_powershell() {
    let line = Grant::of("web.app-1", "shop", "web.front").unwrap().with_kubectl();
    let mut parser = tree_sitter::Parser::new();
    parser.set_language(&tree_sitter_powershell::LANGUAGE.into()).unwrap();
    let tree = parser.parse(&line, None).unwrap();
    assert!(!tree.root_node().has_error(), "{}", tree.root_node().to_sexp());
    let mut found = Vec::new();
    let mut open = vec![tree.root_node()];
    while let Some(node) = open.pop() {
        if ["command", "verbatim_string_characters"].contains(&node.kind()) {
            found.push((node.kind(), &line[node.byte_range()]));
        }
        let mut cursor = node.walk();
        open.extend(node.children(&mut cursor));
    }
    let commands: Vec<&str> =
        found.iter().filter(|(kind, _)| *kind == "command").map(|(_, text)| *text).collect();
    assert_eq!(commands.len(), 3, "{commands:#?}");
    // Single quotes keep the text as it is, and it is JSON.
    let texts: Vec<&str> =
        found.iter().filter(|(kind, _)| *kind != "command").map(|(_, text)| *text).collect();
    let [text] = texts[..] else { panic!("{found:#?}") };
    let role: Value = serde_json::from_str(text.trim_matches('\'')).unwrap();
    assert_eq!(role["kind"], "Role");
    // What PowerShell would read in another way outside of quotes.
    let outside = line.replacen(text, "", 1);
    assert!(!outside.contains(['$', '`', '(', '@', ',', '"', '{', '&']), "{outside}");
}
