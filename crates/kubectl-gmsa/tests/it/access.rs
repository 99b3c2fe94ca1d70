//! `kubectl gmsa access` on a real API server.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::support::{install_definition, run_on};
use gmsa_cluster::api::access_review;
use gmsa_core::admission::Right;
use gmsa_testkit::cluster::Cluster;
use gmsa_testkit::process::eventually;
use gmsa_testkit::{objects, shared};
use serde_json::{Value, json};

const API: &str = "rbac.authorization.k8s.io/v1";
const GROUP: &str = "rbac.authorization.k8s.io";

/// Exit code, standard output, standard error.
fn access(kubeconfig: &Path, args: &[&str]) -> (i32, String, String) {
    run_on(kubeconfig, &[&["access"], args].concat()).parts()
}

async fn ready(test: &str) -> Option<Cluster> {
    let cluster = shared::cluster(test).await?;
    install_definition(&cluster).await;
    Some(cluster)
}

/// Numbers that are the same in each run (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap()
    }

    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    /// The usual one mostly, else any of the others.
    fn mostly<'a>(&mut self, usual: &'a str, others: &[&'a str]) -> &'a str {
        if self.below(10) < 7 { usual } else { self.one(others) }
    }
}

/// There are few roles in each namespace, so that bindings meet them; of cluster roles some are
/// missing.
fn role_number(kind: &str, index: usize) -> usize {
    if kind == "Role" { index % 6 } else { index }
}

/// What the generated objects are made of; nothing of it is met by other tests.
struct World {
    namespaces: Vec<String>,
    accounts: [&'static str; 4],
    specs: Vec<String>,
    prefix: String,
}

impl World {
    fn rules(&self, dice: &mut Dice) -> Value {
        let rule = |dice: &mut Dice| {
            let spec = self.specs[dice.below(self.specs.len())].as_str();
            let names = match dice.below(16) {
                0 => json!([]),
                1 => json!(["*"]),
                2 => json!([spec.to_uppercase()]),
                3 => json!([spec, self.specs[0]]),
                _ => json!([spec]),
            };
            json!({"apiGroups": [dice.mostly("windows.k8s.io", &["*", "apps", ""])],
                "resources": [dice.mostly("gmsacredentialspecs",
                    &["*", "pods", "gmsacredentialspecs/status", "*/use"])],
                "verbs": ["get", dice.mostly("use", &["*", "list", "Use"])],
                "resourceNames": names})
        };
        let count = dice.below(3);
        (0..=count).map(|_| rule(dice)).collect()
    }

    fn subject(&self, dice: &mut Dice) -> Value {
        let namespace = self.namespaces[dice.below(self.namespaces.len())].as_str();
        let account = self.accounts[dice.below(self.accounts.len())];
        let group = |name: &str| json!({"kind": "Group", "apiGroup": GROUP, "name": name});
        let user = |name: &str| json!({"kind": "User", "apiGroup": GROUP, "name": name});
        match dice.below(12) {
            0 => group(&format!("system:serviceaccounts:{namespace}")),
            1 => group(&format!("system:serviceaccounts:{namespace}x")),
            2 => group("system:authenticated:none"),
            3 | 4 => user(&format!("system:serviceaccount:{namespace}:{account}")),
            5 => user(account),
            6 => user("*"),
            _ => json!({"kind": "ServiceAccount", "name": account, "namespace": namespace}),
        }
    }

    /// Roles and cluster roles, some with a label that aggregated ones select, and bindings.
    fn objects(&self, dice: &mut Dice) -> Vec<Value> {
        let mut made = Vec::new();
        let metadata = |dice: &mut Dice, kind: &str, name: &str| {
            let mut metadata = json!({"name": format!("{}-{name}", self.prefix)});
            if kind == "Role" || kind == "RoleBinding" {
                let namespace = &self.namespaces[dice.below(self.namespaces.len())];
                metadata["namespace"] = json!(namespace);
            } else if dice.below(3) == 0 {
                metadata["labels"] = json!({"part-of": self.prefix});
            }
            metadata
        };
        for index in 0..80 {
            let kind = if index < 40 { "ClusterRole" } else { "Role" };
            made.push(json!({"apiVersion": API, "kind": kind,
                "metadata": metadata(dice, kind, &format!("role-{}", role_number(kind, index))),
                "rules": self.rules(dice)}));
        }
        for index in 0..3 {
            let metadata = metadata(dice, "ClusterRole", &format!("top-{index}"));
            let label = if index == 0 { "nowhere" } else { &self.prefix };
            made.push(json!({"apiVersion": API, "kind": "ClusterRole", "metadata": metadata,
                "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"part-of": label}}]}}));
        }
        for index in 0..90 {
            let kind = dice.mostly("RoleBinding", &["ClusterRoleBinding"]);
            let role_kind = match kind {
                "RoleBinding" => dice.one(&["Role", "ClusterRole"]),
                _ => "ClusterRole",
            };
            let role = match (role_kind, dice.below(15)) {
                ("ClusterRole", 0) => format!("{}-top-{}", self.prefix, dice.below(3)),
                _ => format!("{}-role-{}", self.prefix, role_number(role_kind, dice.below(44))),
            };
            let mut subjects = vec![self.subject(dice)];
            if dice.below(2) == 0 {
                subjects.push(self.subject(dice));
            }
            if kind == "RoleBinding" && dice.below(12) == 0 {
                subjects.push(json!({"kind": "Group", "apiGroup": GROUP,
                    "name": "system:serviceaccounts"}));
            }
            made.push(json!({"apiVersion": API, "kind": kind,
                "metadata": metadata(dice, kind, &format!("binding-{index}")),
                "subjects": subjects,
                "roleRef": {"apiGroup": GROUP, "kind": role_kind, "name": role}}));
        }
        made
    }
}

#[tokio::test]
async fn the_map_agrees_with_the_api_server() {
    let Some(cluster) = ready("the_map_agrees_with_the_api_server").await else { return };
    let mut namespaces = Vec::new();
    for _ in 0..4 {
        namespaces.push(cluster.namespace("access").await);
    }
    let prefix = cluster.unique("access");
    let specs: Vec<String> = (0..20).map(|index| format!("{prefix}-spec-{index}")).collect();
    let world =
        World { namespaces, accounts: ["default", "web", "sql", "not-made"], specs, prefix };
    for (index, spec) in world.specs.iter().enumerate() {
        if index % 3 > 0 {
            cluster.apply(&objects::credential_spec(spec, "WebApp1")).await;
        }
    }
    for namespace in &world.namespaces {
        for name in ["web", "sql"] {
            let account = json!({"apiVersion": "v1", "kind": "ServiceAccount",
                "metadata": {"name": name, "namespace": namespace}});
            cluster.apply(&account).await;
        }
    }
    for object in world.objects(&mut Dice(20_240_607)) {
        cluster.apply(&object).await;
    }
    // Until the aggregated roles are filled in and the API server has seen everything.
    let mut expected = answers(&cluster, &world).await;
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = answers(&cluster, &world).await;
        let same = now == expected;
        expected = now;
        if same {
            break;
        }
    }
    let allowed = expected.values().filter(|allowed| **allowed).count();
    assert!((60..260).contains(&allowed), "{allowed} of {}", expected.len());

    let mut said: BTreeMap<[String; 3], bool> =
        expected.keys().map(|pair| (pair.clone(), false)).collect();
    let mut kinds = BTreeMap::new();
    for namespace in &world.namespaces {
        let report = report(&cluster, &["-n", namespace]);
        take(&report, &mut said, &mut kinds);
        // A credential spec that neither exists nor is used is reported only when asked for.
        let listed = report["credentialSpecs"].to_string();
        for spec in world.specs.iter().filter(|spec| !listed.contains(&format!("\"{spec}\""))) {
            take(&self::report(&cluster, &["-n", namespace, spec]), &mut said, &mut kinds);
        }
    }
    let differences: Vec<_> = expected.iter().filter(|(pair, is)| said[*pair] != **is).collect();
    assert!(differences.is_empty(), "the API server says {differences:?}");
    assert!(kinds.len() == 6 && kinds.values().all(|count| *count > 2), "{kinds:?}");
}

/// What the API server itself says of every pair.
async fn answers(cluster: &Cluster, world: &World) -> BTreeMap<[String; 3], bool> {
    let mut answers = BTreeMap::new();
    for namespace in &world.namespaces {
        for account in world.accounts {
            for spec in &world.specs {
                let right =
                    access_review::review(cluster.client.clone(), namespace, account, spec).await;
                let allowed = match right {
                    Right::Allowed => true,
                    Right::Denied => false,
                    Right::Unknown(failure) => panic!("{}", failure.message),
                };
                answers.insert([spec.clone(), namespace.clone(), account.to_owned()], allowed);
            }
        }
    }
    answers
}

fn report(cluster: &Cluster, args: &[&str]) -> Value {
    let (_, stdout, stderr) = access(&cluster.kubeconfig, &[args, &["-o", "json"]].concat());
    let report = serde_json::from_str(&stdout).expect(&stderr);
    crate::schema::check("access-report", &report);
    report
}

/// Notes what the report says of our pairs, and which kinds of ways there are.
fn take(
    report: &Value,
    said: &mut BTreeMap<[String; 3], bool>,
    kinds: &mut BTreeMap<&'static str, usize>,
) {
    for entry in report["access"].as_array().unwrap() {
        let text = |key: &str| entry[key].as_str().unwrap().to_owned();
        let pair = ["credentialSpec", "namespace", "serviceAccount"].map(text);
        // Other tests have credential specs, too.
        let Some(said) = said.get_mut(&pair) else { continue };
        *said = entry["rbac"] == "allowed";
        assert_eq!(entry["verdict"], entry["rbac"], "{entry}");
        for way in entry["ways"].as_array().unwrap() {
            let is = |key: &str, what: &str| way[key].as_str().unwrap().starts_with(what);
            let aggregated = way["aggregatedFrom"].as_array().unwrap();
            for (what, holds) in [
                ("a group", is("subject", "Group ")),
                ("a user", is("subject", "User ")),
                ("a cluster-wide binding", is("binding", "ClusterRoleBinding ")),
                ("a role", is("role", "Role ")),
                ("a wildcard", way["wildcard"] == true),
                ("an aggregated role", !aggregated.is_empty()),
            ] {
                *kinds.entry(what).or_default() += usize::from(holds);
            }
        }
    }
}

/// A cluster with a right that is used, one that is not, one by a group, and one that is missing.
async fn shop(cluster: &Cluster) -> (String, String) {
    let namespace = cluster.namespace("access").await;
    let spec = cluster.unique("spec");
    cluster.apply(&objects::credential_spec(&spec, "WebApp1")).await;
    let mut role = objects::role(&spec);
    role["metadata"]["labels"] = json!({"part-of": spec});
    cluster.apply(&role).await;
    let top = format!("top-{spec}");
    cluster
        .apply(&json!({"apiVersion": API, "kind": "ClusterRole", "metadata": {"name": top},
            "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"part-of": spec}}]}}))
        .await;
    let mut binding = objects::binding(&spec, &namespace, "web");
    binding["roleRef"]["name"] = json!(top);
    cluster.apply(&binding).await;
    let mut idle = objects::binding(&spec, &namespace, "idle");
    idle["metadata"]["name"] = json!("idle");
    cluster.apply(&idle).await;
    let gmsa = objects::gmsa(Some(&spec), None);
    for (name, account) in [("web", "web"), ("forgotten", "batch")] {
        let mut pod = objects::pod(&namespace, name, &gmsa);
        pod["spec"]["serviceAccountName"] = json!(account);
        cluster.apply(&objects::deployment(&namespace, name, &pod)).await;
    }
    (namespace, spec)
}

#[tokio::test]
async fn it_shows_the_chain_and_the_use() {
    let Some(cluster) = ready("it_shows_the_chain_and_the_use").await else { return };
    let (namespace, spec) = shop(&cluster).await;
    let (web, batch) = (format!("{namespace}/web"), format!("{namespace}/batch"));
    let run = |args: &[&str]| access(&cluster.kubeconfig, args);
    eventually("the aggregated role is filled in", Duration::from_secs(30), || async {
        (run(&[&spec, "--service-account", &web]).0 == 0).then_some(())
    })
    .await;
    let table = format!(
        "{spec}\n  \
         {namespace}/batch  denied, used by Deployment forgotten (the service account does not exist)\n    \
         -> kubectl gmsa grant {spec} --to {batch}\n  \
         {namespace}/idle   allowed, unused (the service account does not exist)\n    \
         RoleBinding {namespace}/idle -> ClusterRole {spec}, ServiceAccount {namespace}/idle\n  \
         {namespace}/web    allowed, used by Deployment web (the service account does not exist)\n    \
         RoleBinding {namespace}/{spec} -> ClusterRole top-{spec}, ServiceAccount {web}, \
         aggregated from ClusterRole {spec}\n\n\
         1 credential spec; 2 rights of service accounts, 1 of them unused; 1 missing\n"
    );
    assert_eq!(run(&[&spec, "-n", &namespace]), (1, table, String::new()));
    // In all namespaces other tests may have given rights by a wildcard.
    let everywhere = run(&[&spec]).1;
    for who in ["batch", "idle", "web"] {
        assert!(everywhere.contains(&format!("  {namespace}/{who} ")), "{everywhere}");
    }
    let one = run(&[&spec, "--service-account", &batch]);
    assert_eq!(one.0, 1, "{}", one.1);
    assert!(one.1.contains("denied, used by Deployment forgotten") && !one.1.contains("idle"));
    for command in [&["access"][..], &["audit"], &["report", "--out", "/nonexistent/page.html"]] {
        let ran = run_on(&cluster.kubeconfig, &[command, &["-n", "ghosts"]].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{command:?}");
        assert!(ran.stderr.contains("failed to find the namespace ghosts"), "{}", ran.stderr);
        let ran = run_on(&cluster.kubeconfig, &[command, &["-n", "Bad NS"]].concat());
        assert_eq!(ran.code, 2, "{command:?}");
        assert!(ran.stderr.contains("\"Bad NS\" is not a namespace name"), "{}", ran.stderr);
    }
    let none = format!("{namespace}/nobody");
    let (code, stdout, _) = run(&[&spec, "--service-account", &none]);
    assert_eq!(code, 1);
    assert!(stdout.contains(&format!("-> kubectl gmsa grant {spec} --to {none}")), "{stdout}");
    let (code, stdout, stderr) = run(&["no-such-spec", "-n", &namespace]);
    assert_eq!(code, 1);
    let nobody =
        format!("no service account of namespace {namespace} may use it, and nothing there does");
    assert!(stdout.contains(&nobody), "{stdout}");
    assert_eq!(stderr, "warning: the credential spec no-such-spec does not exist\n");

    let (_, dot, _) = run(&[&spec, "-n", &namespace, "-o", "dot"]);
    for line in [
        format!("\"Deployment {namespace}/web\" -> \"ServiceAccount {web}\";"),
        format!("\"ServiceAccount {web}\" -> \"RoleBinding {namespace}/{spec}\";"),
        format!("\"RoleBinding {namespace}/{spec}\" -> \"ClusterRole top-{spec}\";"),
        format!("\"ClusterRole top-{spec}\" -> \"GMSACredentialSpec {spec}\";"),
        format!(
            "\"ServiceAccount {batch}\" -> \"GMSACredentialSpec {spec}\" [style=dashed, color=red, \
             label=\"denied\"];"
        ),
    ] {
        assert!(dot.contains(&line), "{line}\n{dot}");
    }
    let (_, mermaid, _) = run(&[&spec, "-n", &namespace, "-o", "mermaid"]);
    assert!(mermaid.starts_with("graph LR\n"), "{mermaid}");
    assert!(mermaid.contains(&format!("([\"ServiceAccount {web}\"])")), "{mermaid}");
    assert_eq!(mermaid.matches("-. denied .->").count(), 1, "{mermaid}");
    let (_, yaml, _) = run(&[&spec, "-n", &namespace, "-o", "yaml", "--no-verify"]);
    assert!(yaml.contains("kind: AccessReport") && yaml.contains("verified: false"), "{yaml}");

    // A right by a group is one line, however many have it.
    cluster
        .apply(&json!({"apiVersion": API, "kind": "RoleBinding",
            "metadata": {"name": "all", "namespace": namespace},
            "subjects": [{"kind": "Group", "apiGroup": GROUP, "name": "system:serviceaccounts"}],
            "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": "cluster-admin"}}))
        .await;
    let (code, stdout, _) = run(&[&spec, "-n", &namespace]);
    assert_eq!(code, 0, "{stdout}");
    let way = format!(
        "    RoleBinding {namespace}/all -> ClusterRole cluster-admin, Group \
         system:serviceaccounts, by a wildcard\n"
    );
    let line = format!("  1 service account by group, unused (-o wide lists them)\n{way}");
    assert!(stdout.contains(&line), "{stdout}");
    let (_, wide, _) = run(&[&spec, "-n", &namespace, "-o", "wide"]);
    assert!(wide.contains(&format!("  {namespace}/default  allowed, unused\n{way}")), "{wide}");
    let (_, dot, _) = run(&[&spec, "-n", &namespace, "-o", "dot"]);
    assert!(!dot.contains(&format!("ServiceAccount {namespace}/default")), "{dot}");

    let poor = cluster.token_kubeconfig(&cluster.namespace("poor").await, "default").await;
    let (code, stdout, stderr) = access(&poor, &[]);
    assert_eq!((code, stdout.as_str()), (3, ""));
    assert!(stderr.contains("failed to list clusterroles"), "{stderr}");
    assert!(stderr.contains("access needs the right to list"), "{stderr}");
    let (code, ..) = run(&["-n", &namespace, "--service-account", &web]);
    assert_eq!(code, 2);
}
