//! Keeps the index of credential specs: the one object in which the admission policies of an API server
//! find them.
//!
//! Replicas have no leader. Each builds the index from its own watch; what they see alike they build alike
//! ([`gmsa_core::index`]), so a write that finds the same content is none. The resource version of the
//! object decides between two writers, and the resource version of the newest credential spec that a
//! writer had seen keeps a replica that is behind from undoing what another wrote.

mod known;
mod stored;

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use gmsa_core::index::{Index, NEARLY, Spec};
use gmsa_core::names::{INDEX, SERVER_FIELD_MANAGER};
use http::HeaderValue;
use http::header::ACCEPT;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::api::{Api, DynamicObject, PostParams, Request};
use kube::{Client, Resource as _};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use self::known::{Known, Snapshot};
use self::stored::{Stored, Version};
use crate::api::events::{Events, Kind};
use crate::api::objects::kinds::{CREDENTIAL_SPEC, INDEX as INDEX_KIND};
use crate::api::{Error, answer};
use crate::cache::watch::run;

/// How often the index is compared without an event.
const PERIOD: Duration = Duration::from_secs(30);
/// How long a replica that was not the last writer waits for the one that was.
const HOLD_BACK: Duration = Duration::from_millis(150);
/// The longest pause between two writes. Otherwise it is as long as the last write took, so that changes
/// in quick succession are written together.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// How long a replica that has not seen all that the writer of the index had seen waits to see it too.
const CATCH_UP: Duration = Duration::from_secs(10);
/// How long after the watch of the index showed a version API servers may still judge by the one before:
/// at least this, and as long as it took to be shown.
const LEAST_SETTLING: Duration = Duration::from_millis(20);
/// The longest that is waited for API servers to judge by a version.
const LONGEST_SETTLING: Duration = Duration::from_millis(800);
/// How often one step tries again after another writer was faster.
const TRIES: usize = 5;
/// How long to wait after a failure.
const RETRY: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(100))
    .with_max_delay(Duration::from_secs(5))
    .with_jitter()
    .without_max_times();

/// Counts what happens to the index.
pub trait Observer: Send + Sync {
    /// A change was seen so long before the index had it.
    fn in_index(&self, lag: Duration);
    /// The index was written, or could not be.
    fn wrote(&self, success: bool);
}

/// The state of the index, as this replica sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// How many credential specs it has.
    pub entries: usize,
    /// How many bytes of JSON it has.
    pub bytes: usize,
    /// How many credential specs did not fit.
    pub left_out: usize,
    /// For how long a change has been waiting to be in it; zero if none is.
    pub behind: Duration,
}

/// Keeps the index for as long as a clone of it lives.
#[derive(Clone)]
pub struct Keeper {
    inner: Arc<Inner>,
    _tasks: Arc<JoinSet<()>>,
}

struct Inner {
    client: Client,
    known: Known,
    stored: Stored,
    changed: Arc<Notify>,
    observer: Arc<dyn Observer>,
    events: Events,
    report: Mutex<Report>,
    synced: watch::Sender<Synced>,
}

/// What of the index was last found to be in the cluster.
#[derive(Clone, Copy, Debug, Default)]
struct Synced {
    /// Up to which change of what is known.
    generation: u64,
    /// In which version of the object.
    version: u64,
}

/// What was reported, so that it is reported once.
#[derive(Default)]
struct Report {
    state: State,
    fullness: Fullness,
    problem: Option<String>,
    has_synced: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fullness {
    #[default]
    Fits,
    Nearly,
    Full,
}

/// What one step came to.
enum Step {
    /// The first list is not complete.
    NotYet,
    /// What is known is in the cluster; written by this replica, or by another.
    Done { own: bool },
    /// Another replica has seen more, or writes faster.
    Behind,
}

impl Keeper {
    /// Starts keeping it. Must be called within a runtime. Events are about `about`, an object of the
    /// namespace.
    #[must_use]
    pub fn start(
        client: Client,
        namespace: &str,
        about: ObjectReference,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let changed = Arc::new(Notify::new());
        let inner = Arc::new(Inner {
            known: Known::new(Arc::clone(&changed)),
            stored: Stored::new(Arc::clone(&changed)),
            events: Events::new(&client, namespace, about),
            client: client.clone(),
            changed,
            observer,
            report: Mutex::default(),
            synced: watch::Sender::default(),
        });
        let mut tasks = JoinSet::new();
        let specs: Api<DynamicObject> = Api::all_with(client.clone(), &CREDENTIAL_SPEC.resource());
        let watched = Arc::clone(&inner);
        tasks.spawn(async move { run(specs, &watched.known).await });
        let indexes: Api<DynamicObject> = Api::all_with(client, &INDEX_KIND.resource());
        let watched = Arc::clone(&inner);
        tasks.spawn(async move { run(indexes, &watched.stored).await });
        let keeping = Arc::clone(&inner);
        tasks.spawn(async move { keeping.keep().await });
        Self { inner, _tasks: Arc::new(tasks) }
    }

    /// Whether the index was once what this replica knows, or why not.
    pub fn ready(&self) -> Result<(), String> {
        let report = self.inner.report.lock();
        if report.has_synced {
            return Ok(());
        }
        Err(match &report.problem {
            Some(problem) => problem.clone(),
            None => "the index of credential specs was not compared yet".to_owned(),
        })
    }

    /// The state of the index.
    #[must_use]
    pub fn state(&self) -> State {
        State { behind: self.inner.known.behind(), ..self.inner.report.lock().state }
    }

    /// Puts a credential spec that is being created into the index, before it is stored, and waits until
    /// API servers judge by it: a pod may be created right after it. False if the time is up.
    pub async fn early(&self, name: &str, object: &Value, deadline: std::time::Instant) -> bool {
        let inner = &self.inner;
        let Some(generation) = inner.known.early(name, Spec::of(object)) else { return true };
        let seen = async {
            let mut synced = inner.synced.subscribe();
            let done = synced.wait_for(|synced| synced.generation >= generation).await;
            let version = done.map(|done| done.version).unwrap_or_default();
            let written = Instant::now();
            inner.stored.shown(version).await;
            let settling = written.elapsed().clamp(LEAST_SETTLING, LONGEST_SETTLING);
            tokio::time::sleep(settling).await;
        };
        timeout_at(deadline.into(), seen).await.is_ok()
    }
}

impl Inner {
    async fn keep(&self) {
        let mut retries = RETRY.build();
        // Whether another replica wrote last.
        let mut follows = false;
        loop {
            if follows && !self.known.is_urgent() {
                // The other one has seen the same, and writes it now.
                let _ = timeout(HOLD_BACK, self.stored.moved.notified()).await;
            }
            let began = Instant::now();
            let mut period = PERIOD;
            let pause = match self.step().await {
                Ok(Step::Done { own }) => {
                    retries = RETRY.build();
                    follows = !own;
                    if own { began.elapsed().min(LONGEST_PAUSE) } else { Duration::ZERO }
                }
                Ok(Step::NotYet) => Duration::ZERO,
                Ok(Step::Behind) => {
                    period = HOLD_BACK;
                    HOLD_BACK
                }
                Err(error) => {
                    self.observer.wrote(false);
                    self.failed(&error.to_string());
                    period = Duration::ZERO;
                    retries.next().unwrap_or(PERIOD)
                }
            };
            tokio::time::sleep(pause).await;
            let period = self.known.expiry().map_or(period, |expiry| expiry.min(period));
            // A change that came meanwhile has been noted.
            let _ = timeout(period, self.changed.notified()).await;
        }
    }

    /// Makes the index what is known, if it is not.
    async fn step(&self) -> Result<Step, Error> {
        for _ in 0..TRIES {
            let stored = self.stored.current();
            self.known.adopt(stored.as_deref());
            let Some(snapshot) = self.known.snapshot() else { return Ok(Step::NotYet) };
            if let Some(stored) = &stored {
                if stored.is_same(&snapshot.index) {
                    self.done(&snapshot, stored.version);
                    return Ok(Step::Done { own: false });
                }
                if stored.seen > snapshot.seen && stored.since.elapsed() < CATCH_UP {
                    return Ok(Step::Behind);
                }
            }
            match self.write(&snapshot, stored.as_deref()).await {
                Ok(written) => {
                    self.observer.wrote(true);
                    self.done(&snapshot, written.version);
                    self.stored.wrote(written);
                    return Ok(Step::Done { own: true });
                }
                Err(error) if error.is_conflict() => self.stored.found(self.read().await?),
                // It was deleted meanwhile.
                Err(error) if stored.is_some() && error.is_absent() => self.stored.found(None),
                Err(error) if error.code() == Some(404) => {
                    return Err(error.with_remedy(
                        "the definition of the index is missing; `kubectl gmsa install` makes it",
                    ));
                }
                Err(error) => return Err(error),
            }
        }
        // Others are faster; they may be writing the same.
        Ok(Step::Behind)
    }

    /// Writes the index over the version that is stored, or as a new object.
    async fn write(&self, of: &Snapshot, stored: Option<&Version>) -> Result<Version, Error> {
        let version = Version::new(of.index.clone(), of.seen, of.early.clone());
        let object = version.object(stored).to_string().into_bytes();
        let params =
            PostParams { dry_run: false, field_manager: Some(SERVER_FIELD_MANAGER.to_owned()) };
        let resource = Request::new(DynamicObject::url_path(&INDEX_KIND.resource(), None));
        let request = match stored {
            Some(_) => resource.replace(INDEX, &params, object),
            None => resource.create(&params, object),
        };
        let mut request = request.map_err(|error| Error::not_sent("write the", shown(), error))?;
        // The answer need not repeat it.
        request.headers_mut().insert(
            ACCEPT,
            HeaderValue::from_static(
                "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
            ),
        );
        let written: Value = answer("write the", shown(), self.client.request(request)).await?;
        Ok(version.stored_as(&written))
    }

    async fn read(&self) -> Result<Option<Version>, Error> {
        let api: Api<DynamicObject> = Api::all_with(self.client.clone(), &INDEX_KIND.resource());
        let found = answer("read the", shown(), api.get_opt(INDEX)).await?;
        Ok(found.as_ref().map(Version::read))
    }

    fn done(&self, snapshot: &Snapshot, version: u64) {
        if let Some(lag) = self.known.done(snapshot.generation) {
            self.observer.in_index(lag);
        }
        let index = &snapshot.index;
        let fullness = match index {
            Index { left_out, .. } if !left_out.is_empty() => Fullness::Full,
            Index { bytes, .. } if *bytes > NEARLY => Fullness::Nearly,
            _ => Fullness::Fits,
        };
        let mut report = self.report.lock();
        if report.problem.take().is_some() && report.has_synced {
            tracing::info!("the index of credential specs is up to date again");
        }
        if !report.has_synced {
            tracing::info!(
                entries = index.entries.len(),
                bytes = index.bytes,
                "the index of credential specs is up to date"
            );
        }
        report.has_synced = true;
        report.state = State {
            entries: index.entries.len(),
            bytes: index.bytes,
            left_out: index.left_out.len(),
            behind: Duration::ZERO,
        };
        if report.fullness != fullness {
            report.fullness = fullness;
            self.tell_fullness(index, fullness);
        }
        drop(report);
        self.synced.send_replace(Synced { generation: snapshot.generation, version });
    }

    fn tell_fullness(&self, index: &Index, fullness: Fullness) {
        let bytes = index.bytes;
        let (kind, reason, message) = match fullness {
            Fullness::Fits => (
                Kind::Normal,
                "IndexFits",
                format!("every credential spec is in the index, which has {bytes} bytes"),
            ),
            Fullness::Nearly => (
                Kind::Warning,
                "IndexNearlyFull",
                format!(
                    "the index of credential specs has {bytes} of {} bytes; what does not fit will be \
                     left out, the newest first: delete those that no pod uses (`kubectl gmsa audit` \
                     names them)",
                    gmsa_core::index::LIMIT
                ),
            ),
            Fullness::Full => (
                Kind::Warning,
                "IndexFull",
                format!(
                    "credential specs are not in the index, which is full, and pods that name them are \
                     denied: {}; delete those that no pod uses (`kubectl gmsa audit` names them), or let \
                     the webhook decide: `kubectl gmsa install --engine=webhook`",
                    stored::shown_names(&index.left_out)
                ),
            ),
        };
        tracing::warn!(bytes, left_out = index.left_out.len(), reason, "the size of the index");
        self.events.tell(kind, reason, &message);
    }

    fn failed(&self, why: &str) {
        let mut report = self.report.lock();
        if report.problem.as_deref() != Some(why) {
            tracing::warn!(error = why, "the index of credential specs is not up to date");
            if report.problem.is_none() {
                let message = format!("the index of credential specs is not up to date: {why}");
                self.events.tell(Kind::Warning, "IndexNotWritten", &message);
            }
            report.problem = Some(why.to_owned());
        }
    }
}

fn shown() -> String {
    format!("{} {INDEX}", gmsa_core::names::INDEX_KIND)
}
