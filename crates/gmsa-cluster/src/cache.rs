//! The handle on a cluster: what the server and the command line ask it.

mod access_reviews;
mod credential_specs;
mod direct_read;
mod rate_limiter;
mod rbac_watch;
mod staleness;
mod watch;

use std::sync::Arc;
use std::time::{Duration, Instant};

use gmsa_core::admission::{Right, SpecFact};
use kube::Client;
use kube::api::Api;
use tokio::task::JoinSet;
use tokio::time::timeout_at;

use self::access_reviews::Memory;
pub use self::access_reviews::Observer;
use self::credential_specs::Store;
use self::direct_read::{Live, timed_out};
use self::rate_limiter::Bucket;
use self::rbac_watch::Changes;
use crate::api::access_review::Access;
use crate::api::client::Credentials;
use crate::audit::references::{self, Usage};

/// How long the API server may reject the token before nothing can be decided: at its start it may
/// reject each for a moment.
const REJECTED: Duration = Duration::from_secs(30);

/// How to ask a cluster.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How long a granted right is remembered; at most 10 s, zero turns it off.
    pub remember: Duration,
    /// Live reads a second; zero or less is no limit.
    pub qps: f64,
    /// Live reads at once.
    pub burst: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { remember: Duration::from_secs(10), qps: 100.0, burst: 200 }
    }
}

/// A handle on a cluster. Watching ends when the last clone is dropped.
#[derive(Clone)]
pub struct Cluster {
    inner: Arc<Inner>,
    _tasks: Arc<JoinSet<()>>,
}

struct Inner {
    client: Client,
    store: Arc<Store>,
    live: Live,
    memory: Memory,
    credentials: Arc<Credentials>,
}

impl Cluster {
    /// Starts watching. Must be called within a runtime. `credentials` are the client's.
    #[must_use]
    pub fn start(
        client: Client,
        credentials: Arc<Credentials>,
        options: Options,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let resource = crate::api::credential_specs::api_resource();
        let api = Api::all_with(client.clone(), &resource);
        let store = Arc::new(Store::new());
        let changes = Arc::new(Changes::new());
        let mut tasks = JoinSet::new();
        let (watched, sink) = (api.clone(), Arc::clone(&store));
        tasks.spawn(async move { watch::run(watched, &*sink).await });
        if !options.remember.is_zero() {
            tasks.spawn(rbac_watch::run(client.clone(), Arc::clone(&changes)));
        }
        let live = Live::new(api, Bucket::new(options.qps, options.burst));
        let memory = Memory::new(changes, options.remember, observer);
        let inner = Arc::new(Inner { client, store, live, memory, credentials });
        Self { inner, _tasks: Arc::new(tasks) }
    }

    /// The credential spec of this name, if the store is current at this moment.
    #[must_use]
    pub fn credential_spec_now(&self, name: &str, now: Instant) -> Option<SpecFact> {
        self.inner.store.current(name, now.into())
    }

    /// The credential spec of this name as the store last knew it, however long ago.
    #[must_use]
    pub fn credential_spec_last_known(&self, name: &str) -> Option<SpecFact> {
        self.inner.store.last_known(name)
    }

    /// The credential spec of this name, read from the API server now.
    pub async fn credential_spec_live(&self, name: &str, deadline: Instant) -> SpecFact {
        let deadline = deadline.into();
        match timeout_at(deadline, self.inner.live.read(name, deadline)).await {
            Ok(fact) => fact,
            Err(_) => SpecFact::Unknown(timed_out(name)),
        }
    }

    /// Whether the service account may use the credential spec, if that is remembered and holds at
    /// this moment.
    #[must_use]
    pub fn right_now(
        &self,
        namespace: &str,
        service_account: &str,
        name: &str,
        now: Instant,
    ) -> Option<Right> {
        self.inner.memory.recall(&Access::key(namespace, service_account, name), now.into())
    }

    /// Whether the service account may use the credential spec, by an access review.
    pub async fn right(
        &self,
        namespace: &str,
        service_account: &str,
        name: &str,
        deadline: Instant,
    ) -> Right {
        let access = Access {
            namespace: namespace.to_owned(),
            service_account: service_account.to_owned(),
            name: name.to_owned(),
        };
        let key = Access::key(namespace, service_account, name);
        let (asked, client) = (access.clone(), self.inner.client.clone());
        let answer = self.inner.memory.ask(key, move || asked.ask(client));
        match timeout_at(deadline.into(), answer).await {
            Ok(right) => right,
            Err(_) => access.timed_out(),
        }
    }

    /// What uses the credential spec, as far as that can be found out until the deadline.
    pub async fn usage(&self, name: &str, deadline: Instant) -> Usage {
        references::of(&self.inner.client, name, deadline).await
    }

    /// The names in the store, sorted; none where watching is forbidden.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.inner.store.names()
    }

    /// Whether questions can be answered: the first list is in, or live reading was chosen because
    /// listing is forbidden; and the API server accepts the token.
    pub fn ready(&self) -> Result<(), String> {
        if let Some(rejected) = self.rejected_for().filter(|rejected| *rejected >= REJECTED) {
            return Err(format!(
                "the API server has rejected the token of this pod for {} s (401 Unauthorized): its \
                 service account was deleted, perhaps to be made again; restart the pods, which \
                 gives them tokens of the present account: kubectl rollout restart deployment",
                rejected.as_secs()
            ));
        }
        if self.inner.store.is_synced() || self.inner.store.is_forbidden() {
            Ok(())
        } else {
            Err("the first list of gmsacredentialspecs is not complete".to_owned())
        }
    }

    /// How long ago the store last heard from the API server.
    #[must_use]
    pub fn sync_age(&self) -> Option<Duration> {
        self.inner.store.freshness().age()
    }

    /// For how long the API server has been rejecting the token; none if it does not.
    #[must_use]
    pub fn rejected_for(&self) -> Option<Duration> {
        self.inner.credentials.rejected_for()
    }

    /// How many credential specs are in the store.
    #[must_use]
    pub fn known(&self) -> usize {
        self.inner.store.len()
    }

    /// Whether every credential spec is read live because watching is forbidden.
    #[must_use]
    pub fn is_live_mode(&self) -> bool {
        self.inner.store.is_forbidden()
    }
}
