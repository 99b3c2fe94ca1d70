//! What a release publishes, pushed to a registry, and checked there with the commands of docs/verify.md.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use gmsa_testkit::process::Process;
use gmsa_testkit::tools;
use serde_json::Value;

use crate::support::ROOT;

const PASSWORD: &str = "of this test alone";
/// How long the registry may take to listen.
const PATIENCE: Duration = Duration::from_mins(1);

/// The directory with cosign, oras and helm, and what `make image` and `make dist` have built. Without
/// one of them the test is skipped by name, and fails where `CI=true`.
fn needs(test: &str) -> Option<String> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    for file in ["image/gmsa-webhook-amd64.tar", "image/kubectl-gmsa-amd64.tar", "dist/gmsa.yaml"] {
        if !target.join(file).is_file() {
            tools::skip(test, &format!("no {file}; `make image dist` makes it"));
            return None;
        }
    }
    let cosign = tools::artifact_tools(test)?;
    let helm = tools::find(test, "helm")?;
    Some(format!(
        "{}:{}:{}",
        cosign.display(),
        helm.parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    ))
}

/// A person with a key, a home, and the artefacts in a directory.
struct Publisher {
    path: String,
    home: tempfile::TempDir,
}

impl Publisher {
    fn new(path: String) -> Self {
        let publisher = Self { path, home: tempfile::tempdir().unwrap() };
        for name in ["cosign", "other"] {
            publisher.works(&format!("cosign generate-key-pair --output-key-prefix {name}"));
        }
        publisher
    }

    fn artifacts(&self) -> PathBuf {
        self.home.path().join("artifacts")
    }

    fn bash(&self, directory: &Path, line: &str) -> (bool, String) {
        let output = Command::new("bash")
            .args(["-o", "pipefail", "-c", line])
            .current_dir(directory)
            .env("PATH", &self.path)
            .env("HOME", self.home.path())
            .env("CARGO_HOME", cargo_home())
            .env("RUSTUP_HOME", rustup_home())
            .env("XDG_CACHE_HOME", cache_home())
            .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap())
            .env("COSIGN_PASSWORD", PASSWORD)
            .env("COSIGN_KEY", self.home.path().join("cosign.key"))
            .env("GMSA_ARTIFACTS", self.artifacts())
            .output()
            .unwrap();
        let words = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&words).into_owned())
    }

    /// Runs a line in the home.
    fn works(&self, line: &str) -> String {
        self.works_in(self.home.path(), line)
    }

    fn works_in(&self, directory: &Path, line: &str) -> String {
        let (is_well, words) = self.bash(directory, line);
        assert!(is_well, "{line}: {words}");
        words
    }

    fn fails_in(&self, directory: &Path, line: &str, why: &str) {
        let (is_well, words) = self.bash(directory, line);
        assert!(!is_well && words.contains(why), "{line}: {words}");
    }
}

fn home(variable: &str, name: &str) -> PathBuf {
    std::env::var_os(variable)
        .map_or_else(|| Path::new(&std::env::var_os("HOME").unwrap()).join(name), PathBuf::from)
}

fn cargo_home() -> PathBuf {
    home("CARGO_HOME", ".cargo")
}

fn rustup_home() -> PathBuf {
    home("RUSTUP_HOME", ".rustup")
}

fn cache_home() -> PathBuf {
    home("XDG_CACHE_HOME", ".cache")
}

/// A registry of Debian's package on this machine, without TLS.
struct Registry {
    address: String,
    _process: Process,
    _directory: tempfile::TempDir,
}

impl Registry {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let configuration = directory.path().join("config.yml");
        let storage = directory.path().join("storage");
        let text = format!(
            "version: 0.1\nlog: {{formatter: json}}\nhttp: {{addr: 127.0.0.1:0}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}}}\n",
            storage.display()
        );
        std::fs::write(&configuration, text).unwrap();
        let log = directory.path().join("log");
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(&configuration);
        let mut process = Process::start("docker-registry", command, &log);
        let started = Instant::now();
        let address = loop {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            // Go names it in its log, because it chose the port.
            if let Some((_, rest)) = text.split_once("listening on 127.0.0.1:") {
                let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
                break format!("localhost:{port}");
            }
            process.assert_running();
            assert!(started.elapsed() < PATIENCE, "{}", process.tail());
            std::thread::sleep(Duration::from_millis(20));
        };
        Self { address, _process: process, _directory: directory }
    }
}

/// The lines of the blocks marked `bash` of docs/verify.md.
fn commands() -> Vec<String> {
    let page = std::fs::read_to_string(Path::new(ROOT).join("docs/verify.md")).unwrap();
    let blocks = page.split("```bash\n").skip(1);
    blocks.flat_map(|block| block.split("```").next().unwrap().lines()).map(str::to_owned).collect()
}

#[test]
fn what_is_published_can_be_verified_and_nothing_else_passes() {
    let test = "what_is_published_can_be_verified_and_nothing_else_passes";
    let Some(path) = needs(test) else { return };
    let publisher = Publisher::new(path);
    let root = Path::new(ROOT);
    publisher.works_in(root, "scripts/release-artifacts.sh dev");
    let registry = Registry::start();
    let own = format!("{}/kube-gmsa", registry.address);
    publisher.works_in(root, &format!("scripts/push-artifacts.sh {own} --to-plain-http"));

    // As a user who has downloaded the files.
    let files = publisher.artifacts();
    let here = |line: &str| {
        line.replace("ghcr.io/kube-gmsa", &own)
            .replace("registry.example", &format!("{}/mirror", registry.address))
            // oras and cosign take a registry on this machine to have no TLS; helm does not.
            .replace("helm pull", "helm pull --plain-http")
    };
    let commands = commands();
    assert!(commands.len() >= 14, "{commands:?}");
    for command in &commands {
        let words = publisher.works_in(&files, &here(command));
        let expected = match command.split(' ').take(2).collect::<Vec<_>>()[..] {
            _ if command.contains("base64") => "https://slsa.dev/provenance/v1",
            ["cosign", "verify" | "verify-attestation"] => "The cosign claims were validated",
            ["cosign", _] => "Verified OK",
            ["sha256sum", _] => "linux_amd64.tar.gz: OK",
            ["helm", "pull"] => "Digest: sha256:",
            ["oras", "cp"] => "Copied",
            ["oras", "discover"] => "application/vnd.dev.sigstore.bundle.v0.3+json",
            _ => panic!("what does `{command}` show?"),
        };
        assert!(words.contains(expected), "{command}: {words}");
    }
    pulled_chart(&publisher, &files);
    statements(&publisher, &own);
    nothing_else(&publisher, &registry, &files, &own);
}

/// The chart that helm pulled is that of the repository.
fn pulled_chart(publisher: &Publisher, files: &Path) {
    let chart = format!("gmsa-{}.tgz", env!("CARGO_PKG_VERSION"));
    let shown = publisher.works_in(files, &format!("helm show values {chart}"));
    let values = std::fs::read_to_string(Path::new(ROOT).join("charts/gmsa/values.yaml")).unwrap();
    assert_eq!(shown.trim_end(), values.trim_end());
    publisher.works_in(files, &format!("helm template gmsa {chart} --kube-version 1.31.0"));
    let lint = publisher.works_in(files, &format!("helm lint {chart}"));
    assert!(lint.contains("0 chart(s) failed"), "{lint}");
}

/// What the attestations of the image say.
fn statements(publisher: &Publisher, own: &str) {
    let payload = |kind: &str| -> Value {
        let text = publisher.works(&format!(
            "cosign verify-attestation --key cosign.pub --insecure-ignore-tlog --type {kind} \
             {own}/gmsa-webhook:{} 2>/dev/null | sed 's/.*\"payload\":\"\\([^\"]*\\)\".*/\\1/' | base64 --decode",
            env!("CARGO_PKG_VERSION")
        ));
        serde_json::from_str(&text).unwrap()
    };
    let provenance = payload("slsaprovenance1");
    assert_eq!(provenance["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(provenance["subject"][0]["name"], "ghcr.io/kube-gmsa/gmsa-webhook");
    let build = &provenance["predicate"]["buildDefinition"];
    assert_eq!(build["externalParameters"]["profile"], "dev");
    let head = publisher.works_in(Path::new(ROOT), "git rev-parse HEAD");
    assert_eq!(build["resolvedDependencies"][0]["digest"]["gitCommit"], head.trim());
    let components = payload("cyclonedx");
    let components = components["predicate"]["components"].as_array().unwrap();
    assert!(components.iter().any(|one| one["name"] == "rustls"), "{components:?}");
    let vex = payload("openvex");
    assert_eq!(vex["predicate"]["@context"], "https://openvex.dev/ns/v0.2.0");
}

/// Another key, another image and a changed archive are refused.
fn nothing_else(publisher: &Publisher, registry: &Registry, files: &Path, own: &str) {
    let version = env!("CARGO_PKG_VERSION");
    let image = format!("{own}/gmsa-webhook:{version}");
    let keys = publisher.home.path();
    let other = keys.join("other.pub");
    let other = other.display();
    let checked = "--insecure-ignore-tlog";
    publisher.fails_in(files, &format!("cosign verify --key {other} {checked} {image}"), "rror");
    publisher.fails_in(
        files,
        &format!("cosign verify-attestation --key {other} {checked} --type cyclonedx {image}"),
        "rror",
    );
    // The same bytes, but not what was signed: the signature does not come along.
    let bare = format!("{}/bare:{version}", registry.address);
    publisher.works(&format!("oras cp {own}/kubectl-gmsa:{version} {bare}"));
    publisher.fails_in(files, &format!("cosign verify --key cosign.pub {checked} {bare}"), "rror");
    // The signature of one image is attached to another.
    publisher.works_in(
        files,
        &format!(
            "digest=$(oras discover --format json {image} | grep -o 'sha256:[0-9a-f]*' | sed -n 3p) && \
             layer=$(oras manifest fetch {own}/gmsa-webhook@$digest | grep -o 'sha256:[0-9a-f]*' | sed -n 2p) && \
             oras blob fetch --output stolen.json {own}/gmsa-webhook@$layer && \
             oras attach --artifact-type application/vnd.dev.sigstore.bundle.v0.3+json {bare} \
             stolen.json:application/vnd.dev.sigstore.bundle.v0.3+json"
        ),
    );
    publisher.fails_in(files, &format!("cosign verify --key cosign.pub {checked} {bare}"), "rror");

    let archive = format!("kubectl-gmsa_v{version}_linux_amd64.tar.gz");
    publisher.works_in(files, &format!("printf x >>{archive}"));
    publisher.fails_in(files, "sha256sum --check --ignore-missing checksums.txt", "FAILED");
    let attestation = format!(
        "cosign verify-blob-attestation --key cosign.pub {checked} --type slsaprovenance1 \
         --bundle provenance.sigstore.json {archive}"
    );
    publisher.fails_in(files, &attestation, "rror");
    publisher.works_in(files, "printf x >>checksums.txt");
    let sums = format!(
        "cosign verify-blob --key cosign.pub {checked} --bundle checksums.txt.sigstore.json checksums.txt"
    );
    publisher.fails_in(files, &sums, "rror");
}

#[test]
fn without_a_key_nothing_is_made() {
    let script = Path::new(ROOT).join("scripts/release-artifacts.sh");
    for (key, words) in
        [("", "set COSIGN_KEY to a private key"), ("/nothere.key", "/nothere.key cannot be read")]
    {
        let out = tempfile::tempdir().unwrap();
        let artifacts = out.path().join("artifacts");
        let refused = Command::new(&script)
            .env("COSIGN_KEY", key)
            .env("GMSA_ARTIFACTS", &artifacts)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && said.contains(words), "{said}");
        assert!(!artifacts.exists());
    }
}
