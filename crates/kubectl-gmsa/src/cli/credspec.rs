//! `kubectl gmsa credspec`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use gmsa_core::finding::Severity;

use super::rights::Account;
use super::shared::{ClusterFlags, DirectoryFlags, DryRun};

/// The commands for credential specs.
#[derive(Debug, Subcommand)]
pub enum Credspec {
    /// Make a credential spec from flags or from Active Directory
    Create(Box<Create>),
    /// Make credential specs from the JSON files that Windows uses
    Import(Import),
    /// Judge credential specs in files or in the cluster
    Lint(Lint),
    /// List the credential specs of the cluster
    List(List),
    /// Show a credential spec, and what is found on it
    Show(Show),
    /// Compare two credential specs, or one with Active Directory
    Diff(Diff),
}

/// Whether it goes into the cluster.
#[derive(Debug, Args)]
pub struct ApplyFlags {
    /// Apply it to the cluster
    #[arg(long)]
    pub apply: bool,
    /// With --apply: print it only (client), or let the API server judge it (server)
    #[arg(
        long,
        value_enum,
        value_name = "MODE",
        default_value_t,
        num_args = 0..=1,
        default_missing_value = "client",
        require_equals = true,
        requires = "apply"
    )]
    pub dry_run: DryRun,
    /// With --apply: take over what others set
    #[arg(long, requires = "apply")]
    pub force_conflicts: bool,
}

/// Where it is written, if not to standard output.
#[derive(Debug, Default, Args)]
pub struct OutFlags {
    /// Write to this file instead of standard output; in a directory each credential spec gets its own
    #[arg(long, value_name = "PATH", conflicts_with = "apply")]
    pub out: Option<PathBuf>,
    /// Replace files that exist
    #[arg(long, requires = "out")]
    pub overwrite: bool,
}

/// `kubectl gmsa credspec create`
#[derive(Debug, Args)]
#[command(after_help = "\
What is missing is asked for on a terminal.

Examples:
  # Everything about the domain from the directory
  kubectl gmsa credspec create gmsa-webapp1 --from-ad --account WebApp1 --domain contoso.com --bind-user admin@contoso.com

  # By hand, into the cluster
  kubectl gmsa credspec create gmsa-webapp1 --account WebApp1 --domain contoso.com --netbios CONTOSO \\
    --sid S-1-5-21-2126449477-2524075714-3094792973 --guid 244818ae-87ac-4fcd-92ec-e79e5252348a --apply

  # Into the cluster, with the right to use it
  kubectl gmsa credspec create gmsa-webapp1 --from-ad --account WebApp1 --apply --grant shop/web

  # For AKS nodes that are not in the domain
  kubectl gmsa credspec create gmsa-webapp1 --from-ad --account WebApp1 --host-plugin aks \\
    --plugin-identity 1234abcd-5678-90ab-cdef-1234567890ab --plugin-secret https://vault.vault.azure.net/secrets/gmsa

  # Asked for on a terminal
  kubectl gmsa credspec create")]
pub struct Create {
    /// The name of the credential spec
    pub name: Option<String>,
    /// The account that the container runs as
    #[arg(long)]
    pub account: Option<String>,
    /// An account that the container may use besides; may be repeated
    #[arg(long, value_name = "ACCOUNT")]
    pub additional_account: Vec<String>,
    /// Take all facts of the domain from Active Directory, and see that the accounts exist
    #[arg(long)]
    pub from_ad: bool,
    /// The NetBIOS name of the domain
    #[arg(long, value_name = "NAME", conflicts_with = "from_ad")]
    pub netbios: Option<String>,
    /// The SID of the domain
    #[arg(long, conflicts_with = "from_ad")]
    pub sid: Option<String>,
    /// The objectGUID of the domain
    #[arg(long, conflicts_with = "from_ad")]
    pub guid: Option<String>,
    /// The DNS name of the forest root; else the domain
    #[arg(long, value_name = "DOMAIN", conflicts_with = "from_ad")]
    pub forest: Option<String>,
    /// The plug-in of nodes that are not in the domain: aks, aws, rancher, or a GUID in braces
    #[arg(long, value_name = "PLUGIN")]
    pub host_plugin: Option<String>,
    /// Where the plug-in finds the secret: the https URI of a secret in a key vault (aks), an ARN (aws),
    /// NAMESPACE:SECRET (rancher)
    #[arg(long, value_name = "REFERENCE", requires = "host_plugin")]
    pub plugin_secret: Option<String>,
    /// The object ID of the managed identity that may read the secret (aks)
    #[arg(long, value_name = "ID", requires = "plugin_secret")]
    pub plugin_identity: Option<String>,
    /// The file with what the plug-in is told, - for standard input; for a plug-in that is not known by
    /// name the only way, because that may be a password
    #[arg(
        long,
        value_name = "FILE",
        requires = "host_plugin",
        conflicts_with_all = ["plugin_secret", "plugin_identity"]
    )]
    pub plugin_input_file: Option<PathBuf>,
    /// A service account that may use it, NAMESPACE/SERVICEACCOUNT: its role and binding are made too;
    /// may be repeated
    #[arg(long, value_name = "ACCOUNT", value_delimiter = ',')]
    pub grant: Vec<Account>,
    /// What to print
    #[arg(short, long, value_enum, default_value_t = SpecOutput::Yaml)]
    pub output: SpecOutput,
    /// Into a file.
    #[command(flatten)]
    pub out: OutFlags,
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
#[command(after_help = "\
Examples:
  # Resources from the files of a Windows machine
  kubectl gmsa credspec import CredentialSpecs/ --apply

  # And back: one file for Windows of each resource
  kubectl gmsa credspec import deploy/ -o credspec --out CredentialSpecs/")]
pub struct Import {
    /// JSON files of credential specs or manifests, or directories of them; - is standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The name of the credential spec; else made from the file's name
    #[arg(long)]
    pub name: Option<String>,
    /// What to print
    #[arg(short, long, value_enum, default_value_t = SpecOutput::Yaml)]
    pub output: SpecOutput,
    /// Into a file.
    #[command(flatten)]
    pub out: OutFlags,
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
    #[arg(required_unless_present = "from_ad")]
    pub other: Option<String>,
    /// Compare with what Active Directory says of its domain and accounts
    #[arg(long, conflicts_with = "other")]
    pub from_ad: bool,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterFlags,
    /// The directory.
    #[command(flatten)]
    pub directory: DirectoryFlags,
}
