//! What is questionable about a pod although it may be admitted.

use super::facts::{Facts, SpecFact};
use super::plan::Judgement;
use crate::finding::{Code, Finding};
use crate::pod::{FixedHostname, HOSTNAME_LENGTH, Hostname, Place, identities, shown};

/// Hostnames that the random-hostname option makes begin with this.
pub const RANDOM_HOSTNAME_PREFIX: &str = "gmsa-";

pub(super) fn warnings(judgement: &Judgement<'_>, facts: &Facts) -> Vec<Finding> {
    let pod = judgement.pod;
    let mut found = Vec::new();
    let mut warn =
        |code, path: Option<String>, message| found.push(Finding { code, message, path });

    let identities: Vec<_> = identities(pod).collect();
    for identity in identities.iter().filter(|identity| identity.host_process) {
        warn(
            Code::GmsaWithHostProcess,
            Some(identity.container.field("hostProcess")),
            format!("{} is a HostProcess container, which gets no GMSA", identity.container),
        );
    }
    if !pod.is_bound_to_windows() {
        warn(
            Code::NotBoundToWindows,
            Some("spec.nodeSelector".to_owned()),
            "the pod uses a GMSA but nothing binds it to Windows nodes: set the node selector \
             kubernetes.io/os: windows"
                .to_owned(),
        );
    }
    match pod.hostname() {
        // What the webhook makes is in `hostname`.
        Hostname::Fixed(FixedHostname { field, name })
            if field != "spec.hostname" || !name.starts_with(RANDOM_HOSTNAME_PREFIX) =>
        {
            warn(
                Code::FixedHostname,
                Some(field.to_owned()),
                format!(
                    "every replica has the hostname \"{}\"; a domain controller loses the trust \
                     of pods that share one",
                    shown(name)
                ),
            );
        }
        Hostname::SharedPrefix(prefix) => warn(
            Code::SharedHostnamePrefix,
            Some("metadata.name".to_owned()),
            format!(
                "Windows cuts hostnames at {HOSTNAME_LENGTH} characters, so all replicas are \
                 \"{}\"; use a shorter name or random hostnames",
                shown(prefix)
            ),
        ),
        Hostname::SharedWithTemplate(prefix) => {
            let left = HOSTNAME_LENGTH.saturating_sub(prefix.len());
            warn(
                Code::SharedHostnamePrefix,
                Some("metadata.name".to_owned()),
                format!(
                    "Windows cuts hostnames at {HOSTNAME_LENGTH} characters, and the {left} after \
                     \"{}\" are mostly or all of the template's hash, the same for all replicas; \
                     use random hostnames",
                    shown(prefix)
                ),
            );
        }
        _ => {}
    }
    for (index, name) in judgement.names.iter().enumerate() {
        let holders = || identities.iter().filter(|one| one.credential_spec == *name);
        if holders().nth(1).is_some() {
            let mut message = String::with_capacity(128);
            for part in ["GMSA cred spec \"", name, "\" is in force in "] {
                message.push_str(part);
            }
            Place::push_all(&mut message, holders().map(|holder| holder.container));
            warn(Code::GmsaInSeveralContainers, None, message);
        }
        if let Some(SpecFact::Found(prepared)) = facts.spec(index)
            && prepared.findings > 0
        {
            warn(
                Code::CredspecFindings,
                None,
                format!("GMSA cred spec \"{name}\" has {} finding(s)", prepared.findings),
            );
        }
    }
    found
}
