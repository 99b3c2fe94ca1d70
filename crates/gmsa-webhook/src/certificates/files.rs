//! What is read from files: the serving certificate with its key, and the CA whose certificates clients
//! must present.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::sign::CertifiedKey;
use time::OffsetDateTime;

use super::{Content, LoadError, chain, read};
use crate::metrics::Metrics;
use crate::serve::tls::{Identity, Tls};

/// A certificate file and a key file, both PEM; the certificate's intermediates follow it.
pub struct Pair {
    certificate: PathBuf,
    key: PathBuf,
    identity: Arc<Identity>,
    metrics: Arc<Metrics>,
}

impl Pair {
    /// Names the files; nothing is read yet.
    #[must_use]
    pub fn new(
        certificate: PathBuf,
        key: PathBuf,
        identity: Arc<Identity>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { certificate, key, identity, metrics }
    }
}

impl Content for Pair {
    type Bytes = (Vec<u8>, Vec<u8>);

    fn read(&self) -> Result<Self::Bytes, LoadError> {
        Ok((read(&self.certificate)?, read(&self.key)?))
    }

    fn adopt(&self, (certificate, key): &Self::Bytes) -> Result<(), LoadError> {
        let path = || self.certificate.clone();
        let chain = chain(&self.certificate, certificate)?;
        let expiry = expiry(chain.first().map(AsRef::as_ref).unwrap_or_default())
            .map_err(|why| LoadError::Certificate { path: path(), why })?;
        if expiry <= OffsetDateTime::now_utc() {
            return Err(LoadError::Expired { path: path(), expired: expiry.to_string() });
        }
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|_| LoadError::Key { path: self.key.clone() })?;
        let certified =
            CertifiedKey::from_der(chain, key, &crate::serve::tls::provider()).map_err(
                |source| LoadError::Mismatch { certificate: path(), key: self.key.clone(), source },
            )?;
        self.identity.set(Arc::new(certified));
        self.metrics.certificate_loaded(expiry.unix_timestamp());
        tracing::info!(
            certificate = %self.certificate.display(),
            expires = %expiry,
            "loaded the serving certificate"
        );
        Ok(())
    }

    fn changed(&self, good: bool) {
        self.metrics.certificate_rotated(good);
    }
}

/// Until when a certificate in DER is valid.
pub(super) fn expiry(der: &[u8]) -> Result<OffsetDateTime, String> {
    let (_, certificate) =
        x509_parser::parse_x509_certificate(der).map_err(|error| error.to_string())?;
    Ok(certificate.validity().not_after.to_datetime())
}

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
