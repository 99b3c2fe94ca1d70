//! Judges the output of the node script.

mod events;

use super::catalogue::node::{
    NODE_ACCOUNT, NODE_CLOCK, NODE_COMPARTMENT, NODE_DNS, NODE_DOMAIN, NODE_PLUGIN, NODE_PORTS,
    NODE_SYSTEM,
};
use super::limits::{WS2019, of_build};
use super::{Check, Confidence, Outcome, State};
use crate::windows::node::{Account, Clock, NodeOutput, Section};

/// The skew that Kerberos tolerates, in seconds (`MaxClockSkew`).
const KERBEROS: f64 = 300.0;
/// More than a synchronized clock is ever off, in seconds.
const MUCH: f64 = 60.0;
/// The ports without which a member of a domain does not work.
const NEEDED: [u16; 5] = [53, 88, 135, 389, 445];

/// Judges the output of one node. The plug-ins are those that credential specs name, as class
/// identifiers with or without braces.
#[must_use]
pub fn judge(output: &NodeOutput, plugins: &[String]) -> Vec<Outcome> {
    let mut outcomes = vec![system(output)];
    outcomes.extend(dns(output));
    outcomes.extend(ports(output));
    outcomes.push(seen(&NODE_CLOCK, &output.clock, clock));
    outcomes.push(domain(output));
    outcomes.extend(accounts(output));
    outcomes.push(registered(output, plugins));
    let registered = output.plugins.iter().flatten().map(|plugin| plugin.guid.as_str());
    let known: Vec<&str> = plugins.iter().map(String::as_str).chain(registered).collect();
    outcomes.extend(events::judge(&output.events, &known));
    outcomes.push(compartment(output));
    for outcome in &mut outcomes {
        if let Some(words) = contradiction(outcome, output) {
            outcome.state = State::Warning;
            outcome.confidence = Confidence::Possible;
            outcome.message = format!("{}, but {words}", outcome.message);
        }
    }
    let object = format!("Node {}", output.computer);
    outcomes.into_iter().map(|outcome| outcome.on(&object)).collect()
}

/// Evidence against a problem in the same output: something that works although this check says that
/// it cannot.
fn contradiction(outcome: &Outcome, output: &NodeOutput) -> Option<&'static str> {
    if outcome.state != State::Problem {
        return None;
    }
    let domain = output.domain.as_ref().ok();
    let channel = domain.filter(|domain| domain.secure_channel == Some(true));
    let own = channel.and_then(|domain| domain.name.as_deref());
    let of_own_domain = own.is_some_and(|name| {
        outcome.message.to_ascii_lowercase().contains(&name.to_ascii_lowercase())
    });
    let ccg = output.events.ccg.iter().flatten().flatten();
    let ccg: Vec<u32> = ccg.map(|group| group.id).collect();
    let fetched = ccg.contains(&FETCHED);
    if outcome.check == &NODE_PORTS && of_own_domain {
        Some("the node's secure channel to that domain works")
    } else if outcome.check == &NODE_DOMAIN && fetched {
        Some("the Container Credential Guard fetched credentials on it (CCG:2)")
    } else if outcome.check == &NODE_PLUGIN && (fetched || ccg.contains(&LOADED)) {
        Some("the Container Credential Guard loaded a plug-in (CCG:1 or CCG:2)")
    } else {
        None
    }
}

/// The events of the Container Credential Guard: a plug-in was loaded, credentials were fetched.
const LOADED: u32 = 1;
const FETCHED: u32 = 2;

/// A section that could not be read is unknown.
fn seen<T>(
    check: &'static Check,
    section: &Section<T>,
    judge: impl FnOnce(&T) -> Outcome,
) -> Outcome {
    match section {
        Ok(section) => judge(section),
        Err(why) => Outcome::unknown(check, why),
    }
}

fn system(output: &NodeOutput) -> Outcome {
    seen(&NODE_SYSTEM, &output.system, |system| {
        let runtime = output.runtime.clone().unwrap_or_default();
        let shown = match system.revision {
            Some(revision) => format!("build {}.{revision}", system.build),
            None => format!("build {}", system.build),
        };
        let limit = of_build(system.build, system.revision, runtime.containerd.is_some());
        let outcome = match limit {
            None => Outcome::ok(&NODE_SYSTEM, shown),
            Some(limit) => {
                let words = format!("{shown}: {}", limit.message);
                let outcome = Outcome::new(&NODE_SYSTEM, limit.state, words);
                match limit.next {
                    Some(next) => outcome.then(next),
                    None => outcome,
                }
            }
        };
        let runtimes = [("containerd", runtime.containerd), ("docker", runtime.docker)];
        runtimes
            .into_iter()
            .filter_map(|(name, version)| Some(format!("{name} {}", version?)))
            .fold(outcome, Outcome::because)
    })
}

fn dns(output: &NodeOutput) -> Vec<Outcome> {
    let domains = match &output.dns {
        Ok(domains) if domains.is_empty() => {
            return vec![Outcome::skipped(&NODE_DNS, "no domain was asked for")];
        }
        Ok(domains) => domains,
        Err(why) => return vec![Outcome::unknown(&NODE_DNS, why)],
    };
    let one = |domain: &crate::windows::node::Controllers| {
        if domain.controllers.is_empty() {
            let words = format!("it finds no controller of {}", domain.domain);
            return Outcome::problem(&NODE_DNS, words);
        }
        let words = format!("controllers of {}: {}", domain.domain, domain.controllers.join(", "));
        Outcome::ok(&NODE_DNS, words)
    };
    domains.iter().map(one).collect()
}

fn ports(output: &NodeOutput) -> Vec<Outcome> {
    let ports = match &output.ports {
        Ok(ports) if ports.is_empty() => {
            return vec![Outcome::skipped(&NODE_PORTS, "no controller was found to try")];
        }
        Ok(ports) => ports,
        Err(why) => return vec![Outcome::unknown(&NODE_PORTS, why)],
    };
    let mut hosts: Vec<&str> = ports.iter().map(|port| port.host.as_str()).collect();
    hosts.dedup();
    let judged = hosts.iter().map(|host| {
        let closed: Vec<u16> = ports
            .iter()
            .filter(|port| port.host == *host && !port.open)
            .map(|port| port.port)
            .collect();
        let list = closed.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
        if closed.is_empty() {
            return (true, Outcome::ok(&NODE_PORTS, format!("every port of {host} answers")));
        }
        let words = format!("these ports of {host} do not answer: {list}");
        let needed = closed.iter().any(|port| NEEDED.contains(port));
        (
            !needed,
            if needed {
                Outcome::problem(&NODE_PORTS, words)
            } else {
                Outcome::warning(&NODE_PORTS, words)
            },
        )
    });
    let judged: Vec<(bool, Outcome)> = judged.collect();
    let some_work = judged.iter().any(|(works, _)| *works);
    judged
        .into_iter()
        .map(|(works, mut outcome)| {
            // Windows tries the next controller.
            if !works && some_work {
                outcome.state = State::Warning;
            }
            outcome
        })
        .collect()
}

fn clock(clock: &Clock) -> Outcome {
    let measured = clock.offsets.iter().filter_map(|one| Some((one.seconds?, one.host.as_str())));
    // NaN and infinity come from a damaged file.
    let measured = measured.filter(|(seconds, _)| seconds.is_finite());
    let worst = measured.max_by(|one, other| one.0.abs().total_cmp(&other.0.abs()));
    let outcome = match worst {
        None => Outcome::unknown(&NODE_CLOCK, "no domain controller reported its time"),
        Some((seconds, host)) => {
            let side = if seconds > 0.0 { "ahead of" } else { "behind" };
            let words = format!("the clock of {host} is {:.0} s {side} the node's", seconds.abs());
            if seconds.abs() > KERBEROS {
                Outcome::problem(&NODE_CLOCK, words)
            } else if seconds.abs() > MUCH {
                Outcome::warning(&NODE_CLOCK, words)
            } else {
                Outcome::ok(&NODE_CLOCK, format!("it agrees with {host}"))
            }
        }
    };
    match &clock.source {
        Some(source) => outcome.because(format!("time source: {source}")),
        None => outcome,
    }
}

fn domain(output: &NodeOutput) -> Outcome {
    seen(&NODE_DOMAIN, &output.domain, |domain| {
        let name = domain.name.as_deref().unwrap_or("unknown");
        if domain.joined {
            return match domain.secure_channel {
                Some(true) => Outcome::ok(
                    &NODE_DOMAIN,
                    format!("it is a member of {name}, and its secure channel works"),
                ),
                Some(false) => Outcome::problem(
                    &NODE_DOMAIN,
                    format!("it is a member of {name}, but its secure channel is broken"),
                ),
                None => Outcome::unknown(
                    &NODE_DOMAIN,
                    format!("it is a member of {name}; its secure channel could not be asked"),
                ),
            };
        }
        match &output.plugins {
            Ok(plugins) if plugins.is_empty() => Outcome::problem(
                &NODE_DOMAIN,
                "it is not a member of a domain, and has no plug-in that could fetch credentials",
            ),
            Ok(_) => Outcome::ok(
                &NODE_DOMAIN,
                "it is not a member of a domain: a plug-in fetches the credentials",
            ),
            Err(_) => Outcome::unknown(
                &NODE_DOMAIN,
                "it is not a member of a domain, and whether it has a plug-in is not known",
            ),
        }
    })
}

fn accounts(output: &NodeOutput) -> Vec<Outcome> {
    if output.domain.as_ref().is_ok_and(|domain| !domain.joined) {
        let words = "the node is not a member of a domain, so its plug-in logs on, not the node";
        return vec![Outcome::skipped(&NODE_ACCOUNT, words)];
    }
    let accounts = match &output.accounts {
        Ok(accounts) if accounts.is_empty() => {
            let words = "no account was asked for: run the script with -Account NAME";
            return vec![Outcome::skipped(&NODE_ACCOUNT, words)];
        }
        Ok(accounts) => accounts,
        Err(why) => return vec![Outcome::unknown(&NODE_ACCOUNT, why)],
    };
    let one = |account: &Account| {
        let name = account.name.trim_end_matches('$');
        match account.usable {
            Some(true) => Outcome::ok(&NODE_ACCOUNT, format!("it can use {name}")),
            Some(false) => Outcome::problem(
                &NODE_ACCOUNT,
                format!("Test-ADServiceAccount reports that it cannot use {name}"),
            )
            .then(format!(
                "Allow it: kubectl gmsa account allow {name} --host {}; after a change of group \
                 membership restart the node, or purge its tickets with klist -li 0x3e7 purge.",
                output.computer
            )),
            None => {
                let why =
                    account.error.as_deref().unwrap_or("Test-ADServiceAccount printed nothing");
                Outcome::unknown(&NODE_ACCOUNT, format!("{name}: {why}"))
            }
        }
    };
    accounts.iter().map(one).collect()
}

fn registered(output: &NodeOutput, wanted: &[String]) -> Outcome {
    let bare = |guid: &str| guid.trim_matches(['{', '}']).to_ascii_lowercase();
    seen(&NODE_PLUGIN, &output.plugins, |plugins| {
        let missing: Vec<&str> = wanted
            .iter()
            .filter(|wanted| !plugins.iter().any(|one| bare(&one.guid) == bare(wanted)))
            .map(String::as_str)
            .collect();
        if !missing.is_empty() {
            let words = format!("credential specs name {}, not registered", missing.join(", "));
            return Outcome::problem(&NODE_PLUGIN, words);
        }
        let gone = plugins.iter().find(|plugin| plugin.present == Some(false));
        if let Some(plugin) = gone {
            let server = plugin.server.as_deref().unwrap_or("its program");
            let words = format!("{} is registered, but {server} is not there", plugin.guid);
            return Outcome::problem(&NODE_PLUGIN, words);
        }
        if plugins.is_empty() {
            return Outcome::skipped(&NODE_PLUGIN, "no plug-in is registered, and none was named");
        }
        let names: Vec<&str> = plugins.iter().map(|plugin| plugin.guid.as_str()).collect();
        Outcome::ok(&NODE_PLUGIN, format!("registered: {}", names.join(", ")))
    })
}

fn compartment(output: &NodeOutput) -> Outcome {
    let build = output.system.as_ref().map(|system| system.build);
    if build.is_ok_and(|build| build != WS2019) {
        return Outcome::skipped(&NODE_COMPARTMENT, "only Windows Server 2019 needs it");
    }
    seen(&NODE_COMPARTMENT, &output.compartment, |value| match value {
        Some(1) => Outcome::ok(&NODE_COMPARTMENT, "it is 1"),
        other => {
            let value = other.map_or("not set".to_owned(), |other| other.to_string());
            Outcome::warning(&NODE_COMPARTMENT, format!("EnableCompartmentNamespace is {value}"))
                .sure(Confidence::Possible)
        }
    })
}

#[cfg(test)]
mod tests;
