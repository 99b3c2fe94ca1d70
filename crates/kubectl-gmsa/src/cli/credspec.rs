//! `kubectl gmsa credspec`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use gmsa_core::finding::Severity;

use super::rights::Account;
use super::shared::{ClusterFlags, DirectoryFlags, DryRunFlag};

/// The commands for credential specs.
#[derive(Debug, Subcommand)]
pub enum Credspec {
    /// Create a credential spec from flags or from Active Directory
    Create(Box<Create>),
    /// Create credential specs from the JSON files that Windows uses
    Import(Import),
    /// Check credential specs in files or in the cluster
    Lint(Lint),
    /// List the credential specs in the cluster
    List(List),
    /// Show a credential spec and its findings
    Show(Show),
    /// Compare two credential specs, or one with Active Directory
    Diff(Diff),
}

/// Whether it goes into the cluster.
#[derive(Debug, Args)]
#[command(mut_arg("dry_run", |arg| arg.requires("apply")))]
pub struct ApplyFlags {
    /// Apply the credential spec to the cluster
    #[arg(long)]
    pub apply: bool,
    /// `--dry-run`
    #[command(flatten)]
    pub dry_run: DryRunFlag,
    /// With --apply: take over fields that another manager owns
    #[arg(long, requires = "apply")]
    pub force_conflicts: bool,
}

/// Where it is written, if not to standard output.
#[derive(Debug, Default, Args)]
pub struct OutFlags {
    /// Write to this file instead of standard output; in a directory (DIR/), each credential spec gets a
    /// file
    #[arg(long, value_name = "PATH", conflicts_with = "apply")]
    pub out: Option<PathBuf>,
    /// Replace files that exist
    #[arg(long, requires = "out")]
    pub overwrite: bool,
}

/// Where new credential specs go, and in which form.
#[derive(Debug, Args)]
pub struct Destination {
    /// What to print [default: yaml]
    #[arg(short, long, value_enum)]
    pub output: Option<SpecOutput>,
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

/// `kubectl gmsa credspec create`
#[derive(Debug, Args)]
#[command(after_help = "\
On a terminal, you are prompted for options you omit.

Examples:
  # Read the facts about the domain from Active Directory
  kubectl gmsa credspec create gmsa-webapp1 --from-ad --account WebApp1 --domain contoso.com \\
    --bind-user admin@contoso.com

  # Give the facts yourself, and apply it to the cluster
  kubectl gmsa credspec create gmsa-webapp1 --account WebApp1 --domain contoso.com \\
    --netbios CONTOSO --sid S-1-5-21-2126449477-2524075714-3094792973 \\
    --guid 244818ae-87ac-4fcd-92ec-e79e5252348a --apply

  # Apply it, and let a service account use it
  kubectl gmsa credspec create gmsa-webapp1 --from-ad --account WebApp1 --apply --grant shop/web

  # Create one for AKS nodes outside the domain
  kubectl gmsa credspec create gmsa-webapp1 --from-ad --account WebApp1 --host-plugin aks \\
    --plugin-identity 1234abcd-5678-90ab-cdef-1234567890ab \\
    --plugin-secret https://vault.vault.azure.net/secrets/gmsa

  # Answer prompts for everything
  kubectl gmsa credspec create")]
pub struct Create {
    /// The name of the credential spec
    pub name: Option<String>,
    /// The account that the container runs as
    #[arg(long)]
    pub account: Option<String>,
    /// Another account that the container may use; can be repeated
    #[arg(long, value_name = "ACCOUNT")]
    pub additional_account: Vec<String>,
    /// Read the facts about the domain from Active Directory, and check that the accounts exist
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
    /// The DNS name of the forest root [default: the domain]
    #[arg(long, value_name = "DOMAIN", conflicts_with = "from_ad")]
    pub forest: Option<String>,
    /// The plug-in for nodes outside the domain: aks, aws, rancher, or a GUID in braces
    #[arg(long, value_name = "PLUGIN")]
    pub host_plugin: Option<String>,
    /// Where the plug-in finds the secret: the URI of a key vault secret (aks), an ARN (aws), or
    /// NAMESPACE:SECRET (rancher)
    #[arg(long, value_name = "REFERENCE", requires = "host_plugin")]
    pub plugin_secret: Option<String>,
    /// The object ID of the managed identity that may read the secret (aks)
    #[arg(long, value_name = "ID", requires = "plugin_secret")]
    pub plugin_identity: Option<String>,
    /// The file with the input for the plug-in, or - for standard input. Required for a plug-in given by
    /// GUID, because its input may be a password
    #[arg(
        long,
        value_name = "FILE",
        requires = "host_plugin",
        conflicts_with_all = ["plugin_secret", "plugin_identity"]
    )]
    pub plugin_input_file: Option<PathBuf>,
    /// Also create the role and binding that let this service account, NAMESPACE/SERVICEACCOUNT, use the
    /// credential spec; can be repeated
    #[arg(long, value_name = "ACCOUNT", value_delimiter = ',')]
    pub grant: Vec<Account>,
    /// Where it goes.
    #[command(flatten)]
    pub to: Destination,
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
    /// Only the contents, as the JSON file that Windows uses
    Credspec,
}

/// `kubectl gmsa credspec import`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # Create resources from the files of a Windows machine
  kubectl gmsa credspec import CredentialSpecs/ --apply

  # Write a Windows file for each resource
  kubectl gmsa credspec import deploy/ -o credspec --out CredentialSpecs/")]
pub struct Import {
    /// JSON files of credential specs, manifests, or directories of them; - is standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The name of the credential spec [default: derived from the file name]
    #[arg(long)]
    pub name: Option<String>,
    /// Where it goes.
    #[command(flatten)]
    pub to: Destination,
}

/// `kubectl gmsa credspec lint`
#[derive(Debug, Args)]
pub struct Lint {
    /// Credential specs in the cluster [default: all, unless files are given]
    #[arg(conflicts_with = "filename")]
    pub names: Vec<String>,
    /// Files, or directories with all below them, of manifests, or JSON files from Windows; - is
    /// standard input
    #[arg(short, long, visible_alias = "file", value_name = "PATH")]
    pub filename: Vec<PathBuf>,
    /// Also compare with Active Directory
    #[arg(long)]
    pub from_ad: bool,
    /// Exit with 1 if a finding has this severity or a higher one
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
    /// Text
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
    /// A line for each credential spec
    Table,
    /// The same with SIDs, GUIDs and additional accounts
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
    /// The name of the credential spec
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
    /// Text, with findings
    Table,
    /// The resource as YAML
    Yaml,
    /// The resource as JSON
    Json,
    /// Only the contents, as the JSON file that Windows uses
    Credspec,
}

/// `kubectl gmsa credspec diff`
#[derive(Debug, Args)]
#[command(after_help = "\
An argument with a slash, or that names an existing file, is a file; any other is the name of a
credential spec in the cluster. The exit code is 0 if nothing differs and 1 if something does.")]
pub struct Diff {
    /// A name in the cluster, or a file
    pub one: String,
    /// Another name in the cluster, or a file
    #[arg(required_unless_present = "from_ad")]
    pub other: Option<String>,
    /// Compare with the domain and accounts in Active Directory
    #[arg(long, conflicts_with = "other")]
    pub from_ad: bool,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterFlags,
    /// The directory.
    #[command(flatten)]
    pub directory: DirectoryFlags,
}
