//! `--store DIR`: credential specs, roles and bindings from manifests, re-read when they change.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use gmsa_cluster::manifests::{Input, ManifestSet, Manifests, Text, UnreadableFile, texts};
use gmsa_core::admission::{Right, SpecFact};
use gmsa_core::credspec::Prepared;
use gmsa_core::rbac::Policy;

/// How often the directory is read.
const PERIOD: Duration = Duration::from_secs(1);

/// The namespace of a namespaced object that names none.
const DEFAULT_NAMESPACE: &str = "default";

/// Why a directory cannot serve as the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] UnreadableFile),
    /// Something in it cannot be understood.
    #[error("{0}; correct it: what is not understood may be a right that was meant")]
    Content(String),
}

/// The facts of a directory of manifests.
#[derive(Clone)]
pub struct StoreDir {
    directory: PathBuf,
    facts: Arc<ArcSwap<Facts>>,
}

#[derive(Default)]
struct Facts {
    specs: BTreeMap<String, Option<Arc<Prepared>>>,
    policy: Policy,
    /// What was not a Kubernetes object, in words.
    passed_over: Vec<String>,
    /// A digest of the texts.
    read: u64,
}

impl StoreDir {
    /// Reads the directory.
    pub fn open(directory: PathBuf) -> Result<Self, Error> {
        let store = Self { directory, facts: Arc::default() };
        store.reload(&mut 0)?;
        Ok(store)
    }

    /// The facts of one text of manifests, which never change.
    pub fn from_manifests(text: &str) -> Result<Self, Error> {
        let mut manifests = Manifests::default();
        manifests.add_text("-", text);
        let facts = Arc::new(ArcSwap::from_pointee(facts(&manifests)?));
        Ok(Self { directory: PathBuf::new(), facts })
    }

    /// Reads the directory periodically. An unusable state is logged once, and the last good one
    /// stays in use.
    pub async fn watch(self) {
        let mut seen = self.facts.load().read;
        let mut logged = None;
        loop {
            tokio::time::sleep(PERIOD).await;
            let store = self.clone();
            // Answers do not wait while many manifests are read.
            let reading = tokio::task::spawn_blocking(move || {
                let reloaded = store.reload(&mut seen);
                (seen, reloaded)
            });
            let Ok((now, reloaded)) = reading.await else { continue };
            seen = now;
            match reloaded {
                Ok(changed) => {
                    logged = None;
                    if changed {
                        tracing::info!(credential_specs = self.known(), "read the store again");
                    }
                }
                Err(error) => {
                    let words = error.to_string();
                    if logged.as_ref() != Some(&words) {
                        tracing::error!(error = %words, "kept the last good store");
                        logged = Some(words);
                    }
                }
            }
        }
    }

    /// Whether the texts differ from those of the digest, which becomes theirs. They are parsed only then,
    /// because that takes long.
    fn reload(&self, seen: &mut u64) -> Result<bool, Error> {
        let texts = texts(&Input::Path(self.directory.clone()))?;
        let read = digest(&texts);
        if read == *seen {
            return Ok(false);
        }
        *seen = read;
        let mut manifests = Manifests::default();
        for Text { name, text } in &texts {
            manifests.add_text(name, text);
        }
        let new = Facts { read, ..facts(&manifests)? };
        for words in &new.passed_over {
            tracing::warn!("{words}");
        }
        self.facts.store(Arc::new(new));
        Ok(true)
    }

    /// How many credential specs there are.
    #[must_use]
    pub fn known(&self) -> usize {
        self.facts.load().specs.len()
    }

    pub(super) fn spec(&self, name: &str) -> SpecFact {
        match self.facts.load().specs.get(name) {
            Some(Some(prepared)) => SpecFact::Found(Arc::clone(prepared)),
            Some(None) => SpecFact::Empty,
            None => SpecFact::Absent,
        }
    }

    pub(super) fn right(&self, namespace: &str, account: &str, name: &str) -> Right {
        if self.facts.load().policy.may_use(namespace, account, name) {
            Right::Allowed
        } else {
            Right::Denied
        }
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.facts.load().specs.keys().cloned().collect()
    }
}

fn facts(manifests: &Manifests) -> Result<Facts, Error> {
    if let Some(unreadable) = manifests.unreadable.first() {
        return Err(Error::Content(unreadable.to_string()));
    }
    let set = ManifestSet::new(&manifests.documents, DEFAULT_NAMESPACE);
    if let Some(problem) = set.problems.first() {
        return Err(Error::Content(problem.to_string()));
    }
    let specs = set
        .credential_specs
        .iter()
        .filter(|(_, spec)| spec.is_served())
        .map(|(name, spec)| (name.clone(), Prepared::from_object(name, &spec.object).map(Arc::new)))
        .collect();
    let passed_over = manifests.passed_over.iter().chain(set.passed_over.values());
    let passed_over: Vec<String> = passed_over.map(ToString::to_string).collect();
    Ok(Facts { specs, policy: set.policy, passed_over, read: 0 })
}

fn digest(texts: &[Text]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for Text { name, text } in texts {
        (name, text).hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests;
