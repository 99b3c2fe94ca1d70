//! A generated file.

/// One generated file.
pub struct Generated {
    /// The path from the root of the repository.
    pub path: String,
    /// The content of the file.
    pub text: String,
}

/// A generated file.
pub fn file(path: impl Into<String>, text: String) -> Generated {
    Generated { path: path.into(), text }
}
