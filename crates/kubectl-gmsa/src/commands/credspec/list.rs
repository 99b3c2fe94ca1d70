//! `kubectl gmsa credspec list`

use gmsa_core::credspec::lint;
use serde_json::{Value, json};

use crate::cli::credspec::{List, ListOutput};
use crate::connect::{self, block_on};
use crate::credential_spec::{self, accounts_of, name_of, plugin_of, text};
use crate::failure::Failure;
use crate::output::{printer, render};

/// Lists the credential specs of the cluster.
pub fn run(args: &List) -> Result<u8, Failure> {
    let objects =
        block_on(async { credential_spec::list(&connect::objects(&args.cluster).await?).await })?;
    let list = || json!({ "apiVersion": "v1", "kind": "List", "items": objects });
    let printed = match args.output {
        ListOutput::Json => render::json("list", &list())?,
        ListOutput::Yaml => render::yaml("list", &list())?,
        ListOutput::Name => {
            let prefix = format!("gmsacredentialspec.{}/", gmsa_core::names::GROUP);
            objects.iter().flat_map(|object| [prefix.as_str(), name_of(object), "\n"]).collect()
        }
        ListOutput::Table | ListOutput::Wide => {
            if objects.is_empty() {
                printer::note("no credential specs found");
                return Ok(0);
            }
            table(&objects, args.output == ListOutput::Wide)
        }
    };
    printer::data(&printed)?;
    Ok(0)
}

fn table(objects: &[Value], wide: bool) -> String {
    let mut header = vec!["NAME", "ACCOUNT", "DOMAIN", "PLUGIN", "FINDINGS"];
    if wide {
        header.extend(["SID", "GUID", "FURTHER ACCOUNTS"]);
    }
    let rows = objects.iter().map(|object| {
        let or_none = |text: Option<&str>| text.unwrap_or("-").to_owned();
        let mut row = vec![
            name_of(object).to_owned(),
            or_none(text(object, "/DomainJoinConfig/MachineAccountName")),
            or_none(text(object, "/DomainJoinConfig/DnsName")),
            plugin_of(object).unwrap_or_else(|| "-".to_owned()),
            findings_of(object),
        ];
        if wide {
            row.push(or_none(text(object, "/DomainJoinConfig/Sid")));
            row.push(or_none(text(object, "/DomainJoinConfig/Guid")));
            let further = accounts_of(object).into_iter().skip(1).collect::<Vec<_>>().join(", ");
            row.push(or_none(Some(further.as_str()).filter(|further| !further.is_empty())));
        }
        row
    });
    render::table(&header, rows.collect())
}

/// How many findings, and the worst.
fn findings_of(object: &Value) -> String {
    let findings = lint(name_of(object), object);
    match findings.iter().map(gmsa_core::finding::Finding::severity).max() {
        Some(worst) => format!("{} ({worst})", findings.len()),
        None => "0".to_owned(),
    }
}
