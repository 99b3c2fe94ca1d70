//! A page of a list, as text: contents of pods can be read from JSON text only.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::objects::Kind;

/// Some objects of a kind, as the API server sent them.
pub(crate) struct Page {
    /// The kind under which the API server knows them.
    pub(crate) kind: Kind,
    pub(super) text: String,
}

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow, default)]
    metadata: Metadata<'a>,
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Default, Deserialize)]
struct Metadata<'a> {
    #[serde(borrow, default, rename = "continue")]
    next: Option<Cow<'a, str>>,
}

impl Page {
    /// The objects, and where the list continues.
    pub(crate) fn items(&self) -> serde_json::Result<(Vec<&str>, Option<String>)> {
        let List { metadata, items } = serde_json::from_str(&self.text)?;
        let items = items.into_iter().flatten().map(RawValue::get).collect();
        Ok((items, metadata.next.filter(|next| !next.is_empty()).map(Cow::into_owned)))
    }
}
