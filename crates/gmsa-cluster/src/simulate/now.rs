//! Admission of one pod with the current facts of the cluster.

use std::collections::BTreeMap;

use gmsa_core::admission::{Decision, Step};
use gmsa_core::pod::Pod;
use kube::Client;
use serde_json::Value;

use super::facts::{Known, RightUnknown};
use super::{Walked, decide, walk};

/// What a cluster knows of credential specs and rights; rights are asked for when they are needed.
pub struct Now {
    known: Known,
}

impl Now {
    /// With these credential specs, by their names.
    #[must_use]
    pub fn new(client: Client, specs: &BTreeMap<String, Value>) -> Self {
        Self { known: Known::new(client, specs) }
    }

    /// Both steps of a creation.
    pub async fn walk(
        &mut self,
        object: &Value,
        pod: &Pod<'_>,
        namespace: &str,
    ) -> Result<Walked, RightUnknown> {
        loop {
            let Ok(walked) = walk(object, pod, namespace, &self.known);
            if !self.known.settle().await? {
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
            let Ok(decision) = decide(Step::Validate, pod, namespace, &self.known);
            if !self.known.settle().await? {
                return Ok(decision);
            }
        }
    }
}
