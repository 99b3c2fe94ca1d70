//! From flags and environment to the configuration.
//!
//! A flag overrides its `GMSA_` variable, which overrides the name inherited from the webhook of
//! kubernetes-sigs/windows-gmsa (`TLS_CRT`, `TLS_KEY`, `HTTPS_PORT`, `LOG_LEVEL`,
//! `RANDOM_HOSTNAME`, `QPS`, `BURST`). A bad setting of our own is an error; a bad inherited one gives
//! a warning and the default, as in that webhook, except `RANDOM_HOSTNAME`.

mod args;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use gmsa_cluster::installation::server_objects::Names;
use gmsa_cluster::installation::tls::Settings;

use crate::certificates::Policy;
use crate::check::Check;
use crate::serve::tls::not_offered;
use crate::telemetry::{Collector, LogFormat};

pub use args::{Args, Task, command, parse};

/// Where the serving certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateSource {
    /// From files, reloaded when their content changes.
    Files {
        /// The certificate chain in PEM.
        certificate: PathBuf,
        /// The private key in PEM.
        key: PathBuf,
    },
    /// Made at the start, and lost with the process; the CA is written to this file.
    Ephemeral {
        /// The file for the CA's certificate, which callers need.
        ca_file: Option<PathBuf>,
    },
    /// Made by the server, stored in a Secret and renewed automatically.
    Managed {
        /// The Service, the Secret and the webhook configurations.
        names: Names,
        /// How long certificates live.
        policy: Policy,
    },
}

/// The source of the facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactSource {
    /// A cluster, by a kubeconfig or found as every client finds it.
    Cluster {
        /// The kubeconfig file.
        kubeconfig: Option<PathBuf>,
    },
    /// A directory of manifests.
    Directory(PathBuf),
}

/// Where metrics are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricsEndpoint {
    /// The address.
    pub address: SocketAddr,
    /// Whether over HTTPS, with the serving certificate.
    pub over_https: bool,
}

/// Where the TLS settings come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsSource {
    /// From the flags.
    Flags(Settings),
    /// From the profile of an OpenShift cluster.
    ClusterProfile,
}

/// The configuration of the server.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct Config {
    /// What to do instead of serving.
    pub task: Option<Task>,
    /// The namespace; that of the kubeconfig or of the pod if none is given.
    pub namespace: Option<String>,
    /// Where to listen for HTTPS.
    pub https: SocketAddr,
    /// Where to serve metrics.
    pub metrics: MetricsEndpoint,
    /// Where the TLS settings come from.
    pub tls: TlsSource,
    /// Where the serving certificate comes from.
    pub certificate: CertificateSource,
    /// The CA that callers must have a certificate of.
    pub client_ca: Option<PathBuf>,
    /// The source of the facts.
    pub facts: FactSource,
    /// The largest body, in bytes.
    pub max_body_bytes: usize,
    /// How many bytes of bodies may be buffered, over all requests.
    pub max_buffered_bytes: usize,
    /// How many fields of one pod may name a GMSA.
    pub max_places: usize,
    /// How long a handshake or the head of a request may take.
    pub header_timeout: Duration,
    /// How long a body may take.
    pub body_timeout: Duration,
    /// How long an idle HTTP/1.1 connection is kept.
    pub idle_timeout: Duration,
    /// How many connections may be open.
    pub max_connections: usize,
    /// How many admission requests may be in flight.
    pub max_requests: usize,
    /// How long one answer may take.
    pub deadline: Duration,
    /// After how long a connection is closed gracefully.
    pub max_connection_age: Duration,
    /// How long to answer after the signal to stop, not ready, before closing.
    pub drain: Duration,
    /// How long requests in flight may take after that.
    pub grace: Duration,
    /// How long a granted right is cached.
    pub remember: Duration,
    /// Live reads a second.
    pub qps: f64,
    /// Live reads at once.
    pub burst: u32,
    /// Whether pods that use a GMSA get a random hostname.
    pub random_hostname: bool,
    /// Whether workloads and credential specs are answered with warnings.
    pub early_warnings: bool,
    /// Whether the index of credential specs is kept.
    pub index: bool,
    /// The pod that the server runs in, for its events, and its uid.
    pub pod: Option<(String, Option<String>)>,
    /// Whether the counts of the last audit are exported.
    pub audit_results: bool,
    /// How logs are written.
    pub log_format: LogFormat,
    /// The least level that is logged.
    pub log_level: String,
    /// A check whether the API server calls the webhooks, instead of serving.
    pub check: Option<Check>,
    /// Where traces go, if anywhere.
    pub otlp_endpoint: Option<Collector>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `RANDOM_HOSTNAME` is not a Go boolean.
    #[error("failed to read RANDOM_HOSTNAME: \"{0}\" is not a boolean; use true or false")]
    RandomHostname(String),
    /// Manifests cannot be audited.
    #[error(
        "failed to audit: --store names manifests, and an audit is of a cluster; `kubectl gmsa \
         review` judges manifests"
    )]
    AuditOfStore,
    /// Manifests have no index.
    #[error(
        "failed to keep the index of credential specs: --store names manifests, and the index is an \
         object of a cluster; leave out --index"
    )]
    IndexOfStore,
    /// TLS settings come from two sources.
    #[error(
        "failed to set up TLS: --follow-tls-profile takes the settings from the cluster, and {0} is set \
         too; leave one of them out"
    )]
    TwoProfiles(&'static str),
    /// The cryptography of this build does not offer what is named.
    #[error(
        "failed to set up TLS: {names} in --tls-cipher-suites or --tls-curves is not approved by the \
         FIPS module that this server is built with; leave it out",
        names = .0.join(", ")
    )]
    NotApproved(Vec<&'static str>),
    /// The largest body would always be refused.
    #[error(
        "failed to limit bodies: --max-buffered-bytes is {all}, which is less than one body of \
         --max-body-bytes, {one}; raise the first or lower the second"
    )]
    BufferedBytes {
        /// The limit for all.
        all: usize,
        /// The limit for one.
        one: usize,
    },
    /// One of the two TLS files is missing.
    #[error(
        "failed to find a serving certificate: {given} is set but {missing} is not; set both \
         --tls-cert and --tls-key (or TLS_CRT and TLS_KEY)"
    )]
    HalfPair {
        /// What is set.
        given: &'static str,
        /// What is not.
        missing: &'static str,
    },
}

/// Resolves the arguments and the inherited environment. The second value has warnings to log.
#[expect(clippy::too_many_lines, reason = "one setting after the other")]
pub fn resolve(
    args: Args,
    env: impl Fn(&str) -> Option<String>,
) -> Result<(Config, Vec<String>), Error> {
    fit_together(&args)?;
    let tls = tls(&args)?;
    let mut warnings = Vec::new();
    let inherited = |name: &str| env(name).filter(|value| !value.is_empty());
    let tls_cert = args.tls_cert.or_else(|| inherited("TLS_CRT").map(PathBuf::from));
    let tls_key = args.tls_key.or_else(|| inherited("TLS_KEY").map(PathBuf::from));
    let existing = inherited("TLS_CRT").is_some() || inherited("TLS_KEY").is_some();
    let early_warnings = args.early_warnings.unwrap_or(false);
    let index = args.index.unwrap_or(false);
    let pod = args.pod_name.clone().map(|pod| (pod, args.pod_uid.clone()));
    let certificate = match (tls_cert, tls_key) {
        (Some(certificate), Some(key)) => CertificateSource::Files { certificate, key },
        (Some(_), None) => {
            return Err(Error::HalfPair { given: "the certificate", missing: "the key" });
        }
        (None, Some(_)) => {
            return Err(Error::HalfPair { given: "the key", missing: "the certificate" });
        }
        (None, None) if args.store.is_some() => {
            CertificateSource::Ephemeral { ca_file: args.ca_file_out }
        }
        (None, None) => CertificateSource::Managed {
            names: Names {
                namespace: args.namespace.clone(),
                service: args.service_name,
                secret: args.certificate_secret,
                further: [("early-warnings", early_warnings), ("index", index)]
                    .into_iter()
                    .filter(|(_, is_on)| *is_on)
                    .map(|(what, _)| format!("{}-{what}", args.webhook_configuration))
                    .collect(),
                configurations: args.webhook_configuration,
                pod: args.pod_name,
                pod_uid: args.pod_uid,
            },
            policy: Policy {
                authority: days(args.ca_validity),
                serving: days(args.certificate_validity),
                overlap: seconds(args.ca_overlap),
            },
        },
    };
    // An existing deployment without a port keeps listening on its old one.
    let default_port = if existing { 443 } else { 8443 };
    let mut number = |name: &str, usable: fn(&f64) -> bool| {
        let text = inherited(name)?;
        // Helm renders large numbers as 1e+06.
        let value = text.trim().parse().ok().filter(usable);
        if value.is_none() {
            warnings.push(format!("{name} is \"{text}\", which is not a usable number: ignored"));
        }
        value
    };
    let port = args.https_port.or_else(|| {
        let port = number("HTTPS_PORT", |port| port_of(*port).is_some())?;
        port_of(port)
    });
    let qps = args.qps.or_else(|| number("QPS", |qps| qps.is_finite() && *qps >= 0.0));
    let burst = args.burst.or_else(|| {
        let burst = number("BURST", |burst| *burst >= 1.0 && whole(*burst).is_some())?;
        whole(burst)
    });
    let given = args.log_level.map(|level| level.as_str().to_owned());
    let log_level = given.unwrap_or_else(|| level(inherited("LOG_LEVEL"), &mut warnings));
    let random_hostname = random_hostname(args.random_hostname, inherited("RANDOM_HOSTNAME"))?;
    let address = |port: u16| SocketAddr::new(args.listen, port);
    let config = Config {
        task: args.task,
        namespace: args.namespace,
        https: address(port.unwrap_or(default_port)),
        metrics: MetricsEndpoint {
            address: address(args.metrics_port),
            over_https: args.metrics_https.unwrap_or(false),
        },
        tls,
        certificate,
        client_ca: args.client_ca,
        facts: match args.store {
            Some(directory) => FactSource::Directory(directory),
            None => FactSource::Cluster { kubeconfig: args.kubeconfig },
        },
        max_body_bytes: args.max_body_bytes,
        max_buffered_bytes: args.max_buffered_bytes,
        max_places: args.max_places,
        header_timeout: seconds(args.header_timeout),
        body_timeout: seconds(args.body_timeout),
        idle_timeout: seconds(args.idle_timeout),
        max_connections: args.max_connections,
        max_requests: args.max_requests,
        deadline: seconds(args.deadline),
        max_connection_age: seconds(args.max_connection_age),
        drain: seconds(args.drain),
        grace: seconds(args.grace),
        remember: seconds(args.remember),
        qps: qps.unwrap_or(100.0),
        burst: burst.unwrap_or(200),
        random_hostname,
        early_warnings,
        index,
        pod,
        audit_results: args.audit_results.unwrap_or(false),
        log_format: args.log_format,
        log_level,
        check: args.check.map(|namespace| Check {
            namespace,
            within: seconds(args.check_within),
            policies: index,
        }),
        otlp_endpoint: args.otlp_endpoint,
    };
    Ok((config, warnings))
}

/// Whether settings contradict each other.
fn fit_together(args: &Args) -> Result<(), Error> {
    if args.task == Some(Task::Audit) && args.store.is_some() {
        return Err(Error::AuditOfStore);
    }
    if args.index == Some(true) && args.store.is_some() {
        return Err(Error::IndexOfStore);
    }
    if args.follow_tls_profile == Some(true) {
        let given = [
            ("--tls-min-version", args.tls_min_version.is_some()),
            ("--tls-cipher-suites", args.tls_cipher_suites.is_some()),
            ("--tls-curves", args.tls_curves.is_some()),
            ("--store", args.store.is_some()),
        ];
        if let Some((flag, _)) = given.into_iter().find(|(_, is_given)| *is_given) {
            return Err(Error::TwoProfiles(flag));
        }
    }
    if args.max_buffered_bytes < args.max_body_bytes {
        return Err(Error::BufferedBytes {
            all: args.max_buffered_bytes,
            one: args.max_body_bytes,
        });
    }
    Ok(())
}

fn random_hostname(flag: Option<bool>, inherited: Option<String>) -> Result<bool, Error> {
    match (flag, inherited) {
        (Some(value), _) => Ok(value),
        (None, Some(text)) => go_bool(&text).ok_or(Error::RandomHostname(text)),
        (None, None) => Ok(false),
    }
}

fn tls(args: &Args) -> Result<TlsSource, Error> {
    if args.follow_tls_profile == Some(true) {
        return Ok(TlsSource::ClusterProfile);
    }
    let settings = Settings {
        min_version: args.tls_min_version,
        cipher_suites: args.tls_cipher_suites.clone().map(|all| all.0).unwrap_or_default(),
        curves: args.tls_curves.clone().map(|all| all.0).unwrap_or_default(),
    };
    match not_offered(&settings) {
        names if names.is_empty() => Ok(TlsSource::Flags(settings)),
        names => Err(Error::NotApproved(names)),
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

fn days(days: f64) -> Duration {
    seconds(days * 86_400.0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked just before"
)]
fn whole(number: f64) -> Option<u32> {
    let fits = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
    fits.then_some(number as u32)
}

fn port_of(number: f64) -> Option<u16> {
    whole(number).and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0)
}

/// Translates a level of logrus, the logger behind the inherited variable.
fn inherited_level(text: &str) -> Option<String> {
    let level = match text.to_ascii_lowercase().as_str() {
        "panic" | "fatal" | "error" => "error",
        "warn" | "warning" => "warn",
        "info" => "info",
        "debug" => "debug",
        "trace" => "trace",
        _ => return None,
    };
    Some(level.to_owned())
}

/// A boolean as Go's `strconv.ParseBool` reads it.
pub(crate) fn go_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// The inherited level, or `info` if there is none or it is not a level.
fn level(inherited: Option<String>, warnings: &mut Vec<String>) -> String {
    let Some(text) = inherited else { return "info".to_owned() };
    inherited_level(&text).unwrap_or_else(|| {
        warnings.push(format!("LOG_LEVEL is \"{text}\", which is not a level: using info"));
        "info".to_owned()
    })
}

#[cfg(test)]
mod tests;
