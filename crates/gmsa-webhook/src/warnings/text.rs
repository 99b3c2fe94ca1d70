//! Texts as API servers pass them on: a warning travels in an HTTP header (RFC 7234, 5.5), of which
//! the API reference (`AdmissionResponse`) promises 256 characters each and 4096 in all.

/// The longest warning, in characters, which are bytes here.
const LONGEST: usize = 256;
/// The length of all warnings together.
const ALL: usize = 4096;
/// What stands where something was left out.
const CUT: &str = " ...";

/// Makes warnings fit: ASCII without control characters, short enough, each once.
pub(super) fn fit(warnings: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    let mut length = 0;
    let total = warnings.len();
    for (index, warning) in warnings.into_iter().enumerate() {
        let warning = shorten(&ascii(&warning));
        if kept.contains(&warning) {
            continue;
        }
        // Room is kept for the words that more would follow.
        if length + warning.len() > ALL - LONGEST {
            kept.push(format!("gmsa: and {} more", total - index));
            break;
        }
        length += warning.len();
        kept.push(warning);
    }
    kept
}

fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '…' => out.push_str("..."),
            ' '..='~' => out.push(character),
            other => out.extend(other.escape_default()),
        }
    }
    out
}

/// Cuts a text, which is ASCII: at the end of a clause if that leaves most of it, because half a
/// command is worse than none.
fn shorten(text: &str) -> String {
    let room = LONGEST - CUT.len();
    let Some(head) = (text.len() > LONGEST).then(|| text.get(..room)).flatten() else {
        return text.to_owned();
    };
    let clause = head.rfind("; ").filter(|end| *end >= room / 2);
    let word = head.rfind(' ').filter(|end| *end >= room / 2);
    let end = clause.or(word).unwrap_or(room);
    format!("{}{CUT}", head.get(..end).unwrap_or(head))
}
