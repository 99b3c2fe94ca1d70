//! The credential specs that the index is made of: those that are stored, and those that are being
//! created.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use gmsa_core::index::{Index, Spec, build};
use kube::api::DynamicObject;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::stored::Version;
use crate::cache::watch::Sink;

/// How long a credential spec may take from its admission until the watch shows it. What is not stored
/// by then was refused by another.
const EARLY_FOR: Duration = Duration::from_secs(5);

/// What is known of the credential specs.
pub(super) struct Known {
    inner: Mutex<Inner>,
    changed: Arc<Notify>,
}

#[derive(Default)]
struct Inner {
    specs: HashMap<String, Spec>,
    building: HashMap<String, Spec>,
    /// What is being created, by this replica's word or another's.
    early: HashMap<String, Early>,
    has_list: bool,
    /// The resource version up to which everything was seen; 0 if it is not a number.
    seen: u64,
    /// Counts the changes.
    generation: u64,
    /// When the oldest change came that is not in the index.
    waiting: Option<Instant>,
    /// When the first one came after the last snapshot.
    newer: Option<Instant>,
}

struct Early {
    spec: Spec,
    until: Instant,
    /// Whether another replica put it there.
    adopted: bool,
}

/// The index at one moment.
pub(super) struct Snapshot {
    pub(super) index: Index,
    pub(super) generation: u64,
    pub(super) seen: u64,
    /// The names in it that are not stored yet.
    pub(super) early: Vec<String>,
}

impl Inner {
    fn changes(&mut self) {
        self.generation += 1;
        let now = Instant::now();
        self.waiting.get_or_insert(now);
        self.newer.get_or_insert(now);
    }
}

impl Known {
    pub(super) fn new(changed: Arc<Notify>) -> Self {
        Self { inner: Mutex::default(), changed }
    }

    /// The index of what is known; none before the first list.
    pub(super) fn snapshot(&self) -> Option<Snapshot> {
        let mut inner = self.inner.lock();
        if !inner.has_list {
            return None;
        }
        let now = Instant::now();
        let before = inner.early.len();
        inner.early.retain(|_, early| early.until > now);
        if inner.early.len() < before {
            inner.changes();
        }
        inner.newer = None;
        let Inner { specs, early, generation, seen, .. } = &*inner;
        let early: Vec<(&String, &Early)> =
            early.iter().filter(|(name, _)| !specs.contains_key(*name)).collect();
        let all = specs.iter().map(|(name, spec)| (name.as_str(), spec));
        let not_yet = early.iter().map(|(name, early)| (name.as_str(), &early.spec));
        let index = build(all.chain(not_yet));
        let mut early: Vec<String> = early.iter().map(|(name, _)| (*name).clone()).collect();
        early.sort_unstable();
        Some(Snapshot { index, generation: *generation, seen: *seen, early })
    }

    /// Everything up to this change is in the index. Returns for how long the oldest one waited.
    pub(super) fn done(&self, generation: u64) -> Option<Duration> {
        let mut inner = self.inner.lock();
        let waited = inner.waiting.map(|since| since.elapsed());
        inner.waiting = if inner.generation > generation { inner.newer } else { None };
        waited
    }

    /// For how long a change has been waiting.
    pub(super) fn behind(&self) -> Duration {
        self.inner.lock().waiting.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Notes a credential spec that is being created. Returns the change to wait for; none if it is
    /// known already, or if nothing is known yet.
    pub(super) fn early(&self, name: &str, spec: Spec) -> Option<u64> {
        let mut inner = self.inner.lock();
        if !inner.has_list || inner.specs.contains_key(name) {
            return None;
        }
        let until = Instant::now() + EARLY_FOR;
        inner.early.insert(name.to_owned(), Early { spec, until, adopted: false });
        inner.changes();
        let generation = inner.generation;
        drop(inner);
        self.changed.notify_one();
        Some(generation)
    }

    /// Takes over what another replica put into the index early, and drops what it took out again.
    pub(super) fn adopt(&self, version: Option<&Version>) {
        let Some(version) = version.filter(|version| !version.own) else { return };
        let mut inner = self.inner.lock();
        let before = inner.early.len();
        inner.early.retain(|name, early| !early.adopted || version.early.contains(name));
        let mut changes = inner.early.len() < before;
        let until = version.since + EARLY_FOR;
        for name in version.early.iter().filter(|_| until > Instant::now()) {
            if inner.specs.contains_key(name) || inner.early.contains_key(name) {
                continue;
            }
            let Some(contents) = version.index.contents(name) else { continue };
            let contents: Value =
                contents.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
            // Behind those that are stored, whose times are in the past.
            let object = json!({"metadata": {"creationTimestamp": "9"}, "credspec": contents});
            let early = Early { spec: Spec::of(&object), until, adopted: true };
            inner.early.insert(name.clone(), early);
            changes = true;
        }
        if changes {
            inner.changes();
        }
    }

    /// Whether a request waits for the index.
    pub(super) fn is_urgent(&self) -> bool {
        let inner = self.inner.lock();
        let waits =
            |(name, early): (&String, &Early)| !early.adopted && !inner.specs.contains_key(name);
        inner.waiting.is_some() && inner.early.iter().any(waits)
    }

    /// When the next early entry is to be taken out again.
    pub(super) fn expiry(&self) -> Option<Duration> {
        let inner = self.inner.lock();
        let next = inner.early.values().map(|early| early.until).min()?;
        Some(next.saturating_duration_since(Instant::now()) + Duration::from_millis(1))
    }

    fn change(&self, change: impl FnOnce(&mut Inner)) {
        let mut inner = self.inner.lock();
        change(&mut inner);
        inner.changes();
        drop(inner);
        self.changed.notify_one();
    }
}

fn prepared(object: DynamicObject) -> (String, Spec) {
    let name = object.metadata.name.clone().unwrap_or_default();
    let object = serde_json::to_value(object).unwrap_or_default();
    (name, Spec::of(&object))
}

impl Sink<DynamicObject> for Known {
    fn what(&self) -> &'static str {
        "gmsacredentialspecs for the index"
    }

    fn list_begins(&self) {
        self.inner.lock().building.clear();
    }

    fn listed(&self, object: DynamicObject) {
        let (name, spec) = prepared(object);
        self.inner.lock().building.insert(name, spec);
    }

    fn list_ends(&self) {
        self.change(|inner| {
            inner.specs = std::mem::take(&mut inner.building);
            inner.has_list = true;
        });
    }

    fn applied(&self, object: DynamicObject) {
        let (name, spec) = prepared(object);
        self.change(|inner| {
            inner.early.remove(&name);
            inner.specs.insert(name, spec);
        });
    }

    fn deleted(&self, object: DynamicObject) {
        let name = object.metadata.name.unwrap_or_default();
        self.change(|inner| {
            inner.early.remove(&name);
            inner.specs.remove(&name);
        });
    }

    fn alive(&self) {}

    fn ended(&self, _clean: bool) {}

    fn forbidden(&self, first: bool) {
        if first {
            tracing::warn!(
                "not allowed to list and watch gmsacredentialspecs: the index is not kept; grant list and \
                 watch"
            );
        }
    }

    fn version(&self, version: &str) {
        self.inner.lock().seen = version.parse().unwrap_or_default();
    }
}
