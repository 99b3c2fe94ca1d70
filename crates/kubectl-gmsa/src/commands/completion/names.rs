//! The names that complete an argument: from the kubeconfig, the cluster and the catalogues.
//!
//! A shell waits for them, so the cluster has a short time, and whatever fails completes nothing.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Arg, Command};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use gmsa_cluster::api::client::contexts;
use gmsa_cluster::api::objects::{Kind, Objects, kinds};
use gmsa_cluster::api::value::name;
use gmsa_core::diagnosis::catalogue;
use gmsa_core::finding::Code;
use gmsa_core::names::FIELD_MANAGER;

use crate::cli::shared::ClusterFlags;
use crate::connect::{connect, runtime};

/// For how long the cluster is asked.
const PATIENCE: Duration = Duration::from_secs(3);

/// The cluster and the namespace of the words before the one that is completed.
struct Asked {
    cluster: ClusterFlags,
    namespace: Option<String>,
}

/// Adds the names to the arguments that take them.
pub fn with_names(command: Command, words: &[OsString]) -> Command {
    let asked = Arc::new(Asked {
        cluster: ClusterFlags {
            kubeconfig: value(words, &["--kubeconfig"]).map(PathBuf::from),
            context: value(words, &["--context"]),
        },
        namespace: value(words, &["--namespace", "-n"]),
    });
    added(command, &asked)
}

/// The value of a flag, in either of its forms.
fn value(words: &[OsString], flags: &[&str]) -> Option<String> {
    let words: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
    // The last word is the one that is completed.
    let (_, before) = words.split_last()?;
    before.iter().enumerate().find_map(|(index, word)| {
        flags.iter().find_map(|flag| match word.strip_prefix(flag)? {
            "" => before.get(index + 1).map(|value| (*value).to_owned()),
            rest => rest.strip_prefix('=').map(str::to_owned),
        })
    })
}

fn added(command: Command, asked: &Arc<Asked>) -> Command {
    let of = command.get_name().to_owned();
    let command = command.mut_args(|arg| completed(&of, arg, asked));
    command.mut_subcommands(|sub| added(sub, asked))
}

fn completed(command: &str, arg: Arg, asked: &Arc<Asked>) -> Arg {
    let names: fn(&Asked, &str) -> Vec<String> = match (command, arg.get_id().as_str()) {
        (_, "context") => |asked, _| contexts(asked.cluster.kubeconfig.as_deref()),
        (_, "namespace" | "webhook_namespace") => |asked, _| namespaces(asked),
        (_, "credential_spec" | "credential_specs") | ("show", "name") | ("lint", "names") => {
            |asked, _| asked.list(kinds::CREDENTIAL_SPEC, None)
        }
        (_, "to" | "from" | "service_account" | "grant") => accounts,
        ("doctor", "target") => targets,
        ("explain", "id") => |_, _| ids(),
        _ => return arg,
    };
    let asked = Arc::clone(asked);
    arg.add(ArgValueCompleter::new(move |current: &OsStr| {
        let current = current.to_string_lossy();
        let names = names(&asked, &current).into_iter();
        names.filter(|name| name.starts_with(&*current)).map(CompletionCandidate::new).collect()
    }))
}

impl Asked {
    /// The names of the objects of a kind; none if they cannot be listed in time.
    fn list(&self, kind: Kind, namespace: Option<&str>) -> Vec<String> {
        let listed = async {
            let client = connect(&self.cluster).await.ok()?;
            let namespace = namespace.map(|of| match of {
                "" => client.default_namespace().to_owned(),
                of => of.to_owned(),
            });
            let objects = Objects::new(client, FIELD_MANAGER, true);
            objects.list(kind, namespace.as_deref()).await.ok()
        };
        let Ok(runtime) = runtime() else { return Vec::new() };
        let found = runtime.block_on(async { tokio::time::timeout(PATIENCE, listed).await });
        let found = found.ok().flatten().unwrap_or_default();
        found.iter().map(|one| name(one).to_owned()).collect()
    }
}

fn namespaces(asked: &Asked) -> Vec<String> {
    asked.list(kinds::NAMESPACE, None)
}

/// `NAMESPACE/SERVICEACCOUNT`: first the namespaces, then the accounts of the one that is written.
fn accounts(asked: &Asked, current: &str) -> Vec<String> {
    match current.split_once('/') {
        None => namespaces(asked).into_iter().map(|of| format!("{of}/")).collect(),
        Some((of, _)) => {
            let accounts = asked.list(kinds::SERVICE_ACCOUNT, Some(of)).into_iter();
            accounts.map(|account| format!("{of}/{account}")).collect()
        }
    }
}

/// A pod, or `KIND/` and then the workloads of the kind that is written.
fn targets(asked: &Asked, current: &str) -> Vec<String> {
    let namespace = Some(asked.namespace.as_deref().unwrap_or_default());
    let written = |kind: &Kind| kind.kind.to_lowercase();
    match current.split_once('/') {
        None => {
            let kinds = kinds::TEMPLATES.iter().map(|kind| format!("{}/", written(kind)));
            kinds.chain(asked.list(kinds::POD, namespace)).collect()
        }
        Some((of, _)) => {
            let all = kinds::TEMPLATES.into_iter().chain([kinds::POD]);
            let is_it = |kind: &Kind| written(kind) == of || kind.plural == of;
            let Some(kind) = all.into_iter().find(is_it) else { return Vec::new() };
            let found = asked.list(kind, namespace).into_iter();
            found.map(|name| format!("{of}/{name}")).collect()
        }
    }
}

/// What `doctor explain` explains by its name.
fn ids() -> Vec<String> {
    let checks = catalogue::all().map(|check| check.id);
    checks.chain(Code::ALL.iter().map(|code| code.id())).map(str::to_owned).collect()
}
