//! The flags, each with a `GMSA_` environment variable.
#![expect(clippy::doc_markdown, reason = "the comments are the words of --help")]

use std::ffi::OsString;
use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use super::go_bool;
use crate::telemetry::{Collector, LogFormat};

/// A log level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// Errors only.
    Error,
    /// And warnings.
    Warn,
    /// And what happens.
    Info,
    /// And why.
    Debug,
    /// And all else.
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

/// What the program does instead of serving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum Task {
    /// Audit the cluster once, and keep the result in it
    ///
    /// Holds everything that runs, or would run, against what admission would say now, as `kubectl
    /// gmsa audit` does, and writes the result: the numbers into the ConfigMap gmsa-webhook-audit of
    /// the namespace, the findings into policy reports (wgpolicyk8s.io/v1alpha2) of that name where
    /// the cluster knows these, and else into the ConfigMap.
    Audit,
}

/// The admission webhook for GMSA on Kubernetes.
#[derive(Clone, Debug, Parser)]
#[command(name = "gmsa-webhook", version, about, args_override_self = true, max_term_width = 100)]
pub struct Args {
    /// What to do instead of serving
    #[command(subcommand)]
    pub task: Option<Task>,
    /// The address to listen on; `::` takes IPv4 as well
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V6(Ipv6Addr::UNSPECIFIED))]
    pub listen: IpAddr,
    /// The HTTPS port; 0 is any free one [default: HTTPS_PORT; 8443, or 443 where TLS_CRT or
    /// TLS_KEY is inherited]
    #[arg(long, value_name = "PORT")]
    pub https_port: Option<u16>,
    /// The port of the metrics, plain HTTP; 0 is any free one
    #[arg(long, value_name = "PORT", default_value_t = 9443)]
    pub metrics_port: u16,
    /// The serving certificate chain in PEM [default: TLS_CRT]
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// The key of the certificate in PEM [default: TLS_KEY]
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// The namespace of the Service, of the certificates' Secret and of the audit's results
    /// [default: the pod's own]
    #[arg(long, global = true, value_name = "NAME")]
    pub namespace: Option<String>,
    /// The Service by which API servers reach this server: the name in certificates that it makes
    #[arg(long, value_name = "NAME", default_value = "gmsa-webhook")]
    pub service_name: String,
    /// The Secret in which certificates that the server makes are kept, where --tls-cert is not set
    #[arg(long, value_name = "NAME", default_value = "gmsa-webhook-certificates")]
    pub certificate_secret: String,
    /// The webhook configurations whose CA bundle the server keeps, where --tls-cert is not set
    #[arg(long, value_name = "NAME", default_value = "gmsa-webhook")]
    pub webhook_configuration: String,
    /// Do not serve: ask the API server, by dry runs of pods of this namespace that must be refused,
    /// whether it asks the webhooks, and end with 0 if both answer within --check-within
    #[arg(long, value_name = "NAMESPACE", conflicts_with = "store")]
    pub check: Option<String>,
    /// How long --check waits for the answers
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0, value_parser = number)]
    pub check_within: f64,
    /// The pod in which the server runs, on which its events stand [default: they stand on the Secret]
    #[arg(long, value_name = "NAME")]
    pub pod_name: Option<String>,
    /// The uid of that pod
    #[arg(long, value_name = "UID", requires = "pod_name")]
    pub pod_uid: Option<String>,
    /// How long a serving certificate that the server makes is valid; after two thirds it is renewed
    #[arg(long, value_name = "DAYS", default_value_t = 90.0, value_parser = lifetime)]
    pub certificate_validity: f64,
    /// How long a CA that the server makes is valid; after two thirds it is replaced
    #[arg(long, value_name = "DAYS", default_value_t = 730.0, value_parser = lifetime)]
    pub ca_validity: f64,
    /// How long a new CA is trusted before it is used, and an old one afterwards
    #[arg(long, value_name = "SECONDS", default_value_t = 300.0, value_parser = positive)]
    pub ca_overlap: f64,
    /// Serve admission requests only to callers with a certificate of this CA
    #[arg(long, value_name = "FILE")]
    pub client_ca: Option<PathBuf>,
    /// The kubeconfig of the cluster [default: KUBECONFIG, then the pod's own service account]
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Take credential specs, roles and bindings from the manifests in this directory instead of a
    /// cluster
    #[arg(long, value_name = "DIR", conflicts_with = "kubeconfig")]
    pub store: Option<PathBuf>,
    /// With --store and without --tls-cert: where to write the CA of the certificate that is made
    #[arg(long, value_name = "FILE", requires = "store")]
    pub ca_file_out: Option<PathBuf>,
    /// The largest body
    #[arg(long, value_name = "BYTES", default_value_t = 8 * 1024 * 1024)]
    pub max_body_bytes: usize,
    /// How many bytes of bodies may be in hand, all together; beyond that requests are refused with
    /// HTTP status 429, and API servers try again; from --max-body-bytes on
    #[arg(long, value_name = "BYTES", default_value_t = 32 * 1024 * 1024)]
    pub max_bytes_in_hand: usize,
    /// How many places of one pod may use a GMSA
    #[arg(long, value_name = "N", default_value_t = gmsa_core::admission::MAX_PLACES,
        value_parser = at_least_one)]
    pub max_places: usize,
    /// How long a TLS handshake, and the head of a request, may take
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, value_parser = positive)]
    pub header_timeout: f64,
    /// How long a body may take to arrive
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, value_parser = positive)]
    pub body_timeout: f64,
    /// How long an idle HTTP/1.1 connection is kept: longer than API servers keep it, which is 90
    /// seconds, because they do not repeat a request that met a closed one
    #[arg(long, value_name = "SECONDS", default_value_t = 125.0, value_parser = positive)]
    pub idle_timeout: f64,
    /// How many connections may be open; beyond that none is accepted
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = at_least_one)]
    pub max_connections: usize,
    /// How many admission requests may be in hand; beyond that they are denied with code 429
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub max_requests: usize,
    /// How long one answer may take, and at most four fifths of the timeout that the API server says
    /// it has
    #[arg(long, value_name = "SECONDS", default_value_t = 4.0, value_parser = positive)]
    pub deadline: f64,
    /// After how long a connection is closed gracefully, give or take a tenth
    #[arg(long, value_name = "SECONDS", default_value_t = 300.0, value_parser = positive)]
    pub max_connection_age: f64,
    /// How long to go on answering after the signal to stop, until endpoints have noticed
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, value_parser = number)]
    pub drain: f64,
    /// How long requests in flight may take after that
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, value_parser = positive)]
    pub grace: f64,
    /// How long a granted right is remembered, at most 10; 0 turns it off
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, value_parser = up_to_ten)]
    pub remember: f64,
    /// Live reads a second; 0 is no limit [default: QPS, then 100]
    #[arg(long, value_name = "N", value_parser = number)]
    pub qps: Option<f64>,
    /// Live reads at once [default: BURST, then 200]
    #[arg(long, value_name = "N")]
    pub burst: Option<u32>,
    /// Give pods that use a GMSA and set no hostname a random one [default: RANDOM_HOSTNAME]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_parser = boolean)]
    pub random_hostname: Option<bool>,
    /// Serve /warn and /validate-credspec, which warn of workloads whose pods would be denied and
    /// of credential specs with findings; their configuration has the name of
    /// --webhook-configuration and -early-warnings [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_parser = boolean)]
    pub early_warnings: Option<bool>,
    /// Export what the last audit counted, from the ConfigMap gmsa-webhook-audit that `gmsa-webhook
    /// audit` writes [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_parser = boolean)]
    pub audit_results: Option<bool>,
    /// Threads; 1 is fastest for the few connections that API servers open
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least_one)]
    pub threads: usize,
    /// How logs are written
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,
    /// From which level on [default: LOG_LEVEL, then info]
    #[arg(long, global = true, value_enum, value_name = "LEVEL")]
    pub log_level: Option<Level>,
    /// Send traces to this OpenTelemetry collector (OTLP in protobuf over plain HTTP), such as
    /// http://collector:4318
    #[arg(long, value_name = "URL")]
    pub otlp_endpoint: Option<Collector>,
    /// Accepted for existing deployments: certificates are always reloaded
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_parser = boolean)]
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

/// Parses arguments, the first being the program's name. Variables stand before the arguments, so
/// a flag beats them.
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
