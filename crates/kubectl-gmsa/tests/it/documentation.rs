//! Every command of the documentation is run unchanged.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::support::{install_definition, webhook};
use assert_cmd::Command;
use gmsa_cluster::manifests::{Input, read};
use gmsa_testkit::cluster::Cluster;
use gmsa_testkit::control_plane::{self, ControlPlane};
use gmsa_testkit::domain_controller::{ADMINISTRATOR, ADMINISTRATOR_PASSWORD, DomainController};
use gmsa_testkit::shared;
use gmsa_testkit::stand_in::StandIn;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, Patch, PatchParams};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The pages in Markdown that people read.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(ROOT);
    let mut pages = vec![root.join("README.md"), root.join("CONTRIBUTING.md")];
    let mut directories = vec![root.join("docs"), root.join("examples")];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages
}

/// The commands of the blocks marked `sh`, with the page they stand in.
fn commands() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        let name = page.strip_prefix(ROOT).unwrap_or(&page).display().to_string();
        let mut within = false;
        for line in text.lines() {
            if line.trim_start().starts_with("```") {
                within = line.trim() == "```sh";
            } else if within && !line.trim().is_empty() && !line.trim_start().starts_with('#') {
                found.push((name.clone(), line.trim().to_owned()));
            }
        }
    }
    found
}

/// A cluster of this test's own, in which processes stand in for the pods of an installation.
async fn installable() -> Option<(ControlPlane, StandIn)> {
    let options = control_plane::Options { with_controller_manager: true, ..Default::default() };
    let plane = ControlPlane::start_private("every_command_works", options).await?;
    let stand_in = StandIn::start(&plane, webhook()).await;
    Some((plane, stand_in))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_works() {
    let Some((plane, _stand_in)) = installable().await else { return };
    let Some(cluster) = shared::cluster("every_command_works").await else { return };
    // In the other cluster `install` makes it.
    install_definition(&cluster).await;
    let name = "every_command_works (with a directory)";
    let controller = shared::domain_controller(name).await;
    if controller.is_some() {
        // The account of the examples.
        let args = ["account", "create", "WebApp1"];
        run_plugin(&cluster.kubeconfig, controller.as_ref(), "before the documentation", &args);
    }
    let makefile = std::fs::read_to_string(Path::new(ROOT).join("Makefile")).unwrap();
    let commands = commands();
    assert!(commands.len() >= 6, "{commands:?}");
    // What is applied comes first, as a reader does it.
    let (apply, rest): (Vec<_>, Vec<_>) =
        commands.iter().partition(|(_, command)| command.starts_with("kubectl apply"));
    for (page, command) in apply.into_iter().chain(rest) {
        eprintln!("{page}: {command}");
        let words: Vec<&str> = command.split_whitespace().collect();
        match words[..] {
            // This test was built that way.
            ["cargo", "build", ..] => {}
            // `make test` runs this test, and `make demo` before it.
            ["make", target, ..] => {
                assert!(makefile.contains(&format!("\n{target}:")), "{page}: {command}");
            }
            ["kubectl", "apply", "-f", path] => apply_file(&cluster, path).await,
            ["kubectl", "gmsa", ref args @ ..] => {
                let with_directory = args[0] == "account" || args.contains(&"--from-ad");
                if with_directory && controller.is_none() {
                    continue;
                }
                let kubeconfig = match args[0] {
                    "install" | "upgrade" | "status" | "uninstall" => plane.kubeconfig_path(),
                    _ => cluster.kubeconfig.clone(),
                };
                run_plugin(&kubeconfig, controller.as_ref(), page, args);
            }
            ["kubectl", "annotate", "secret", name, "-n", namespace, "--overwrite", annotation] => {
                let (key, value) = annotation.split_once('=').unwrap();
                assert_eq!(key, gmsa_core::names::ROTATE_BEFORE);
                let secrets: Api<Secret> = Api::namespaced(plane.client().await, namespace);
                let patch = serde_json::json!({"metadata": {"annotations": {key: value}}});
                let patch = Patch::Merge(patch);
                secrets.patch(name, &PatchParams::default(), &patch).await.unwrap();
            }
            ["gmsa-webhook", ..] => {
                let args = words.iter().map(OsString::from);
                let args = gmsa_webhook::config::parse(args, |_| None).unwrap();
                gmsa_webhook::config::resolve(args, |_| None).unwrap();
            }
            _ => panic!("{page}: nothing runs `{command}`: add it here, or mark the block `text`"),
        }
    }
}

/// Runs the plug-in as a user does who has set the variables for the directory.
fn run_plugin(kubeconfig: &Path, controller: Option<&DomainController>, page: &str, args: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-gmsa"));
    // What a reader writes beside other files goes elsewhere.
    let files = tempfile::tempdir().unwrap();
    let writes = args.contains(&"--bundle");
    command.current_dir(if writes { files.path() } else { Path::new(ROOT) });
    command.env("KUBECONFIG", kubeconfig).args(args);
    if let Some(controller) = controller {
        command
            .env("GMSA_DC", controller.address.to_string())
            .env("GMSA_CA", &controller.ca)
            .env("GMSA_BIND_USER", ADMINISTRATOR)
            .env("GMSA_BIND_PASSWORD", ADMINISTRATOR_PASSWORD);
    }
    // Tasks that stand in for pods go on meanwhile.
    let output = tokio::task::block_in_place(|| command.output().unwrap());
    let stderr = String::from_utf8_lossy(&output.stderr);
    let expected: &[i32] = match args[0] {
        // The examples hold one workload that is denied.
        "review" => &[1],
        // Other tests have their workloads in the same cluster.
        // Nor is the webhook installed there, which the doctor says.
        "access" | "audit" | "doctor" | "report" => &[0, 1],
        _ => &[0],
    };
    let code = output.status.code().unwrap();
    assert!(expected.contains(&code), "{page}: {args:?}: {code}: {stderr}");
    let nothing_to_say = args.starts_with(&["credspec", "diff"]);
    assert!(nothing_to_say || !output.stdout.is_empty(), "{page}: {args:?}");
}

/// What `kubectl apply` does with a path that is not searched recursively.
async fn apply_file(cluster: &Cluster, path: &str) {
    let path = Path::new(ROOT).join(path);
    let files: Vec<PathBuf> = if path.is_dir() {
        let entries = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = entries
            .filter(|file| file.extension().is_some_and(|extension| extension == "yaml"))
            .collect();
        files.sort();
        files
    } else {
        vec![path]
    };
    assert!(!files.is_empty());
    let inputs: Vec<Input> = files.into_iter().map(Input::Path).collect();
    let manifests = read(&inputs).unwrap();
    assert!(manifests.unreadable.is_empty());
    for document in manifests.documents {
        cluster.apply(&document.value).await;
    }
}
