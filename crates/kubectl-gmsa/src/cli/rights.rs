//! The arguments of `grant`, `revoke` and `access`.

use std::str::FromStr;

use clap::{Args, ValueEnum};
use gmsa_core::credspec::name::{is_valid_name, made_valid};

use super::shared::{ClusterFlags, DryRun};

/// The longest name of a namespace (RFC 1123, a label).
const NAMESPACE_LENGTH: usize = 63;
/// How a service account is written.
const ACCOUNT: &str = "NAMESPACE/SERVICEACCOUNT";

/// What `grant` and `revoke` have in common.
#[derive(Debug, Args)]
pub struct RightsFlags {
    /// The credential specs
    #[arg(value_name = "CREDSPEC", required = true, value_parser = credential_spec)]
    pub credential_specs: Vec<String>,
    /// Change nothing; server: have the API server check it
    #[arg(
        long,
        value_enum,
        value_name = "WHERE",
        default_value_t,
        num_args = 0..=1,
        default_missing_value = "client",
        require_equals = true
    )]
    pub dry_run: DryRun,
    /// Print the objects instead of what was done
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
  # Pods of service account web in namespace shop may use webapp1
  kubectl gmsa grant webapp1 --to shop/web

  # Several at once
  kubectl gmsa grant webapp1 sql --to shop/web shop/worker

  # The objects, for a repository; no cluster is asked
  kubectl gmsa grant webapp1 --to shop/web --dry-run=client -o yaml")]
pub struct Grant {
    /// Who may use them
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
  # Pods of service account web in namespace shop may no longer use webapp1
  kubectl gmsa revoke webapp1 --from shop/web

  # What would be left?
  kubectl gmsa revoke webapp1 --from shop/web --dry-run=client

  # The bindings as they would be without it, for a repository
  kubectl gmsa revoke webapp1 --from shop/web --dry-run=client -o yaml

With -o yaml and json the objects that are changed are printed, as they then are; with -o name those
that are deleted too.")]
pub struct Revoke {
    /// Who may no longer use them
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
        let Some((namespace, name)) = text.split_once('/') else {
            return Err(format!("\"{text}\" is not NAMESPACE/SERVICEACCOUNT, such as shop/web"));
        };
        let is_label = is_valid_name(namespace) && !namespace.contains('.');
        if !is_label || namespace.len() > NAMESPACE_LENGTH {
            return Err(format!("\"{namespace}\" is no name of a namespace (DNS-1123 label)"));
        }
        if !is_valid_name(name) {
            return Err(format!("\"{name}\" is no name of a service account (DNS-1123 subdomain)"));
        }
        Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() })
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
            "it is no name of a credential spec; those stand before --to or --from".to_owned()
        );
    }
    Err(format!(
        "it is no name of a credential spec (DNS-1123 subdomain); did you mean \"{}\"?",
        made_valid(text)
    ))
}
