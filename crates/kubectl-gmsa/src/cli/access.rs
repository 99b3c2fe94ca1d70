//! The arguments of `access`.

use clap::{Args, ValueEnum};

use super::rights::{Account, credential_spec};
use super::shared::ClusterFlags;

/// `kubectl gmsa access`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # Show who may use which credential spec, through which roles, and who uses it
  kubectl gmsa access

  # Show one credential spec
  kubectl gmsa access webapp1

  # Show what one service account may use
  kubectl gmsa access --service-account shop/web

  # Check whether it may use one; the exit code says so too
  kubectl gmsa access webapp1 --service-account shop/web

  # Draw a picture
  kubectl gmsa access -o dot | dot -Tsvg > access.svg")]
pub struct Access {
    /// Show only this credential spec
    #[arg(value_name = "CREDSPEC", value_parser = credential_spec)]
    pub credential_spec: Option<String>,
    /// Show only this service account
    #[arg(long, value_name = "NAMESPACE/NAME", conflicts_with = "namespace")]
    pub service_account: Option<Account>,
    /// Show only the service accounts of this namespace [default: all]
    #[arg(short, long, value_parser = super::shared::namespace)]
    pub namespace: Option<String>,
    /// Show the service accounts of all namespaces, which is the default
    #[arg(short = 'A', long, conflicts_with_all = ["namespace", "service_account"])]
    pub all_namespaces: bool,
    /// Do not compare the roles and bindings with the API server's own answers
    #[arg(long)]
    pub no_verify: bool,
    /// What to print
    #[arg(short, long, value_enum, default_value_t = AccessOutput::Table)]
    pub output: AccessOutput,
    /// Which cluster
    #[command(flatten)]
    pub connect: ClusterFlags,
}

/// What `access` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AccessOutput {
    /// Who may use what, through which roles, and who uses it
    Table,
    /// The same, with service accounts that have the right only through a group
    Wide,
    /// A report with a published schema
    Json,
    /// The same as YAML
    Yaml,
    /// A graph for Graphviz
    Dot,
    /// A graph for Mermaid
    Mermaid,
}
