//! Takes a pod through both admission steps, with facts from manifests or from a cluster.

mod cluster;

use gmsa_core::admission::{
    self, Candidate, Decision, Facts, Judgement, Outcome, Plan, Question, Reason, Request, Right,
    SpecFact, Step, patch,
};
use gmsa_core::finding::{Code, Finding};
use gmsa_core::names::KIND;
use gmsa_core::pod::{Pod, shown};
use serde_json::{Value, json};

use crate::acting::Fate;
pub use cluster::{RightUnknown, Simulator};

/// The source of the facts.
pub trait Source {
    /// Why a fact could not be found out.
    type Error;

    /// What is known of the credential spec.
    fn spec(&self, name: &str) -> Result<SpecFact, Self::Error>;

    /// Whether the service account may use it.
    fn right(&self, namespace: &str, account: &str, name: &str) -> Result<Right, Self::Error>;

    /// The names that exist, as far as they are known.
    fn names(&self) -> Vec<String>;

    /// What becomes of the pods of a namespace that use a GMSA.
    fn fate(&self, _namespace: &str) -> Result<Fate, Self::Error> {
        Ok(Fate::Checked)
    }
}

/// The answer of admission to the creation of a pod.
#[derive(Clone, Debug)]
pub struct Walked {
    /// The decision of the last step.
    pub decision: Decision,
    /// What the mutating step filled in.
    pub operations: Vec<patch::Operation>,
}

/// Takes both steps. `pod` is the view of `object`.
pub fn walk<S: Source>(
    object: &Value,
    pod: &Pod<'_>,
    namespace: &str,
    source: &S,
) -> Result<Walked, S::Error> {
    if pod.references().next().is_some() {
        let fate = source.fate(namespace)?;
        if let Some(denial) = fate.denial(namespace) {
            let decision = Decision::deny(vec![denial]);
            return Ok(Walked { decision, operations: Vec::new() });
        }
        if let Some(words) = fate.not_sent(namespace) {
            return not_sent(fate, words, pod, namespace, source);
        }
        if fate == Fate::Unexpanded {
            let decision = decide(Step::Validate, pod, namespace, source)?;
            return Ok(Walked { decision, operations: Vec::new() });
        }
    }
    let decision = decide(Step::Mutate, pod, namespace, source)?;
    if pod.references().next().is_none() || !decision.is_allowed() {
        return Ok(Walked { decision, operations: Vec::new() });
    }
    let operations = decision.operations().to_vec();
    let mut object = object.clone();
    if let Some(spec) = object.get_mut("spec") {
        apply(spec, &operations);
    }
    let text = object.to_string();
    // It was read a moment ago.
    let Ok(pod) = serde_json::from_str::<Pod<'_>>(&text) else {
        return Ok(Walked { decision, operations });
    };
    Ok(Walked { decision: decide(Step::Validate, &pod, namespace, source)?, operations })
}

/// The answer to a pod about which the validating webhook is not asked: the guard, if there is one, sees
/// what the mutating webhook, if that is asked, made of it.
fn not_sent<S: Source>(
    fate: Fate,
    words: String,
    pod: &Pod<'_>,
    namespace: &str,
    source: &S,
) -> Result<Walked, S::Error> {
    let Fate::NotSent { guarded, expanded } = fate else {
        return Ok(Walked { decision: Decision::allow(), operations: Vec::new() });
    };
    let mut decision = Decision::allow();
    let mut operations = Vec::new();
    if expanded {
        decision = decide(Step::Mutate, pod, namespace, source)?;
        operations = decision.operations().to_vec();
    }
    if guarded && decision.is_allowed() {
        // Without an operation it is the pod itself.
        let asked = decide(Step::Validate, pod, namespace, source)?;
        let mut left = asked.denials().to_vec();
        left.retain(|denial| match denial.reason {
            Reason::ContentsWithoutName | Reason::NotAuthorized => true,
            Reason::NotExpanded => !expanded,
            _ => false,
        });
        decision = asked;
        decision.outcome =
            if left.is_empty() { Outcome::Allow(Vec::new()) } else { Outcome::Deny(left) };
    }
    let code = Code::GmsaInExcludedNamespace;
    decision.warnings.push(Finding { code, message: words, path: None });
    Ok(Walked { decision, operations })
}

/// The answer of one step to the creation of a pod.
pub fn decide<S: Source>(
    step: Step,
    pod: &Pod<'_>,
    namespace: &str,
    source: &S,
) -> Result<Decision, S::Error> {
    let judgement = match admission::plan(&Request::creation(step, namespace, pod)) {
        Plan::Decided(decision) => return Ok(decision),
        Plan::Judge(judgement) => judgement,
    };
    let mut found = Facts::new(judgement.names().len());
    loop {
        let questions = judgement.questions(&found);
        if questions.is_empty() {
            return Ok(admission::decide(&judgement, &found));
        }
        for question in questions {
            answer(&judgement, question, source, &mut found)?;
        }
    }
}

fn answer<S: Source>(
    judgement: &Judgement<'_>,
    question: Question<'_>,
    source: &S,
    found: &mut Facts,
) -> Result<(), S::Error> {
    let (namespace, account) = (judgement.namespace(), judgement.service_account());
    match question {
        Question::Spec { index, name } | Question::LiveSpec { index, name } => {
            found.set_spec(index, source.spec(name)?, true);
        }
        Question::Right { index, name } => {
            found.set_right(index, source.right(namespace, account, name)?);
        }
        Question::LowerCaseHint { name } | Question::CloseHint { name } => {
            let hint = match question.candidate(|| source.names()) {
                Some(Candidate::IfItExists(hint)) => source.spec(&hint)?.exists().then_some(hint),
                Some(Candidate::IfUsable(hint)) => {
                    let right = source.right(namespace, account, &hint)?;
                    (right == Right::Allowed).then_some(hint)
                }
                None => None,
            };
            found.set_hint(name, hint);
        }
    }
    Ok(())
}

/// What to do about a missing right to a credential spec that does not exist: a grant alone would lead to the
/// next denial.
#[must_use]
pub fn not_there(name: &str) -> String {
    format!(
        "The cluster has no {KIND} \"{}\": correct the name, or create it; then let an administrator grant the \
         right.",
        shown(name)
    )
}

/// Makes a stored pod as it was sent: without the contents that the mutating step filled in.
pub fn as_created(pod: &mut Value) {
    let strip = |object: &mut Value, at: &str| {
        let options = object.pointer_mut(at).and_then(Value::as_object_mut);
        if let Some(options) = options
            && options.contains_key("gmsaCredentialSpecName")
        {
            options.remove("gmsaCredentialSpec");
        }
    };
    strip(pod, "/spec/securityContext/windowsOptions");
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        let containers = pod.pointer_mut(&format!("/spec/{list}")).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            strip(container, "/securityContext/windowsOptions");
        }
    }
}

/// Fills in what the mutating step fills in, in the spec of a pod.
pub fn apply(spec: &mut Value, operations: &[patch::Operation]) {
    for operation in operations {
        let patch::Operation::Contents { kind, index, contents } = operation else { continue };
        let pointer = match kind.list() {
            None => "/securityContext/windowsOptions".to_owned(),
            Some(list) => format!("/{list}/{index}/securityContext/windowsOptions"),
        };
        if let Some(Value::Object(options)) = spec.pointer_mut(&pointer) {
            options.insert("gmsaCredentialSpec".to_owned(), json!(contents.json()));
        }
    }
}
