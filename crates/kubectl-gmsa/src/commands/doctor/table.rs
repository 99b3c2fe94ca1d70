//! The report of the doctor for people.

use std::fmt::Write as _;

use gmsa_core::diagnosis::{Cause, Health, Outcome, Side, State, Verdict};
use gmsa_core::printable::listed;

use crate::output::render;

/// How many objects, and how many problems of the directory, the summary shows.
const SHOWN: usize = 5;
/// How many lines of evidence of the directory.
const EVIDENCE: usize = 3;

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
    let mut place = 0;
    let mut of_directory = 0;
    let mut left_out: Vec<String> = Vec::new();
    for group in groups(verdict.causes.iter(), |one, other| !all && alike(one, other)) {
        let Some(first) = group.first() else { continue };
        of_directory += usize::from(first.outcome.check.side == Side::Directory);
        let objects: Vec<&Outcome> = group.iter().map(|cause| cause.outcome).collect();
        if !all && first.outcome.check.side == Side::Directory && of_directory > SHOWN {
            left_out.push(names(&objects));
            continue;
        }
        place += 1;
        causes(&mut text, place, first, &names(&objects), all);
    }
    if !left_out.is_empty() {
        let more = left_out.len();
        let shown = left_out.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
        let _ = writeln!(text, "\nand {more} more of the directory (-o wide): {shown}");
    }
    if !verdict.unknown.is_empty() {
        text.push_str("\nNot found out:\n");
        let mut left_out = 0;
        let mut of_directory = 0;
        for group in groups(verdict.unknown.iter().copied(), |one, other| !all && same(one, other))
        {
            let Some(first) = group.first() else { continue };
            of_directory += usize::from(first.check.side == Side::Directory);
            if !all && first.check.side == Side::Directory && of_directory > SHOWN {
                left_out += group.len();
                continue;
            }
            let _ = writeln!(text, "  {}: {}", names(&group), first.message);
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

/// The message of an outcome without its object, to group those of several objects. Evidence of the
/// directory is one line for each host, of which the summary shows the first.
fn words(outcome: &Outcome) -> [String; 4] {
    let object = outcome.object.as_deref().unwrap_or_default();
    let (kind, own) = object.rsplit_once(' ').unwrap_or_default();
    let without =
        |text: &str| if own.is_empty() { text.to_owned() } else { text.replace(own, "*") };
    let evidence = match outcome.check.side {
        Side::Directory => String::new(),
        _ => without(&outcome.evidence.join("\n")),
    };
    [kind.to_owned(), without(&outcome.message), without(outcome.next_step()), evidence]
}

/// What is the same together, in the order in which each first came.
fn groups<T>(all: impl Iterator<Item = T>, same: impl Fn(&T, &T) -> bool) -> Vec<Vec<T>> {
    let mut groups: Vec<Vec<T>> = Vec::new();
    for one in all {
        let known =
            groups.iter_mut().find(|group| group.first().is_some_and(|first| same(first, &one)));
        match known {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    groups
}

/// Whether two causes are the same trouble of two objects.
fn alike(one: &Cause<'_>, other: &Cause<'_>) -> bool {
    let ids = |cause: &Cause<'_>| -> Vec<(&'static str, State)> {
        cause.consequences.iter().map(|one| (one.check.id, one.state)).collect()
    };
    same(one.outcome, other.outcome)
        && one.state() == other.state()
        && one.confidence == other.confidence
        && ids(one) == ids(other)
}

/// Whether the same is said of two objects.
fn same(one: &Outcome, other: &Outcome) -> bool {
    one.check.id == other.check.id && words(one) == words(other)
}

fn evidence(text: &mut String, outcome: &Outcome, all: bool) {
    let lines: Vec<&str> = outcome.evidence.iter().flat_map(|line| line.lines()).collect();
    let is_long = !all && outcome.check.side == Side::Directory && lines.len() > EVIDENCE;
    let shown = if is_long { EVIDENCE } else { lines.len() };
    for line in lines.iter().take(shown) {
        let _ = writeln!(text, "     {line}");
    }
    if is_long {
        let _ = writeln!(text, "     and {} more (-o wide)", lines.len() - shown);
    }
}

/// One cause of what `named` names.
fn causes(text: &mut String, place: usize, cause: &Cause<'_>, named: &str, all: bool) {
    let outcome = cause.outcome;
    let _ = writeln!(
        text,
        "\n{place}. {named} ({}, {}): {}",
        cause.state(),
        cause.confidence,
        outcome.message
    );
    evidence(text, outcome, all);
    for group in groups(cause.consequences.iter().copied(), |one, other| !all && same(one, other)) {
        let Some(following) = group.first() else { continue };
        let _ = writeln!(text, "   hence {}: {}", names(&group), following.message);
        evidence(text, following, all);
    }
    let mut next = outcome.next_step().lines();
    let _ = writeln!(text, "   -> {}", next.next().unwrap_or_default());
    for line in next {
        let _ = writeln!(text, "      {line}");
    }
}

/// The check, and the objects of which it says the same.
fn names(alike: &[&Outcome]) -> String {
    let [first, others @ ..] = alike else { return String::new() };
    let Some(object) = &first.object else { return first.check.id.to_owned() };
    let named = format!("{} of {object}", first.check.id);
    let others: Vec<&str> = others.iter().filter_map(|one| one.object.as_deref()).collect();
    if others.is_empty() {
        return named;
    }
    let wide = if others.len() > SHOWN { " (-o wide)" } else { "" };
    format!("{named}, alike {}{wide}", listed(&others, SHOWN))
}
