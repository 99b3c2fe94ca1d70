//! Lists, page by page, as text: contents of pods can be read from JSON text only.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::Error;
use crate::api;
use crate::api::objects::{Kind, Objects, Page};

/// The beginning of the two keys of a GMSA, and that of the annotations before them; an object
/// without either uses none and is not meant to.
const MARKS: [&str; 2] = ["gmsaCredentialSpec", "windows.kubernetes.io/gmsa-credential-spec"];

/// What is read of every object that may use a GMSA.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Head {
    pub(super) metadata: Metadata,
    pub(super) status: Status,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) creation_timestamp: Option<String>,
    #[serde(deserialize_with = "null_is_default")]
    pub(super) labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "null_is_default")]
    owner_references: Vec<Owner>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Owner {
    pub(super) kind: String,
    pub(super) name: String,
    controller: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Status {
    pub(super) phase: String,
}

impl Head {
    /// What the object belongs to.
    pub(super) fn controller(&self) -> Option<&Owner> {
        self.metadata.owner_references.iter().find(|owner| owner.controller)
    }
}

/// One object of a page.
pub(super) struct Item<'a> {
    pub(super) head: Head,
    /// The whole object.
    pub(super) text: &'a str,
    /// Whether a GMSA may be in it.
    pub(super) may_use: bool,
}

/// The objects of a page, and where the list continues.
pub(super) fn items(page: &Page) -> Result<(Vec<Item<'_>>, Option<String>), Error> {
    // The error's own words could quote the object's contents.
    let failed = |error: serde_json::Error| Error::Answer {
        what: page.kind.plural,
        line: error.line(),
        column: error.column(),
    };
    let (texts, next) = page.items().map_err(failed)?;
    let mut items = Vec::with_capacity(texts.len());
    for text in texts {
        let head = serde_json::from_str(text).map_err(failed)?;
        items.push(Item { head, text, may_use: MARKS.iter().any(|mark| text.contains(mark)) });
    }
    Ok((items, next))
}

/// A page from a place on; none if there is no such resource or no right to list it, which is
/// noted.
pub(super) async fn page(
    objects: &Objects,
    kind: Kind,
    namespace: Option<&str>,
    from: Option<String>,
    unread: &mut Vec<String>,
) -> Result<Option<Page>, Error> {
    readable(objects.page(kind, namespace, from).await, unread)
}

/// A list that is small, or nothing if it may not be read, which is noted.
pub(super) async fn list(
    objects: &Objects,
    kind: Kind,
    namespace: Option<&str>,
    unread: &mut Vec<String>,
) -> Result<Option<Vec<Value>>, Error> {
    readable(objects.list(kind, namespace).await, unread)
}

fn readable<T>(read: Result<T, api::Error>, unread: &mut Vec<String>) -> Result<Option<T>, Error> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if matches!(error.code(), Some(403 | 404)) => {
            unread.push(error.to_string());
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
