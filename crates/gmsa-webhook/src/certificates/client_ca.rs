//! The CA whose certificates clients must present, from a file.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Content, LoadError, chain, read};
use crate::serve::tls::Tls;

/// A file of CA certificates in PEM.
pub struct ClientCa {
    path: PathBuf,
    tls: Arc<Tls>,
}

impl ClientCa {
    /// Names the file; nothing is read yet, and no client is trusted until it is.
    #[must_use]
    pub fn new(path: PathBuf, tls: Arc<Tls>) -> Self {
        Self { path, tls }
    }
}

impl Content for ClientCa {
    type Bytes = Vec<u8>;

    fn read(&self) -> Result<Self::Bytes, LoadError> {
        read(&self.path)
    }

    fn adopt(&self, pem: &Self::Bytes) -> Result<(), LoadError> {
        let roots = chain(&self.path, pem)?;
        let count = roots.len();
        self.tls
            .require_certificates_of(&roots)
            .map_err(|source| LoadError::ClientCa { path: self.path.clone(), source })?;
        tracing::info!(file = %self.path.display(), count, "loaded the CA of callers");
        Ok(())
    }

    fn changed(&self, _good: bool) {}
}
