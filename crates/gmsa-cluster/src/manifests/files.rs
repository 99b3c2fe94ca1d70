//! From paths to documents.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::document::{Document, PassedOver, UnreadableDocument, parse};

/// Where to read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Standard input.
    Stdin,
    /// A file, or a directory with all below it.
    Path(PathBuf),
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
    /// A directory without a manifest.
    #[error("failed to find a manifest (.yaml, .yml or .json) in {path}")]
    Empty {
        /// The directory.
        path: String,
    },
    /// The file is not text.
    #[error("failed to read {path}: it is not UTF-8 text")]
    NotText {
        /// The path.
        path: String,
    },
}

/// Reads all inputs.
pub fn read(inputs: &[Input]) -> Result<Manifests, UnreadableFile> {
    let mut manifests = Manifests::default();
    for input in inputs {
        match input {
            Input::Stdin => {
                let mut bytes = Vec::new();
                io::stdin()
                    .lock()
                    .read_to_end(&mut bytes)
                    .map_err(|source| io_error("-", source))?;
                manifests.add("-", bytes)?;
            }
            Input::Path(path) => {
                for file in files(path)? {
                    let name = file.display().to_string();
                    let bytes = fs::read(&file).map_err(|source| io_error(&name, source))?;
                    manifests.add(&name, bytes)?;
                }
            }
        }
    }
    Ok(manifests)
}

impl Manifests {
    /// Whether nothing stood in the files.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty() && self.unreadable.is_empty() && self.passed_over.is_empty()
    }

    fn add(&mut self, name: &str, bytes: Vec<u8>) -> Result<(), UnreadableFile> {
        let text = String::from_utf8(bytes)
            .map_err(|_| UnreadableFile::NotText { path: name.to_owned() })?;
        self.add_text(name, &text);
        Ok(())
    }

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

/// The file itself, or the manifests below a directory, sorted. What begins with a dot is left out:
/// so are the directories behind the links of a mounted config map, which would count twice.
fn files(path: &Path) -> Result<Vec<PathBuf>, UnreadableFile> {
    let name = path.display().to_string();
    let metadata = fs::metadata(path).map_err(|source| io_error(&name, source))?;
    if !metadata.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
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
        return Err(UnreadableFile::Empty { path: name });
    }
    Ok(found.into_iter().collect())
}
