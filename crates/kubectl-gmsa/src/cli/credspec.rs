//! `kubectl gmsa credspec`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use gmsa_core::finding::Severity;

use super::shared::{ClusterFlags, DirectoryFlags, DryRun};

/// The commands for credential specs.
#[derive(Debug, Subcommand)]
pub enum Credspec {
    /// Make a credential spec from flags or from Active Directory
    Create(Create),
    /// Make credential specs from the JSON files that Windows uses
    Import(Import),
    /// Judge credential specs in files or in the cluster
    Lint(Lint),
    /// List the credential specs of the cluster
    List(List),
    /// Show a credential spec, and what is found on it
    Show(Show),
    /// Compare two credential specs, each in the cluster or a file
    Diff(Diff),
}

/// Whether it goes into the cluster.
#[derive(Debug, Args)]
pub struct ApplyFlags {
    /// Apply it to the cluster
    #[arg(long)]
    pub apply: bool,
    /// With --apply: print it only (client), or let the API server judge it (server)
    #[arg(long, value_enum, default_value_t, value_name = "MODE", requires = "apply")]
    pub dry_run: DryRun,
    /// With --apply: take over what others set
    #[arg(long, requires = "apply")]
    pub force_conflicts: bool,
}

/// `kubectl gmsa credspec create`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # Everything about the domain from the directory
  kubectl gmsa credspec create gmsa-webapp1 --from-ad --account WebApp1 --domain contoso.com --bind-user admin@contoso.com

  # By hand, into the cluster
  kubectl gmsa credspec create gmsa-webapp1 --account WebApp1 --domain contoso.com --netbios CONTOSO \\
    --sid S-1-5-21-2126449477-2524075714-3094792973 --guid 244818ae-87ac-4fcd-92ec-e79e5252348a --apply

  # For AKS nodes that are not in the domain
  kubectl gmsa credspec create gmsa-webapp1 --from-ad --account WebApp1 --host-plugin aks --plugin-input-file input.txt")]
pub struct Create {
    /// The name of the credential spec
    pub name: String,
    /// The account that the container runs as
    #[arg(long)]
    pub account: String,
    /// An account that the container may use besides; may be repeated
    #[arg(long, value_name = "ACCOUNT")]
    pub additional_account: Vec<String>,
    /// Take all facts of the domain from Active Directory, and see that the accounts exist
    #[arg(long)]
    pub from_ad: bool,
    /// The NetBIOS name of the domain
    #[arg(
        long,
        value_name = "NAME",
        conflicts_with = "from_ad",
        required_unless_present = "from_ad"
    )]
    pub netbios: Option<String>,
    /// The SID of the domain
    #[arg(long, conflicts_with = "from_ad", required_unless_present = "from_ad")]
    pub sid: Option<String>,
    /// The objectGUID of the domain
    #[arg(long, conflicts_with = "from_ad", required_unless_present = "from_ad")]
    pub guid: Option<String>,
    /// The DNS name of the forest root; else the domain
    #[arg(long, value_name = "DOMAIN", conflicts_with = "from_ad")]
    pub forest: Option<String>,
    /// The plug-in of nodes that are not in the domain: aks, aws, rancher, or a GUID in braces
    #[arg(long, value_name = "PLUGIN", requires = "plugin_input_file")]
    pub host_plugin: Option<String>,
    /// The file with what the plug-in is told, - for standard input
    #[arg(long, value_name = "FILE", requires = "host_plugin")]
    pub plugin_input_file: Option<PathBuf>,
    /// What to print
    #[arg(short, long, value_enum, default_value_t = SpecOutput::Yaml)]
    pub output: SpecOutput,
    /// Into the cluster.
    #[command(flatten)]
    pub apply: ApplyFlags,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterFlags,
    /// The directory.
    #[command(flatten)]
    pub directory: DirectoryFlags,
}

/// How a credential spec is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SpecOutput {
    /// The resource as YAML
    Yaml,
    /// The resource as JSON
    Json,
    /// The contents alone as JSON, as Windows keeps them in a file
    Credspec,
}

/// `kubectl gmsa credspec import`
#[derive(Debug, Args)]
pub struct Import {
    /// JSON files of credential specs, or directories of them
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The name of the credential spec; else made from the file's name
    #[arg(long)]
    pub name: Option<String>,
    /// What to print
    #[arg(short, long, value_enum, default_value_t = SpecOutput::Yaml)]
    pub output: SpecOutput,
    /// Into the cluster.
    #[command(flatten)]
    pub apply: ApplyFlags,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterFlags,
}

/// `kubectl gmsa credspec lint`
#[derive(Debug, Args)]
pub struct Lint {
    /// Names in the cluster; without names and files, all of them
    #[arg(conflicts_with = "filename")]
    pub names: Vec<String>,
    /// Files or directories of manifests, or JSON files of Windows; - is standard input
    #[arg(short, long, visible_alias = "file", value_name = "PATH")]
    pub filename: Vec<PathBuf>,
    /// Compare with Active Directory too
    #[arg(long)]
    pub from_ad: bool,
    /// From which severity of findings on the exit code is 1
    #[arg(long, value_name = "SEVERITY", default_value = "error")]
    pub fail_on: Severity,
    /// What to print
    #[arg(short, long, value_enum, default_value_t = ReportOutput::Table)]
    pub output: ReportOutput,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterFlags,
    /// The directory.
    #[command(flatten)]
    pub directory: DirectoryFlags,
}

/// How a report is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportOutput {
    /// For people
    Table,
    /// A report with a published schema
    Json,
    /// The same as YAML
    Yaml,
}

/// `kubectl gmsa credspec list`
#[derive(Debug, Args)]
pub struct List {
    /// What to print
    #[arg(short, long, value_enum, default_value_t = ListOutput::Table)]
    pub output: ListOutput,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterFlags,
}

/// What `credspec list` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListOutput {
    /// A line for each
    Table,
    /// The same with SID, GUID and further accounts
    Wide,
    /// The resources as one JSON list
    Json,
    /// The resources as one YAML list
    Yaml,
    /// The names
    Name,
}

/// `kubectl gmsa credspec show`
#[derive(Debug, Args)]
pub struct Show {
    /// The name in the cluster
    pub name: String,
    /// What to print
    #[arg(short, long, value_enum, default_value_t = ShowOutput::Table)]
    pub output: ShowOutput,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterFlags,
}

/// What `credspec show` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ShowOutput {
    /// For people, with findings
    Table,
    /// The resource as YAML
    Yaml,
    /// The resource as JSON
    Json,
    /// The contents alone as JSON, as Windows keeps them in a file
    Credspec,
}

/// `kubectl gmsa credspec diff`
#[derive(Debug, Args)]
#[command(after_help = "\
A name with a slash, or of a file that exists, is a file; any other is one in the cluster. The exit
code is 0 if nothing differs and 1 if something does.")]
pub struct Diff {
    /// The one: a name in the cluster, or a file
    pub one: String,
    /// The other: a name in the cluster, or a file
    pub other: String,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterFlags,
}
