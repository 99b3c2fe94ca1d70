//! One pod: admission, scheduling, and checks from inside.

mod admission;
mod image;
mod inside;
mod lifecycle;
mod placement;
mod probe;
mod repair;
mod running;
mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gmsa_cluster::api::objects::{Objects, kinds};
use gmsa_cluster::api::value::{array, text};
use gmsa_cluster::audit::{Policies, policy_engine};
use gmsa_cluster::installation::engine::InForce;
use gmsa_core::diagnosis::Outcome;
use gmsa_core::diagnosis::catalogue::pod::{POD_EXEC, POD_IDENTITY};
use gmsa_core::names::FIELD_MANAGER;
use gmsa_core::pod::{Identity, Pod, identities, shown as shown_name};
use gmsa_core::workload::{templates, unread};
use kube::Client;
use serde_json::Value;

use super::Found;
use crate::checks::dns::Resolution;
use crate::checks::facts::{Seen, shown, soft};
use crate::cli::Doctor;
use crate::failure::Failure;
use inside::{Looked, Place};

pub use lifecycle::{change as lifecycle, print as print_lifecycle};
pub use target::Subject;

/// Looks at a pod, or at one of the pods of a workload.
pub async fn examine(client: &Client, args: &Doctor, target: &str) -> Result<Found, Failure> {
    repair::may_ask(args)?;
    let namespace = namespace(client, args);
    let objects = Objects::new(client.clone(), FIELD_MANAGER, false);
    let subject = target::resolve(client, &objects, &namespace, target).await?;
    // What a running pod carries, or what the next one will.
    let object = subject.pod.clone().or_else(|| subject.next_pod());
    let object = object.unwrap_or(Value::Null);
    let pod_text = object.to_string();
    let pod = read(&pod_text, target)?;
    let names: BTreeSet<String> =
        pod.references().filter_map(|one| one.name).map(str::to_owned).collect();
    let mut outcomes = identity(&subject, &pod);
    let specs = specs(&objects).await?;
    outcomes.extend(admission::judge(client, &specs, &subject, &pod).await?);
    outcomes.extend(placement::judge(&objects, &subject, &pod).await?);
    let mut looked = Vec::new();
    if args.probe_pod {
        let probed = probe::examine(client, args, &subject, &pod, &specs).await?;
        outcomes.extend(probed.outcomes);
        looked = probed.looked;
    } else if let Some(live) = &subject.pod {
        let events = running::events(client, live).await;
        outcomes.extend(running::judge(live, &pod, &specs, &events));
        let maker = target::maker(&objects, live).await;
        for identity in identities(&pod).filter(|one| !one.host_process) {
            let place = Place::of(live, &pod, &identity, &specs, maker.as_deref());
            if running::is_running(live, &identity) {
                let limit = Duration::from_secs(u64::from(args.exec_timeout));
                looked.push(inside::look(client, place, limit).await);
            } else {
                let words = "the container does not run, so nothing was run in it";
                outcomes.push(Outcome::skipped(&POD_EXEC, words).on(&place.object));
            }
        }
    } else if pod.references().next().is_some() {
        let words = "there is no pod, so nothing was run inside";
        outcomes.push(Outcome::skipped(&POD_EXEC, words).on(&subject.shown));
    }
    if args.repair {
        repair::run(client, args, &mut looked).await?;
    }
    let mut outputs = Vec::new();
    let mut resolved = BTreeMap::new();
    for one in looked {
        outcomes.extend(one.judge());
        if one.inside.addresses() == Some(true) {
            resolved.insert(one.inside.domain.to_ascii_lowercase(), one.place.object.clone());
        }
        outputs.extend(one.outputs);
    }
    let resolution = Resolution { resolved, own_servers: own_servers(&object) };
    let subject = Some(subject);
    Ok(Found { outcomes, credential_specs: names, outputs, resolution, subject })
}

/// The name servers that a pod asks instead of the cluster's, as messages name them.
fn own_servers(pod: &Value) -> Option<String> {
    let policy = text(pod, "/spec/dnsPolicy");
    if policy == "Default" {
        return Some("the node's DNS servers (dnsPolicy Default)".to_owned());
    }
    if policy != "None" {
        return None;
    }
    let servers: Vec<&str> =
        array(pod, "/spec/dnsConfig/nameservers").filter_map(Value::as_str).collect();
    Some(format!("{} (dnsPolicy None)", servers.join(", ")))
}

/// The credential specs that pods get by their names, or why they may not be read.
type Specs = Seen<BTreeMap<String, Value>>;

async fn specs(objects: &Objects) -> Result<Specs, Failure> {
    if policy_engine(objects).await == Some(Policies::Literals) {
        // What the policies have in them counts, whatever the cluster has.
        let in_force = soft(InForce::read(objects).await)?;
        return Ok(
            in_force.map(|found| found.map(|one| one.credential_specs()).unwrap_or_default())
        );
    }
    let read = soft(objects.list_known(kinds::CREDENTIAL_SPEC, None).await)?;
    let named = |spec: Value| (text(&spec, "/metadata/name").to_owned(), spec);
    Ok(read.map(|specs| specs.into_iter().map(named).collect()))
}

/// The namespace that was asked for, or that of the context.
fn namespace(client: &Client, args: &Doctor) -> String {
    args.namespace.clone().unwrap_or_else(|| client.default_namespace().to_owned())
}

/// The view of a pod.
fn read<'a>(text: &'a str, target: &str) -> Result<Pod<'a>, Failure> {
    serde_json::from_str(text)
        .map_err(|error| Failure::Cluster(format!("failed to read the pod of {target}: {error}")))
}

/// Which container has which credential spec, by which field.
fn identity(subject: &Subject, pod: &Pod<'_>) -> Vec<Outcome> {
    let found: Vec<Identity<'_>> = identities(pod).collect();
    if found.is_empty() {
        let words = "nothing in it names a credential spec";
        let outcome = Outcome::problem(&POD_IDENTITY, words).on(&subject.shown);
        let objects = subject.workload.iter().chain(&subject.pod);
        // Nobody else says that an annotation or a field is read by nothing.
        let unread = objects.flat_map(|object| unread(object, &templates(object)));
        return vec![unread.map(|finding| finding.message).fold(outcome, Outcome::because)];
    }
    let one = |identity: &Identity<'_>| {
        let field = carrier(identity);
        let name = shown_name(identity.credential_spec);
        let outcome = if identity.host_process {
            let words = format!(
                "it is a HostProcess container, which gets no GMSA although {field} names \"{name}\""
            );
            Outcome::problem(&POD_IDENTITY, words)
        } else {
            Outcome::ok(&POD_IDENTITY, format!("credential spec \"{name}\", carried by {field}"))
        };
        outcome.on(format!("{} of {}", identity.container, subject.shown_pod()))
    };
    found.iter().map(one).collect()
}

/// The field that carries a container's credential spec to the runtime.
fn carrier(identity: &Identity<'_>) -> String {
    if identity.inherited {
        "spec.securityContext.windowsOptions.gmsaCredentialSpec".to_owned()
    } else {
        identity.container.field("gmsaCredentialSpec")
    }
}

/// What a probe pod was found to be.
struct Probed {
    outcomes: Vec<Outcome>,
    looked: Vec<Looked>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::own_servers;

    #[test]
    fn a_pod_with_its_own_dns_servers_does_not_ask_the_clusters() {
        for (spec, expected) in [
            (json!({"dnsPolicy": "ClusterFirst"}), None),
            (json!({}), None),
            (
                json!({"dnsPolicy": "None", "dnsConfig": {"nameservers": ["10.0.0.4", "10.0.0.5"]}}),
                Some("10.0.0.4, 10.0.0.5 (dnsPolicy None)"),
            ),
            (json!({"dnsPolicy": "Default"}), Some("the node's DNS servers (dnsPolicy Default)")),
            (
                json!({"dnsPolicy": "ClusterFirst", "dnsConfig": {"nameservers": ["10.0.0.4"]}}),
                None,
            ),
        ] {
            assert_eq!(own_servers(&json!({"spec": spec})).as_deref(), expected, "{spec}");
        }
    }
}
