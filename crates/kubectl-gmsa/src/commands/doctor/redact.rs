//! Removes secrets from the archive.
//!
//! Objects are redacted by the meaning of their fields in Kubernetes and Windows: values of
//! environment variables, plug-in inputs, annotations of other software and so on. A removed value that
//! is long enough not to be an everyday word is then removed everywhere else. Every text is also
//! searched for what looks like a secret by itself.

mod keys;
mod known;
mod patterns;

use gmsa_core::names;
use serde_json::{Map, Value};

use keys::{is_flag, is_secret};
use known::Known;

/// Replaces a secret.
pub const REDACTED: &str = "REDACTED";
/// kubectl's copy of the last applied object.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Whose annotations are kept: their makers put no secrets there.
const TRUSTED: [&str; 7] = [
    "kubernetes.io",
    "k8s.io",
    names::DOMAIN,
    "gmsa-webhook",
    "helm.sh",
    "cert-manager.io",
    "openshift.io",
];
const VARIABLE: &str = "value of an environment variable";
const SECRET_VARIABLE: &str = "value of an environment variable with a secret's name";
const ATTRIBUTES: &str = "attributes of a volume";
/// The depth limit; no Kubernetes object is as deep.
const DEEPEST: usize = 100;

/// Takes secrets out, and remembers where.
#[derive(Default)]
pub struct Redactor {
    known: Known,
    /// What was replaced, by file: where in it, and what it was.
    pub taken: Vec<Taken>,
}

/// A value that was replaced.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken {
    /// The file in the archive.
    pub file: String,
    /// Where in it, such as `spec.containers[0].env[0].value`; empty for a text.
    pub place: String,
    /// What it was.
    pub what: &'static str,
}

impl Redactor {
    /// Redacts the secret fields of an object. Its public values are learnt before
    /// by [`Self::publish`] of every object.
    pub fn object(&mut self, file: &str, object: &mut Value) {
        let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
        if kind == "CustomResourceDefinition" {
            // Its schema describes fields, and has no values.
            if let Some(metadata) = object.get_mut("metadata") {
                self.walk(file, "metadata", metadata, 0);
            }
            return;
        }
        if kind == "Secret" {
            for key in ["data", "stringData"] {
                if let Some(data) = object.get_mut(key).and_then(Value::as_object_mut) {
                    for (name, value) in data {
                        self.all(file, &format!("{key}.{name}"), value, "data of a Secret");
                    }
                }
            }
        }
        self.walk(file, "", object, 0);
    }

    /// Learns what is not a secret even where it is used as a value: names, domains, images.
    pub fn publish(&mut self, object: &Value) {
        self.known.publish(object);
    }

    /// Redacts every text of a value that is known to be secret, or looks like it.
    pub fn leaves(&mut self, file: &str, value: &mut Value) {
        self.leaves_at(file, "", value, 0);
    }

    fn leaves_at(&mut self, file: &str, place: &str, value: &mut Value, depth: usize) {
        if depth > DEEPEST {
            *value = REDACTED.into();
            return;
        }
        match value {
            Value::String(text) => *text = self.searched(file, place, text),
            Value::Array(elements) => {
                for (index, element) in elements.iter_mut().enumerate() {
                    self.leaves_at(file, &format!("{place}[{index}]"), element, depth + 1);
                }
            }
            Value::Object(members) => {
                // Names are texts, too.
                let old = std::mem::take(members);
                for (name, mut value) in old {
                    let name = self.searched(file, place, &name);
                    self.leaves_at(file, &within(place, &name), &mut value, depth + 1);
                    members.insert(name, value);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A text without known and apparent secrets.
    pub fn text(&mut self, file: &str, text: &str) -> String {
        self.searched(file, "", text)
    }

    /// A place as it may be shown: names in it are texts, too.
    pub fn place(&self, place: &str) -> String {
        match place {
            "" => String::new(),
            place => {
                let safe = self.known.remove(place).unwrap_or_else(|| place.to_owned());
                format!("{}: ", patterns::remove(&safe, &patterns::find(&safe)))
            }
        }
    }

    fn searched(&mut self, file: &str, place: &str, text: &str) -> String {
        let mut text = text.to_owned();
        if let Some(without) = self.known.remove(&text) {
            self.note(file, place, "a secret that is elsewhere, too");
            text = without;
        }
        let found = patterns::find(&text);
        if !found.is_empty() {
            self.note(file, place, "what looks like a secret");
            text = patterns::remove(&text, &found);
        }
        text
    }

    fn walk(&mut self, file: &str, place: &str, value: &mut Value, depth: usize) {
        if depth > DEEPEST {
            *value = REDACTED.into();
            return;
        }
        match value {
            Value::Array(elements) => {
                for (index, element) in elements.iter_mut().enumerate() {
                    self.walk(file, &format!("{place}[{index}]"), element, depth + 1);
                }
            }
            Value::Object(members) => {
                members.remove("managedFields");
                for (name, value) in members {
                    self.member(file, &within(place, name), name, value, depth + 1);
                }
            }
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn member(&mut self, file: &str, place: &str, name: &str, value: &mut Value, depth: usize) {
        match (name, &mut *value) {
            ("annotations", Value::Object(annotations)) => {
                self.annotations(file, place, annotations);
            }
            ("env", Value::Array(variables)) => {
                for (index, variable) in variables.iter_mut().enumerate() {
                    let name = variable.get("name").and_then(Value::as_str);
                    let what = if name.is_some_and(is_secret) { SECRET_VARIABLE } else { VARIABLE };
                    if let Some(value) = variable.get_mut("value") {
                        self.all(file, &format!("{place}[{index}].value"), value, what);
                    }
                }
            }
            ("args" | "command", Value::Array(words)) => self.words(file, place, words),
            ("httpHeaders", Value::Array(headers)) => {
                for (index, header) in headers.iter_mut().enumerate() {
                    if let Some(value) = header.get_mut("value") {
                        let place = format!("{place}[{index}].value");
                        self.all(file, &place, value, "value of a header");
                    }
                }
            }
            ("volumeAttributes", Value::Object(_)) => {
                self.all(file, place, value, ATTRIBUTES);
            }
            ("flexVolume", Value::Object(volume)) => {
                if let Some(options) = volume.get_mut("options") {
                    self.all(file, &format!("{place}.options"), options, ATTRIBUTES);
                }
            }
            ("PluginInput", value) => self.plugin_input(file, place, value),
            ("gmsaCredentialSpec", Value::String(text)) => {
                let contents = serde_json::from_str::<Value>(text);
                if let Ok(mut contents @ Value::Object(_)) = contents {
                    self.walk(file, place, &mut contents, depth);
                    *text = contents.to_string();
                } else {
                    self.all(file, place, value, "contents that are not a JSON object");
                }
            }
            (name, Value::String(text)) if is_secret(name) && !text.is_empty() => {
                self.all(file, place, value, "a field with a secret's name");
            }
            (_, value) => self.walk(file, place, value, depth),
        }
    }

    fn annotations(&mut self, file: &str, place: &str, annotations: &mut Map<String, Value>) {
        if let Some(last) = annotations.remove(LAST_APPLIED) {
            self.note(file, &within(place, LAST_APPLIED), "the object as it was applied");
            // Old secrets may still be elsewhere.
            let last = last.as_str().map(serde_json::from_str::<Value>);
            if let Some(Ok(mut last)) = last {
                let mut aside = Self { known: std::mem::take(&mut self.known), taken: Vec::new() };
                aside.object(file, &mut last);
                self.known = aside.known;
            }
        }
        for (name, value) in annotations {
            let place = within(place, name);
            // One of Kubernetes' own is a domain alone.
            let (domain, own) = name.split_once('/').unwrap_or((name, name));
            let trusted = TRUSTED.iter().any(|of| {
                domain.strip_suffix(of).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            });
            if is_secret(own) {
                self.all(file, &place, value, "annotation with a secret's name");
            } else if !trusted {
                self.note(file, &place, "annotation of other software");
                *value = REDACTED.into();
            }
        }
    }

    /// The words of a command line.
    fn words(&mut self, file: &str, place: &str, words: &mut [Value]) {
        let mut next_is_secret = false;
        for (index, value) in words.iter_mut().enumerate() {
            let place = format!("{place}[{index}]");
            let Value::String(word) = value else { continue };
            if next_is_secret {
                next_is_secret = false;
                self.all(file, &place, value, "value of a flag");
                continue;
            }
            let flag = word.split_once(['=', ':']).filter(|(name, rest)| {
                // Neither the scheme of a URL nor a drive.
                !rest.is_empty() && !rest.starts_with("//") && is_flag(name, true)
            });
            if let Some((name, rest)) = flag {
                let kept = word.get(..=name.len()).unwrap_or(name).to_owned();
                self.known.learn(rest);
                self.note(file, &place, "value of a flag");
                *word = kept + REDACTED;
            } else {
                next_is_secret = is_flag(word, false);
            }
        }
    }

    fn plugin_input(&mut self, file: &str, place: &str, value: &mut Value) {
        // The form of the proof of concept is user@domain:password.
        if let Some((_, password)) = value.as_str().and_then(|text| text.rsplit_once(':')) {
            self.known.learn(password);
        }
        self.all(file, place, value, "input of a plug-in");
    }

    /// Takes every text in a value out, and learns it.
    fn all(&mut self, file: &str, place: &str, value: &mut Value, what: &'static str) {
        match value {
            Value::String(text) if text.is_empty() || text == REDACTED => {}
            Value::String(text) => {
                // These may be anything, such as a level of a log.
                if what != VARIABLE && what != ATTRIBUTES || known::is_odd(text) {
                    self.known.learn(text);
                }
                self.note(file, place, what);
                REDACTED.clone_into(text);
            }
            Value::Array(elements) => {
                for (index, element) in elements.iter_mut().enumerate() {
                    self.all(file, &format!("{place}[{index}]"), element, what);
                }
            }
            Value::Object(members) => {
                for (name, value) in members {
                    self.all(file, &within(place, name), value, what);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn note(&mut self, file: &str, place: &str, what: &'static str) {
        let taken = Taken { file: file.to_owned(), place: place.to_owned(), what };
        if !self.taken.contains(&taken) {
            self.taken.push(taken);
        }
    }
}

fn within(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
}

#[cfg(test)]
mod tests;
