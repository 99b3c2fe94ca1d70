//! From a request to what must be known to decide it.

use super::decision::Decision;
use super::denial::{Denial, Reason};
use super::request::{Operation, Request, Step};
use crate::credspec::name::is_valid_name;
use crate::pod::{Pod, Reference};

/// What follows from a request alone.
#[derive(Debug)]
pub enum Plan<'a> {
    /// Nothing has to be looked up.
    Decided(Decision),
    /// The facts about these names decide.
    Judge(Judgement<'a>),
}

/// A pod that uses a GMSA, and the names that must be looked up for it.
#[derive(Debug)]
pub struct Judgement<'a> {
    pub(super) step: Step,
    pub(super) namespace: &'a str,
    pub(super) pod: &'a Pod<'a>,
    pub(super) references: Vec<Reference<'a>>,
    pub(super) names: Vec<&'a str>,
    pub(super) hostname: Option<&'a str>,
}

impl<'a> Judgement<'a> {
    /// The namespace in which the right is needed.
    #[must_use]
    pub fn namespace(&self) -> &'a str {
        self.namespace
    }

    /// The service account that needs the right.
    #[must_use]
    pub fn service_account(&self) -> &'a str {
        self.pod.service_account()
    }

    /// The distinct valid names that the pod uses, in the order of their first use.
    #[must_use]
    pub fn names(&self) -> &[&'a str] {
        &self.names
    }

    /// The places that are judged.
    #[must_use]
    pub fn references(&self) -> &[Reference<'a>] {
        &self.references
    }
}

/// Reads a request and determines what must be known to decide it.
#[must_use]
pub fn plan<'a>(request: &Request<'a>) -> Plan<'a> {
    let Some(operation) = request.operation else {
        return deny(
            Reason::MalformedRequest,
            "expected operation CREATE, UPDATE, DELETE or CONNECT",
        );
    };
    if matches!(operation, Operation::Delete | Operation::Connect) {
        return Plan::Decided(Decision::allow());
    }
    if request.group.is_empty() && request.kind == "EphemeralContainers" {
        return plan_old_ephemeral(request);
    }
    if !request.group.is_empty() || request.kind != "Pod" {
        return deny(Reason::WrongKind, format!("expected a Pod object, got a {}", request.kind));
    }
    let Some(pod) = request.object else {
        return deny(Reason::MalformedRequest, "expected a Pod object, got none");
    };
    match operation {
        Operation::Create => judge(request, pod, pod.references().collect()),
        _ if request.subresource == "ephemeralcontainers" => {
            let Some(old) = request.old_object else { return no_old_object() };
            judge(request, pod, added(old, pod))
        }
        _ => {
            let Some(old) = request.old_object else { return no_old_object() };
            plan_update(old, pod)
        }
    }
}

fn plan_update<'a>(old: &Pod<'_>, new: &Pod<'_>) -> Plan<'a> {
    let changed = first_change(old, new);
    match changed {
        None => Plan::Decided(Decision::allow()),
        Some(message) => deny(Reason::Immutable, message),
    }
}

/// The first place at which an update changes a GMSA field.
fn first_change(old: &Pod<'_>, new: &Pod<'_>) -> Option<String> {
    let was: Vec<_> = old.references().collect();
    let is: Vec<_> = new.references().collect();
    // Nearly always, and without looking at each for each of the others.
    if was.len() == is.len() && was.iter().zip(&is).all(|(old, new)| same(old, new)) {
        return None;
    }
    let place = is
        .iter()
        .find(|reference| !was.iter().any(|old| same(old, reference)))
        .or_else(|| was.iter().find(|old| !is.iter().any(|reference| same(old, reference))))?
        .place;
    Some(format!(
        "{place}: the GMSA fields of an existing pod cannot be changed; change the workload's pod \
         template instead"
    ))
}

/// Whether two references have the same place and the same GMSA. The order of a list may change.
fn same(one: &Reference<'_>, other: &Reference<'_>) -> bool {
    one.place.kind == other.place.kind
        && (one.place.kind.list().is_none() || one.place.name == other.place.name)
        && one.name == other.name
        && one.contents == other.contents
}

/// The ephemeral containers with a GMSA that the old pod did not have as they are.
fn added<'a>(old: &Pod<'_>, new: &'a Pod<'_>) -> Vec<Reference<'a>> {
    let was: Vec<_> = old.references().collect();
    new.references()
        .filter(|reference| reference.place.kind == crate::pod::PlaceKind::EphemeralContainer)
        .filter(|reference| !was.iter().any(|old| same(old, reference)))
        .collect()
}

/// The kind by which servers before 1.22 add ephemeral containers carries no service account.
fn plan_old_ephemeral<'a>(request: &Request<'a>) -> Plan<'a> {
    let Some(object) = request.object else {
        return deny(Reason::MalformedRequest, "expected an EphemeralContainers object, got none");
    };
    let was: Vec<_> = request
        .old_object
        .into_iter()
        .flat_map(|old| old.root_ephemeral_references().chain(old.references()))
        .collect();
    let denials: Vec<Denial> = object
        .root_ephemeral_references()
        .filter(|reference| !was.iter().any(|old| same(old, reference)))
        .map(|reference| Denial {
            reason: Reason::OldEphemeralContainers,
            message: format!(
                "{}: this API server adds ephemeral containers by an object that does not name \
                 the pod's service account, so its right to a GMSA cannot be checked; leave the \
                 GMSA fields out, or use Kubernetes 1.22 or newer",
                reference.place
            ),
            field: String::new(),
        })
        .collect();
    Plan::Decided(if denials.is_empty() { Decision::allow() } else { Decision::deny(denials) })
}

fn judge<'a>(request: &Request<'a>, pod: &'a Pod<'a>, references: Vec<Reference<'a>>) -> Plan<'a> {
    if references.is_empty() {
        return Plan::Decided(Decision::allow());
    }
    if references.len() > request.max_places {
        let message = format!(
            "{} fields of the pod use a GMSA, more than the {} that the webhook takes \
             (its --max-places); set gmsaCredentialSpecName once, for the pod",
            references.len(),
            request.max_places
        );
        return deny(Reason::TooManyPlaces, message);
    }
    // It becomes part of the path of a request to the API server.
    if !is_valid_name(request.namespace) {
        return deny(
            Reason::MalformedRequest,
            "the request names no valid namespace, so no right can be checked in it",
        );
    }
    let mut names: Vec<&str> = Vec::with_capacity(1);
    for name in references.iter().filter_map(|reference| reference.name) {
        if !names.contains(&name) && is_valid_name(name) {
            names.push(name);
        }
    }
    let unnamed = pod.fixed_hostname().is_none();
    let hostname = request.random_hostname.filter(|_| {
        unnamed && request.step == Step::Mutate && request.operation == Some(Operation::Create)
    });
    Plan::Judge(Judgement {
        step: request.step,
        namespace: request.namespace,
        pod,
        references,
        names,
        hostname,
    })
}

fn no_old_object<'a>() -> Plan<'a> {
    deny(Reason::MalformedRequest, "expected the old object with an UPDATE, got none")
}

fn deny<'a>(reason: Reason, message: impl Into<String>) -> Plan<'a> {
    Plan::Decided(Decision::deny(vec![Denial::of_request(reason, message)]))
}
