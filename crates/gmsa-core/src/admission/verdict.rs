//! The decision: what is wrong with each place, in the order of the catalogue.

use std::sync::Arc;

use super::decision::{Decision, Outcome};
use super::denial::{
    CONTENTS_WITHOUT_NAME, Denial, GRANTS_IT, MAX_CONTENTS, OR_WITH_KUBECTL, Reason,
};
use super::facts::{Facts, Right, SpecFact};
use super::patch::Operation;
use super::plan::Judgement;
use super::request::Step;
use super::warnings::warnings;
use crate::credspec::name::is_valid_name;
use crate::credspec::{Prepared, difference};
use crate::grant::Grant;
use crate::pod::{Contents, Place, PlaceKind, Reference, shown};

/// What is wrong with one place.
#[derive(Debug)]
pub(super) struct Finding<'a> {
    pub(super) reference: Reference<'a>,
    pub(super) reason: Reason,
    /// What differs, or what failed.
    detail: Option<String>,
}

/// Bytes that most lists of places and of names need.
const ROOM: usize = 64;

/// Decides a judgement by the facts. What is not known is denied.
#[must_use]
pub fn decide(judgement: &Judgement<'_>, facts: &Facts) -> Decision {
    let found = findings(judgement, facts);
    let denied = !found.is_empty();
    let outcome = if denied {
        let denial = |(index, finding): (usize, &Finding<'_>)| {
            let mut later = found.iter().skip(index + 1);
            let repeated = later.any(|one| {
                one.reason == finding.reason && one.reference.name == finding.reference.name
            });
            to_denial(judgement, facts, finding, repeated)
        };
        Outcome::Deny(found.iter().enumerate().map(denial).collect())
    } else {
        Outcome::Allow(operations(judgement, facts))
    };
    let warnings = if denied || judgement.step == Step::Validate {
        warnings(judgement, facts)
    } else {
        Vec::new()
    };
    let mut credential_specs = String::with_capacity(ROOM);
    for (index, name) in judgement.references.iter().map(|reference| reference.name).enumerate() {
        let before = judgement.references.iter().take(index);
        if let Some(name) = name.filter(|_| before.into_iter().all(|other| other.name != name)) {
            credential_specs.push_str(if credential_specs.is_empty() { "" } else { "," });
            credential_specs.push_str(&shown(name));
        }
    }
    let mut places = String::with_capacity(ROOM);
    Place::push_all(&mut places, judgement.references.iter().map(|reference| reference.place));
    Decision { outcome, warnings, credential_specs, places }
}

/// Everything that is wrong, at most one finding a place.
///
/// The mutating step denies only what it cannot expand; once it denies, it reports every problem.
pub(super) fn findings<'a>(judgement: &Judgement<'a>, facts: &Facts) -> Vec<Finding<'a>> {
    let own: Vec<_> = judgement
        .references
        .iter()
        .filter_map(|reference| judge_place(judgement, facts, *reference, judgement.step))
        .collect();
    if judgement.step == Step::Validate || own.is_empty() {
        return own;
    }
    judgement
        .references
        .iter()
        .filter_map(|reference| {
            judge_place(judgement, facts, *reference, Step::Validate)
                .filter(|finding| !is_open_to_mutation(finding))
                .or_else(|| judge_place(judgement, facts, *reference, Step::Mutate))
        })
        .collect()
}

/// Whether the mutating step ignores this finding: its own patch fixes it, or the decision does
/// not depend on it.
fn is_open_to_mutation(finding: &Finding<'_>) -> bool {
    matches!(finding.reason, Reason::NotExpanded | Reason::Undecided | Reason::Timeout)
}

fn judge_place<'a>(
    judgement: &Judgement<'a>,
    facts: &Facts,
    reference: Reference<'a>,
    step: Step,
) -> Option<Finding<'a>> {
    let validating = step == Step::Validate;
    let finding = |reason| Some(Finding { reference, reason, detail: None });
    let Some(name) = reference.name else {
        return if validating {
            finding(Reason::ContentsWithoutName)
        } else {
            too_large(reference)
        };
    };
    // A judgement's names are valid.
    let index = judgement.names.iter().position(|known| *known == name);
    if index.is_none() && !is_valid_name(name) {
        return finding(Reason::NameInvalid);
    }
    if let Some(large) = too_large(reference) {
        return Some(large);
    }
    let Some(index) = index else { return finding(Reason::Undecided) };
    if validating {
        match facts.right(index) {
            Some(Right::Allowed) => {}
            Some(Right::Denied) => return finding(Reason::NotAuthorized),
            Some(Right::Unknown(failure)) => return Some(unknown(reference, failure)),
            None => return finding(Reason::Undecided),
        }
    }
    let prepared = match facts.spec(index) {
        Some(SpecFact::Found(prepared)) => prepared,
        Some(SpecFact::Empty) => return finding(Reason::Empty),
        Some(SpecFact::Absent) => return finding(Reason::NotFound),
        Some(SpecFact::Unknown(failure)) => {
            // Contents that the pod already has need nothing from the mutating step.
            let needed = validating || reference.contents.is_none();
            return needed.then(|| unknown(reference, failure));
        }
        None => return finding(Reason::Undecided),
    };
    match reference.contents {
        Some(contents) if validating => differs(prepared, contents).map(|detail| Finding {
            reference,
            reason: Reason::Mismatch,
            detail: Some(detail),
        }),
        None if validating => finding(Reason::NotExpanded),
        None if prepared.bytes > MAX_CONTENTS => finding(Reason::ContentsTooLarge),
        _ => None,
    }
}

fn too_large(reference: Reference<'_>) -> Option<Finding<'_>> {
    let large = reference.contents.is_some_and(|contents| contents.is_longer_than(MAX_CONTENTS));
    large.then_some(Finding { reference, reason: Reason::ContentsTooLarge, detail: None })
}

/// What differs between a resource and the contents in a pod; none if nothing does. What we wrote
/// ourselves is the same string.
fn differs(prepared: &Prepared, contents: Contents<'_>) -> Option<String> {
    if *prepared.escaped == *contents.escaped() {
        return None;
    }
    match contents.text() {
        Some(text) => difference(&prepared.json(), &text),
        None => Some("the contents are not text".to_owned()),
    }
}

fn unknown<'a>(reference: Reference<'a>, failure: &super::facts::Failure) -> Finding<'a> {
    let reason = if failure.timed_out { Reason::Timeout } else { Reason::Undecided };
    Finding { reference, reason, detail: Some(failure.message.clone()) }
}

fn operations(judgement: &Judgement<'_>, facts: &Facts) -> Vec<Operation> {
    if judgement.step == Step::Validate {
        return Vec::new();
    }
    let mut operations = Vec::with_capacity(judgement.references.len() + 1);
    for reference in judgement.references.iter().filter(|one| one.contents.is_none()) {
        let index = judgement.names.iter().position(|name| Some(*name) == reference.name);
        if let Some(SpecFact::Found(prepared)) = index.and_then(|index| facts.spec(index)) {
            operations.push(Operation::Contents {
                kind: reference.place.kind,
                index: reference.place.index,
                contents: Arc::clone(prepared),
            });
        }
    }
    if let Some(hostname) = judgement.hostname {
        operations.push(Operation::Hostname(hostname.to_owned()));
    }
    operations
}

/// The message of one finding. `repeated`: a later one has the same reason and name, and the remedy.
fn to_denial(
    judgement: &Judgement<'_>,
    facts: &Facts,
    finding: &Finding<'_>,
    repeated: bool,
) -> Denial {
    let Finding { reference, reason, detail } = finding;
    let (index, kind) = (reference.place.index, reference.place.kind);
    let place = match reference.place.kind {
        PlaceKind::Pod => judgement.pod.in_words(),
        _ => reference.place.text(),
    };
    let raw_name = reference.name.unwrap_or_default();
    let name = shown(raw_name);
    let hint = facts.hint(raw_name);
    let detail = detail.as_deref().unwrap_or("the facts are not known");
    let (namespace, account) = (judgement.namespace, judgement.service_account());
    let message = match reason {
        Reason::ContentsWithoutName => format!("{place} {CONTENTS_WITHOUT_NAME}"),
        Reason::NameInvalid => {
            let instead = hint.map_or_else(
                || {
                    if raw_name.is_empty() {
                        "write the name of one, or leave gmsaCredentialSpecName out".to_owned()
                    } else {
                        "names have only lower-case letters, digits, \"-\" and \".\"".to_owned()
                    }
                },
                |hint| format!("write \"{hint}\", which exists"),
            );
            format!("{place}: \"{name}\" is not a valid name of a GMSA cred spec; {instead}")
        }
        Reason::ContentsTooLarge => {
            format!("{place}: the contents of GMSA cred spec \"{name}\" are over 64 KiB")
        }
        Reason::NotAuthorized => {
            let meant = hint
                .map(|hint| format!("; did you mean \"{hint}\", which it may use?"))
                .unwrap_or_default();
            let cure = match Grant::of(raw_name, namespace, account) {
                Some(_) if repeated => meant,
                // The line for a shell comes last, so that it can be copied to the end.
                Some(grant) => format!(
                    "{meant}{GRANTS_IT}`{}`{OR_WITH_KUBECTL}{}",
                    grant.with_plugin(),
                    grant.with_kubectl()
                ),
                // An API server accepts no other, but a file may contain any.
                None => format!(", and its name is not valid{meant}"),
            };
            let account = shown(account);
            format!(
                "{place}: service account \"{account}\" is not authorized to `use` GMSA cred spec \
                 \"{name}\" in namespace \"{namespace}\"{cure}"
            )
        }
        Reason::NotFound => {
            let meant = hint.map(|hint| format!("; did you mean \"{hint}\"?")).unwrap_or_default();
            format!("{place}: cred spec {name} does not exist{meant}")
        }
        Reason::Empty => format!(
            "{place}: cred spec {name} does not have a credspec key, or it is empty; its contents \
             belong under `credspec` at the root of the GMSACredentialSpec"
        ),
        Reason::Mismatch => format!(
            "{place} has a GMSA cred spec that does not match the contents of GMSA resource \
             \"{name}\": {detail}; leave gmsaCredentialSpec out, it is filled in from the resource"
        ),
        Reason::NotExpanded => format!(
            "{place}: GMSA cred spec \"{name}\" was not expanded: the mutating webhook did not see \
             this pod (it was away with failurePolicy Ignore, or the name was added after it ran); \
             try again"
        ),
        // Of a whole request, or without a fact that the words above need.
        Reason::TooManyPlaces
        | Reason::NamespaceLeftOut
        | Reason::Undecided
        | Reason::Timeout
        | Reason::Overload
        | Reason::Immutable
        | Reason::OldEphemeralContainers
        | Reason::WrongKind
        | Reason::MalformedRequest => {
            format!("{place}: cannot decide on GMSA cred spec \"{name}\": {detail}")
        }
    };
    let key = match reason {
        Reason::ContentsWithoutName | Reason::ContentsTooLarge | Reason::Mismatch => {
            "gmsaCredentialSpec"
        }
        _ => "gmsaCredentialSpecName",
    };
    debug_assert!(kind != PlaceKind::Pod || index == 0);
    Denial { reason: *reason, message, field: reference.place.field(key) }
}
