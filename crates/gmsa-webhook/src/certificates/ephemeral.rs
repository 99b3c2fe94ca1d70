//! A CA and a serving certificate that live as long as the process: for `--store`, and for probes until
//! another certificate is loaded.

use std::sync::Arc;
use std::time::Duration;

use rustls::sign::CertifiedKey;
use time::OffsetDateTime;

use super::authority::{Error, KeyAndCertificate};

/// Longer than a process lives.
const VALIDITY: Duration = Duration::from_hours(10 * 365 * 24);

/// A CA and a serving certificate made in memory.
#[derive(Debug)]
pub struct Ephemeral {
    /// The CA's certificate in PEM, for callers to trust.
    pub ca_pem: String,
    /// The serving certificate and its key.
    pub certificate: Arc<CertifiedKey>,
}

impl Ephemeral {
    /// Makes a CA and a certificate for `localhost` and the loopback addresses.
    pub fn new() -> Result<Self, Error> {
        let now = OffsetDateTime::now_utc();
        let authority = KeyAndCertificate::new_authority(now, VALIDITY)?;
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let serving = authority.issue(&names, now, VALIDITY)?;
        let certificate = Arc::new(serving.certified()?);
        Ok(Self { ca_pem: authority.certificate, certificate })
    }
}
