//! A generated file.

/// One generated file.
pub struct Generated {
    /// The path from the root of the repository.
    pub path: String,
    /// What the file holds.
    pub text: String,
}

/// A generated file.
pub fn file(path: impl Into<String>, text: String) -> Generated {
    Generated { path: path.into(), text }
}
