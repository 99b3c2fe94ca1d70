//! `kubectl gmsa uninstall`: what install made, webhook configurations first.

use gmsa_cluster::api::apply::{Applier, shown};
use gmsa_cluster::installation::identify::is_ours;
use gmsa_cluster::installation::{Certificates, Options, Version};
use gmsa_core::names::{
    AUDIT, CERT_MANAGER_CA, FIELD_MANAGER, GROUP, NAME, NAMESPACE_LABEL, PLURAL, SECRET,
};
use kube::Client;
use serde_json::{Value, json};

use crate::cli::Uninstall;
use crate::connect::{self, connect, server_version};
use crate::failure::Failure;
use crate::installation::leftover::{self, everything};
use crate::installation::{
    helm, is_made, kept_options, refuse_elsewhere, refuse_unfinished, removal, rights,
};
use crate::output::printer;
use crate::prompt;

/// Removes the installation.
pub fn run(args: &Uninstall) -> Result<u8, Failure> {
    if args.dry_run.is_client() {
        return Err(Failure::Input(
            "--dry-run=client cannot show what is removed: that depends on the cluster; use \
             --dry-run=server"
                .to_owned(),
        ));
    }
    connect::block_on(uninstall(args))
}

async fn uninstall(args: &Uninstall) -> Result<u8, Failure> {
    let client = connect(&args.target).await?;
    let version = server_version(&client).await?;
    refuse_unfinished(&client, "uninstall").await?;
    refuse_elsewhere(&client, &args.namespace, "uninstall").await?;
    helm::refuse_removal(&client, &args.namespace).await?;
    let kept = kept_options(&client, &args.namespace).await?.unwrap_or_default();
    // Whatever an install may have made.
    let options = Options { namespace: args.namespace.clone(), ..kept };
    let applier = Applier::new(client.clone(), FIELD_MANAGER, true);
    let mut found = leftover::literals(&client, version).await?;
    let mut theirs: Vec<String> = Vec::new();
    for object in in_order(&options, version) {
        // That of the index holds nothing of its own.
        let of_specs = format!("{PLURAL}.{GROUP}");
        let definition = object.get("kind") == Some(&json!("CustomResourceDefinition"))
            && object.pointer("/metadata/name") == Some(&json!(of_specs));
        if definition && !args.purge_credspecs {
            continue;
        }
        let live = applier.live(&object).await?;
        let Some(live) = live else { continue };
        // A Secret that another user made under the same name stays, with its namespace.
        let filled = options.certificates == Certificates::Files && named(&object, SECRET);
        let stays = is_secret(&object) && (filled || !is_made(&live));
        if stays {
            theirs.extend(
                object.pointer("/metadata/name").and_then(Value::as_str).map(str::to_owned),
            );
        }
        let kept = stays || (!theirs.is_empty() && is_namespace(&object));
        if !kept && (definition || is_ours(&live) || is_secret(&object)) {
            found.push(object);
        }
    }
    for secret in &theirs {
        let and = if args.namespace == NAME { ", and its namespace with it" } else { "" };
        printer::note(&format!(
            "the Secret {}/{secret} stays{and}: its content was not made by this installation",
            args.namespace
        ));
    }
    if found.is_empty() {
        printer::note("there is nothing to remove");
        return Ok(0);
    }
    refuse_without_rights(&client, &found).await?;
    if args.dry_run.is_server() {
        removal::preview(&found)?;
        return Ok(0);
    }
    if !args.yes {
        confirm(args, &found)?;
    }
    removal::delete(&applier, &found).await?;
    if !version.filters() {
        // An apply without the label gives it up; labels of others stay.
        let bare = json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": "kube-system"}});
        let change = applier.apply(&bare).await?;
        if change != gmsa_cluster::api::apply::Change::Unchanged {
            printer::data(&format!("namespace/kube-system label {NAMESPACE_LABEL} removed\n"))?;
        }
    }
    if args.namespace != NAME {
        printer::note(&format!(
            "the namespace {} stays: it may contain other objects",
            args.namespace
        ));
    }
    if !args.purge_credspecs {
        printer::note(
            "the resource definition and the credential specs stay (--purge-credspecs deletes them)",
        );
    }
    Ok(0)
}

/// Half an installation may be one in which nothing is checked.
async fn refuse_without_rights(client: &Client, found: &[Value]) -> Result<(), Failure> {
    let mut missing = Vec::new();
    for object in found {
        missing.extend(rights::missing_right(client, "delete", object).await?);
    }
    rights::refuse(missing, "nothing was deleted")
}

/// The reverse of how they were made: what sends pods first, the namespace last. Validation denies pods
/// that were not expanded, so it ends before expansion does.
fn in_order(options: &Options, version: Version) -> Vec<Value> {
    let objects = everything(options, version);
    // The policies refuse what the webhooks did not see, so they end before the webhooks do.
    let mut all: Vec<Value> = objects.webhooks.into_iter().chain(objects.policies).rev().collect();
    let (namespaces, rest): (Vec<Value>, Vec<Value>) =
        objects.base.into_iter().rev().partition(is_namespace);
    all.extend(rest);
    // After the role that lets the server write it again, and after the Certificates, for which cert-manager
    // would.
    for name in [SECRET, CERT_MANAGER_CA] {
        all.push(json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": name, "namespace": options.namespace}}));
    }
    // The audit's results; its policy reports are deleted with its role.
    all.push(json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": AUDIT, "namespace": options.namespace}}));
    // The user chose a namespace of another name, and it may hold other objects.
    let own = |object: &Value| object.pointer("/metadata/name") == Some(&json!(NAME));
    all.extend(namespaces.into_iter().filter(own));
    all
}

fn is_namespace(object: &Value) -> bool {
    object.get("kind") == Some(&json!("Namespace"))
}

fn named(object: &Value, name: &str) -> bool {
    object.pointer("/metadata/name") == Some(&json!(name))
}

fn is_secret(object: &Value) -> bool {
    object.get("kind") == Some(&json!("Secret"))
}

fn confirm(args: &Uninstall, found: &[Value]) -> Result<(), Failure> {
    let names: Vec<String> = found.iter().map(shown).collect();
    printer::note(&format!("to be deleted: {}", names.join(", ")));
    if args.purge_credspecs {
        printer::note(
            "with the resource definition every credential spec of the cluster is deleted; pods \
             that use one do not start any more",
        );
    }
    prompt::confirm("delete them?", "nothing was deleted")
}

#[cfg(test)]
mod tests {
    use gmsa_cluster::installation::{Options, Version};

    use super::in_order;

    #[test]
    fn webhooks_are_deleted_first_and_only_our_own_namespace() {
        for (namespace, deleted) in [("gmsa-webhook", 1), ("shared-tools", 0)] {
            let options = Options { namespace: namespace.to_owned(), ..Options::default() };
            let objects = in_order(&options, Version(1, 20));
            let kinds: Vec<&str> =
                objects.iter().filter_map(|object| object.get("kind")?.as_str()).collect();
            let last = kinds.iter().rposition(|kind| kind.ends_with("WebhookConfiguration"));
            let rest = kinds.iter().position(|kind| !kind.ends_with("WebhookConfiguration"));
            assert!(last < rest, "{kinds:?}");
            let of = |kind| kinds.iter().rposition(|one| *one == kind);
            let validating = of("ValidatingWebhookConfiguration");
            assert!(validating < of("MutatingWebhookConfiguration"), "{kinds:?}");
            let namespaces = kinds.iter().filter(|kind| **kind == "Namespace").count();
            assert_eq!(namespaces, deleted, "{namespace}");
        }
    }
}
