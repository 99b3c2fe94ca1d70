//! Takes what the documents show of real runs; `cargo xtask generate` makes pictures of it. The test
//! runs always, and keeps what it saw if `GMSA_PICTURES` names a directory.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::ROOT;
use gmsa_cluster::api::apply::Applier;
use gmsa_cluster::manifests::{Input, read};
use gmsa_testkit::browser;
use gmsa_testkit::control_plane::{ControlPlane, Options};
use gmsa_testkit::process::eventually;
use rexpect::session::spawn_command;
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(30);

/// What a command prints on a terminal.
fn on_a_terminal(kubeconfig: &Path, args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-gmsa"));
    command.current_dir(ROOT).args(args).env("KUBECONFIG", kubeconfig).env_remove("NO_COLOR");
    let mut session = spawn_command(command, Some(60_000)).unwrap();
    let printed = session.exp_eof().unwrap();
    session.process().wait().unwrap();
    printed.replace("\r\n", "\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pictures_of_the_documents_show_real_runs() {
    let test = "the_pictures_of_the_documents_show_real_runs";
    let options = Options { with_controller_manager: true, ..Options::default() };
    let Some(plane) = ControlPlane::start_private(test, options).await else { return };
    let Some(browser) = browser::start(test) else { return };
    let applier = Applier::new(plane.client().await, "test", true);
    let definition = json!(gmsa_cluster::installation::definition::definition());
    applier.apply(&definition).await.unwrap();
    let examples = read(&[Input::Path(Path::new(ROOT).join("examples"))]).unwrap();
    assert!(examples.unreadable.is_empty());
    for document in examples.documents {
        let mut object: Value = document.into_value();
        if object["kind"] != json!("ClusterRole") && object["kind"] != json!("GMSACredentialSpec") {
            object["metadata"]["namespace"] = json!("default");
        }
        eventually("the example is applied", SOON, || async { applier.apply(&object).await.ok() })
            .await;
    }

    let kubeconfig = plane.kubeconfig_path();
    let files = tempfile::tempdir().unwrap();
    let page = files.path().join("report.html");
    let (access, audit, report) = tokio::task::block_in_place(|| {
        let page = page.to_str().unwrap();
        (
            on_a_terminal(&kubeconfig, &["access"]),
            on_a_terminal(&kubeconfig, &["audit", "-n", "default"]),
            on_a_terminal(&kubeconfig, &["report", "-n", "default", "--out", page]),
        )
    });
    assert!(access.contains("used by Deployment web") && access.contains("\u{1b}["), "{access}");
    assert!(audit.contains("Deployment default/billing"), "{audit}");
    assert!(page.is_file(), "{report}");
    browser.open(&format!("file://{}", page.display()));
    browser.resize(1200, 1060);
    browser.script("document.documentElement.style.scrollbarWidth = 'none'");
    let Some(directory) = std::env::var_os("GMSA_PICTURES") else { return };
    let directory = Path::new(&directory);
    std::fs::write(directory.join("access.txt"), access).unwrap();
    std::fs::write(directory.join("audit.txt"), audit).unwrap();
    for scheme in ["light", "dark"] {
        browser.prefer(scheme);
        let png: k8s_openapi::ByteString = serde_json::from_value(json!(browser.view())).unwrap();
        std::fs::write(directory.join(format!("report-{scheme}.png")), png.0).unwrap();
    }
}
