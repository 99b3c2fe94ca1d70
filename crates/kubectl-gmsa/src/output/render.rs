//! JSON, YAML and tables for people.

use comfy_table::{ContentArrangement, Table};
use serde::Serialize;

use crate::failure::Failure;
use crate::output::printer;

/// The width of a terminal that does not report its own.
const WIDTH: u16 = 100;

/// JSON with a line break at its end.
pub fn json(what: &'static str, value: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::Encode { what, why: error.to_string() })?;
    Ok(text + "\n")
}

/// One YAML document.
pub fn yaml(what: &'static str, value: &impl Serialize) -> Result<String, Failure> {
    serde_saphyr::to_string(value).map_err(|error| Failure::Encode { what, why: error.to_string() })
}

/// A table without lines between the cells.
pub fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    // Lines are broken to fit a terminal; another program gets each row as one line.
    if printer::is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        if table.width().is_none() {
            table.set_width(WIDTH);
        }
    } else {
        table.force_no_tty();
    }
    table.set_header(header);
    for row in rows {
        table.add_row(row);
    }
    if let Some(first) = table.column_mut(0) {
        first.set_padding((0, 1));
    }
    let mut text = String::new();
    for line in table.to_string().lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
