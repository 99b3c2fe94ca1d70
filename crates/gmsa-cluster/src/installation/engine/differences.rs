//! What the policies answer differently from the webhook: the one description that docs/engine.md and
//! `kubectl gmsa review` rest on.

use std::collections::BTreeSet;

use gmsa_core::admission::{Decision, Denial, Reason, SpecFact};
use gmsa_core::credspec::name::is_valid_name;
use gmsa_core::pod::{PlaceKind, Pod, Reference};
use gmsa_core::printable::counted;

use super::expressions::{LONGEST, MOST_SHOWN, too_many_names};
use super::same_json;
use crate::installation::MOST_NAMES;

/// In so many fields contents in another order were compared within the budget of expressions.
const MOST_REORDERED: usize = 20;

/// A case that the policies answer differently.
struct Difference {
    /// Its stable name, in kebab case; empty if no pod shows it.
    id: &'static str,
    case: &'static str,
    webhook: &'static str,
    policies: &'static str,
}

/// Defines a constant for each difference, and the list of all.
macro_rules! differences {
    ($($name:ident: $id:literal, $case:literal, $webhook:literal, $policies:literal;)+) => {
        $(
            const $name: Difference =
                Difference { id: $id, case: $case, webhook: $webhook, policies: $policies };
        )+
        /// Every difference, in the order of docs/engine.md.
        const ALL: &[Difference] = &[$($name),+];
    };
}

differences! {
    NOT_FOUND: "code-of-not-found", "no such credential spec",
        "code 404", "code 422: a policy can only answer 403 or 422";
    EMPTY: "code-of-empty", "a credential spec without contents", "code 417", "code 422";
    CLOSE: "no-close-name", "a name with a typing error",
        "names a close one", "does not; for a name in capital letters it does";
    KEY: "no-key", "contents that differ", "names the first key that differs", "does not";
    PRESET: "preset-contents", "preset contents in another order or layout, with an escaped quote or backslash, numbers, or more than three objects within each other",
        "equal", "denied as different: leave the contents out. Without these they are equal";
    REORDERED: "many-preset-contents", "preset contents in another order or layout in more than 20 fields",
        "equal", "may be denied, `was not expanded`: leave the contents out";
    TOO_LARGE: "too-large", "a credential spec over 64 KiB",
        "`are over 64 KiB`", "`does not exist`: it is not in the index";
    LATER: "", "a name that another webhook adds",
        "expanded if that webhook comes first", "denied, `was not expanded`: every webhook comes after the policies";
    NAMES: "many-names", "more than 20 different names", "checked", "denied";
    CUT: "cut-message", "a message over 4,500 characters, or more than 25 fields",
        "whole", "its beginning, and `[and more]`";
    EVENTS: "", "events of a ReplicaSet",
        "one that is counted", "one for each try, until they are combined: the API server names the pod before the policy's words";
    WARNINGS: "no-warnings", "[warnings](findings.md)",
        "yes", "none: a policy that warns would say so of each pod, in words of the API server";
    HOSTNAME: "no-random-hostname", "random hostnames",
        "`--random-hostname`", "none: an expression has no random values. `install` refuses the option";
    CHANGED: "", "a changed credential spec", "used by the next pod", "used once the index is written";
    ERROR: "", "a review with an evaluation error", "denied, `cannot decide`", "denied, `is not authorized`";
}

/// The table of docs/engine.md.
#[must_use]
pub fn table() -> String {
    let row = |one: &Difference| format!("| {} | {} | {} |\n", one.case, one.webhook, one.policies);
    let rows: Vec<String> = ALL.iter().map(row).collect();
    format!("| case | webhook | policies |\n|---|---|---|\n{}", rows.concat())
}

/// The code of a denial by a policy.
#[must_use]
pub fn code(reason: Reason) -> u16 {
    if reason.code() == 403 { 403 } else { 422 }
}

/// What the policies answer to a pod of which the webhook's answer is known.
#[derive(Debug, Default)]
pub struct Answer {
    /// What they deny and the webhook does not.
    pub denials: Vec<Denial>,
    /// What else is different, each in a sentence.
    pub differences: Vec<(&'static str, String)>,
}

/// What the policies answer differently to a new pod. `spec` gives what its names mean, and `hostnames`
/// says whether the webhook sets random ones.
pub fn of<E>(
    pod: &Pod<'_>,
    decision: &Decision,
    spec: impl Fn(&str) -> Result<SpecFact, E>,
    hostnames: bool,
) -> Result<Answer, E> {
    let references: Vec<Reference<'_>> = pod.references().collect();
    let mut answer = Answer::default();
    if references.is_empty() {
        return Ok(answer);
    }
    let names: BTreeSet<&str> =
        references.iter().filter_map(|one| one.name).filter(|name| is_valid_name(name)).collect();
    if names.len() > MOST_NAMES {
        answer.denials = vec![Denial::of_request(Reason::TooManyPlaces, too_many_names())];
        answer.add(&NAMES, format!("it names {} different credential specs", names.len()));
        return Ok(answer);
    }
    let mut reordered = 0;
    for reference in &references {
        let field = reference.place.field("");
        let is_denied = decision.denials().iter().any(|denial| denial.field.starts_with(&field));
        let (Some(name), Some(contents), false) = (reference.name, reference.contents, is_denied)
        else {
            continue;
        };
        let SpecFact::Found(prepared) = spec(name)? else { continue };
        let (preset, canonical) = (contents.text().unwrap_or_default(), prepared.json());
        if *preset == canonical {
            continue;
        }
        if same_json::is_comparable(&preset, &canonical) {
            reordered += 1;
            continue;
        }
        let place = match reference.place.kind {
            PlaceKind::Pod => pod.in_words(),
            _ => reference.place.text(),
        };
        answer.denials.push(Denial {
            reason: Reason::Mismatch,
            message: format!(
                "{place} has a GMSA cred spec that does not match the contents of GMSA resource \
                 \"{name}\"; leave gmsaCredentialSpec out, it is filled in from the resource"
            ),
            field: reference.place.field("gmsaCredentialSpec"),
        });
        answer.add(
            &PRESET,
            format!("{place}: its preset contents are equal, but the policies cannot compare them"),
        );
    }
    if reordered > MOST_REORDERED {
        let words = format!(
            "preset contents in another order or layout are in {reordered} fields, which may exceed the \
             budget of expressions; the pod is then denied with the words \"was not expanded\""
        );
        answer.add(&REORDERED, words);
    }
    answer.of_denials(decision.denials(), &references);
    if !decision.warnings.is_empty() {
        let count = decision.warnings.len();
        answer.add(&WARNINGS, format!("{} not printed as warnings", counted(count, "finding")));
    }
    if hostnames && pod.fixed_hostname().is_none() {
        answer.add(&HOSTNAME, "it gets no random hostname".to_owned());
    }
    Ok(answer)
}

impl Answer {
    /// Once for each difference.
    fn add(&mut self, difference: &Difference, words: String) {
        if !self.differences.iter().any(|(id, _)| *id == difference.id) {
            self.differences.push((difference.id, words));
        }
    }

    /// What is different in the denials of the webhook.
    fn of_denials(&mut self, denials: &[Denial], references: &[Reference<'_>]) {
        let mut length = 0;
        for denial in denials {
            length += denial.message.chars().count() + 2;
            let is_preset = references.iter().any(|one| {
                one.contents.is_some() && denial.field.starts_with(&one.place.field(""))
            });
            let codes = format!("code {} instead of {}", code(denial.reason), denial.reason.code());
            match denial.reason {
                Reason::NotFound => self.add(&NOT_FOUND, codes),
                Reason::Empty => self.add(&EMPTY, codes),
                Reason::Mismatch => {
                    self.add(&KEY, "the message does not name the key that differs".to_owned());
                }
                Reason::ContentsTooLarge if !is_preset => self.add(
                    &TOO_LARGE,
                    "the message is that the credential spec does not exist".to_owned(),
                ),
                _ => {}
            }
            let is_close = matches!(denial.reason, Reason::NotFound | Reason::NotAuthorized);
            if is_close && denial.message.contains("; did you mean \"") {
                self.add(&CLOSE, "the message names no close name".to_owned());
            }
        }
        if length > LONGEST || denials.len() > MOST_SHOWN {
            self.add(&CUT, "the message is cut, and ends with [and more]".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use gmsa_core::credspec::Prepared;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_page_has_the_table() {
        let page = include_str!("../../../../../docs/engine.md");
        let table = table();
        assert!(page.contains(&table), "docs/engine.md must have this table:\n{table}");
        let ids: Vec<&str> = ALL.iter().map(|one| one.id).filter(|id| !id.is_empty()).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        assert!(REORDERED.case.contains(&MOST_REORDERED.to_string()));
        assert!(NAMES.case.contains(&MOST_NAMES.to_string()));
        assert!(CUT.case.contains(&MOST_SHOWN.to_string()) && CUT.case.contains("4,500"));
    }

    fn answer(pod: &Value, decision: &Decision, contents: &Value) -> Answer {
        let text = pod.to_string();
        let pod: Pod<'_> = serde_json::from_str(&text).unwrap();
        let object = json!({"credspec": contents});
        let spec = |name: &str| match Prepared::from_object(name, &object) {
            Some(prepared) => Ok::<_, ()>(SpecFact::Found(Arc::new(prepared))),
            None => Ok(SpecFact::Empty),
        };
        of(&pod, decision, spec, true).unwrap()
    }

    fn pod(containers: impl Iterator<Item = (String, Option<String>)>) -> Value {
        let container = |(name, contents): (String, Option<String>)| {
            let mut options = json!({"gmsaCredentialSpecName": name});
            if let Some(contents) = contents {
                options["gmsaCredentialSpec"] = json!(contents);
            }
            json!({"name": "c", "securityContext": {"windowsOptions": options}})
        };
        let containers: Vec<Value> = containers.map(container).collect();
        json!({"metadata": {"name": "p"}, "spec": {"hostname": "own", "containers": containers}})
    }

    fn ids(answer: &Answer) -> Vec<&str> {
        answer.differences.iter().map(|(id, _)| *id).collect()
    }

    #[test]
    fn what_differs_is_named() {
        let contents =
            json!({"CmsPlugins": ["ActiveDirectory"], "DomainJoinConfig": {"DnsName": "x"}});
        let allow = Decision::allow();
        let named = |count: usize| pod((0..count).map(|number| (format!("n{number}"), None)));
        assert_eq!(ids(&answer(&named(20), &allow, &contents)), [""; 0]);
        let many = answer(&named(21), &allow, &contents);
        assert_eq!(ids(&many), ["many-names"]);
        assert!(many.denials[0].message.contains("more than 20 different GMSA cred specs"));
        let other_order =
            r#"{"DomainJoinConfig": {"DnsName": "x"}, "CmsPlugins": ["ActiveDirectory"]}"#;
        let preset = |count: usize, text: &str| {
            pod((0..count).map(|_| ("web".to_owned(), Some(text.to_owned()))))
        };
        assert_eq!(ids(&answer(&preset(20, other_order), &allow, &contents)), [""; 0]);
        assert_eq!(
            ids(&answer(&preset(21, other_order), &allow, &contents)),
            ["many-preset-contents"]
        );
        let escaped = other_order.replace("\"x\"", r#""\u0078""#);
        let escaped = answer(&preset(2, &escaped), &allow, &contents);
        assert_eq!(ids(&escaped), ["preset-contents"]);
        let fields: Vec<&str> = escaped.denials.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(
            fields,
            [0, 1].map(|index| {
                format!(
                    "spec.containers[{index}].securityContext.windowsOptions.gmsaCredentialSpec"
                )
            })
        );
        let deny = |reason: Reason, message: &str| {
            Decision::deny(vec![Denial {
                reason,
                message: message.to_owned(),
                field: "spec.containers[0].securityContext.windowsOptions.gmsaCredentialSpecName"
                    .to_owned(),
            }])
        };
        for (decision, expected) in [
            (deny(Reason::NotFound, "x"), &["code-of-not-found"][..]),
            (
                deny(Reason::NotFound, "x; did you mean \"y\"?"),
                &["code-of-not-found", "no-close-name"],
            ),
            (deny(Reason::Empty, "x"), &["code-of-empty"]),
            (deny(Reason::ContentsTooLarge, "x"), &["too-large"]),
            (deny(Reason::NotAuthorized, "x"), &[]),
            (deny(Reason::Mismatch, &"x".repeat(5_000)), &["no-key", "cut-message"]),
        ] {
            assert_eq!(ids(&answer(&named(1), &decision, &contents)), expected);
        }
        let mut plain = named(1);
        plain["spec"].as_object_mut().unwrap().remove("hostname");
        plain["metadata"]["generateName"] = json!("p-");
        assert_eq!(ids(&answer(&plain, &allow, &contents)), ["no-random-hostname"]);
        let nothing = answer(&json!({"spec": {"containers": []}}), &allow, &contents);
        assert!(nothing.denials.is_empty() && nothing.differences.is_empty());
    }
}
