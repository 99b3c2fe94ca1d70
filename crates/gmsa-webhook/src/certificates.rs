//! The sources of the serving certificate and of the CA for clients.
//!
//! Files are compared, not watched: the kubelet swaps a symbolic link, and a watched file gets no event
//! from the second swap on.

mod authority;
mod ephemeral;
mod files;
mod managed;
mod reload;

use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

pub use authority::Error as AuthorityError;
pub use ephemeral::Ephemeral;
pub use files::{ClientCa, Pair};
pub use managed::{Managed, Policy};
pub use reload::{Content, Reload};

#[cfg(test)]
mod tests;

/// Why files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file cannot be read.
    #[error("failed to read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file contains no certificate in PEM.
    #[error("failed to read a certificate in PEM from {path}: {why}")]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The certificate is no longer valid.
    #[error("failed to use the certificate in {path}: it expired at {expired}; renew it")]
    Expired {
        /// The file.
        path: PathBuf,
        /// When, in UTC.
        expired: String,
    },
    /// The key file contains no key in PEM. Its content is not repeated.
    #[error("failed to read a private key in PEM from {path}")]
    Key {
        /// The file.
        path: PathBuf,
    },
    /// The key is not that of the certificate, or of a kind that cannot be used.
    #[error("failed to use the certificate in {certificate} with the key in {key}: {source}")]
    Mismatch {
        /// The certificate file.
        certificate: PathBuf,
        /// The key file.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// The file cannot serve as a CA.
    #[error("failed to use {path} as the CA of callers: {source}")]
    ClientCa {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    std::fs::read(path).map_err(|source| LoadError::Read { path: path.to_owned(), source })
}

/// The certificates of a PEM text, at least one.
fn chain(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, LoadError> {
    let bad = |why: String| LoadError::Certificate { path: path.to_owned(), why };
    let chain = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| bad(error.to_string()))?;
    if chain.is_empty() { Err(bad("there is none".to_owned())) } else { Ok(chain) }
}
