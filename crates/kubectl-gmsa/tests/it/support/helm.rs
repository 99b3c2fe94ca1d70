//! The real helm.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::path::{Path, PathBuf};
use std::process::Command;

use gmsa_core::names;
use gmsa_testkit::process::eventually;
use kube::api::GetParams;
use serde_json::json;

use super::world::{SOON, World};

pub const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../charts/gmsa");

/// What it wrote to standard output, or else to standard error.
pub fn run(program: &Path, args: &[&str]) -> Result<String, String> {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(program).env("HOME", home.path()).args(args).output().unwrap();
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Helm in the namespace of the webhook, which is labelled as old servers need it.
pub struct Helm<'a> {
    program: PathBuf,
    world: &'a World,
}

impl<'a> Helm<'a> {
    pub async fn new(program: PathBuf, world: &'a World) -> Self {
        for namespace in ["kube-system", names::NAME] {
            let labels = json!({names::NAMESPACE_LABEL: names::DISABLED,
                "windows.k8s.io/disabled": "true"});
            let namespace = json!({"apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": namespace, "labels": labels}});
            world.apply(&namespace).await;
        }
        // Helm checks what it sends against the schema, which newer servers put together a while
        // after they are ready.
        eventually("the API server serves its schema", SOON, || async {
            let request = kube::api::Request::new("/openapi");
            let request = request.get("v2", &GetParams::default()).ok()?;
            world.client.request_text(request).await.ok()
        })
        .await;
        Self { program, world }
    }

    pub async fn run(&self, args: &[&str]) -> Result<String, String> {
        let mut all: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        all.extend(["-n".to_owned(), names::NAME.to_owned()]);
        all.push(format!("--kubeconfig={}", self.world.plane.kubeconfig_path().display()));
        let program = self.program.clone();
        let done = tokio::task::spawn_blocking(move || {
            run(&program, &all.iter().map(String::as_str).collect::<Vec<_>>())
        });
        done.await.unwrap()
    }

    pub async fn done(&self, args: &[&str]) -> String {
        self.run(args).await.unwrap_or_else(|why| panic!("{args:?}: {why}"))
    }

    pub async fn refused(&self, args: &[&str]) -> String {
        self.run(args).await.expect_err(&format!("{args:?}"))
    }
}
