//! An object of the directory as a search gives it.

use std::collections::HashMap;
use std::time::SystemTime;

use ldap3::SearchEntry;

use crate::time;

/// An object with the attributes that were asked for.
pub(crate) struct Entry {
    pub(crate) dn: String,
    /// By the name in lower case: servers differ in the case that they answer with.
    attributes: HashMap<String, Vec<Vec<u8>>>,
    /// Attributes with more values than came, and the number of the next one.
    partial: Vec<(String, usize)>,
}

impl Entry {
    /// Text and bytes come apart by what a value happens to be, so they are put together again.
    pub(crate) fn new(entry: SearchEntry) -> Self {
        let mut attributes: HashMap<String, Vec<Vec<u8>>> = HashMap::new();
        let text = entry
            .attrs
            .into_iter()
            .map(|(name, values)| (name, values.into_iter().map(String::into_bytes).collect()));
        let mut partial = Vec::new();
        for (name, values) in text.chain(entry.bin_attrs) {
            let values: Vec<Vec<u8>> = values;
            let name = name.to_ascii_lowercase();
            let (name, next) = ranged(&name);
            // Without values the controller only confirms that the attribute exists.
            if let Some(next) = next.filter(|_| !values.is_empty())
                && !partial.contains(&(name.to_owned(), next))
            {
                partial.push((name.to_owned(), next));
            }
            attributes.entry(name.to_owned()).or_default().extend(values);
        }
        Self { dn: entry.dn, attributes, partial }
    }

    /// An attribute of which there are more values, and the number of the next one.
    pub(crate) fn take_partial(&mut self) -> Option<(String, usize)> {
        self.partial.pop()
    }

    /// Adds the values of an attribute from the number `start` on.
    pub(crate) fn append(&mut self, mut more: Self, attribute: &str, start: usize) {
        let values = more.attributes.remove(attribute).unwrap_or_default();
        // A controller that does not go on would be asked for ever.
        let next = more.partial.into_iter().find(|(name, next)| name == attribute && *next > start);
        self.partial.extend(next);
        self.attributes.entry(attribute.to_owned()).or_default().extend(values);
    }

    /// The values of an attribute.
    pub(crate) fn values(&self, attribute: &str) -> &[Vec<u8>] {
        self.attributes.get(&attribute.to_ascii_lowercase()).map_or(&[], Vec::as_slice)
    }

    /// The first value.
    pub(crate) fn bytes(&self, attribute: &str) -> Option<&[u8]> {
        self.values(attribute).first().map(Vec::as_slice)
    }

    /// The first value as text.
    pub(crate) fn text(&self, attribute: &str) -> Option<String> {
        self.bytes(attribute).map(|value| String::from_utf8_lossy(value).into_owned())
    }

    /// All values as text.
    pub(crate) fn texts(&self, attribute: &str) -> Vec<String> {
        self.values(attribute)
            .iter()
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .collect()
    }

    /// The first value as a number.
    pub(crate) fn number(&self, attribute: &str) -> Option<i64> {
        self.text(attribute)?.parse().ok()
    }

    /// The first value as a moment (`FILETIME`); None if it is 0 or the largest there is, which mean
    /// never.
    pub(crate) fn moment(&self, attribute: &str) -> Option<SystemTime> {
        self.number(attribute)
            .filter(|ticks| *ticks > 0 && *ticks < i64::MAX)
            .map(time::of_filetime)
    }

    /// Takes the first value out, so that no copy stays behind.
    pub(crate) fn take(&mut self, attribute: &str) -> Option<Vec<u8>> {
        let values = self.attributes.remove(&attribute.to_ascii_lowercase())?;
        values.into_iter().next()
    }

    /// Whether the object is of a class, compared as the directory does.
    pub(crate) fn is_class(&self, class: &str) -> bool {
        self.texts("objectClass").iter().any(|one| one.eq_ignore_ascii_case(class))
    }
}

/// The name of an attribute without its range, and the number of the next value if there are more:
/// `member;range=0-1499` is `member` and 1500, `member;range=1500-*` is all.
fn ranged(name: &str) -> (&str, Option<usize>) {
    let Some((bare, range)) = name.split_once(";range=") else { return (name, None) };
    let last = range.split_once('-').and_then(|(_, last)| last.parse::<usize>().ok());
    (bare, last.and_then(|last| last.checked_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        for (name, expected) in [
            ("member", ("member", None)),
            ("member;range=0-1499", ("member", Some(1500))),
            ("member;range=1500-*", ("member", None)),
            ("member;range=x", ("member", None)),
        ] {
            assert_eq!(ranged(name), expected);
        }
    }
}
