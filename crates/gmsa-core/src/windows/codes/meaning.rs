//! What a word that a user met can mean.

use super::{Code, Entry, Source, all, number};

/// One thing that a word can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// An entry of the catalogue; with the code if it was met in another form, such as
    /// `0x8007052E` for 1326.
    Known(&'static Entry, Option<Code>),
    /// A status code that the catalogue does not have.
    Unknown(Code),
    /// An event of this source that the catalogue does not have.
    UnknownEvent(Source, u32),
}

/// What a word can mean: a number (`1722`, `0x6BA`, `-805175273`, `#3489660941`) of any source, a
/// number of one source (`CCG:8`), or a symbol (`ERROR_ACCESS_DENIED`). Empty if it is none of
/// these.
#[must_use]
pub fn meanings(word: &str) -> Vec<Meaning> {
    let (source, rest) = match word.split_once(':') {
        Some((source, rest)) => match Source::named(source.trim()) {
            Some(source) => (Some(source), rest.trim()),
            None => return Vec::new(),
        },
        None => (None, word.trim()),
    };
    let Some(number) = spelled(rest) else {
        let named =
            |entry: &&Entry| entry.source == Source::Api && entry.name.eq_ignore_ascii_case(rest);
        return all().filter(named).map(|entry| Meaning::Known(entry, None)).collect();
    };
    let mut found: Vec<Meaning> = all()
        .filter(|entry| source.is_none_or(|source| source == entry.source))
        .filter(|entry| entry.number == number)
        .map(|entry| Meaning::Known(entry, None))
        .collect();
    if !found.is_empty() {
        return found;
    }
    let code = Code(number);
    found.push(match source {
        Some(source) if source != Source::Api => Meaning::UnknownEvent(source, number),
        _ => match code.entry() {
            Some(entry) => Meaning::Known(entry, Some(code)),
            None => Meaning::Unknown(code),
        },
    });
    found
}

/// The number that a user typed or pasted: also with `#` before it, as the Host Compute Service
/// prints it, and hexadecimal without `0x`, as people write `80070005`.
fn spelled(word: &str) -> Option<u32> {
    let word = word.strip_prefix('#').unwrap_or(word);
    let word = word.trim_end_matches(['.', ',', ';', ':', ')', '(']);
    let hexadecimal = || {
        let is_code = word.len() == 8 && u32::from_str_radix(word, 16).ok()? >= 0x8000_0000;
        is_code.then(|| u32::from_str_radix(word, 16).ok()).flatten()
    };
    hexadecimal().or_else(|| number(word))
}
