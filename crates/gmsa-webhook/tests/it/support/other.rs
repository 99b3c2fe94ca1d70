//! A webhook that is not ours.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use gmsa_testkit::pki::Authority;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Answers each AdmissionReview with what is made of it, and returns the port on localhost.
pub async fn other_webhook(
    authority: &Authority,
    answer: impl Fn(&Value) -> String + Send + Sync + 'static,
) -> u16 {
    let pair = authority.server(&["localhost"]);
    let certificate = CertificateDer::from_pem_slice(pair.cert.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            let answer = Arc::clone(&answer);
            let service = service_fn(move |request: http::Request<Incoming>| {
                let answer = Arc::clone(&answer);
                async move {
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    let review: Value = serde_json::from_slice(&body).unwrap();
                    let answer = http::Response::builder()
                        .header("content-type", "application/json")
                        .body(Full::new(Bytes::from(answer(&review))));
                    Ok::<_, Infallible>(answer.unwrap())
                }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    port
}
