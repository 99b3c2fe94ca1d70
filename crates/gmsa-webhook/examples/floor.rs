//! The floor of the benchmark: the server's own stack, answering a static body after reading the
//! request. What the server costs above this is the price of its decisions.

use std::future::{Future, ready};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use bytes::Bytes;
use gmsa_cluster::installation::tls::Settings;
use gmsa_webhook::certificates::{Ephemeral, Pair, Reload};
use gmsa_webhook::http::{Answer, Endpoint, Handler, Limits, Routes};
use gmsa_webhook::metrics::Metrics;
use gmsa_webhook::serve::tls::{Identity, Tls};
use gmsa_webhook::serve::{self, Server, bind};
use std::time::Duration;
use tokio::sync::watch;

const ANSWER: &[u8] = br#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"705ab4f5-6393-11e8-b7cc-42010a800002","allowed":true}}"#;

struct Static;

impl Handler for Static {
    fn review(
        &self,
        _endpoint: Endpoint,
        body: Bytes,
        _: Option<Duration>,
    ) -> impl Future<Output = Answer> + Send {
        drop(body);
        ready(Answer::Review(Bytes::from_static(ANSWER)))
    }

    fn refuse(&self, _endpoint: Endpoint, _body: &Bytes) -> Answer {
        Answer::Review(Bytes::from_static(ANSWER))
    }

    fn turned_away(&self, _endpoint: Endpoint) {}

    fn ready(&self) -> Result<(), String> {
        Ok(())
    }
}

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let mut next = |what| args.next().with_context(|| format!("expected {what}"));
    let address = next("an address")?.parse()?;
    let (certificate, key) = (PathBuf::from(next("a certificate")?), PathBuf::from(next("a key")?));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let identity = Arc::new(Identity::new(Ephemeral::new()?.certificate));
        let metrics = Arc::new(Metrics::new());
        let tls = Arc::new(Tls::new(Arc::clone(&identity), Settings::default(), false)?);
        Reload::start(Pair::new(certificate, key, identity, Arc::clone(&metrics)));
        let limits = Limits {
            body_bytes: 8 << 20,
            buffered_bytes: 32 << 20,
            body_time: Duration::from_secs(5),
            requests: 1000,
            early_warnings: false,
            index: false,
        };
        let routes =
            Arc::new(Routes::new(Static, limits, metrics.in_flight(), Arc::new(|| Ok(()))));
        let limits = serve::Limits {
            header_time: Duration::from_secs(5),
            idle_time: Duration::from_secs(125),
            age: Duration::from_mins(5),
            grace: Duration::from_secs(1),
            streams: 100,
        };
        let server = Server { listener: bind(address)?, tls, routes, limits, connections: 1024 };
        let (_stop, stopping) = watch::channel(false);
        server.run(stopping).await;
        Ok(())
    })
}
