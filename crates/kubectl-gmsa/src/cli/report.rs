//! The arguments of `report`.

use std::path::PathBuf;

use clap::Args;

use super::shared::ClusterFlags;

/// `kubectl gmsa report`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # Write one page about everything, for a review or a ticket
  kubectl gmsa report --out gmsa.html

  # Limit it to one namespace
  kubectl gmsa report -n shop --out shop.html --overwrite")]
pub struct ReportArgs {
    /// The file to write, a self-contained HTML page
    #[arg(long, value_name = "FILE", required = true)]
    pub out: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    pub overwrite: bool,
    /// Show only the service accounts of this namespace [default: all]
    #[arg(short, long, value_parser = super::shared::namespace)]
    pub namespace: Option<String>,
    /// Show the service accounts of all namespaces, which is the default
    #[arg(short = 'A', long, conflicts_with_all = ["namespace"])]
    pub all_namespaces: bool,
    /// The namespace of the webhook
    #[arg(long, value_name = "NAME", default_value = gmsa_core::names::NAME, value_parser = super::shared::namespace)]
    pub webhook_namespace: String,
    /// Do not compare the roles and bindings with the API server's own answers
    #[arg(long)]
    pub no_verify: bool,
    /// Which cluster
    #[command(flatten)]
    pub connect: ClusterFlags,
}
