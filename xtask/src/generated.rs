//! The files that are made from the code, so that they cannot say something else than the code.

use anyhow::Result;

/// One generated file.
pub struct Generated {
    /// The path from the root of the repository.
    pub path: String,
    /// What the file holds.
    pub text: String,
}

/// Every generated file.
pub fn all() -> Result<Vec<Generated>> {
    Ok(vec![
        file("docs/denials.md", gmsa_core::admission::denials_page()),
        file("docs/findings.md", gmsa_core::finding::findings_page()),
    ])
}

fn file(path: impl Into<String>, text: String) -> Generated {
    Generated { path: path.into(), text }
}
