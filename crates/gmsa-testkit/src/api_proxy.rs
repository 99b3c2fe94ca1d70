//! A proxy in front of an API server that can change its answers, without TLS and with the rights
//! of the client behind it.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

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

/// What happens to the answers to POST requests.
#[derive(Default)]
struct Meddling {
    change: Option<Change>,
    hold: Duration,
}

/// The proxy; ends when dropped.
pub struct ApiProxy {
    address: SocketAddr,
    meddling: Arc<Mutex<Meddling>>,
    task: tokio::task::JoinHandle<()>,
}

impl ApiProxy {
    /// Starts a proxy that passes every answer on as it is.
    pub async fn start(client: Client) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let meddling: Arc<Mutex<Meddling>> = Arc::default();
        let shared = Arc::clone(&meddling);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (client, meddling) = (client.clone(), Arc::clone(&shared));
                let service = service_fn(move |request| {
                    let (client, meddling) = (client.clone(), Arc::clone(&meddling));
                    async move { Ok::<_, Infallible>(pass(&client, &meddling, request).await) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, meddling, task }
    }

    /// From now on changes the JSON answers to POST requests.
    pub fn change(&self, change: impl Fn(&str, &mut Value) + Send + 'static) {
        self.meddling.lock().unwrap().change = Some(Box::new(change));
    }

    /// From now on passes the answers to POST requests on only after this time.
    pub fn hold(&self, time: Duration) {
        self.meddling.lock().unwrap().hold = time;
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
    meddling: &Mutex<Meddling>,
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
    if parts.method != http::Method::POST {
        return answer;
    }
    let (mut head, body) = answer.into_parts();
    let mut body = body.collect_bytes().await.unwrap().to_vec();
    let hold = {
        let meddling = meddling.lock().unwrap();
        if let (Some(change), Ok(mut json)) =
            (&meddling.change, serde_json::from_slice::<Value>(&body))
        {
            change(&path, &mut json);
            body = json.to_string().into_bytes();
            head.headers.remove("content-length");
        }
        meddling.hold
    };
    tokio::time::sleep(hold).await;
    Response::from_parts(head, Body::from(body))
}
