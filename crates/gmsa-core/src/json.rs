//! Writing JSON strings.

use std::fmt::Write as _;

/// A text as a JSON string.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + text.len() / 4 + 2);
    push_string(&mut json, text);
    json
}

/// Appends a JSON string.
pub fn push_string(json: &mut String, text: &str) {
    json.push('"');
    push_within(json, text);
    json.push('"');
}

/// Appends the text between the quotes of a JSON string. Runs without anything to escape are
/// copied whole.
pub fn push_within(json: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = first_escaped(rest.as_bytes()) {
        // What is escaped is ASCII, so both ends are those of characters.
        let (clean, escaped) = rest.split_at(at);
        let (escaped, behind) = escaped.split_at(1);
        json.push_str(clean);
        match escaped {
            "\"" => json.push_str("\\\""),
            "\\" => json.push_str("\\\\"),
            // Writing to a string does not fail.
            control => drop(write!(json, "\\u{:04x}", control.bytes().next().unwrap_or_default())),
        }
        rest = behind;
    }
    json.push_str(rest);
}

/// The position of the first byte that must be escaped in a JSON string: a quote, a backslash or a
/// control character.
fn first_escaped(text: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHEST: u64 = u64::from_ne_bytes([0x80; 8]);
    // The highest bit of each byte that is less, up to the first one at least.
    let less = |bytes: u64, than: u8| bytes.wrapping_sub(ONES * u64::from(than)) & !bytes & HIGHEST;
    let equal = |bytes: u64, to: u8| less(bytes ^ (ONES * u64::from(to)), 1);
    let (eights, rest) = text.as_chunks::<8>();
    for (number, eight) in eights.iter().enumerate() {
        let bytes = u64::from_le_bytes(*eight);
        let found = less(bytes, 0x20) | equal(bytes, b'"') | equal(bytes, b'\\');
        if found != 0 {
            return Some(number * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let at = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
    Some(eights.len() * 8 + at)
}
