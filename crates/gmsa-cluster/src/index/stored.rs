//! The index that is in the cluster, as it was last seen.

use std::sync::Arc;

use gmsa_core::index::Index;
use gmsa_core::names::{INDEX, INDEX_EARLY, INDEX_LEFT_OUT, INDEX_SEEN, NAME, PART_OF};
use gmsa_core::printable::listed;
use kube::api::DynamicObject;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::api::value::text;
use crate::cache::watch::Sink;

/// How many names an annotation has at most.
const NAMES: usize = 20;

/// A version of the object.
#[expect(clippy::struct_field_names, reason = "they are the names of Kubernetes")]
pub(super) struct Version {
    pub(super) index: Index,
    /// What its writer had seen of the credential specs; 0 if that is not known.
    pub(super) seen: u64,
    /// What its writer put into it before it was stored.
    pub(super) early: Vec<String>,
    left_out: String,
    resource_version: String,
    /// The resource version as a number; 0 if it is none.
    pub(super) version: u64,
    /// When it was first seen here.
    pub(super) since: Instant,
    /// Whether this replica wrote it.
    pub(super) own: bool,
}

impl Version {
    /// What is to be written.
    pub(super) fn new(index: Index, seen: u64, early: Vec<String>) -> Self {
        Self {
            left_out: shown_names(&index.left_out),
            index,
            seen,
            early,
            resource_version: String::new(),
            version: 0,
            since: Instant::now(),
            own: true,
        }
    }

    /// The same under the resource version of the API server's answer.
    pub(super) fn stored_as(self, answer: &Value) -> Self {
        let resource_version = text(answer, "/metadata/resourceVersion").to_owned();
        let version = resource_version.parse().unwrap_or_default();
        Self { resource_version, version, since: Instant::now(), ..self }
    }

    pub(super) fn read(object: &DynamicObject) -> Self {
        let annotation = |key: &str| {
            let annotations = object.metadata.annotations.as_ref();
            annotations.and_then(|all| all.get(key)).cloned().unwrap_or_default()
        };
        let early = annotation(INDEX_EARLY);
        let resource_version = object.metadata.resource_version.clone().unwrap_or_default();
        Self {
            index: Index::read(&object.data),
            seen: annotation(INDEX_SEEN).parse().unwrap_or_default(),
            early: early.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
            left_out: annotation(INDEX_LEFT_OUT),
            version: resource_version.parse().unwrap_or_default(),
            resource_version,
            since: Instant::now(),
            own: false,
        }
    }

    /// The object to send, in place of the version that is stored.
    pub(super) fn object(&self, stored: Option<&Self>) -> Value {
        let mut annotations = json!({INDEX_SEEN: self.seen.to_string()});
        if let Some(annotations) = annotations.as_object_mut() {
            if !self.early.is_empty() {
                annotations.insert(INDEX_EARLY.to_owned(), json!(self.early.join(",")));
            }
            if !self.left_out.is_empty() {
                annotations.insert(INDEX_LEFT_OUT.to_owned(), json!(self.left_out));
            }
        }
        let mut metadata = json!({
            "name": INDEX,
            "labels": {"app.kubernetes.io/name": NAME, PART_OF.0: PART_OF.1},
            "annotations": annotations,
        });
        if let (Some(stored), Some(metadata)) = (stored, metadata.as_object_mut()) {
            metadata.insert("resourceVersion".to_owned(), json!(stored.resource_version));
        }
        let mut object = self.index.object();
        if let Some(object) = object.as_object_mut() {
            object.insert("metadata".to_owned(), metadata);
        }
        object
    }

    /// Whether nothing is to be written.
    pub(super) fn is_same(&self, index: &Index) -> bool {
        self.index.is_same(index) && self.left_out == shown_names(&index.left_out)
    }
}

/// Names as a text: the first of them, and how many more there are.
pub(super) fn shown_names(names: &[String]) -> String {
    listed(names, NAMES)
}

/// The last version that was seen.
pub(super) struct Stored {
    current: Mutex<Option<Arc<Version>>>,
    /// While a list is read.
    listed: Mutex<Option<Version>>,
    /// The newest version that the watch has shown.
    shown: watch::Sender<u64>,
    /// Another wrote or deleted it.
    pub(super) moved: Notify,
    changed: Arc<Notify>,
}

impl Stored {
    pub(super) fn new(changed: Arc<Notify>) -> Self {
        Self {
            current: Mutex::default(),
            listed: Mutex::default(),
            shown: watch::Sender::default(),
            moved: Notify::new(),
            changed,
        }
    }

    pub(super) fn current(&self) -> Option<Arc<Version>> {
        self.current.lock().clone()
    }

    /// This replica wrote it.
    pub(super) fn wrote(&self, version: Version) {
        *self.current.lock() = Some(Arc::new(version));
    }

    /// It was read.
    pub(super) fn found(&self, version: Option<Version>) {
        *self.current.lock() = version.map(Arc::new);
    }

    /// Waits until the watch has shown this version.
    pub(super) async fn shown(&self, version: u64) {
        let mut shown = self.shown.subscribe();
        // The sender lives as long as this.
        let _ = shown.wait_for(|shown| *shown >= version).await;
    }

    fn seen(&self, version: Option<Version>) {
        if let Some(version) = &version {
            self.shown.send_replace(version.version);
            let current = self.current.lock();
            // What this replica wrote comes back, or what was there before that.
            if current.as_ref().is_some_and(|current| {
                current.version > 0 && version.version > 0 && current.version >= version.version
            }) {
                return;
            }
        }
        self.found(version);
        self.moved.notify_one();
        self.changed.notify_one();
    }
}

fn is_ours(object: &DynamicObject) -> bool {
    object.metadata.name.as_deref() == Some(INDEX)
}

impl Sink<DynamicObject> for Stored {
    fn what(&self) -> &'static str {
        "gmsaindexes"
    }

    fn list_begins(&self) {
        *self.listed.lock() = None;
    }

    fn listed(&self, object: DynamicObject) {
        if is_ours(&object) {
            *self.listed.lock() = Some(Version::read(&object));
        }
    }

    fn list_ends(&self) {
        let listed = self.listed.lock().take();
        self.seen(listed);
    }

    fn applied(&self, object: DynamicObject) {
        if is_ours(&object) {
            self.seen(Some(Version::read(&object)));
        }
    }

    fn deleted(&self, object: DynamicObject) {
        if is_ours(&object) {
            self.seen(None);
        }
    }

    fn alive(&self) {}

    fn ended(&self, _clean: bool) {}

    fn forbidden(&self, first: bool) {
        if first {
            tracing::warn!(
                "not allowed to list and watch the index of credential specs, so changes of it by others \
                 are not noticed; grant list and watch"
            );
        }
    }
}
