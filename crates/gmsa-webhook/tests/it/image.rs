//! The image: what is in it, and that the server runs from it with nothing else on its root.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use gmsa_testkit::https::Https;
use gmsa_testkit::objects::{self, gmsa};
use gmsa_testkit::server::Server;
use gmsa_testkit::tools;
use serde_json::Value;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");
const USER: &str = "65532:65532";
const SOON: Duration = Duration::from_secs(20);

/// The archive that scripts/image.sh makes. Without it the test is skipped by name, and fails where
/// `CI=true`.
fn archive(test: &str) -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let archive = target.join("image/gmsa-webhook-amd64.tar");
    if archive.is_file() && cfg!(target_arch = "x86_64") {
        return Some(archive);
    }
    tools::skip(test, "no image; `make image` makes one");
    None
}

fn untar(archive: &Path, into: &Path) {
    let done = Command::new("tar").arg("-xf").arg(archive).arg("-C").arg(into).status().unwrap();
    assert!(done.success(), "{}", archive.display());
}

/// Reads a blob of the OCI layout by its descriptor.
fn blob(layout: &Path, descriptor: &Value) -> PathBuf {
    let (kind, hex) = descriptor["digest"].as_str().unwrap().split_once(':').unwrap();
    layout.join("blobs").join(kind).join(hex)
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[tokio::test]
async fn the_server_runs_from_the_image_alone_as_an_unprivileged_user() {
    let test = "the_server_runs_from_the_image_alone_as_an_unprivileged_user";
    let Some(archive) = archive(test) else { return };
    let layout = tempfile::tempdir().unwrap();
    untar(&archive, layout.path());
    let index = json(&layout.path().join("index.json"));
    let name = index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"].as_str();
    assert_eq!(name, Some(gmsa_cluster::installation::IMAGE));
    let manifest = json(&blob(layout.path(), &index["manifests"][0]));
    let config = json(&blob(layout.path(), &manifest["config"]));
    assert_eq!(config["config"]["User"], USER);
    assert_eq!(config["config"]["Entrypoint"], serde_json::json!(["/gmsa-webhook"]));
    assert_eq!((&config["architecture"], &config["os"]), (&"amd64".into(), &"linux".into()));

    let root = tempfile::tempdir().unwrap();
    for layer in manifest["layers"].as_array().unwrap() {
        untar(&blob(layout.path(), layer), root.path());
    }
    let entries: Vec<_> = std::fs::read_dir(root.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(entries, ["gmsa-webhook"], "one program and nothing else");
    let program = std::fs::metadata(root.path().join("gmsa-webhook")).unwrap();
    assert_eq!(program.permissions().mode() & 0o777, 0o755);
    if program.uid() != 0 {
        eprintln!("SKIPPED the rest of {test}: only root may change the root directory");
        return;
    }

    // What a kubelet would mount.
    let store = root.path().join("store");
    std::fs::create_dir(&store).unwrap();
    for path in [root.path(), &store] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
    }
    for entry in std::fs::read_dir(EXAMPLES).unwrap() {
        let from = entry.unwrap().path();
        if from.extension().is_some_and(|extension| extension == "yaml") {
            std::fs::copy(&from, store.join(from.file_name().unwrap())).unwrap();
        }
    }
    let root_path = root.path().to_str().unwrap();
    let user = format!("--userspec={USER}");
    let args = [
        &*user,
        root_path,
        "/gmsa-webhook",
        "--store=/store",
        "--ca-file-out=/store/ca.pem",
        "--drain=0",
    ];
    let path = std::env::var("PATH").unwrap();
    let mut server = Server::start("chroot", &args, &[("PATH", &path)]).await;
    let ca = std::fs::read_to_string(store.join("ca.pem")).unwrap();
    server.ready(&ca).await;
    let pod = objects::pod("default", "web", &gmsa(Some("gmsa-webapp1"), None));
    let answer =
        Https::new(server.https, &ca).review("/mutate", &objects::review("default", &pod)).await;
    assert!(answer["patch"].is_string(), "{answer}");
    server.signal("TERM");
    assert!(tokio::time::timeout(SOON, server.ended()).await.expect("it ends").success());
}
