//! TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1, with certificates that can change under a running server.

use std::sync::Arc;

use arc_swap::ArcSwap;
use gmsa_cluster::installation::tls::{MinVersion, Settings};
use parking_lot::Mutex;
use rustls::crypto::aws_lc_rs::{self, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::pki_types::CertificateDer;
use rustls::server::{
    ClientHello, NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{
    CipherSuite, NamedGroup, RootCertStore, ServerConfig, ServerConnection,
    SupportedProtocolVersion,
};
use tokio_rustls::TlsAcceptor;

/// The current serving certificate.
#[derive(Debug)]
pub struct Identity {
    certificate: ArcSwap<CertifiedKey>,
}

impl Identity {
    /// Serves this certificate at first. API servers do not trust it, and a server that has no other is
    /// not ready; but kubelets, which check no certificate, can ask whether it is alive and why it is not
    /// ready.
    #[must_use]
    pub fn new(until_there_is_another: Arc<CertifiedKey>) -> Self {
        Self { certificate: ArcSwap::new(until_there_is_another) }
    }

    /// Replaces the certificate for every handshake from now on.
    pub fn set(&self, certificate: Arc<CertifiedKey>) {
        self.certificate.store(certificate);
    }
}

impl ResolvesServerCert for Identity {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.certificate.load_full())
    }
}

/// HTTP/2 by its name in ALPN.
pub(super) const HTTP2: &[u8] = b"h2";

/// Who may use the admission endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Callers {
    Anyone,
    WithCertificate,
    Nobody,
}

/// The settings for one more connection.
pub struct Session {
    http2: TlsAcceptor,
    http1: TlsAcceptor,
    callers: Callers,
}

impl Session {
    /// Shakes hands on a connection, which may become one of HTTP/2 or not.
    #[must_use]
    pub fn acceptor(&self, http2: bool) -> &TlsAcceptor {
        if http2 { &self.http2 } else { &self.http1 }
    }

    /// Whether the client may use the admission endpoints. The handshake checked the certificate, if
    /// the client presented one.
    #[must_use]
    pub fn trusts(&self, connection: &ServerConnection) -> bool {
        match self.callers {
            Callers::Anyone => true,
            Callers::WithCertificate => connection.peer_certificates().is_some(),
            Callers::Nobody => false,
        }
    }
}

/// TLS as it is set up now.
pub struct Tls {
    identity: Arc<Identity>,
    session: ArcSwap<Session>,
    terms: Mutex<Terms>,
}

/// What sessions are made of, in addition to the certificate.
struct Terms {
    settings: Settings,
    roots: Vec<CertificateDer<'static>>,
    callers: Callers,
}

impl Tls {
    /// Sets up TLS. If clients must present a certificate, the admission endpoints serve none until
    /// [`Self::require_certificates_of`] names the CA.
    pub fn new(
        identity: Arc<Identity>,
        settings: Settings,
        demand_certificates: bool,
    ) -> Result<Self, rustls::Error> {
        let callers = if demand_certificates { Callers::Nobody } else { Callers::Anyone };
        let terms = Terms { settings, roots: Vec::new(), callers };
        let session = ArcSwap::from_pointee(session(&identity, &terms)?);
        Ok(Self { identity, session, terms: Mutex::new(terms) })
    }

    /// Restricts the admission endpoints to clients with a certificate of one of these CAs. Clients
    /// without one can still connect, because probes have none.
    pub fn require_certificates_of(
        &self,
        roots: &[CertificateDer<'static>],
    ) -> Result<(), rustls::Error> {
        self.change(|terms| Terms {
            settings: terms.settings.clone(),
            roots: roots.to_vec(),
            callers: Callers::WithCertificate,
        })
    }

    /// Changes versions, cipher suites and groups for every handshake from now on.
    pub fn configure(&self, settings: &Settings) -> Result<(), rustls::Error> {
        self.change(|terms| Terms {
            settings: settings.clone(),
            roots: terms.roots.clone(),
            callers: terms.callers,
        })
    }

    fn change(&self, with: impl FnOnce(&Terms) -> Terms) -> Result<(), rustls::Error> {
        let mut terms = self.terms.lock();
        let changed = with(&terms);
        self.session.store(Arc::new(session(&self.identity, &changed)?));
        *terms = changed;
        Ok(())
    }

    /// The settings for the next connection.
    #[must_use]
    pub fn session(&self) -> Arc<Session> {
        self.session.load_full()
    }
}

/// The cryptography that everything here uses.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// The group of this number, if this build offers it.
fn group(id: u16, provider: &CryptoProvider) -> Option<&'static dyn SupportedKxGroup> {
    let all = [
        kx_group::X25519MLKEM768,
        kx_group::X25519,
        kx_group::SECP256R1,
        kx_group::SECP384R1,
        kx_group::SECP256R1MLKEM768,
    ];
    let needs_approval = provider.fips();
    all.into_iter()
        .find(|one| one.name() == NamedGroup::from(id) && (one.fips() || !needs_approval))
}

/// The names in the settings that this build does not offer: with the FIPS module, what that does not
/// approve.
#[must_use]
pub fn not_offered(settings: &Settings) -> Vec<&'static str> {
    let provider = aws_lc_rs::default_provider();
    let is_offered =
        |id| provider.cipher_suites.iter().any(|one| one.suite() == CipherSuite::from(id));
    let suites = settings.cipher_suites.iter().filter(|one| !is_offered(one.id));
    let curves = settings.curves.iter().filter(|one| group(one.id, &provider).is_none());
    suites.map(|one| one.name).chain(curves.map(|one| one.name)).collect()
}

/// The cryptography of the settings. In FIPS mode nothing is added that the module does not approve.
fn provider_of(settings: &Settings) -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    let wanted = &settings.cipher_suites;
    if !wanted.is_empty() {
        let names_tls13 = wanted.iter().any(|one| one.is_tls13);
        provider.cipher_suites.retain(|suite| {
            let is_tls13 = suite.tls13().is_some();
            wanted.iter().any(|one| CipherSuite::from(one.id) == suite.suite())
                || (is_tls13 && !names_tls13)
        });
    }
    if !settings.curves.is_empty() {
        provider.kx_groups =
            settings.curves.iter().filter_map(|one| group(one.id, &provider)).collect();
    }
    provider
}

/// The versions that the settings leave.
fn versions(
    settings: &Settings,
    provider: &CryptoProvider,
) -> Vec<&'static SupportedProtocolVersion> {
    let has_tls12 = provider.cipher_suites.iter().any(|suite| suite.tls13().is_none());
    let mut versions = vec![&TLS13];
    if has_tls12 && settings.min_version != Some(MinVersion::Tls13) {
        versions.push(&TLS12);
    }
    versions
}

fn session(identity: &Arc<Identity>, terms: &Terms) -> Result<Session, rustls::Error> {
    let Terms { settings, roots, callers } = terms;
    let own = provider_of(settings);
    let versions = versions(settings, &own);
    let builder =
        ServerConfig::builder_with_provider(Arc::new(own)).with_protocol_versions(&versions)?;
    let builder = if roots.is_empty() {
        builder.with_no_client_auth()
    } else {
        let mut store = RootCertStore::empty();
        for root in roots {
            store.add(root.clone())?;
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(store), provider())
            .allow_unauthenticated()
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?;
        builder.with_client_cert_verifier(verifier)
    };
    let mut config = builder.with_cert_resolver(Arc::clone(identity) as _);
    // API servers resume no session: tickets would only cost time in each handshake, and memory.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let http1 = TlsAcceptor::from(Arc::new(config.clone()));
    config.alpn_protocols.insert(0, HTTP2.to_vec());
    Ok(Session { http2: TlsAcceptor::from(Arc::new(config)), http1, callers: *callers })
}
