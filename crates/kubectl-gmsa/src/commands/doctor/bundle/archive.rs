//! The file: redacted, compressed, and written whole or not at all.

use std::io::{Cursor, Write as _};
use std::path::Path;

use serde_json::Value;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::commands::doctor::redact::{REDACTED, Redactor};
use crate::failure::Failure;
use crate::output::{file, render};

const README: &str = "\
This archive was written by `kubectl gmsa doctor --bundle`.

verdict.txt      what was found, the root cause first; every check
report.json      the same as data
versions.json    versions of the plug-in, Kubernetes and the webhook
cluster/         objects around the webhook, as YAML
pod/             the pod or workload in question, as YAML
events/          events of the namespaces in question
logs/            the end of the logs of the webhook's replicas
outputs/         what commands in the pod and on nodes printed
not-read.txt     what could not be read, and why
redacted.txt     what was replaced, and where

Secrets were replaced by REDACTED: values of environment variables, inputs of plug-ins, annotations
of other software, passwords in command lines and URLs, tokens and private keys. A secret of six
characters or more was also replaced wherever else it occurs.
Read the archive before you share it: it holds names of hosts, domains, accounts and namespaces, and a
secret that looks like an everyday word cannot be recognized.
";

/// The content of a file.
pub enum Content {
    /// Objects of Kubernetes, written as YAML.
    Objects(Vec<Value>),
    /// Data, written as JSON.
    Json(Value),
    /// Text.
    Text(String),
}

/// What is to be written; nothing of it is redacted yet.
#[derive(Default)]
pub struct Archive {
    files: Vec<(String, Content)>,
    /// What could not be read, and why.
    not_read: Vec<String>,
}

/// What is written.
pub struct Sealed {
    files: Vec<(String, String)>,
    taken: usize,
    not_read: usize,
}

impl Archive {
    /// Adds a file. Names come from objects, so they are made safe as paths.
    pub fn add(&mut self, name: &str, content: Content) {
        let safe: Vec<String> = name
            .split('/')
            .map(|part| {
                let kept = |one: char| {
                    if one.is_ascii_alphanumeric() || "-_.".contains(one) { one } else { '_' }
                };
                part.chars().take(100).map(kept).collect::<String>()
            })
            .filter(|part| !part.is_empty() && !part.chars().all(|one| one == '.'))
            .collect();
        let mut name = safe.join("/");
        while self.files.iter().any(|(other, _)| *other == name) {
            name.push_str(".more");
        }
        self.files.push((name, content));
    }

    /// Adds objects, if there are any.
    pub fn objects(&mut self, name: &str, objects: Vec<Value>) {
        if !objects.is_empty() {
            self.add(name, Content::Objects(objects));
        }
    }

    /// Notes what could not be read.
    pub fn missed(&mut self, why: impl Into<String>) {
        self.not_read.push(why.into());
    }

    /// Takes the secrets out.
    pub fn seal(mut self) -> Result<Sealed, Failure> {
        let mut redactor = Redactor::default();
        let not_read = self.not_read.len();
        let list = match self.not_read.as_slice() {
            [] => "Everything could be read.\n".to_owned(),
            some => lines(some.iter().cloned()),
        };
        self.add("not-read.txt", Content::Text(list));
        let objects = |files: &[(String, Content)]| -> Vec<Value> {
            let objects = files.iter().filter_map(|(_, content)| match content {
                Content::Objects(objects) => Some(objects.clone()),
                Content::Json(_) | Content::Text(_) => None,
            });
            objects.flatten().collect()
        };
        for object in objects(&self.files) {
            redactor.publish(&object);
        }
        // Everything secret is known before the first text is searched for it.
        for (name, content) in &mut self.files {
            if let Content::Objects(objects) = content {
                for object in objects {
                    redactor.object(name, object);
                }
            }
        }
        let mut files = vec![("README.txt".to_owned(), README.to_owned())];
        for (name, content) in self.files {
            let text = match content {
                Content::Text(text) => redactor.text(&name, &text),
                Content::Json(mut value) => {
                    redactor.leaves(&name, &mut value);
                    render::json("archive", &value)?
                }
                Content::Objects(mut objects) => {
                    for object in &mut objects {
                        redactor.leaves(&name, object);
                    }
                    render::documents("archive", &objects)?
                }
            };
            files.push((name, text));
        }
        let list = lines(redactor.taken.iter().map(|one| {
            let place = redactor.place(&one.place);
            format!("{}: {place}{}", one.file, one.what)
        }));
        let list = if list.is_empty() { "Nothing was replaced.\n".to_owned() } else { list };
        files.push(("redacted.txt".to_owned(), list));
        Ok(Sealed { files, taken: redactor.taken.len(), not_read })
    }
}

impl Sealed {
    /// Each file with its size in bytes.
    pub fn sizes(&self) -> impl Iterator<Item = (&str, usize)> {
        self.files.iter().map(|(name, text)| (name.as_str(), text.len()))
    }

    /// What is not in it.
    pub fn summary(&self) -> String {
        let taken = match self.taken {
            0 => "nothing secret was met".to_owned(),
            taken => {
                format!("secrets in {taken} places were replaced by {REDACTED} (redacted.txt)")
            }
        };
        match self.not_read {
            0 => format!("{taken}; everything could be read"),
            not_read => format!("{taken}; {not_read} things could not be read (not-read.txt)"),
        }
    }

    /// Writes the archive, and returns its size in bytes. Others cannot read it on Unix.
    pub fn write(&self, path: &Path, overwrite: bool) -> Result<usize, Failure> {
        let bytes = self.zip().map_err(|error| Failure::encode("archive", &error))?;
        file::write_private(path, &bytes, overwrite)?;
        Ok(bytes.len())
    }

    fn zip(&self) -> zip::result::ZipResult<Vec<u8>> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .unix_permissions(0o600);
        for (name, text) in &self.files {
            writer.start_file(name.as_str(), options)?;
            writer.write_all(text.as_bytes())?;
        }
        Ok(writer.finish()?.into_inner())
    }
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.flat_map(|line| [line, "\n".to_owned()]).collect()
}
