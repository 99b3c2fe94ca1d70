//! The watched store of credential specs: each one's JSON, ready to be inlined.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gmsa_core::admission::SpecFact;
use gmsa_core::credspec::Prepared;
use kube::api::DynamicObject;
use parking_lot::{Mutex, RwLock};
use tokio::time::Instant;

use crate::cache::staleness::LastActivity;
use crate::cache::watch::Sink;

/// A credential spec as it is kept; `None` is one without contents.
type Entry = Option<Arc<Prepared>>;
type Entries = HashMap<Box<str>, Entry>;

/// The store. Readers never wait for a list: a new list is built aside and swapped in.
pub(crate) struct CredentialSpecs {
    entries: RwLock<Entries>,
    building: Mutex<Entries>,
    activity: LastActivity,
    synced: AtomicBool,
    forbidden: AtomicBool,
}

impl CredentialSpecs {
    pub(crate) fn new() -> Self {
        Self {
            entries: RwLock::default(),
            building: Mutex::default(),
            activity: LastActivity::new(),
            synced: AtomicBool::new(false),
            forbidden: AtomicBool::new(false),
        }
    }

    /// What is known of a name, however old; none before the first list.
    pub(crate) fn last_known(&self, name: &str) -> Option<SpecFact> {
        if !self.synced.load(Ordering::Acquire) {
            return None;
        }
        Some(match self.entries.read().get(name) {
            Some(Some(prepared)) => SpecFact::Found(Arc::clone(prepared)),
            Some(None) => SpecFact::Empty,
            None => SpecFact::Absent,
        })
    }

    /// What is known of a name, if the store is current.
    pub(crate) fn current(&self, name: &str, now: Instant) -> Option<SpecFact> {
        self.activity.is_current(now).then(|| self.last_known(name)).flatten()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.entries.read().keys().map(ToString::to_string).collect();
        names.sort_unstable();
        names
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.read().len()
    }

    pub(crate) fn is_synced(&self) -> bool {
        self.synced.load(Ordering::Acquire)
    }

    pub(crate) fn is_forbidden(&self) -> bool {
        self.forbidden.load(Ordering::Acquire)
    }

    pub(crate) fn activity(&self) -> &LastActivity {
        &self.activity
    }
}

impl Sink<DynamicObject> for CredentialSpecs {
    fn what(&self) -> &'static str {
        "gmsacredentialspecs"
    }

    fn list_begins(&self) {
        *self.building.lock() = Entries::new();
    }

    fn listed(&self, object: DynamicObject) {
        let (name, entry) = to_entry(object);
        self.building.lock().insert(name, entry);
    }

    fn list_ends(&self) {
        let mut built = std::mem::take(&mut *self.building.lock());
        built.shrink_to_fit();
        let count = built.len();
        let old = std::mem::replace(&mut *self.entries.write(), built);
        drop(old);
        self.activity.record();
        self.forbidden.store(false, Ordering::Release);
        if !self.synced.swap(true, Ordering::AcqRel) {
            tracing::info!(count, "the store of credential specs is in sync");
        }
    }

    fn applied(&self, object: DynamicObject) {
        let (name, entry) = to_entry(object);
        self.entries.write().insert(name, entry);
        self.activity.record();
    }

    fn deleted(&self, object: DynamicObject) {
        if let Some(name) = object.metadata.name {
            self.entries.write().remove(name.as_str());
        }
        self.activity.record();
    }

    fn alive(&self) {
        self.activity.record();
    }

    fn ended(&self, _clean: bool) {}

    fn forbidden(&self, first: bool) {
        self.activity.clear();
        self.forbidden.store(true, Ordering::Release);
        if first {
            tracing::warn!(
                "not allowed to list and watch gmsacredentialspecs: every pod that uses a GMSA \
                 costs a live read; grant list and watch to make it faster"
            );
        }
    }
}

/// Prepares the contents of a resource.
pub(crate) fn prepare(object: DynamicObject) -> Entry {
    let name = object.metadata.name.unwrap_or_default();
    Prepared::from_object(&name, &object.data).map(Arc::new)
}

fn to_entry(object: DynamicObject) -> (Box<str>, Entry) {
    let name = object.metadata.name.clone().unwrap_or_default().into_boxed_str();
    (name, prepare(object))
}
