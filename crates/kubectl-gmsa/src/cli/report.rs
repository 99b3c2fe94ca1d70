//! The arguments of `report`.

use std::path::PathBuf;

use clap::Args;

use super::shared::ClusterFlags;

/// `kubectl gmsa report`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # One page about everything, for a review or a ticket
  kubectl gmsa report --out gmsa.html

  # One namespace
  kubectl gmsa report -n shop --out shop.html --overwrite")]
pub struct ReportArgs {
    /// The file to write: one HTML page that needs nothing else
    #[arg(long, value_name = "FILE", required = true)]
    pub out: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    pub overwrite: bool,
    /// Only the service accounts of this namespace; without it those of all
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// The namespace of the webhook
    #[arg(long, value_name = "NAME", default_value = gmsa_cluster::installation::NAME)]
    pub webhook_namespace: String,
    /// Do not ask the API server whether it judges as the roles and bindings say
    #[arg(long)]
    pub no_verify: bool,
    /// Which cluster
    #[command(flatten)]
    pub connect: ClusterFlags,
}
