//! Walks each workload's pod through both admission steps.

use gmsa_cluster::manifests::{Document, ManifestSet, Workload};
use gmsa_core::admission::{
    self, Decision, Facts as CoreFacts, Judgement, Operation, Plan, Question, Request, Right,
    SpecFact, Step, patch,
};
use gmsa_core::credspec::name::{closest, is_valid_name};
use gmsa_core::pod::{PlaceKind, Pod, identities};
use serde_json::{Value, json};

use super::facts::Facts;
use crate::commands::Failure;

/// A workload and what admission says of its pods.
pub(super) struct Judged<'a> {
    pub(super) workload: &'a Workload,
    pub(super) service_account: String,
    /// Whether anything in it uses a GMSA.
    pub(super) uses_gmsa: bool,
    pub(super) places: Vec<Place>,
    pub(super) decision: Decision,
    /// What the mutating step filled in.
    pub(super) operations: Vec<patch::Operation>,
}

/// A place of the pod that uses a GMSA.
pub(super) struct Place {
    pub(super) kind: PlaceKind,
    pub(super) name: String,
    /// The path of its `windowsOptions`, with a dot at the end.
    pub(super) prefix: String,
    pub(super) credential_spec: Option<String>,
    /// The containers for which it is in force.
    pub(super) containers: Vec<String>,
}

/// Judges every workload.
pub(super) fn all<'a>(
    set: &'a ManifestSet,
    documents: &[Document],
    facts: &Facts<'_>,
) -> Result<Vec<Judged<'a>>, Failure> {
    set.workloads
        .iter()
        .map(|workload| {
            let document = documents.get(workload.document);
            one(workload, document.map_or(&Value::Null, |document| &document.value), facts)
        })
        .collect()
}

fn one<'a>(
    workload: &'a Workload,
    document: &Value,
    facts: &Facts<'_>,
) -> Result<Judged<'a>, Failure> {
    let mut object = workload.pod(document);
    let text = object.to_string();
    let pod = read(&text, workload)?;
    let service_account = pod.service_account().to_owned();
    let places = places(&pod);
    let mutation = decide(Step::Mutate, &pod, &workload.namespace, facts)?;
    let uses_gmsa = !places.is_empty();
    let mut judged = Judged {
        workload,
        service_account,
        uses_gmsa,
        places,
        decision: mutation,
        operations: Vec::new(),
    };
    if !uses_gmsa || !judged.decision.is_allowed() {
        return Ok(judged);
    }
    judged.operations = judged.decision.operations().to_vec();
    apply(&mut object, &judged.operations);
    let text = object.to_string();
    let pod = read(&text, workload)?;
    judged.decision = decide(Step::Validate, &pod, &workload.namespace, facts)?;
    Ok(judged)
}

fn read<'a>(object: &'a str, workload: &Workload) -> Result<Pod<'a>, Failure> {
    serde_json::from_str(object).map_err(|error| {
        Failure::Input(format!(
            "failed to read the pod of {} \"{}\" at {}: {error}",
            workload.kind, workload.name, workload.source
        ))
    })
}

fn places(pod: &Pod<'_>) -> Vec<Place> {
    let containers = |kind: PlaceKind, index: usize| {
        identities(pod)
            .filter(|one| match kind {
                PlaceKind::Pod => one.inherited,
                _ => one.container.kind == kind && one.container.index == index,
            })
            .map(|one| one.container.name.to_owned())
            .collect()
    };
    pod.references()
        .map(|reference| {
            let place = reference.place;
            Place {
                kind: place.kind,
                name: place.name.to_owned(),
                prefix: place.field(""),
                credential_spec: reference.name.map(str::to_owned),
                containers: containers(place.kind, place.index),
            }
        })
        .collect()
}

fn decide(
    step: Step,
    pod: &Pod<'_>,
    namespace: &str,
    facts: &Facts<'_>,
) -> Result<Decision, Failure> {
    let request = Request {
        step,
        operation: Some(Operation::Create),
        group: "",
        kind: "Pod",
        subresource: "",
        namespace,
        object: Some(pod),
        old_object: None,
        random_hostname: None,
    };
    let judgement = match admission::plan(&request) {
        Plan::Decided(decision) => return Ok(decision),
        Plan::Judge(judgement) => judgement,
    };
    let mut found = CoreFacts::new(judgement.names().len());
    loop {
        let questions = judgement.questions(&found);
        if questions.is_empty() {
            return Ok(admission::decide(&judgement, &found));
        }
        for question in questions {
            answer(&judgement, question, facts, &mut found)?;
        }
    }
}

fn answer(
    judgement: &Judgement<'_>,
    question: Question<'_>,
    facts: &Facts<'_>,
    found: &mut CoreFacts,
) -> Result<(), Failure> {
    let (namespace, account) = (judgement.namespace(), judgement.service_account());
    match question {
        Question::Spec { index, name } | Question::LiveSpec { index, name } => {
            found.set_spec(index, facts.spec(name)?, true);
        }
        Question::Right { index, name } => {
            found.set_right(index, facts.right(namespace, account, name)?);
        }
        Question::LowerCaseHint { name } => {
            let lower = name.to_lowercase();
            let exists = is_valid_name(&lower)
                && matches!(facts.spec(&lower)?, SpecFact::Found(_) | SpecFact::Empty);
            found.set_hint(name, exists.then_some(lower));
        }
        Question::CloseHint { name } => {
            let names = facts.names();
            let hint = match closest(name, names.iter().map(String::as_str)) {
                Some(close) if facts.right(namespace, account, close)? == Right::Allowed => {
                    Some(close.to_owned())
                }
                _ => None,
            };
            found.set_hint(name, hint);
        }
    }
    Ok(())
}

/// Fills in what the mutating step fills in, in an object that has the pod's `spec`.
pub(super) fn apply(object: &mut Value, operations: &[patch::Operation]) {
    for operation in operations {
        let patch::Operation::Contents { kind, index, contents } = operation else { continue };
        let pointer = match kind.list() {
            None => "/spec/securityContext/windowsOptions".to_owned(),
            Some(list) => format!("/spec/{list}/{index}/securityContext/windowsOptions"),
        };
        if let Some(Value::Object(options)) = object.pointer_mut(&pointer) {
            options.insert("gmsaCredentialSpec".to_owned(), json!(contents.json()));
        }
    }
}
