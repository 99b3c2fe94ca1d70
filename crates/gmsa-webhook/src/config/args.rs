//! The flags, each with a `GMSA_` environment variable.
#![expect(clippy::doc_markdown, reason = "the comments are the words of --help")]

use std::any::TypeId;
use std::ffi::OsString;
use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;

use clap::{Arg, ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use gmsa_cluster::installation::tls::{self, CipherSuite, Curve, MinVersion};
use gmsa_core::names::METRICS_PORT;
use gmsa_core::printable::printable;

use super::go_bool;
use crate::telemetry::{Collector, LogFormat};

/// A log level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// Errors only.
    Error,
    /// Errors and warnings.
    Warn,
    /// Also what happens.
    Info,
    /// Also why.
    Debug,
    /// Everything, libraries included.
    Trace,
}

impl Level {
    /// The level's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// A list in one value, so that a flag replaces the list of its variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T>(pub Vec<T>);

/// Reads what is separated by commas.
fn listed<T>(
    one: fn(&str) -> Result<T, String>,
) -> impl Fn(&str) -> Result<Listed<T>, String> + Clone {
    move |text| {
        let read = |name: &str| one(name).map_err(|why| format!("\"{}\": {why}", printable(name)));
        text.split(',').map(read).collect::<Result<_, _>>().map(Listed)
    }
}

/// A task to run instead of serving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum Task {
    /// Audit the cluster once, and store the result in it
    ///
    /// Checks running pods and workloads against the current policy, as `kubectl gmsa audit` does, and
    /// stores the result: the counts in the ConfigMap gmsa-webhook-audit of the namespace, the
    /// findings in policy reports (openreports.io/v1alpha1 or wgpolicyk8s.io/v1alpha2) of that name if the cluster serves them,
    /// or else in the ConfigMap.
    Audit,
}

/// The admission webhook for GMSA on Kubernetes.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "gmsa-webhook",
    version = crate::VERSION,
    about,
    args_override_self = true,
    max_term_width = 100,
    mut_args(switch)
)]
pub struct Args {
    /// A task to run instead of serving
    #[command(subcommand)]
    pub task: Option<Task>,
    /// The address to listen on; `::` accepts IPv4 too
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V6(Ipv6Addr::UNSPECIFIED))]
    pub listen: IpAddr,
    /// The HTTPS port; 0 picks a free one [default: HTTPS_PORT; 8443, or 443 if TLS_CRT or TLS_KEY
    /// is set]
    #[arg(long, value_name = "PORT")]
    pub https_port: Option<u16>,
    /// The port for metrics; 0 picks a free one
    #[arg(long, value_name = "PORT", default_value_t = METRICS_PORT)]
    pub metrics_port: u16,
    /// Serve metrics over HTTPS, with the serving certificate and the same TLS settings [default:
    /// false]
    #[arg(long, value_parser = boolean)]
    pub metrics_https: Option<bool>,
    /// The lowest TLS version: VersionTLS12 or VersionTLS13 [default: VersionTLS12]
    #[arg(long, value_name = "VERSION", value_parser = tls::min_version)]
    pub tls_min_version: Option<MinVersion>,
    /// The cipher suites by their Kubernetes names, separated by commas; those of TLS 1.3 are all
    /// used if none of them is named [default: all that are known]
    #[arg(long, value_name = "NAMES", value_parser = listed(tls::cipher_suite))]
    pub tls_cipher_suites: Option<Listed<CipherSuite>>,
    /// The groups for the key exchange, separated by commas: Go or IANA names, or the numbers that
    /// Kubernetes uses; the client's order decides [default:
    /// X25519MLKEM768,X25519,CurveP256,CurveP384]
    #[arg(long, value_name = "NAMES", value_parser = listed(tls::curve))]
    pub tls_curves: Option<Listed<Curve>>,
    /// Take the TLS settings from the profile of an OpenShift cluster (spec.tlsSecurityProfile of
    /// apiservers.config.openshift.io/cluster), where that object exists [default: false]
    #[arg(long, value_parser = boolean)]
    pub follow_tls_profile: Option<bool>,
    /// The serving certificate chain in PEM [default: TLS_CRT]
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// The key of the certificate in PEM [default: TLS_KEY]
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// The namespace of the Service, the certificate Secret and the audit results [default: the
    /// pod's own]
    #[arg(long, global = true, value_name = "NAME")]
    pub namespace: Option<String>,
    /// The Service through which API servers reach this server: the name in generated certificates
    #[arg(long, value_name = "NAME", default_value = "gmsa-webhook")]
    pub service_name: String,
    /// The Secret that stores generated certificates, if --tls-cert is not set
    #[arg(long, value_name = "NAME", default_value = "gmsa-webhook-certificates")]
    pub certificate_secret: String,
    /// The webhook configurations whose CA bundle the server maintains, if --tls-cert is not set
    #[arg(long, value_name = "NAME", default_value = "gmsa-webhook")]
    pub webhook_configuration: String,
    /// Do not serve; check that the API server calls both webhooks, or with --index that its policies
    /// decide, by dry runs of pods in this namespace that must be denied, and exit with 0 if all answer
    /// within --check-within
    #[arg(long, value_name = "NAMESPACE", conflicts_with = "store")]
    pub check: Option<String>,
    /// How long --check waits for both answers
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0, value_parser = number)]
    pub check_within: f64,
    /// The pod that the server runs in, for its events [default: events are about the Secret]
    #[arg(long, value_name = "NAME")]
    pub pod_name: Option<String>,
    /// The UID of that pod
    #[arg(long, value_name = "UID", requires = "pod_name")]
    pub pod_uid: Option<String>,
    /// The lifetime of a generated serving certificate, which is renewed after two thirds of it
    #[arg(long, value_name = "DAYS", default_value_t = 90.0, value_parser = lifetime)]
    pub certificate_validity: f64,
    /// The lifetime of a generated CA, which is replaced after two thirds of it
    #[arg(long, value_name = "DAYS", default_value_t = 730.0, value_parser = lifetime)]
    pub ca_validity: f64,
    /// How long a new CA is trusted before its first use, and an old one after its last
    #[arg(long, value_name = "SECONDS", default_value_t = 300.0, value_parser = positive)]
    pub ca_overlap: f64,
    /// Answer admission requests only from clients with a certificate of this CA
    #[arg(long, value_name = "FILE")]
    pub client_ca: Option<PathBuf>,
    /// The kubeconfig of the cluster [default: KUBECONFIG, then the pod's own service account]
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Read credential specs, roles and bindings from the manifests in this directory instead of a
    /// cluster
    #[arg(long, value_name = "DIR", conflicts_with = "kubeconfig")]
    pub store: Option<PathBuf>,
    /// With --store and without --tls-cert: where to write the CA of the generated certificate
    #[arg(long, value_name = "FILE", requires = "store")]
    pub ca_file_out: Option<PathBuf>,
    /// The largest request body
    #[arg(long, value_name = "BYTES", default_value_t = 8 * 1024 * 1024)]
    pub max_body_bytes: usize,
    /// How many bytes of request bodies may be buffered, over all requests; beyond that, requests
    /// are refused with HTTP status 429, and API servers retry; at least --max-body-bytes
    #[arg(long, value_name = "BYTES", default_value_t = 32 * 1024 * 1024)]
    pub max_buffered_bytes: usize,
    /// How many fields of one pod may name a GMSA
    #[arg(long, value_name = "N", default_value_t = gmsa_core::admission::MAX_PLACES,
        value_parser = at_least_one)]
    pub max_places: usize,
    /// How long a TLS handshake, and the headers of a request, may take
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, value_parser = positive)]
    pub header_timeout: f64,
    /// How long a body may take to arrive
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, value_parser = positive)]
    pub body_timeout: f64,
    /// How long an idle HTTP/1.1 connection stays open: longer than the 90 seconds of API servers,
    /// because they do not retry a request on a closed connection
    #[arg(long, value_name = "SECONDS", default_value_t = 125.0, value_parser = positive)]
    pub idle_timeout: f64,
    /// How many connections may be open; beyond that, new ones wait
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = at_least_one)]
    pub max_connections: usize,
    /// How many admission requests may be in flight; beyond that, they are denied with code 429
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub max_requests: usize,
    /// How long one answer may take, but at most four fifths of the timeout that the API server
    /// sends
    #[arg(long, value_name = "SECONDS", default_value_t = 4.0, value_parser = positive)]
    pub deadline: f64,
    /// The age at which a connection is closed gracefully, plus or minus a tenth
    #[arg(long, value_name = "SECONDS", default_value_t = 300.0, value_parser = positive)]
    pub max_connection_age: f64,
    /// How long to keep answering after the signal to stop, so that the Service's endpoints are updated first
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, value_parser = number)]
    pub drain: f64,
    /// How long requests in flight may take after that
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, value_parser = positive)]
    pub grace: f64,
    /// How long a granted right is cached, at most 10; 0 turns the cache off
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, value_parser = up_to_ten)]
    pub remember: f64,
    /// Direct reads per second; 0 means no limit [default: QPS, then 100]
    #[arg(long, value_name = "N", value_parser = number)]
    pub qps: Option<f64>,
    /// Direct reads at once [default: BURST, then 200]
    #[arg(long, value_name = "N")]
    pub burst: Option<u32>,
    /// Give a random hostname to pods that use a GMSA and set none [default: RANDOM_HOSTNAME]
    #[arg(long, value_parser = boolean)]
    pub random_hostname: Option<bool>,
    /// Serve /warn and /validate-credspec, which warn about workloads whose pods would be denied and
    /// about credential specs with findings; their configuration is --webhook-configuration followed
    /// by -early-warnings [default: false]
    #[arg(long, value_parser = boolean)]
    pub early_warnings: Option<bool>,
    /// Keep the index of credential specs (the object gmsa of the kind GMSAIndex), which the admission
    /// policies of API servers from 1.36 read, and serve /index-credspec, which puts a credential spec
    /// into it before it is created [default: false]
    #[arg(long, value_parser = boolean)]
    pub index: Option<bool>,
    /// Export the counts of the last audit, from the ConfigMap gmsa-webhook-audit that `gmsa-webhook
    /// audit` writes [default: false]
    #[arg(long, value_parser = boolean)]
    pub audit_results: Option<bool>,
    /// The format of the log
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,
    /// The lowest level to log [default: LOG_LEVEL, then info]
    #[arg(long, global = true, value_enum, value_name = "LEVEL")]
    pub log_level: Option<Level>,
    /// Send traces to this OpenTelemetry collector (OTLP in protobuf over plain HTTP), such as
    /// http://collector:4318
    #[arg(long, value_name = "URL")]
    pub otlp_endpoint: Option<Collector>,
    /// Accepted for existing deployments: certificates are always reloaded
    #[arg(long, value_parser = boolean)]
    pub cert_reload: Option<bool>,
}

/// The command, with the environment variable of each flag in its help.
#[must_use]
pub fn command() -> clap::Command {
    let mut command = Args::command();
    let flags: Vec<String> = longs(&command);
    for flag in flags {
        let variable = variable(&flag);
        command = command.mut_arg(flag.replace('-', "_"), |arg| {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            arg.help(format!("{help} [env: {variable}]"))
        });
    }
    command
}

/// Parses arguments, the first being the program's name. Variables come before the arguments, so
/// that a flag overrides them.
pub fn parse(
    args: impl IntoIterator<Item = OsString>,
    env: impl Fn(&str) -> Option<String>,
) -> Result<Args, clap::Error> {
    let command = command();
    let mut given = args.into_iter();
    let mut all: Vec<OsString> = given.next().into_iter().collect();
    for flag in longs(&command) {
        if let Some(value) = env(&variable(&flag)).filter(|value| !value.is_empty()) {
            all.push(format!("--{flag}={value}").into());
        }
    }
    all.extend(given);
    Args::from_arg_matches(&command.try_get_matches_from(all)?)
}

fn longs(command: &clap::Command) -> Vec<String> {
    command
        .get_arguments()
        .filter_map(clap::Arg::get_long)
        .filter(|long| !matches!(*long, "help" | "version"))
        .map(str::to_owned)
        .collect()
}

/// `--https-port` is `GMSA_HTTPS_PORT`.
fn variable(flag: &str) -> String {
    format!("GMSA_{}", flag.replace('-', "_").to_ascii_uppercase())
}

/// Lets an optional boolean stand without a value, for true, or with `=true` or `=false`.
fn switch(arg: Arg) -> Arg {
    let is_bool = arg.get_value_parser().type_id() == TypeId::of::<bool>();
    if !(is_bool && matches!(arg.get_action(), ArgAction::Set)) {
        return arg;
    }
    arg.value_name("BOOL").num_args(0..=1).require_equals(true).default_missing_value("true")
}

fn boolean(text: &str) -> Result<bool, String> {
    go_bool(text).ok_or_else(|| "expected true or false".to_owned())
}

fn number(text: &str) -> Result<f64, String> {
    text.parse::<f64>()
        .ok()
        .filter(|value| value.is_finite() && *value >= 0.0)
        .ok_or_else(|| "expected a number that is not negative".to_owned())
}

fn positive(text: &str) -> Result<f64, String> {
    number(text).ok().filter(|value| *value > 0.0).ok_or_else(|| "expected more than 0".to_owned())
}

/// From a second to a hundred years.
fn lifetime(text: &str) -> Result<f64, String> {
    number(text)
        .ok()
        .filter(|days| (1.0 / 86_400.0..=36_500.0).contains(days))
        .ok_or_else(|| "expected days, at most 36500".to_owned())
}

fn up_to_ten(text: &str) -> Result<f64, String> {
    number(text).ok().filter(|value| *value <= 10.0).ok_or_else(|| "expected 0 to 10".to_owned())
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse::<usize>()
        .ok()
        .filter(|value| *value > 0)
        .ok_or_else(|| "expected a whole number from 1".to_owned())
}
