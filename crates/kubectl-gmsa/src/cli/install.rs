//! The arguments of `install`, `upgrade`, `uninstall` and `status`.
#![expect(clippy::doc_markdown, reason = "the comments are the words of --help")]

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use gmsa_cluster::installation::Version;

use super::shared::{ClusterFlags, DryRunFlag, switch};

/// What `install` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InstallOutput {
    /// One line for each object
    Name,
    /// The manifests (with --dry-run=client)
    Yaml,
}

/// Where the serving certificate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CertificatesArg {
    /// The server issues and renews its own certificate
    #[value(name = "self")]
    SelfManaged,
    /// cert-manager issues it
    CertManager,
    /// You provide it in the Secret gmsa-webhook-certificates
    Files,
}

/// What decides on pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineArg {
    /// A webhook, which API servers call for each pod that uses a GMSA
    Webhook,
    /// Admission policies, which API servers from 1.36 evaluate themselves
    Policy,
    /// What is best for the API server; at present always the webhook
    Auto,
}

/// What happens to a pod when the webhook does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "PascalCase")]
pub enum FailurePolicy {
    /// The pod is refused
    Fail,
    /// The pod goes on to validation, which refuses it if it uses a GMSA
    Ignore,
}

/// `kubectl gmsa install` and `upgrade`
#[derive(Debug, Args)]
#[command(
    mut_args(switch),
    after_help = "\
Options you omit keep their value from the previous install, or the default shown above.

Examples:
  # Preview what would be created or changed
  kubectl gmsa install --dry-run=server

  # Install, and wait until the webhook answers
  kubectl gmsa install

  # Preview replacing windows-gmsa
  kubectl gmsa install --adopt --dry-run=server

  # Replace windows-gmsa by admission policies
  kubectl gmsa install --adopt --engine=policy

  # Write the manifests for another tool
  kubectl gmsa install --dry-run=client -o yaml --kubernetes-version 1.30

  # Let API servers from 1.36 decide by themselves, with nothing running in the cluster
  kubectl gmsa install --engine=policy --static -f credential-specs/"
)]
pub struct Install {
    /// `--dry-run`
    #[command(flatten)]
    pub dry_run: DryRunFlag,
    /// What to print
    #[arg(short, long, value_enum, default_value = "name")]
    pub output: InstallOutput,
    /// With --dry-run=client: the Kubernetes version of the target cluster [default: 1.28 and newer]
    #[arg(long, value_name = "VERSION")]
    pub kubernetes_version: Option<Version>,
    /// The namespace [default: gmsa-webhook]
    #[arg(short, long, value_parser = super::shared::namespace)]
    pub namespace: Option<String>,
    /// The number of replicas [default: 2]
    #[arg(long, value_name = "N")]
    pub replicas: Option<u32>,
    /// The webhook's image [default: the published image of this version]
    #[arg(long, value_name = "REF")]
    pub image: Option<String>,
    /// A Secret for pulling the image; can be repeated
    #[arg(long, value_name = "NAME")]
    pub image_pull_secret: Vec<String>,
    /// What decides on pods; a running installation is switched without a pause [default: webhook]
    #[arg(long, value_enum)]
    pub engine: Option<EngineArg>,
    /// Where the serving certificate comes from [default: self]
    #[arg(long, value_enum, value_name = "SOURCE")]
    pub certificates: Option<CertificatesArg>,
    /// With --certificates=files: a PEM file of the CAs that the API server trusts [default: ca.crt of
    /// the Secret, or the bundle of the previous install]
    #[arg(long, value_name = "FILE")]
    pub ca_bundle: Option<String>,
    /// What happens to a pod when the mutating webhook does not answer. The validating webhook always
    /// uses Fail [default: Fail]
    #[arg(long, value_enum, value_name = "POLICY")]
    pub mutating_failure_policy: Option<FailurePolicy>,
    /// Add an admission policy that refuses pods that bypass the webhook (Kubernetes 1.30 and newer) [default:
    /// true]
    #[arg(long)]
    pub guard: Option<bool>,
    /// Add an admission policy that lets only cluster administrators change the webhook configurations, the
    /// resource definitions, the webhook's cluster roles and the index of the policy engine (Kubernetes 1.30
    /// and newer) [default: false]
    #[arg(long)]
    pub protect: Option<bool>,
    /// Check only pods in namespaces labeled gmsa-webhook=enabled [default: false]
    #[arg(long)]
    pub namespaces_opt_in: Option<bool>,
    /// Do not check pods in kube-system and kube-node-lease, for clusters whose rules demand it; a pod
    /// there can then use any credential spec [default: false]
    #[arg(long)]
    pub skip_system_namespaces: Option<bool>,
    /// Give each pod that uses a GMSA and sets no hostname a random one [default: false]
    #[arg(long)]
    pub random_hostname: Option<bool>,
    /// Run on the nodes' network, for control planes that cannot reach pods [default: false]
    #[arg(long)]
    pub host_network: Option<bool>,
    /// The port the server listens on [default: 8443]
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// The number of seconds the API server waits for a response [default: 5]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=30))]
    pub timeout_seconds: Option<u32>,
    /// The priority class of the pods
    #[arg(long, value_name = "NAME")]
    pub priority_class: Option<String>,
    /// Warn users who apply a workload whose pods would be denied, or who change a credential spec in
    /// use [default: false]
    #[arg(long)]
    pub early_warnings: Option<bool>,
    /// Audit the cluster on a schedule and export the counts as metrics [default: false]
    #[arg(long)]
    pub audit: Option<bool>,
    /// The audit's schedule in cron format, in the time zone of the controller manager [default: every
    /// six hours]
    #[arg(long, value_name = "CRON")]
    pub audit_schedule: Option<String>,
    /// Let users with the view role read credential specs [default: false]
    #[arg(long)]
    pub viewer_role: Option<bool>,
    /// Add a network policy [default: false]
    #[arg(long)]
    pub network_policy: Option<bool>,
    /// Add a service monitor for the Prometheus operator [default: false]
    #[arg(long)]
    pub service_monitor: Option<bool>,
    /// Add alert rules for the Prometheus operator [default: false]
    #[arg(long)]
    pub prometheus_rule: Option<bool>,
    /// Add a dashboard for Grafana's sidecar [default: false]
    #[arg(long)]
    pub dashboard: Option<bool>,
    /// Policies without a controller
    #[command(flatten)]
    pub literals: StaticFlags,
    /// Where and how large the pods are
    #[command(flatten)]
    pub pods: PodFlags,
    /// The server's TLS settings
    #[command(flatten)]
    pub tls: TlsFlags,
    /// Taking over from windows-gmsa
    #[command(flatten)]
    pub takeover: TakeoverFlags,
    /// Take over fields that another manager owns
    #[arg(long)]
    pub force_conflicts: bool,
    /// The number of seconds to wait for the webhook to answer
    #[arg(long, value_name = "SECONDS", default_value_t = 180)]
    pub wait: u64,
    /// Which cluster
    #[command(flatten)]
    pub target: ClusterFlags,
}

/// Policies that have the credential specs in them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Static policies")]
pub struct StaticFlags {
    /// With --engine=policy: write the credential specs into the policies, so that nothing runs in the
    /// cluster
    #[arg(long = "static", requires = "engine")]
    pub is_static: bool,
    /// With --static: files or directories of manifests with the credential specs; - is standard input
    /// [default: the credential specs of the cluster]
    #[arg(short, long, visible_alias = "file", value_name = "PATH", requires = "is_static")]
    pub filename: Vec<PathBuf>,
}

/// Where the webhook's pods run, and how large they are. An empty value removes what an earlier
/// install set.
#[derive(Debug, Args)]
#[command(next_help_heading = "Pods")]
pub struct PodFlags {
    /// A label that nodes must have; can be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub node_selector: Vec<String>,
    /// A node taint to tolerate; can be repeated
    #[arg(long, value_name = "KEY[=VALUE][:EFFECT]")]
    pub toleration: Vec<String>,
    /// A JSON or YAML file with the pods' affinity
    #[arg(long, value_name = "FILE")]
    pub affinity_file: Option<String>,
    /// The CPU request of each pod [default: 50m]
    #[arg(long, value_name = "QUANTITY")]
    pub cpu_request: Option<String>,
    /// The CPU limit of each pod [default: none]
    #[arg(long, value_name = "QUANTITY")]
    pub cpu_limit: Option<String>,
    /// The memory request of each pod [default: 32Mi]
    #[arg(long, value_name = "QUANTITY")]
    pub memory_request: Option<String>,
    /// The memory limit of each pod [default: 128Mi]
    #[arg(long, value_name = "QUANTITY")]
    pub memory_limit: Option<String>,
}

/// The server's TLS settings. An empty value removes what an earlier install set.
#[derive(Debug, Args)]
#[command(next_help_heading = "TLS")]
pub struct TlsFlags {
    /// The lowest TLS version: VersionTLS12 or VersionTLS13 [default: VersionTLS12]
    #[arg(long, value_name = "VERSION")]
    pub tls_min_version: Option<String>,
    /// The cipher suites by their Kubernetes names, separated by commas [default: all that are known]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub tls_cipher_suites: Option<Vec<String>>,
    /// The groups for the key exchange, separated by commas [default:
    /// X25519MLKEM768,X25519,CurveP256,CurveP384]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub tls_curves: Option<Vec<String>>,
    /// Take the TLS settings from the profile of an OpenShift cluster, where there is one [default:
    /// false]
    #[arg(long)]
    pub follow_tls_profile: Option<bool>,
    /// Serve metrics over HTTPS, with the serving certificate [default: false]
    #[arg(long)]
    pub metrics_https: Option<bool>,
}

/// Replacing windows-gmsa.
#[derive(Debug, Args)]
#[command(next_help_heading = "Takeover")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct TakeoverFlags {
    /// Replace an installation of windows-gmsa, made by its script or its chart
    #[arg(long)]
    pub adopt: bool,
    /// Continue even if new pods of some workloads will be denied
    #[arg(long)]
    pub accept_denials: bool,
    /// Also check pods in namespaces that opted out with the labels of windows-gmsa
    #[arg(long)]
    pub end_exclusions: bool,
    /// The number of seconds to let API servers pick up new webhook configurations or policies before
    /// the old ones are deleted
    #[arg(long, value_name = "SECONDS", default_value_t = 15)]
    pub settle: u64,
    /// Do not ask for confirmation
    #[arg(short, long)]
    pub yes: bool,
}

/// `kubectl gmsa uninstall`
#[derive(Debug, Args)]
#[command(after_help = "\
The guard and the webhook configurations are deleted first, so that no pod is refused because the
server is gone. The resource definition and the credential specs stay unless you give
--purge-credspecs.")]
pub struct Uninstall {
    /// Also delete the resource definition, and with it every credential spec in the cluster
    #[arg(long)]
    pub purge_credspecs: bool,
    /// Do not ask for confirmation
    #[arg(short, long)]
    pub yes: bool,
    /// `--dry-run`
    #[command(flatten)]
    pub dry_run: DryRunFlag,
    /// The namespace of the webhook
    #[arg(short, long, default_value = gmsa_core::names::NAME, value_parser = super::shared::namespace)]
    pub namespace: String,
    /// Which cluster
    #[command(flatten)]
    pub target: ClusterFlags,
}

/// `kubectl gmsa status`
#[derive(Debug, Args)]
pub struct Status {
    /// What to print
    #[arg(short, long, value_enum, default_value = "table")]
    pub output: StatusOutput,
    /// The namespace of the webhook
    #[arg(short, long, default_value = gmsa_core::names::NAME, value_parser = super::shared::namespace)]
    pub namespace: String,
    /// Which cluster
    #[command(flatten)]
    pub target: ClusterFlags,
}

/// What `status` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StatusOutput {
    /// A line for each check
    Table,
    /// The same with the evidence for each check
    Wide,
    /// A report with a published schema
    Json,
    /// The same as YAML
    Yaml,
}
