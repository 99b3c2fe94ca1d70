//! Flags that several commands share.

use std::any::TypeId;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Arg, ArgAction, Args, ValueEnum};
use gmsa_core::credspec::name::is_valid_name;

/// Which cluster.
#[derive(Clone, Debug, Default, Args)]
pub struct ClusterFlags {
    /// The kubeconfig file
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The kubeconfig context
    #[arg(long)]
    pub context: Option<String>,
}

/// The longest name of a namespace (RFC 1123, a label).
const NAMESPACE_LENGTH: usize = 63;

/// Reads the name of a namespace.
pub fn namespace(text: &str) -> Result<String, String> {
    if is_valid_name(text) && !text.contains('.') && text.len() <= NAMESPACE_LENGTH {
        return Ok(text.to_owned());
    }
    Err(format!("\"{text}\" is not a namespace name (DNS-1123 label)"))
}

/// `--dry-run`
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct DryRunFlag {
    /// Show what would change, but change nothing
    #[arg(
        id = "dry_run",
        long = "dry-run",
        value_enum,
        value_name = "MODE",
        default_value_t,
        num_args = 0..=1,
        default_missing_value = "client",
        require_equals = true
    )]
    pub mode: DryRun,
}

impl DryRunFlag {
    /// What is printed behind a change that was not made.
    pub fn note(self) -> &'static str {
        match self.mode {
            DryRun::None => "",
            DryRun::Client => " (client dry run)",
            DryRun::Server => " (server dry run)",
        }
    }

    /// Whether nothing is changed.
    pub fn is_set(self) -> bool {
        self.mode != DryRun::None
    }

    /// Whether no request that writes is sent.
    pub fn is_client(self) -> bool {
        self.mode == DryRun::Client
    }

    /// Whether the API server checks the requests and stores nothing.
    pub fn is_server(self) -> bool {
        self.mode == DryRun::Server
    }
}

/// Where a dry run ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DryRun {
    /// Make the change
    #[default]
    None,
    /// Send no request that changes anything; the same as the flag without a value
    Client,
    /// Let the API server check the change without storing it; for a directory, the same as client
    Server,
}

/// Lets an optional boolean stand without a value, for true, or with `=true` or `=false`.
pub fn switch(arg: Arg) -> Arg {
    let is_bool = arg.get_value_parser().type_id() == TypeId::of::<bool>();
    if !(is_bool && matches!(arg.get_action(), ArgAction::Set)) {
        return arg;
    }
    arg.value_name("BOOL").num_args(0..=1).require_equals(true).default_missing_value("true")
}

/// Which directory, how, and as whom.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Directory")]
pub struct DirectoryFlags {
    /// The domain controller, as HOST or HOST:PORT [default: found by DNS]
    #[arg(long, value_name = "HOST", env = "GMSA_DC")]
    pub dc: Option<String>,
    /// The DNS name of the domain
    #[arg(long, value_name = "DOMAIN", env = "GMSA_DOMAIN")]
    pub domain: Option<String>,
    /// The DNS server to query [default: the system's]
    #[arg(long, value_name = "IP", env = "GMSA_DNS_SERVER")]
    pub dns_server: Option<IpAddr>,
    /// The CA certificates to trust, in PEM [default: the system's]
    #[arg(long, value_name = "FILE", env = "GMSA_CA")]
    pub ca: Option<PathBuf>,
    /// The name in the controller's certificate, if it differs from the one you connect to
    #[arg(long, value_name = "NAME", env = "GMSA_SERVER_NAME")]
    pub server_name: Option<String>,
    /// Use LDAP with StartTLS (port 389) instead of LDAPS (port 636)
    #[arg(long)]
    pub starttls: bool,
    /// The number of seconds to wait for a connection, and for each response
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u16).range(1..))]
    pub timeout: u16,
    /// The user to log on as, such as user@domain or DOMAIN\user
    #[arg(long, value_name = "USER", env = "GMSA_BIND_USER")]
    pub bind_user: Option<String>,
    /// The file with the password, or - for standard input [default: `GMSA_BIND_PASSWORD`, or a prompt
    /// on a terminal]
    #[arg(long, value_name = "FILE", env = "GMSA_PASSWORD_FILE")]
    pub password_file: Option<PathBuf>,
    /// Log on with your Kerberos ticket (kinit) instead of a password; needs a plugin built with
    /// Kerberos support
    #[arg(long)]
    pub kerberos: bool,
}
