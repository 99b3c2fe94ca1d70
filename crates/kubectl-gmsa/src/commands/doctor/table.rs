//! The report of the doctor for people.

use std::fmt::Write as _;

use gmsa_core::diagnosis::{Cause, Health, Outcome, State, Verdict};

use crate::output::render;

/// The verdict, then what is not as it should be; with `all` every check.
pub fn text(outcomes: &[Outcome], verdict: &Verdict<'_>, all: bool) -> String {
    let mut text = String::new();
    let looked = outcomes.iter().filter(|outcome| outcome.state != State::Skipped).count();
    let head = match verdict.health {
        Health::Healthy => format!("Nothing wrong was found in {looked} checks."),
        Health::Undecided => format!(
            "Nothing wrong was found, but {} of {looked} checks could not be made.",
            verdict.unknown.len()
        ),
        Health::Troubled => "Nothing is broken, but somebody should look:".to_owned(),
        Health::Broken => "Broken:".to_owned(),
    };
    // Writing to a string does not fail, here and below.
    let _ = writeln!(text, "{head}");
    for (place, cause) in verdict.causes.iter().enumerate() {
        causes(&mut text, place + 1, cause);
    }
    if !verdict.unknown.is_empty() {
        text.push_str("\nNot found out:\n");
        for outcome in &verdict.unknown {
            let _ = writeln!(text, "  {}: {}", name(outcome), outcome.message);
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

fn causes(text: &mut String, place: usize, cause: &Cause<'_>) {
    let outcome = cause.outcome;
    let _ = writeln!(
        text,
        "\n{place}. {} ({}, {}): {}",
        name(outcome),
        cause.state(),
        cause.confidence,
        outcome.message
    );
    for line in outcome.evidence.iter().flat_map(|line| line.lines()) {
        let _ = writeln!(text, "     {line}");
    }
    for following in &cause.consequences {
        let _ = writeln!(text, "   hence {}: {}", name(following), following.message);
        for line in following.evidence.iter().flat_map(|line| line.lines()) {
            let _ = writeln!(text, "     {line}");
        }
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
