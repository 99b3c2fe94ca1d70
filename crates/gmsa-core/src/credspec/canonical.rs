//! The one way a credential spec's contents are written into a pod.
//!
//! Replicas of this webhook and of the Go webhook run side by side during a migration, so the text
//! is what Go's `encoding/json` (1.22 and newer) makes of the map that a Go client decodes from the
//! API server.

use std::fmt::Write as _;

use serde_json::{Map, Number, Value};

/// From this magnitude on, Go writes a float with an exponent.
const LARGE: f64 = 1e21;
/// Below this magnitude, Go writes a float with an exponent.
const SMALL: f64 = 1e-6;

/// Writes JSON with the keys sorted bytewise and no white space, as Go's `encoding/json` does.
///
/// `<`, `>`, `&`, U+2028 and U+2029 are escaped, so are the control characters below U+0020. An
/// integer that fits in 64 signed bits is written as one, any other number as a float.
#[must_use]
pub fn canonical_json(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value);
    out
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => write_number(out, number),
        Value::String(text) => write_string(out, text),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(out, item);
            }
            out.push(']');
        }
        Value::Object(map) => write_object(out, map),
    }
}

fn write_object(out: &mut String, map: &Map<String, Value>) {
    // The map's own order depends on a feature of serde_json that any crate can turn on.
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    out.push('{');
    for (index, (key, value)) in entries.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_string(out, key);
        out.push(':');
        write_value(out, value);
    }
    out.push('}');
}

/// Writes a number like a Go client that keeps signed 64-bit integers and makes a float of
/// every other number.
pub(super) fn write_number(out: &mut String, number: &Number) {
    if let Some(integer) = number.as_i64() {
        // Writing to a String does not fail.
        let _ = write!(out, "{integer}");
        return;
    }
    // A finite float is all that is left: JSON has no other.
    let float = number.as_f64().unwrap_or_default();
    if float == 0.0 {
        // A Go server writes minus zero as "-0", and a Go client reads that as an integer.
        out.push('0');
    } else {
        write_float(out, float);
    }
}

/// Writes a float that is not zero with the fewest digits that are read back as the same.
fn write_float(out: &mut String, float: f64) {
    let scientific = shortest(float.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    if float < 0.0 {
        out.push('-');
    }
    if !(SMALL..LARGE).contains(&float.abs()) {
        let sign = if exponent.starts_with('-') { "" } else { "+" };
        let _ = write!(out, "{mantissa}e{sign}{exponent}");
        return;
    }
    // The exponent is between -6 and 20 here.
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let digits = mantissa.chars().filter(char::is_ascii_digit);
    if exponent < 0 {
        out.push_str("0.");
        out.extend(std::iter::repeat_n('0', exponent.unsigned_abs().saturating_sub(1) as usize));
        out.extend(digits);
    } else {
        let whole = exponent.unsigned_abs() as usize + 1;
        out.extend(digits.clone().chain(std::iter::repeat('0')).take(whole));
        if digits.clone().count() > whole {
            out.push('.');
            out.extend(digits.skip(whole));
        }
    }
}

/// The shortest digits that are read back as the same float, in scientific notation.
///
/// If two are equally short and equally near, Go chooses the even one and Rust the greater one.
fn shortest(float: f64) -> String {
    let shortest = format!("{float:e}");
    let digits = shortest.bytes().take_while(|byte| *byte != b'e').filter(u8::is_ascii_digit);
    let nearest = format!("{float:.*e}", digits.count().saturating_sub(1));
    // At a power of two, the nearest one need not parse to the same number.
    if nearest.parse() == Ok(float) { nearest } else { shortest }
}

fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests;
