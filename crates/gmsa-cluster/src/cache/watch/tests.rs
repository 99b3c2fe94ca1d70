use std::sync::Arc;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Client;
use kube::client::Body;
use parking_lot::Mutex;
use tokio::time::{Instant, timeout};

use super::*;

/// What was seen, and in which second.
struct Recorder {
    start: Instant,
    seen: Mutex<Vec<(&'static str, u64)>>,
}

impl Recorder {
    fn note(&self, what: &'static str) {
        self.seen.lock().push((what, self.start.elapsed().as_secs()));
    }

    fn times(&self, what: &str) -> Vec<u64> {
        let seen = self.seen.lock();
        seen.iter().filter(|(one, _)| *one == what).map(|(_, second)| *second).collect()
    }
}

impl Sink<ConfigMap> for Recorder {
    fn what(&self) -> &'static str {
        "configmaps"
    }
    fn list_begins(&self) {
        self.note("list");
    }
    fn listed(&self, _: ConfigMap) {}
    fn list_ends(&self) {
        self.note("listed");
    }
    fn applied(&self, _: ConfigMap) {}
    fn deleted(&self, _: ConfigMap) {}
    fn alive(&self) {}
    fn ended(&self, _: bool) {}
    fn forbidden(&self, first: bool) {
        self.note("forbidden");
        if first {
            self.note("warned");
        }
    }
}

/// What an API server with these answers shows within ten minutes: the status code of a list, by the
/// number of lists before it, and of a watch.
async fn within_ten_minutes(list: fn(usize) -> u16, watch: u16) -> Recorder {
    let lists = Arc::new(Mutex::new(0));
    let service = tower::service_fn(move |request: http::Request<Body>| {
        let is_watch = request.uri().query().is_some_and(|query| query.contains("watch=true"));
        let code = if is_watch {
            watch
        } else {
            let mut lists = lists.lock();
            *lists += 1;
            list(*lists - 1)
        };
        let body = if code == 200 {
            r#"{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}"#
                .to_owned()
        } else {
            format!(
                r#"{{"kind":"Status","status":"Failure","code":{code},"message":"","reason":""}}"#
            )
        };
        let answer = http::Response::builder().status(code).body(Body::from(body.into_bytes()));
        async move { answer }
    });
    let client = Client::new(service, "default");
    let recorder = Recorder { start: Instant::now(), seen: Mutex::default() };
    let api: Api<ConfigMap> = Api::all(client);
    let end = timeout(Duration::from_mins(10), run(api, &recorder)).await;
    assert!(end.is_err(), "it never ends");
    recorder
}

#[tokio::test(start_paused = true)]
async fn what_is_forbidden_for_a_moment_is_tried_again_soon() {
    // An API server that has just started does not know the roles yet.
    let recorder = within_ten_minutes(|before| if before < 2 { 403 } else { 200 }, 500).await;
    assert_eq!(recorder.times("forbidden"), [0, 1]);
    assert_eq!(recorder.times("warned"), [0]);
    assert_eq!(recorder.times("listed"), [3]);
}

#[tokio::test(start_paused = true)]
async fn what_stays_forbidden_is_tried_once_a_minute() {
    let recorder = within_ten_minutes(|_| 403, 200).await;
    assert_eq!(recorder.times("list")[..8], [0, 1, 3, 7, 15, 31, 63, 123]);
    assert_eq!(recorder.times("list").len(), 15);
    assert_eq!(recorder.times("warned"), [0]);
}

#[tokio::test(start_paused = true)]
async fn who_may_list_but_not_watch_does_not_list_without_a_pause() {
    let recorder = within_ten_minutes(|_| 200, 403).await;
    assert_eq!(recorder.times("forbidden"), recorder.times("listed"));
    assert_eq!(recorder.times("listed").len(), 15);
    assert_eq!(recorder.times("warned"), [0]);
}
