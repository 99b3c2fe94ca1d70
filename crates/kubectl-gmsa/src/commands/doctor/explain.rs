//! `kubectl gmsa doctor explain`

use gmsa_core::diagnosis::{Check, all, find};
use gmsa_core::finding::Code;

use crate::cli::Explain;
use crate::commands::{Failure, render};
use crate::printer;

/// Shows one check, or lists all.
pub(super) fn run(args: &Explain) -> Result<u8, Failure> {
    let Some(id) = &args.id else {
        let rows = all().map(|check| {
            vec![check.id.to_owned(), check.side.as_str().to_owned(), check.title.to_owned()]
        });
        printer::data(&render::table(&["ID", "SIDE", "CHECK"], rows.collect()))?;
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
    Err(Failure::Input(format!(
        "failed to explain \"{}\": there is no such check and no such finding; \
         kubectl gmsa doctor explain lists the checks",
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
