//! The server: connects the parts, runs them, and stops them in order.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use gmsa_cluster::api::client::{self, Credentials, Selection};
use gmsa_cluster::cache::{ClusterFacts, Observer, Options};
use gmsa_cluster::index::Keeper;
use gmsa_cluster::installation::server_objects::ServerObjects;
use gmsa_cluster::installation::tls;
use gmsa_core::names::NAME;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::admission::{Settings, Source, StoreDir, StoreError};
use crate::audit;
use crate::certificates::{ClientCa, Ephemeral, Managed, Pair, Reload};
use crate::config::{CertificateSource, Config, FactSource, TlsSource};
use crate::http::{self, Routes};
use crate::metrics::Metrics;
use crate::serve::tls::{Identity, Tls};
use crate::serve::{self, BindError, Server, bind};
use crate::service::Service;
use crate::tls_profile::Follower;

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// No client of the cluster.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// Something needs a cluster, and none is named.
    #[error("failed to find a cluster: set --kubeconfig, or run inside a cluster")]
    NoCluster,
    /// The directory of manifests cannot serve as the store.
    #[error("failed to open the store {path}: {source}")]
    Store {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: StoreError,
    },
    /// No certificate could be made.
    #[error(transparent)]
    Certificate(#[from] crate::certificates::AuthorityError),
    /// The CA file could not be written.
    #[error("failed to write the CA certificate to {path}: {source}")]
    WriteCa {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// TLS cannot be set up.
    #[error("failed to set up TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// Signals cannot be waited for.
    #[error("failed to listen for signals: {0}")]
    Signal(io::Error),
}

/// Runs until SIGTERM or SIGINT, and stops without losing a request.
pub async fn run(config: Config) -> Result<(), Error> {
    let metrics = Arc::new(Metrics::new());
    let mut tasks = JoinSet::new();
    let https = bind(config.https)?;
    let metrics_listener = bind(config.metrics.address)?;
    let metrics_address = metrics_listener.local_addr();
    let ephemeral = Ephemeral::new()?;
    let identity = Arc::new(Identity::new(Arc::clone(&ephemeral.certificate)));
    let connected = match &config.facts {
        FactSource::Cluster { kubeconfig } => {
            let selection = Selection { kubeconfig: kubeconfig.as_deref(), context: None };
            Some(client::connect_watched(selection).await?)
        }
        FactSource::Directory(_) => None,
    };
    let client = connected.as_ref().map(|(client, _)| client.clone());
    if let Some(client) = client.clone().filter(|_| config.audit_results) {
        tasks.spawn(audit::export(client, config.namespace.clone(), Arc::clone(&metrics)));
    }
    if let CertificateSource::Ephemeral { ca_file: Some(path) } = &config.certificate {
        std::fs::write(path, &ephemeral.ca_pem)
            .map_err(|source| Error::WriteCa { path: path.clone(), source })?;
    }
    let problem =
        certificate(&config.certificate, client.as_ref(), &identity, &metrics, &mut tasks)?;
    let source = source(&config, connected, &metrics, &mut tasks)?;
    let settings = match &config.tls {
        TlsSource::Flags(settings) => settings.clone(),
        TlsSource::ClusterProfile => tls::Settings::default(),
    };
    let tls = Arc::new(Tls::new(identity, settings, config.client_ca.is_some())?);
    let index = keeper(&config, client.as_ref(), &metrics)?;
    let sources = serve::metrics::Sources { facts: source.clone(), index: index.clone() };
    let of_metrics = config.metrics.over_https.then(|| Arc::clone(&tls));
    let scraped = serve::metrics::run(metrics_listener, Arc::clone(&metrics), sources, of_metrics);
    tasks.spawn(scraped);
    if config.tls == TlsSource::ClusterProfile {
        let follower = Follower::new(client.clone().ok_or(Error::NoCluster)?, Arc::clone(&tls));
        tasks.spawn(follower.first().await.run());
    }
    if let Some(path) = &config.client_ca {
        let reload = Reload::start(ClientCa::new(path.clone(), Arc::clone(&tls)));
        tasks.spawn(async move { reload.watch().await });
    }
    let settings = Settings {
        deadline: config.deadline,
        random_hostname: config.random_hostname,
        max_places: config.max_places,
    };
    let service = Service::new(source, Arc::clone(&metrics), settings).with_index(index);
    let limits = http::Limits {
        body_bytes: config.max_body_bytes,
        buffered_bytes: config.max_buffered_bytes,
        body_time: config.body_timeout,
        requests: config.max_requests,
        early_warnings: config.early_warnings,
        index: config.index,
    };
    let routes = Arc::new(Routes::new(service, limits, metrics.in_flight(), problem));
    announce(https.local_addr(), metrics_address, &config);
    let (stop, stopping) = watch::channel(false);
    let server = Server {
        listener: https,
        tls,
        routes: Arc::clone(&routes),
        limits: serve::Limits {
            header_time: config.header_timeout,
            idle_time: config.idle_timeout,
            age: config.max_connection_age,
            grace: config.grace,
            streams: 100,
        },
        connections: config.max_connections,
    };
    let serving = tokio::spawn(server.run(stopping));
    signalled().await.map_err(Error::Signal)?;
    tracing::info!(drain_seconds = config.drain.as_secs_f64(), "stopping: not ready from now on");
    routes.drain();
    tokio::time::sleep(config.drain).await;
    // A closed channel stops the server too.
    let _ = stop.send(true);
    let _ = serving.await;
    tracing::info!("stopped");
    Ok(())
}

type Problem = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// Loads the certificate and keeps it current; returns whether there is one.
fn certificate(
    from: &CertificateSource,
    client: Option<&Client>,
    identity: &Arc<Identity>,
    metrics: &Arc<Metrics>,
    tasks: &mut JoinSet<()>,
) -> Result<Problem, Error> {
    match from {
        CertificateSource::Files { certificate, key } => {
            let reload = Arc::new(Reload::start(Pair::new(
                certificate.clone(),
                key.clone(),
                Arc::clone(identity),
                Arc::clone(metrics),
            )));
            let watched = Arc::clone(&reload);
            tasks.spawn(async move { watched.watch().await });
            Ok(Arc::new(move || reload.ready()))
        }
        CertificateSource::Ephemeral { .. } => Ok(Arc::new(|| Ok(()))),
        CertificateSource::Managed { names, policy } => {
            let client = client.ok_or(Error::NoCluster)?;
            let own = ServerObjects::new(client, names.clone());
            let managed = Managed::new(own, *policy, Arc::clone(identity), Arc::clone(metrics));
            let managed = Arc::new(managed);
            let running = Arc::clone(&managed);
            tasks.spawn(async move { running.run().await });
            Ok(Arc::new(move || managed.ready()))
        }
    }
}

/// Keeps the index of credential specs, if that is wanted. It needs no certificate.
fn keeper(
    config: &Config,
    client: Option<&Client>,
    metrics: &Arc<Metrics>,
) -> Result<Option<Keeper>, Error> {
    if !config.index {
        return Ok(None);
    }
    let client = client.ok_or(Error::NoCluster)?;
    let namespace =
        config.namespace.clone().unwrap_or_else(|| client.default_namespace().to_owned());
    let (kind, name, uid) = match &config.pod {
        Some((pod, uid)) => ("Pod", pod.clone(), uid.clone()),
        None => ("ServiceAccount", NAME.to_owned(), None),
    };
    let about = ObjectReference {
        kind: Some(kind.to_owned()),
        name: Some(name),
        uid,
        ..ObjectReference::default()
    };
    let observer = Arc::clone(metrics) as Arc<dyn gmsa_cluster::index::Observer>;
    Ok(Some(Keeper::start(client.clone(), &namespace, about, observer)))
}

fn source(
    config: &Config,
    connected: Option<(Client, Arc<Credentials>)>,
    metrics: &Arc<Metrics>,
    tasks: &mut JoinSet<()>,
) -> Result<Source, Error> {
    match &config.facts {
        FactSource::Cluster { .. } => {
            let (client, credentials) = connected.ok_or(Error::NoCluster)?;
            let options = Options {
                cache_reviews_for: config.remember,
                qps: config.qps,
                burst: config.burst,
            };
            let observer: Arc<dyn Observer> = Arc::clone(metrics) as Arc<dyn Observer>;
            Ok(Source::Cluster(ClusterFacts::start(client, credentials, options, observer)))
        }
        FactSource::Directory(path) => {
            let store = StoreDir::open(path.clone())
                .map_err(|source| Error::Store { path: path.clone(), source })?;
            tasks.spawn(store.clone().watch());
            Ok(Source::Directory(store))
        }
    }
}

fn announce(https: io::Result<SocketAddr>, metrics: io::Result<SocketAddr>, config: &Config) {
    let shown = |address: io::Result<SocketAddr>| address.ok().map(|one| one.to_string());
    tracing::info!(
        version = crate::VERSION,
        address = shown(https),
        metrics = shown(metrics),
        random_hostname = config.random_hostname,
        remember_seconds = config.remember.as_secs_f64(),
        index = config.index,
        "listening"
    );
}

/// Ends with the signal to stop.
async fn signalled() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
