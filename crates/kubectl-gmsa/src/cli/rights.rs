//! The arguments of `grant` and `revoke`.

use std::str::FromStr;

use clap::{Args, ValueEnum};
use gmsa_core::credspec::name::{is_valid_name, made_valid};

use super::shared::{ClusterFlags, DryRunFlag};

/// How a service account is written.
const ACCOUNT: &str = "NAMESPACE/SERVICEACCOUNT";

/// What `grant` and `revoke` have in common.
#[derive(Debug, Args)]
pub struct RightsFlags {
    /// The credential specs
    #[arg(value_name = "CREDSPEC", required = true, value_parser = credential_spec)]
    pub credential_specs: Vec<String>,
    /// `--dry-run`
    #[command(flatten)]
    pub dry_run: DryRunFlag,
    /// Print the objects instead of a summary
    #[arg(short, long, value_enum)]
    pub output: Option<ObjectOutput>,
    /// Which cluster
    #[command(flatten)]
    pub connect: ClusterFlags,
}

/// `kubectl gmsa grant`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # Let pods of the service account web in namespace shop use webapp1
  kubectl gmsa grant webapp1 --to shop/web

  # Grant several at once
  kubectl gmsa grant webapp1 sql --to shop/web shop/worker

  # Write the objects for a repository, without a cluster
  kubectl gmsa grant webapp1 --to shop/web --dry-run=client -o yaml")]
pub struct Grant {
    /// The service accounts that get the right
    #[arg(long, value_name = ACCOUNT, required = true, num_args = 1.., value_delimiter = ',')]
    pub to: Vec<Account>,
    /// Which rights, and how
    #[command(flatten)]
    pub rights: RightsFlags,
}

/// `kubectl gmsa revoke`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # Stop pods of the service account web in namespace shop from using webapp1
  kubectl gmsa revoke webapp1 --from shop/web

  # Preview what would be left
  kubectl gmsa revoke webapp1 --from shop/web --dry-run=client

  # Write the changed bindings for a repository
  kubectl gmsa revoke webapp1 --from shop/web --dry-run=client -o yaml

-o yaml and -o json print the changed objects; -o name also prints those that are deleted.")]
pub struct Revoke {
    /// The service accounts that lose the right
    #[arg(long, value_name = ACCOUNT, required = true, num_args = 1.., value_delimiter = ',')]
    pub from: Vec<Account>,
    /// Which rights, and how
    #[command(flatten)]
    pub rights: RightsFlags,
}

/// How objects are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ObjectOutput {
    /// YAML, one document for each object
    Yaml,
    /// JSON, a List if there are several objects
    Json,
    /// Resource and name
    Name,
}

/// A service account of a namespace, written `NAMESPACE/SERVICEACCOUNT`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Account {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl FromStr for Account {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains('*') {
            return Err(format!(
                "\"{text}\" has a wildcard; name each service account, so that no other gets the \
                 right"
            ));
        }
        // As messages of the API server and `kubectl auth can-i --as` write it.
        let user = text.strip_prefix("system:serviceaccount:");
        let parts = user.map_or(text.split_once('/'), |user| user.split_once(':'));
        let Some((namespace, name)) = parts else {
            return Err(format!("\"{text}\" is not NAMESPACE/SERVICEACCOUNT, such as shop/web"));
        };
        let namespace = super::shared::namespace(namespace)?;
        if !is_valid_name(name) {
            return Err(format!("\"{name}\" is not a service account name (DNS-1123 subdomain)"));
        }
        Ok(Self { namespace, name: name.to_owned() })
    }
}

/// Reads the name of a credential spec.
pub fn credential_spec(text: &str) -> Result<String, String> {
    if is_valid_name(text) {
        return Ok(text.to_owned());
    }
    if text.contains('*') {
        return Err(
            "a wildcard would give the right to credential specs that do not exist yet; name each"
                .to_owned(),
        );
    }
    if text.contains('/') {
        return Err(
            "not a credential spec name; credential specs come before --to or --from".to_owned()
        );
    }
    Err(format!(
        "not a credential spec name (DNS-1123 subdomain); did you mean \"{}\"?",
        made_valid(text)
    ))
}
