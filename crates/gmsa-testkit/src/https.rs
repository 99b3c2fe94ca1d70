//! A small HTTPS client: HTTP/1.1 and HTTP/2, an authority of one's own, a client certificate.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme, SupportedProtocolVersion,
};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::pki::Pair;

/// Why there is no answer.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// An HTTP/2 connection: what sends requests, and the task that ends with it.
pub type Http2 = (http2::SendRequest<Full<Bytes>>, tokio::task::JoinHandle<hyper::Result<()>>);

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Where to ask, and as whom.
pub struct Https {
    address: SocketAddr,
    config: ClientConfig,
    name: String,
}

impl Https {
    /// A client that trusts this authority (PEM) and calls the server `localhost`.
    pub fn new(address: SocketAddr, ca: &str) -> Self {
        Self::with(address, ca, None, rustls::ALL_VERSIONS)
    }

    /// A client that accepts every certificate.
    pub fn trusting(address: SocketAddr) -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anyone(provider)))
            .with_no_client_auth();
        Self { address, config, name: "localhost".to_owned() }
    }

    /// The same server under another name.
    #[must_use]
    pub fn called(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    /// The same with a client certificate or a choice of TLS versions.
    pub fn with(
        address: SocketAddr,
        ca: &str,
        client: Option<&Pair>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Self {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(ca.as_bytes()) {
            roots.add(certificate.unwrap()).unwrap();
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let config = match client {
            None => builder.with_no_client_auth(),
            Some(pair) => builder
                .with_client_auth_cert(
                    vec![CertificateDer::from_pem_slice(pair.cert.as_bytes()).unwrap()],
                    PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap(),
                )
                .unwrap(),
        };
        Self { address, config, name: "localhost".to_owned() }
    }

    /// A TLS connection with this application protocol (`h2` or `http/1.1`).
    pub async fn connect(&self, protocol: &str) -> Result<TlsStream<TcpStream>, Error> {
        let mut config = self.config.clone();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let stream = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from(self.name.clone())?;
        Ok(TlsConnector::from(Arc::new(config)).connect(name, stream).await?)
    }

    /// Sends a request on a new connection, HTTP/1.1.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<Answer, Error> {
        let stream = self.connect("http/1.1").await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let answer = collect(sender.send_request(request).await?).await;
        connection.abort();
        answer
    }

    /// An HTTP/1.1 connection on which requests can be sent one after the other; the task ends with
    /// the connection.
    pub async fn http1(
        &self,
    ) -> Result<(http1::SendRequest<Full<Bytes>>, tokio::task::JoinHandle<hyper::Result<()>>), Error>
    {
        let stream = self.connect("http/1.1").await?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        Ok((sender, tokio::spawn(connection)))
    }

    /// An HTTP/2 connection on which many requests can be sent; the task ends with the connection.
    pub async fn http2(&self) -> Result<Http2, Error> {
        self.http2_with_window(None).await
    }

    /// The same, with so many bytes of each answer that may come before the caller reads.
    pub async fn http2_with_window(&self, bytes: Option<u32>) -> Result<Http2, Error> {
        let stream = self.connect("h2").await?;
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.initial_stream_window_size(bytes);
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
        Ok((sender, tokio::spawn(connection)))
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Result<Answer, Error> {
        self.send(self.request(Method::GET, path, None, "")).await
    }

    /// POST of JSON.
    pub async fn post(&self, path: &str, body: impl Into<Bytes>) -> Result<Answer, Error> {
        self.send(self.request(Method::POST, path, Some("application/json"), body)).await
    }

    /// POST of an `AdmissionReview`, of which the `response` is returned.
    pub async fn review(&self, path: &str, review: &Value) -> Value {
        let answer = self.post(path, review.to_string()).await.unwrap();
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let json = answer.json();
        assert_eq!(json["response"]["uid"], review["request"]["uid"]);
        json["response"].clone()
    }

    /// A request to this server.
    pub fn request(
        &self,
        method: Method,
        path: &str,
        content_type: Option<&str>,
        body: impl Into<Bytes>,
    ) -> Request<Full<Bytes>> {
        let uri = format!("https://localhost:{}{path}", self.address.port());
        let mut request = Request::builder().method(method).uri(uri).header("host", "localhost");
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        request.body(Full::new(body.into())).unwrap()
    }
}

/// Reads the whole answer.
pub async fn collect(response: http::Response<hyper::body::Incoming>) -> Result<Answer, Error> {
    let (parts, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(Answer { status: parts.status, headers: parts.headers, body })
}

/// The body of a plain HTTP page.
pub async fn plain_get(address: SocketAddr, path: &str) -> String {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let request =
        Request::get(path).header("host", "localhost").body(Full::<Bytes>::default()).unwrap();
    let answer = collect(sender.send_request(request).await.unwrap()).await.unwrap();
    connection.abort();
    assert_eq!(answer.status, StatusCode::OK);
    answer.text()
}

/// Accepts every certificate, if the peer has its key.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
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
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
