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

use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use gmsa_core::finding::Severity;

pub use access::{Access, AccessOutput};
pub use audit::{Audit, AuditOutput};
pub use doctor::{Doctor, DoctorCommand, DoctorOutput, Explain};
pub use install::{
    CertificatesArg, EngineArg, FailurePolicy, Install, InstallOutput, PodFlags, Status,
    StatusOutput, TlsFlags, Uninstall,
};
pub use report::ReportArgs;
pub use rights::{Account, Grant, ObjectOutput, Revoke, RightsFlags};

/// Give Windows pods their Active Directory identity (gMSA): install the webhook, make credential
/// specs, grant rights, preview admission, and diagnose pods.
#[derive(Debug, Parser)]
#[command(name = "kubectl-gmsa", bin_name = "kubectl gmsa", version, max_term_width = 100)]
pub struct Cli {
    /// Flags before the command.
    #[command(flatten)]
    before: Before,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags that kubectl's users write before the command, too. Each command that has one shows it itself.
#[derive(Debug, Args)]
struct Before {
    /// The kubeconfig file
    #[arg(long, value_name = "FILE", global = true, hide = true)]
    kubeconfig: Option<PathBuf>,
    /// The kubeconfig context
    #[arg(long, global = true, hide = true)]
    context: Option<String>,
    /// The namespace
    #[arg(short, long, global = true, hide = true, value_parser = shared::namespace)]
    namespace: Option<String>,
}

impl Cli {
    /// Settles what flags before the command, and several words, mean together. As with kubectl, all
    /// namespaces are more than one.
    pub fn settle(&mut self) -> Result<(), clap::Error> {
        match &mut self.command {
            Command::Audit(args) if args.all_namespaces => args.namespace = None,
            Command::Audit(args) if args.from_ad && args.namespace.is_some() => {
                let words =
                    "--from-ad checks credential specs of all namespaces; leave --namespace out";
                return Err(Self::command().error(ErrorKind::ArgumentConflict, words));
            }
            Command::Access(args) if args.all_namespaces || args.service_account.is_some() => {
                args.namespace = None;
            }
            Command::Report(args) if args.all_namespaces => args.namespace = None,
            Command::Doctor(args) => {
                if let (Some(kind), Some(name)) = (&args.target, &args.name) {
                    if kind.contains('/') || name.contains('/') {
                        let words =
                            format!("one pod or workload at a time, not \"{kind}\" and \"{name}\"");
                        return Err(Self::command().error(ErrorKind::TooManyValues, words));
                    }
                    args.target = Some(format!("{kind}/{name}"));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check workloads in files as admission would
    Review(Review),
    /// Install or upgrade the webhook, and wait until it answers
    #[command(visible_alias = "upgrade")]
    Install(Box<Install>),
    /// Remove the webhook; credential specs stay
    Uninstall(Uninstall),
    /// Show whether the webhook is healthy
    Status(Status),
    /// Create and check credential specs
    #[command(subcommand)]
    Credspec(Box<credspec::Credspec>),
    /// Create and check group managed service accounts in Active Directory
    #[command(subcommand)]
    Account(Box<account::Account>),
    /// Let service accounts use credential specs
    Grant(Grant),
    /// Remove the right to use credential specs, and report if service accounts still have it another way
    Revoke(Revoke),
    /// Show who may use which credential spec, through which roles, and who uses it
    Access(Access),
    /// Diagnose why a pod has no identity, and repair it
    Doctor(Box<Doctor>),
    /// Write one HTML page about the access map, credential specs and the webhook
    Report(ReportArgs),
    /// Check running pods and workloads against the current policy
    Audit(Audit),
    /// Print a shell completion script
    Completion(Completion),
    /// Print the version
    Version,
}

/// `kubectl gmsa review`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # Check what would happen to these manifests
  kubectl gmsa review -f deploy/

  # Use the credential specs and rights of the cluster
  kubectl gmsa review -f deploy/ --cluster

  # List what the policy engine would answer differently
  kubectl gmsa review -f deploy/ --engine=policy

  # Print the pods as they would be admitted
  kubectl gmsa review -f web.yaml -o yaml

  # Check the output of a chart
  helm template . | kubectl gmsa review -f -")]
pub struct Review {
    /// Manifest files, or directories, which are searched recursively; - is standard input
    #[arg(short, long = "filename", visible_alias = "file", value_name = "PATH", required = true)]
    pub filename: Vec<PathBuf>,
    /// Take credential specs and rights from the cluster instead of the files
    #[arg(long)]
    pub cluster: bool,
    /// What decides on the pods [default: what the cluster has with --cluster, or webhook]
    #[arg(long, value_enum)]
    pub engine: Option<ReviewedEngine>,
    /// The namespace of objects that do not set one [default: "default", or that of the context with
    /// --cluster]
    #[arg(short, long, value_parser = shared::namespace)]
    pub namespace: Option<String>,
    /// Exit with 1 if a finding has this severity or a higher one; a denial is an error
    #[arg(long, value_name = "SEVERITY", default_value = "error")]
    pub fail_on: Severity,
    /// What to print
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
    /// With --cluster: the kubeconfig file
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// With --cluster: the kubeconfig context
    #[arg(long)]
    pub context: Option<String>,
}

/// What decides on the pods that `review` judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReviewedEngine {
    /// The webhook
    Webhook,
    /// The admission policies of --engine=policy; what they answer differently is listed
    Policy,
}

/// What `review` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// A table, the reasons and what to do
    Table,
    /// The same, with workloads that use no GMSA
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
  # Complete kubectl-gmsa itself, in bash
  source <(kubectl gmsa completion bash)

  # Complete `kubectl gmsa` (kubectl 1.26 and newer): kubectl runs a program of this name on the
  # PATH; on Windows, copy the plugin to kubectl_complete-gmsa.exe
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
