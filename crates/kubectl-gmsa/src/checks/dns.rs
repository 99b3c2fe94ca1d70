//! Whether the cluster's DNS forwards the domains of the credential specs.

use std::collections::{BTreeMap, BTreeSet};

use gmsa_cluster::api::objects::{Kind, Objects, Reference, kinds};
use gmsa_cluster::api::value::{array, text};
use gmsa_core::diagnosis::catalogue::cluster::DNS_FORWARDING;
use gmsa_core::diagnosis::catalogue::pod::{POD_DNS, POD_SRV};
use gmsa_core::diagnosis::{Confidence, Outcome, State};
use serde_json::Value;

use super::facts::one;
use crate::failure::Failure;

/// The `ConfigMaps` of `CoreDNS` in distributions: plain, AKS and k3s, RKE2.
pub const MAPS: [&str; 3] = ["coredns", "coredns-custom", "rke2-coredns-rke2-coredns"];
/// The DNS operator of `OpenShift`.
const OPERATOR: Kind = Kind {
    group: "operator.openshift.io",
    version: "v1",
    kind: "DNS",
    plural: "dnses",
    namespaced: false,
};

/// Looks for each domain.
pub async fn examine(objects: &Objects, specs: &[&Value]) -> Result<Vec<Outcome>, Failure> {
    let domains: BTreeSet<String> = specs
        .iter()
        .map(|spec| text(spec, "/credspec/DomainJoinConfig/DnsName").to_ascii_lowercase())
        .filter(|domain| domain.contains('.'))
        .collect();
    if domains.is_empty() {
        return Ok(vec![Outcome::skipped(&DNS_FORWARDING, "no credential spec names a domain")]);
    }
    let mut zones = BTreeSet::new();
    let mut seen = Vec::new();
    for map in MAPS {
        match one(objects, kinds::CONFIG_MAP, "kube-system", map).await? {
            Ok(Some(found)) => {
                seen.push(map);
                let data = found.get("data").and_then(Value::as_object);
                for text in data.into_iter().flatten().filter_map(|(_, text)| text.as_str()) {
                    zones.extend(forwarded(text));
                }
            }
            Ok(None) => {}
            Err(why) => return Ok(vec![Outcome::unknown(&DNS_FORWARDING, why)]),
        }
    }
    // Other clusters do not have the kind, and the right to read it is optional.
    if let Ok(Some(operator)) = objects.get(&Reference::cluster(OPERATOR, "default")).await {
        seen.push("dns.operator/default");
        zones.extend(
            array(&operator, "/spec/servers")
                .flat_map(|server| array(server, "/zones"))
                .filter_map(Value::as_str)
                .map(str::to_owned),
        );
    }
    if seen.is_empty() {
        let words = "no configuration of CoreDNS was found in kube-system";
        return Ok(vec![Outcome::unknown(&DNS_FORWARDING, words)]);
    }
    Ok(domains.iter().map(|domain| judge(domain, &zones, &seen)).collect())
}

/// How the pod in question resolves names, which is better evidence than the configuration of `CoreDNS`.
#[derive(Debug, Default)]
pub struct Resolution {
    /// The domains that were resolved, lower case, each with the container that did.
    pub resolved: BTreeMap<String, String>,
    /// The servers that the pod asks instead of `CoreDNS`.
    pub own_servers: Option<String>,
}

/// Withdraws an outcome that the result from inside the pod contradicts.
pub fn settle(outcomes: &mut [Outcome], resolution: &Resolution) {
    let resolved = |outcome: &Outcome| {
        let domain = outcome.object.as_deref()?.strip_prefix("domain ")?;
        resolution.resolved.get(domain)
    };
    for outcome in outcomes {
        if outcome.check == &DNS_FORWARDING && outcome.state == State::Warning {
            let settled = if let Some(container) = resolved(outcome) {
                let words = format!("nothing forwards it, and {container} resolves it");
                Outcome::ok(&DNS_FORWARDING, words)
            } else if let Some(servers) = &resolution.own_servers {
                let words = format!("this pod does not ask CoreDNS, but {servers}");
                Outcome::skipped(&DNS_FORWARDING, words)
            } else {
                continue;
            };
            outcome.state = settled.state;
            outcome.message = settled.message;
            outcome.confidence = settled.confidence;
            outcome.next = None;
        } else if [&POD_DNS, &POD_SRV].contains(&outcome.check)
            && outcome.state == State::Problem
            && let Some(servers) = &resolution.own_servers
        {
            outcome.next = Some(format!(
                "The pod does not ask CoreDNS, but {servers}: see that these servers know the domain, \
                 and that port 53 to them is open, TCP and UDP."
            ));
        }
    }
}

fn judge(domain: &str, zones: &BTreeSet<String>, seen: &[&str]) -> Outcome {
    let covers = |zone: &&String| {
        domain == zone.as_str()
            || domain.strip_suffix(zone.as_str()).is_some_and(|rest| rest.ends_with('.'))
    };
    let outcome = match zones.iter().find(covers) {
        Some(zone) => Outcome::ok(&DNS_FORWARDING, format!("{zone} is forwarded")),
        None => Outcome::warning(
            &DNS_FORWARDING,
            "nothing forwards it, so pods find it only if the nodes' own DNS servers know it",
        )
        .sure(Confidence::Possible)
        .because(format!("checked: {}", seen.join(", ")))
        .then(stanza(domain, seen)),
    };
    outcome.on(format!("domain {domain}"))
}

fn stanza(domain: &str, seen: &[&str]) -> String {
    let place = if seen.iter().any(|one| one.starts_with("dns.operator")) {
        format!(
            "Add a server with the zone {domain} to spec.servers of dns.operator/default. \
             As CoreDNS writes it:"
        )
    } else if seen.contains(&"coredns-custom") {
        format!(
            "Add a key {domain}.server to ConfigMap kube-system/coredns-custom (AKS), then restart \
             CoreDNS: kubectl rollout restart deployment/coredns -n kube-system"
        )
    } else {
        "Add to the Corefile in ConfigMap kube-system/coredns (on AKS as a key NAME.server of \
         ConfigMap kube-system/coredns-custom):"
            .to_owned()
    };
    format!(
        "{place}\n{domain}:53 {{\n    errors\n    cache 30\n    forward . \
         ADDRESS-OF-A-DOMAIN-CONTROLLER\n}}"
    )
}

/// The zones, lower case and without a dot at the end, for which a Corefile
/// (coredns.io/manual/configuration) forwards somewhere else than for all names.
pub fn forwarded(corefile: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut keys: Vec<String> = Vec::new();
    let mut depth = 0_usize;
    for line in corefile.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if depth == 0 {
            let head = line.trim_end_matches('{');
            keys.extend(head.split([',', ' ', '\t']).filter(|key| !key.is_empty()).map(zone));
        } else if depth == 1 {
            let mut words = line.split_whitespace();
            if let (Some("forward"), Some(from)) = (words.next(), words.next()) {
                let from = zone(from);
                if from.is_empty() {
                    found.extend(keys.iter().filter(|key| !key.is_empty()).cloned());
                } else {
                    found.insert(from);
                }
            }
        }
        depth += line.matches('{').count();
        depth = depth.saturating_sub(line.matches('}').count());
        if depth == 0 && line.contains('}') {
            keys.clear();
        }
    }
    found
}

/// `dns://Contoso.com.:53` as `contoso.com`; the root is empty.
fn zone(key: &str) -> String {
    let key = key.split_once("://").map_or(key, |(_, rest)| rest);
    let key = key.rsplit_once(':').map_or(key, |(name, _)| name);
    key.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
