//! Judges the output of the documentation's commands inside a container.

mod probe;

use std::collections::BTreeMap;

use super::catalogue::pod::{
    POD_CREDENTIAL_SPEC, POD_DNS, POD_DOMAIN_CONTROLLER, POD_SECURE_CHANNEL, POD_SRV, POD_TICKET,
    POD_TICKET_ENCRYPTION, POD_TOOLS, POD_USER,
};
use super::{Confidence, Outcome, State};
use crate::windows::codes::Code;
use crate::windows::text::decode;
use crate::windows::whoami::OnNetwork;
use crate::windows::{klist, nltest, nslookup, whoami};
pub use probe::Probe;

/// The result of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// It ended with this code and wrote this.
    Ended {
        /// The exit code.
        code: i64,
        /// What it wrote, the error output last.
        output: Vec<u8>,
    },
    /// The program is not in the image.
    Absent,
    /// It could not be determined.
    Unknown(String),
    /// It was not run.
    Skipped(String),
}

/// What was read in one container.
#[derive(Clone, Debug, Default)]
pub struct Inside {
    /// The container, as messages name it.
    pub object: String,
    /// The DNS name of the domain, from the credential spec.
    pub domain: String,
    /// The account without the dollar sign, from the credential spec.
    pub account: Option<String>,
    /// The result of each command.
    pub readings: BTreeMap<Probe, Reading>,
}

/// An output that can be judged.
struct Said {
    code: i64,
    bytes: Vec<u8>,
    text: String,
}

impl Inside {
    /// Judges the outputs, one outcome for each check.
    ///
    /// No check is judged by its own command alone: a ticket shows that a controller answers, and a
    /// verified channel shows that Windows finds the domain, no matter what other commands report.
    #[must_use]
    pub fn judge(&self) -> Vec<Outcome> {
        let channel = self.secure_channel();
        let verified = channel.state == State::Ok;
        let dns = unless_verified(self.dns(), verified);
        let services = unless_verified(self.services(), verified);
        let resolves = dns.state != State::Problem && self.addresses().is_some_and(|one| one);
        let credential_spec = self.credential_spec();
        let has_identity = credential_spec.state != State::Problem;
        let outcomes = [
            self.tools(),
            Some(dns),
            Some(services),
            Some(credential_spec),
            Some(self.domain_controller(resolves, has_identity)),
            Some(self.user(verified)),
            Some(channel),
            Some(self.ticket()),
            self.encryption(),
        ];
        outcomes.into_iter().flatten().map(|outcome| outcome.on(&self.object)).collect()
    }

    /// Whether the domain is resolved in the container; none if that is not known.
    #[must_use]
    pub fn addresses(&self) -> Option<bool> {
        let said = self.said(Probe::Address).ok()?;
        Some(!nslookup::addresses(&said.text).1.is_empty())
    }

    /// Whether Kerberos reaches a domain controller and netlogon does not: the ports of RPC and SMB
    /// are suspects then.
    #[must_use]
    pub fn only_netlogon_fails(&self) -> bool {
        self.has_ticket() && !self.not_found().is_empty()
    }

    fn said(&self, probe: Probe) -> Result<Said, Outcome> {
        let check = probe.check();
        match self.readings.get(&probe) {
            Some(Reading::Ended { code, output }) => {
                Ok(Said { code: *code, text: decode(output), bytes: output.clone() })
            }
            Some(Reading::Absent) => {
                let program = probe.command("").first().cloned().unwrap_or_default();
                Err(Outcome::unknown(check, format!("{program} is not in the image")))
            }
            Some(Reading::Unknown(why)) => Err(Outcome::unknown(check, why)),
            Some(Reading::Skipped(why)) => Err(Outcome::skipped(check, why)),
            None => Err(Outcome::skipped(check, "it was not checked")),
        }
    }

    fn shown(&self, probe: Probe) -> String {
        probe.command(&self.domain).join(" ")
    }

    fn evidence(&self, probe: Probe, numbers: &[u32]) -> Vec<String> {
        let command = self.shown(probe);
        numbers.iter().map(|number| format!("{command}: {}", Code(*number).explained())).collect()
    }

    /// Nothing in the output is understood.
    fn unclear(&self, probe: Probe, said: &Said) -> Outcome {
        let words = format!(
            "{} ended with {} and printed nothing that is understood",
            self.shown(probe),
            said.code
        );
        said.text.lines().take(5).fold(Outcome::unknown(probe.check(), words), |outcome, line| {
            outcome.because(line.trim_end())
        })
    }

    fn tools(&self) -> Option<Outcome> {
        let mut missing: Vec<String> = Vec::new();
        for (probe, reading) in &self.readings {
            let program = probe.command("").into_iter().next();
            if *reading == Reading::Absent
                && let Some(program) = program
                && !missing.contains(&program)
            {
                missing.push(program);
            }
        }
        if !missing.is_empty() {
            let words = format!("not in the image: {}", missing.join(", "));
            return Some(Outcome::warning(&POD_TOOLS, words));
        }
        let ran = self.readings.values().any(|one| matches!(one, Reading::Ended { .. }));
        ran.then(|| Outcome::ok(&POD_TOOLS, "the tools are in the image"))
    }

    fn credential_spec(&self) -> Outcome {
        let probe = Probe::ParentDomain;
        let said = match self.said(probe) {
            Ok(said) => said,
            Err(outcome) => return outcome,
        };
        let failed = failures(&said);
        let Some(first) = failed.first() else {
            if said.code != 0 {
                return self.unclear(probe, &said);
            }
            let domain = said.text.split_whitespace().find(|word| word.contains('.'));
            let domain = domain.unwrap_or(&self.domain).trim_end_matches('.');
            return Outcome::ok(&POD_CREDENTIAL_SPEC, format!("it belongs to {domain}"));
        };
        if NOT_FOUND.contains(first) {
            let words = format!("no domain controller could be asked: {}", named(*first));
            return Outcome::unknown(&POD_CREDENTIAL_SPEC, words);
        }
        if self.has_own_ticket() {
            let words = format!(
                "nltest /parentdomain fails ({}), but it has a ticket of the account, so the \
                 credential spec did reach it",
                named(*first)
            );
            return Outcome::unknown(&POD_CREDENTIAL_SPEC, words);
        }
        let outcome = if *first == 1722 {
            Outcome::problem(&POD_CREDENTIAL_SPEC, "no credential spec reached it")
        } else {
            let words = format!("it does not know its domain: {}", named(*first));
            Outcome::problem(&POD_CREDENTIAL_SPEC, words)
        };
        self.evidence(probe, &failed)
            .into_iter()
            .fold(outcome, Outcome::because)
            .sure(Confidence::Likely)
    }

    fn dns(&self) -> Outcome {
        let said = match self.said(Probe::Address) {
            Ok(said) => said,
            Err(outcome) => return outcome,
        };
        match nslookup::addresses(&said.text) {
            (_, addresses) if !addresses.is_empty() => {
                let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
                let words = format!("{} is {}", self.domain, addresses.join(", "));
                Outcome::ok(&POD_DNS, words)
            }
            (Some(server), _) => {
                Outcome::problem(&POD_DNS, format!("{} has no address", self.domain))
                    .because(format!("{}: {server} was asked", self.shown(Probe::Address)))
            }
            (None, _) => Outcome::problem(&POD_DNS, "no DNS server answers")
                .because(format!("{}: the output has no address", self.shown(Probe::Address))),
        }
    }

    fn services(&self) -> Outcome {
        let said = match self.said(Probe::Services) {
            Ok(said) => said,
            Err(outcome) => return outcome,
        };
        let list = |found: &[nslookup::Service]| {
            let hosts: Vec<String> =
                found.iter().map(|one| format!("{}:{}", one.host, one.port)).collect();
            hosts.join(", ")
        };
        let found = nslookup::services(&said.text);
        if !found.is_empty() {
            return Outcome::ok(&POD_SRV, format!("domain controllers: {}", list(&found)));
        }
        let over_tcp = self.said(Probe::ServicesOverTcp);
        let over_tcp = over_tcp.map(|said| nslookup::services(&said.text)).unwrap_or_default();
        if over_tcp.is_empty() {
            let words = format!("{} has no SRV records, neither over UDP nor TCP", self.domain);
            return Outcome::problem(&POD_SRV, words).because(self.shown(Probe::Services));
        }
        let words = format!("the SRV records of {} come over TCP only", self.domain);
        Outcome::problem(&POD_SRV, words)
            .because(format!("{}: {}", self.shown(Probe::ServicesOverTcp), list(&over_tcp)))
            .then("Open UDP port 53 to the DNS servers, and let answers be as long as they are.")
    }

    /// No command checks it alone; derived from the output of others.
    fn domain_controller(&self, resolves: bool, has_identity: bool) -> Outcome {
        let check = &POD_DOMAIN_CONTROLLER;
        if !has_identity {
            return Outcome::skipped(check, "without an identity nothing asks for one");
        }
        if !resolves {
            return Outcome::skipped(check, "names are not resolved, or that is not known");
        }
        let not_found = self.not_found();
        if !not_found.is_empty() && !self.has_ticket() {
            let words = format!("no domain controller of {} answers", self.domain);
            let outcome = Outcome::problem(check, words).sure(Confidence::Likely);
            return not_found.into_iter().fold(outcome, Outcome::because);
        }
        let verified = self.said(Probe::Verify).ok().filter(|said| failures(said).is_empty());
        match verified.as_ref().and_then(|said| nltest::domain_controller(&said.text)) {
            Some(name) => Outcome::ok(check, format!("{name} answers")),
            None if self.has_ticket() => {
                Outcome::ok(check, "one answers: it issued a ticket (Kerberos, port 88)")
            }
            None => Outcome::skipped(check, "no command names one"),
        }
    }

    /// How commands report that no domain controller was found.
    fn not_found(&self) -> Vec<String> {
        let mut evidence = Vec::new();
        for probe in [Probe::ParentDomain, Probe::Query, Probe::Verify, Probe::Ticket] {
            let Ok(said) = self.said(probe) else { continue };
            let mut numbers = failures(&said);
            numbers.extend(klist::failures(&said.text));
            numbers.retain(|number| NOT_FOUND.contains(number));
            numbers.dedup();
            evidence.extend(self.evidence(probe, &numbers));
        }
        evidence
    }

    /// Whether there is a ticket-granting ticket, of whatever account.
    fn has_ticket(&self) -> bool {
        self.said(Probe::Ticket).is_ok_and(|said| {
            klist::failures(&said.text).is_empty() && klist::has_ticket_granting_ticket(&said.text)
        })
    }

    /// Whether that ticket is of the account of the credential spec.
    fn has_own_ticket(&self) -> bool {
        self.has_ticket()
            && self.said(Probe::Ticket).is_ok_and(|said| {
                klist::client(&said.text).is_some_and(|(name, _)| self.is_account(name))
            })
    }

    /// Whether a client of tickets is the account of the credential spec; not known counts as no.
    fn is_account(&self, client: &str) -> bool {
        self.account
            .as_deref()
            .is_some_and(|account| client.trim_end_matches('$').eq_ignore_ascii_case(account))
    }

    /// Whether a command of that kind was denied.
    fn is_denied(&self, probes: &[Probe]) -> bool {
        probes.iter().filter_map(|probe| self.said(*probe).ok()).any(|said| {
            let mut numbers = failures(&said);
            numbers.extend(klist::failures(&said.text));
            numbers.iter().any(|number| DENIED.contains(number))
        })
    }

    /// A user without the identity explains the denied calls and nothing else: netlogon sets up the
    /// channel, no matter which user queries it.
    fn user(&self, verified: bool) -> Outcome {
        let said = match self.said(Probe::User) {
            Ok(said) => said,
            Err(outcome) => return outcome,
        };
        let Some(user) = whoami::sid(&said.text) else { return self.unclear(Probe::User, &said) };
        let denied = self.is_denied(&[Probe::ParentDomain, Probe::Query, Probe::Verify]);
        let (who, on_network) = match whoami::known(user) {
            Some((name, on_network)) => (format!("{name} ({user})"), on_network),
            None => (user.to_owned(), OnNetwork::No),
        };
        let words = match on_network {
            OnNetwork::Yes => return Outcome::ok(&POD_USER, who),
            OnNetwork::Disputed if !denied => {
                let outcome = Outcome::ok(&POD_USER, who);
                return if verified || self.has_own_ticket() {
                    outcome
                } else {
                    outcome.because(
                        "Microsoft documents LocalSystem and NetworkService; others report that \
                         this user works too",
                    )
                };
            }
            OnNetwork::Disputed => {
                format!("commands run as {who}, which may not use the identity on the network")
            }
            OnNetwork::No => {
                format!("commands run as {who}, which does not use the identity on the network")
            }
        };
        // What is certain is a risk, and explains nothing.
        let confidence = if denied { Confidence::Possible } else { Confidence::Certain };
        Outcome::warning(&POD_USER, words).sure(confidence)
    }

    fn secure_channel(&self) -> Outcome {
        let check = &POD_SECURE_CHANNEL;
        let mut evidence = Vec::new();
        let mut failed = Vec::new();
        let mut works = None;
        let mut open = None;
        for probe in [Probe::Query, Probe::Verify] {
            let said = match self.said(probe) {
                Ok(said) => said,
                Err(outcome) => {
                    open = Some(outcome);
                    continue;
                }
            };
            let numbers = failures(&said);
            if !numbers.is_empty() {
                evidence.extend(self.evidence(probe, &numbers));
                failed.extend(numbers);
            } else if nltest::statuses(&said.bytes).is_empty() {
                open = Some(self.unclear(probe, &said));
            } else {
                works = Some(nltest::domain_controller(&said.text).unwrap_or_default().to_owned());
            }
        }
        let Some(first) = failed.first() else {
            return match (open, works) {
                (Some(outcome), _) => outcome,
                (None, Some(name)) if !name.is_empty() => {
                    Outcome::ok(check, format!("with {name}"))
                }
                (None, _) => Outcome::ok(check, "it was verified"),
            };
        };
        let denied = failed.iter().copied().find(|number| DENIED.contains(number));
        let message = match denied {
            Some(number) => format!("access is denied: {}", named(number)),
            None => format!("it is broken: {}", named(*first)),
        };
        let mut outcome = Outcome::problem(check, message);
        if self.has_ticket() {
            evidence.push(
                "klist get krbtgt works, so a domain controller answers: netlogon cannot bind to \
                 it (RPC and SMB: TCP ports 135, 445 and 49152 to 65535), or the account is not \
                 set up correctly"
                    .to_owned(),
            );
        }
        let remedy = denied.and_then(|number| Code(number).entry());
        if let Some(entry) = remedy {
            outcome = outcome.then(entry.remedy);
        }
        evidence.into_iter().fold(outcome, Outcome::because)
    }

    fn ticket(&self) -> Outcome {
        let said = match self.said(Probe::Ticket) {
            Ok(said) => said,
            Err(outcome) => return outcome,
        };
        let failed = klist::failures(&said.text);
        if let Some(first) = failed.first() {
            if DENIED.contains(first) && self.user_is_disputed() {
                let words = format!(
                    "klist may not get tickets as this user ({}), which does not show that the \
                     container has none",
                    named(*first)
                );
                return Outcome::skipped(&POD_TICKET, words);
            }
            let outcome =
                Outcome::problem(&POD_TICKET, format!("it gets no ticket: {}", named(*first)));
            return self
                .evidence(Probe::Ticket, &failed)
                .into_iter()
                .fold(outcome, Outcome::because);
        }
        if !klist::has_ticket_granting_ticket(&said.text) {
            return self.unclear(Probe::Ticket, &said);
        }
        let client = klist::client(&said.text);
        let whose = client.map_or_else(String::new, |(name, realm)| format!(" of {name}@{realm}"));
        if self.account.is_some() && client.is_some_and(|(name, _)| !self.is_account(name)) {
            let words = format!("it has a ticket{whose}, which is another account");
            return Outcome::warning(&POD_TICKET, words).sure(Confidence::Possible);
        }
        Outcome::ok(&POD_TICKET, format!("it has a ticket{whose}"))
    }

    fn user_is_disputed(&self) -> bool {
        let user = self.said(Probe::User).ok();
        let known = user.as_ref().and_then(|said| whoami::known(whoami::sid(&said.text)?));
        known.is_some_and(|(_, on_network)| on_network == OnNetwork::Disputed)
    }

    /// How the tickets are encrypted, if klist lists any.
    fn encryption(&self) -> Option<Outcome> {
        let check = &POD_TICKET_ENCRYPTION;
        let said = self.said(Probe::Ticket).ok()?;
        let tickets = klist::tickets(&said.text);
        let known = |ticket: &klist::Ticket<'_>| ticket.ticket.or(ticket.session_key).is_some();
        if !tickets.iter().any(known) {
            return None;
        }
        let weak = tickets.iter().filter_map(|one| {
            let of = |what: &str, encryption: Option<klist::Encryption>| {
                let encryption = encryption.filter(|one| one.is_weak())?;
                Some(format!("{what} for {} uses {}", one.server, encryption.as_str()))
            };
            of("the ticket", one.ticket).or_else(|| of("the session key", one.session_key))
        });
        let weak: Vec<String> = weak.collect();
        let Some(first) = weak.first() else {
            return Some(Outcome::ok(check, "its tickets use AES"));
        };
        let outcome = Outcome::warning(check, first);
        Some(weak.iter().skip(1).fold(outcome, Outcome::because))
    }
}

/// A verified channel shows that Windows finds the domain, so the result of `nslookup` is not a cause.
fn unless_verified(mut outcome: Outcome, verified: bool) -> Outcome {
    if verified && outcome.state == State::Problem {
        outcome.state = State::Warning;
        outcome.message = format!(
            "{}, but the secure channel works, so Windows finds the domain anyway",
            outcome.message
        );
    }
    outcome
}

/// No logon servers, no such domain, and the first as an NTSTATUS.
const NOT_FOUND: [u32; 3] = [1311, 1355, 0xC000_005E];
/// Access denied, as a system code and as an NTSTATUS.
const DENIED: [u32; 2] = [5, 0xC000_0022];

/// The statuses that are not success.
fn failures(said: &Said) -> Vec<u32> {
    let mut found = nltest::statuses(&said.bytes);
    found.retain(|number| *number != 0);
    found.dedup();
    found
}

fn named(number: u32) -> String {
    Code(number).named()
}

#[cfg(test)]
mod tests;
