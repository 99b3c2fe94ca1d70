//! Traces, as a collector gets them.

use std::time::Duration;

use gmsa_testkit::https::Https;
use gmsa_testkit::objects::{self, gmsa};
use gmsa_testkit::server::Server;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const PROGRAM: &str = env!("CARGO_BIN_EXE_gmsa-webhook");
const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");
const SOON: Duration = Duration::from_secs(20);

/// Takes one export, and returns its head and its body.
fn collect(listener: TcpListener) -> JoinHandle<(String, Vec<u8>)> {
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut read = Vec::new();
        loop {
            let count = stream.read_buf(&mut read).await.unwrap();
            assert!(count > 0, "the export is cut off");
            let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") else {
                continue;
            };
            let head = String::from_utf8(read[..end].to_vec()).unwrap().to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.expect("a body of known length").parse().unwrap();
            let body = read[end + 4..].to_vec();
            if body.len() == length {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
                return (head, body);
            }
        }
    })
}

async fn admit_one_and_stop(collector: &str) {
    let files = tempfile::tempdir().unwrap();
    let ca = files.path().join("ca.pem");
    let args = [
        format!("--store={EXAMPLES}"),
        format!("--ca-file-out={}", ca.display()),
        format!("--otlp-endpoint={collector}"),
        "--drain=0".to_owned(),
    ];
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut server = Server::start(PROGRAM, &args, &[]).await;
    let pem = std::fs::read_to_string(&ca).unwrap();
    server.ready(&pem).await;
    let pod = objects::pod("default", "web", &gmsa(Some("gmsa-webapp1"), None));
    let https = Https::new(server.https, &pem);
    assert!(https.review("/mutate", &objects::review("default", &pod)).await["patch"].is_string());
    server.signal("TERM");
    assert!(tokio::time::timeout(SOON, server.ended()).await.expect("it ends").success());
}

#[tokio::test]
async fn an_admission_is_a_span_and_the_last_ones_are_sent_at_the_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let collector = collect(listener);
    admit_one_and_stop(&format!("http://{address}")).await;
    let (head, body) =
        tokio::time::timeout(SOON, collector).await.expect("an export comes").unwrap();
    assert!(head.starts_with("post /v1/traces http/1.1"), "{head}");
    assert!(head.contains(&format!("host: {address}")), "{head}");
    assert!(head.contains("content-type: application/x-protobuf"), "{head}");
    for words in ["gmsa-webhook", "mutate", "http.request.body.size"] {
        let found = body.windows(words.len()).any(|window| window == words.as_bytes());
        assert!(found, "{words} is not in {}", String::from_utf8_lossy(&body));
    }
}

#[tokio::test]
async fn a_missing_or_silent_collector_blocks_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    admit_one_and_stop(&format!("http://{address}")).await;
    drop(listener);
    admit_one_and_stop(&format!("http://{address}")).await;
}
