//! The event logs of a node, by the catalogue of codes.

use crate::diagnosis::catalogue::node::{
    NODE_CCG_EVENTS, NODE_COMPUTE_EVENTS, NODE_NETLOGON_EVENTS, NODE_PLUGIN_EVENTS,
};
use crate::diagnosis::{Check, Confidence, Outcome, State};
use crate::windows::codes::{self, Entry, Source};
use crate::windows::node::{EventGroup, Events, Section};

/// What the levels of Windows are called in numbers: critical and error.
const ERROR: std::ops::RangeInclusive<u8> = 1..=2;
const WARNING: u8 = 3;

type Log = Section<Option<Vec<EventGroup>>>;

pub(super) fn judge(events: &Events) -> Vec<Outcome> {
    vec![
        one(&NODE_PLUGIN_EVENTS, &[(Source::Aks, &events.aks), (Source::Rancher, &events.rancher)]),
        one(&NODE_CCG_EVENTS, &[(Source::Ccg, &events.ccg)]),
        one(&NODE_NETLOGON_EVENTS, &[(Source::Netlogon, &events.netlogon)]),
        one(&NODE_COMPUTE_EVENTS, &[(Source::HyperVCompute, &events.compute)]),
    ]
}

/// A group of events that tells of something, with its entry in the catalogue.
struct Told<'a> {
    source: Source,
    group: &'a EventGroup,
    entry: Option<&'static Entry>,
    codes: Vec<&'static Entry>,
    state: State,
}

fn one(check: &'static Check, logs: &[(Source, &Log)]) -> Outcome {
    let mut told = Vec::new();
    let (mut absent, mut unreadable) = (0, Vec::new());
    for (source, log) in logs {
        match log {
            Ok(Some(groups)) => {
                told.extend(groups.iter().filter_map(|group| Told::of(*source, group)));
            }
            Ok(None) => absent += 1,
            Err(why) => unreadable.push(why.as_str()),
        }
    }
    let works = logs
        .iter()
        .filter_map(|(source, log)| Some((source, log.as_ref().ok()?.as_ref()?)))
        .filter(|(source, _)| **source == Source::Ccg)
        .flat_map(|(_, groups)| groups.iter().filter(|group| group.id == FETCHED))
        .map(|group| group.last.as_str())
        .max();
    // The worst, and among these the latest.
    told.sort_by(|one, other| (other.state, &other.group.last).cmp(&(one.state, &one.group.last)));
    let Some(first) = told.first() else {
        return if let Some(why) = unreadable.first() {
            Outcome::unknown(check, *why)
        } else if absent == logs.len() {
            Outcome::skipped(check, "the node has no such event log")
        } else {
            Outcome::ok(check, "no failure was logged")
        };
    };
    let over = works.filter(|works| told.iter().all(|one| one.group.last.as_str() < *works));
    let mut outcome = Outcome::new(check, first.state, first.message());
    if let Some(works) = over {
        outcome.state = State::Warning;
        outcome.message = format!(
            "{}; credentials were fetched after that, at {works}, so it may be over",
            outcome.message
        );
    } else if first.entry.is_none() && first.codes.is_empty() {
        outcome = outcome.sure(Confidence::Possible);
    }
    let next = first.entry.or_else(|| first.codes.first().copied());
    let outcome = told.iter().flat_map(Told::lines).fold(outcome, Outcome::because);
    match next {
        Some(entry) => outcome.then(entry.remedy),
        None => outcome.then("Read the text of the event on the node."),
    }
}

/// The event of the Container Credential Guard that says that credentials were fetched.
const FETCHED: u32 = 2;

impl<'a> Told<'a> {
    /// None if the events are of no interest: they tell of something that works, or of something
    /// that is not known and was no failure.
    fn of(source: Source, group: &'a EventGroup) -> Option<Self> {
        let entry = codes::find(source, group.id);
        let codes: Vec<&Entry> = group
            .codes
            .iter()
            .filter_map(|word| codes::find(Source::Api, codes::number(word)?))
            .filter(|entry| !entry.is_information())
            .collect();
        let by_level = match group.level {
            level if ERROR.contains(&level) => Some(State::Problem),
            WARNING => Some(State::Warning),
            _ => None,
        };
        let state = match entry {
            Some(entry) if entry.is_information() => return None,
            // What Windows itself calls a warning is one.
            Some(_) if group.level == WARNING => State::Warning,
            Some(_) => State::Problem,
            // The Host Compute Service logs much that has nothing to do with credentials.
            None if source == Source::HyperVCompute && codes.is_empty() => return None,
            None => by_level?,
        };
        Some(Self { source, group, entry, codes, state })
    }

    fn id(&self) -> String {
        format!("{}:{}", self.source.prefix(), self.group.id)
    }

    fn message(&self) -> String {
        let name = match self.entry {
            Some(entry) => entry.meaning.to_owned(),
            None => "the catalogue does not know this event.".to_owned(),
        };
        format!("{}: {name}", self.id()).trim_end_matches('.').to_owned()
    }

    fn lines(&self) -> Vec<String> {
        let name = self.entry.map_or("unknown", |entry| entry.name);
        let last = if self.group.last.is_empty() { "unknown" } else { self.group.last.as_str() };
        let count = self.group.count.max(1);
        let mut lines = vec![format!("{} ({name}), {count} times, last {last}", self.id())];
        let codes = self.codes.iter();
        lines
            .extend(codes.map(|entry| {
                format!("  with {} {}: {}", entry.shown(), entry.name, entry.meaning)
            }));
        lines
    }
}
