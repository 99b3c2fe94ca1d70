//! The arguments of `doctor`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use gmsa_core::finding::Severity;
use gmsa_core::windows::hook::TRIES;

use super::shared::{ClusterFlags, DirectoryFlags, DryRunFlag};

/// `kubectl gmsa doctor`
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  # Check the cluster
  kubectl gmsa doctor

  # Find out why this pod has no identity
  kubectl gmsa doctor web-7d4b9 -n shop

  # Do the same for a pod of a workload, and repair the secure channel if it is broken
  kubectl gmsa doctor deployment/web -n shop --repair

  # Check from a temporary pod, with an image that has nltest
  kubectl gmsa doctor deployment/web -n shop --probe-pod --probe-image=IMAGE

  # Make containers wait for the secure channel when they start: preview, then apply
  kubectl gmsa doctor deployment/web -n shop --add-lifecycle --dry-run=server
  kubectl gmsa doctor deployment/web -n shop --add-lifecycle

  # Also check Active Directory
  kubectl gmsa doctor --from-ad --dc dc1.contoso.com --bind-user admin@contoso.com

  # Get the script for a node's administrator, then explain its output
  kubectl gmsa doctor --print-node-checks > node-checks.ps1
  kubectl gmsa doctor --node-output node-checks.json

  # Write a support archive without secrets
  kubectl gmsa doctor web-7d4b9 -n shop --bundle support.zip

  # Explain a check, or a Windows error code
  kubectl gmsa doctor explain dns-forwarding
  kubectl gmsa doctor explain 0x6BA"
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Doctor {
    /// The subcommands
    #[command(subcommand)]
    pub command: Option<DoctorCommand>,
    /// A pod, or a workload; without it, only the cluster is checked
    #[arg(value_name = "POD|KIND/NAME")]
    pub target: Option<String>,
    /// The name of the workload, if its kind is a word of its own, as in deployment web
    #[arg(value_name = "NAME", requires = "target")]
    pub name: Option<String>,
    /// The namespace of the pod or workload [default: that of the context]
    #[arg(short, long, value_parser = super::shared::namespace)]
    pub namespace: Option<String>,
    /// Repair what can be repaired from inside the pod, after asking for confirmation
    #[arg(long, requires = "target", conflicts_with = "probe_pod")]
    pub repair: bool,
    /// Do not ask for confirmation
    #[arg(short, long)]
    pub yes: bool,
    /// Also check the accounts of the credential specs in Active Directory
    #[arg(long)]
    pub from_ad: bool,
    /// Check from a temporary pod with the same identity, node and image
    #[arg(long, requires = "target")]
    pub probe_pod: bool,
    /// The temporary pod's image, if the container's lacks the tools [default: the container's]
    #[arg(long, value_name = "IMAGE", requires = "probe_pod")]
    pub probe_image: Option<String>,
    /// The number of seconds the temporary pod has to start
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u16).range(1..=3600))]
    pub probe_timeout: u16,
    /// The number of seconds each command in a container may take
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=600))]
    pub exec_timeout: u16,
    /// Write a support archive (ZIP) without secrets
    #[arg(long, value_name = "FILE")]
    pub bundle: Option<PathBuf>,
    /// With --bundle: replace an existing file
    #[arg(long, requires = "bundle")]
    pub overwrite: bool,
    /// Print a postStart hook that waits for the secure channel
    #[arg(long, conflicts_with_all = ["add_lifecycle", "repair", "probe_pod", "bundle"])]
    pub print_lifecycle: bool,
    /// Add that hook to the workload
    #[arg(long, requires = "target", conflicts_with_all = ["repair", "probe_pod", "bundle"])]
    pub add_lifecycle: bool,
    /// How often the hook restarts netlogon before it lets the container start
    #[arg(long, value_name = "N", default_value_t = TRIES, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub lifecycle_tries: u16,
    /// `--dry-run`
    #[command(flatten)]
    pub dry_run: DryRunFlag,
    /// Print a PowerShell script of checks to run on a Windows node
    #[arg(long, conflicts_with_all = ["target", "node_output", "bundle", "from_ad"])]
    pub print_node_checks: bool,
    /// Explain the output of that script, - for standard input; can be repeated. Without a pod, no
    /// cluster is needed
    #[arg(long, value_name = "FILE")]
    pub node_output: Vec<PathBuf>,
    /// Exit with 1 if an outcome has this severity or a higher one; a problem is an error
    #[arg(long, value_name = "SEVERITY", default_value = "error")]
    pub fail_on: Severity,
    /// What to print
    #[arg(short, long, value_enum, default_value_t = DoctorOutput::Table)]
    pub output: DoctorOutput,
    /// Which cluster
    #[command(flatten)]
    pub connect: ClusterFlags,
    /// The directory.
    #[command(flatten)]
    pub directory: DirectoryFlags,
}

/// The subcommands of `doctor`.
#[derive(Debug, Subcommand)]
pub enum DoctorCommand {
    /// Explain a check or a Windows error code; without an id, list the checks
    Explain(Explain),
}

/// `kubectl gmsa doctor explain`
#[derive(Debug, Args)]
pub struct Explain {
    /// The id of a check, the code of a finding, or an error code such as 1722, 0x6BA, CCG:8, AKS:1007
    #[arg(value_name = "ID", allow_hyphen_values = true)]
    pub id: Option<String>,
}

/// What `doctor` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DoctorOutput {
    /// The verdict, and what is wrong
    Table,
    /// The same with every check
    Wide,
    /// A report with a published schema
    Json,
    /// The same as YAML
    Yaml,
}
