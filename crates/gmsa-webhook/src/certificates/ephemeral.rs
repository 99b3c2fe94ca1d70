//! A CA and a serving certificate that live as long as the process: for `--store`.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;

/// A CA and a serving certificate made in memory.
#[derive(Debug)]
pub struct Ephemeral {
    /// The CA's certificate in PEM, for callers to trust.
    pub ca_pem: String,
    /// The serving certificate and its key.
    pub certificate: Arc<CertifiedKey>,
}

/// Why no certificate could be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The certificate could not be made.
    #[error("failed to make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    /// The key cannot be used.
    #[error("failed to use the key that was made: {0}")]
    Use(#[from] rustls::Error),
}

impl Ephemeral {
    /// Makes a CA and a certificate for `localhost` and the loopback addresses.
    pub fn new() -> Result<Self, Error> {
        let ca_key = KeyPair::generate()?;
        let mut ca = CertificateParams::default();
        ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        ca.distinguished_name = name("gmsa-webhook ephemeral CA");
        let ca_certificate = ca.self_signed(&ca_key)?;
        let issuer = Issuer::new(ca, ca_key);

        let key = KeyPair::generate()?;
        let mut params =
            CertificateParams::new(["localhost", "127.0.0.1", "::1"].map(str::to_owned))?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.distinguished_name = name("gmsa-webhook");
        let certificate = params.signed_by(&key, &issuer)?;

        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let certificate =
            CertifiedKey::from_der(vec![certificate.der().clone()], key, &crate::tls::provider())?;
        Ok(Self { ca_pem: ca_certificate.pem(), certificate: Arc::new(certificate) })
    }
}

fn name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}
