//! A cluster with the webhook installed, and what a reader of an advice does in it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use gmsa_testkit::process::eventually;
use gmsa_testkit::tools;
use serde_json::{Value, json};

use crate::support::windows::{self, SOON, World};

pub(super) const VALIDATING: &str =
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/gmsa-webhook";
pub(super) const MUTATING: &str =
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/gmsa-webhook";
pub(super) const CRD: &str =
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gmsacredentialspecs.windows.k8s.io";
/// The caches of the API server, and a certificate's Secret that is mounted later.
const PATIENCE: Duration = Duration::from_mins(3);

pub(super) struct Living {
    world: World,
    kubectl: PathBuf,
}

impl std::ops::Deref for Living {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

/// The command of an advice that begins so: up to the end of its quotes, or of the line.
pub(super) fn command(advice: &str, start: &str) -> String {
    let at = advice.find(start).unwrap_or_else(|| panic!("no {start:?} in {advice:?}"));
    let rest = &advice[at..];
    let quoted = advice[..at].ends_with('`');
    let end = if quoted {
        rest.find('`')
    } else {
        ["\n", "; ", ", and ", ", then "].into_iter().filter_map(|end| rest.find(end)).min()
    };
    let command = &rest[..end.unwrap_or(rest.len())];
    command.trim_end_matches('.').to_owned()
}

/// A patch that gives all webhooks of a configuration the same value at a place.
pub(super) fn hooks(object: &Value, path: &str, value: &Value) -> Value {
    let mut hooks = object["webhooks"].clone();
    for hook in hooks.as_array_mut().unwrap() {
        let (parent, key) = path.rsplit_once('/').unwrap();
        hook.pointer_mut(parent).unwrap()[key] = value.clone();
    }
    json!({"webhooks": hooks})
}

impl Living {
    pub(super) async fn new(test: &str) -> Option<Self> {
        let kubectl = tools::find(test, "kubectl")?;
        let world = windows::world(test).await?;
        Some(Self { world, kubectl })
    }

    pub(super) async fn delete(&self, path: &str) {
        let done = self.request("DELETE", path, &Value::Null).await;
        done.unwrap_or_else(|error| panic!("DELETE {path}: {error}"));
        eventually("it is gone", SOON, || async {
            self.request("GET", path, &Value::Null).await.is_err().then_some(())
        })
        .await;
    }

    /// Runs what a reader copied into a shell that has kubectl and the plugin.
    async fn sh(&self, command: &str) -> (bool, String) {
        let plugin = Path::new(env!("CARGO_BIN_EXE_kubectl-gmsa")).parent().unwrap();
        let kubectl = self.kubectl.parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{}:{path}", plugin.display(), kubectl.display());
        let output = tokio::process::Command::new("bash")
            .args(["-c", command])
            .env("KUBECONFIG", self.plane.kubeconfig_path())
            .env("PATH", path)
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    }

    /// Runs a command that an advice names; what it prints if it fails.
    pub(super) async fn shell(&self, command: &str) -> Result<(), String> {
        let (done, text) = self.sh(command).await;
        if done { Ok(()) } else { Err(format!("{command}\n{text}")) }
    }

    /// Runs a command that only prepares, and must succeed.
    pub(super) async fn must(&self, command: &str) {
        self.shell(command).await.unwrap_or_else(|error| panic!("{error}"));
    }

    /// What a command prints to standard output.
    pub(super) async fn printed(&self, command: &str) -> String {
        self.output(&format!("{{ {command}; }} 2>/dev/null")).await
    }

    /// What a command prints, whatever it comes to.
    pub(super) async fn output(&self, command: &str) -> String {
        self.sh(command).await.1
    }

    /// What a command advises for a check or a finding, once it says these words.
    pub(super) async fn advised(
        &self,
        args: &[&str],
        id: &str,
        says: &str,
    ) -> Result<String, String> {
        let last = std::sync::Mutex::new(String::new());
        let wait = eventually(says, PATIENCE * 2, || async {
            let (_, report) = self.report(args).await;
            let found = advices(&report, id);
            let advice = found.iter().find(|advice| advice.contains(says)).cloned();
            *last.lock().unwrap() = format!("{id} does not say {says:?}: {found:#?}");
            advice
        });
        let advice = tokio::time::timeout(PATIENCE, wait).await;
        advice.map_err(|_| last.into_inner().unwrap())
    }

    /// Waits until a command has nothing to advise for it.
    pub(super) async fn gone(&self, args: &[&str], id: &str) -> Result<(), String> {
        let last = std::sync::Mutex::new(String::new());
        let wait = eventually("it is gone", PATIENCE * 2, || async {
            let (_, report) = self.report(args).await;
            let found = advices(&report, id);
            *last.lock().unwrap() = format!("{found:#?}");
            found.is_empty().then_some(())
        });
        let gone = tokio::time::timeout(PATIENCE, wait).await;
        gone.map_err(|_| last.into_inner().unwrap())
    }
}

/// The advice of each finding, and of each outcome that is not ok.
pub(super) fn advices(report: &Value, id: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![report];
    while let Some(value) = open.pop() {
        let is_wrong = ["problem", "warning"].map(Value::from).contains(&value["state"]);
        if value["check"] == id && is_wrong && !value["evidence"].is_null() {
            found.push(value["next"].as_str().unwrap_or_default().to_owned());
        }
        if value["code"] == id
            && let Some(remedy) = value["remedy"].as_str()
        {
            found.push(remedy.to_owned());
        }
        match value {
            Value::Array(values) => open.extend(values),
            Value::Object(map) => open.extend(map.values()),
            _ => {}
        }
    }
    found
}
