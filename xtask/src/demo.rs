//! The main job without a cluster: the server on loopback over the examples, one pod admitted, one
//! denied, and the verdict on every example.

mod https;
mod page;
mod pod;
mod server;

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use page::Page;
use pod::ExamplePod;
use server::Server;

const EXAMPLES: &str = "examples";

/// A service account that no example grants anything.
const STRANGER: &str = "stranger";

/// Shows the main job. The programs are in the directory of this one.
pub fn run(root: &Path) -> Result<()> {
    let page = Page::new();
    let pod = pod::first(&root.join(EXAMPLES))?;

    page.heading("A server over the manifests in examples/, no cluster")?;
    let server = Server::start(root, EXAMPLES)?;
    page::text(&format!("$ {}", server.command))?;
    page::text(&format!("ready after {} ms", server.ready_after.as_millis()))?;

    page.heading(&format!("A pod of {} is created: POST /mutate", pod.workload))?;
    let answer = server.client.post("/mutate", &pod.to_review())?;
    let patched = show_patch(&pod, &answer)?;

    page.heading("The API server asks about the patched pod: POST /validate")?;
    let answer = server.client.post("/validate", &patched.to_review())?;
    if answer.pointer("/response/allowed") != Some(&Value::Bool(true)) {
        bail!("the patched pod was not admitted: {answer}");
    }
    page::text(&format!("allowed: service account \"{}\" may use it", patched.service_account()))?;

    page.heading(&format!("The same pod as service account \"{STRANGER}\": POST /validate"))?;
    let answer =
        server.client.post("/validate", &patched.with_service_account(STRANGER)?.to_review())?;
    show_denial(&answer)?;

    page.heading("What admission says about every workload in examples/")?;
    page::text("$ kubectl gmsa review -f examples")?;
    let review = server::program("kubectl-gmsa")?;
    let status = Command::new(&review)
        .args(["review", "-f", EXAMPLES])
        .current_dir(root)
        .status()
        .with_context(|| format!("failed to run {}", review.display()))?;
    // Exit code 1 means that something was found, which is not an error here.
    if !matches!(status.code(), Some(0 | 1)) {
        bail!("kubectl gmsa review ended with {status}");
    }
    Ok(())
}

fn show_patch(pod: &ExamplePod, answer: &Value) -> Result<ExamplePod> {
    let patch = answer
        .pointer("/response/patch")
        .and_then(Value::as_str)
        .with_context(|| format!("/mutate answered without a patch: {answer}"))?;
    let operations: Vec<Value> = serde_json::from_slice(&from_base64(patch)?)?;
    page::text("allowed, with this patch:")?;
    let mut patched = pod.clone();
    for operation in &operations {
        let at = operation.pointer("/path").and_then(Value::as_str).unwrap_or_default();
        let value = operation.pointer("/value").unwrap_or(&Value::Null);
        page::text(&format!("add {at}"))?;
        page::block(value.as_str().unwrap_or_default())?;
        patched.add(at, value)?;
    }
    Ok(patched)
}

fn show_denial(answer: &Value) -> Result<()> {
    let field = |path| answer.pointer(path).unwrap_or(&Value::Null);
    if field("/response/allowed") != &json!(false) {
        bail!("a pod without the right was not denied: {answer}");
    }
    page::text(&format!("denied, code {}:", field("/response/status/code")))?;
    page::block(field("/response/status/message").as_str().unwrap_or_default())
}

fn from_base64(text: &str) -> Result<Vec<u8>> {
    use base64::Engine as _;

    base64::engine::general_purpose::STANDARD.decode(text).context("failed to decode the patch")
}
