//! Whether two texts are the same JSON, as far as CEL can say, which has no parser.
//!
//! Both texts are rewritten in the same steps, each of which changes nothing but white space and the order
//! of the members of an object. So if the results are equal, the texts are equal as JSON. What the steps
//! do not understand stays as it is, and is then equal to nothing else: more than three objects within
//! each other, numbers, other escapes than those of canonical JSON.

use serde_json::Value;

/// How many objects may be within each other: those of a credential spec.
const DEPTH: usize = 3;

/// Braces within strings.
const HIDDEN: [char; 2] = ['\u{e}', '\u{f}'];
/// Braces of objects whose members are sorted, by how many objects are within each other there. JSON has
/// none of these characters, nor those of [`HIDDEN`].
const SORTED: [[char; 2]; DEPTH] =
    [['\u{10}', '\u{11}'], ['\u{12}', '\u{13}'], ['\u{14}', '\u{15}']];

/// A condition in CEL.
pub(super) fn are_equal(one: &str, other: &str) -> String {
    format!(
        "{one} == {other} || ({}) && ({}) && {} == {}",
        is_plain(one),
        is_plain(other),
        sorted(one),
        sorted(other)
    )
}

/// Whether each quote begins or ends a string, what is outside of strings is punctuation, and no
/// character has a meaning of ours.
fn is_plain(text: &str) -> String {
    format!(
        "!{text}.contains('\\\\\\\\') && !{text}.contains('\\\\\"') && \
         !{text}.matches('[\\\\x0e-\\\\x15]') && [{text}.split('\"')].all(parts, \
         lists.range(parts.size()).all(i, i % 2 == 1 || \
         parts[i].matches('^[ \\\\t\\\\r\\\\n{{}}\\\\[\\\\],:]*$')))"
    )
}

/// The text without white space, and with the members of every object in order.
fn sorted(text: &str) -> String {
    let [open, close] = HIDDEN.map(escape);
    let outside =
        ["' '", r"'\n'", r"'\r'", r"'\t'"].map(|space| format!(".replace({space}, '')")).concat();
    let within = format!(
        ".replace('{{', '{open}').replace('}}', '{close}').replace('<', '\\\\u003c')\
         .replace('>', '\\\\u003e').replace('&', '\\\\u0026')"
    );
    let mut steps = format!(
        "[{text}.split('\"')].map(parts, lists.range(parts.size()).map(i, i % 2 == 0 ? \
         parts[i]{outside} : parts[i]{within}).join('\"'))"
    );
    for (depth, braces) in SORTED.into_iter().enumerate() {
        let [open, close] = braces.map(escape);
        let members = format!("piece[1].findAll('{}')", member(depth));
        // What is before the last opening brace, and what is behind it.
        let piece = "[p.lastIndexOf('{')].map(at, at < 0 ? [p] : [p.substring(0, at), \
                     p.substring(at + 1)])";
        steps = format!(
            "{steps}.map(s, s.split('}}').map(p, {piece}.map(piece, \
             piece.size() == 2 && {members}.join(',') == piece[1] ? \
             piece[0] + '{open}' + {members}.sort().join(',') + '{close}' : p + '}}')[0]).join(''))"
        );
    }
    format!("{steps}[0]")
}

/// A regular expression for a member of an object whose values have at most this many objects within each
/// other.
fn member(depth: usize) -> String {
    let text = "\"[^\"]*\"";
    let mut value = format!("{text}|\\\\[(?:[^\\\\[\\\\]\"]|{text})*\\\\]");
    for braces in SORTED.into_iter().take(depth) {
        let [open, close] = braces.map(|brace| format!("\\\\x{:02x}", u32::from(brace)));
        value.push_str(&format!("|{open}[^{close}]*{close}"));
    }
    format!("{text}:(?:{value})")
}

/// A character in a literal.
fn escape(character: char) -> String {
    format!("\\u{:04x}", u32::from(character))
}

/// Whether the condition of [`are_equal`] holds for two texts that are the same JSON.
pub(super) fn is_comparable(one: &str, other: &str) -> bool {
    one == other || spelled(one).is_some_and(|one| Some(one) == spelled(other))
}

/// The JSON with every string as it is spelled; none if the steps do not understand it.
fn spelled(text: &str) -> Option<Value> {
    let has_meaning = |character: char| ('\u{e}'..='\u{15}').contains(&character);
    if text.contains("\\\\") || text.contains("\\\"") || text.contains(has_meaning) {
        return None;
    }
    let mut raw = String::new();
    for (index, part) in text.split('"').enumerate() {
        if index > 0 {
            raw.push('"');
        }
        if index % 2 == 1 {
            let escapes = [('<', "\\u003c"), ('>', "\\u003e"), ('&', "\\u0026")];
            let spelled =
                escapes.iter().fold(part.to_owned(), |text, (from, to)| text.replace(*from, to));
            raw.push_str(&spelled.replace('\\', "\\\\"));
        } else if part.chars().all(|character| " \t\r\n{}[],:".contains(character)) {
            raw.push_str(part);
        } else {
            return None;
        }
    }
    let value: Value = serde_json::from_str(&raw).ok()?;
    (depth(&value) <= DEPTH).then_some(value)
}

/// How many objects are within each other.
fn depth(value: &Value) -> usize {
    match value {
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        Value::Array(items) => items.iter().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}
