//! The event logs of a node, by the catalogue of codes.

use crate::credspec::plugin;
use crate::diagnosis::catalogue::node::{
    NODE_CCG_EVENTS, NODE_COMPUTE_EVENTS, NODE_KDC_EVENTS, NODE_NETLOGON_EVENTS, NODE_PLUGIN_EVENTS,
};
use crate::diagnosis::{Check, Confidence, Outcome, State};
use crate::windows::codes::{self, Code, Entry, Source, Topic};
use crate::windows::node::{EventGroup, Events, NOT_CHECKED, Section};

/// Windows' levels "critical" and "error".
const ERROR: std::ops::RangeInclusive<u8> = 1..=2;
const WARNING: u8 = 3;
/// The event of the Container Credential Guard that reports fetched credentials.
const FETCHED: u32 = 2;
/// The event of the Container Credential Guard whose reason the plug-in knows.
const NO_CREDENTIALS: u32 = 6;

type Log = Section<Option<Vec<EventGroup>>>;

/// Judges the logs. The plug-ins are those of the node, as class identifiers with or without braces.
pub(super) fn judge(events: &Events, plugins: &[&str]) -> Vec<Outcome> {
    let one = |check, logs: &[(Source, &Log)]| one(check, logs, plugins);
    vec![
        one(&NODE_PLUGIN_EVENTS, &[(Source::Aks, &events.aks), (Source::Rancher, &events.rancher)]),
        one(&NODE_CCG_EVENTS, &[(Source::Ccg, &events.ccg)]),
        one(&NODE_NETLOGON_EVENTS, &[(Source::Netlogon, &events.netlogon)]),
        one(&NODE_COMPUTE_EVENTS, &[(Source::HyperVCompute, &events.compute)]),
        kdc(&events.kdc),
    ]
}

/// KDCSVC writes on domain controllers alone, so its events are absent on every other node.
fn kdc(log: &Log) -> Outcome {
    match log {
        Ok(None) => Outcome::skipped(
            &NODE_KDC_EVENTS,
            "the node is not a domain controller: only controllers log KDCSVC 201 to 209",
        ),
        Err(why) if why == NOT_CHECKED => {
            Outcome::skipped(&NODE_KDC_EVENTS, "the output is of an older script")
        }
        log => one(&NODE_KDC_EVENTS, &[(Source::Kdc, log)], &[]),
    }
}

/// A group of events that reports a failure, with its entry in the catalogue.
struct Reported<'a> {
    source: Source,
    group: &'a EventGroup,
    entry: Option<&'static Entry>,
    /// Every code of the events that is not success, known or not.
    codes: Vec<Code>,
    state: State,
}

fn one(check: &'static Check, logs: &[(Source, &Log)], plugins: &[&str]) -> Outcome {
    let mut reported = Vec::new();
    let (mut absent, mut unreadable) = (0, Vec::new());
    for (source, log) in logs {
        match log {
            Ok(Some(groups)) => {
                reported.extend(groups.iter().filter_map(|group| Reported::of(*source, group)));
            }
            Ok(None) => absent += 1,
            Err(why) => unreadable.push(why.as_str()),
        }
    }
    // The worst, and among these the latest.
    reported
        .sort_by(|one, other| (other.state, &other.group.last).cmp(&(one.state, &one.group.last)));
    let Some(first) = reported.first() else {
        return if let Some(why) = unreadable.first() {
            Outcome::unknown(check, *why)
        } else if absent == logs.len() {
            Outcome::skipped(check, "the node has no such event log")
        } else {
            Outcome::ok(check, "no failure was logged")
        };
    };
    let mut outcome = Outcome::new(check, first.state, first.message()).sure(first.confidence());
    let works = last_success(logs);
    let over = works.filter(|works| reported.iter().all(|one| one.group.last.as_str() < *works));
    if let Some(works) = over {
        outcome.state = State::Warning;
        outcome.message = format!(
            "{}; credentials were fetched after that, at {works}, so it may be over",
            outcome.message
        );
    }
    let next = first.remedy(plugins);
    reported.iter().flat_map(Reported::lines).fold(outcome, Outcome::because).then(next)
}

/// When credentials were last fetched, by the log of the Container Credential Guard.
fn last_success<'a>(logs: &[(Source, &'a Log)]) -> Option<&'a str> {
    logs.iter()
        .filter(|(source, _)| *source == Source::Ccg)
        .filter_map(|(_, log)| log.as_ref().ok()?.as_ref())
        .flat_map(|groups| groups.iter().filter(|group| group.id == FETCHED))
        .map(|group| group.last.as_str())
        .max()
}

impl<'a> Reported<'a> {
    /// None if the events are of no interest: they report something that works, or something
    /// unknown that is not a failure.
    fn of(source: Source, group: &'a EventGroup) -> Option<Self> {
        let entry = codes::find(source, group.id);
        let mut codes: Vec<Code> =
            group.codes.iter().filter_map(|word| codes::number(word)).map(Code).collect();
        codes.retain(|code| !code.is_success());
        codes.dedup();
        let by_level = match group.level {
            level if ERROR.contains(&level) => Some(State::Problem),
            WARNING => Some(State::Warning),
            _ => None,
        };
        let about_identity = || {
            let entries = codes.iter().filter_map(|code| code.entry());
            entries.into_iter().any(|entry| entry.topic == Topic::Identity)
        };
        let state = match entry {
            Some(entry) if entry.is_information() => return None,
            // What Windows itself calls a warning is one.
            Some(_) if group.level == WARNING => State::Warning,
            Some(_) => State::Problem,
            // The Host Compute Service logs much that has nothing to do with credentials.
            None if source == Source::HyperVCompute && !about_identity() => return None,
            None => by_level?,
        };
        Some(Self { source, group, entry, codes, state })
    }

    /// Certain only if the catalogue knows the event and every code in it.
    fn confidence(&self) -> Confidence {
        let unknown = self.codes.iter().any(|code| code.entry().is_none());
        let known = self.codes.iter().any(|code| code.entry().is_some());
        match self.entry {
            Some(_) if unknown => Confidence::Likely,
            Some(_) => Confidence::Certain,
            None if known => Confidence::Likely,
            None => Confidence::Possible,
        }
    }

    /// A code that names the fault is preferred to the event, which only names what failed.
    fn remedy(&self, plugins: &[&str]) -> String {
        let known = || self.codes.iter().filter_map(|code| code.entry());
        if let Some(words) = known().find_map(|entry| entry.on_node) {
            return words.to_owned();
        }
        if (self.source, self.group.id) == (Source::Ccg, NO_CREDENTIALS)
            && let Some(words) = log_of(plugins)
        {
            return words;
        }
        match self.entry.or_else(|| known().next()) {
            Some(entry) => entry.remedy.to_owned(),
            None => "Read the text of the event on the node.".to_owned(),
        }
    }

    fn id(&self) -> String {
        format!("{}:{}", self.source.prefix(), self.group.id)
    }

    fn message(&self) -> String {
        let name = match self.entry {
            Some(entry) => entry.meaning,
            None => "the catalogue does not know this event.",
        };
        format!("{}: {name}", self.id()).trim_end_matches('.').to_owned()
    }

    fn lines(&self) -> Vec<String> {
        let name = self.entry.map_or("unknown", |entry| entry.name);
        let last = if self.group.last.is_empty() { "unknown" } else { self.group.last.as_str() };
        let count = self.group.count.max(1);
        let mut lines = vec![format!("{} ({name}), {count} times, last {last}", self.id())];
        lines.extend(self.codes.iter().map(|code| {
            let hexadecimal = format!("0x{:08X}", code.0);
            match code.entry() {
                Some(entry) if entry.number == code.0 => {
                    format!("  with {} {}: {}", entry.shown(), entry.name, entry.meaning)
                }
                Some(entry) => format!(
                    "  with {hexadecimal}, which is {} {}: {}",
                    entry.shown(),
                    entry.name,
                    entry.meaning
                ),
                None => {
                    format!("  with {hexadecimal}: not in the catalogue; {}", code.anatomy())
                }
            }
        }));
        lines
    }
}

/// Where the node's plug-in writes why it has no credentials.
fn log_of(plugins: &[&str]) -> Option<String> {
    let place = |guid: &&str| match plugin::by_guid(guid.trim_matches(['{', '}']))?.id {
        "aks" => Some("the event log Microsoft-AKSGMSAPlugin/Admin"),
        "aws" => Some("C:\\ProgramData\\Amazon\\gmsa-plugin\\ (the AWS plug-in has no event log)"),
        "rancher" => Some(
            "the Application event log, by the Rancher plug-in (events of information only with \
             the file enable-logs.txt)",
        ),
        _ => None,
    };
    let places: Vec<&str> = plugins.iter().filter_map(place).collect();
    (!places.is_empty())
        .then(|| format!("Read on the node why the plug-in failed: {}.", places.join("; ")))
}
