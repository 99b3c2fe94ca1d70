//! `kubectl gmsa review --cluster` against a stand-in for an API server whose lists take their time.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use crate::support::{plugin, ran};
use serde_json::{Value, json};
use tempfile::TempDir;

const SPECS: &str = "/apis/windows.k8s.io/v1/gmsacredentialspecs";
/// What a list takes in a large cluster.
const LIST: Duration = Duration::from_millis(500);

/// Starts the stand-in, and writes a kubeconfig that leads there, to the namespace `shop`.
fn cluster() -> (TempDir, PathBuf) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            std::thread::spawn(move || serve(stream));
        }
    });
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = directory.path().join("kubeconfig");
    let text = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "here",
        "clusters": [{"name": "here", "cluster": {"server": format!("http://{address}")}}],
        "users": [{"name": "here"}],
        "contexts": [{"name": "here",
            "context": {"cluster": "here", "user": "here", "namespace": "shop"}}],
    });
    std::fs::write(&kubeconfig, text.to_string()).unwrap();
    (directory, kubeconfig)
}

/// Answers the requests of one connection.
fn serve(mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let (mut first, mut length) = (String::new(), 0);
        if reader.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let line = line.trim().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let target = first.split(' ').nth(1).unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if query.contains("watch=") {
            // Nothing happens until the client goes.
            continue;
        }
        let (status, answer) = answer(path, &body);
        let answer = answer.to_string();
        let head = format!(
            "HTTP/1.1 {status} Any\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            answer.len()
        );
        if stream.write_all(format!("{head}{answer}").as_bytes()).is_err() {
            return;
        }
    }
}

/// There is one credential spec, and everybody in the namespace `shop` may use it.
fn answer(path: &str, body: &[u8]) -> (u16, Value) {
    let spec = json!({"apiVersion": "windows.k8s.io/v1", "kind": "GMSACredentialSpec",
        "metadata": {"name": "webapp", "resourceVersion": "1"},
        "credspec": {"CmsPlugins": ["ActiveDirectory"]}});
    if path == SPECS {
        std::thread::sleep(LIST);
        let list = json!({"apiVersion": "windows.k8s.io/v1", "kind": "GMSACredentialSpecList",
            "metadata": {"resourceVersion": "1"}, "items": [spec]});
        return (200, list);
    }
    if let Some(name) = path.strip_prefix(SPECS) {
        let name = name.trim_start_matches('/');
        if name == "webapp" {
            return (200, spec);
        }
        let status = json!({"apiVersion": "v1", "kind": "Status", "status": "Failure",
            "reason": "NotFound", "code": 404, "message": "not found",
            "details": {"name": name, "group": "windows.k8s.io", "kind": "gmsacredentialspecs"}});
        return (404, status);
    }
    if let Some(path) = path.strip_prefix("/apis/admissionregistration.k8s.io/v1/") {
        // A webhook without a selector, no guard and no policies.
        let webhook = json!({"name": "validate.gmsa.example.com", "rules": [{"apiGroups": [""],
            "resources": ["pods"], "operations": ["CREATE"]}]});
        let configuration = json!({"metadata": {"name": "gmsa"}, "webhooks": [webhook]});
        return match path {
            "validatingwebhookconfigurations" | "mutatingwebhookconfigurations" => {
                (200, json!({"metadata": {}, "items": [configuration]}))
            }
            _ => {
                let status = json!({"kind": "Status", "status": "Failure", "code": 404,
                    "reason": "NotFound", "message": "not found"});
                (404, status)
            }
        };
    }
    let reviews = "/apis/authorization.k8s.io/v1/namespaces/shop/localsubjectaccessreviews";
    let mut review: Value = serde_json::from_slice(body).unwrap_or_default();
    let may = path == reviews && review["spec"]["resourceAttributes"]["name"] == "webapp";
    review["status"] = json!({ "allowed": may });
    (201, review)
}

fn review(arguments: &[&str], name: &str) -> (i32, Value) {
    let (_directory, kubeconfig) = cluster();
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
        "spec": {"nodeSelector": {"kubernetes.io/os": "windows"}, "containers": [{"name": "iis"}],
        "securityContext": {"windowsOptions": {"gmsaCredentialSpecName": name}}}});
    let kubeconfig = kubeconfig.to_str().unwrap();
    let start = ["review", "-f", "-", "--cluster", "-o", "json", "--kubeconfig", kubeconfig];
    let ran = ran(plugin(&[&start, arguments].concat()).write_stdin(pod.to_string()));
    let report = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.stderr));
    (ran.code, report)
}

#[test]
fn objects_without_a_namespace_are_in_that_of_the_context() {
    let (code, report) = review(&[], "webapp");
    assert_eq!(code, 0, "{report}");
    assert_eq!(report["workloads"][0]["namespace"], json!("shop"));
    let (code, report) = review(&["-n", "other"], "webapp");
    assert_eq!(code, 1, "{report}");
    assert_eq!(report["workloads"][0]["namespace"], json!("other"));
}

#[test]
fn the_close_name_is_found_in_a_long_list() {
    let (code, report) = review(&[], "webap");
    assert_eq!(code, 1, "{report}");
    let message = report["workloads"][0]["places"][0]["denial"]["message"].as_str().unwrap();
    assert!(message.contains("did you mean \"webapp\""), "{message}");
}
