//! The load generator: HTTP/1.1 over TLS as API servers speak it.
//!
//! A call takes the connection that was used last of those that are idle, or makes one with a full
//! handshake: no session is resumed. After its answer a connection becomes idle if fewer than `idle`
//! are, and is closed otherwise, as Go's `http.Transport` does for API servers. Up to that many calls
//! at once, each answer is followed by the next call; beyond that calls come in waves, each after the
//! last answer of the one before, as in a burst of pod creations.
//!
//! It runs on one thread, and verifies no certificate: the server is what is measured.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use futures::future::join_all;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, kx_group};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CipherSuite, ClientConfig, DigitallySignedStruct, SignatureScheme};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::measure::running;

/// What to send.
#[derive(Args, Clone, Debug)]
pub(crate) struct Load {
    /// The server.
    #[arg(long)]
    pub(crate) address: SocketAddr,
    /// The path.
    #[arg(long, default_value = "/mutate")]
    pub(crate) path: String,
    /// The AdmissionReview; without one, only hands are shaken.
    #[arg(long)]
    pub(crate) body: Option<PathBuf>,
    /// How many calls are in flight.
    #[arg(long, default_value_t = 1)]
    pub(crate) at_once: usize,
    /// How many idle connections are kept.
    #[arg(long, default_value_t = 25)]
    pub(crate) idle: usize,
    /// For how long.
    #[arg(long, default_value_t = 1.0)]
    pub(crate) seconds: f64,
    /// End after this many calls.
    #[arg(long, default_value_t = u64::MAX)]
    pub(crate) calls: u64,
    /// How many handshakes a second, where only hands are shaken; as many as possible by default.
    #[arg(long)]
    pub(crate) rate: Option<f64>,
    /// Offer only X25519, not the post-quantum X25519MLKEM768 before it.
    #[arg(long)]
    pub(crate) classical: bool,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// Calls that were answered; handshakes where only hands were shaken.
    pub(crate) calls: u64,
    /// Handshakes.
    pub(crate) handshakes: u64,
    /// How long it took, in seconds.
    pub(crate) seconds: f64,
    /// Half of the calls took at most this, handshake included, in microseconds.
    pub(crate) p50: f64,
    /// 99 of 100 calls took at most this.
    pub(crate) p99: f64,
    /// CPU time of the generator, in seconds.
    pub(crate) cpu: f64,
}

/// Sends the load and waits for every answer.
pub(crate) fn drive(load: &Load) -> Seen {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let generator = Generator::new(load);
    runtime.block_on(generator.run())
}

struct Generator<'a> {
    load: &'a Load,
    request: Vec<u8>,
    tls: TlsConnector,
    idle: RefCell<Vec<TlsStream<TcpStream>>>,
    /// In nanoseconds.
    times: RefCell<Vec<u64>>,
    handshakes: RefCell<u64>,
    end: Instant,
}

impl<'a> Generator<'a> {
    fn new(load: &'a Load) -> Self {
        let body = load.body.as_ref().map(|path| std::fs::read(path).unwrap()).unwrap_or_default();
        let mut request = format!(
            "POST {}?timeout=10s HTTP/1.1\r\nHost: gmsa-webhook.gmsa-webhook.svc:443\r\n\
             User-Agent: kube-apiserver-admission\r\nContent-Length: {}\r\n\
             Accept: application/json, */*\r\nContent-Type: application/json\r\n\
             Accept-Encoding: gzip\r\n\r\n",
            load.path,
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(&body);
        Self {
            load,
            request,
            tls: TlsConnector::from(Arc::new(config(load.classical))),
            idle: RefCell::default(),
            times: RefCell::default(),
            handshakes: RefCell::default(),
            end: Instant::now() + Duration::from_secs_f64(load.seconds),
        }
    }

    async fn run(&self) -> Seen {
        let began = Instant::now();
        if self.load.body.is_none() {
            join_all((0..self.load.at_once).map(|index| self.shake_hands(began, index))).await;
        } else if self.load.at_once <= self.load.idle {
            join_all((0..self.load.at_once).map(|_| async {
                while self.goes_on() {
                    self.call().await;
                }
            }))
            .await;
        } else {
            while self.goes_on() {
                join_all((0..self.load.at_once).map(|_| self.call())).await;
            }
        }
        let seconds = began.elapsed().as_secs_f64();
        let mut times = self.times.take();
        times.sort_unstable();
        let at = |share: usize| {
            Duration::from_nanos(times[times.len() * share / 100]).as_secs_f64() * 1e6
        };
        let calls = u64::try_from(times.len()).unwrap();
        let handshakes = self.handshakes.take();
        let (cpu, _) = running(std::process::id());
        Seen { calls, handshakes, seconds, p50: at(50), p99: at(99), cpu }
    }

    fn goes_on(&self) -> bool {
        let calls = u64::try_from(self.times.borrow().len()).unwrap();
        Instant::now() < self.end && calls < self.load.calls
    }

    fn took(&self, began: Instant) {
        self.times.borrow_mut().push(u64::try_from(began.elapsed().as_nanos()).unwrap());
    }

    async fn call(&self) {
        let began = Instant::now();
        let idle = self.idle.borrow_mut().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.connect().await,
        };
        connection.write_all(&self.request).await.unwrap();
        connection.flush().await.unwrap();
        let keeps = read_answer(&mut connection).await;
        self.took(began);
        if keeps && self.idle.borrow().len() < self.load.idle {
            self.idle.borrow_mut().push(connection);
        } else {
            close(connection).await;
        }
    }

    /// Makes connections and closes them, one after the other.
    async fn shake_hands(&self, began: Instant, index: usize) {
        let mut next = began;
        let at_once = u32::try_from(self.load.at_once).unwrap();
        let pause = self.load.rate.map(|rate| Duration::from_secs_f64(1.0 / rate) * at_once);
        if let Some(pause) = pause {
            next += pause * u32::try_from(index).unwrap() / at_once;
        }
        while self.goes_on() {
            if let Some(pause) = pause {
                tokio::time::sleep_until(next.into()).await;
                next += pause;
            }
            let began = Instant::now();
            let connection = self.connect().await;
            self.took(began);
            close(connection).await;
        }
    }

    async fn connect(&self) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(self.load.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        *self.handshakes.borrow_mut() += 1;
        self.tls.connect(name, stream).await.unwrap()
    }
}

async fn close(mut connection: TlsStream<TcpStream>) {
    // The server may have closed it already.
    let _ = connection.shutdown().await;
}

/// Reads an answer that allows the pod, and says whether the connection may be used again.
async fn read_answer(connection: &mut TlsStream<TcpStream>) -> bool {
    let mut answer = Vec::with_capacity(4096);
    let (head, length) = loop {
        let read = connection.read_buf(&mut answer).await.unwrap();
        assert!(read > 0, "the server closed a connection before it answered");
        if let Some(head) = answer.windows(4).position(|end| end == b"\r\n\r\n") {
            let text = std::str::from_utf8(&answer[..head]).unwrap().to_ascii_lowercase();
            assert!(text.starts_with("http/1.1 200 "), "{text}");
            let length = text
                .split("\r\n")
                .find_map(|line| line.strip_prefix("content-length: "))
                .unwrap_or_else(|| panic!("no length: {text}"));
            let keeps = !text.contains("\r\nconnection: close");
            break ((head + 4, keeps), length.parse::<usize>().unwrap());
        }
    };
    let (head, keeps) = head;
    while answer.len() < head + length {
        let read = connection.read_buf(&mut answer).await.unwrap();
        assert!(read > 0, "the server closed a connection within an answer");
    }
    let body = std::str::from_utf8(&answer[head..]).unwrap();
    assert!(body.contains("\"allowed\":true"), "{body}");
    keeps
}

/// Offers groups and cipher suites in the order of Go's `crypto/tls` (1.24 and newer, on a processor with
/// instructions for AES): servers take the first. SHA-384 costs a handshake far more than SHA-256.
fn config(classical: bool) -> ClientConfig {
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites.sort_by_key(|suite| {
        let first = [CipherSuite::TLS13_AES_128_GCM_SHA256, CipherSuite::TLS13_AES_256_GCM_SHA384];
        first.iter().position(|one| *one == suite.suite()).unwrap_or(first.len())
    });
    provider.kx_groups = vec![kx_group::X25519MLKEM768, kx_group::X25519, kx_group::SECP256R1];
    if classical {
        provider.kx_groups.remove(0);
    }
    let provider = Arc::new(provider);
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Unverified(provider)))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::disabled();
    config
}

/// Takes every certificate and signature.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
