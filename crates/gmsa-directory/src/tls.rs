//! TLS: whom to trust, and why it failed.

use std::io;
use std::path::Path;
use std::sync::Arc;

use ldap3::LdapError;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{CertificateError, ClientConfig, RootCertStore};

use crate::error::Error;
use crate::options::Transport;

/// The settings: TLS 1.2 and 1.3, and certificates of the given authorities alone.
pub(crate) fn config(ca: Option<&Path>) -> Result<Arc<ClientConfig>, Error> {
    let (path, roots) = match ca {
        Some(path) => (path.display().to_string(), from_file(path)),
        None => ("the system's store".to_owned(), from_system()),
    };
    let failed = |why: String| Error::Authorities { path: path.clone(), why };
    let roots = roots.map_err(failed)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn from_file(path: &Path) -> Result<RootCertStore, String> {
    /// The first byte of a certificate in DER, which Windows exports as `.cer`: a sequence.
    const SEQUENCE: u8 = 0x30;
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let mut roots = RootCertStore::empty();
    if bytes.first() == Some(&SEQUENCE) {
        roots.add(CertificateDer::from(bytes)).map_err(|error| {
            format!(
                "it is not a certificate in DER or PEM ({error}); a PKCS #7 file is converted by openssl pkcs7 \
                 -inform DER -print_certs -in FILE"
            )
        })?;
        return Ok(roots);
    }
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() {
        return Err("there is none in PEM (-----BEGIN CERTIFICATE-----) or DER; export it from Windows with \
                    certutil -ca.cert FILE.cer"
            .to_owned());
    }
    Ok(roots)
}

fn from_system() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
        return Err(format!("there is none; name a file with --ca {}", why.join("; ")));
    }
    Ok(roots)
}

/// Explains why a connection could not be encrypted; `name` is the one that the certificate must
/// have. None if it is not a failure of TLS.
pub(crate) fn explain(
    server: &str,
    name: &str,
    transport: Transport,
    error: &LdapError,
) -> Option<Error> {
    let (why, remedy) = match error {
        // The answer to a question in clear text that a port of TLS does not give.
        _ if transport == Transport::StartTls && is_cut_off(error) => (
            "it breaks off instead of answering StartTLS".to_owned(),
            "a port of LDAPS (636, 3269) does so: leave --starttls out, or use port 389".to_owned(),
        ),
        LdapError::Rustls { source } => of_tls(name, source),
        LdapError::DNSName { .. } => (
            format!("\"{name}\" is not a name that a certificate can have"),
            "write the controller's DNS name, with --server-name if it is reached by an address"
                .to_owned(),
        ),
        LdapError::Io { source } => of_io(name, source)?,
        // The answer to StartTLS.
        LdapError::LdapResult { result } => (
            format!("it refuses StartTLS (LDAP result {}, {})", result.rc, result.text.trim()),
            "use LDAPS, or give the controller a certificate".to_owned(),
        ),
        _ => return None,
    };
    Some(Error::Tls { server: server.to_owned(), why, remedy })
}

/// Whether the other side went away without an answer.
fn is_cut_off(error: &LdapError) -> bool {
    match error {
        LdapError::ResultRecv { .. } | LdapError::OpSend { .. } | LdapError::EndOfStream => true,
        LdapError::Io { source } => {
            source.get_ref().is_none_or(|inner| !inner.is::<rustls::Error>())
        }
        _ => false,
    }
}

fn of_io(name: &str, error: &io::Error) -> Option<(String, String)> {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    if let Some(error) = inner {
        return Some(of_tls(name, error));
    }
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
    )
    .then(|| {
        (
        "it closes the connection during the handshake".to_owned(),
        "a controller without a certificate does so on port 636, and every one on port 389 unless \
         --starttls is given"
            .to_owned(),
    )
    })
}

fn of_tls(name: &str, error: &rustls::Error) -> (String, String) {
    let rustls::Error::InvalidCertificate(why) = error else {
        let remedy = match error {
            rustls::Error::InvalidMessage(_) => {
                "the port speaks no TLS: leave the port out, or use --starttls with port 389"
            }
            _ => "see whether the controller speaks TLS 1.2 or 1.3",
        };
        return (error.to_string(), remedy.to_owned());
    };
    match why {
        CertificateError::UnknownIssuer => (
            "its certificate is signed by an authority that is not trusted".to_owned(),
            "give the certificate of the domain's authority with --ca".to_owned(),
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            "its certificate has expired".to_owned(),
            "renew it on the controller, and see that the clock of this machine is right"
                .to_owned(),
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            "its certificate is not valid yet".to_owned(),
            "see that the clocks of this machine and of the controller are right".to_owned(),
        ),
        CertificateError::NotValidForName => {
            (format!("its certificate is not for {name}"), other_name())
        }
        CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => (
            format!("its certificate is not for {name}, and has no subject alternative name at all"),
            "give the controller a certificate with its DNS name as subject alternative name (the one that \
             Samba makes by itself has none)"
                .to_owned(),
        ),
        CertificateError::NotValidForNameContext { presented, .. } => (
            format!("its certificate is not for {name}, but for {}", names(presented)),
            other_name(),
        ),
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => (
            "its certificate is that of an authority, which cannot be that of a server".to_owned(),
            "have the authority sign a certificate for the controller's DNS name, and give that to it"
                .to_owned(),
        ),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => (
            "its certificate is not for servers".to_owned(),
            "give the controller a certificate with the purpose Server Authentication (the templates Domain \
             Controller Authentication and Kerberos Authentication have it)"
                .to_owned(),
        ),
        CertificateError::Other(other) if other.to_string().contains("UnsupportedCertVersion") => (
            "its certificate is of X.509 version 1 or 2, which has no subject alternative names"
                .to_owned(),
            "give the controller one of version 3 with its DNS name (openssl x509 -req makes version 1 unless \
             it is given extensions)"
                .to_owned(),
        ),
        CertificateError::Other(other) => (
            format!("its certificate cannot be used: {other}"),
            "give the controller a certificate for its DNS name".to_owned(),
        ),
        other => (
            format!("its certificate cannot be used: {other}"),
            "give the controller a certificate for its DNS name".to_owned(),
        ),
    }
}

/// `DnsName("dc1.contoso.com")` and `IpAddress(10.0.0.1)` as the names alone.
fn names(presented: &[String]) -> String {
    let bare = |name: &String| {
        let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
        inner.unwrap_or(name).trim_matches('"').to_owned()
    };
    presented.iter().map(bare).collect::<Vec<_>>().join(", ")
}

fn other_name() -> String {
    "connect by a name that it has, or say which one to expect with --server-name".to_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::OtherError;

    use super::*;

    /// As the library that verifies certificates writes it.
    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Word(&'static str);

    #[test]
    fn certificates_that_cannot_be_used_are_explained_in_words() {
        let explained = |word| {
            let other = CertificateError::Other(OtherError(Arc::new(Word(word))));
            of_tls("dc1.contoso.com", &rustls::Error::InvalidCertificate(other))
        };
        for (word, why, remedy) in [
            ("UnsupportedCertVersion", "X.509 version 1 or 2", "one of version 3"),
            ("CaUsedAsEndEntity", "that of an authority", "sign a certificate"),
            ("SomethingNew", "cannot be used: SomethingNew", "for its DNS name"),
        ] {
            let (said, next) = explained(word);
            assert!(said.contains(why) && !said.contains("OtherError"), "{said}");
            assert!(next.contains(remedy), "{next}");
        }
    }
}
