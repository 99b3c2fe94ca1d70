//! Certificates for the tests, and the way a kubelet swaps those of a mounted Secret.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use tokio_rustls::TlsAcceptor;

/// A certificate and its private key, both PEM.
#[derive(Clone, Serialize, Deserialize)]
pub struct Pair {
    /// The certificate, one PEM block.
    pub cert: String,
    /// The private key, PKCS #8 in PEM.
    pub key: String,
}

impl Pair {
    /// Writes `NAME.crt` and `NAME.key` into a directory and returns their paths.
    pub fn write(&self, dir: &Path, name: &str) -> (PathBuf, PathBuf) {
        let (cert, key) = (dir.join(format!("{name}.crt")), dir.join(format!("{name}.key")));
        fs::write(&cert, &self.cert).expect("failed to write a certificate");
        fs::write(&key, &self.key).expect("failed to write a key");
        (cert, key)
    }

    /// The TLS side of a server with this certificate.
    pub fn acceptor(&self) -> TlsAcceptor {
        let certificate = CertificateDer::from_pem_slice(self.cert.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// A certificate authority of the test's own.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    cert: String,
}

impl Authority {
    /// Makes an authority with this common name.
    pub fn new(common_name: &str) -> Self {
        let params = authority_params(common_name);
        let key = KeyPair::generate().unwrap();
        let cert = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), cert }
    }

    /// An authority that signs with ECDSA over P-521, which API servers can verify and `x509-parser`
    /// cannot.
    pub fn with_p521(common_name: &str) -> Self {
        let params = authority_params(common_name);
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).unwrap();
        let cert = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), cert }
    }

    /// An authority made before, from its common name and [`Authority::pair`].
    pub fn from_pair(common_name: &str, pair: &Pair) -> Self {
        let key = KeyPair::from_pem(&pair.key).expect("failed to read a key");
        let issuer = Issuer::new(authority_params(common_name), key);
        Self { issuer, cert: pair.cert.clone() }
    }

    /// The authority's own certificate, PEM.
    pub fn pem(&self) -> &str {
        &self.cert
    }

    /// The authority's own certificate and key.
    pub fn pair(&self) -> Pair {
        Pair { cert: self.cert.clone(), key: self.issuer.key().serialize_pem() }
    }

    /// A server certificate for these DNS names and IP addresses, valid for a year.
    pub fn server(&self, names: &[&str]) -> Pair {
        self.server_between(names, around_now())
    }

    /// A server certificate for these names, valid from the first to the second moment.
    pub fn server_between(
        &self,
        names: &[&str],
        validity: (OffsetDateTime, OffsetDateTime),
    ) -> Pair {
        let common_name = names.first().copied().unwrap_or("server");
        let mut params = params(common_name, names, validity);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(params)
    }

    /// A client certificate for a user (common name) and groups (organizations).
    pub fn client(&self, user: &str, groups: &[&str]) -> Pair {
        let mut params = params(user, &[], around_now());
        for group in groups {
            params.distinguished_name.push(DnType::OrganizationName, *group);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(params)
    }

    fn sign(&self, mut params: CertificateParams) -> Pair {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &self.issuer).unwrap().pem();
        Pair { cert, key: key.serialize_pem() }
    }
}

/// A key pair for signing tokens: the public key (SPKI) and the private key (PKCS #8), both PEM.
pub fn signing_key() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    (key.public_key_pem(), key.serialize_pem())
}

fn authority_params(common_name: &str) -> CertificateParams {
    let mut params = params(common_name, &[], around_now());
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::CrlSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    params
}

fn around_now() -> (OffsetDateTime, OffsetDateTime) {
    let now = OffsetDateTime::now_utc();
    (now - Duration::hours(1), now + Duration::days(365))
}

fn params(
    common_name: &str,
    names: &[&str],
    (not_before, not_after): (OffsetDateTime, OffsetDateTime),
) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("a name is not a DNS name or IP address");
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = not_before;
    params.not_after = not_after;
    params
}

/// A directory with `tls.crt` and `tls.key` as a kubelet lays out a mounted Secret: both are links
/// through `..data`, which is itself a link to a directory with the time in its name.
pub struct KubeletMount {
    dir: PathBuf,
    swaps: AtomicU64,
}

/// Lays out a mounted Secret with a first certificate in `dir`, which is made if it is missing.
pub fn kubelet_mount(dir: &Path, first: &Pair) -> KubeletMount {
    fs::create_dir_all(dir).unwrap();
    let mount = KubeletMount { dir: dir.to_owned(), swaps: AtomicU64::new(0) };
    mount.swap(first);
    for name in ["tls.crt", "tls.key"] {
        symlink(Path::new("..data").join(name), dir.join(name)).unwrap();
    }
    mount
}

impl KubeletMount {
    /// The path of the certificate.
    pub fn cert(&self) -> PathBuf {
        self.dir.join("tls.crt")
    }

    /// The path of the private key.
    pub fn key(&self) -> PathBuf {
        self.dir.join("tls.key")
    }

    /// Puts another certificate in place as a kubelet does: a new directory, then a rename of the
    /// link `..data`, then the old directory is removed.
    pub fn swap(&self, pair: &Pair) {
        let number = self.swaps.fetch_add(1, Ordering::Relaxed);
        let fresh = format!("..2024_01_01_00_00_00.{number:09}");
        fs::create_dir(self.dir.join(&fresh)).unwrap();
        fs::write(self.dir.join(&fresh).join("tls.crt"), &pair.cert).unwrap();
        fs::write(self.dir.join(&fresh).join("tls.key"), &pair.key).unwrap();
        let data = self.dir.join("..data");
        let old = fs::read_link(&data).ok();
        symlink(&fresh, self.dir.join("..data_tmp")).unwrap();
        fs::rename(self.dir.join("..data_tmp"), &data).unwrap();
        if let Some(old) = old {
            fs::remove_dir_all(self.dir.join(old)).unwrap();
        }
    }
}
