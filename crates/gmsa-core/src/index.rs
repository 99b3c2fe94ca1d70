//! The index of credential specs: one object in which an API server's admission policies find every
//! name with the contents that belong to it.
//!
//! Credential specs of one domain differ in their account alone, so what they share is written once, as
//! a template. An index is a function of the credential specs: replicas that see the same write the same.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde_json::{Value, json};

use crate::admission::MAX_CONTENTS;
use crate::credspec::canonical_json;
use crate::names::{API_VERSION, INDEX, INDEX_KIND};

/// How many bytes of JSON an index may have. etcd takes a request of 1,572,864 bytes
/// (`--max-request-bytes`), and the API server adds the metadata.
pub const LIMIT: usize = 1_400_000;
/// From how many bytes on an index is nearly full: what is left holds a fifth more.
pub const NEARLY: usize = LIMIT / 5 * 4;

/// Where the account is in a template. JSON text never has this character: it is escaped.
const ACCOUNT: char = '\u{1}';

/// A credential spec, ready to be put into an index.
#[derive(Clone, PartialEq, Eq)]
pub struct Spec {
    /// When it was created, by which the oldest come first. RFC 3339 in UTC sorts as text.
    created: Box<str>,
    contents: Contents,
}

#[derive(Clone, PartialEq, Eq)]
enum Contents {
    /// The resource has no contents.
    None,
    /// More than a pod may carry.
    TooLarge,
    /// Canonical JSON.
    Whole(Box<str>),
    /// Canonical JSON without its account.
    Templated { template: Box<str>, account: Box<str> },
}

impl Spec {
    /// Prepares a whole `GMSACredentialSpec` resource.
    #[must_use]
    pub fn of(object: &Value) -> Self {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        let created = text("/metadata/creationTimestamp").unwrap_or_default().into();
        let contents = object
            .get("credspec")
            .filter(|contents| contents.as_object().is_some_and(|contents| !contents.is_empty()));
        let Some(contents) = contents else { return Self { created, contents: Contents::None } };
        let whole = canonical_json(contents);
        if whole.len() > MAX_CONTENTS {
            return Self { created, contents: Contents::TooLarge };
        }
        let account = text("/credspec/DomainJoinConfig/MachineAccountName");
        let contents = match account.and_then(|account| templated(&whole, account)) {
            Some(templated) => templated,
            None => Contents::Whole(whole.into()),
        };
        Self { created, contents }
    }

    fn template(&self) -> Option<&str> {
        match &self.contents {
            Contents::Templated { template, .. } => Some(template),
            _ => None,
        }
    }

    /// Whether a pod may carry its contents.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.contents != Contents::TooLarge
    }

    /// Its contents, as a pod gets them; none if it has none, or more than a pod may carry.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match &self.contents {
            Contents::None | Contents::TooLarge => None,
            Contents::Whole(whole) => Some(whole.to_string()),
            Contents::Templated { template, account } => Some(template.replace(ACCOUNT, account)),
        }
    }
}

/// Shows no contents, which belong in no log.
impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spec").field("created", &self.created).finish_non_exhaustive()
    }
}

/// Takes the account out of the text, if that leads back to the same bytes.
fn templated(whole: &str, account: &str) -> Option<Contents> {
    let quoted = canonical_json(&json!(account));
    let account = quoted.strip_prefix('"')?.strip_suffix('"')?;
    // What is before the first colon of an entry is the template.
    if account.is_empty() || account.contains(':') {
        return None;
    }
    let template = whole.replace(&quoted, &format!("\"{ACCOUNT}\""));
    let is_same = template.replace(ACCOUNT, account) == whole;
    (is_same && template.contains(ACCOUNT))
        .then(|| Contents::Templated { template: template.into(), account: account.into() })
}

/// The index, as its object has it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Index {
    /// Canonical JSON with U+0001 in place of the account, by the name that entries use.
    pub templates: BTreeMap<String, String>,
    /// By the name of the credential spec: its canonical JSON, `TEMPLATE:ACCOUNT`, or nothing for one
    /// without contents. The account is written as in JSON.
    pub entries: BTreeMap<String, String>,
    /// The credential specs that are not in it, because they are too large or did not fit.
    pub left_out: Vec<String>,
    /// How many bytes of JSON its object has.
    pub bytes: usize,
}

/// Shows how much there is, and no contents, which belong in no log.
impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index")
            .field("entries", &self.entries.len())
            .field("templates", &self.templates.len())
            .field("left_out", &self.left_out)
            .field("bytes", &self.bytes)
            .finish()
    }
}

/// Builds the index of these `GMSACredentialSpec` resources.
#[must_use]
pub fn of_objects(objects: &[Value]) -> Index {
    let specs: Vec<(&str, Spec)> = objects
        .iter()
        .filter_map(|object| Some((object.pointer("/metadata/name")?.as_str()?, Spec::of(object))))
        .collect();
    build(specs.iter().map(|(name, spec)| (*name, spec)))
}

/// Builds the index of these credential specs, given by name, in any order.
///
/// What does not fit within [`LIMIT`] is left out, the newest first, so that pods which were admitted
/// before are admitted again. Policies deny what is left out.
#[must_use]
pub fn build<'a>(specs: impl IntoIterator<Item = (&'a str, &'a Spec)>) -> Index {
    build_within(LIMIT, specs)
}

fn build_within<'a>(limit: usize, specs: impl IntoIterator<Item = (&'a str, &'a Spec)>) -> Index {
    let mut specs: Vec<(&str, &Spec)> = specs.into_iter().collect();
    specs.sort_unstable_by_key(|(name, spec)| (&*spec.created, *name));
    let templates = names_of_templates(&specs);
    let mut index = Index::default();
    let mut bytes = canonical_json(&index.object()).len();
    for (name, spec) in specs {
        let shared =
            spec.template().and_then(|template| Some((template, templates.get(template)?)));
        let entry = match (&spec.contents, shared) {
            (Contents::TooLarge, _) => {
                index.left_out.push(name.to_owned());
                continue;
            }
            (Contents::None, _) => String::new(),
            (Contents::Whole(whole), _) => whole.to_string(),
            (Contents::Templated { account, .. }, Some((_, named))) => format!("{named}:{account}"),
            (Contents::Templated { template, account }, None) => template.replace(ACCOUNT, account),
        };
        let new = shared.filter(|(_, named)| !index.templates.contains_key(named.as_str()));
        let more = pair(index.entries.is_empty(), name, &entry)
            + new.map_or(0, |(template, named)| pair(index.templates.is_empty(), named, template));
        if bytes + more > limit {
            index.left_out.push(name.to_owned());
            continue;
        }
        bytes += more;
        if let Some((template, named)) = new {
            index.templates.insert(named.clone(), template.to_owned());
        }
        index.entries.insert(name.to_owned(), entry);
    }
    index.left_out.sort_unstable();
    index.bytes = bytes;
    index
}

/// The names of the templates that several credential specs share.
fn names_of_templates<'a>(specs: &[(&str, &'a Spec)]) -> HashMap<&'a str, String> {
    let mut users: BTreeMap<&str, usize> = BTreeMap::new();
    for template in specs.iter().filter_map(|(_, spec)| spec.template()) {
        *users.entry(template).or_default() += 1;
    }
    let shared = users.into_iter().filter(|(_, users)| *users > 1);
    shared.enumerate().map(|(number, (template, _))| (template, format!("t{number}"))).collect()
}

/// How many bytes a key with its value adds to an object of JSON.
fn pair(is_first: bool, key: &str, value: &str) -> usize {
    quoted_len(key) + 1 + quoted_len(value) + usize::from(!is_first)
}

/// How many bytes a text has as a JSON string.
fn quoted_len(text: &str) -> usize {
    let len = |character: char| match character {
        '"' | '\\' | '\u{8}' | '\u{c}' | '\n' | '\r' | '\t' => 2,
        '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => 6,
        other => other.len_utf8(),
    };
    text.chars().map(len).sum::<usize>() + 2
}

impl Index {
    /// The object in the cluster, without the metadata that the API server adds.
    #[must_use]
    pub fn object(&self) -> Value {
        json!({
            "apiVersion": API_VERSION,
            "kind": INDEX_KIND,
            "metadata": {"name": INDEX},
            "templates": self.templates,
            "entries": self.entries,
        })
    }

    /// Reads what an object of a cluster has. What is not text is as if it were not there.
    #[must_use]
    pub fn read(object: &Value) -> Self {
        let texts = |key: &str| {
            let map = object.get(key).and_then(Value::as_object).into_iter().flatten();
            map.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
        };
        let index =
            Self { templates: texts("templates"), entries: texts("entries"), ..Self::default() };
        Self { bytes: canonical_json(&index.object()).len(), ..index }
    }

    /// Whether both say the same.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.entries == other.entries && self.templates == other.templates
    }

    /// The contents of a credential spec, as policies read them: `Some(None)` if it has none; `None`
    /// if the name is not in the index, or if its template is not.
    #[must_use]
    pub fn contents(&self, name: &str) -> Option<Option<String>> {
        let entry = self.entries.get(name)?;
        if entry.is_empty() {
            return Some(None);
        }
        if entry.starts_with('{') {
            return Some(Some(entry.clone()));
        }
        let (template, account) = entry.split_once(':')?;
        Some(Some(self.templates.get(template)?.replace(ACCOUNT, account)))
    }
}

#[cfg(test)]
mod tests;
