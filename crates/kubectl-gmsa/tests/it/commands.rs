//! The lines of docs/commands.yaml, run in bash as a reader runs them.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use gmsa_cluster::api::apply::Applier;
use gmsa_cluster::manifests::{Input, read};
use gmsa_testkit::pki::Authority;
use gmsa_testkit::{objects, tools};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::ROOT;
use crate::support::world::World;

/// What is said of a command there, as far as it is needed here.
#[derive(Debug, Deserialize)]
struct Entry {
    command: String,
    run: Option<String>,
    gives: Option<String>,
    code: Option<i32>,
    then: Option<Then>,
    marked: Option<String>,
    example: Option<String>,
}

/// The line that sees the effect.
#[derive(Debug, Deserialize)]
struct Then {
    run: String,
    gives: String,
}

fn entries() -> Vec<Entry> {
    let text = std::fs::read_to_string(Path::new(ROOT).join("docs/commands.yaml")).unwrap();
    serde_saphyr::from_str(&text).unwrap()
}

/// How long a line may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// A shell of a reader who stands in a copy of the repository, with kubectl and the plugin.
struct Shell {
    directory: tempfile::TempDir,
    path: String,
    kubeconfig: PathBuf,
}

impl Shell {
    fn new(kubectl: &Path, kubeconfig: PathBuf) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let link = |from: &str, to: &str| {
            std::os::unix::fs::symlink(Path::new(ROOT).join(from), directory.path().join(to))
                .unwrap();
        };
        link("charts", "charts");
        link("examples", "examples");
        // The manifests of the reader's own workloads.
        std::fs::create_dir(directory.path().join("deploy")).unwrap();
        link("deploy/crd.yaml", "deploy/crd.yaml");
        link("examples/1-credential-spec.yaml", "deploy/credential-spec.yaml");
        let authority = Authority::new("the reader's own");
        let pair = authority.server(&["gmsa-webhook.shop.svc"]);
        let deployment = serde_json::to_string(&deployment("default")).unwrap();
        for (name, text) in [
            ("tls.crt", pair.cert.as_str()),
            ("tls.key", &pair.key),
            ("ca.crt", authority.pem()),
            ("web.yaml", &deployment),
            ("deploy/web.yaml", &deployment),
        ] {
            std::fs::write(directory.path().join(name), text).unwrap();
        }
        let kustomization = r#"{"resources": ["web.yaml"]}"#;
        std::fs::write(directory.path().join("kustomization.yaml"), kustomization).unwrap();
        let plugin = Path::new(env!("CARGO_BIN_EXE_kubectl-gmsa")).parent().unwrap();
        let path =
            format!("{}:{}:/usr/bin:/bin", kubectl.parent().unwrap().display(), plugin.display());
        Self { directory, path, kubeconfig }
    }

    /// Exit code, and both outputs as one; -1 for a line that does not end.
    async fn run(&self, line: &str) -> (i32, String) {
        let running = Command::new("bash")
            .args(["-o", "pipefail", "-c", line])
            .current_dir(self.directory.path())
            .env_clear()
            .envs([("PATH", self.path.as_str()), ("HOME", self.directory.path().to_str().unwrap())])
            .env("KUBECONFIG", &self.kubeconfig)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let Ok(output) = tokio::time::timeout(PATIENCE, running).await else {
            return (-1, format!("it did not end within {PATIENCE:?}"));
        };
        let output = output.unwrap();
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (output.status.code().unwrap(), text.concat())
    }

    /// Why the line is not as it should be. What comes a while after something else is waited for.
    async fn complaint(&self, line: &str, code: i32, gives: &str) -> Option<String> {
        let end = Instant::now() + Duration::from_secs(15);
        loop {
            let (is, text) = self.run(line).await;
            if is == code && text.contains(gives) {
                return None;
            }
            if Instant::now() > end {
                return Some(format!("{line}\n  gives {is}, not {code} and {gives:?}:\n{text}"));
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

/// A workload whose pods need a right that nobody has granted.
fn deployment(namespace: &str) -> Value {
    let pod = objects::pod(namespace, "bare", &objects::gmsa(Some("webapp1"), None));
    let mut deployment = objects::deployment(namespace, "web", &pod);
    deployment["spec"]["template"]["spec"]["serviceAccountName"] = json!("web");
    deployment
}

fn certificate() -> Value {
    json!({"apiVersion": "cert-manager.io/v1", "kind": "Certificate",
        "metadata": {"name": "gmsa-webhook", "namespace": "gmsa-webhook"},
        "spec": {"secretName": "gmsa-webhook-certificates", "dnsNames": ["gmsa-webhook"],
            "issuerRef": {"name": "gmsa-webhook"}}})
}

async fn plant(world: &World) {
    let applier = Applier::new(world.client.clone(), "test", true);
    for namespace in ["shop", "kube-system"] {
        world.bare_namespace(namespace, &json!({})).await;
    }
    world.bare_namespace("default", &json!({})).await;
    let mut coredns =
        objects::deployment("kube-system", "coredns", &objects::pod("x", "x", &json!({})));
    coredns["spec"]["replicas"] = json!(0);
    let mut definition =
        serde_json::to_value(gmsa_cluster::installation::definition::definition()).unwrap();
    definition["apiVersion"] = json!("apiextensions.k8s.io/v1");
    definition["kind"] = json!("CustomResourceDefinition");
    let account = |namespace: &str| {
        json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": "web", "namespace": namespace}})
    };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cert-manager.yaml");
    for definition in read(&[Input::Path(file)]).unwrap().documents {
        applier.apply(&definition.value).await.unwrap();
    }
    for object in [
        definition,
        account("shop"),
        account("default"),
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node1",
            "labels": {"kubernetes.io/os": "windows"}}}),
        coredns,
        objects::pod("default", "bare", &json!({})),
    ] {
        applier.apply(&object).await.unwrap();
    }
    for name in ["webapp1", "sql"] {
        let spec = objects::credential_spec(name, "WebApp1");
        gmsa_testkit::process::eventually(
            "credential specs are served",
            Duration::from_secs(30),
            || async { applier.apply(&spec).await.ok().map(drop) },
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_has_the_effect_that_is_promised() {
    let test = "every_line_has_the_effect_that_is_promised";
    let Some(world) = World::new(test).await else { return };
    let Some(kubectl) = tools::find(test, "kubectl") else { return };
    let _stand_in = world.stand_in(None).await;
    plant(&world).await;
    let shell = Shell::new(&kubectl, world.plane.kubeconfig_path());
    let mut complaints = Vec::new();
    let mut ran = 0;
    let mut is_denied = false;
    for entry in entries() {
        let Some(line) = &entry.run else { continue };
        eprintln!("{line}");
        ran += 1;
        let gives = entry.gives.as_deref().unwrap_or_default();
        complaints.extend(shell.complaint(line, entry.code.unwrap_or(0), gives).await);
        if let Some(then) = &entry.then {
            complaints.extend(shell.complaint(&then.run, 0, &then.gives).await);
        }
        // Once the webhook is there, a workload that it denies.
        if !is_denied && line.starts_with("kubectl gmsa install") {
            let applier = Applier::new(world.client.clone(), "test", true);
            applier.apply(&deployment("shop")).await.unwrap();
            // What cert-manager would be asked for.
            applier.apply(&certificate()).await.unwrap();
            is_denied = true;
        }
    }
    assert!(ran > 50, "{ran}");
    assert!(complaints.is_empty(), "{} of {ran}:\n{}", complaints.len(), complaints.join("\n"));
}

/// PowerShell is not to be had here: this is as far as its grammar goes.
#[test]
fn examples_for_windows_are_sound_powershell() {
    let mut parser = tree_sitter::Parser::new();
    parser.set_language(&tree_sitter_powershell::LANGUAGE.into()).unwrap();
    let windows = entries().into_iter().filter(|one| one.marked.as_deref() == Some("windows"));
    let mut count = 0;
    for entry in windows {
        let example = entry.example.unwrap_or_else(|| panic!("{}: no example", entry.command));
        let tree = parser.parse(&example, None).unwrap();
        assert!(!tree.root_node().has_error(), "{example}");
        count += 1;
    }
    assert!(count > 5);
    assert!(parser.parse("Get-Date (", None).unwrap().root_node().has_error());
}
