//! JSON, YAML, tables and changes for people.

use comfy_table::{Cell, ColumnConstraint, ContentArrangement, Table, Width};
use gmsa_cluster::api::apply::{Change, shown};
use gmsa_core::names::OPTIONS;
use serde::Serialize;
use serde_json::Value;

use crate::failure::Failure;
use crate::output::printer;

/// Words of the first column are not broken up to this width: they are identifiers, which are copied.
const WHOLE: u16 = 30;

/// The same of the last column, which has the verdict where there is one.
const VERDICT: u16 = 12;

/// The width of a terminal that does not report its own.
const WIDTH: u16 = 100;
/// A terminal that says it is narrower does not know its width: serial consoles and pseudo-terminals of
/// pipelines report 0.
const NARROW: u16 = 20;

/// JSON with a line break at its end.
pub fn json(what: &'static str, value: &impl Serialize) -> Result<String, Failure> {
    let text =
        serde_json::to_string_pretty(value).map_err(|error| Failure::encode(what, &error))?;
    Ok(text + "\n")
}

/// One YAML document.
pub fn yaml(what: &'static str, value: &impl Serialize) -> Result<String, Failure> {
    serde_saphyr::to_string(value).map_err(|error| Failure::encode(what, &error))
}

/// YAML documents, one after the other.
pub fn documents<'a>(
    what: &'static str,
    objects: impl IntoIterator<Item = &'a Value>,
) -> Result<String, Failure> {
    objects.into_iter().map(|object| Ok(format!("---\n{}", yaml(what, object)?))).collect()
}

/// The JSON of a value, for a place in another.
pub fn value(what: &'static str, value: &impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(value).map_err(|error| Failure::encode(what, &error))
}

/// A table without lines between the cells.
pub fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let cells = rows.into_iter().map(|row| row.into_iter().map(Cell::new).collect());
    coloured_table(header, cells.collect(), false)
}

/// The same with cells that may have colours, which are printed if there are to be any.
pub fn coloured_table(header: &[&str], rows: Vec<Vec<Cell>>, colour: bool) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    // Lines are broken to fit a terminal; another program gets each row as one line.
    if printer::is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        if table.width().is_none_or(|width| width < NARROW) {
            table.set_width(WIDTH);
        }
    }
    if colour {
        table.enforce_styling();
    } else if !printer::is_terminal() {
        table.force_no_tty();
    }
    table.set_header(header);
    // Identifiers and verdicts are not broken in the middle of a word.
    let words = |of: &dyn Fn(&Vec<Cell>) -> Option<&Cell>, most: u16| {
        let cells = rows.iter().filter_map(of).map(Cell::content);
        let words = cells.filter_map(|text| text.split_whitespace().map(str::len).max());
        u16::try_from(words.max().unwrap_or_default()).unwrap_or(most).min(most)
    };
    let first = words(&|row| row.first(), WHOLE) + 1;
    let last = words(&|row| row.last(), VERDICT) + 2;
    for row in rows {
        // On a terminal the library prints the colours of cells unasked.
        let plain = |cell: Cell| if colour { cell } else { Cell::new(cell.content()) };
        table.add_row(row.into_iter().map(plain));
    }
    for (index, width) in [(0, first), (header.len().saturating_sub(1), last)] {
        let Some(column) = table.column_mut(index) else { continue };
        if index == 0 {
            column.set_padding((0, 1));
        }
        if printer::is_terminal() {
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)));
        }
    }
    let mut text = String::new();
    for line in table.to_string().lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Values longer than this say nothing on a line.
const LONGEST: usize = 2_000;

/// A value on a line. The expressions of a policy may contain whole credential specs, secrets of plug-ins
/// among them, and are never shown.
fn brief(value: &Value, is_policy: bool) -> String {
    let text = value.to_string();
    if text.len() > LONGEST || (is_policy && !(value.is_boolean() || value.is_number())) {
        return format!("({} characters)", text.chars().count());
    }
    text
}

fn is_policy(object: &Value) -> bool {
    object.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("AdmissionPolicy"))
}

/// One object, and what becomes of it.
pub fn changes(object: &Value, change: &Change, note: &str) -> String {
    let name = shown(object);
    match change {
        Change::Created => format!("{name} created{note}\n"),
        Change::Unchanged => format!("{name} unchanged{note}\n"),
        Change::Changed(differences) => {
            let mut text = format!("{name} configured{note}\n");
            let options = format!("metadata.annotations.{OPTIONS}");
            for difference in differences {
                // What is in it is above, as the fields that it changes.
                if difference.path == options {
                    text.push_str(&format!("  {options}: the options of this installation\n"));
                    continue;
                }
                let value = |value: &Option<Value>| match value {
                    None => "(nothing)".to_owned(),
                    Some(value) => brief(value, is_policy(object)),
                };
                text.push_str(&format!(
                    "  {}: {} -> {}\n",
                    difference.path,
                    value(&difference.was),
                    value(&difference.becomes)
                ));
            }
            text
        }
    }
}
