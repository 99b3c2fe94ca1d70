//! `kubectl gmsa doctor explain`

use gmsa_core::diagnosis::{Check, all, find};
use gmsa_core::finding::Code;
use gmsa_core::windows::codes::{Entry, meanings};

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
            "\nBesides: the codes of findings (docs/findings.md), such as sid-not-domain, and the \
             numbers of Windows\nand of plug-ins (docs/codes.md), such as 1722, 0x6BA, CCG:8, \
             AKS:1007 or HCS:11507.\n",
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
    if !meanings.is_empty() {
        let texts: Vec<String> = meanings.into_iter().map(number).collect();
        printer::data(&texts.join("\n"))?;
        return Ok(0);
    }
    Err(Failure::Input(format!(
        "failed to explain \"{}\": there is no such check, finding or number; \
         kubectl gmsa doctor explain lists the checks, docs/codes.md the numbers",
        id.escape_debug()
    )))
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
    format!(
        "{}: {}\n\nSeen in:\n  {}\n\nMeaning:\n  {}\n\nWhat to do:\n  {}\n\nPage:\n  {}\n",
        entry.shown(),
        entry.name,
        entry.source.place(),
        entry.meaning,
        entry.remedy,
        entry.page()
    )
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
