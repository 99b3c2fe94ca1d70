//! Statements about what a release publishes, in the form of in-toto
//! (<https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>).

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use aws_lc_rs::digest;
use clap::ValueEnum;
use serde_json::{Value, json};

const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// The published images, below the project's name in the registry.
pub const IMAGES: [&str; 2] = ["gmsa-webhook", "kubectl-gmsa"];

/// What a statement says of its subjects.
#[derive(Clone, Copy, ValueEnum)]
pub enum Kind {
    /// That the holder of the key stands for them, as `cosign sign` says it
    Signature,
    /// Where they come from
    Provenance,
    /// What they are made of (`CycloneDX`)
    Sbom,
    /// Which vulnerabilities affect them (`OpenVEX`)
    Vex,
}

/// The arguments of `cargo xtask statement`.
#[derive(clap::Args)]
pub struct Options {
    /// What the statement says
    kind: Kind,
    /// Its subject: a name, `=sha256:`, and the digest
    #[arg(long = "subject", required = true)]
    subjects: Vec<String>,
    /// The list of ingredients, or of vulnerabilities
    #[arg(long)]
    predicate: Option<PathBuf>,
    /// The profile of cargo that they were built with
    #[arg(long, default_value = "release")]
    profile: String,
    /// The address of what built them
    #[arg(long, default_value = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/release.md"))]
    builder: String,
}

/// Renders the statement in one line.
pub fn render(root: &Path, options: &Options) -> Result<String> {
    let subjects: Vec<Value> =
        options.subjects.iter().map(|text| subject(text)).collect::<Result<_>>()?;
    let (kind, predicate) = match options.kind {
        Kind::Signature => ("https://sigstore.dev/cosign/sign/v1", json!({})),
        Kind::Provenance => ("https://slsa.dev/provenance/v1", provenance(root, options)?),
        Kind::Sbom => ("https://cyclonedx.org/bom", given(options)?),
        // The name that cosign has for it.
        Kind::Vex => ("https://openvex.dev/ns", given(options)?),
    };
    Ok(json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": kind,
        "predicate": predicate,
    })
    .to_string())
}

fn subject(text: &str) -> Result<Value> {
    let read = text.split_once("=sha256:");
    let (name, hex) = read.with_context(|| format!("expected NAME=sha256:DIGEST, got {text:?}"))?;
    if name.is_empty() || hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        bail!("expected NAME=sha256:DIGEST, got {text:?}");
    }
    Ok(json!({"name": name, "digest": {"sha256": hex}}))
}

fn given(options: &Options) -> Result<Value> {
    let path = options.predicate.as_ref().context("--predicate is missing")?;
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("failed to read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("failed to read {}", path.display()))
}

/// The provenance of SLSA (<https://slsa.dev/spec/v1.0/provenance>), without times, so that the same
/// sources give the same statement.
fn provenance(root: &Path, options: &Options) -> Result<Value> {
    let commit = git(root, &["rev-parse", "HEAD"])?;
    let is_changed = !git(root, &["status", "--porcelain"])?.is_empty();
    let lock = file_digest(&root.join("Cargo.lock"))?;
    let toolchain = std::fs::read_to_string(root.join("rust-toolchain.toml"))?;
    let rust = toolchain
        .lines()
        .find_map(|line| line.strip_prefix("channel = "))
        .context("rust-toolchain.toml names no channel")?
        .trim_matches('"');
    Ok(json!({
        "buildDefinition": {
            "buildType": format!("{REPOSITORY}/blob/main/docs/verify.md#the-provenance"),
            "externalParameters": {
                "source": format!("git+{REPOSITORY}@{commit}"),
                "profile": options.profile,
            },
            "internalParameters": {"uncommittedChanges": is_changed},
            "resolvedDependencies": [
                {"uri": format!("git+{REPOSITORY}"), "digest": {"gitCommit": commit}},
                {"name": "Cargo.lock", "digest": {"sha256": lock}},
                {"name": "rust", "uri": format!("pkg:generic/rust@{rust}")},
            ],
        },
        "runDetails": {"builder": {"id": options.builder}},
    }))
}

fn git(root: &Path, args: &[&str]) -> Result<String> {
    let output =
        Command::new("git").args(args).current_dir(root).output().context("failed to run git")?;
    if !output.status.success() {
        bail!("git {} failed: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn file_digest(path: &Path) -> Result<String> {
    let bytes =
        std::fs::read(path).with_context(|| format!("failed to read {}", path.display()))?;
    let sum = digest::digest(&digest::SHA256, &bytes);
    let mut hex = String::new();
    for byte in sum.as_ref() {
        hex.push_str(&format!("{byte:02x}"));
    }
    Ok(hex)
}

#[cfg(test)]
mod tests {
    use super::{Kind, Options, render};
    use serde_json::Value;

    fn options(kind: Kind, subject: &str) -> Options {
        Options {
            kind,
            subjects: vec![subject.to_owned()],
            predicate: None,
            profile: "release".to_owned(),
            builder: "https://example.com/builder".to_owned(),
        }
    }

    #[test]
    fn provenance_names_the_commit_and_what_was_locked() {
        let subject = format!("a=sha256:{}", "ab".repeat(32));
        let text = render(crate::tree::root(), &options(Kind::Provenance, &subject)).unwrap();
        let statement: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
        assert_eq!(statement["subject"][0]["digest"]["sha256"], "ab".repeat(32));
        let dependencies = &statement["predicate"]["buildDefinition"]["resolvedDependencies"];
        assert_eq!(dependencies[0]["digest"]["gitCommit"].as_str().unwrap().len(), 40);
        assert_eq!(dependencies[1]["digest"]["sha256"].as_str().unwrap().len(), 64);
        assert!(dependencies[2]["uri"].as_str().unwrap().starts_with("pkg:generic/rust@1."));
        assert_eq!(
            statement["predicate"]["runDetails"]["builder"]["id"],
            "https://example.com/builder"
        );
    }

    #[test]
    fn what_is_no_subject_is_refused() {
        for subject in
            ["a", "a=sha256:ab", "=sha256:", "a=md5:abcd", &format!("a=sha256:{}", "x".repeat(64))]
        {
            assert!(
                render(crate::tree::root(), &options(Kind::Signature, subject)).is_err(),
                "{subject}"
            );
        }
        let subject = format!("a=sha256:{}", "ab".repeat(32));
        let missing = render(crate::tree::root(), &options(Kind::Sbom, &subject)).unwrap_err();
        assert!(missing.to_string().contains("--predicate"), "{missing}");
    }
}
