//! The arguments, and nothing but the arguments.

mod access;
pub mod account;
mod audit;
pub mod credspec;
mod doctor;
mod install;
mod report;
mod rights;
pub mod shared;

use std::path::PathBuf;

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use gmsa_core::finding::Severity;

pub use access::{Access, AccessOutput};
pub use audit::{Audit, AuditOutput};
pub use doctor::{Doctor, DoctorCommand, DoctorOutput, Explain};
pub use install::{
    CertificatesArg, FailurePolicy, Install, InstallOutput, PodFlags, Status, StatusOutput,
    Uninstall,
};
pub use report::ReportArgs;
pub use rights::{Account, Grant, ObjectOutput, Revoke, RightsFlags};

/// Active Directory identities for Windows pods: who may use them, what admission will say, and why.
#[derive(Debug, Parser)]
#[command(name = "kubectl-gmsa", bin_name = "kubectl gmsa", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Judge every workload in files as admission would
    Review(Review),
    /// Install the webhook and everything around it, and wait until it answers
    #[command(visible_alias = "upgrade")]
    Install(Box<Install>),
    /// Remove what install made; credential specs stay
    Uninstall(Uninstall),
    /// Show whether the webhook is as it should be
    Status(Status),
    /// Make and check credential specs
    #[command(subcommand)]
    Credspec(Box<credspec::Credspec>),
    /// Make and check group managed service accounts in Active Directory
    #[command(subcommand)]
    Account(Box<account::Account>),
    /// Let service accounts use credential specs
    Grant(Grant),
    /// Take that right from service accounts, and say whether another way is left
    Revoke(Revoke),
    /// Show who may use which credential spec, by what, and who uses it
    Access(Access),
    /// Find out why a pod has no identity, and mend what can be mended
    Doctor(Box<Doctor>),
    /// Write one HTML page: the access map, credential specs, and how the webhook is
    Report(ReportArgs),
    /// Hold what runs, or would run, against what admission would say now
    Audit(Audit),
    /// Print the completion script of a shell
    Completion(Completion),
    /// Print the version
    Version,
}

/// `kubectl gmsa review`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # What would happen to these manifests?
  kubectl gmsa review -f deploy/

  # The same, with the credential specs and rights of the cluster
  kubectl gmsa review -f deploy/ --cluster

  # The pods as they would be admitted
  kubectl gmsa review -f web.yaml -o yaml

  # From a chart
  helm template . | kubectl gmsa review -f -")]
pub struct Review {
    /// Files or directories of manifests; - is standard input
    #[arg(short, long = "filename", visible_alias = "file", value_name = "PATH", required = true)]
    pub filename: Vec<PathBuf>,
    /// Take credential specs and rights from the cluster instead of the files
    #[arg(long)]
    pub cluster: bool,
    /// The namespace of objects that name none [default: with --cluster that of the context,
    /// otherwise "default"]
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// From which severity of findings on the exit code is 1; a denial is an error
    #[arg(long, value_name = "SEVERITY", default_value = "error")]
    pub fail_on: Severity,
    /// What to print
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
    /// With --cluster: the kubeconfig
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// With --cluster: the context in the kubeconfig
    #[arg(long)]
    pub context: Option<String>,
}

/// What `review` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// A table, the reasons, and what to do
    Table,
    /// The same with the workloads that use no GMSA
    Wide,
    /// A report with a published schema
    Json,
    /// The objects as they would be admitted
    Yaml,
    /// SARIF 2.1.0, for code hosts
    Sarif,
}

/// `kubectl gmsa completion`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # For kubectl-gmsa itself, in bash
  source <(kubectl gmsa completion bash)

  # For `kubectl gmsa`: kubectl (1.26 and newer) asks a program of this name on the PATH, which is
  # the plugin under another name (on Windows a copy, kubectl_complete-gmsa.exe)
  ln -s kubectl-gmsa kubectl_complete-gmsa")]
pub struct Completion {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// The whole command, for generated documentation.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}
