//! The webhook configurations.

use std::collections::BTreeSet;

use gmsa_cluster::acting::Fate;
use gmsa_cluster::api::value::{array, labels, name, text};
use gmsa_cluster::installation::edits::{Edit, differences, foreign};
use gmsa_cluster::installation::identify::{is_alive, uses_gmsa};
use gmsa_cluster::installation::{MATCH_CONDITION, Options, Version, objects};
use gmsa_core::diagnosis::catalogue::cluster::{
    OLD_WEBHOOK, WEBHOOK_CONFIGURED, WEBHOOK_EXCLUSIONS, WEBHOOK_FAILURE_POLICY, WEBHOOK_RULES,
    WEBHOOK_TIMEOUT,
};
use gmsa_core::diagnosis::{Check, Confidence, Outcome};
use gmsa_core::printable::{counted, shortened};
use gmsa_core::rbac::LabelSelector;
use serde_json::Value;

use super::facts::{Facts, shown};
use crate::installation::leftover::is_same;

/// What has to be sent, and what gets in if it is not.
const WANTED: [(&str, &str); 2] = [("CREATE", "pods"), ("UPDATE", "pods/ephemeralcontainers")];
const CHECKS: [&Check; 4] =
    [&WEBHOOK_RULES, &WEBHOOK_EXCLUSIONS, &WEBHOOK_FAILURE_POLICY, &WEBHOOK_TIMEOUT];

/// What to do when another field manager changed a selector.
const TAKE_BACK: &str = "Let the named field manager leave the configuration alone (the Admissions \
     Enforcer of AKS: annotation admissions.enforcer/disabled: \"true\"), then run kubectl gmsa install \
     --force-conflicts; kubectl gmsa audit lists what uses a GMSA there.";

/// Judges the configurations.
pub fn judge(facts: &Facts, options: Option<&Options>, version: Version) -> Vec<Outcome> {
    if let Some(options) = options.filter(|options| options.has_policy_engine(version)) {
        // No webhook decides. One that is left is named with the policies.
        return vec![policy_exclusions(facts, options), others(facts)];
    }
    let configurations = match &facts.configurations {
        Ok(configurations) => configurations,
        Err(why) => {
            let all = CHECKS.into_iter().chain([&WEBHOOK_CONFIGURED]);
            return all.map(|check| Outcome::unknown(check, why)).collect();
        }
    };
    let missing: Vec<&str> = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"]
        .into_iter()
        .filter(|kind| {
            let hooks = configurations
                .iter()
                .filter(|one| text(one, "/kind") == *kind)
                .flat_map(|one| array(one, "/webhooks"));
            hooks.count() == 0
        })
        .collect();
    let wants_warnings = options.is_some_and(|options| options.early_warnings);
    let mut outcomes = vec![if missing.is_empty() && wants_warnings && !facts.early_warnings {
        let words = "pods are checked, but the configuration for early warnings is missing";
        Outcome::warning(&WEBHOOK_CONFIGURED, words)
    } else if missing.is_empty() && facts.early_warnings {
        let words = "the webhook configurations are there, early warnings among them";
        Outcome::ok(&WEBHOOK_CONFIGURED, words)
    } else if missing.is_empty() {
        Outcome::ok(&WEBHOOK_CONFIGURED, "both webhook configurations are there")
    } else {
        Outcome::problem(&WEBHOOK_CONFIGURED, format!("there is no {}", missing.join(" and no ")))
    }];
    for configuration in configurations {
        let object = shown(configuration);
        let edits = edits(configuration, options, version);
        let judged = [rules(configuration), policy(configuration), timeout(configuration)];
        let judged = judged.into_iter().chain([match &facts.namespaces {
            Ok(namespaces) => {
                exclusions(facts, configuration, namespaces, (options, version), &edits)
            }
            Err(why) => Outcome::unknown(&WEBHOOK_EXCLUSIONS, why),
        }]);
        outcomes.extend(judged.map(|outcome| held(outcome, &edits).on(&object)));
    }
    outcomes.push(others(facts));
    outcomes
}

fn others(facts: &Facts) -> Outcome {
    let (none, mut left) = (Vec::new(), facts.others.clone());
    let orphans = facts.orphans.as_ref().unwrap_or(&none);
    left.extend(orphans.iter().map(shown));
    if left.is_empty() {
        return match &facts.orphans {
            Ok(_) if !facts.ours && facts.configurations.iter().flatten().next().is_some() => {
                let webhooks = facts.configurations.iter().flatten().map(shown);
                let words = format!(
                    "these checks are of a GMSA webhook that is not kube-gmsa's: {}; `kubectl gmsa install \
                     --adopt` takes over from it",
                    webhooks.collect::<Vec<_>>().join(", ")
                );
                Outcome::ok(&OLD_WEBHOOK, words)
            }
            Ok(_) => Outcome::ok(&OLD_WEBHOOK, "there is no other GMSA webhook"),
            Err(why) => Outcome::unknown(&OLD_WEBHOOK, why),
        };
    }
    let sends = left.iter().any(|one| one.contains("WebhookConfiguration"));
    let message = format!("another GMSA webhook is left: {}", left.join(", "));
    // What is left of a Deployment alone does nothing.
    let sure = if sends { Confidence::Possible } else { Confidence::Certain };
    let outcome = Outcome::warning(&OLD_WEBHOOK, message).sure(sure);
    if orphans.is_empty() {
        return outcome;
    }
    let commands: Vec<String> = orphans.iter().map(removal).collect();
    let commands = format!("no controller deletes these: {}", commands.join("; "));
    outcome.then(if facts.others.is_empty() {
        format!("Delete what remains; {commands}")
    } else {
        format!("{} Then delete what remains; {commands}", OLD_WEBHOOK.remedy)
    })
}

/// The command that deletes an object.
fn removal(object: &Value) -> String {
    format!(
        "kubectl delete {} {} -n {}",
        text(object, "/kind").to_lowercase(),
        text(object, "/metadata/name"),
        text(object, "/metadata/namespace")
    )
}

fn rules(configuration: &Value) -> Outcome {
    let all = || array(configuration, "/webhooks").flat_map(|hook| array(hook, "/rules"));
    let missing: Vec<String> = WANTED
        .into_iter()
        .filter(|(operation, resource)| !all().any(|rule| covers(rule, operation, resource)))
        .map(|(operation, resource)| format!("{operation} of {resource}"))
        .collect();
    if !missing.is_empty() {
        return Outcome::problem(&WEBHOOK_RULES, format!("it is not sent {}", missing.join(", ")));
    }
    let own: Vec<&str> = array(configuration, "/webhooks")
        .flat_map(|hook| array(hook, "/matchConditions"))
        .map(|condition| text(condition, "/expression"))
        .filter(|expression| *expression != MATCH_CONDITION)
        .collect();
    match own.first() {
        None => Outcome::ok(&WEBHOOK_RULES, "pods and ephemeral containers are sent"),
        Some(expression) => Outcome::warning(
            &WEBHOOK_RULES,
            "a match condition is not the one that install writes, and may leave pods out",
        )
        .sure(Confidence::Possible)
        .because(shortened(expression)),
    }
}

fn covers(rule: &Value, operation: &str, resource: &str) -> bool {
    let has = |key: &str, wanted: &[&str]| {
        array(rule, key).filter_map(Value::as_str).any(|one| wanted.contains(&one))
    };
    let resources: &[&str] = match resource {
        "pods" => &["pods", "*", "*/*"],
        _ => &["pods/ephemeralcontainers", "pods/*", "*/ephemeralcontainers", "*/*"],
    };
    has("/apiGroups", &["", "*"])
        && has("/apiVersions", &["v1", "*"])
        && has("/operations", &[operation, "*"])
        && has("/resources", resources)
        && !text(rule, "/scope").eq("Cluster")
}

fn policy(configuration: &Value) -> Outcome {
    let ignored =
        array(configuration, "/webhooks").any(|hook| text(hook, "/failurePolicy") == "Ignore");
    let validating = text(configuration, "/kind") == "ValidatingWebhookConfiguration";
    match (ignored, validating) {
        (true, true) => Outcome::problem(
            &WEBHOOK_FAILURE_POLICY,
            "pods are let through when the webhook does not answer",
        ),
        (true, false) => Outcome::ok(
            &WEBHOOK_FAILURE_POLICY,
            "Ignore: pods go on to validation, which refuses those that use a GMSA",
        ),
        (false, _) => Outcome::ok(&WEBHOOK_FAILURE_POLICY, "Fail"),
    }
}

fn timeout(configuration: &Value) -> Outcome {
    let seconds = array(configuration, "/webhooks")
        .filter_map(|hook| hook.get("timeoutSeconds").and_then(Value::as_u64));
    let (least, most) = seconds.fold((10, 0), |(least, most), one| (one.min(least), one.max(most)));
    if least < 2 {
        Outcome::warning(&WEBHOOK_TIMEOUT, format!("it has only {least} s to answer"))
            .sure(Confidence::Possible)
    } else if most > 10 {
        let words = format!("an outage delays each creation by {most} s");
        Outcome::warning(&WEBHOOK_TIMEOUT, words)
    } else {
        Outcome::ok(&WEBHOOK_TIMEOUT, format!("{} s", most.max(least)))
    }
}

/// What another field manager holds and, where the options of the installation are known, changed.
fn edits(configuration: &Value, options: Option<&Options>, version: Version) -> Vec<Edit> {
    let mut held = foreign(configuration);
    let wanted = options.map(|options| objects(options, version).webhooks).unwrap_or_default();
    if let Some(wanted) = wanted.iter().find(|one| is_same(one, configuration)) {
        let changed = differences(wanted, configuration);
        held.retain(|edit| {
            changed.iter().any(|one| (&one.webhook, one.field) == (&edit.webhook, edit.field))
        });
    }
    held
}

/// Adds who holds the fields that the check is about, if not who made the configuration.
fn held(outcome: Outcome, edits: &[Edit]) -> Outcome {
    let check = outcome.check.id;
    let about = |edit: &&Edit| match edit.field {
        "namespaceSelector" | "objectSelector" => check == WEBHOOK_EXCLUSIONS.id,
        "failurePolicy" => check == WEBHOOK_FAILURE_POLICY.id,
        _ => check == WEBHOOK_RULES.id,
    };
    edits.iter().filter(about).map(ToString::to_string).fold(outcome, Outcome::because)
}

fn exclusions(
    facts: &Facts,
    configuration: &Value,
    namespaces: &[Value],
    (options, version): (Option<&Options>, Version),
    edits: &[Edit],
) -> Outcome {
    let narrow = |hook: &Value| {
        let selector = hook.get("objectSelector");
        selector.and_then(Value::as_object).is_some_and(|selector| !selector.is_empty())
    };
    if array(configuration, "/webhooks").any(narrow) {
        return Outcome::problem(
            &WEBHOOK_EXCLUSIONS,
            "its objectSelector excludes pods by a label that the author of a pod controls",
        )
        .then("Remove the objectSelector: kubectl gmsa install --force-conflicts");
    }
    let sent = |namespace: &Value| {
        array(configuration, "/webhooks").any(|hook| {
            LabelSelector::read(hook.get("namespaceSelector"))
                .matches(&labels(namespace, "/metadata/labels"))
        })
    };
    let left_out = LeftOut::of(facts, namespaces, &sent);
    let is_foreign = edits.iter().any(Edit::selects_namespaces);
    let problem = |outcome: Outcome| if is_foreign { outcome.then(TAKE_BACK) } else { outcome };
    if !left_out.using.is_empty() {
        let refused = left_out.refused(facts, namespaces);
        let using = listed(&left_out.using);
        let words = if refused == left_out.using {
            format!("the guard refuses pods with a GMSA in namespaces that are left out: {using}")
        } else {
            format!("pods with a GMSA are not sent from the namespaces {using}")
        };
        return problem(Outcome::problem(&WEBHOOK_EXCLUSIONS, words));
    }
    let left = &left_out.all;
    if is_foreign {
        let words = if left.is_empty() {
            "another field manager set which namespaces are sent; none is left out now".to_owned()
        } else {
            format!("pods in these namespaces are not checked: {}", listed(left))
        };
        return problem(Outcome::warning(&WEBHOOK_EXCLUSIONS, words));
    }
    if left.is_empty() {
        return Outcome::ok(&WEBHOOK_EXCLUSIONS, "every namespace is sent");
    }
    if let Some(options) = options {
        let guarded = options.guard && version.has_policies();
        if options.namespaces_opt_in {
            let elsewhere = guarded.then_some("the guard");
            return opted_in(namespaces.len() - left.len(), elsewhere);
        }
        // Without match conditions, what the cluster and the webhook need to start is excluded.
        let meant =
            |name: &str| !version.filters() && (name == "kube-system" || name == options.namespace);
        if !left.iter().all(|name| meant(name)) {
            let words = format!("pods in these namespaces are not checked: {}", listed(left));
            let risk = if guarded {
                "The guard refuses pods with a GMSA there."
            } else {
                "Users who may create pods there can give them any identity."
            };
            return Outcome::warning(&WEBHOOK_EXCLUSIONS, words).then(format!(
                "{risk} Remove the label that excludes the namespace (kubectl label namespace NAME \
                 gmsa-webhook-); kubectl gmsa audit lists what uses a GMSA there."
            ));
        }
    }
    let words = format!("no GMSA is used in the namespaces that are left out: {}", listed(left));
    Outcome::ok(&WEBHOOK_EXCLUSIONS, words)
}

/// Which namespaces the policies of the engine leave out.
fn policy_exclusions(facts: &Facts, options: &Options) -> Outcome {
    let namespaces = match &facts.namespaces {
        Ok(namespaces) => namespaces,
        Err(why) => return Outcome::unknown(&WEBHOOK_EXCLUSIONS, why),
    };
    if facts.acting.engine().is_none() {
        // What is missing of them is said elsewhere.
        let words = "the policies do not decide, so none leaves a namespace out";
        return Outcome::skipped(&WEBHOOK_EXCLUSIONS, words);
    }
    let sent = |namespace: &Value| facts.acting.fate_of(namespace) == Fate::Checked;
    let left_out = LeftOut::of(facts, namespaces, &sent);
    if !left_out.using.is_empty() {
        return Outcome::problem(
            &WEBHOOK_EXCLUSIONS,
            format!(
                "the policies refuse pods with a GMSA in namespaces that are left out: {}",
                listed(&left_out.using)
            ),
        );
    }
    if left_out.all.is_empty() {
        return Outcome::ok(&WEBHOOK_EXCLUSIONS, "the policies decide in every namespace");
    }
    if options.namespaces_opt_in {
        return opted_in(namespaces.len() - left_out.all.len(), Some("the policies"));
    }
    let words =
        format!("no GMSA is used in the namespaces that are left out: {}", listed(&left_out.all));
    Outcome::ok(&WEBHOOK_EXCLUSIONS, words)
}

/// How many namespaces opted in, and who refuses pods with a GMSA in the others.
fn opted_in(count: usize, elsewhere: Option<&str>) -> Outcome {
    let rest = match elsewhere {
        Some(who) => format!("; in the others {who} refuse{} pods with a GMSA", ending(who)),
        None => String::new(),
    };
    match count {
        0 if elsewhere.is_none() => {
            Outcome::warning(&WEBHOOK_EXCLUSIONS, "no namespace opted in: nothing is checked")
        }
        0 => Outcome::warning(&WEBHOOK_EXCLUSIONS, format!("no namespace opted in{rest}")),
        count => Outcome::ok(
            &WEBHOOK_EXCLUSIONS,
            format!("{} opted in{rest}", counted(count, "namespace")),
        ),
    }
}

fn ending(who: &str) -> &'static str {
    if who.ends_with('s') { "" } else { "s" }
}

/// Names with commas between them.
fn listed(names: &BTreeSet<&str>) -> String {
    names.iter().copied().collect::<Vec<_>>().join(", ")
}

/// The namespaces whose pods are not looked at.
struct LeftOut<'a> {
    all: BTreeSet<&'a str>,
    /// Those of them in which something uses a GMSA.
    using: BTreeSet<&'a str>,
}

impl<'a> LeftOut<'a> {
    fn of(facts: &'a Facts, namespaces: &'a [Value], sent: &dyn Fn(&Value) -> bool) -> Self {
        let all: BTreeSet<&str> =
            namespaces.iter().filter(|namespace| !sent(namespace)).map(name).collect();
        let using = facts
            .workloads
            .iter()
            .filter(|one| is_alive(one) && uses_gmsa(one))
            .map(|one| text(one, "/metadata/namespace"))
            .filter(|namespace| all.contains(namespace))
            .collect();
        Self { all, using }
    }

    /// Those with users of a GMSA in which all their pods are refused.
    fn refused(&self, facts: &Facts, namespaces: &'a [Value]) -> BTreeSet<&'a str> {
        let used = namespaces.iter().filter(|one| self.using.contains(name(one)));
        let refused = used.filter(|one| matches!(facts.acting.fate_of(one), Fate::Refused(_)));
        refused.map(name).collect()
    }
}
