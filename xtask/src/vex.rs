//! Which known vulnerabilities affect a release, as `OpenVEX` 0.2.0
//! (<https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md>).

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    updated: String,
    statements: Vec<Statement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    /// The identifier in the database of `RustSec`.
    advisory: String,
    #[serde(rename = "crate")]
    name: String,
    /// The first version without the fault.
    fixed: Option<String>,
    /// Why the fault cannot be reached, in the words of `OpenVEX`.
    not_affected: Option<String>,
    because: Option<String>,
}

/// What `OpenVEX` takes as a justification.
const JUSTIFICATIONS: [&str; 5] = [
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
];

/// Renders the document of `vex.yaml`, or says which of its statements is wrong.
pub fn render(root: &Path) -> Result<String> {
    let read = |name: &str| {
        std::fs::read_to_string(root.join(name)).with_context(|| format!("failed to read {name}"))
    };
    let known: Known =
        serde_saphyr::from_str(&read("vex.yaml")?).context("failed to read vex.yaml")?;
    let document = document(&known, &read("Cargo.lock")?)?;
    for ignored in ignored(&read("deny.toml")?) {
        if !known.statements.iter().any(|one| one.advisory == ignored && one.not_affected.is_some())
        {
            bail!("deny.toml ignores {ignored}: say in vex.yaml why it does not affect a release");
        }
    }
    Ok(format!("{}\n", serde_json::to_string_pretty(&document)?))
}

fn document(known: &Known, lock: &str) -> Result<Value> {
    let statements: Vec<Value> =
        known.statements.iter().map(|one| statement(one, lock)).collect::<Result<_>>()?;
    Ok(json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": format!("{}/vex/v{}", env!("CARGO_PKG_REPOSITORY"), env!("CARGO_PKG_VERSION")),
        "author": "kube-gmsa",
        "timestamp": known.updated,
        "version": 1,
        "statements": statements,
    }))
}

fn statement(one: &Statement, lock: &str) -> Result<Value> {
    let advisory = &one.advisory;
    let version = locked(lock, &one.name)
        .with_context(|| format!("vex.yaml: {advisory}: {} is not in Cargo.lock", one.name))?;
    let component = json!([{"@id": format!("pkg:cargo/{}@{version}", one.name)}]);
    let products: Vec<Value> = crate::statement::IMAGES
        .iter()
        .map(|name| {
            let id = format!("pkg:oci/{name}?repository_url=ghcr.io/kube-gmsa/{name}");
            json!({"@id": id, "subcomponents": component})
        })
        .collect();
    let mut statement = json!({
        "vulnerability": {
            "@id": format!("https://rustsec.org/advisories/{advisory}.html"),
            "name": advisory,
        },
        "products": products,
    });
    let status = match (&one.fixed, &one.not_affected, &one.because) {
        (Some(fixed), None, None) => {
            if numbers(version)? < numbers(fixed)? {
                bail!(
                    "vex.yaml: {advisory} is fixed in {} {fixed}, and Cargo.lock has {version}",
                    one.name
                );
            }
            json!({"status": "fixed"})
        }
        (None, Some(justification), Some(because)) => {
            if !JUSTIFICATIONS.contains(&justification.as_str()) {
                bail!("vex.yaml: {advisory}: {justification:?} is not a justification of OpenVEX");
            }
            json!({
                "status": "not_affected",
                "justification": justification,
                "impact_statement": because,
            })
        }
        _ => bail!("vex.yaml: {advisory} needs `fixed`, or `not_affected` and `because`"),
    };
    if let (Some(fields), Value::Object(status)) = (statement.as_object_mut(), status) {
        fields.extend(status);
    }
    Ok(statement)
}

/// The version of a crate in Cargo.lock.
fn locked<'a>(lock: &'a str, name: &str) -> Option<&'a str> {
    let (_, package) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    package.split('"').next()
}

fn numbers(version: &str) -> Result<Vec<u64>> {
    let read = |part: &str| part.parse().with_context(|| format!("not a version: {version:?}"));
    version.split('.').map(read).collect()
}

/// The advisories that deny.toml ignores.
fn ignored(deny: &str) -> Vec<&str> {
    let advisories = deny.split_once("[advisories]").map_or("", |(_, section)| section);
    let lines = advisories.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.flat_map(|line| line.split('"')).filter(|word| word.starts_with("RUSTSEC-")).collect()
}

#[cfg(test)]
mod tests {
    use super::{Known, document, ignored, render};
    use serde_json::Value;

    const LOCK: &str = "[[package]]\nname = \"a\"\nversion = \"1.10.0\"\n";

    fn known(statement: &str) -> Known {
        serde_saphyr::from_str(&format!(
            "updated: 2026-11-29T00:00:00Z\nstatements:\n  - {{advisory: RUSTSEC-2026-0001, {statement}}}\n"
        ))
        .unwrap()
    }

    #[test]
    fn the_projects_own_statements_are_true_of_its_lock_file() {
        let document: Value = serde_json::from_str(&render(crate::tree::root()).unwrap()).unwrap();
        assert_eq!(document["@context"], "https://openvex.dev/ns/v0.2.0");
        for statement in document["statements"].as_array().unwrap() {
            let id = statement["products"][0]["subcomponents"][0]["@id"].as_str().unwrap();
            assert!(id.starts_with("pkg:cargo/") && id.contains('@'), "{id}");
        }
    }

    #[test]
    fn a_statement_says_fixed_or_why_not_affected() {
        let fixed = document(&known("crate: a, fixed: 1.9.0"), LOCK).unwrap();
        assert_eq!(fixed["statements"][0]["status"], "fixed");
        let safe =
            "crate: a, not_affected: vulnerable_code_not_in_execute_path, because: never called";
        let safe = document(&known(safe), LOCK).unwrap();
        assert_eq!(safe["statements"][0]["impact_statement"], "never called");
        for (wrong, words) in [
            ("crate: a, fixed: 1.10.1", "Cargo.lock has 1.10.0"),
            ("crate: b, fixed: 1.0.0", "is not in Cargo.lock"),
            ("crate: a", "needs `fixed`"),
            ("crate: a, not_affected: it_is_fine, because: x", "not a justification"),
            ("crate: a, not_affected: component_not_present", "needs `fixed`"),
        ] {
            let error = document(&known(wrong), LOCK).unwrap_err().to_string();
            assert!(error.contains(words), "{wrong}: {error}");
        }
    }

    #[test]
    fn what_cargo_deny_ignores_is_found() {
        let deny = "[bans]\n[advisories]\nignore = [\n  # \"RUSTSEC-2026-0001\",\n  \"RUSTSEC-2026-0002\",\n]\n";
        assert_eq!(ignored(deny), ["RUSTSEC-2026-0002"]);
    }
}
