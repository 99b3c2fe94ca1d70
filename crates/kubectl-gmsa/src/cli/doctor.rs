//! The arguments of `doctor`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use gmsa_core::finding::Severity;
use gmsa_core::windows::hook::TRIES;

use super::shared::{ClusterFlags, DirectoryFlags, DryRun};

/// `kubectl gmsa doctor`
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  # Is the cluster's side as it should be?
  kubectl gmsa doctor

  # Why does this pod have no identity?
  kubectl gmsa doctor web-7d4b9 -n shop

  # The same for a pod of a workload, and mend the secure channel if that is broken
  kubectl gmsa doctor deployment/web -n shop --repair

  # Look from a pod of one's own, with an image that has nltest
  kubectl gmsa doctor deployment/web -n shop --probe-pod --probe-image=IMAGE

  # Wait for the secure channel at each start: see what changes, then change it
  kubectl gmsa doctor deployment/web -n shop --add-lifecycle --dry-run=server
  kubectl gmsa doctor deployment/web -n shop --add-lifecycle

  # The directory's side too
  kubectl gmsa doctor --from-ad --dc dc1.contoso.com --bind-user admin@contoso.com

  # What a node's administrator has to run, and what it says
  kubectl gmsa doctor --print-node-checks > node-checks.ps1
  kubectl gmsa doctor --node-output node-checks.json

  # An archive for those who help, without secrets
  kubectl gmsa doctor web-7d4b9 -n shop --bundle support.zip

  # What a check means, and what a number of Windows does
  kubectl gmsa doctor explain dns-forwarding
  kubectl gmsa doctor explain 0x6BA"
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Doctor {
    /// What else there is besides looking
    #[command(subcommand)]
    pub command: Option<DoctorCommand>,
    /// A pod, or a workload one of whose pods is taken; without it the cluster's side alone
    #[arg(value_name = "POD|KIND/NAME")]
    pub target: Option<String>,
    /// The namespace of the pod or workload; else that of the context
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// Mend what can be mended from inside the pod, after asking
    #[arg(long, requires = "target", conflicts_with = "probe_pod")]
    pub repair: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Look into Active Directory too, for the accounts of the credential specs
    #[arg(long)]
    pub from_ad: bool,
    /// Look from inside a short-lived pod with the same identity, node and image
    #[arg(long, requires = "target")]
    pub probe_pod: bool,
    /// The image of that pod, for images without the tools; else that of the container
    #[arg(long, value_name = "IMAGE", requires = "probe_pod")]
    pub probe_image: Option<String>,
    /// How many seconds that pod has to start
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u16).range(1..=3600))]
    pub probe_timeout: u16,
    /// How many seconds each command in a container has
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=600))]
    pub exec_timeout: u16,
    /// Write a support archive (ZIP) without secrets; a file that exists is kept
    #[arg(long, value_name = "FILE")]
    pub bundle: Option<PathBuf>,
    /// With --bundle: replace a file that exists
    #[arg(long, requires = "bundle")]
    pub overwrite: bool,
    /// Print the workload's postStart hook that waits for the secure channel
    #[arg(long, conflicts_with_all = ["add_lifecycle", "repair", "probe_pod", "bundle"])]
    pub print_lifecycle: bool,
    /// Put that hook into the workload
    #[arg(long, requires = "target", conflicts_with_all = ["repair", "probe_pod", "bundle"])]
    pub add_lifecycle: bool,
    /// How often the hook restarts netlogon before it lets the container start
    #[arg(long, value_name = "N", default_value_t = TRIES, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub lifecycle_tries: u16,
    /// With --add-lifecycle: whether anything is written
    #[arg(
        long,
        value_enum,
        value_name = "MODE",
        default_value_t,
        num_args = 0..=1,
        default_missing_value = "client",
        require_equals = true
    )]
    pub dry_run: DryRun,
    /// Print the PowerShell script for the administrator of a Windows node
    #[arg(long, conflicts_with_all = ["target", "node_output", "bundle", "from_ad"])]
    pub print_node_checks: bool,
    /// Explain what that script printed on a node, - is standard input; can be given for several
    /// nodes; without a pod no cluster is asked
    #[arg(long, value_name = "FILE")]
    pub node_output: Vec<PathBuf>,
    /// From which severity on the exit code is 1; a problem is an error
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

/// What the doctor does besides looking.
#[derive(Debug, Subcommand)]
pub enum DoctorCommand {
    /// Show what a check or a number of Windows means and what to do; without an id list the checks
    Explain(Explain),
}

/// `kubectl gmsa doctor explain`
#[derive(Debug, Args)]
pub struct Explain {
    /// The id of a check, the code of a finding, or a number: 1722, 0x6BA, CCG:8, AKS:1007
    #[arg(value_name = "ID", allow_hyphen_values = true)]
    pub id: Option<String>,
}

/// What `doctor` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DoctorOutput {
    /// The verdict, and what is not as it should be
    Table,
    /// The same with every check
    Wide,
    /// A report with a published schema
    Json,
    /// The same as YAML
    Yaml,
}
