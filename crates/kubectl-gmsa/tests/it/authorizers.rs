//! Clusters with another authorizer beside RBAC: a real API server with two.

use std::time::Duration;

use crate::support::run_on;
use gmsa_testkit::control_plane::{ControlPlane, Options};
use gmsa_testkit::objects;
use gmsa_testkit::process::eventually;
use serde_json::{Value, json};

/// A second authorizer, as a cloud has one: it lets one service account use one credential spec and
/// has no opinion on anything else. Returns its address.
fn authorizer(user: &'static str, spec: &'static str) -> String {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let answer = move |stream: std::net::TcpStream| {
        let mut writer = stream.try_clone().unwrap();
        let mut reader = BufReader::new(stream);
        loop {
            let (mut length, mut line) = (0, String::new());
            while reader.read_line(&mut line).unwrap_or(0) > 2 {
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            if length == 0 || reader.read_exact(&mut body).is_err() {
                return;
            }
            let asked: Value = serde_json::from_slice(&body).unwrap();
            let of = &asked["spec"]["resourceAttributes"];
            let allowed =
                asked["spec"]["user"] == user && of["verb"] == "use" && of["name"] == spec;
            let body = json!({"apiVersion": "authorization.k8s.io/v1",
                "kind": "SubjectAccessReview", "status": {"allowed": allowed}})
            .to_string();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            if writer.write_all((head + &body).as_bytes()).is_err() {
                return;
            }
        }
    };
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream));
        }
    });
    address
}

#[tokio::test]
async fn a_second_authorizer_is_distinguished_from_the_roles() {
    let test = "a_second_authorizer_is_distinguished_from_the_roles";
    let files = tempfile::tempdir().unwrap();
    let config = files.path().join("authorizer");
    let address = authorizer("system:serviceaccount:default:web", "webapp1");
    let kubeconfig = json!({"apiVersion": "v1", "kind": "Config", "current-context": "a",
        "clusters": [{"name": "a", "cluster": {"server": address}}], "users": [{"name": "a"}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}]});
    std::fs::write(&config, kubeconfig.to_string()).unwrap();
    let options = Options {
        extra_api_server_args: vec![
            "--authorization-mode=RBAC,Webhook".to_owned(),
            format!("--authorization-webhook-config-file={}", config.display()),
            "--authorization-webhook-version=v1".to_owned(),
        ],
        ..Options::default()
    };
    let Some(plane) = ControlPlane::start_private(test, options).await else { return };
    let applier = gmsa_cluster::api::apply::Applier::new(plane.client().await, "test", true);
    let definition = json!(gmsa_cluster::installation::definition::definition());
    let gmsa = objects::gmsa(Some("webapp1"), None);
    let mut pod = objects::pod("default", "web", &gmsa);
    pod["spec"]["serviceAccountName"] = json!("web");
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": "web", "namespace": "default"}});
    for object in [
        definition,
        objects::credential_spec("webapp1", "WebApp1"),
        account,
        objects::deployment("default", "web", &pod),
    ] {
        eventually("the object is applied", Duration::from_secs(30), || async {
            applier.apply(&object).await.ok()
        })
        .await;
    }
    let kubeconfig = plane.kubeconfig_path();
    let ran = run_on(&kubeconfig, &["access"]);
    assert_eq!(
        ran.code, 0,
        "what is used is allowed, by RBAC or another authorizer: {}",
        ran.stderr
    );
    assert_eq!(
        ran.stderr,
        "warning: the roles and bindings say denied for service account default/web and webapp1, \
         but the API server says allowed: another authorizer decides too, or the roles have just \
         changed\n"
    );
    let told = "  default/web  allowed, used by Deployment web\n    \
                by the API server; by the roles and bindings it is denied\n";
    assert!(ran.stdout.contains(told), "{}", ran.stdout);
    let ran = run_on(&kubeconfig, &["access", "-o", "json"]);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    crate::schema::check("access-report", &report);
    assert_eq!(report["summary"]["differences"], json!(1));
    let entry = &report["access"][0];
    assert_eq!((&entry["verdict"], &entry["rbac"]), (&json!("allowed"), &json!("denied")));
    // The roles alone know nothing of it.
    let ran = run_on(&kubeconfig, &["access", "--no-verify"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
    let told = "default/web  denied, used by Deployment web";
    assert!(ran.stdout.contains(told), "{}", ran.stdout);

    // Nor can they take it away, which a revocation says.
    let ran = run_on(&kubeconfig, &["revoke", "webapp1", "--from", "default/web"]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("look for another authorizer"), "{}", ran.stdout);
}
