//! The guard, which refuses what the webhook should have seen and did not.

use gmsa_cluster::api::objects::{Kind, Objects, Reference, kinds};
use gmsa_cluster::installation::{Options, Version, guard_gaps};
use gmsa_core::diagnosis::Outcome;
use gmsa_core::diagnosis::catalogue::cluster::GUARD_WHOLE;
use gmsa_core::names::GUARD;
use serde_json::Value;

use super::facts::{Seen, soft};
use crate::failure::Failure;

/// What no guard can see: only the webhook knows what is in a credential spec.
const OPEN: &str = "with the webhook away, contents are not compared with the credential spec: a service \
    account with the right to one can have a pod carry the contents of another";

/// Looks at the guard of our installation. Nothing without one.
pub async fn examine(
    objects: &Objects,
    options: Option<&Options>,
    version: Version,
) -> Result<Option<Outcome>, Failure> {
    let Some(options) = options.filter(|options| !options.has_policy_engine(version)) else {
        return Ok(None);
    };
    if !version.has_policies() {
        let words =
            "API servers before 1.30 have no admission policies, so only the webhook checks";
        return Ok(Some(Outcome::skipped(&GUARD_WHOLE, words)));
    }
    if !options.guard {
        let words = "it was turned off (--guard=false), so only the webhook checks";
        return Ok(Some(Outcome::skipped(&GUARD_WHOLE, words)));
    }
    let policy = read(objects, kinds::VALIDATING_POLICY).await?;
    let binding = read(objects, kinds::VALIDATING_POLICY_BINDING).await?;
    let outcome = match (policy, binding) {
        (Ok(policy), Ok(binding)) => judge(policy.as_ref(), binding.as_ref()),
        (Err(why), _) | (_, Err(why)) => Outcome::unknown(&GUARD_WHOLE, why),
    };
    Ok(Some(outcome.on(format!("ValidatingAdmissionPolicy {GUARD}"))))
}

async fn read(objects: &Objects, kind: Kind) -> Result<Seen<Option<Value>>, Failure> {
    let reference = Reference { kind, namespace: None, name: GUARD.to_owned() };
    soft(objects.get(&reference).await)
}

fn judge(policy: Option<&Value>, binding: Option<&Value>) -> Outcome {
    let gaps = guard_gaps(policy, binding);
    if gaps.is_empty() {
        Outcome::ok(&GUARD_WHOLE, "pods without the right are refused even if the webhook is away")
            .because(OPEN)
    } else {
        Outcome::problem(&GUARD_WHOLE, format!("pods can bypass it: {}", gaps.join("; ")))
    }
}

#[cfg(test)]
mod tests {
    use gmsa_cluster::installation::objects;
    use gmsa_core::diagnosis::State;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_guard_that_leaves_something_out_is_a_problem_and_says_which() {
        let made = objects(&Options::default(), Version(1, 30)).policies;
        let [policy, binding] = made.as_slice() else { panic!("{made:?}") };
        assert_eq!(judge(Some(policy), Some(binding)).state, State::Ok);
        let with = |object: &Value, pointer: &str, value: Value| {
            let mut object = object.clone();
            *object.pointer_mut(pointer).unwrap() = value;
            object
        };
        let labels = json!({"matchLabels": {"a": "b"}});
        for (policy, binding, words) in [
            (None, Some(binding.clone()), "the policy is missing"),
            (Some(policy.clone()), None, "binding is missing"),
            (Some(with(policy, "/spec/failurePolicy", json!("Ignore"))), None, "failurePolicy"),
            (Some(with(policy, "/spec/matchConditions", json!([]))), None, "match conditions"),
            (
                Some(with(policy, "/spec/matchConstraints/resourceRules", json!([]))),
                None,
                "rules are not",
            ),
            (
                Some(with(policy, "/spec/matchConstraints/objectSelector", labels.clone())),
                None,
                "match constraints leave pods out",
            ),
            (None, Some(with(binding, "/spec/policyName", json!("x"))), "another policy"),
            (None, Some(with(binding, "/spec/validationActions", json!(["Audit"]))), "not deny"),
            (
                None,
                Some(with(binding, "/spec/matchResources/namespaceSelector", labels)),
                "binding leaves pods out",
            ),
        ] {
            let outcome = judge(policy.as_ref(), binding.as_ref());
            assert_eq!(outcome.state, State::Problem);
            assert!(outcome.message.contains(words), "{words}: {}", outcome.message);
        }
    }
}
