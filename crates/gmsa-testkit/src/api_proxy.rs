//! A proxy in front of an API server that can change its answers, without TLS and with the rights
//! of the client behind it.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::Client;
use kube::client::Body;
use serde_json::Value;
use tokio::net::TcpListener;

/// Changes the answer to a request for this path.
type Change = Box<dyn Fn(&str, &mut Value) + Send>;

/// The proxy; ends when dropped.
pub struct ApiProxy {
    address: SocketAddr,
    change: Arc<Mutex<Option<Change>>>,
    task: tokio::task::JoinHandle<()>,
}

impl ApiProxy {
    /// Starts a proxy that passes every answer on as it is.
    pub async fn start(client: Client) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let change: Arc<Mutex<Option<Change>>> = Arc::default();
        let changing = Arc::clone(&change);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (client, change) = (client.clone(), Arc::clone(&changing));
                let service = service_fn(move |request| {
                    let (client, change) = (client.clone(), Arc::clone(&change));
                    async move { Ok::<_, Infallible>(pass(&client, &change, request).await) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, change, task }
    }

    /// From now on changes the JSON answers to POST requests.
    pub fn change(&self, change: impl Fn(&str, &mut Value) + Send + 'static) {
        *self.change.lock().unwrap() = Some(Box::new(change));
    }

    /// Writes a kubeconfig that leads to the proxy.
    pub fn write_kubeconfig(&self, path: &Path) {
        let mut text = String::from("apiVersion: v1\nkind: Config\ncurrent-context: proxy\n");
        writeln!(
            text,
            "clusters: [{{name: proxy, cluster: {{server: 'http://{}'}}}}]",
            self.address
        )
        .unwrap();
        text.push_str("users: [{name: proxy}]\n");
        text.push_str("contexts: [{name: proxy, context: {cluster: proxy, user: proxy}}]\n");
        std::fs::write(path, text).unwrap();
    }
}

impl Drop for ApiProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(
    client: &Client,
    change: &Mutex<Option<Change>>,
    request: Request<Incoming>,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let mut onward = Request::builder().method(&parts.method).uri(parts.uri);
    for name in ["accept", "content-type"] {
        if let Some(value) = parts.headers.get(name) {
            onward = onward.header(name, value);
        }
    }
    let body = body.collect().await.unwrap().to_bytes();
    let answer = match client.send(onward.body(Body::from(body)).unwrap()).await {
        Ok(answer) => answer,
        Err(error) => {
            let body = Body::from(error.to_string().into_bytes());
            return Response::builder().status(502).body(body).unwrap();
        }
    };
    if parts.method != http::Method::POST || change.lock().unwrap().is_none() {
        return answer;
    }
    let (mut head, body) = answer.into_parts();
    let body = body.collect_bytes().await.unwrap();
    let Ok(mut json) = serde_json::from_slice(&body) else {
        return Response::from_parts(head, Body::from(body));
    };
    if let Some(change) = &*change.lock().unwrap() {
        change(&path, &mut json);
    }
    head.headers.remove("content-length");
    Response::from_parts(head, Body::from(json.to_string().into_bytes()))
}
