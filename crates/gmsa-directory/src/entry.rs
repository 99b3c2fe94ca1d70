//! An object of the directory as a search gives it.

use std::collections::HashMap;

use ldap3::SearchEntry;

/// An object with the attributes that were asked for.
pub(crate) struct Entry {
    pub(crate) dn: String,
    /// By the name in lower case: servers differ in the case that they answer with.
    attributes: HashMap<String, Vec<Vec<u8>>>,
}

impl Entry {
    /// Text and bytes come apart by what a value happens to be, so they are put together again.
    pub(crate) fn new(entry: SearchEntry) -> Self {
        let mut attributes: HashMap<String, Vec<Vec<u8>>> = HashMap::new();
        let text = entry
            .attrs
            .into_iter()
            .map(|(name, values)| (name, values.into_iter().map(String::into_bytes).collect()));
        for (name, values) in text.chain(entry.bin_attrs) {
            let values: Vec<Vec<u8>> = values;
            attributes.entry(name.to_ascii_lowercase()).or_default().extend(values);
        }
        Self { dn: entry.dn, attributes }
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
