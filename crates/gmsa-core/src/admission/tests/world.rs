//! A world in memory that answers the questions of a judgement.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::admission::{
    Candidate, Decision, Facts, Failure, Plan, Question, Reason, Request, Right, SpecFact, Step,
    decide, patch, plan,
};
use crate::credspec::Prepared;
use crate::pod::Pod;

/// What exists, and what the service account may use.
#[derive(Default)]
pub(super) struct World {
    pub(super) specs: BTreeMap<&'static str, Value>,
    /// The store's content, if it lags behind `specs`.
    pub(super) store: BTreeMap<&'static str, Value>,
    pub(super) rights: BTreeSet<&'static str>,
    pub(super) failing: bool,
    pub(super) timed_out: bool,
}

pub(super) fn contents(account: &str) -> Value {
    json!({
        "ActiveDirectoryConfig": {"GroupManagedServiceAccounts": [
            {"Name": account, "Scope": "CONTOSO"}, {"Name": account, "Scope": "contoso.com"}]},
        "CmsPlugins": ["ActiveDirectory"],
        "DomainJoinConfig": {"DnsName": "contoso.com", "DnsTreeName": "contoso.com",
            "Guid": "244818ae-87ac-4fcd-92ec-e79e5252348a", "MachineAccountName": account,
            "NetBiosName": "CONTOSO", "Sid": "S-1-5-21-2126449477-2524075714-3094792973"},
    })
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            specs: BTreeMap::from([("web", contents("Web")), ("sql", contents("Sql"))]),
            rights: BTreeSet::from(["web", "sql"]),
            ..Self::default()
        }
    }

    pub(super) fn fact(of: &BTreeMap<&'static str, Value>, name: &str) -> SpecFact {
        of.get(name).map_or(SpecFact::Absent, |credspec| {
            Prepared::from_object(name, &json!({ "credspec": credspec }))
                .map_or(SpecFact::Empty, |prepared| SpecFact::Found(Arc::new(prepared)))
        })
    }

    pub(super) fn failure(&self) -> Option<Failure> {
        self.failing.then(|| Failure {
            timed_out: self.timed_out,
            message: "failed to reach the API server".to_owned(),
        })
    }

    /// Answers every question until none is left, and counts the rounds.
    pub(super) fn judge(&self, request: &Request<'_>) -> (Decision, usize) {
        let judgement = match plan(request) {
            Plan::Decided(decision) => return (decision, 0),
            Plan::Judge(judgement) => judgement,
        };
        let mut facts = Facts::new(judgement.names().len());
        for round in 0.. {
            assert!(round < 8, "questions without end");
            let questions = judgement.questions(&facts);
            if questions.is_empty() {
                return (decide(&judgement, &facts), round);
            }
            for question in questions {
                self.answer(question, &mut facts);
            }
        }
        panic!("the loop has no end")
    }

    pub(super) fn answer(&self, question: Question<'_>, facts: &mut Facts) {
        match question {
            Question::Spec { index, name } if self.store.contains_key(name) => {
                facts.set_spec(index, Self::fact(&self.store, name), false);
            }
            Question::Spec { index, name } | Question::LiveSpec { index, name } => {
                let live = matches!(question, Question::LiveSpec { .. });
                let fact = match self.failure() {
                    Some(failure) if live => SpecFact::Unknown(failure),
                    _ => Self::fact(&self.specs, name),
                };
                facts.set_spec(index, fact, live);
            }
            Question::Right { index, name } => {
                let right = match self.failure() {
                    Some(failure) => Right::Unknown(failure),
                    None if self.rights.contains(name) => Right::Allowed,
                    None => Right::Denied,
                };
                facts.set_right(index, right);
            }
            Question::LowerCaseHint { name } | Question::CloseHint { name } => {
                let names = || self.specs.keys().map(ToString::to_string).collect();
                let hint = match question.candidate(names) {
                    Some(Candidate::IfItExists(hint)) => {
                        self.specs.contains_key(hint.as_str()).then_some(hint)
                    }
                    Some(Candidate::IfUsable(hint)) => {
                        self.rights.contains(hint.as_str()).then_some(hint)
                    }
                    None => None,
                };
                facts.set_hint(name, hint);
            }
        }
    }

    pub(super) fn create(&self, step: Step, pod: &Value) -> Decision {
        let text = pod.to_string();
        let pod: Pod<'_> = serde_json::from_str(&text).unwrap();
        self.judge(&request(step, &pod)).0
    }

    /// Mutates, applies the patch, validates, as the API server does.
    pub(super) fn admit(&self, pod: &Value) -> (Value, Decision) {
        let mutation = self.create(Step::Mutate, pod);
        let mut patched = pod.clone();
        let json = patch::to_json(mutation.operations());
        let patch: json_patch::Patch = serde_json::from_str(&json).unwrap();
        json_patch::patch(&mut patched, &patch).unwrap();
        let validation = self.create(Step::Validate, &patched);
        (patched, validation)
    }
}

pub(super) fn request<'a>(step: Step, pod: &'a Pod<'a>) -> Request<'a> {
    Request::creation(step, "shop", pod)
}

pub(super) fn options(name: Option<&str>, contents: Option<&str>) -> Value {
    json!({"windowsOptions": {"gmsaCredentialSpecName": name, "gmsaCredentialSpec": contents}})
}

pub(super) fn pod(name: Option<&str>, contents: Option<&str>) -> Value {
    json!({"metadata": {"name": "front"}, "spec": {"serviceAccountName": "sa",
        "nodeSelector": {"kubernetes.io/os": "windows"},
        "securityContext": options(name, contents), "containers": [{"name": "iis"}]}})
}

pub(super) fn push(list: &mut Value, item: Value) {
    list.as_array_mut().unwrap().push(item);
}

pub(super) fn reasons(decision: &Decision) -> Vec<Reason> {
    decision.denials().iter().map(|denial| denial.reason).collect()
}

pub(super) fn only_message(decision: &Decision) -> &str {
    match decision.denials() {
        [only] => &only.message,
        other => panic!("expected one denial, got {other:?}"),
    }
}
