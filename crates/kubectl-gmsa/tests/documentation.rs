//! Every command of the documentation is run as it stands there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use gmsa_cluster::manifests::{Input, read};
use gmsa_testkit::cluster::Cluster;
use gmsa_testkit::shared;

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

#[tokio::test]
async fn every_command_works() {
    let Some(cluster) = shared::cluster("every_command_works").await else { return };
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
                let output = Command::new(env!("CARGO_BIN_EXE_kubectl-gmsa"))
                    .current_dir(ROOT)
                    .env("KUBECONFIG", &cluster.kubeconfig)
                    .args(args)
                    .output()
                    .unwrap();
                let stderr = String::from_utf8_lossy(&output.stderr);
                let expected: &[i32] = match args {
                    // The examples hold one workload that is denied.
                    ["review", ..] => &[1],
                    // Other tests have their workloads in the same cluster.
                    ["access", ..] => &[0, 1],
                    _ => &[0],
                };
                let code = output.status.code().unwrap();
                assert!(expected.contains(&code), "{page}: {command}: {code}: {stderr}");
                assert!(!output.stdout.is_empty(), "{page}: {command}");
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
