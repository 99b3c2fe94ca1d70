//! `kubectl gmsa doctor explain`

use gmsa_core::diagnosis::{Check, all, find};
use gmsa_core::finding::Code;
use gmsa_core::printable::printable;
use gmsa_core::windows::codes::{Code as Status, Entry, Meaning, Source, meanings};

use crate::cli::Explain;
use crate::failure::Failure;
use crate::output::{printer, render};

/// Shows one check, or lists all.
pub fn run(args: &Explain) -> Result<u8, Failure> {
    let Some(id) = &args.id else {
        let rows = all().map(|check| {
            vec![check.id.to_owned(), check.side.as_str().to_owned(), check.title.to_owned()]
        });
        let mut list = render::table(&["ID", "SIDE", "CHECK"], rows.collect());
        list.push_str(
            "\nIt also explains the codes of findings (docs/findings.md), such as sid-not-domain, and \
             the numbers of\nWindows and of the plug-ins (docs/codes.md) in any form: 1722, 0x6BA, \
             0x8007052E, 3489660941, -1073741715,\nCCG:8, AKS:1007, HCS:11507, NETLOGON:5719, \
             KDC:201.\n",
        );
        printer::data(&list)?;
        return Ok(0);
    };
    if let Some(check) = find(id) {
        printer::data(&page(check))?;
        return Ok(0);
    }
    if let Some(code) = Code::from_id(id) {
        printer::data(&finding(code))?;
        return Ok(0);
    }
    let meanings = meanings(id);
    if meanings.is_empty() {
        return Err(Failure::Input(format!(
            "failed to explain \"{}\": it is not a check, a finding or a number; \
             kubectl gmsa doctor explain lists the checks, docs/codes.md the numbers",
            printable(id)
        )));
    }
    let texts: Vec<String> = meanings.into_iter().map(meaning).collect::<Result<_, _>>()?;
    printer::data(&texts.join("\n"))?;
    Ok(0)
}

/// A number of which nothing is known beyond its form is explained all the same; an event that is
/// not known is not.
fn meaning(meaning: Meaning) -> Result<String, Failure> {
    match meaning {
        Meaning::Known(entry, None) => Ok(number(entry)),
        Meaning::Known(entry, Some(status)) => {
            Ok(format!("0x{:08X} is {}.\n\n{}", status.0, status.anatomy(), number(entry)))
        }
        Meaning::Unknown(status) => Ok(unknown(status)),
        Meaning::UnknownEvent(source, id) => {
            let known: Vec<String> = source.ids().map(|id| id.to_string()).collect();
            Err(Failure::Input(format!(
                "failed to explain {}:{id}: the catalogue does not have this event; of {} it has {}",
                source.prefix(),
                source.prefix(),
                known.join(", ")
            )))
        }
    }
}

fn unknown(status: Status) -> String {
    format!(
        "{}: not in the catalogue\n\nForm:\n  {}\n\nWhat to do:\n  On Windows `certutil -error \
         0x{:08X}` shows its text; the lists of [MS-ERREF] have its name.\n\nPage:\n  \
         docs/codes.md#{}\n",
        status.shown(),
        status.anatomy(),
        status.0,
        Source::Api.prefix().to_ascii_lowercase()
    )
}

fn page(check: &Check) -> String {
    let mut text = format!(
        "{}: {}\n\nCause:\n  {}\n\nWhat to do:\n  {}\n",
        check.id, check.title, check.cause, check.remedy
    );
    if !check.explains.is_empty() {
        text.push_str(&format!("\nExplains:\n  {}\n", check.explains.join(", ")));
    }
    text.push_str(&format!("\nSource:\n  {}\n\nPage:\n  {}\n", check.source, check.page()));
    text
}

fn number(entry: &Entry) -> String {
    let mut text = format!(
        "{}: {}\n\nSeen in:\n  {}\n\nMeaning:\n  {}\n\nWhat to do:\n  {}\n",
        entry.shown(),
        entry.name,
        entry.source.place(),
        entry.meaning,
        entry.remedy
    );
    if let Some(on_node) = entry.on_node {
        text.push_str(&format!("  In an event of a node: {on_node}\n"));
    }
    text.push_str(&format!("\nSource:\n  {}\n\nPage:\n  {}\n", entry.reference, entry.page()));
    text
}

fn finding(code: Code) -> String {
    format!(
        "{} ({}): {}\n\nWhat to do:\n  {}\n\nPage:\n  {}\n",
        code.id(),
        code.severity(),
        code.summary(),
        code.remedy(),
        code.page()
    )
}
