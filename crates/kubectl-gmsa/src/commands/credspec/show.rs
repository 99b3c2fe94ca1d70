//! `kubectl gmsa credspec show`

use std::fmt::Write as _;

use gmsa_core::credspec::lint;
use serde_json::Value;

use super::printed;
use crate::cli::credspec::{Show, ShowOutput, SpecOutput};
use crate::connect::{self, block_on};
use crate::credential_spec::{self, accounts_of, name_of, plugin_of, text};
use crate::failure::Failure;
use crate::output::finding::FindingReport;
use crate::output::printer;

/// Shows a credential spec.
pub fn run(args: &Show) -> Result<u8, Failure> {
    let object = block_on(async {
        credential_spec::read(&connect::objects(&args.cluster).await?, &args.name).await
    })?;
    printer::data(&match args.output {
        ShowOutput::Table => described(&object),
        ShowOutput::Yaml => printed(&object, SpecOutput::Yaml)?,
        ShowOutput::Json => printed(&object, SpecOutput::Json)?,
        ShowOutput::Credspec => printed(&object, SpecOutput::Credspec)?,
    })?;
    Ok(0)
}

/// The important fields, without the input of a plug-in.
fn described(object: &Value) -> String {
    let domain = |key: &str| text(object, &format!("/DomainJoinConfig/{key}")).unwrap_or("-");
    let lines = [
        ("Name", name_of(object).to_owned()),
        ("Accounts", accounts_of(object).join(", ")),
        ("Domain", format!("{} ({})", domain("DnsName"), domain("NetBiosName"))),
        ("Forest", domain("DnsTreeName").to_owned()),
        ("Domain SID", domain("Sid").to_owned()),
        ("Domain GUID", domain("Guid").to_owned()),
        ("Plug-in", plugin_of(object).unwrap_or_else(|| "-".to_owned())),
    ];
    let mut shown = String::new();
    // Writing to a string does not fail.
    for (key, value) in lines {
        let _ = writeln!(shown, "{:<13}{value}", format!("{key}:"));
    }
    let findings = lint(name_of(object), object);
    if findings.is_empty() {
        shown.push_str("Findings:    none\n");
        return shown;
    }
    shown.push_str("Findings:\n");
    for finding in &findings {
        FindingReport::from(finding).describe(&mut shown, false);
    }
    shown
}
