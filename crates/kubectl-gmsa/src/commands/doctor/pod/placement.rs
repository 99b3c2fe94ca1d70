//! Where the pod runs, under which name, and what its images show.

use std::collections::BTreeSet;

use gmsa_cluster::api::objects::{Objects, Reference, kinds};
use gmsa_cluster::api::value::{condition, text};
use gmsa_cluster::installation::identify::has_ended;
use gmsa_core::diagnosis::catalogue::pod::{POD_HOSTNAME, POD_NODE, POD_SCHEDULED};
use gmsa_core::diagnosis::{Confidence, Outcome};
use gmsa_core::pod::{HOSTNAME_LENGTH, Identity, Pod, identities};
use gmsa_core::workload::selects_windows_nodes_only;
use serde_json::Value;

use super::target::Subject;
use super::{image, shown};
use crate::checks::facts::soft;
use crate::checks::nodes::is_windows;
use crate::failure::Failure;

/// Judges node, hostname and images.
pub async fn judge(
    objects: &Objects,
    subject: &Subject,
    pod: &Pod<'_>,
) -> Result<Vec<Outcome>, Failure> {
    let mut outcomes = Vec::new();
    if let Some(live) = &subject.pod {
        let scheduled = node(objects, live, pod).await?;
        outcomes.extend(scheduled.into_iter().map(|outcome| outcome.on(shown(live))));
        outcomes.extend(hostname(live, pod, &subject.pods).map(|one| one.on(shown(live))));
    }
    outcomes.extend(image::judge(subject, pod));
    Ok(outcomes)
}

async fn node(objects: &Objects, live: &Value, pod: &Pod<'_>) -> Result<Vec<Outcome>, Failure> {
    let name = text(live, "/spec/nodeName");
    let unbound = "nothing in the pod asks for Windows: no os.name, no node selector";
    let is_bound = pod.is_bound_to_windows() || selects_windows(objects, live).await;
    if name.is_empty() {
        let condition =
            condition(live, "PodScheduled").filter(|one| text(one, "/status") == "False");
        let outcome = Outcome::problem(&POD_SCHEDULED, "it is bound to no node");
        let reason = condition.map(|one| text(one, "/message")).filter(|words| !words.is_empty());
        let outcome = if is_bound {
            outcome.then(format!(
                "It requires Windows. See why no node accepts it: `kubectl describe pod {} -n {}`; \
                 tolerate the taints of the Windows nodes, or make room on one.",
                text(live, "/metadata/name"),
                text(live, "/metadata/namespace")
            ))
        } else {
            outcome.because(unbound)
        };
        return Ok(vec![reason.into_iter().fold(outcome, Outcome::because)]);
    }
    let found = match soft(objects.get(&Reference::cluster(kinds::NODE, name)).await)? {
        Ok(Some(found)) => found,
        Ok(None) => {
            let words = format!("its node {name} no longer exists");
            return Ok(vec![Outcome::problem(&POD_SCHEDULED, words)]);
        }
        Err(why) => return Ok(vec![Outcome::unknown(&POD_SCHEDULED, why)]),
    };
    let because = |outcome: Outcome| {
        if is_bound { outcome } else { outcome.because(unbound) }
    };
    if !is_windows(&found) {
        let words = format!("it runs on {name}, which does not run Windows");
        let readiness = Outcome::skipped(&POD_NODE, "the node is none for this pod");
        return Ok(vec![because(Outcome::problem(&POD_SCHEDULED, words)), readiness]);
    }
    let words = format!("on {name}, which runs Windows");
    let scheduled = because(Outcome::ok(&POD_SCHEDULED, words));
    let ready = condition(&found, "Ready");
    let is_ready = ready.is_some_and(|one| text(one, "/status") == "True");
    let readiness = if is_ready {
        Outcome::ok(&POD_NODE, format!("{name} is ready"))
    } else {
        let outcome = Outcome::problem(&POD_NODE, format!("{name} is not ready"));
        let message = ready.map(|one| text(one, "/message")).filter(|words| !words.is_empty());
        message.into_iter().fold(outcome, Outcome::because)
    };
    let kernel = text(&found, "/status/nodeInfo/kernelVersion");
    let mut outcomes = vec![scheduled, readiness];
    outcomes.extend(image::against_node(live, pod, name, kernel));
    Ok(outcomes)
}

/// Whether the pod selects Windows nodes alone, as far as the nodes may be listed.
async fn selects_windows(objects: &Objects, live: &Value) -> bool {
    let nodes = objects.list(kinds::NODE, None).await.unwrap_or_default();
    selects_windows_nodes_only(live.get("spec").unwrap_or(&Value::Null), &nodes)
}

/// Whether others log on with the same account under the same hostname.
fn hostname(live: &Value, pod: &Pod<'_>, pods: &[Value]) -> Option<Outcome> {
    let own: Vec<Identity<'_>> = identities(pod).collect();
    let names: BTreeSet<&str> = own.iter().map(|one| one.credential_spec).collect();
    if names.is_empty() {
        return None;
    }
    let host = windows_hostname(live);
    let mut evidence = Vec::new();
    for name in &names {
        let within: Vec<String> = own
            .iter()
            .filter(|one| one.credential_spec == *name && !one.host_process)
            .map(|one| one.container.to_string())
            .collect();
        if within.len() > 1 {
            evidence.push(format!("{} have credential spec \"{name}\"", within.join(" and ")));
        }
    }
    let others = pods.iter().filter(|other| {
        let is_self = text(other, "/metadata/uid") == text(live, "/metadata/uid");
        !has_ended(other) && !is_self && windows_hostname(other) == host
    });
    for other in others {
        let other_text = other.to_string();
        let Ok(view) = serde_json::from_str::<Pod<'_>>(&other_text) else { continue };
        if identities(&view).any(|one| names.contains(one.credential_spec)) {
            evidence.push(format!("{} has the same account and hostname", shown(other)));
        }
    }
    if evidence.is_empty() {
        return Some(Outcome::ok(&POD_HOSTNAME, format!("it is {host} alone")));
    }
    let words = format!("it is not the only one that logs on as {host}");
    let outcome = Outcome::warning(&POD_HOSTNAME, words).sure(Confidence::Possible);
    Some(evidence.into_iter().take(5).fold(outcome, Outcome::because))
}

/// The hostname that Windows gives a pod.
fn windows_hostname(pod: &Value) -> String {
    let names = ["/spec/hostnameOverride", "/spec/hostname", "/metadata/name"];
    let name = names.iter().map(|at| text(pod, at)).find(|name| !name.is_empty());
    let name = name.unwrap_or_default();
    name.chars().take(HOSTNAME_LENGTH).collect::<String>().to_ascii_lowercase()
}
