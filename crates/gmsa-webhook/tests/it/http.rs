//! The wire below a decision: paths, methods, limits, TLS, certificates, stopping.

use std::time::{Duration, Instant};

use crate::store::{EXAMPLES, PROGRAM, SOON, expand, start, start_with};
use bytes::Bytes;
use gmsa_testkit::https::{Https, collect};
use gmsa_testkit::objects::{self, gmsa};
use gmsa_testkit::pki::{Authority, Pair, kubelet_mount};
use gmsa_testkit::process::eventually;
use gmsa_testkit::server::Server;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn the_table_of_requests_and_answers() {
    let world = start(&["--max-body-bytes=10000"]).await;
    let json_type = Some("application/json");
    let review = expand().to_string();
    let large = format!("{review}{}", " ".repeat(10_000));
    for (method, path, content_type, body, status, words) in [
        (Method::POST, "/mutate", json_type, review.as_str(), 200, "JSONPatch"),
        (
            Method::POST,
            "/mutate",
            Some("application/json; charset=utf-8"),
            &review,
            200,
            "JSONPatch",
        ),
        (Method::POST, "/mutate", Some("Application/JSON"), &review, 200, "JSONPatch"),
        (Method::POST, "/validate", json_type, &review, 200, "was not expanded"),
        (Method::GET, "/mutate", None, "", 405, ""),
        (Method::PUT, "/validate", json_type, &review, 405, ""),
        (Method::POST, "/mutate", None, &review, 415, ""),
        (Method::POST, "/mutate", Some("text/plain"), &review, 415, ""),
        (Method::POST, "/mutate", Some("application/jsonish"), &review, 415, ""),
        (Method::POST, "/mutate", json_type, &large, 413, "10000 bytes"),
        (Method::POST, "/mutate", json_type, "", 400, "\"kind\":\"Status\""),
        (Method::POST, "/mutate", json_type, "{\"a\":", 400, "EOF while parsing"),
        (Method::POST, "/validate", json_type, "{}", 400, "expected kind AdmissionReview"),
        (Method::GET, "/livez", None, "", 200, "ok"),
        (Method::GET, "/healthz", None, "", 200, "ok"),
        (Method::GET, "/readyz", None, "", 200, "ok"),
        (Method::GET, "/health", None, "", 204, ""),
        (Method::GET, "/info", None, "", 200, "{\"version\":\""),
        (Method::POST, "/readyz", json_type, "{}", 405, ""),
        (Method::GET, "/", None, "", 404, ""),
        (Method::GET, "/metrics", None, "", 404, ""),
        (Method::POST, "/mutate/", json_type, &review, 404, ""),
    ] {
        let shown = format!("{method} {path} {content_type:?}");
        let request = world.https.request(method, path, content_type, body.to_owned());
        let answer = world.https.send(request).await.unwrap();
        assert_eq!(answer.status.as_u16(), status, "{shown}: {}", answer.text());
        assert!(answer.text().contains(words), "{shown}: {}", answer.text());
        assert_eq!(answer.headers.contains_key("allow"), status == 405, "{shown}");
    }
    let page = gmsa_testkit::https::plain_get(world.server.metrics, "/metrics").await;
    assert!(page.ends_with("# EOF\n"));
    let sample = r#"gmsa_admission_requests_total{endpoint="mutate",operation="create",decision="allowed",code="200"}"#;
    assert!((world.server.metric(sample).await - 3.0).abs() < f64::EPSILON);
}

/// A client that still sends when it is answered reads the answer all the same.
#[tokio::test]
async fn a_body_that_is_too_large_is_answered_in_both_versions_of_http() {
    let world = start(&["--max-body-bytes=1000000"]).await;
    let large = || Bytes::from(vec![b' '; 3_000_000]);
    let request =
        || world.https.request(Method::POST, "/mutate", Some("application/json"), large());
    let answer = world.https.send(request()).await.unwrap();
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let (mut sender, _connection) = world.https.http2().await.unwrap();
    for _ in 0..2 {
        let answer = collect(sender.send_request(request()).await.unwrap()).await.unwrap();
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert!(answer.text().contains("over the limit of 1000000 bytes"), "{}", answer.text());
    }
}

#[tokio::test]
async fn both_versions_of_tls_and_http_are_spoken() {
    let world = start(&[]).await;
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let https = Https::with(world.server.https, world.authority.pem(), None, &[version]);
        assert!(https.review("/mutate", &expand()).await["patch"].is_string());
        let (mut sender, _connection) = https.http2().await.unwrap();
        let body = expand().to_string();
        let request = https.request(Method::POST, "/mutate", Some("application/json"), body);
        let answer = collect(sender.send_request(request).await.unwrap()).await.unwrap();
        assert_eq!(answer.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn slow_and_broken_clients_do_not_block_the_server() {
    let world = start(&["--header-timeout=0.3", "--body-timeout=0.3"]).await;
    // Connections that are silent or half-hearted, each in its own way.
    let mut plain = Vec::new();
    for _ in 0..4 {
        plain.push(tokio::net::TcpStream::connect(world.server.https).await.unwrap());
    }
    let mut slow = Vec::new();
    for head in [
        "POST /mutate HTTP/1.1\r\nhost: x\r\n",
        "POST /mutate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{",
    ] {
        let mut stream = world.https.connect("http/1.1").await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    let began = Instant::now();
    assert!(world.https.review("/mutate", &expand()).await["patch"].is_string());
    let mut answers = Vec::new();
    for mut stream in slow {
        let mut answer = Vec::new();
        // A connection that is broken off has said all it had to say.
        let _ = stream.read_to_end(&mut answer).await;
        answers.push(String::from_utf8_lossy(&answer).into_owned());
    }
    assert!(answers[1].starts_with("HTTP/1.1 408"), "{answers:?}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    for mut stream in plain {
        let mut nothing = Vec::new();
        // Closed or reset: both are the end.
        let _ = stream.read_to_end(&mut nothing).await;
    }
    assert!(world.https.review("/mutate", &expand()).await["patch"].is_string());
}

#[tokio::test]
async fn a_silent_client_is_disconnected_after_the_handshake() {
    let world = start(&["--header-timeout=0.3"]).await;
    for protocol in ["h2", "http/1.1"] {
        let mut stream = world.https.connect(protocol).await.unwrap();
        let mut said = Vec::new();
        let ended = tokio::time::timeout(SOON, stream.read_to_end(&mut said)).await;
        assert!(ended.is_ok(), "a silent {protocol} connection is still open");
    }
}

#[tokio::test]
async fn slow_bodies_do_not_count_as_requests_in_flight() {
    let world = start(&["--max-requests=1", "--body-timeout=30"]).await;
    let mut slow = world.https.connect("http/1.1").await.unwrap();
    let head = "POST /mutate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                content-length: 99\r\nexpect: 100-continue\r\n\r\n";
    slow.write_all(head.as_bytes()).await.unwrap();
    // The server asks for the body: from now on it waits for it.
    let mut asked = [0; 12];
    slow.read_exact(&mut asked).await.unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100");
    let response = world.https.review("/mutate", &expand()).await;
    assert!(response["patch"].is_string(), "{response}");
}

#[tokio::test]
async fn over_the_limit_of_requests_is_a_denial_with_the_uid() {
    let world = start(&["--max-requests=0"]).await;
    let response = world.https.review("/validate", &expand()).await;
    assert_eq!(response["allowed"], json!(false));
    assert_eq!(response["status"]["code"], json!(429), "{response}");
}

/// The serial number of the certificate that the server shows.
async fn serial(https: &Https) -> Vec<u8> {
    let stream = https.connect("http/1.1").await.unwrap();
    let certificate = stream.get_ref().1.peer_certificates().unwrap()[0].clone();
    let (_, parsed) = x509_parser::parse_x509_certificate(&certificate).unwrap();
    parsed.raw_serial().to_vec()
}

#[tokio::test]
async fn certificates_are_reloaded_swap_after_swap_and_a_broken_pair_is_not() {
    let authority = Authority::new("test");
    let files = tempfile::tempdir().unwrap();
    let pair = || authority.server(&["localhost"]);
    let mount = kubelet_mount(&files.path().join("mount"), &pair());
    let more = pair();
    let (second, third, fourth) = (pair(), pair(), pair());
    let (certificate, key) = (mount.cert(), mount.key());
    let mut world = start_with(authority, files, &certificate, &key, &[]).await;
    let mut known = vec![serial(&world.https).await];
    for pair in [&second, &third] {
        mount.swap(pair);
        let fresh = eventually("the new certificate", SOON, || async {
            let seen = serial(&world.https).await;
            (!known.contains(&seen)).then_some(seen)
        })
        .await;
        known.push(fresh);
    }
    let good = r#"gmsa_certificate_rotations_total{result="success"}"#;
    let failed = r#"gmsa_certificate_rotations_total{result="failed"}"#;
    assert!((world.server.metric(good).await - 2.0).abs() < f64::EPSILON);

    // The key of another certificate, and no key at all.
    let broken = [
        Pair { cert: more.cert.clone(), key: fourth.key.clone() },
        Pair { cert: more.cert.clone(), key: "secret-that-is-no-key".to_owned() },
        Pair { cert: String::new(), key: more.key.clone() },
    ];
    for (before, pair) in [0.0, 1.0, 2.0].into_iter().zip(&broken) {
        mount.swap(pair);
        eventually("the failure is counted", SOON, || async {
            (world.server.metric(failed).await > before).then_some(())
        })
        .await;
        assert_eq!(serial(&world.https).await, known[2]);
    }
    let line = world.server.wait_for_log("failed to load certificates").await;
    assert!(line.contains("\"kept_the_last_good\":true"), "{line}");
    assert!(!world.server.log().join("\n").contains("secret-that-is-no-key"));
    let answer = world.https.get("/readyz").await.unwrap();
    assert_eq!(answer.status, StatusCode::OK, "the last good pair serves");

    mount.swap(&fourth);
    eventually("the good certificate", SOON, || async {
        (!known.contains(&serial(&world.https).await)).then_some(())
    })
    .await;
    assert!(world.server.metric("gmsa_certificate_expiry_timestamp_seconds").await > 1.7e9);
}

#[tokio::test]
async fn without_a_certificate_only_probes_are_answered_until_it_comes() {
    let authority = Authority::new("test");
    let files = tempfile::tempdir().unwrap();
    let (certificate, key) = (files.path().join("late.crt"), files.path().join("late.key"));
    let args = [
        format!("--store={EXAMPLES}"),
        format!("--tls-cert={}", certificate.display()),
        format!("--tls-key={}", key.display()),
    ];
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut server = Server::start(PROGRAM, &args, &[]).await;
    server.wait_for_log("late.crt").await;
    let https = Https::new(server.https, authority.pem());
    assert!(https.get("/readyz").await.is_err());
    // A kubelet checks no certificate: it neither ends the container nor remains without the reason.
    let kubelet = Https::trusting(server.https);
    assert_eq!(kubelet.get("/livez").await.unwrap().status, StatusCode::OK);
    let answer = kubelet.get("/readyz").await.unwrap();
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.text().contains("late.crt"), "{}", answer.text());
    authority.server(&["localhost"]).write(files.path(), "late");
    server.ready(authority.pem()).await;
}

#[tokio::test]
async fn with_a_client_ca_only_its_callers_are_served() {
    let files = tempfile::tempdir().unwrap();
    let callers = Authority::new("callers");
    let ca = files.path().join("callers.crt");
    std::fs::write(&ca, callers.pem()).unwrap();
    let world = start(&[&format!("--client-ca={}", ca.display())]).await;
    let answer = world.https.post("/mutate", expand().to_string()).await.unwrap();
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(world.https.get("/readyz").await.unwrap().status, StatusCode::OK);
    let as_client = |pair: &Pair| {
        Https::with(world.server.https, world.authority.pem(), Some(pair), rustls::ALL_VERSIONS)
    };
    let caller = as_client(&callers.client("api-server", &[]));
    assert!(caller.review("/mutate", &expand()).await["patch"].is_string());
    let stranger = as_client(&Authority::new("another CA").client("stranger", &[]));
    assert!(stranger.post("/mutate", expand().to_string()).await.is_err());
}

#[tokio::test]
async fn a_stop_answers_what_is_in_flight_and_says_so_first() {
    let mut world = start(&["--drain=3"]).await;
    let (mut sender, connection) = world.https.http2().await.unwrap();
    world.server.signal("TERM");
    eventually("not ready", SOON, || async {
        let answer = world.https.get("/readyz").await.ok()?;
        (answer.status == StatusCode::SERVICE_UNAVAILABLE).then_some(())
    })
    .await;
    assert!(world.https.get("/readyz").await.unwrap().text().contains("stopping"));
    // New connections and requests are still served until endpoints have noticed.
    assert!(world.https.review("/mutate", &expand()).await["patch"].is_string());
    let mut answered = 0;
    loop {
        let body = Bytes::from(expand().to_string());
        let request = world.https.request(Method::POST, "/mutate", Some("application/json"), body);
        if sender.ready().await.is_err() {
            break;
        }
        match sender.send_request(request).await {
            Ok(response) => {
                let answer = collect(response).await.expect("an answer that began is whole");
                assert_eq!(answer.status, StatusCode::OK);
                answered += 1;
            }
            // Refused before it was begun: the caller may send it elsewhere.
            Err(error) => {
                assert!(error.is_canceled() || error.is_closed(), "{error:?}");
                break;
            }
        }
    }
    assert!(answered > 10, "only {answered} requests before the end");
    connection.await.unwrap().expect("the connection ended gracefully");
    assert!(world.server.ended().await.success());
}

#[tokio::test]
async fn an_old_connection_is_closed_gracefully() {
    let world = start(&["--max-connection-age=0.5"]).await;
    let (mut sender, connection) = world.https.http2().await.unwrap();
    let body = expand().to_string();
    let request = world.https.request(Method::POST, "/mutate", Some("application/json"), body);
    let answer = collect(sender.send_request(request).await.unwrap()).await.unwrap();
    assert_eq!(answer.status, StatusCode::OK);
    let ended = tokio::time::timeout(SOON, connection).await.expect("it ended");
    ended.unwrap().expect("gracefully");
    assert!(world.https.review("/mutate", &expand()).await["patch"].is_string());
}

/// API servers call webhooks over HTTP/1.1 and do not repeat a POST on a connection that was closed.
#[tokio::test]
async fn an_http1_connection_ends_with_an_answer_and_never_between_them() {
    let mut world = start(&["--max-connection-age=0.5", "--header-timeout=0.2"]).await;
    let (mut young, connection) = world.https.http1().await.unwrap();
    let ask = || {
        world.https.request(Method::POST, "/mutate", Some("application/json"), expand().to_string())
    };
    let mut answers = 0;
    loop {
        let answer = collect(young.send_request(ask()).await.unwrap()).await.unwrap();
        assert_eq!(answer.status, StatusCode::OK);
        answers += 1;
        if answer.headers.get("connection").is_some_and(|value| value == "close") {
            break;
        }
        assert!(answers < 20, "the connection never ends");
        // Longer idle than the first head may take.
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    assert!(answers > 1, "the first answer is not the last");
    tokio::time::timeout(SOON, connection).await.expect("it ended").unwrap().unwrap();

    let (mut idle, connection) = world.https.http1().await.unwrap();
    let answer = collect(idle.send_request(ask()).await.unwrap()).await.unwrap();
    assert!(!answer.headers.contains_key("connection"));
    world.server.signal("TERM");
    world.server.wait_for_log("stopping").await;
    let answer = collect(idle.send_request(ask()).await.unwrap()).await.unwrap();
    assert_eq!(answer.headers.get("connection").unwrap(), "close", "while it drains");
    tokio::time::timeout(SOON, connection).await.expect("it ended").unwrap().unwrap();
}

#[tokio::test]
async fn the_store_is_read_again_when_it_changes() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("objects.yaml");
    let write = |objects: &[Value]| {
        let text: Vec<String> = objects.iter().map(ToString::to_string).collect();
        std::fs::write(&file, text.join("\n---\n")).unwrap();
    };
    let spec = objects::credential_spec("gmsa-webapp1", "First");
    write(&[spec, objects::role("gmsa-webapp1")]);
    let ca = directory.path().join("ca.pem");
    let args = [
        format!("--store={}", directory.path().display()),
        format!("--ca-file-out={}", ca.display()),
    ];
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut server = Server::start(PROGRAM, &args, &[]).await;
    let https = Https::new(server.https, &std::fs::read_to_string(&ca).unwrap());
    let expanded = async || https.review("/mutate", &expand()).await["patch"].clone();
    let first = expanded().await;
    assert!(first.is_string());
    write(&[objects::credential_spec("gmsa-webapp1", "Second")]);
    eventually("the new contents", SOON, || async { (expanded().await != first).then_some(()) })
        .await;
    let second = expanded().await;
    std::fs::write(&file, "kind: [").unwrap();
    server.wait_for_log("kept the last good store").await;
    assert_eq!(expanded().await, second);
}

#[tokio::test]
async fn contents_and_environment_never_reach_the_log() {
    let mut world = start(&["--log-level=trace"]).await;
    let mut pod = objects::pod(
        "default",
        "web",
        &gmsa(Some("gmsa-webapp1"), Some("{\"PluginInput\":\"hunter2-contents\"}")),
    );
    pod["spec"]["containers"][0]["env"] =
        json!([{"name": "PASSWORD", "value": "hunter2-environment"}]);
    let response = world.https.review("/validate", &objects::review("default", &pod)).await;
    assert_eq!(response["status"]["code"], json!(422), "{response}");
    assert!(!response.to_string().contains("hunter2"), "{response}");
    world.server.wait_for_log("contents-mismatch").await;
    let log = world.server.log().join("\n");
    assert!(!log.contains("hunter2"), "{log}");
    drop(world.files);
}
