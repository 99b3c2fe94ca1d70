//! Lists, page by page, as text: contents of pods can be read from JSON text only.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Audit, Error};
use crate::objects::{Kind, Objects, kinds};

/// How many objects come with one answer: a page is what is in memory at once.
const PAGE: u32 = 250;

/// The beginning of the two keys of a GMSA; an object without it uses none.
const MARK: &str = "gmsaCredentialSpec";

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow, default)]
    metadata: PageMetadata<'a>,
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Default, Deserialize)]
struct PageMetadata<'a> {
    #[serde(borrow, default, rename = "continue")]
    next: Option<Cow<'a, str>>,
}

/// What is read of every object that may use a GMSA.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Head {
    pub(super) metadata: Metadata,
    pub(super) status: Status,
    pub(super) spec: Spec,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) creation_timestamp: Option<String>,
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
#[serde(default, rename_all = "camelCase")]
pub(super) struct Status {
    pub(super) phase: String,
    #[serde(deserialize_with = "null_is_default")]
    pub(super) conditions: Vec<Condition>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Condition {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) status: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Spec {
    pub(super) replicas: Option<u32>,
}

impl Head {
    /// What the object belongs to.
    pub(super) fn controller(&self) -> Option<&Owner> {
        self.metadata.owner_references.iter().find(|owner| owner.controller)
    }
}

/// One page.
pub(super) struct Text {
    kind: Kind,
    text: String,
}

/// One object of a page.
pub(super) struct Item<'a> {
    pub(super) head: Head,
    /// The whole object.
    pub(super) text: &'a str,
    /// Whether a GMSA may be in it.
    pub(super) may_use: bool,
}

impl Text {
    /// The objects and where the list goes on.
    pub(super) fn items(&self) -> Result<(Vec<Item<'_>>, Option<String>), Error> {
        // The error's own words could quote what stands there.
        let failed = |error: serde_json::Error| Error::Answer {
            what: self.kind.plural,
            line: error.line(),
            column: error.column(),
        };
        let page: Page<'_> = serde_json::from_str(&self.text).map_err(failed)?;
        let item = |raw: &'_ &'_ RawValue| -> Result<Head, Error> {
            serde_json::from_str(raw.get()).map_err(failed)
        };
        let mut items = Vec::new();
        for raw in page.items.iter().flatten() {
            let may_use = raw.get().contains(MARK);
            items.push(Item { head: item(raw)?, text: raw.get(), may_use });
        }
        let next = page.metadata.next.filter(|next| !next.is_empty()).map(Cow::into_owned);
        Ok((items, next))
    }
}

/// A page from a place on; none if there is no such resource or no right to list it, which is
/// noted.
pub(super) async fn page(
    objects: &Objects,
    kind: Kind,
    namespace: Option<&str>,
    from: Option<String>,
    audit: &mut Audit,
) -> Result<Option<Text>, Error> {
    let mut kind = kind;
    let mut text = objects.page(kind, namespace, PAGE, from.clone()).await;
    let is_unknown = matches!(&text, Err(error) if error.code == Some(404));
    if is_unknown && kind.plural == kinds::OLD_CRON_JOB.plural {
        kind = kinds::OLD_CRON_JOB;
        text = objects.page(kind, namespace, PAGE, from).await;
    }
    match text {
        Ok(text) => Ok(Some(Text { kind, text })),
        Err(error) if matches!(error.code, Some(403 | 404)) => {
            audit.unread.push(error.to_string());
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// A list that is small, or nothing if it may not be read, which is noted.
pub(super) async fn list(
    objects: &Objects,
    kind: Kind,
    namespace: Option<&str>,
    audit: &mut Audit,
) -> Result<Option<Vec<Value>>, Error> {
    match objects.list(kind, namespace).await {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.code, Some(403 | 404)) => {
            audit.unread.push(error.to_string());
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// The name of an object.
pub(super) fn name(object: &Value) -> String {
    object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
