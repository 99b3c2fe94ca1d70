//! The arguments of `install`, `upgrade`, `uninstall` and `status`.

use clap::{Args, ValueEnum};
use gmsa_cluster::installation::Version;

use super::shared::{ClusterFlags, DryRun};

/// What `install` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InstallOutput {
    /// One line for each object
    Name,
    /// The manifests, with --dry-run=client
    Yaml,
}

/// Where the serving certificate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CertificatesArg {
    /// The server makes and renews its own
    #[value(name = "self")]
    SelfManaged,
    /// cert-manager makes it and injects its CA
    CertManager,
    /// A Secret gmsa-webhook-certificates that you fill, and its CA
    Files,
}

/// What becomes of a pod when the webhook does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "PascalCase")]
pub enum FailurePolicy {
    /// It is refused
    Fail,
    /// It goes on to validation, which refuses it if it uses a GMSA
    Ignore,
}

/// `kubectl gmsa install` and `upgrade`
#[derive(Debug, Args)]
#[command(after_help = "\
What is not said is as it was at the last install, and else as told here.

Examples:
  # What would be created or changed?
  kubectl gmsa install --dry-run=server

  # Install, and wait until the webhook answers
  kubectl gmsa install

  # Take over from windows-gmsa: what would become of what?
  kubectl gmsa install --adopt --dry-run=server

  # Manifests for another tool
  kubectl gmsa install --dry-run=client -o yaml --kubernetes-version 1.30")]
pub struct Install {
    /// Whether anything is written
    #[arg(
        long,
        value_enum,
        value_name = "WHERE",
        default_value = "none",
        num_args = 0..=1,
        default_missing_value = "client",
        require_equals = true
    )]
    pub dry_run: DryRun,
    /// What to print
    #[arg(short, long, value_enum, default_value = "name")]
    pub output: InstallOutput,
    /// With --dry-run=client: for which version of Kubernetes [default: 1.28 and newer]
    #[arg(long, value_name = "VERSION")]
    pub kubernetes_version: Option<Version>,
    /// The namespace [default: gmsa-webhook]
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// How many replicas [default: 2]
    #[arg(long, value_name = "N")]
    pub replicas: Option<u32>,
    /// The image [default: the published one of this version]
    #[arg(long, value_name = "REF")]
    pub image: Option<String>,
    /// A Secret by which the image is pulled; can be given more than once
    #[arg(long, value_name = "NAME")]
    pub image_pull_secret: Vec<String>,
    /// Where the serving certificate comes from [default: self]
    #[arg(long, value_enum, value_name = "SOURCE")]
    pub certificates: Option<CertificatesArg>,
    /// With --certificates=files: the CAs in PEM that API servers are to trust [default: ca.crt of
    /// the Secret, else those of the last install]
    #[arg(long, value_name = "FILE")]
    pub ca_bundle: Option<String>,
    /// What becomes of a pod when the mutating webhook does not answer; validation always refuses
    /// what it cannot see [default: Fail]
    #[arg(long, value_enum, value_name = "POLICY")]
    pub mutating_failure_policy: Option<FailurePolicy>,
    /// Send only the pods of namespaces with the label gmsa-webhook=enabled [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true")]
    pub namespaces_opt_in: Option<bool>,
    /// Give pods that use a GMSA and set no hostname a random one [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true")]
    pub random_hostname: Option<bool>,
    /// Run on the nodes' network, where the control plane cannot reach pods [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true")]
    pub host_network: Option<bool>,
    /// The port on which the server listens [default: 8443]
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// How long the API server waits for an answer [default: 5]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=30))]
    pub timeout_seconds: Option<u32>,
    /// The priority class of the pods
    #[arg(long, value_name = "NAME")]
    pub priority_class: Option<String>,
    /// Warn whoever applies a workload whose pods would be denied, or changes a credential spec
    /// [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true")]
    pub early_warnings: Option<bool>,
    /// Audit the cluster on a schedule, with rights of its own, and export what is counted
    /// [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true")]
    pub audit: Option<bool>,
    /// When, in cron's words and the time zone of the cluster's controller manager
    /// [default: every six hours]
    #[arg(long, value_name = "CRON")]
    pub audit_schedule: Option<String>,
    /// Let whoever may view a namespace read credential specs [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true")]
    pub viewer_role: Option<bool>,
    /// Add a network policy [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true")]
    pub network_policy: Option<bool>,
    /// Add a service monitor of the Prometheus operator [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true")]
    pub service_monitor: Option<bool>,
    /// Add alert rules for the Prometheus operator [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true")]
    pub prometheus_rule: Option<bool>,
    /// Add a dashboard where Grafana's sidecar finds it [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true")]
    pub dashboard: Option<bool>,
    /// Where and how large the pods are
    #[command(flatten)]
    pub pods: PodFlags,
    /// Taking over from windows-gmsa
    #[command(flatten)]
    pub takeover: TakeoverFlags,
    /// Take over fields that somebody else manages
    #[arg(long)]
    pub force_conflicts: bool,
    /// How long to wait until the webhook answers
    #[arg(long, value_name = "SECONDS", default_value_t = 180)]
    pub wait: u64,
    /// Which cluster
    #[command(flatten)]
    pub target: ClusterFlags,
}

/// Where the webhook's pods run, and how large they are. An empty value takes away what an earlier
/// install was told.
#[derive(Debug, Args)]
#[command(next_help_heading = "Pods")]
pub struct PodFlags {
    /// A label that nodes must have; can be given more than once
    #[arg(long, value_name = "KEY=VALUE")]
    pub node_selector: Vec<String>,
    /// A taint of nodes that is tolerated; can be given more than once
    #[arg(long, value_name = "KEY[=VALUE][:EFFECT]")]
    pub toleration: Vec<String>,
    /// A file, JSON or YAML, with the affinity as in a pod's spec
    #[arg(long, value_name = "FILE")]
    pub affinity_file: Option<String>,
    /// The CPU that each pod asks for [default: 50m]
    #[arg(long, value_name = "QUANTITY")]
    pub cpu_request: Option<String>,
    /// The most CPU of each pod [default: no limit]
    #[arg(long, value_name = "QUANTITY")]
    pub cpu_limit: Option<String>,
    /// The memory that each pod asks for [default: 32Mi]
    #[arg(long, value_name = "QUANTITY")]
    pub memory_request: Option<String>,
    /// The most memory of each pod [default: 128Mi]
    #[arg(long, value_name = "QUANTITY")]
    pub memory_limit: Option<String>,
}

/// Taking over from windows-gmsa, and what stays of it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Takeover")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct TakeoverFlags {
    /// Take over from an installation of windows-gmsa, by its script or its chart, and remove it
    #[arg(long)]
    pub adopt: bool,
    /// Go on although some workloads' next pods will be denied
    #[arg(long)]
    pub accept_denials: bool,
    /// Send the pods of namespaces too that opted out by the labels of windows-gmsa
    #[arg(long)]
    pub end_exclusions: bool,
    /// How long API servers get to follow a change of webhook configurations, before what it
    /// replaces is stopped
    #[arg(long, value_name = "SECONDS", default_value_t = 15)]
    pub settle: u64,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}

/// `kubectl gmsa uninstall`
#[derive(Debug, Args)]
#[command(after_help = "\
Webhook configurations go first, so that no pod is refused because the server is gone. The resource
definition and the credential specs stay, unless --purge-credspecs is given.")]
pub struct Uninstall {
    /// Delete the resource definition too, and with it every credential spec of the cluster
    #[arg(long)]
    pub purge_credspecs: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Whether anything is deleted
    #[arg(
        long,
        value_enum,
        value_name = "WHERE",
        default_value = "none",
        num_args = 0..=1,
        default_missing_value = "client",
        require_equals = true
    )]
    pub dry_run: DryRun,
    /// The namespace
    #[arg(short, long, default_value = gmsa_cluster::installation::NAME)]
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
    /// The namespace
    #[arg(short, long, default_value = gmsa_cluster::installation::NAME)]
    pub namespace: String,
    /// Which cluster
    #[command(flatten)]
    pub target: ClusterFlags,
}

/// What `status` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StatusOutput {
    /// One line for each check
    Table,
    /// A report with a published schema
    Json,
}
