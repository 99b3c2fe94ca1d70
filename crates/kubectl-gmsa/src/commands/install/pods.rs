//! The options about pods: where they run, and how large they are.

use std::collections::BTreeMap;
use std::path::Path;

use gmsa_cluster::installation::Resources;
use gmsa_cluster::manifests::{parse, texts};
use serde_json::{Value, json};

use crate::cli::PodFlags;
use crate::failure::Failure;

/// The labels that nodes must have.
pub fn node_selector(
    args: &PodFlags,
    known: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Failure> {
    if args.node_selector.is_empty() {
        return Ok(known);
    }
    let mut labels = BTreeMap::new();
    for text in args.node_selector.iter().filter(|text| !text.is_empty()) {
        let (key, value) = text
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| bad("--node-selector", text, "KEY=VALUE"))?;
        if key == "kubernetes.io/os" {
            return Err(bad("--node-selector", text, "another label: the webhook runs on Linux"));
        }
        labels.insert(key.to_owned(), value.to_owned());
    }
    Ok(labels)
}

/// The taints that are tolerated.
pub fn tolerations(args: &PodFlags, known: Vec<Value>) -> Result<Vec<Value>, Failure> {
    if args.toleration.is_empty() {
        return Ok(known);
    }
    args.toleration.iter().filter(|text| !text.is_empty()).map(|text| toleration(text)).collect()
}

fn toleration(text: &str) -> Result<Value, Failure> {
    let shape = "KEY[=VALUE][:EFFECT], and the effect NoSchedule, PreferNoSchedule or NoExecute";
    let (taint, effect) = match text.rsplit_once(':') {
        Some((taint, effect)) => (taint, Some(effect)),
        None => (text, None),
    };
    let known = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
    if taint.is_empty() || effect.is_some_and(|effect| !known.contains(&effect)) {
        return Err(bad("--toleration", text, shape));
    }
    let mut toleration = match taint.split_once('=') {
        Some((key, value)) if !key.is_empty() => {
            json!({"key": key, "operator": "Equal", "value": value})
        }
        Some(_) => return Err(bad("--toleration", text, shape)),
        None => json!({"key": taint, "operator": "Exists"}),
    };
    if let (Some(effect), Some(toleration)) = (effect, toleration.as_object_mut()) {
        toleration.insert("effect".to_owned(), json!(effect));
    }
    Ok(toleration)
}

/// The affinity in a file.
pub fn affinity(args: &PodFlags, known: Option<Value>) -> Result<Option<Value>, Failure> {
    let Some(path) = &args.affinity_file else { return Ok(known) };
    if path.is_empty() {
        return Ok(None);
    }
    let failed =
        |why: &str| Failure::Input(format!("failed to read the affinity in {path}: {why}"));
    let texts = texts(&Path::new(path).into())?;
    let mut documents = texts.iter().flat_map(|one| parse(&one.name, &one.text));
    let (Some(document), None) = (documents.next(), documents.next()) else {
        return Err(failed("expected one document"));
    };
    let value = document.map_err(|error| failed(&error.to_string()))?.value;
    let known = ["nodeAffinity", "podAffinity", "podAntiAffinity"];
    let keys = value.as_object().map(|object| object.keys().all(|key| known.contains(&&**key)));
    if keys != Some(true) {
        return Err(failed("expected nodeAffinity, podAffinity or podAntiAffinity, nothing else"));
    }
    Ok(Some(value))
}

/// What a pod asks for, and may use at most.
pub fn resources(args: &PodFlags, known: Resources) -> Result<Resources, Failure> {
    let take = |flag: &str, given: &Option<String>, known: String| match given {
        Some(given) if is_quantity(given) => Ok(given.clone()),
        Some(given) => Err(bad(flag, given, "a quantity such as 100m or 64Mi")),
        None => Ok(known),
    };
    Ok(Resources {
        cpu_request: take("--cpu-request", &args.cpu_request, known.cpu_request)?,
        cpu_limit: match &args.cpu_limit {
            Some(limit) if limit.is_empty() => None,
            Some(limit) => Some(take("--cpu-limit", &args.cpu_limit, limit.clone())?),
            None => known.cpu_limit,
        },
        memory_request: take("--memory-request", &args.memory_request, known.memory_request)?,
        memory_limit: take("--memory-limit", &args.memory_limit, known.memory_limit)?,
    })
}

/// Whether this is a quantity of Kubernetes (API reference, `Quantity`) that is no less than 0.
fn is_quantity(text: &str) -> bool {
    let end = text.find(|character: char| !character.is_ascii_digit() && character != '.');
    let (number, suffix) = text.split_at(end.unwrap_or(text.len()));
    let suffixes = ["", "m", "k", "M", "G", "Ki", "Mi", "Gi"];
    number.parse::<f64>().is_ok() && suffixes.contains(&suffix)
}

fn bad(flag: &str, text: &str, shape: &str) -> Failure {
    Failure::Input(format!("failed to read {flag} {text:?}: expected {shape}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{is_quantity, toleration};

    #[test]
    fn tolerations_are_read_as_kubectl_writes_taints() {
        for (text, expected) in [
            ("a/b", json!({"key": "a/b", "operator": "Exists"})),
            (
                "a=b:NoExecute",
                json!({"key": "a", "operator": "Equal", "value": "b", "effect": "NoExecute"}),
            ),
            ("a:NoSchedule", json!({"key": "a", "operator": "Exists", "effect": "NoSchedule"})),
        ] {
            assert_eq!(toleration(text).unwrap(), expected);
        }
        for text in ["=b", ":NoSchedule", "a:Sometimes"] {
            assert!(toleration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn quantities_are_told_from_other_words() {
        for (text, is) in [
            ("100m", true),
            ("64Mi", true),
            ("0.5", true),
            ("", false),
            ("-1", false),
            ("much", false),
        ] {
            assert_eq!(is_quantity(text), is, "{text}");
        }
    }
}
