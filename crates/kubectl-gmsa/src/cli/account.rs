//! `kubectl gmsa account`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use gmsa_directory::account::Expiry;

use super::shared::{ClusterFlags, DirectoryFlags, DryRunFlag};

/// The commands for accounts.
#[derive(Debug, Subcommand)]
pub enum Account {
    /// Create a group managed service account
    Create(Create),
    /// Check that an account is usable, and which hosts may read its password
    Check(Check),
    /// Let hosts, groups or users read an account's password
    Allow(Change),
    /// Remove the right to read an account's password
    Disallow(Change),
    /// Change an account: encryption types, service principal names, DNS name, description, expiry,
    /// enabled or not
    Set(Set),
    /// Delete an account
    Remove(Remove),
}

/// `kubectl gmsa account create`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # Create an account for the nodes in the group webhosts
  kubectl gmsa account create WebApp1 --group webhosts --dc dc1.contoso.com \\
    --bind-user admin@contoso.com

  # Preview the request as LDIF
  kubectl gmsa account create WebApp1 --group webhosts --domain contoso.com --dry-run=client")]
pub struct Create {
    /// The account's name, at most 15 characters
    pub account: String,
    /// Who may read the password.
    #[command(flatten)]
    pub principals: Principals,
    /// The DNS host name of the account [default: ACCOUNT.DOMAIN]
    #[arg(long, value_name = "NAME")]
    pub dns_host_name: Option<String>,
    /// The container [default: the domain's CN=Managed Service Accounts]
    #[arg(long, value_name = "DN")]
    pub container: Option<String>,
    /// A service principal name, such as http/web.contoso.com; can be repeated
    #[arg(long, value_name = "SPN")]
    pub spn: Vec<String>,
    /// The number of days between password changes; it cannot be changed later
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub interval_days: u32,
    /// The Kerberos encryption types that the account supports; RC4 ends in 2026
    #[arg(
        long,
        value_enum,
        value_name = "TYPE",
        value_delimiter = ',',
        default_values_t = [EncryptionType::Aes256, EncryptionType::Aes128]
    )]
    pub encryption: Vec<EncryptionType>,
    /// Create the account disabled
    #[arg(long)]
    pub disabled: bool,
    /// `--dry-run`
    #[command(flatten)]
    pub dry_run: DryRunFlag,
    /// The directory.
    #[command(flatten)]
    pub directory: DirectoryFlags,
}

/// A Kerberos encryption type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EncryptionType {
    /// AES with 256-bit keys
    Aes256,
    /// AES with 128-bit keys
    Aes128,
    /// RC4, which old systems need and newer controllers refuse
    Rc4,
}

/// What an account may be trusted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Delegation {
    /// Acting for its users towards every service
    Unconstrained,
    /// Acting for users that did not log on to it
    ProtocolTransition,
}

impl From<Delegation> for gmsa_directory::account::Delegation {
    fn from(kind: Delegation) -> Self {
        match kind {
            Delegation::Unconstrained => Self::Unconstrained,
            Delegation::ProtocolTransition => Self::ProtocolTransition,
        }
    }
}

/// Principals by kind.
#[derive(Debug, Args)]
pub struct Principals {
    /// A computer, by name or DNS name; can be repeated
    #[arg(long, value_name = "HOST")]
    pub host: Vec<String>,
    /// A group; can be repeated
    #[arg(long, value_name = "GROUP")]
    pub group: Vec<String>,
    /// A user, for plug-ins on hosts outside the domain; can be repeated
    #[arg(long, value_name = "USER")]
    pub user: Vec<String>,
}

/// `kubectl gmsa account check`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # Check the account, and that these nodes may use it
  kubectl gmsa account check WebApp1 --host node1 --host node2

  # Prove it: log on as the node, read the password, and get a Kerberos ticket with it
  kubectl gmsa account check WebApp1 --as 'NODE1$@contoso.com' --as-password-file node1.password

  # Will clients that use this name get a Kerberos ticket, or fall back to NTLM?
  kubectl gmsa account check WebApp1 --service-name web.contoso.com")]
pub struct Check {
    /// The account
    pub account: String,
    /// Whose rights to look at.
    #[command(flatten)]
    pub principals: Principals,
    /// Check whether clients that connect to this name get a Kerberos ticket; a name without a class, such as
    /// web.contoso.com, is taken as http/web.contoso.com; can be repeated
    #[arg(long, value_name = "NAME")]
    pub service_name: Vec<String>,
    /// Also log on as this host or user, read the password, and get a Kerberos ticket with it (with
    /// kinit, if it is installed). Neither is printed or stored
    #[arg(long = "as", value_name = "HOST$", requires = "as_password_file")]
    pub as_user: Option<String>,
    /// The file with the password of that host or user, or - for standard input
    #[arg(long, value_name = "FILE", requires = "as_user")]
    pub as_password_file: Option<PathBuf>,
    /// What to print
    #[arg(short, long, value_enum, default_value_t = CheckOutput::Table)]
    pub output: CheckOutput,
    /// The directory.
    #[command(flatten)]
    pub directory: DirectoryFlags,
}

/// What `account check` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckOutput {
    /// A line for each check and what to do
    Table,
    /// The same with long lists in full
    Wide,
    /// A report with a published schema
    Json,
    /// The same as YAML
    Yaml,
}

/// `kubectl gmsa account allow` and `disallow`
#[derive(Debug, Args)]
pub struct Change {
    /// The account
    pub account: String,
    /// Whose rights change.
    #[command(flatten)]
    pub principals: Principals,
    /// `--dry-run`
    #[command(flatten)]
    pub dry_run: DryRunFlag,
    /// The directory.
    #[command(flatten)]
    pub directory: DirectoryFlags,
}

/// `kubectl gmsa account set`
#[derive(Debug, Args)]
#[command(
    group(clap::ArgGroup::new("change").required(true).multiple(true)),
    after_help = "\
Examples:
  # Allow only AES, before RC4 ends
  kubectl gmsa account set WebApp1 --encryption aes256,aes128

  # Preview adding a service principal name, as LDIF
  kubectl gmsa account set WebApp1 --add-spn http/web.contoso.com --dry-run

  # Reactivate an expired account
  kubectl gmsa account set WebApp1 --expires never"
)]
pub struct Set {
    /// The account
    pub account: String,
    /// The Kerberos encryption types that the account supports
    #[arg(long, value_enum, value_name = "TYPE", value_delimiter = ',', group = "change")]
    pub encryption: Vec<EncryptionType>,
    /// A service principal name to add; can be repeated
    #[arg(long, value_name = "SPN", group = "change")]
    pub add_spn: Vec<String>,
    /// A service principal name to remove; can be repeated
    #[arg(long, value_name = "SPN", group = "change")]
    pub remove_spn: Vec<String>,
    /// A kind of delegation to end; can be repeated
    #[arg(long, value_enum, value_name = "KIND", value_delimiter = ',', group = "change")]
    pub end_delegation: Vec<Delegation>,
    /// The DNS host name of the account
    #[arg(long, value_name = "NAME", group = "change")]
    pub dns_host_name: Option<String>,
    /// The description; empty removes it
    #[arg(long, value_name = "TEXT", group = "change")]
    pub description: Option<String>,
    /// Enable the account
    #[arg(long, group = "change", conflicts_with = "disable")]
    pub enable: bool,
    /// Disable the account: it gets no tickets until you enable it
    #[arg(long, group = "change")]
    pub disable: bool,
    /// When the account expires: never, or the beginning of a day in UTC, such as 2027-01-31
    #[arg(long, value_name = "never|DATE", group = "change")]
    pub expires: Option<Expiry>,
    /// `--dry-run`
    #[command(flatten)]
    pub dry_run: DryRunFlag,
    /// The directory.
    #[command(flatten)]
    pub directory: DirectoryFlags,
}

/// `kubectl gmsa account remove`
#[derive(Debug, Args)]
pub struct Remove {
    /// The account
    pub account: String,
    /// Do not ask for confirmation
    #[arg(short, long)]
    pub yes: bool,
    /// `--dry-run`
    #[command(flatten)]
    pub dry_run: DryRunFlag,
    /// The cluster whose credential specs may still name it.
    #[command(flatten)]
    pub cluster: ClusterFlags,
    /// The directory.
    #[command(flatten)]
    pub directory: DirectoryFlags,
}
