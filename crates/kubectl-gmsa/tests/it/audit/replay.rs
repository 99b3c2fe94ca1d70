//! The API server's paged answers replayed: one pod as a real API server lists it, 20,000 times.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use gmsa_testkit::shared;

use super::*;

const PODS: usize = 20_000;
/// In KiB.
const MOST: u64 = 100 * 1024;

struct Replay {
    plain: String,
    gmsa: String,
    spec: Value,
    child: Mutex<Option<u32>>,
    /// The child's peak memory in KiB, as of the last request; lists of roles come after the
    /// pods.
    peak: Mutex<u64>,
    pages: Mutex<usize>,
}

impl Replay {
    fn answer(&self, line: &str, body: &str) -> String {
        if let Some(child) = *self.child.lock().unwrap() {
            let status = std::fs::read_to_string(format!("/proc/{child}/status")).unwrap();
            let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
            let peak = peak.trim().trim_end_matches(" kB").parse().unwrap();
            *self.peak.lock().unwrap() = peak;
        }
        let (path, query) = line.split_once('?').unwrap_or((line, ""));
        let value =
            |key: &str| query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
        if path.ends_with("/pods") {
            *self.pages.lock().unwrap() += 1;
            let limit: usize = value("limit").unwrap().parse().unwrap();
            let from: usize = value("continue").map_or(0, |from| from.parse().unwrap());
            return self.pods(from, limit);
        }
        if path.ends_with("/gmsacredentialspecs") {
            return json!({"metadata": {}, "items": [self.spec]}).to_string();
        }
        if path.ends_with("/localsubjectaccessreviews") {
            let allowed = !body.contains("intruder");
            return json!({"apiVersion": "authorization.k8s.io/v1",
                "kind": "LocalSubjectAccessReview", "metadata": {}, "spec": {},
                "status": {"allowed": allowed}})
            .to_string();
        }
        json!({"metadata": {}, "items": []}).to_string()
    }

    /// A quarter use a GMSA, and a tenth of those without the right.
    fn pods(&self, from: usize, limit: usize) -> String {
        let to = (from + limit).min(PODS);
        let items: Vec<String> = (from..to)
            .map(|index| {
                let pod = if index % 4 == 0 { &self.gmsa } else { &self.plain };
                let account = if index % 40 == 0 {
                    "intruder".to_owned()
                } else {
                    format!("a{}", index % 50)
                };
                pod.replace("POD-NAME", &format!("pod-{index}")).replace("ACCOUNT", &account)
            })
            .collect();
        let next = if to < PODS { to.to_string() } else { String::new() };
        format!(
            "{{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{{\"continue\":\"{next}\"}},\"items\":[{}]}}",
            items.join(",")
        )
    }

    fn serve(&self, stream: TcpStream) {
        let mut writer = stream.try_clone().unwrap();
        let mut reader = BufReader::new(stream);
        loop {
            let (mut request, mut length) = (String::new(), 0);
            if reader.read_line(&mut request).unwrap_or(0) == 0 {
                return;
            }
            loop {
                let mut header = String::new();
                reader.read_line(&mut header).unwrap();
                let header = header.trim().to_lowercase();
                if let Some(value) = header.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if header.is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let path = request.split(' ').nth(1).unwrap();
            let answer = self.answer(path, &String::from_utf8(body).unwrap());
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                answer.len()
            );
            writer.write_all(head.as_bytes()).unwrap();
            writer.write_all(answer.as_bytes()).unwrap();
        }
    }
}

/// A pod as the real API server gives it in a list, with its fields and their managers.
async fn recorded(context: &Value) -> Option<String> {
    let cluster = shared::cluster("20,000 pods").await?;
    let namespace = cluster.namespace("audit").await;
    cluster.apply(&super::pod(&namespace, "recorded", "default", context)).await;
    let path = format!("/api/v1/namespaces/{namespace}/pods");
    let request = http::Request::get(path).body(Vec::new()).unwrap();
    let list: Value = cluster.client.request(request).await.unwrap();
    let mut pod = list["items"][0].clone();
    pod["metadata"]["name"] = json!("POD-NAME");
    pod["spec"]["serviceAccountName"] = json!("ACCOUNT");
    Some(pod.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_stays_under_100_mb_with_20000_pods() {
    let Some(gmsa) = recorded(&carried("webapp1", "WebApp1")).await else { return };
    let Some(plain) = recorded(&json!({})).await else { return };
    let replay = Arc::new(Replay {
        plain,
        gmsa,
        spec: objects::credential_spec("webapp1", "WebApp1"),
        child: Mutex::default(),
        peak: Mutex::default(),
        pages: Mutex::default(),
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = Arc::clone(&replay);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let server = Arc::clone(&server);
            let stream = stream.unwrap();
            std::thread::spawn(move || server.serve(stream));
        }
    });
    let files = tempfile::tempdir().unwrap();
    let kubeconfig = files.path().join("kubeconfig");
    write_kubeconfig(&kubeconfig, &format!("http://{address}"));
    let child = Command::new(env!("CARGO_BIN_EXE_kubectl-gmsa"))
        .env("KUBECONFIG", &kubeconfig)
        .args(["audit", "-o", "json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    *replay.child.lock().unwrap() = Some(child.id());
    let output = child.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["summary"]["pods"], PODS);
    assert_eq!(report["summary"]["gmsaPods"], PODS / 4);
    let without = report["findings"].as_array().unwrap().iter();
    let without = without.filter(|one| one["code"] == "pod-without-right").count();
    assert_eq!(without, PODS / 40);
    let (peak, pages) = (*replay.peak.lock().unwrap(), *replay.pages.lock().unwrap());
    assert!(pages > 10, "{pages} pages");
    assert!((1024..MOST).contains(&peak), "{peak} KiB at the peak");
    println!("{peak} KiB at the peak, {pages} pages");
}

fn write_kubeconfig(path: &Path, server: &str) {
    let kubeconfig = json!({"apiVersion": "v1", "kind": "Config",
        "clusters": [{"name": "replay", "cluster": {"server": server}}],
        "users": [{"name": "replay", "user": {}}],
        "contexts": [{"name": "replay", "context": {"cluster": "replay", "user": "replay"}}],
        "current-context": "replay"});
    std::fs::write(path, kubeconfig.to_string()).unwrap();
}
