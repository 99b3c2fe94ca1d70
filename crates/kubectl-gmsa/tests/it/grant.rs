//! `kubectl gmsa grant` and `revoke` on a real API server.

mod refusals;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::support::{Ran, install_definition, run_on};
use assert_cmd::Command;
use gmsa_cluster::api::objects::{Objects, Reference, kinds};
use gmsa_core::admission::Right;
use gmsa_core::grant::Grant;
use gmsa_testkit::cluster::Cluster;
use gmsa_testkit::process::{eventually, free_port};
use gmsa_testkit::{objects, shared, tools};
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_kubectl-gmsa");

/// Exit code, standard output, standard error.
fn run(kubeconfig: &Path, args: &[&str]) -> (i32, String, String) {
    run_on(kubeconfig, args).parts()
}

/// What the tests read themselves, without the program that is tested.
struct Seen<'a> {
    cluster: &'a Cluster,
    objects: Objects,
}

impl<'a> Seen<'a> {
    fn new(cluster: &'a Cluster) -> Self {
        Self { cluster, objects: Objects::new(cluster.client.clone(), "test", false) }
    }

    async fn role(&self, spec: &str) -> Option<Value> {
        let of = Reference::cluster(kinds::CLUSTER_ROLE, &format!("gmsa-use-{spec}"));
        self.objects.get(&of).await.unwrap()
    }

    async fn binding(&self, namespace: &str, spec: &str) -> Option<Value> {
        let name = format!("gmsa-use-{spec}");
        let of = Reference::namespaced(kinds::ROLE_BINDING, namespace, &name);
        self.objects.get(&of).await.unwrap()
    }

    async fn may(&self, namespace: &str, account: &str, spec: &str, expected: bool) {
        let wanted = if expected { Right::Allowed } else { Right::Denied };
        let wanted = &wanted;
        let what = format!("{namespace}/{account} may use {spec}: {expected}");
        eventually(&what, Duration::from_secs(20), || async move {
            let client = self.cluster.client.clone();
            let right =
                gmsa_cluster::api::access_review::review(client, namespace, account, spec).await;
            (right == *wanted).then_some(())
        })
        .await;
    }
}

async fn ready(test: &str) -> Option<Cluster> {
    let cluster = shared::cluster(test).await?;
    install_definition(&cluster).await;
    Some(cluster)
}

#[tokio::test]
async fn what_a_denials_command_granted_is_revoked() {
    let test = "what_a_denials_command_granted_is_revoked";
    let Some(cluster) = ready(test).await else { return };
    let Some(kubectl) = tools::find(test, "kubectl") else { return };
    let seen = Seen::new(&cluster);
    let (spec, namespace) = (cluster.unique("spec"), cluster.namespace("denied").await);
    let pair = Grant::of(&spec, &namespace, "web").unwrap();
    let path = format!("{}:/usr/bin:/bin", kubectl.parent().unwrap().display());
    Command::new("bash")
        .args(["-c", &pair.with_kubectl()])
        .envs([("PATH", path.as_str()), ("HOME", "/nonexistent")])
        .env("KUBECONFIG", &cluster.kubeconfig)
        .assert()
        .success();
    seen.may(&namespace, "web", &spec, true).await;
    let from = format!("{namespace}/web");

    // A grant finds the right in place.
    let (code, stdout, stderr) = run(&cluster.kubeconfig, &["grant", &spec, "--to", &from]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("has the right") && stdout.contains(&pair.object_name()), "{stdout}");
    assert!(stdout.contains("nothing to change"), "{stdout}");

    let tried = ["revoke", &spec, "--from", &from, "--dry-run=client"];
    let (code, stdout, stderr) = run(&cluster.kubeconfig, &tried);
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(stdout.contains("could no longer use"), "{stdout}");
    seen.may(&namespace, "web", &spec, true).await;
    let (code, stdout, stderr) = run(&cluster.kubeconfig, &["revoke", &spec, "--from", &from]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    seen.may(&namespace, "web", &spec, false).await;
    for kind in [kinds::ROLE, kinds::ROLE_BINDING] {
        let of = Reference::namespaced(kind, &namespace, &pair.object_name());
        assert_eq!(seen.objects.get(&of).await.unwrap(), None, "{stdout}");
        assert!(stdout.contains(&format!("{of}: deleted")), "{stdout}");
    }
}

fn names(binding: &Value) -> Vec<String> {
    let subjects = binding["subjects"].as_array().unwrap();
    subjects.iter().map(|subject| subject["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_grant_is_in_force_and_the_second_changes_nothing() {
    let Some(cluster) = ready("a_grant_is_in_force").await else { return };
    let seen = Seen::new(&cluster);
    let namespace = cluster.namespace("grant").await;
    let spec = cluster.unique("spec");
    let to = format!("{namespace}/default");
    seen.may(&namespace, "default", &spec, false).await;

    let (code, stdout, stderr) = run(&cluster.kubeconfig, &["grant", &spec, "--to", &to]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains(&format!("warning: the credential spec {spec} does not exist")));
    assert!(stdout.contains(&format!("{to} may now use {spec}")), "{stdout}");
    seen.may(&namespace, "default", &spec, true).await;
    let role = seen.role(&spec).await.unwrap();
    assert_eq!(
        role["rules"],
        json!([{"apiGroups": ["windows.k8s.io"], "resources": ["gmsacredentialspecs"],
            "verbs": ["use"], "resourceNames": [&spec]}])
    );
    let ours = json!({"app.kubernetes.io/managed-by": "kubectl-gmsa"});
    assert_eq!(role["metadata"]["labels"], ours);
    let binding = seen.binding(&namespace, &spec).await.unwrap();
    assert_eq!(binding["metadata"]["labels"], ours);

    cluster.apply(&objects::credential_spec(&spec, "WebApp1")).await;
    let (code, stdout, stderr) = run(&cluster.kubeconfig, &["grant", &spec, "--to", &to]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.contains("already") && stdout.ends_with("nothing to change\n"), "{stdout}");
    assert_eq!(seen.role(&spec).await.unwrap(), role);
    assert_eq!(seen.binding(&namespace, &spec).await.unwrap(), binding);

    // Others are added, named once each, and nobody is lost; a group added by hand stays.
    let mut with_group = binding.clone();
    with_group["subjects"].as_array_mut().unwrap().push(json!({"kind": "Group",
        "apiGroup": "rbac.authorization.k8s.io", "name": "jane"}));
    let of = Reference::namespaced(kinds::ROLE_BINDING, &namespace, &format!("gmsa-use-{spec}"));
    seen.objects.replace(&of, &with_group).await.unwrap();
    let (b, c) = (format!("{namespace}/b"), format!("{namespace}/c"));
    let both = format!("{c},{b}");
    let args = ["grant", &spec, "--to", &b, &both, "--to", &to, "-o", "json"];
    let (code, stdout, stderr) = run(&cluster.kubeconfig, &args);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains(&format!("service account {b} does not exist (yet)")), "{stderr}");
    assert!(stderr.contains(&format!("{b} may now use {spec}")), "{stderr}");
    assert!(stderr.contains(&format!("{to} has the right to use {spec} already")), "{stderr}");
    let list: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        list["items"][0]["metadata"]["resourceVersion"],
        role["metadata"]["resourceVersion"]
    );
    let merged = seen.binding(&namespace, &spec).await.unwrap();
    assert_eq!(names(&merged), ["default", "jane", "b", "c"]);
    seen.may(&namespace, "c", &spec, true).await;

    // One after the other they go; with the last one the binding and the role.
    for account in [&to, &b] {
        let (code, stdout, stderr) =
            run(&cluster.kubeconfig, &["revoke", &spec, "--from", account]);
        assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
        assert!(stdout.contains("other bindings refer to it"), "{stdout}");
    }
    seen.may(&namespace, "b", &spec, false).await;
    assert_eq!(names(&seen.binding(&namespace, &spec).await.unwrap()), ["jane", "c"]);
    let mut alone = seen.binding(&namespace, &spec).await.unwrap();
    alone["subjects"].as_array_mut().unwrap().remove(0);
    seen.objects.replace(&of, &alone).await.unwrap();
    let (code, stdout, _) = run(&cluster.kubeconfig, &["revoke", &spec, "--from", &c]);
    assert_eq!(code, 0);
    assert!(stdout.contains(&format!("{c} may no longer use {spec}")), "{stdout}");
    assert_eq!(seen.binding(&namespace, &spec).await, None);
    assert_eq!(seen.role(&spec).await, None);
    let (code, stdout, stderr) = run(&cluster.kubeconfig, &["revoke", &spec, "--from", &c]);
    assert_eq!(code, 0);
    assert!(stdout.contains(&format!("{c} may not use {spec}")), "{stdout}");
    assert!(stdout.ends_with("nothing to change\n"), "{stdout}");
    assert_eq!(stderr, "");
    let (code, stdout, stderr) = run(&cluster.kubeconfig, &["revoke", "spec-typo", "--from", &c]);
    assert_eq!(code, 0);
    assert!(stdout.contains(&format!("{c} may not use spec-typo")), "{stdout}");
    assert!(stderr.contains("the credential spec spec-typo does not exist"), "{stderr}");
}

#[tokio::test]
async fn concurrent_grants_lose_no_subject() {
    let Some(cluster) = ready("grants_at_the_same_time").await else { return };
    let seen = Seen::new(&cluster);
    let namespace = cluster.namespace("grant").await;
    let spec = cluster.unique("spec");
    let children: Vec<_> = (0..6)
        .map(|index| {
            std::process::Command::new(PROGRAM)
                .env("KUBECONFIG", &cluster.kubeconfig)
                .args(["grant", &spec, "--to", &format!("{namespace}/sa{index}")])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for child in children {
        let Ran { code, stderr, .. } = child.wait_with_output().unwrap().into();
        assert_eq!(code, 0, "{stderr}");
    }
    let mut all = names(&seen.binding(&namespace, &spec).await.unwrap());
    all.sort();
    assert_eq!(all, ["sa0", "sa1", "sa2", "sa3", "sa4", "sa5"]);
    assert!(seen.role(&spec).await.is_some());
}

#[tokio::test]
async fn what_others_made_is_left_alone() {
    let Some(cluster) = ready("what_others_made").await else { return };
    let seen = Seen::new(&cluster);
    let namespace = cluster.namespace("grant").await;
    let to = format!("{namespace}/default");

    // A role of our name that allows something else.
    let spec = cluster.unique("spec");
    let name = format!("gmsa-use-{spec}");
    let mut foreign = objects::role(&spec);
    foreign["metadata"]["name"] = json!(name);
    foreign["rules"][0]["verbs"] = json!(["use", "get"]);
    let foreign = cluster.apply(&foreign).await;
    let (code, stdout, stderr) = run(&cluster.kubeconfig, &["grant", &spec, "--to", &to]);
    assert_eq!((code, stdout.as_str()), (3, ""));
    assert!(stderr.contains(&format!("ClusterRole {name} exists and has other rules")), "{stderr}");
    assert!(stderr.contains(&format!("kubectl get clusterrole {name}")), "{stderr}");
    assert_eq!(seen.role(&spec).await.unwrap(), foreign);
    assert_eq!(seen.binding(&namespace, &spec).await, None);

    // A binding of our name to another role: nothing is written, the first of two specs included.
    let (first, spec) = (cluster.unique("spec"), cluster.unique("spec"));
    let name = format!("gmsa-use-{spec}");
    let mut foreign = objects::binding("view", &namespace, "default");
    foreign["metadata"]["name"] = json!(name);
    let foreign = cluster.apply(&foreign).await;
    let (code, _, stderr) = run(&cluster.kubeconfig, &["grant", &first, &spec, "--to", &to]);
    assert_eq!(code, 3);
    assert!(stderr.contains("binds another role"), "{stderr}");
    assert!(stderr.contains(&format!("kubectl get rolebinding {name} -n {namespace}")), "{stderr}");
    let (code, stdout, _) = run(&cluster.kubeconfig, &["revoke", &spec, "--from", &to]);
    assert_eq!(code, 0);
    assert!(stdout.contains("it binds another role"), "{stdout}");
    assert_eq!(seen.binding(&namespace, &spec).await.unwrap(), foreign);
    assert_eq!((seen.role(&first).await, seen.role(&spec).await), (None, None));

    // The same content written by hand is used, and stays without our label.
    let spec = cluster.unique("spec");
    let mut own = objects::role(&spec);
    own["metadata"]["name"] = json!(format!("gmsa-use-{spec}"));
    let own = cluster.apply(&own).await;
    let (code, _, stderr) = run(&cluster.kubeconfig, &["grant", &spec, "--to", &to]);
    assert_eq!(code, 0, "{stderr}");
    let (code, stdout, _) = run(&cluster.kubeconfig, &["revoke", &spec, "--from", &to]);
    assert_eq!(code, 0, "{stdout}");
    assert!(stdout.contains("it has no label of kubectl gmsa"), "{stdout}");
    assert_eq!(seen.role(&spec).await.unwrap(), own);
    assert_eq!(seen.binding(&namespace, &spec).await, None);
}

#[tokio::test]
async fn a_revocation_tells_of_every_other_way() {
    let Some(cluster) = ready("a_revocation_tells").await else { return };
    let seen = Seen::new(&cluster);
    let namespace = cluster.namespace("grant").await;
    let spec = cluster.unique("spec");
    let to = format!("{namespace}/default");
    let (code, ..) = run(&cluster.kubeconfig, &["grant", &spec, "--to", &to]);
    assert_eq!(code, 0);
    let binding = |name: &str, role: &str, subject: Value| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": name, "namespace": namespace}, "subjects": [subject],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}})
    };
    let group = json!({"kind": "Group", "apiGroup": "rbac.authorization.k8s.io",
        "name": format!("system:serviceaccounts:{namespace}")});
    let account = json!({"kind": "ServiceAccount", "name": "default", "namespace": namespace});
    let ours = format!("gmsa-use-{spec}");
    cluster.apply(&binding("everybody", &ours, group)).await;
    cluster.apply(&binding("admin", "cluster-admin", account)).await;

    let before = seen.binding(&namespace, &spec).await;
    for dry_run in ["client", "server"] {
        let flag = format!("--dry-run={dry_run}");
        let (code, stdout, _) = run(&cluster.kubeconfig, &["revoke", &spec, "--from", &to, &flag]);
        assert_eq!(code, 1, "{stdout}");
        assert!(stdout.contains(&format!("{to} could still use {spec}, by")), "{stdout}");
        assert!(stdout.contains(&format!("{ours}: deleted ({dry_run} dry run)")), "{stdout}");
        assert_eq!(seen.binding(&namespace, &spec).await, before);
    }
    let (code, stdout, stderr) = run(&cluster.kubeconfig, &["revoke", &spec, "--from", &to]);
    assert_eq!((code, stderr.as_str()), (1, ""));
    for line in [
        format!(
            "  RoleBinding {namespace}/admin -> ClusterRole cluster-admin, subject ServiceAccount \
             {to}, by a wildcard\n"
        ),
        format!(
            "  RoleBinding {namespace}/everybody -> ClusterRole {ours}, subject Group \
             system:serviceaccounts:{namespace}\n"
        ),
        format!("ClusterRole {ours}: unchanged (other bindings refer to it)"),
        format!("RoleBinding {namespace}/{ours}: deleted"),
    ] {
        assert!(stdout.contains(&line), "{line}\n{stdout}");
    }
    assert!(seen.role(&spec).await.is_some());
}

#[tokio::test]
async fn dry_runs_change_nothing() {
    let Some(cluster) = ready("dry_runs_change_nothing").await else { return };
    let seen = Seen::new(&cluster);
    let namespace = cluster.namespace("grant").await;
    let (spec, to) = (cluster.unique("spec"), format!("{namespace}/default"));
    let more = format!("{namespace}/more");
    let nobody = cluster.proxy_kubeconfig(([127, 0, 0, 1], free_port()).into());

    // Without a cluster: the very objects that are then stored.
    let args = ["grant", &spec, "--to", &to, "--dry-run=client", "-o", "yaml"];
    let (code, yaml, stderr) = run(&nobody, &args);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains(&format!("{to} would get the right to use {spec}")), "{stderr}");
    let file = cluster.files().join("grant.yaml");
    std::fs::write(&file, &yaml).unwrap();
    let input = gmsa_cluster::manifests::Input::Path(file);
    let manifests = gmsa_cluster::manifests::read(&[input]).unwrap();
    assert_eq!(manifests.documents.len(), 2);
    let args = ["grant", &spec, "--to", &to, "--dry-run=client", "-o", "name"];
    let (_, printed, _) = run(&nobody, &args);
    assert_eq!(
        printed,
        format!(
            "clusterrole.rbac.authorization.k8s.io/gmsa-use-{spec}\n\
             rolebinding.rbac.authorization.k8s.io/gmsa-use-{spec}\n"
        )
    );

    let dry = ["grant", &spec, "--to", &to, "--dry-run=server"];
    let (code, stdout, _) = run(&cluster.kubeconfig, &dry);
    assert_eq!(code, 0);
    assert!(stdout.contains("created (server dry run)"), "{stdout}");
    assert_eq!((seen.role(&spec).await, seen.binding(&namespace, &spec).await), (None, None));

    // What was printed is applied; then there is nothing left to grant.
    for document in &manifests.documents {
        cluster.apply(&document.value).await;
    }
    let (code, stdout, _) = run(&cluster.kubeconfig, &["grant", &spec, "--to", &to]);
    assert_eq!(code, 0);
    assert!(stdout.ends_with("nothing to change\n"), "{stdout}");
    let before = (seen.role(&spec).await, seen.binding(&namespace, &spec).await);
    let dry = ["grant", &spec, "--to", &more, "--dry-run=server", "-o", "json"];
    let (code, stdout, stderr) = run(&cluster.kubeconfig, &dry);
    assert_eq!(code, 0);
    assert!(stderr.contains(&format!("{more} would get the right to use {spec}")), "{stderr}");
    let list: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(names(&list["items"][1]), ["default", "more"]);
    for dry in ["--dry-run=client", "--dry-run=server"] {
        let (code, stdout, _) = run(&cluster.kubeconfig, &["revoke", &spec, "--from", &to, dry]);
        assert_eq!(code, 0, "{stdout}");
        assert!(stdout.contains(&format!("{to} could no longer use {spec}")), "{stdout}");
        assert!(stdout.contains(&format!("ClusterRole gmsa-use-{spec}: deleted")), "{stdout}");
    }
    assert_eq!((seen.role(&spec).await, seen.binding(&namespace, &spec).await), before);
}

#[tokio::test]
async fn a_right_by_another_way_is_reported() {
    let Some(cluster) = ready("who_has_the_right_by_another_way").await else { return };
    let seen = Seen::new(&cluster);
    let namespace = cluster.namespace("grant").await;
    let (spec, to) = (cluster.unique("spec"), format!("{namespace}/default"));
    let bind = |name: &str, role: &str, account: &str| {
        let mut binding = objects::binding(role, &namespace, account);
        binding["metadata"]["name"] = json!(name);
        binding
    };
    let (mut role, role_name) = (objects::role(&spec), cluster.unique("webapp1-role"));
    role["metadata"]["name"] = json!(role_name);
    cluster.apply(&role).await;
    let page = "allow-default-svc-account-read-on-webapp1";
    cluster.apply(&bind(page, &role_name, "default")).await;
    cluster.apply(&bind("ops", "cluster-admin", "ops")).await;
    let has = |who: &str, way: &str| {
        format!(
            "service account {namespace}/{who} has the right to use {spec} already, by\n  \
             RoleBinding {namespace}/{way}, subject ServiceAccount {namespace}/{who}"
        )
    };
    let exact = has("default", &format!("{page} -> ClusterRole {role_name}")) + "\n";
    for more in [&["--dry-run=server"][..], &["-o", "name"], &[]] {
        let args = [&["grant", &spec, "--to", &to], more].concat();
        let (code, stdout, stderr) = run(&cluster.kubeconfig, &args);
        let told = if more.contains(&"-o") { stderr + &stdout } else { stdout };
        assert_eq!(code, 0, "{told}");
        assert!(told.ends_with(&format!("{exact}nothing to change\n")), "{told}");
    }
    assert_eq!((seen.role(&spec).await, seen.binding(&namespace, &spec).await), (None, None));

    // Who has it by more than is asked for gets it by name; who has it not gets it.
    let (ops, new) = (format!("{namespace}/ops"), format!("{namespace}/new"));
    let wide = has("ops", "ops -> ClusterRole cluster-admin") + ", by a wildcard\n  and ";
    let would = ("server", "would then be", "would get the right to use");
    for (dry_run, named, gained) in [would, ("none", "is now", "may now use")] {
        let flag = format!("--dry-run={dry_run}");
        let args = ["grant", &spec, "--to", &to, &ops, &new, &flag];
        let (code, stdout, stderr) = run(&cluster.kubeconfig, &args);
        assert_eq!(code, 0, "{stderr}");
        let binding = format!("RoleBinding {namespace}/gmsa-use-{spec}");
        let wide = format!("{wide}{named} named for it in {binding}\n");
        for text in [&exact, &wide, &format!("{new} {gained} {spec}\n")] {
            assert!(stdout.contains(text), "{text}\n{stdout}");
        }
    }
    assert_eq!(names(&seen.binding(&namespace, &spec).await.unwrap()), ["new", "ops"]);
}

#[tokio::test]
async fn a_revocation_prints_what_it_leaves() {
    let Some(cluster) = ready("a_revocation_prints_what_it_leaves").await else { return };
    let seen = Seen::new(&cluster);
    let namespace = cluster.namespace("grant").await;
    let (spec, to) = (cluster.unique("spec"), format!("{namespace}/default"));
    let more = format!("{namespace}/more");
    let (code, _, stderr) = run(&cluster.kubeconfig, &["grant", &spec, "--to", &to, &more]);
    assert_eq!(code, 0, "{stderr}");

    // One of two: the binding as it would be, and then is; nothing else is touched.
    let args = ["revoke", &spec, "--from", &more, "--dry-run=client", "-o", "yaml"];
    let (code, stdout, stderr) = run(&cluster.kubeconfig, &args);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains(&format!("{more} could no longer use {spec}")), "{stderr}");
    assert!(stdout.starts_with("---\n") && stdout.contains("kind: RoleBinding"), "{stdout}");
    assert!(stdout.contains("name: default") && !stdout.contains("name: more"), "{stdout}");
    let args = ["revoke", &spec, "--from", &more, "-o", "json"];
    let (code, stdout, stderr) = run(&cluster.kubeconfig, &args);
    assert_eq!(code, 0, "{stderr}");
    let left: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(names(&left), ["default"]);
    assert_eq!(names(&seen.binding(&namespace, &spec).await.unwrap()), ["default"]);

    // The last one: both objects go, so they have names alone.
    let binding = format!("rolebinding.rbac.authorization.k8s.io/gmsa-use-{spec}\n");
    let role = format!("clusterrole.rbac.authorization.k8s.io/gmsa-use-{spec}\n");
    let args = ["revoke", &spec, "--from", &to, "--dry-run=server", "-o", "json"];
    let (code, stdout, stderr) = run(&cluster.kubeconfig, &args);
    assert_eq!(code, 0, "{stderr}");
    let none: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&none["kind"], &none["items"]), (&json!("List"), &json!([])));
    assert!(stderr.contains(&format!("ClusterRole gmsa-use-{spec}: deleted")), "{stderr}");
    let args = ["revoke", &spec, "--from", &to, "-o", "name"];
    let (code, stdout, _) = run(&cluster.kubeconfig, &args);
    assert_eq!((code, stdout), (0, binding + &role));
    let (code, stdout, stderr) = run(&cluster.kubeconfig, &args);
    assert_eq!((code, stdout.as_str()), (0, ""));
    assert!(stderr.ends_with("nothing to change\n"), "{stderr}");
}
