//! From paths to documents.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use gmsa_core::windows::encoding;

use super::document::{Document, PassedOver, UnreadableDocument, parse};

/// Where to read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Standard input.
    Stdin,
    /// A file, a directory with all below it, or a pattern such as `*.yaml`.
    Path(PathBuf),
}

impl From<&Path> for Input {
    fn from(path: &Path) -> Self {
        if path.as_os_str() == "-" { Self::Stdin } else { Self::Path(path.to_owned()) }
    }
}

/// The text of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The path, `-` for standard input.
    pub name: String,
    /// What it says, whatever its encoding.
    pub text: String,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Manifests {
    /// The objects, in the order of the paths and of each file.
    pub documents: Vec<Document>,
    /// The documents that cannot be read.
    pub unreadable: Vec<UnreadableDocument>,
    /// The documents that are not Kubernetes objects at all.
    pub passed_over: Vec<PassedOver>,
}

/// A path that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableFile {
    /// The file system returned an error.
    #[error("failed to read {path}: {source}")]
    Io {
        /// The path.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// An address instead of a file.
    #[error(
        "failed to read {address}: addresses are not fetched; download it first, or pipe it to -f -"
    )]
    Address {
        /// The address.
        address: String,
    },
    /// A directory without a manifest.
    #[error("failed to find a manifest (.yaml, .yml or .json) in {path}")]
    Empty {
        /// The directory.
        path: String,
    },
    /// A pattern that fits nothing.
    #[error("failed to find a file that matches {pattern}")]
    NoMatch {
        /// The pattern.
        pattern: String,
    },
    /// The file is not text.
    #[error("failed to read {path}: {source}")]
    NotText {
        /// The path.
        path: String,
        /// Why.
        source: encoding::Error,
    },
}

/// Reads all inputs.
pub fn read(inputs: &[Input]) -> Result<Manifests, UnreadableFile> {
    let mut manifests = Manifests::default();
    for input in inputs {
        for Text { name, text } in texts(input)? {
            manifests.add_text(&name, &text);
        }
    }
    Ok(manifests)
}

/// Reads the text of each file of an input: UTF-8, or one of the other encodings that PowerShell writes.
pub fn texts(input: &Input) -> Result<Vec<Text>, UnreadableFile> {
    let text = |name: String, bytes: io::Result<Vec<u8>>| {
        let bytes = bytes.map_err(|source| io_error(&name, source))?;
        match encoding::decode(&bytes) {
            Ok(text) => Ok(Text { name, text }),
            Err(source) => Err(UnreadableFile::NotText { path: name, source }),
        }
    };
    match input {
        Input::Stdin => {
            let mut bytes = Vec::new();
            let read = io::stdin().lock().read_to_end(&mut bytes);
            Ok(vec![text("-".to_owned(), read.map(|_| bytes))?])
        }
        Input::Path(path) => {
            let files = files(path)?.into_iter();
            files.map(|file| text(file.display().to_string(), fs::read(&file))).collect()
        }
    }
}

impl Manifests {
    /// Adds the documents of the text of a file with this name.
    pub fn add_text(&mut self, name: &str, text: &str) {
        for document in parse(name, text) {
            match document {
                Ok(document) => self.documents.push(document),
                Err(UnreadableDocument { at, why, foreign: true }) => {
                    self.passed_over.push(PassedOver { at, why });
                }
                Err(error) => self.unreadable.push(error),
            }
        }
    }
}

fn io_error(path: &str, source: io::Error) -> UnreadableFile {
    UnreadableFile::Io { path: path.to_owned(), source }
}

/// The file itself, the manifests below a directory, or what a pattern fits, sorted. A shell on Windows
/// leaves patterns to the program; elsewhere they come quoted.
fn files(path: &Path) -> Result<Vec<PathBuf>, UnreadableFile> {
    let name = path.display().to_string();
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => below(path),
        Ok(_) => Ok(vec![path.to_owned()]),
        Err(_) if ["https://", "http://"].iter().any(|scheme| name.starts_with(scheme)) => {
            Err(UnreadableFile::Address { address: name })
        }
        // One that exists under the name of a pattern is itself.
        Err(_) if name.contains(['*', '?', '[']) => {
            let mut found = Vec::new();
            let matches =
                glob::glob(&name).map_err(|why| io_error(&name, io::Error::other(why)))?;
            for path in matches {
                let path = path.map_err(|why| io_error(&name, why.into()))?;
                if path.is_dir() {
                    found.extend(below(&path)?);
                } else {
                    found.push(path);
                }
            }
            if found.is_empty() {
                return Err(UnreadableFile::NoMatch { pattern: name });
            }
            Ok(found)
        }
        Err(source) => Err(io_error(&name, source)),
    }
}

/// The manifests below a directory. What begins with a dot is left out: so are the directories behind
/// the links of a mounted config map, which would count twice.
fn below(path: &Path) -> Result<Vec<PathBuf>, UnreadableFile> {
    let mut found = BTreeSet::new();
    let mut directories = vec![path.to_owned()];
    while let Some(directory) = directories.pop() {
        let shown = directory.display().to_string();
        let entries = fs::read_dir(&directory).map_err(|source| io_error(&shown, source))?;
        for entry in entries {
            let entry = entry.map_err(|source| io_error(&shown, source))?;
            let path = entry.path();
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let kind = entry.file_type().map_err(|source| io_error(&shown, source))?;
            let is_manifest = path.extension().is_some_and(|extension| {
                ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
            });
            if kind.is_dir() {
                directories.push(path);
            } else if is_manifest {
                found.insert(path);
            }
        }
    }
    if found.is_empty() {
        return Err(UnreadableFile::Empty { path: path.display().to_string() });
    }
    Ok(found.into_iter().collect())
}
