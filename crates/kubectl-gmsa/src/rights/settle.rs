//! Brings one object into the wanted state, despite concurrent writers.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use gmsa_cluster::api::Error;
use gmsa_cluster::api::objects::{Objects, Reference};
use serde_json::Value;

use crate::failure::Failure;

/// When a change is tried again after another writer came first.
const TRIES: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(15))
    .with_max_delay(Duration::from_millis(250))
    .with_jitter()
    .with_max_times(20);

/// What is to be done to an object.
#[derive(Debug)]
pub enum Step {
    /// It is already in the wanted state.
    Nothing,
    /// It does not exist.
    Create(Value),
    /// It becomes this one.
    Replace(Value),
    /// Deletes it, if it is still the one that was read.
    Delete,
}

/// What was done, and the object as it is now.
#[derive(Debug)]
pub enum Done {
    /// Nothing; the object that is there, if one is.
    Unchanged(Option<Value>),
    /// It was created.
    Created(Value),
    /// It was changed.
    Changed(Value),
    /// It was deleted.
    Deleted,
}

impl Done {
    /// The object as it is now.
    pub fn into_object(self) -> Option<Value> {
        match self {
            Self::Unchanged(object) => object,
            Self::Created(object) | Self::Changed(object) => Some(object),
            Self::Deleted => None,
        }
    }

    /// What was done in one word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unchanged(_) => "unchanged",
            Self::Created(_) => "created",
            Self::Changed(_) => "changed",
            Self::Deleted => "deleted",
        }
    }
}

/// Reads the object, decides, and does it. When another writer was faster it starts again with what
/// that one left.
pub async fn settle(
    objects: &Objects,
    of: &Reference,
    decide: impl Fn(Option<&Value>) -> Result<Step, Failure>,
) -> Result<Done, Failure> {
    let mut pauses = TRIES.build();
    loop {
        let found = objects.get(of).await?;
        let done = match (decide(found.as_ref())?, &found) {
            (Step::Create(object), _) => objects.create(of, &object).await.map(Done::Created),
            (Step::Replace(object), _) => objects.replace(of, &object).await.map(Done::Changed),
            (Step::Delete, Some(object)) => {
                objects.delete(of, object).await.map(|()| Done::Deleted)
            }
            (Step::Nothing, _) | (Step::Delete, None) => return Ok(Done::Unchanged(found)),
        };
        let error = match done {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        match pauses.next().filter(|_| again(&error, found.is_some())) {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return Err(refused(&error)),
        }
    }
}

/// Whether it was a conflict, or the object is gone since it was read.
fn again(error: &Error, found: bool) -> bool {
    error.is_conflict() || (error.code() == Some(404) && found)
}

/// What to do about a refusal.
fn refused(error: &Error) -> Failure {
    let hint = match error.code() {
        Some(403) if error.to_string().contains("being terminated") => {
            "; nothing can be created in a namespace that is being deleted: wait until it is gone, and \
             create it again"
        }
        Some(403) => {
            "; to change it you need that right on clusterroles and rolebindings, and either the \
             right to `use` the credential spec yourself or the verbs `escalate` and `bind` on \
             clusterroles; --dry-run=client -o yaml prints the objects for a user who has them"
        }
        Some(404) => "; create the namespace first",
        Some(409) => "; another writer keeps changing it: try again",
        _ => "",
    };
    Failure::Cluster(format!("{error}{hint}"))
}
