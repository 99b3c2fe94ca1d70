//! Credential specs as text in the policies.

use std::collections::BTreeMap;

use gmsa_core::index::{self, Index, Spec};
use serde_json::Value;

use super::expressions::{ABSENT, Source, from_template, variable};
use crate::api::value::{array, text};
use crate::installation::guard::quoted;

/// How many characters of entries one variable has. An expression may have 100,000, and what is searched
/// costs by its length.
const LONGEST: usize = 20_000;
/// How many bytes the templates of one policy may have: they are one expression.
const MOST_TEMPLATES: usize = 80_000;
/// How many bytes of JSON the credential specs in one policy may have. etcd takes 1,572,864 for a request,
/// and quotes are escaped twice.
const MOST: usize = 900_000;

/// The variable with the templates.
const TEMPLATES: &str = "templates";
/// How the names of the variables with entries begin; a number follows.
const ENTRIES: &str = "entries";

/// The sources that have all of these credential specs: at least one.
pub(super) fn sources(specs: &BTreeMap<String, Spec>) -> Vec<Source> {
    // What no pod may carry is as if it did not exist.
    let fitting = specs.iter().filter(|(_, spec)| spec.fits());
    let all: Vec<(&str, &Spec)> = fitting.map(|(name, spec)| (name.as_str(), spec)).collect();
    let mut parts = Vec::new();
    let mut rest = all.as_slice();
    loop {
        let (index, count) = of_the_first(rest);
        let first = rest.first().map_or("", |(name, _)| *name);
        parts.push((first, index));
        rest = rest.get(count..).unwrap_or_default();
        if rest.is_empty() {
            break;
        }
    }
    let range = |number: usize| {
        // The first has what comes before all of them, the last what comes after.
        let from = parts.get(number).filter(|_| number > 0).map(|(first, _)| *first);
        (from, parts.get(number + 1).map(|(first, _)| *first))
    };
    parts
        .iter()
        .enumerate()
        .map(|(number, (_, index))| source(index, range(number), number == 0))
        .collect()
}

/// As many of the first as fit, and how many these are.
fn of_the_first(specs: &[(&str, &Spec)]) -> (Index, usize) {
    let mut count = specs.len();
    loop {
        let index = index::build(specs.iter().take(count).map(|(name, spec)| (*name, *spec)));
        let templates: usize = index.templates.values().map(|text| escaped(text).len()).sum();
        let fits = index.bytes <= MOST && encoded(&index) <= MOST && templates <= MOST_TEMPLATES;
        if count <= 1 || fits {
            return (index, count);
        }
        // Half of them, until they fit.
        count = count.div_ceil(2);
    }
}

/// Where a policy finds the entries of an index, which has all names from the first, and before the
/// second.
fn source(index: &Index, (from, to): (Option<&str>, Option<&str>), is_first: bool) -> Source {
    let templates: Vec<String> = index
        .templates
        .iter()
        .map(|(name, text)| format!("{}: '{}'", quoted(name), escaped(text)))
        .collect();
    let mut variables = vec![variable(TEMPLATES, format!("{{{}}}", templates.join(", ")))];
    let buckets = buckets(&index.entries);
    let mut choice = String::new();
    for (number, bucket) in buckets.iter().enumerate() {
        let name = format!("{ENTRIES}{}", number + 1);
        if let Some(next) = buckets.get(number + 1) {
            choice.push_str(&format!("NAME < {} ? ", quoted(next.first)));
        }
        choice.push_str(&format!("variables.{name}"));
        if number + 1 < buckets.len() {
            choice.push_str(" : ");
        }
        variables.push(variable(&name, format!("'{}'", bucket.text)));
    }
    let from = from.map(|name| format!("NAME >= {}", quoted(name)));
    let to = to.map(|name| format!("NAME < {}", quoted(name)));
    let range: Vec<String> = from.into_iter().chain(to).collect();
    Source {
        variables,
        // An entry is a line, and the text of all begins with the end of one.
        text: format!(
            "[{choice}].map(all, [all.indexOf('\\n' + NAME + '=')].map(at, at < 0 ? {ABSENT} : \
             [all.substring(at + NAME.size() + 2)].map(behind, \
             [behind.substring(0, behind.indexOf('\\n'))].map(entry, \
             entry == '' || entry.startsWith('{{') ? entry : {})[0])[0])[0])[0]",
            from_template("entry")
        ),
        covers: (!range.is_empty()).then(|| range.join(" && ")),
        causes:
            "did not see this pod (the policy or its binding is missing, or the name was added \
                 after it ran)"
                .to_owned(),
        parameters: false,
        is_first,
    }
}

/// The entries and templates that are in a policy as text; none if it has none, or if they are not as
/// [`source`] writes them.
pub(super) fn read(policy: &Value) -> Option<Index> {
    let mut index = Index::default();
    let mut is_literal = false;
    for variable in array(policy, "/spec/variables") {
        let (name, expression) = (text(variable, "/name"), text(variable, "/expression"));
        if name == TEMPLATES {
            let mut texts = texts(expression)?.into_iter();
            while let (Some(name), Some(template)) = (texts.next(), texts.next()) {
                index.templates.insert(name, template);
            }
        } else if name.strip_prefix(ENTRIES).is_some_and(|number| number.parse::<usize>().is_ok()) {
            is_literal = true;
            for line in texts(expression)?.concat().lines().filter(|line| !line.is_empty()) {
                let (name, entry) = line.split_once('=')?;
                index.entries.insert(name.to_owned(), entry.to_owned());
            }
        }
    }
    is_literal.then_some(index)
}

/// The texts of the literals in an expression; none if one does not end.
fn texts(expression: &str) -> Option<Vec<String>> {
    let mut texts = Vec::new();
    let mut rest = expression.chars();
    while rest.any(|character| character == '\'') {
        let mut text = String::new();
        loop {
            match rest.next()? {
                '\'' => break,
                '\\' => text.push(match rest.next()? {
                    'n' => '\n',
                    'u' => {
                        let digits: String = rest.by_ref().take(4).collect();
                        char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
                    }
                    other => other,
                }),
                other => text.push(other),
            }
        }
        texts.push(text);
    }
    Some(texts)
}

/// A text within a literal.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "\\'").replace('\u{1}', "\\u0001")
}

/// How many bytes of JSON the entries have in a policy.
fn encoded(index: &Index) -> usize {
    let len = |text: &String| serde_json::to_string(text).map_or(0, |json| json.len());
    let entries: usize =
        index.entries.iter().map(|(name, entry)| name.len() + len(entry) + 4).sum();
    entries + index.templates.values().map(len).sum::<usize>()
}

/// Entries in one variable.
struct Bucket<'a> {
    first: &'a str,
    text: String,
}

fn buckets(entries: &BTreeMap<String, String>) -> Vec<Bucket<'_>> {
    let mut buckets: Vec<Bucket<'_>> = Vec::new();
    for (name, entry) in entries {
        let line = format!("{name}={}\\n", escaped(entry));
        match buckets.last_mut() {
            Some(bucket) if bucket.text.len() + line.len() <= LONGEST => {
                bucket.text.push_str(&line);
            }
            _ => buckets.push(Bucket { first: name, text: format!("\\n{line}") }),
        }
    }
    if buckets.is_empty() {
        buckets.push(Bucket { first: "", text: "\\n".to_owned() });
    }
    buckets
}
