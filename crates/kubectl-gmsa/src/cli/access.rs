//! The arguments of `access`.

use clap::{Args, ValueEnum};

use super::rights::{Account, credential_spec};
use super::shared::ClusterFlags;

/// `kubectl gmsa access`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # Who may use which credential spec, by what, and who uses it
  kubectl gmsa access

  # One credential spec
  kubectl gmsa access webapp1

  # What one service account may use
  kubectl gmsa access --service-account shop/web

  # May it? The exit code says so too
  kubectl gmsa access webapp1 --service-account shop/web

  # A picture
  kubectl gmsa access -o dot | dot -Tsvg > access.svg")]
pub struct Access {
    /// Only this credential spec
    #[arg(value_name = "CREDSPEC", value_parser = credential_spec)]
    pub credential_spec: Option<String>,
    /// Only this service account
    #[arg(long, value_name = "NAMESPACE/NAME", conflicts_with = "namespace")]
    pub service_account: Option<Account>,
    /// Only the service accounts of this namespace; without it those of all
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// Do not ask the API server whether it judges as the roles and bindings say
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
    /// Who may use what, by what, and who uses it
    Table,
    /// The same, with each service account that has the right by a group alone
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
