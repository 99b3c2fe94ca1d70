//! A certificate authority of our own, and the certificates that it issues.

use std::fmt;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PublicKeyData as _,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use time::OffsetDateTime;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// How long before its making a certificate is valid: clocks differ.
pub(super) const BACKDATED: Duration = Duration::from_mins(5);

/// Why a certificate could not be created or read. Never contains key material.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The certificate could not be made.
    #[error("failed to make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    /// The certificate and key cannot be used together.
    #[error("failed to use a certificate with its key: {0}")]
    Use(#[from] rustls::Error),
    /// A text is not a certificate or a key.
    #[error("failed to read {0}")]
    Read(&'static str),
}

/// A certificate and its key, in PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyAndCertificate {
    /// The certificate.
    pub certificate: String,
    pub(super) key: String,
}

impl fmt::Debug for KeyAndCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeyAndCertificate")
    }
}

/// The times of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// When it was made.
    pub made: OffsetDateTime,
    /// Until when it is valid.
    pub expires: OffsetDateTime,
}

impl KeyAndCertificate {
    /// Makes a CA.
    pub fn new_authority(now: OffsetDateTime, validity: Duration) -> Result<Self, Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        // Two CAs that are trusted at the same time have different names.
        params.distinguished_name = name(&format!("gmsa-webhook CA {}", now.unix_timestamp()));
        params.not_before = now - BACKDATED;
        params.not_after = now + validity;
        let certificate = params.self_signed(&key)?.pem();
        Ok(Self { certificate, key: key.serialize_pem() })
    }

    /// Issues a serving certificate, as this CA.
    pub fn issue(
        &self,
        names: &[String],
        now: OffsetDateTime,
        validity: Duration,
    ) -> Result<Self, Error> {
        let authority_key = self.key_pair()?;
        if authority_key.subject_public_key_info() != self.public_key()? {
            return Err(Error::Read("the CA's key, which is not that of its certificate"));
        }
        let issuer = Issuer::from_ca_cert_pem(&self.certificate, authority_key)?;
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.distinguished_name = name("gmsa-webhook");
        params.not_before = now - BACKDATED;
        params.not_after = (now + validity).min(times(&self.certificate)?.expires);
        let certificate = params.signed_by(&key, &issuer)?.pem();
        Ok(Self { certificate, key: key.serialize_pem() })
    }

    /// The pair as TLS uses it.
    pub fn certified(&self) -> Result<CertifiedKey, Error> {
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes())
            .map_err(|_| Error::Read("a private key in PEM"))?;
        Ok(CertifiedKey::from_der(
            vec![der(&self.certificate)?],
            key,
            &crate::serve::tls::provider(),
        )?)
    }

    fn key_pair(&self) -> Result<KeyPair, Error> {
        KeyPair::from_pem(&self.key).map_err(|_| Error::Read("the CA's key in PEM"))
    }

    fn public_key(&self) -> Result<Vec<u8>, Error> {
        let der = der(&self.certificate)?;
        let (_, certificate) =
            X509Certificate::from_der(&der).map_err(|_| Error::Read("the CA's certificate"))?;
        Ok(certificate.public_key().raw.to_vec())
    }
}

/// The first certificate of a text in PEM.
pub(super) fn der(pem: &str) -> Result<CertificateDer<'static>, Error> {
    CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| Error::Read("a certificate in PEM"))
}

/// The times of the first certificate of a text in PEM.
pub(super) fn times(pem: &str) -> Result<Times, Error> {
    let der = der(pem)?;
    let (_, certificate) =
        X509Certificate::from_der(&der).map_err(|_| Error::Read("a certificate"))?;
    let validity = certificate.validity();
    Ok(Times {
        made: validity.not_before.to_datetime() + BACKDATED,
        expires: validity.not_after.to_datetime(),
    })
}

fn name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}
