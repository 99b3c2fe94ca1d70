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
use serde_json::Value;
use tokio::net::TcpListener;

/// Answers each AdmissionReview with what is made of it, and returns the port on localhost.
pub async fn other_webhook(
    authority: &Authority,
    answer: impl Fn(&Value) -> String + Send + Sync + 'static,
) -> u16 {
    let acceptor = authority.server(&["localhost"]).acceptor();
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
