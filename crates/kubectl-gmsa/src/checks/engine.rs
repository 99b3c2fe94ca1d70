//! The engine without a webhook: its policies, and the index that they read.

use std::time::Duration;

use gmsa_cluster::api::objects::{Objects, Reference, kinds};
use gmsa_cluster::api::value::{name, text};
use gmsa_cluster::installation::{Options, Version, objects as wanted};
use gmsa_core::diagnosis::Outcome;
use gmsa_core::diagnosis::catalogue::cluster::{ENGINE_INDEX, ENGINE_WHOLE};
use gmsa_core::index::{self, Index, LIMIT, NEARLY, Spec};
use gmsa_core::names::{INDEX, INDEX_KIND};
use serde_json::{Value, json};

use super::facts::{Facts, Seen, shown, soft};
use crate::failure::Failure;

/// A change just now may not be in the index yet.
const AGAIN: Duration = Duration::from_secs(3);
/// How many names a message lists.
const SHOWN: usize = 10;

/// Looks at the policy engine of our installation. Nothing without it.
pub async fn examine(
    objects: &Objects,
    facts: &Facts,
    options: Option<&Options>,
    version: Version,
) -> Result<Vec<Outcome>, Failure> {
    let Some(options) = options.filter(|options| options.has_policy_engine(version)) else {
        return Ok(Vec::new());
    };
    let policies = policies(objects, facts, options, version).await?;
    let mut index = compare(objects).await?;
    if index.as_ref().is_ok_and(|found| found.is_err()) {
        tokio::time::sleep(AGAIN).await;
        index = compare(objects).await?;
    }
    let index = match index {
        Err(why) => Outcome::unknown(&ENGINE_INDEX, why),
        Ok(Err(problem)) => Outcome::problem(&ENGINE_INDEX, problem),
        Ok(Ok(index)) => full(&index),
    };
    Ok(vec![policies, index.on(format!("{INDEX_KIND} {INDEX}"))])
}

/// Whether every policy and binding of the engine is there and leaves nothing out.
async fn policies(
    objects: &Objects,
    facts: &Facts,
    options: &Options,
    version: Version,
) -> Result<Outcome, Failure> {
    let mut gaps = Vec::new();
    for policy in wanted(options, version).policies {
        let kind = match text(&policy, "/kind") {
            "MutatingAdmissionPolicy" => kinds::MUTATING_POLICY,
            "MutatingAdmissionPolicyBinding" => kinds::MUTATING_POLICY_BINDING,
            "ValidatingAdmissionPolicy" => kinds::VALIDATING_POLICY,
            _ => kinds::VALIDATING_POLICY_BINDING,
        };
        match soft(objects.get(&Reference::cluster(kind, name(&policy))).await)? {
            Err(why) => return Ok(Outcome::unknown(&ENGINE_WHOLE, why)),
            Ok(None) => gaps.push(format!("{} is missing", shown(&policy))),
            Ok(Some(live)) => gaps.extend(gap(&policy, &live)),
        }
    }
    if !gaps.is_empty() {
        return Ok(Outcome::problem(&ENGINE_WHOLE, gaps.join("; ")));
    }
    let left: Vec<String> = facts.configurations.iter().flatten().map(shown).collect();
    Ok(if left.is_empty() {
        Outcome::ok(&ENGINE_WHOLE, "every policy and binding is as install writes it")
    } else {
        let words =
            format!("the policies decide, and the webhook is asked too: {}", left.join(", "));
        Outcome::warning(&ENGINE_WHOLE, words)
    })
}

/// What of a policy or binding is not as install writes it.
fn gap(wanted: &Value, live: &Value) -> Option<String> {
    let mut differs = Vec::new();
    for (key, value) in wanted.get("spec").and_then(Value::as_object).into_iter().flatten() {
        let found = live.pointer(&format!("/spec/{key}")).unwrap_or(&Value::Null);
        // Another manager may add an action, such as Audit.
        let is_denied = key == "validationActions"
            && found.as_array().is_some_and(|actions| actions.contains(&json!("Deny")));
        if !(is_denied || includes(found, value)) {
            differs.push(key.clone());
        }
    }
    for matched in ["matchConstraints", "matchResources"] {
        let left_out = live.pointer(&format!("/spec/{matched}/excludeResourceRules"));
        if left_out.and_then(Value::as_array).is_some_and(|rules| !rules.is_empty()) {
            differs.push(format!("{matched}.excludeResourceRules"));
        }
    }
    (!differs.is_empty())
        .then(|| format!("{} is not as install writes it: {}", shown(wanted), differs.join(", ")))
}

/// Whether the live value is the wanted one, but for what the API server fills in.
fn includes(live: &Value, wanted: &Value) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) if wanted.is_empty() => live.is_empty(),
        (Value::Object(live), Value::Object(wanted)) => wanted
            .iter()
            .all(|(key, wanted)| includes(live.get(key).unwrap_or(&Value::Null), wanted)),
        (Value::Array(live), Value::Array(wanted)) => {
            live.len() == wanted.len()
                && live.iter().zip(wanted).all(|(live, wanted)| includes(live, wanted))
        }
        // An empty selector may be left out.
        (Value::Null, Value::Object(wanted)) => wanted.is_empty(),
        (live, wanted) => live == wanted,
    }
}

/// The index, if it is what the credential specs are; else what differs.
async fn compare(objects: &Objects) -> Result<Seen<Result<Index, String>>, Failure> {
    let specs = match objects.list(kinds::CREDENTIAL_SPEC, None).await {
        Err(error) if error.code() == Some(404) => Vec::new(),
        read => match soft(read)? {
            Ok(specs) => specs,
            Err(why) => return Ok(Err(why)),
        },
    };
    let found = match soft(objects.get(&Reference::cluster(kinds::INDEX, INDEX)).await)? {
        Ok(found) => found,
        Err(why) => return Ok(Err(why)),
    };
    let Some(found) = found else {
        let words = "there is no index, so every pod that uses a GMSA is refused";
        return Ok(Ok(Err(words.to_owned())));
    };
    Ok(Ok(differences(&specs, &Index::read(&found))))
}

fn differences(specs: &[Value], found: &Index) -> Result<Index, String> {
    let specs: Vec<(&str, Spec)> = specs.iter().map(|spec| (name(spec), Spec::of(spec))).collect();
    let wanted = index::build(specs.iter().map(|(name, spec)| (*name, spec)));
    let mut differs = Vec::new();
    let names = |names: Vec<&String>| {
        let shown: Vec<&str> = names.iter().take(SHOWN).map(|name| name.as_str()).collect();
        let more = names.len() - shown.len();
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}{rest}", shown.join(", "))
    };
    let (missing, known): (Vec<&String>, Vec<&String>) =
        wanted.entries.keys().partition(|name| found.contents(name).is_none());
    if !missing.is_empty() {
        differs.push(format!("it does not have {}", names(missing)));
    }
    let other: Vec<&String> =
        known.into_iter().filter(|name| found.contents(name) != wanted.contents(name)).collect();
    if !other.is_empty() {
        differs.push(format!("it has other contents of {}", names(other)));
    }
    let extra: Vec<&String> =
        found.entries.keys().filter(|name| !wanted.entries.contains_key(*name)).collect();
    if !extra.is_empty() {
        differs.push(format!("no credential spec belongs to its {}", names(extra)));
    }
    if differs.is_empty() { Ok(wanted) } else { Err(differs.join("; ")) }
}

fn full(index: &Index) -> Outcome {
    let size =
        format!("{} credential specs in {} of {LIMIT} bytes", index.entries.len(), index.bytes);
    if !index.left_out.is_empty() {
        let shown: Vec<&str> = index.left_out.iter().take(SHOWN).map(String::as_str).collect();
        let words = format!(
            "{} credential specs do not fit, and pods that name them are refused: {}",
            index.left_out.len(),
            shown.join(", ")
        );
        return Outcome::problem(&ENGINE_INDEX, words).because(size);
    }
    if index.bytes > NEARLY {
        return Outcome::warning(&ENGINE_INDEX, format!("it is nearly full: {size}"));
    }
    Outcome::ok(&ENGINE_INDEX, format!("it is what the credential specs are: {size}"))
}

#[cfg(test)]
mod tests {
    use gmsa_core::diagnosis::State;
    use gmsa_testkit::objects::credential_spec;

    use super::*;

    #[test]
    fn what_differs_between_the_index_and_the_credential_specs_is_named() {
        let specs = [credential_spec("one", "Web1"), credential_spec("two", "Web2")];
        let built = |specs: &[Value]| {
            let specs: Vec<(&str, Spec)> =
                specs.iter().map(|spec| (name(spec), Spec::of(spec))).collect();
            index::build(specs.iter().map(|(name, spec)| (*name, spec)))
        };
        let whole = built(&specs);
        let read = differences(&specs, &Index::read(&whole.object())).unwrap();
        assert_eq!(full(&read).state, State::Ok);
        for (found, words) in [
            (built(&specs[..1]), "it does not have two"),
            (built(&[specs[0].clone(), credential_spec("two", "Web3")]), "other contents of two"),
            (built(&[specs.to_vec(), vec![credential_spec("made-up", "x")]].concat()), "made-up"),
        ] {
            let why = differences(&specs, &found).unwrap_err();
            assert!(why.contains(words), "{why}");
        }
        let nearly = Index { bytes: NEARLY + 1, ..Index::default() };
        assert_eq!(full(&nearly).state, State::Warning);
        let left_out = Index { left_out: vec!["big".to_owned()], ..Index::default() };
        let outcome = full(&left_out);
        assert!(outcome.state == State::Problem && outcome.message.contains("big"));
    }

    #[test]
    fn a_policy_that_leaves_something_out_is_named_with_what_differs() {
        let options =
            Options { engine: gmsa_cluster::installation::Engine::Policy, ..Options::default() };
        let policies = wanted(&options, Version(1, 36)).policies;
        assert!(!policies.is_empty());
        for policy in policies {
            assert_eq!(gap(&policy, &policy), None);
            let binding = text(&policy, "/kind").ends_with("Binding");
            let selector = if binding { "/spec/matchResources" } else { "/spec/matchConstraints" };
            let mut live = policy.clone();
            live.pointer_mut(selector).unwrap()["namespaceSelector"] =
                json!({"matchLabels": {"a": "b"}});
            assert!(gap(&policy, &live).unwrap().contains("match"), "{live}");
            let mut live = policy.clone();
            live.pointer_mut(selector).unwrap()["excludeResourceRules"] = json!([{}]);
            assert!(gap(&policy, &live).unwrap().contains("excludeResourceRules"));
            let key = if binding { "policyName" } else { "failurePolicy" };
            let mut live = policy.clone();
            live["spec"][key] = json!("other");
            assert!(gap(&policy, &live).unwrap().ends_with(key), "{live}");
        }
    }
}
