//! Names of credential specs: DNS-1123 subdomains (Kubernetes, "Object Names and IDs").

use serde_json::Value;

/// The longest name, in characters.
const MAXIMUM_LENGTH: usize = 253;
/// The name for a text without a usable character.
const FALLBACK: &str = "gmsa";
/// How many edits apart two names may be, and one still be meant by the other.
const MAXIMUM_EDITS: usize = 2;
/// How many characters of a name there must be for each edit.
const CHARACTERS_PER_EDIT: usize = 3;

/// Says of a name that YAML reads as another type what it is, and to quote it; none of a string or of
/// what no quotes make one.
#[must_use]
pub fn unquoted(name: &Value) -> Option<String> {
    let what = match name {
        Value::Number(number) => format!("the number {number}"),
        // `n`, `no`, `off`, `y` and others are booleans in YAML 1.1, which Kubernetes reads.
        Value::Bool(value) => format!("the boolean {value}"),
        Value::String(_) | Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    Some(format!("it is {what}, not a string; write it in quotes"))
}

/// Whether a credential spec can be called so: lower-case letters, digits, `-` and `.`, each part
/// between the dots beginning and ending with a letter or digit, at most 253 characters.
#[must_use]
pub fn is_valid_name(name: &str) -> bool {
    // As if a dot stood at both ends.
    let mut before = b'.';
    name.len() <= MAXIMUM_LENGTH
        && name.bytes().chain([b'.']).all(|byte| {
            let fits = match byte {
                b'a'..=b'z' | b'0'..=b'9' => true,
                b'-' => before != b'.',
                b'.' => before != b'.' && before != b'-',
                _ => false,
            };
            before = byte;
            fits
        })
}

/// Whether several names were meant by one, as patterns for files do.
#[must_use]
pub fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?'])
}

/// The valid name that is nearest to a text; a valid name is given back as it is.
///
/// Capital letters become small ones, all else that is not allowed becomes `-`.
#[must_use]
pub fn made_valid(name: &str) -> String {
    let mut valid = String::with_capacity(name.len().min(MAXIMUM_LENGTH));
    for label in name.split('.') {
        // What lies beyond the limit cannot change the result, and a text may be long.
        if valid.len() > MAXIMUM_LENGTH {
            break;
        }
        let label: String = label.chars().map(made_valid_character).collect();
        let label = label.trim_matches('-');
        if label.is_empty() {
            continue;
        }
        if !valid.is_empty() {
            valid.push('.');
        }
        valid.push_str(label);
    }
    // All characters are one byte long by now.
    valid.truncate(MAXIMUM_LENGTH);
    let length = valid.trim_end_matches(['-', '.']).len();
    valid.truncate(length);
    if valid.is_empty() {
        valid.push_str(FALLBACK);
    }
    valid
}

/// Whether anything of a text is kept in the valid name that is nearest to it. Of a text without a
/// usable character nothing is, so that all such texts would have one name.
#[must_use]
pub fn has_usable_character(name: &str) -> bool {
    name.chars().any(|character| character.is_ascii_alphanumeric())
}

fn made_valid_character(character: char) -> char {
    let lower = character.to_ascii_lowercase();
    if lower.is_ascii_lowercase() || lower.is_ascii_digit() { lower } else { '-' }
}

/// The name that is most likely meant by `wanted`: one that is equal but for the case, else the
/// nearest within two edits and within one edit for each three characters.
///
/// The answer does not depend on the order of `names`.
pub fn closest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let length = wanted.chars().count();
    let allowed = MAXIMUM_EDITS.min(length / CHARACTERS_PER_EDIT);
    let wanted_lower = wanted.to_ascii_lowercase();
    names
        .filter_map(|name| {
            let rank = if name == wanted {
                Rank::Same
            } else if name.eq_ignore_ascii_case(wanted) {
                Rank::SameButCase
            } else if name.chars().count().abs_diff(length) <= allowed {
                let edits = strsim::osa_distance(&wanted_lower, &name.to_ascii_lowercase());
                if edits > allowed {
                    return None;
                }
                Rank::Edits(edits)
            } else {
                return None;
            };
            Some((rank, name))
        })
        .min()
        .map(|(_, name)| name)
}

/// How near a name is, the nearest first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Same,
    SameButCase,
    Edits(usize),
}

#[cfg(test)]
mod tests;
