//! The report of the doctor for people.

use std::fmt::Write as _;

use gmsa_core::diagnosis::{Cause, Health, Outcome, Side, State, Verdict};

use crate::output::render;

/// How many lines or objects of a kind the summary shows.
const SHOWN: usize = 5;

/// The verdict, then every check that is not ok; with `all` every check.
pub fn text(outcomes: &[Outcome], verdict: &Verdict<'_>, all: bool) -> String {
    let mut text = String::new();
    let looked = outcomes.iter().filter(|outcome| outcome.state != State::Skipped).count();
    let head = match verdict.health {
        Health::Healthy => format!("Nothing wrong was found in {looked} checks."),
        Health::Undecided => format!(
            "Nothing wrong was found, but {} of {looked} checks could not be made.",
            verdict.unknown.len()
        ),
        Health::Troubled => "Nothing is broken, but these need attention:".to_owned(),
        Health::Broken => "Broken:".to_owned(),
    };
    // Writing to a string does not fail, here and below.
    let _ = writeln!(text, "{head}");
    let mut groups: Vec<Vec<&Cause<'_>>> = Vec::new();
    for cause in &verdict.causes {
        let same = |group: &&mut Vec<&Cause<'_>>| {
            !all && group.first().is_some_and(|first| alike(first, cause))
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(cause),
            None => groups.push(vec![cause]),
        }
    }
    for (place, group) in groups.iter().enumerate() {
        let [first, others @ ..] = group.as_slice() else { continue };
        causes(&mut text, place + 1, first, others, all);
    }
    if !verdict.unknown.is_empty() {
        text.push_str("\nNot found out:\n");
        let mut left_out = 0;
        let mut of_directory = 0;
        for outcome in &verdict.unknown {
            of_directory += usize::from(outcome.check.side == Side::Directory);
            if !all && outcome.check.side == Side::Directory && of_directory > SHOWN {
                left_out += 1;
                continue;
            }
            let _ = writeln!(text, "  {}: {}", name(outcome), outcome.message);
        }
        if left_out > 0 {
            let _ = writeln!(text, "  and {left_out} more of the directory (-o wide)");
        }
    }
    if all {
        let rows = outcomes.iter().map(|outcome| {
            let object = outcome.object.clone().unwrap_or_default();
            vec![
                outcome.check.id.to_owned(),
                outcome.state.to_string(),
                object,
                outcome.message.clone(),
            ]
        });
        text.push('\n');
        text.push_str(&render::table(
            &["CHECK", "STATE", "OBJECT", "WHAT WAS SEEN"],
            rows.collect(),
        ));
    }
    text
}

/// The message of an outcome without its object, to group those of several accounts.
fn words(outcome: &Outcome) -> (Option<&str>, String, String) {
    let object = outcome.object.as_deref();
    let own = object.and_then(|object| object.rsplit(' ').next()).unwrap_or_default();
    let without =
        |text: &str| if own.is_empty() { text.to_owned() } else { text.replace(own, "*") };
    let kind = object.and_then(|object| object.split(' ').next());
    (kind, without(&outcome.message), without(outcome.next_step()))
}

/// Whether two causes of the directory are the same trouble of two objects.
fn alike(one: &Cause<'_>, other: &Cause<'_>) -> bool {
    let ids = |cause: &Cause<'_>| -> Vec<(&'static str, State)> {
        cause.consequences.iter().map(|one| (one.check.id, one.state)).collect()
    };
    one.outcome.check.side == Side::Directory
        && one.outcome.check.id == other.outcome.check.id
        && one.state() == other.state()
        && one.confidence == other.confidence
        && words(one.outcome) == words(other.outcome)
        && ids(one) == ids(other)
}

fn evidence(text: &mut String, outcome: &Outcome, all: bool) {
    let lines: Vec<&str> = outcome.evidence.iter().flat_map(|line| line.lines()).collect();
    let is_long = !all && outcome.check.side == Side::Directory && lines.len() > SHOWN;
    let shown = if is_long { SHOWN } else { lines.len() };
    for line in lines.iter().take(shown) {
        let _ = writeln!(text, "     {line}");
    }
    if is_long {
        let _ = writeln!(text, "     and {} more (-o wide)", lines.len() - shown);
    }
}

/// One cause, and those that are like it.
fn causes(text: &mut String, place: usize, cause: &Cause<'_>, others: &[&Cause<'_>], all: bool) {
    let outcome = cause.outcome;
    let others: Vec<&str> =
        others.iter().filter_map(|cause| cause.outcome.object.as_deref()).collect();
    let named = match others.as_slice() {
        [] => name(outcome),
        others => {
            let more = others.len().saturating_sub(SHOWN);
            let shown = others.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
            let rest =
                if more == 0 { String::new() } else { format!(" and {more} more (-o wide)") };
            format!("{}, alike {shown}{rest}", name(outcome))
        }
    };
    let _ = writeln!(
        text,
        "\n{place}. {named} ({}, {}): {}",
        cause.state(),
        cause.confidence,
        outcome.message
    );
    evidence(text, outcome, all);
    for following in &cause.consequences {
        let _ = writeln!(text, "   hence {}: {}", name(following), following.message);
        evidence(text, following, all);
    }
    let mut next = outcome.next_step().lines();
    let _ = writeln!(text, "   -> {}", next.next().unwrap_or_default());
    for line in next {
        let _ = writeln!(text, "      {line}");
    }
}

fn name(outcome: &Outcome) -> String {
    match &outcome.object {
        Some(object) => format!("{} of {object}", outcome.check.id),
        None => outcome.check.id.to_owned(),
    }
}
