//! The documents of one text: YAML with many documents, JSON, Lists.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use serde_json::value::RawValue;

use super::{json, openshift};

/// So many documents are read faster than a thread is started for them.
const FEW: usize = 50;

/// Bytes of stack for reading, which nesting needs: as much as the first thread of a program has on
/// Linux.
const STACK: usize = 8 << 20;

/// With less than this left on its thread, a document is read on a stack of its own.
const ENOUGH: usize = 4 << 20;

/// How deep a document may be nested.
const DEPTH: usize = 100;

/// What to do with a template.
const TEMPLATE: &str = "; if it is a template, render it first, as `helm template` does";

/// The position of a document, shown as `FILE:LINE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file, or `-` for standard input.
    pub file: Arc<str>,
    /// The line on which the document begins, from 1.
    pub line: usize,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl Source {
    /// Whether the file is a kustomization by its name; `kind` may be left out in one.
    #[must_use]
    pub fn is_kustomization(&self) -> bool {
        let name = self.file.rsplit(['/', '\\']).next().unwrap_or_default();
        ["kustomization.yaml", "kustomization.yml", "Kustomization"].contains(&name)
    }

    /// The directory of the file, as it was given; empty for a name alone.
    #[must_use]
    pub fn directory(&self) -> &str {
        self.file.rsplit_once(['/', '\\']).map_or("", |(directory, _)| directory)
    }

    /// How to review what a patch or a kustomization stands for.
    #[must_use]
    pub fn render(&self) -> String {
        let directory = match self.directory() {
            "" if self.is_kustomization() => ".",
            "" => "DIRECTORY",
            directory => directory,
        };
        format!("render it first, as kubectl kustomize {directory} | kubectl gmsa review -f -")
    }
}

/// One object.
#[derive(Clone, Debug)]
pub struct Document {
    /// The object, shared with what is made of it.
    pub value: Arc<Value>,
    /// Its position.
    pub source: Source,
}

impl Document {
    /// The object alone.
    #[must_use]
    pub fn into_value(self) -> Value {
        Arc::unwrap_or_clone(self.value)
    }
}

/// A document that cannot be read as an object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to read the document at {source}: {why}", source = .at)]
pub struct UnreadableDocument {
    /// Its position, or the line at which reading stopped.
    pub at: Source,
    /// Why.
    pub why: String,
    /// Whether nothing in it suggests a Kubernetes object.
    pub foreign: bool,
}

/// A document that is not an object of a cluster, such as the values of a chart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("skipped {at}: {why}")]
pub struct PassedOver {
    /// Its position.
    pub at: Source,
    /// Why.
    pub why: String,
}

/// Reads every object of a text. Lists are expanded; empty documents are skipped; a document
/// that cannot be read leaves the others alone.
#[must_use]
pub fn parse(file: &str, text: &str) -> Vec<Result<Document, UnreadableDocument>> {
    let file: Arc<str> = file.into();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut found = Vec::new();
    let pieces = pieces(text);
    for ((line, piece), value) in pieces.iter().zip(read_all(&pieces)) {
        let source = Source { file: Arc::clone(&file), line: *line };
        match value {
            Ok(Value::Null) => {}
            Ok(value) => take(value, &source, true, &mut found),
            Err((lines, mut why)) => {
                let at = Source { line: line + lines, ..source };
                if piece.contains("{{") {
                    why.push_str(TEMPLATE);
                }
                found.push(Err(UnreadableDocument { at, why, foreign: !names_a_kind(piece) }));
            }
        }
    }
    found
}

/// Takes an object, or the objects of a list. What is not an object is foreign where nothing says that
/// there should be one.
fn take(
    value: Value,
    source: &Source,
    foreign: bool,
    found: &mut Vec<Result<Document, UnreadableDocument>>,
) {
    let Value::Object(mut object) = value else {
        let why = "expected an object with apiVersion and kind".to_owned();
        let foreign = foreign && !holds_objects(&value);
        found.push(Err(UnreadableDocument { at: source.clone(), why, foreign }));
        return;
    };
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    if openshift::is_template(&object) {
        for item in openshift::objects(object) {
            take(item, source, false, found);
        }
        return;
    }
    if !kind.ends_with("List") || !object.get("items").is_some_and(Value::is_array) {
        let value = Arc::new(Value::Object(object));
        found.push(Ok(Document { value, source: source.clone() }));
        return;
    }
    // The items of a typed list, such as a PodList, need not repeat their kind.
    let item_kind = kind.strip_suffix("List").unwrap_or_default().to_owned();
    let api_version = object.get("apiVersion").cloned();
    let Some(Value::Array(items)) = object.remove("items") else { return };
    for mut item in items {
        if let Value::Object(fields) = &mut item
            && !item_kind.is_empty()
        {
            fields.entry("kind").or_insert_with(|| item_kind.clone().into());
            if let Some(api_version) = &api_version {
                fields.entry("apiVersion").or_insert_with(|| api_version.clone());
            }
        }
        take(item, source, false, found);
    }
}

/// Whether this is an array with objects of a cluster in it, which only a `List` can hold.
fn holds_objects(value: &Value) -> bool {
    let is_object = |item: &Value| item.get("apiVersion").is_some() && item.get("kind").is_some();
    value.as_array().is_some_and(|items| items.iter().any(is_object))
}

/// Whether a text that cannot be read has a line that begins as `kind: ` or `apiVersion: ` does in
/// YAML or in JSON, however deep.
fn names_a_kind(text: &str) -> bool {
    text.lines().flat_map(|line| line.split(['{', ','])).any(|part| {
        let part = part.trim_start_matches([' ', '\t', '-', '"', '\'', '?']);
        let rest = part.strip_prefix("kind").or_else(|| part.strip_prefix("apiVersion"));
        rest.is_some_and(|rest| rest.trim_start_matches(['"', '\'', ' ', '\t']).starts_with(':'))
    })
}

/// The texts of the documents, each with its first line.
fn pieces(text: &str) -> Vec<(usize, &str)> {
    if let Some(values) = json_values(text) {
        return values;
    }
    let mut pieces = Vec::new();
    let (mut start, mut start_line, mut at) = (0, 1, 0);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let end = at + line.len();
        if is_separator(line) {
            pieces.push((start_line, text.get(start..at).unwrap_or_default()));
            // The text after the marker belongs to the document.
            let marker = if line.starts_with("---") { 3 } else { line.len() };
            (start, start_line) = (at + marker, index + 1);
        }
        at = end;
    }
    pieces.push((start_line, text.get(start..).unwrap_or_default()));
    pieces
}

/// `---` or `...` at the beginning of a line ends a document (YAML 1.2, 9.1).
fn is_separator(line: &str) -> bool {
    ["---", "..."].iter().any(|marker| {
        line.strip_prefix(marker)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\n', '\r']))
    })
}

/// The values of a text that is JSON through and through; none if it is not.
fn json_values(text: &str) -> Option<Vec<(usize, &str)>> {
    if !text.trim_start().starts_with('{') {
        return None;
    }
    let mut values = Vec::new();
    let (mut line, mut counted) = (1, 0);
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    loop {
        let before = stream.byte_offset();
        let Some(value) = stream.next() else { return Some(values) };
        let value = value.ok()?.get();
        let gap = text.get(before..)?;
        let start = before + (gap.len() - gap.trim_start().len());
        line += text.get(counted..start)?.bytes().filter(|byte| *byte == b'\n').count();
        counted = start;
        values.push((line, value));
    }
}

/// What one text holds; or how many lines behind its beginning it cannot be read, and why.
type Read = Result<Value, (usize, String)>;

/// Reads all texts, in their order; many of them on all cores.
fn read_all(pieces: &[(usize, &str)]) -> Vec<Read> {
    let read_some = |some: &[(usize, &str)]| some.iter().map(|(_, text)| read(text)).collect();
    if pieces.len() <= FEW {
        return read_some(pieces);
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = pieces.len().div_ceil(cores).max(FEW);
    std::thread::scope(|scope| {
        let start = |some| {
            let builder = std::thread::Builder::new().stack_size(STACK);
            builder.spawn_scoped(scope, move || read_some(some)).map_err(|_| some)
        };
        let threads: Vec<_> = pieces.chunks(share).map(start).collect();
        let all = threads.into_iter().flat_map(|thread| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            // Without another thread it takes longer.
            Err(some) => read_some(some),
        });
        all.collect()
    })
}

fn read(text: &str) -> Read {
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Value::Null);
    }
    // JSON is YAML, but read many times faster as itself: what `kubectl get -o json` prints can be large.
    // What is wrong with it, the other reader says.
    if let Some(value) = json::object(text) {
        return Ok(value);
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            // A List of ten thousand workloads is one document.
            max_events: 20_000_000,
            max_nodes: 10_000_000,
            max_aliases: 1_000,
            max_depth: DEPTH,
        },
        with_snippet: false,
        // kubectl reads YAML 1.1: the mode 0644 is 420.
        legacy_octal_numbers: true,
    };
    let read = || serde_saphyr::from_str_with_options(text, options);
    stacker::maybe_grow(ENOUGH, STACK, read).map_err(|error: serde_saphyr::Error| {
        let line = error.location().map_or(0, |location| location.line());
        let line = usize::try_from(line).unwrap_or(0).saturating_sub(1);
        (line, words(error.without_snippet()))
    })
}

/// What is wrong with a text, without the words of the library that reads it.
fn words(error: &serde_saphyr::Error) -> String {
    use serde_saphyr::Error;
    use serde_saphyr::budget::BudgetBreach;

    const EXPANDS: &str =
        "its aliases (*NAME) repeat more than is read; write out what they stand for";

    match error {
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            format!("the key {key} is there twice; delete one")
        }
        Error::DuplicateMappingKey { .. } => "a key is there twice; delete one".to_owned(),
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => {
            format!("it is nested more than {DEPTH} deep")
        }
        Error::Budget {
            breach:
                BudgetBreach::Aliases { .. }
                | BudgetBreach::Anchors { .. }
                | BudgetBreach::AliasAnchorRatio { .. }
                | BudgetBreach::MergeKeys { .. }
                | BudgetBreach::RecordedAnchorEvents { .. }
                | BudgetBreach::RecordedAnchorBytes { .. },
            ..
        }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => EXPANDS.to_owned(),
        Error::Budget { .. } => "it is larger than any manifest that is read".to_owned(),
        other => match other.to_string().lines().next().unwrap_or_default() {
            // Where the alias is used, the error is wrapped.
            text if text.starts_with("alias ") => EXPANDS.to_owned(),
            text => text.to_owned(),
        },
    }
}
