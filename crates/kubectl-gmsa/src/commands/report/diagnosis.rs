//! The doctor's verdict on the cluster, and the section with its evidence.

use gmsa_core::diagnosis::{Cause, Health, Outcome, State, Verdict};
use gmsa_core::printable::counted;

use super::html::{Table, Text, all, badge, list, prose};

/// The verdict in one line, for the head of the page.
pub fn verdict(outcomes: &Result<Vec<Outcome>, String>) -> String {
    let Ok(outcomes) = outcomes else { return String::new() };
    let verdict = Verdict::of(outcomes);
    let (class, word) = match verdict.health {
        Health::Healthy => ("ok", "Healthy"),
        Health::Undecided => ("", "Not decided"),
        Health::Troubled => ("warning", "Needs attention"),
        Health::Broken => ("error", "Broken"),
    };
    let looked = outcomes.iter().filter(|outcome| outcome.state != State::Skipped).count();
    let words = match verdict.causes.first() {
        Some(first) => {
            let more = match verdict.causes.len() - 1 {
                0 => String::new(),
                more => format!(" And {more} more."),
            };
            format!("{}: {}.{more}", Text(&name(first.outcome)), Text(&first.outcome.message))
        }
        None if verdict.unknown.is_empty() => {
            format!("nothing wrong was found in {} of the cluster.", counted(looked, "check"))
        }
        None => format!(
            "nothing wrong was found, but {} of {} could not be made.",
            verdict.unknown.len(),
            counted(looked, "check")
        ),
    };
    format!(
        "<p class=\"verdict {class}\"><strong>{word}.</strong> {words} \
         <a href=\"#diagnosis\">What the doctor found</a></p>\n"
    )
}

/// Renders the section.
pub fn render(outcomes: &Result<Vec<Outcome>, String>) -> String {
    let outcomes = match outcomes {
        Ok(outcomes) => outcomes,
        Err(why) => {
            return format!("<p class=\"note\">The doctor failed: {}</p>\n", Text(why));
        }
    };
    let verdict = Verdict::of(outcomes);
    let looked = outcomes.iter().filter(|outcome| outcome.state != State::Skipped).count();
    let mut html = format!(
        "<p>{} of the cluster, as in kubectl gmsa doctor. Each cause comes with its \
         consequences. Whether a pod has its identity shows only inside it: kubectl gmsa doctor POD \
         looks there.</p>\n",
        counted(looked, "check")
    );
    if verdict.causes.is_empty() {
        html.push_str("<p>Nothing wrong was found.</p>\n");
    } else {
        let mut table = Table::new(
            "diagnosis-table",
            "What is wrong, the root cause first",
            &["Check", "State", "What was seen", "What to do"],
        );
        for cause in &verdict.causes {
            table.row(&name(cause.outcome), &cells(cause));
        }
        html.push_str(&table.end());
    }
    if !verdict.unknown.is_empty() {
        let lines = verdict.unknown.iter().map(|outcome| {
            format!("<li>{}: {}</li>\n", Text(&name(outcome)), Text(&outcome.message))
        });
        html.push_str(&format!(
            "<h3>Could not be checked</h3>\n<ul class=\"findings\">\n{}</ul>\n",
            all(lines)
        ));
    }
    html
}

fn cells(cause: &Cause<'_>) -> [String; 3] {
    let class = if cause.state() == State::Problem { "error" } else { "warning" };
    let state = badge(class, &format!("{}, {}", cause.state(), cause.confidence));
    let evidence = cause.outcome.evidence.iter().map(|line| prose(line));
    let follows = cause
        .consequences
        .iter()
        .map(|outcome| format!("hence {}: {}", Text(&name(outcome)), Text(&outcome.message)));
    let mut seen = Text(&cause.outcome.message).to_string();
    if !cause.outcome.evidence.is_empty() || !cause.consequences.is_empty() {
        seen.push_str(&format!("<div class=\"evidence\">{}</div>", list(evidence.chain(follows))));
    }
    let next = cause.outcome.next_step().lines().map(prose).collect::<Vec<_>>().join("<br>");
    [state, seen, next]
}

fn name(outcome: &Outcome) -> String {
    match &outcome.object {
        Some(object) => format!("{} of {object}", outcome.check.id),
        None => outcome.check.id.to_owned(),
    }
}
