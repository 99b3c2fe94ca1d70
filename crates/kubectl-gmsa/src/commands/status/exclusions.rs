//! Which namespaces' pods are not sent to the webhook.

use std::collections::BTreeMap;

use gmsa_cluster::api::client::why;
use gmsa_cluster::installation::{Options, Version};
use gmsa_core::rbac::LabelSelector;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt as _};
use serde::Deserialize as _;
use serde_json::Value;

use super::{Check, State};
use crate::failure::Failure;

/// How many names a message lists.
const SHOWN: usize = 10;
const ID: &str = "exclusions";

/// Holds the namespaces against the selector of the validating configuration as it is.
pub async fn check(
    client: &Client,
    options: &Options,
    version: Version,
    selector: &Value,
) -> Result<Check, Failure> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let listed = match namespaces.list(&ListParams::default()).await {
        Ok(listed) => listed.items,
        Err(kube::Error::Api(status)) if status.code == 403 => {
            return Ok(Check {
                id: ID,
                state: State::Warning,
                message: "not looked at: you may not list namespaces".to_owned(),
                remedy: "",
            });
        }
        Err(error) => {
            return Err(Failure::cluster(format!(
                "failed to list the namespaces: {}",
                why(&error)
            )));
        }
    };
    let labels = listed.iter().map(|one| (one.name_any(), one.labels().clone())).collect();
    Ok(judge(&labels, options, version, selector))
}

fn judge(
    namespaces: &BTreeMap<String, BTreeMap<String, String>>,
    options: &Options,
    version: Version,
    selector: &Value,
) -> Check {
    let selector = LabelSelector::deserialize(selector).unwrap_or_default();
    let (sent, excluded): (Vec<_>, Vec<_>) =
        namespaces.iter().partition(|(_, labels)| selector.matches(labels));
    let names = |of: &[(&String, &BTreeMap<String, String>)]| {
        let shown: Vec<&str> = of.iter().take(SHOWN).map(|(name, _)| name.as_str()).collect();
        match of.len().saturating_sub(SHOWN) {
            0 => shown.join(", "),
            more => format!("{} and {more} more", shown.join(", ")),
        }
    };
    if excluded.is_empty() {
        let message = "no namespace is excluded".to_owned();
        return Check { id: ID, state: State::Ok, message, remedy: "" };
    }
    if options.namespaces_opt_in {
        let message = match sent.len() {
            0 => "no namespace opted in: nothing is checked".to_owned(),
            count => format!("{count} namespaces opted in: {}", names(&sent)),
        };
        let (state, remedy) = if sent.is_empty() {
            (State::Warning, "kubectl label namespace NAME gmsa-webhook=enabled")
        } else {
            (State::Ok, "")
        };
        return Check { id: ID, state, message, remedy };
    }
    // Where pods cannot be told apart, what the cluster and the webhook need to start is excluded.
    let meant =
        |name: &str| !version.filters() && (name == "kube-system" || name == options.namespace);
    let message =
        format!("the pods of {} namespaces are not sent: {}", excluded.len(), names(&excluded));
    let (state, remedy) = if excluded.iter().all(|(name, _)| meant(name)) {
        (State::Ok, "")
    } else {
        (
            State::Warning,
            "whoever may create pods there can give them any identity; kubectl gmsa audit names \
             what uses a GMSA there, and a namespace is sent again when its label is taken away",
        )
    };
    Check { id: ID, state, message, remedy }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const OLD: Version = Version(1, 20);
    const NEW: Version = Version(1, 30);

    #[test]
    fn the_selector_says_who_is_excluded() {
        let namespaces: BTreeMap<String, BTreeMap<String, String>> =
            serde_json::from_value(json!({
                "kube-system": {"gmsa-webhook": "disabled"},
                "gmsa-webhook": {"gmsa-webhook": "disabled"},
                "opted": {"gmsa-webhook": "enabled"},
                "web": {"windows.k8s.io/disabled": "true"},
            }))
            .unwrap();
        let not = |key: &str, value: &str| json!({"matchExpressions": [{"key": key, "operator": "NotIn", "values": [value]}]});
        let own = not("gmsa-webhook", "disabled");
        let theirs = not("windows.k8s.io/disabled", "true");
        let opt_in = json!({"matchLabels": {"gmsa-webhook": "enabled"}});
        let none = json!({"matchLabels": {"gmsa-webhook": "x"}});
        let asked = Options { namespaces_opt_in: true, ..Options::default() };
        let usual = Options::default();
        for (selector, options, version, state, words) in [
            (&Value::Null, &usual, NEW, State::Ok, "no namespace is excluded"),
            (&own, &usual, OLD, State::Ok, "2 namespaces are not sent: gmsa-webhook, kube-system"),
            // Newer servers can tell pods apart, so nothing has to be excluded.
            (&own, &usual, NEW, State::Warning, "2 namespaces are not sent"),
            (&theirs, &usual, OLD, State::Warning, "1 namespaces are not sent: web"),
            (&opt_in, &asked, OLD, State::Ok, "1 namespaces opted in: opted"),
            (&none, &asked, NEW, State::Warning, "nothing is checked"),
        ] {
            let check = judge(&namespaces, options, version, selector);
            assert_eq!(check.state, state, "{selector} {}", check.message);
            assert!(check.message.contains(words), "{words}: {}", check.message);
        }
    }
}
