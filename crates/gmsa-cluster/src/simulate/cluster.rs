//! What is known of credential specs and rights; rights are asked for when they are first needed.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::Arc;

use gmsa_core::admission::{Decision, Right, SpecFact, Step};
use gmsa_core::credspec::Prepared;
use gmsa_core::pod::Pod;
use kube::Client;
use parking_lot::Mutex;
use serde_json::Value;

use super::{Source, Walked, decide, walk};
use crate::acting::Fate;
use crate::api::access_review::reviews;

/// A right could not be asked for.
#[derive(Debug, thiserror::Error)]
#[error("{0}; the audit needs the right to create localsubjectaccessreviews")]
pub struct RightUnknown(String);

/// A use of a credential spec: namespace, service account, name.
type Use = [String; 3];

/// What a cluster knows of credential specs and rights; rights are asked for when they are needed.
pub struct Simulator {
    client: Client,
    specs: BTreeMap<String, SpecFact>,
    /// Whether each of them may.
    rights: BTreeMap<Use, bool>,
    /// What was asked for and is not known yet.
    missing: Mutex<BTreeSet<Use>>,
    /// What becomes of the pods of namespaces that are not simply checked.
    fates: BTreeMap<String, Fate>,
}

impl Simulator {
    /// With these credential specs, by their names.
    #[must_use]
    pub fn new(client: Client, specs: &BTreeMap<String, Value>) -> Self {
        let fact = |(name, object): (&String, &Value)| {
            let fact = match Prepared::from_object(name, object) {
                Some(prepared) => SpecFact::Found(Arc::new(prepared)),
                None => SpecFact::Empty,
            };
            (name.clone(), fact)
        };
        let specs = specs.iter().map(fact).collect();
        let (rights, missing, fates) = (BTreeMap::new(), Mutex::default(), BTreeMap::new());
        Self { client, specs, rights, missing, fates }
    }

    /// The same, with what becomes of the pods of a namespace.
    #[must_use]
    pub fn with_fate(mut self, namespace: &str, fate: Fate) -> Self {
        self.fates.insert(namespace.to_owned(), fate);
        self
    }

    /// Whether there is a credential spec of that name.
    #[must_use]
    pub fn exists(&self, name: &str) -> bool {
        self.specs.contains_key(name)
    }

    /// Both steps of a creation.
    pub async fn walk(
        &mut self,
        object: &Value,
        pod: &Pod<'_>,
        namespace: &str,
    ) -> Result<Walked, RightUnknown> {
        loop {
            let Ok(walked) = walk(object, pod, namespace, self);
            if !self.settle().await? {
                return Ok(walked);
            }
        }
    }

    /// The validating step alone, for a pod that is already stored.
    pub async fn validate(
        &mut self,
        pod: &Pod<'_>,
        namespace: &str,
    ) -> Result<Decision, RightUnknown> {
        loop {
            let Ok(decision) = decide(Step::Validate, pod, namespace, self);
            if !self.settle().await? {
                return Ok(decision);
            }
        }
    }

    /// Asks for missing facts. True if any were missing: then the decision made without them does not
    /// count and must be judged again.
    async fn settle(&mut self) -> Result<bool, RightUnknown> {
        let missing = std::mem::take(&mut *self.missing.lock());
        let asked_any = !missing.is_empty();
        self.rights.extend(reviews(&self.client, missing).await.map_err(RightUnknown)?);
        Ok(asked_any)
    }
}

impl Source for Simulator {
    type Error = Infallible;

    fn spec(&self, name: &str) -> Result<SpecFact, Infallible> {
        Ok(self.specs.get(name).cloned().unwrap_or(SpecFact::Absent))
    }

    fn right(&self, namespace: &str, account: &str, name: &str) -> Result<Right, Infallible> {
        let one = [namespace, account, name].map(str::to_owned);
        Ok(match self.rights.get(&one) {
            Some(true) => Right::Allowed,
            Some(false) => Right::Denied,
            None => {
                self.missing.lock().insert(one);
                Right::Denied
            }
        })
    }

    fn names(&self) -> Vec<String> {
        self.specs.keys().cloned().collect()
    }

    fn fate(&self, namespace: &str) -> Result<Fate, Infallible> {
        Ok(self.fates.get(namespace).copied().unwrap_or(Fate::Checked))
    }
}
