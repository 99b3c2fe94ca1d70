//! Certificate and key from files, reloaded when their content changes.
//!
//! The content is compared, not watched: kubelet swaps a symbolic link, and from the second swap
//! on no event comes for a watched file.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::metrics::Metrics;
use crate::tls::Identity;

/// How often the files are read.
const PERIOD: Duration = Duration::from_secs(1);

/// Why a pair cannot be used.
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
    /// The certificate file holds no certificate in PEM.
    #[error("failed to read a certificate in PEM from {path}: {why}")]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The key file holds no key in PEM. What it holds is not repeated.
    #[error("failed to read a private key in PEM from {path}")]
    Key {
        /// The file.
        path: PathBuf,
    },
    /// The key is not that of the certificate, or of a kind that cannot be used.
    #[error("failed to use {certificate} with {key}: {source}")]
    Mismatch {
        /// The certificate file.
        certificate: PathBuf,
        /// The key file.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

/// A certificate file and a key file.
pub struct Files {
    certificate: PathBuf,
    key: PathBuf,
    identity: Arc<Identity>,
    metrics: Arc<Metrics>,
    seen: Mutex<Option<(Vec<u8>, Vec<u8>)>>,
    problem: Mutex<Option<String>>,
}

impl Files {
    /// Names the files; nothing is read yet.
    #[must_use]
    pub fn new(
        certificate: PathBuf,
        key: PathBuf,
        identity: Arc<Identity>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let (seen, problem) = (Mutex::new(None), Mutex::new(None));
        Self { certificate, key, identity, metrics, seen, problem }
    }

    /// What is wrong with the files as they are now.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        self.problem.lock().clone()
    }

    /// Reads the files and takes over the pair if it is new and good. A pair that is not good is
    /// told once, and the last good one stays.
    pub fn check(&self) {
        let read = read(&self.certificate).and_then(|one| Ok((one, read(&self.key)?)));
        let pair = match read {
            Ok(pair) => pair,
            Err(error) => return self.fail(None, &error),
        };
        if self.seen.lock().as_ref() == Some(&pair) {
            // The good pair is back after a moment in which a file was missing.
            if self.identity.is_loaded() {
                self.recover(&pair);
            }
            return;
        }
        match self.load(&pair) {
            Ok((certificate, expiry)) => {
                let first = !self.identity.is_loaded();
                self.identity.set(Arc::new(certificate));
                self.metrics.certificate_loaded(expiry);
                if !first {
                    self.metrics.certificate_rotated(true);
                }
                tracing::info!(
                    certificate = %self.certificate.display(),
                    expires = expiry,
                    first,
                    "loaded the serving certificate"
                );
                *self.seen.lock() = Some(pair);
                *self.problem.lock() = None;
            }
            Err(error) => self.fail(Some(pair), &error),
        }
    }

    fn recover(&self, pair: &(Vec<u8>, Vec<u8>)) {
        if self.problem.lock().is_some() && self.load(pair).is_ok() {
            *self.problem.lock() = None;
        }
    }

    fn fail(&self, pair: Option<(Vec<u8>, Vec<u8>)>, error: &LoadError) {
        let words = error.to_string();
        let mut problem = self.problem.lock();
        let known = problem.as_ref() == Some(&words) && pair.is_none();
        if let Some(pair) = pair {
            *self.seen.lock() = Some(pair);
        }
        if !known {
            self.metrics.certificate_rotated(false);
            let kept = self.identity.is_loaded();
            tracing::error!(error = %error, kept_the_last_good_pair = kept, "bad certificate files");
            *problem = Some(words);
        }
    }

    fn load(
        &self,
        (certificate, key): &(Vec<u8>, Vec<u8>),
    ) -> Result<(CertifiedKey, i64), LoadError> {
        let bad = |why: String| LoadError::Certificate { path: self.certificate.clone(), why };
        let chain = CertificateDer::pem_slice_iter(certificate)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| bad(error.to_string()))?;
        let leaf = chain.first().ok_or_else(|| bad("there is none".to_owned()))?;
        let (_, parsed) =
            x509_parser::parse_x509_certificate(leaf).map_err(|error| bad(error.to_string()))?;
        let expiry = parsed.validity().not_after.timestamp();
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|_| LoadError::Key { path: self.key.clone() })?;
        let certified =
            CertifiedKey::from_der(chain, key, &crate::tls::provider()).map_err(|source| {
                LoadError::Mismatch {
                    certificate: self.certificate.clone(),
                    key: self.key.clone(),
                    source,
                }
            })?;
        Ok((certified, expiry))
    }

    /// Checks the files again and again.
    pub async fn watch(&self) {
        loop {
            tokio::time::sleep(PERIOD).await;
            self.check();
        }
    }
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    std::fs::read(path).map_err(|source| LoadError::Read { path: path.to_owned(), source })
}
