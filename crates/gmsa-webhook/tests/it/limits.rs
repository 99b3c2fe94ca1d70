//! The limits of the server: what it does at each of them, and that it goes on.

use std::os::unix::fs::MetadataExt as _;
use std::process::Command;
use std::time::Duration;

use crate::store::{EXAMPLES, PROGRAM, SOON, expand, start};
use bytes::Bytes;
use gmsa_testkit::https::{Answer, Https, collect};
use gmsa_testkit::objects::{self, gmsa};
use gmsa_testkit::process::eventually;
use http::{Method, StatusCode};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;
use tokio::time::timeout;

const JSON: Option<&str> = Some("application/json");

#[tokio::test]
async fn a_connection_more_than_the_limit_waits_until_another_ends() {
    let world = start(&["--max-connections=2", "--header-timeout=60"]).await;
    let ask = || world.https.request(Method::POST, "/mutate", JSON, expand().to_string());
    let mut open = Vec::new();
    for _ in 0..2 {
        let (mut sender, task) = world.https.http1().await.unwrap();
        let answer = collect(sender.send_request(ask()).await.unwrap()).await.unwrap();
        assert_eq!(answer.status, StatusCode::OK);
        open.push((sender, task));
    }
    let mut third = Box::pin(world.https.http1());
    let early = timeout(Duration::from_millis(500), &mut third).await;
    assert!(early.is_err(), "a third connection is served although two may be open");
    drop(open.pop());
    let (mut sender, _task) = timeout(SOON, third).await.expect("its turn came").unwrap();
    let answer = collect(sender.send_request(ask()).await.unwrap()).await.unwrap();
    assert_eq!(answer.status, StatusCode::OK);
}

/// Sends a body over HTTP/2, where an answer can come before the body is through.
async fn send(https: &Https, path: &str, body: Bytes) -> Answer {
    let (mut sender, _task) = https.http2().await.unwrap();
    let request = https.request(Method::POST, path, JSON, body);
    collect(sender.send_request(request).await.unwrap()).await.unwrap()
}

#[tokio::test]
async fn the_buffered_bytes_of_all_bodies_are_limited() {
    let args = ["--max-body-bytes=80000", "--max-buffered-bytes=150000", "--body-timeout=60"];
    let world = start(&args).await;
    let review = expand().to_string();
    let large = Bytes::from(format!("{review}{}", " ".repeat(78_000)));
    let answer = send(&world.https, "/mutate", large.clone()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());

    let mut slow = world.https.connect("http/1.1").await.unwrap();
    let head = "POST /mutate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                content-length: 79999\r\n\r\n";
    slow.write_all(head.as_bytes()).await.unwrap();
    slow.write_all(&vec![b' '; 70_000]).await.unwrap();
    slow.flush().await.unwrap();
    let refused = eventually("too many bytes are buffered", SOON, || async {
        let answer = send(&world.https, "/mutate", large.clone()).await;
        (answer.status != StatusCode::OK).then_some(answer)
    })
    .await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "{}", refused.text());
    assert_eq!(refused.headers["retry-after"], "1");
    assert!(refused.text().contains("limit of buffered request bytes"), "{}", refused.text());
    let counted = r#"gmsa_admission_requests_total{endpoint="mutate",operation="other",decision="denied",code="429"}"#;
    assert!(world.server.metric(counted).await >= 1.0);
    assert!(world.https.review("/mutate", &expand()).await["patch"].is_string(), "small ones");

    drop(slow);
    eventually("the buffered bytes are released", SOON, || async {
        let answer = send(&world.https, "/mutate", large.clone()).await;
        (answer.status == StatusCode::OK).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_body_of_any_allowed_size_is_accepted_if_the_limits_are_equal() {
    let args = ["--max-body-bytes=100000", "--max-buffered-bytes=100000"];
    let world = start(&args).await;
    for length in [70_000, 99_000] {
        let review = expand().to_string();
        let body = Bytes::from(format!("{review}{}", " ".repeat(length - review.len())));
        let answer = send(&world.https, "/mutate", body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    }
    let mut early = world.https.connect("http/1.1").await.unwrap();
    let head = "POST /mutate HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\n\
                content-length: 5\r\n\r\n";
    early.write_all(head.as_bytes()).await.unwrap();
    early.flush().await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(SOON, early.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 415 "), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn many_large_bodies_at_once_fit_the_memory_of_the_pod() {
    let world = start(&["--body-timeout=60"]).await;
    let body = Bytes::from(vec![b' '; 7 << 20]);
    let (sender, _task) = world.https.http2().await.unwrap();
    let asked: Vec<_> = (0..40)
        .map(|_| {
            let mut sender = sender.clone();
            let request = world.https.request(Method::POST, "/validate", JSON, body.clone());
            tokio::spawn(async move {
                collect(sender.send_request(request).await.unwrap()).await.unwrap().status
            })
        })
        .collect();
    let mut refused = 0;
    for answer in asked {
        match answer.await.unwrap() {
            StatusCode::TOO_MANY_REQUESTS => refused += 1,
            status => assert_eq!(status, StatusCode::BAD_REQUEST, "read to its end"),
        }
    }
    assert!((1..40).contains(&refused), "{refused} of 40 refused");
    let peak = world.server.peak_memory();
    assert!(peak < 128 << 20, "{} MiB at the peak", peak >> 20);
    assert!(world.https.review("/mutate", &expand()).await["patch"].is_string());
}

/// Bodies of 2.9 MB whose lists have as many elements as fit.
fn long_lists() -> Vec<(&'static str, String)> {
    let list = |element: &str| {
        let count = 2_900_000 / (element.len() + 1);
        format!("[{}]", vec![element; count].join(","))
    };
    let terms = |terms: String| {
        format!(
            r#"{{"spec":{{"affinity":{{"nodeAffinity":{{
            "requiredDuringSchedulingIgnoredDuringExecution":{{"nodeSelectorTerms":{terms}}}}}}}}}}}"#
        )
    };
    let objects = [
        ("/validate", format!(r#"{{"spec":{{"containers":{}}}}}"#, list("{}"))),
        ("/mutate", format!(r#"{{"metadata":{{"ownerReferences":{}}}}}"#, list("{}"))),
        ("/validate", terms(list(r#"{"matchExpressions":[{}]}"#))),
        ("/validate", terms(format!(r#"[{{"matchExpressions":{}}}]"#, list(r#"{"values":[""]}"#)))),
        (
            "/validate",
            terms(format!(r#"[{{"matchExpressions":[{{"values":{}}}]}}]"#, list(r#""""#))),
        ),
        (
            "/warn",
            format!(r#"{{"spec":{{"template":{{"spec":{{"containers":{}}}}}}}}}"#, list("{}")),
        ),
    ];
    objects
        .map(|(path, object)| {
            let review = format!(
                r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{
                "uid":"u","operation":"CREATE","namespace":"default",
                "kind":{{"group":"","version":"v1","kind":"Pod"}},"object":{object}}}}}"#
            );
            (path, review)
        })
        .to_vec()
}

#[tokio::test]
async fn lists_of_empty_objects_fit_the_memory_of_the_pod() {
    let world = start(&["--early-warnings", "--body-timeout=120"]).await;
    let (sender, _task) = world.https.http2().await.unwrap();
    let lists = long_lists();
    let alone = send(&world.https, "/validate", lists[0].1.clone().into()).await;
    assert!(alone.text().contains("more than 1000 containers in one list"), "{}", alone.text());
    let asked: Vec<_> = (0..36)
        .map(|number| {
            let (path, body) = lists[number % lists.len()].clone();
            let mut sender = sender.clone();
            let request = world.https.request(Method::POST, path, JSON, body);
            tokio::spawn(async move {
                collect(sender.send_request(request).await.unwrap()).await.unwrap().status
            })
        })
        .collect();
    let mut answered = 0;
    for answer in asked {
        match answer.await.unwrap() {
            StatusCode::OK => answered += 1,
            status => assert_eq!(status, StatusCode::TOO_MANY_REQUESTS),
        }
    }
    assert!(answered > 0);
    let peak = world.server.peak_memory();
    assert!(peak < 128 << 20, "{} MiB at the peak", peak >> 20);
    assert!(world.https.review("/mutate", &expand()).await["patch"].is_string());
}

/// A store with one credential spec of 60 kB, and a request whose hundred containers name it: its answer
/// is 8 MB.
fn large_answer(store: &std::path::Path) -> String {
    let mut spec = objects::credential_spec("large", "WebApp1");
    spec["credspec"]["Note"] = json!("x".repeat(60_000));
    std::fs::write(store.join("spec.yaml"), spec.to_string()).unwrap();
    let mut pod = objects::pod("default", "web", &json!({}));
    let containers = (0..100).map(|number| {
        json!({"name": format!("c-{number}"), "image": "i",
            "securityContext": gmsa(Some("large"), None)})
    });
    pod["spec"]["containers"] = containers.collect();
    let body = objects::review("default", &pod).to_string();
    format!(
        "POST /mutate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

const EXPANDED: &str = r#"gmsa_admission_requests_total{endpoint="mutate",operation="create",decision="allowed",code="200"}"#;

#[tokio::test]
async fn answers_that_nobody_reads_fit_the_memory_of_the_pod() {
    let store = tempfile::tempdir().unwrap();
    let request = large_answer(store.path());
    let store = format!("--store={}", store.path().display());
    let world = start(&[&store, "--header-timeout=60", "--body-timeout=60"]).await;
    let mut open = Vec::new();
    for _ in 0..40 {
        let mut stream = world.https.connect("http/1.1").await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        open.push(stream);
    }
    eventually("all are decided", SOON * 3, || async {
        (world.server.metric(EXPANDED).await >= 40.0).then_some(())
    })
    .await;
    let peak = world.server.peak_memory();
    assert!(peak < 128 << 20, "{} MiB at the peak", peak >> 20);
    let (mut whole, mut refused) = (0, 0);
    for mut stream in open {
        let mut start = [0; 12];
        stream.read_exact(&mut start).await.unwrap();
        match &start {
            b"HTTP/1.1 200" => whole += 1,
            b"HTTP/1.1 429" => refused += 1,
            other => panic!("{}", String::from_utf8_lossy(other)),
        }
    }
    assert!(whole >= 1 && refused >= 1, "{whole} answered, {refused} refused");
    eventually("what was held is free again", SOON, || async {
        let mut again = world.https.connect("http/1.1").await.unwrap();
        again.write_all(request.as_bytes()).await.unwrap();
        again.flush().await.unwrap();
        let mut start = [0; 12];
        timeout(SOON, again.read_exact(&mut start)).await.unwrap().unwrap();
        (&start == b"HTTP/1.1 200").then_some(())
    })
    .await;
}

/// A small answer is not counted, but it is held as long as its stream: what bounds those is how many
/// connections may be of HTTP/2, and how many streams each may have.
#[tokio::test]
async fn streams_whose_answers_nobody_reads_fit_the_memory_of_the_pod() {
    const CONNECTIONS: usize = 64;
    const STREAMS: usize = 100;
    let world = start(&["--header-timeout=60", "--body-timeout=60"]).await;
    let (mut open, mut asked) = (Vec::new(), JoinSet::new());
    for _ in 0..CONNECTIONS {
        let (mut sender, task) = world.https.http2_with_window(Some(1)).await.unwrap();
        for _ in 0..STREAMS {
            sender.ready().await.unwrap();
            let body = expand().to_string();
            let request = world.https.request(Method::POST, "/mutate", JSON, body);
            asked.spawn(sender.send_request(request));
        }
        open.push((sender, task));
    }
    let mut unread = Vec::new();
    while let Some(answer) = asked.join_next().await {
        let answer = answer.unwrap().unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        unread.push(answer);
    }
    let peak = world.server.peak_memory();
    assert!(peak < 128 << 20, "{} MiB at the peak", peak >> 20);
    assert!(world.https.connect("h2").await.is_err(), "one more connection of HTTP/2");
    assert!(world.https.review("/mutate", &expand()).await["patch"].is_string(), "over HTTP/1.1");
    drop((open, unread));
    eventually("HTTP/2 is spoken again", SOON, || async { world.https.connect("h2").await.ok() })
        .await;
}

#[tokio::test]
async fn a_connection_whose_answer_nobody_reads_is_closed() {
    let store = tempfile::tempdir().unwrap();
    let request = large_answer(store.path());
    let store = format!("--store={}", store.path().display());
    let world = start(&[&store, "--header-timeout=1"]).await;
    let mut stream = world.https.connect("http/1.1").await.unwrap();
    let open = world.server.metric("process_open_fds").await;
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    eventually("the connection is closed", SOON, || async {
        (world.server.metric("process_open_fds").await < open).then_some(())
    })
    .await;
    assert!(world.server.metric(EXPANDED).await >= 1.0, "it was answered");
    let mut answer = Vec::new();
    // Cut off: an end without TLS's own is an error.
    assert!(timeout(SOON, stream.read_to_end(&mut answer)).await.unwrap().is_err());
}

/// Sends this on a connection that was used once, and waits for the server to end it.
async fn ended_after(https: &Https, text: &str) -> bool {
    let mut stream = https.connect("http/1.1").await.unwrap();
    stream.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\nok\n") {
        answer.push(timeout(SOON, stream.read_u8()).await.unwrap().unwrap());
    }
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut rest = Vec::new();
    // Closed or reset: both are the end.
    timeout(SOON, stream.read_to_end(&mut rest)).await.is_ok()
}

#[tokio::test]
async fn the_head_of_a_later_request_is_limited_from_its_first_byte_on() {
    let world = start(&["--header-timeout=0.3"]).await;
    assert!(ended_after(&world.https, "P").await, "it still waits for the rest of a head");
    let most = "POST /mutate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    assert!(ended_after(&world.https, most).await, "it still waits for the end of a head");
    // A body is not a head, and takes the time of a body.
    let mut stream = world.https.connect("http/1.1").await.unwrap();
    for _ in 0..2 {
        let body = expand().to_string();
        let (first, rest) = body.split_at(10);
        let length = body.len();
        let head = format!("{most}content-length: {length}\r\n\r\n{first}");
        stream.write_all(head.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
        stream.write_all(rest.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"}}}") {
            answer.push(timeout(SOON, stream.read_u8()).await.unwrap().unwrap());
        }
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    }
}

#[tokio::test]
async fn an_idle_connection_is_kept_for_its_time() {
    let world = start(&["--idle-timeout=0.5"]).await;
    assert!(ended_after(&world.https, "").await, "it is still open");
}

#[tokio::test]
async fn more_places_than_the_limit_are_refused() {
    let world = start(&["--max-places=2"]).await;
    let mut pod = objects::pod("default", "web", &json!({}));
    let place = |name: &str| json!({"name": name, "image": "i", "securityContext": gmsa(Some("gmsa-webapp1"), None)});
    pod["spec"]["containers"] = json!([place("a"), place("b")]);
    let fits = world.https.review("/mutate", &objects::review("default", &pod)).await;
    assert!(fits["patch"].is_string(), "{fits}");
    pod["spec"]["initContainers"] = json!([place("c")]);
    let refused = world.https.review("/mutate", &objects::review("default", &pod)).await;
    assert_eq!(refused["status"]["code"], json!(422), "{refused}");
    let message = refused["status"]["message"].as_str().unwrap();
    assert!(message.starts_with("3 fields of the pod use a GMSA, more than the 2"), "{message}");
}

#[test]
fn a_port_that_is_not_allowed_ends_with_the_remedies() {
    let name = "a_port_that_is_not_allowed_ends_with_the_remedies";
    let first = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    if first.is_ok_and(|first| first.trim().parse::<u16>().unwrap() <= 443) {
        eprintln!("skipped: {name}: anybody may bind port 443 on this machine");
        return;
    }
    let mut command = if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
        let mut command = Command::new("setpriv");
        command.args(["--inh-caps=-net_bind_service", "--bounding-set=-net_bind_service"]);
        command.arg(PROGRAM);
        command
    } else {
        Command::new(PROGRAM)
    };
    // As an existing deployment starts it: no port is named, so it is 443.
    let output = command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .envs([("TLS_CRT", "/nowhere"), ("TLS_KEY", "/nowhere")])
        .args([&format!("--store={EXAMPLES}"), "--listen=127.0.0.1", "--metrics-port=0"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let stderr = String::from_utf8(output.stderr).unwrap();
    for words in [
        "failed to listen on 127.0.0.1:443: permission denied",
        "set --https-port (or HTTPS_PORT) to 8443 and the Service's targetPort with it",
        "the capability NET_BIND_SERVICE",
        "the pod's sysctl net.ipv4.ip_unprivileged_port_start=0",
    ] {
        assert!(stderr.contains(words), "{words} is not in: {stderr}");
    }
}
