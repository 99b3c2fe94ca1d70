//! The handle on a cluster: what the server and the command line ask it.

mod access_reviews;
mod credential_specs;
mod direct_read;
mod rate_limiter;
mod rbac_watch;
mod single_flight;
mod staleness;
pub(crate) mod watch;

use std::sync::Arc;
use std::time::{Duration, Instant};

use gmsa_core::admission::{Right, SpecFact};
use kube::Client;
use kube::api::Api;
use tokio::task::JoinSet;
use tokio::time::timeout_at;

use self::access_reviews::AccessReviews;
pub use self::access_reviews::Observer;
use self::credential_specs::CredentialSpecs;
use self::direct_read::{DirectReads, timed_out};
use self::rate_limiter::RateLimiter;
use self::rbac_watch::Changes;
use crate::api::access_review::Access;
use crate::api::client::Credentials;
use crate::api::objects::kinds::CREDENTIAL_SPEC;
use crate::audit::references::{self, References};

/// How long the API server may reject the token before nothing can be decided: at its start it may
/// reject each for a moment.
const REJECTED: Duration = Duration::from_secs(30);

/// How to ask a cluster.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How long a granted right is cached; at most 10 s, zero turns it off.
    pub cache_reviews_for: Duration,
    /// Direct reads a second; zero or less is no limit.
    pub qps: f64,
    /// Direct reads at once.
    pub burst: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { cache_reviews_for: Duration::from_secs(10), qps: 100.0, burst: 200 }
    }
}

/// A handle on a cluster. Watching ends when the last clone is dropped.
#[derive(Clone)]
pub struct ClusterFacts {
    inner: Arc<Inner>,
    _tasks: Arc<JoinSet<()>>,
}

struct Inner {
    client: Client,
    specs: Arc<CredentialSpecs>,
    direct_reads: DirectReads,
    reviews: AccessReviews,
    credentials: Arc<Credentials>,
}

impl ClusterFacts {
    /// Starts watching. Must be called within a runtime. `credentials` are the client's.
    #[must_use]
    pub fn start(
        client: Client,
        credentials: Arc<Credentials>,
        options: Options,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let api = Api::all_with(client.clone(), &CREDENTIAL_SPEC.resource());
        let specs = Arc::new(CredentialSpecs::new());
        let changes = Arc::new(Changes::new());
        let mut tasks = JoinSet::new();
        let (watched, sink) = (api.clone(), Arc::clone(&specs));
        tasks.spawn(async move { watch::run(watched, &*sink).await });
        if !options.cache_reviews_for.is_zero() {
            tasks.spawn(rbac_watch::run(client.clone(), Arc::clone(&changes)));
        }
        let direct_reads = DirectReads::new(api, RateLimiter::new(options.qps, options.burst));
        let reviews = AccessReviews::new(changes, options.cache_reviews_for, observer);
        let inner = Arc::new(Inner { client, specs, direct_reads, reviews, credentials });
        Self { inner, _tasks: Arc::new(tasks) }
    }

    /// The credential spec of this name, if the store is current at this moment.
    #[must_use]
    pub fn cached_credential_spec(&self, name: &str, now: Instant) -> Option<SpecFact> {
        self.inner.specs.current(name, now.into())
    }

    /// The credential spec of this name as the store last knew it, however long ago.
    #[must_use]
    pub fn last_known_credential_spec(&self, name: &str) -> Option<SpecFact> {
        self.inner.specs.last_known(name)
    }

    /// The credential spec of this name, read from the API server now.
    pub async fn read_credential_spec(&self, name: &str, deadline: Instant) -> SpecFact {
        let deadline = deadline.into();
        match timeout_at(deadline, self.inner.direct_reads.read(name, deadline)).await {
            Ok(fact) => fact,
            Err(_) => SpecFact::Unknown(timed_out(name)),
        }
    }

    /// Whether the service account may use the credential spec, if that is cached and valid at
    /// this moment.
    #[must_use]
    pub fn cached_right(
        &self,
        namespace: &str,
        service_account: &str,
        name: &str,
        now: Instant,
    ) -> Option<Right> {
        self.inner.reviews.cached(&Access::key(namespace, service_account, name), now.into())
    }

    /// Whether the service account may use the credential spec, by an access review.
    pub async fn review_right(
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
        let answer = self.inner.reviews.ask(key, move || asked.ask(client));
        match timeout_at(deadline.into(), answer).await {
            Ok(right) => right,
            Err(_) => access.timed_out(),
        }
    }

    /// What uses the credential spec, as far as that can be found out until the deadline.
    pub async fn references(&self, name: &str, deadline: Instant) -> References {
        references::of(&self.inner.client, name, deadline).await
    }

    /// The names of the cached credential specs, sorted; none where watching is forbidden.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.inner.specs.names()
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
        if self.inner.specs.is_synced() || self.inner.specs.is_forbidden() {
            Ok(())
        } else {
            Err("the first list of gmsacredentialspecs is not complete".to_owned())
        }
    }

    /// How long ago the store last heard from the API server.
    #[must_use]
    pub fn sync_age(&self) -> Option<Duration> {
        self.inner.specs.activity().age()
    }

    /// For how long the API server has been rejecting the token; none if it does not.
    #[must_use]
    pub fn rejected_for(&self) -> Option<Duration> {
        self.inner.credentials.rejected_for()
    }

    /// How many credential specs are cached.
    #[must_use]
    pub fn credential_spec_count(&self) -> usize {
        self.inner.specs.len()
    }

    /// Whether every credential spec is read live because watching is forbidden.
    #[must_use]
    pub fn is_watching_forbidden(&self) -> bool {
        self.inner.specs.is_forbidden()
    }
}
