//! The components of the server, as `CycloneDX` 1.5 in JSON (ECMA-424).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

/// Renders the list for a program and everything that it is linked with for a target of Rust. `features`
/// are those of the program, separated by commas.
pub fn render(root: &Path, program: &str, features: &str, target: &str) -> Result<String> {
    let output = Command::new("cargo")
        .args(["metadata", "--locked", "--format-version=1", "--all-features"])
        .args(["--filter-platform", target])
        .current_dir(root)
        .output()
        .context("failed to run cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let document = document(&metadata, program, &linked(root, program, features, target)?)?;
    Ok(format!("{}\n", serde_json::to_string_pretty(&document)?))
}

/// The packages that the program is built of, as `NAME VERSION`. The metadata has the features of
/// the whole workspace: what another program turns on is not in this one.
fn linked(root: &Path, program: &str, features: &str, target: &str) -> Result<BTreeSet<String>> {
    let output = Command::new("cargo")
        .args(["tree", "--locked", "--package", program, "--features", features, "--edges=normal"])
        .args(["--target", target, "--prefix=none", "--format={p}"])
        .current_dir(root)
        .output()
        .context("failed to run cargo tree")?;
    if !output.status.success() {
        bail!("cargo tree failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    // `NAME vVERSION`, with the path of a package of the workspace behind it.
    let name = |line: &str| {
        let (name, rest) = line.split_once(" v")?;
        Some(format!("{name} {}", rest.split(' ').next()?))
    };
    Ok(String::from_utf8_lossy(&output.stdout).lines().filter_map(name).collect())
}

fn document(metadata: &Value, program: &str, linked: &BTreeSet<String>) -> Result<Value> {
    let list = |value: &Value, at: &str| {
        value.pointer(at).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let text = |value: &Value, key: &str| {
        value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let packages: BTreeMap<String, Value> = list(metadata, "/packages")
        .into_iter()
        .map(|package| (text(&package, "id"), package))
        .collect();
    let links: BTreeMap<String, Vec<String>> = list(metadata, "/resolve/nodes")
        .into_iter()
        .map(|node| {
            // Only linked crates: not those of tests and build scripts.
            let normal = list(&node, "/deps").into_iter().filter(|dependency| {
                list(dependency, "/dep_kinds")
                    .iter()
                    .any(|kind| kind.get("kind") == Some(&Value::Null))
            });
            let ids = normal.map(|dependency| text(&dependency, "pkg")).collect();
            (text(&node, "id"), ids)
        })
        .collect();
    let root = packages
        .iter()
        .find(|(_, package)| text(package, "name") == program)
        .map(|(id, _)| id.clone())
        .with_context(|| format!("there is no package {program}"))?;
    let mut seen = BTreeSet::new();
    let mut open = vec![root.clone()];
    let is_linked = |id: &String| {
        let package = packages.get(id).cloned().unwrap_or_default();
        linked.contains(&format!("{} {}", text(&package, "name"), text(&package, "version")))
    };
    while let Some(id) = open.pop() {
        if is_linked(&id) && seen.insert(id.clone()) {
            open.extend(links.get(&id).cloned().unwrap_or_default());
        }
    }
    let reference = |id: &String| {
        let package = packages.get(id).cloned().unwrap_or_default();
        format!("pkg:cargo/{}@{}", text(&package, "name"), text(&package, "version"))
    };
    let component = |id: &String| {
        let package = packages.get(id).cloned().unwrap_or_default();
        json!({
            "type": if *id == root { "application" } else { "library" },
            "bom-ref": reference(id),
            "name": text(&package, "name"),
            "version": text(&package, "version"),
            "purl": reference(id),
            "licenses": [{"expression": text(&package, "license").replace('/', " OR ")}],
        })
    };
    let components: Vec<Value> = seen.iter().filter(|id| **id != root).map(component).collect();
    let dependencies: Vec<Value> = seen
        .iter()
        .map(|id| {
            let on = links.get(id).into_iter().flatten().filter(|one| seen.contains(*one));
            let on: Vec<String> = on.map(reference).collect();
            json!({"ref": reference(id), "dependsOn": on})
        })
        .collect();
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": component(&root)},
        "components": components,
        "dependencies": dependencies,
    }))
}

#[cfg(test)]
mod tests {
    use super::render;

    const LINUX: &str = "x86_64-unknown-linux-gnu";

    fn document(program: &str, features: &str, target: &str) -> serde_json::Value {
        let text = render(crate::tree::root(), program, features, target).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    fn names(document: &serde_json::Value) -> Vec<&str> {
        let components = document["components"].as_array().unwrap();
        components.iter().map(|component| component["name"].as_str().unwrap()).collect()
    }

    #[test]
    fn the_list_has_linked_crates_and_none_of_tests() {
        let document = document("gmsa-webhook", "gmsa-webhook/otlp", LINUX);
        let names = names(&document);
        assert_eq!(document["metadata"]["component"]["name"], "gmsa-webhook");
        for name in ["gmsa-core", "rustls", "hyper", "kube-client", "opentelemetry-otlp"] {
            assert!(names.contains(&name), "{name}: {names:?}");
        }
        for name in ["gmsa-testkit", "proptest", "insta", "ldap3", "comfy-table", "tungstenite"] {
            assert!(!names.contains(&name), "{name}");
        }
        for component in document["components"].as_array().unwrap() {
            let license = component["licenses"][0]["expression"].as_str().unwrap();
            assert!(!license.is_empty(), "{component}");
        }
    }

    #[test]
    fn the_list_is_that_of_the_system() {
        let linux = document("kubectl-gmsa", "gssapi", LINUX);
        let windows = document("kubectl-gmsa", "gssapi", "x86_64-pc-windows-gnu");
        let (linux, windows) = (names(&linux), names(&windows));
        // What reads the certificates that the system trusts.
        assert!(windows.contains(&"schannel") && !linux.contains(&"schannel"), "{windows:?}");
        assert!(linux.contains(&"openssl-probe") && !windows.contains(&"openssl-probe"));
    }
}
