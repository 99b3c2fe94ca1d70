//! "Some role or binding changed": all that is kept of the four RBAC kinds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use kube::Client;
use kube::api::Api;
use kube::core::PartialObjectMeta;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::cache::staleness::LastActivity;
use crate::cache::watch::{self, Sink};

/// A watch that is resumed within this time after a clean end has missed nothing that matters:
/// the events of the gap arrive at once.
const SHORT_GAP: Duration = Duration::from_millis(500);

/// The combined state of the four watches.
pub(crate) struct Changes {
    generation: AtomicU64,
    last: Mutex<Instant>,
    kinds: [Kind; 4],
}

struct Kind {
    /// Whether a watch is open.
    open: AtomicBool,
    activity: LastActivity,
    ended: Mutex<Option<Instant>>,
}

impl Changes {
    pub(crate) fn new() -> Self {
        let kind = || Kind {
            open: AtomicBool::new(false),
            activity: LastActivity::new(),
            ended: Mutex::new(None),
        };
        Self {
            generation: AtomicU64::new(0),
            last: Mutex::new(Instant::now()),
            kinds: [kind(), kind(), kind(), kind()],
        }
    }

    /// Changes with every event.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// How long ago the last event was.
    pub(crate) fn quiet_for(&self) -> Duration {
        self.last.lock().elapsed()
    }

    /// Whether all four watches would report a change now.
    pub(crate) fn are_watched(&self, now: Instant) -> bool {
        self.kinds
            .iter()
            .all(|kind| kind.open.load(Ordering::Acquire) && kind.activity.is_current(now))
    }

    /// Takes down that something changed, or may have.
    pub(crate) fn note(&self) {
        // First the time: who sees the new generation must not see the old time.
        *self.last.lock() = Instant::now();
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    #[cfg(test)]
    pub(crate) fn watch_all(&self) {
        for kind in &self.kinds {
            kind.open.store(true, Ordering::Release);
            kind.activity.record();
        }
    }

    #[cfg(test)]
    pub(crate) fn break_one(&self) {
        for kind in self.kinds.iter().take(1) {
            kind.open.store(false, Ordering::Release);
        }
    }
}

/// Watches the metadata of the four kinds for as long as it is polled.
pub(crate) async fn run(client: Client, changes: Arc<Changes>) {
    let sink = |index, what| KindSink { changes: Arc::clone(&changes), index, what };
    let (roles, cluster_roles) = (sink(0, "roles"), sink(1, "clusterroles"));
    let (bindings, cluster_bindings) = (sink(2, "rolebindings"), sink(3, "clusterrolebindings"));
    tokio::join!(
        watch::run::<PartialObjectMeta<Role>, _>(Api::all(client.clone()), &roles),
        watch::run::<PartialObjectMeta<ClusterRole>, _>(Api::all(client.clone()), &cluster_roles),
        watch::run::<PartialObjectMeta<RoleBinding>, _>(Api::all(client.clone()), &bindings),
        watch::run::<PartialObjectMeta<ClusterRoleBinding>, _>(Api::all(client), &cluster_bindings),
    );
}

struct KindSink {
    changes: Arc<Changes>,
    index: usize,
    what: &'static str,
}

impl KindSink {
    fn kind(&self) -> Option<&Kind> {
        self.changes.kinds.get(self.index)
    }

    fn close(&self, clean: bool) {
        let Some(kind) = self.kind() else { return };
        kind.open.store(false, Ordering::Release);
        *kind.ended.lock() = clean.then(Instant::now);
    }
}

impl<K: Send + 'static> Sink<K> for KindSink {
    fn what(&self) -> &'static str {
        self.what
    }

    fn list_begins(&self) {
        self.changes.note();
    }

    fn listed(&self, _object: K) {}

    fn list_ends(&self) {
        self.changes.note();
    }

    fn applied(&self, _object: K) {
        self.changes.note();
        if let Some(kind) = self.kind() {
            kind.activity.record();
        }
    }

    fn deleted(&self, object: K) {
        Sink::<K>::applied(self, object);
    }

    fn alive(&self) {
        let Some(kind) = self.kind() else { return };
        if !kind.open.load(Ordering::Acquire) {
            let gap = kind.ended.lock().take().map(|ended| ended.elapsed());
            if gap.is_none_or(|gap| gap > SHORT_GAP) {
                self.changes.note();
            }
            kind.open.store(true, Ordering::Release);
        }
        kind.activity.record();
    }

    fn ended(&self, clean: bool) {
        self.close(clean);
    }

    fn forbidden(&self, first: bool) {
        self.close(false);
        if first {
            tracing::warn!(
                what = self.what,
                "not allowed to list and watch: granted rights are not remembered, every pod that \
                 uses a GMSA costs an access review"
            );
        }
    }
}
