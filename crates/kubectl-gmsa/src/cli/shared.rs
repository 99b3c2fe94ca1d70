//! Flags that several commands have.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Which cluster.
#[derive(Clone, Debug, Default, Args)]
pub struct ClusterFlags {
    /// The kubeconfig
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The context in the kubeconfig
    #[arg(long)]
    pub context: Option<String>,
}

/// Whether anything is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DryRun {
    /// It is written
    #[default]
    None,
    /// Nothing is sent that would write; what the flag without a value means
    Client,
    /// The server judges it and stores nothing; a directory has no such thing and is treated as
    /// with client
    Server,
}

/// Which directory, how, and as whom.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Directory")]
pub struct DirectoryFlags {
    /// The domain controller, HOST or HOST:PORT; else one is found by DNS
    #[arg(long, value_name = "HOST", env = "GMSA_DC")]
    pub dc: Option<String>,
    /// The DNS name of the domain
    #[arg(long, value_name = "DOMAIN", env = "GMSA_DOMAIN")]
    pub domain: Option<String>,
    /// The DNS server to ask; else those of the system
    #[arg(long, value_name = "IP", env = "GMSA_DNS_SERVER")]
    pub dns_server: Option<IpAddr>,
    /// The certificates of the authorities to trust, PEM; else those of the system
    #[arg(long, value_name = "FILE", env = "GMSA_CA")]
    pub ca: Option<PathBuf>,
    /// The name that the controller's certificate must have, if it is not the one connected to
    #[arg(long, value_name = "NAME", env = "GMSA_SERVER_NAME")]
    pub server_name: Option<String>,
    /// Use LDAP with StartTLS (port 389) instead of LDAPS (port 636)
    #[arg(long)]
    pub starttls: bool,
    /// How many seconds to wait for a connection, and for each answer
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u16).range(1..))]
    pub timeout: u16,
    /// The user to log on as: user@domain or DOMAIN\user
    #[arg(long, value_name = "USER", env = "GMSA_BIND_USER")]
    pub bind_user: Option<String>,
    /// The file with the user's password, - for standard input; else `GMSA_BIND_PASSWORD`, else it
    /// is asked for on a terminal
    #[arg(long, value_name = "FILE", env = "GMSA_PASSWORD_FILE")]
    pub password_file: Option<PathBuf>,
    /// Log on with your Kerberos ticket (kinit) instead of a user and password; only in a plugin that
    /// was built for it
    #[arg(long)]
    pub kerberos: bool,
}
