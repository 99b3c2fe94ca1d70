//! The control plane of the benchmark, and the servers in front of it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gmsa_testkit::control_plane::{ControlPlane, Options};
use gmsa_testkit::https::Https;
use gmsa_testkit::objects;
use gmsa_testkit::pki::Authority;
use gmsa_testkit::process::{eventually, free_port};
use gmsa_testkit::server::Server;
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, PostParams};
use serde_json::{Value, json};

use crate::measure::{Target, median};

pub(crate) const SPEC: &str = "load-webapp1";
pub(crate) const NAMESPACE: &str = "load";
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const SOON: Duration = Duration::from_secs(30);

/// The kind of the serving certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// As the server makes it.
    P256,
    Rsa2048,
}

/// The control plane, and certificates.
pub(crate) struct World {
    pub(crate) programs: PathBuf,
    pub(crate) plane: ControlPlane,
    pub(crate) client: kube::Client,
    pub(crate) authority: Authority,
    pub(crate) files: tempfile::TempDir,
}

/// A program that only this benchmark starts; killed when dropped.
pub(crate) struct Other(Child);

impl Other {
    pub(crate) fn start(command: &mut Command) -> Self {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(child.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The body of a request.
pub(crate) fn body(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("benches/data/review-{name}.json"))
}

impl World {
    pub(crate) async fn start(programs: &Path) -> Self {
        let plane = ControlPlane::start_private("make bench", Options::default())
            .await
            .expect("make bench needs the control plane: run `make control-plane`");
        let client = plane.client().await;
        let files = tempfile::tempdir().unwrap();
        let authority = Authority::new("bench");
        let world = Self { programs: programs.to_owned(), plane, client, authority, files };
        world.prepare().await;
        world
    }

    /// A certificate and key as files.
    pub(crate) fn certificate(&self, names: &[&str], key: Key) -> (PathBuf, PathBuf) {
        let name = names.join("-");
        match key {
            Key::P256 => self.authority.server(names).write(self.files.path(), &name),
            Key::Rsa2048 => {
                let files = [".crt", ".key"].map(|end| {
                    let name = format!("rsa-{name}{end}");
                    self.files.path().join(name)
                });
                let [certificate, key] = &files;
                let made = Command::new("openssl")
                    .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30"])
                    .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
                    .arg("-out")
                    .arg(certificate)
                    .arg("-keyout")
                    .arg(key)
                    .output()
                    .expect("openssl");
                assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
                (certificate.clone(), key.clone())
            }
        }
    }

    /// A client of a server with such a certificate. RSA certificates are their own authority, which no
    /// client takes for that of a server.
    fn https(&self, address: SocketAddr, key: Key) -> Https {
        match key {
            Key::P256 => Https::new(address, self.authority.pem()),
            Key::Rsa2048 => Https::trusting(address),
        }
    }

    /// A ready server of ours.
    pub(crate) async fn server(&self, program: &Path, key: Key, more: &[String]) -> Server {
        let (certificate, key_file) = self.certificate(&["localhost"], key);
        let mut own = vec![
            format!("--tls-cert={}", certificate.display()),
            format!("--tls-key={}", key_file.display()),
        ];
        if !more.iter().any(|arg| arg.starts_with("--store=")) {
            own.push(format!("--kubeconfig={}", self.plane.kubeconfig_path().display()));
        }
        let args: Vec<&str> = own.iter().chain(more).map(String::as_str).collect();
        let server = Server::start(program.to_str().unwrap(), &args, &[]).await;
        wait(&self.https(server.https, key)).await;
        server
    }

    /// The floor: the same stack, and a static answer.
    pub(crate) async fn floor(&self) -> (Other, Target) {
        let (certificate, key) = self.certificate(&["localhost"], Key::P256);
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut command = Command::new(self.programs.join("examples/floor"));
        let other = Other::start(command.arg(address.to_string()).args([certificate, key]));
        wait(&self.https(address, Key::P256)).await;
        let target = Target { address, pid: other.pid() };
        (other, target)
    }

    /// The webhook of kubernetes-sigs/windows-gmsa, whose client reads the files of a pod: it gets a
    /// mount namespace of its own, which takes root. Its client's throttle is raised.
    pub(crate) async fn peer(&self, program: &Path, key: Key) -> (Other, Target) {
        let (certificate, key_file) = self.certificate(&["localhost"], key);
        let account = self.files.path().join("account");
        std::fs::create_dir_all(&account).unwrap();
        std::fs::copy(self.plane.dir().join("ca.crt"), account.join("ca.crt")).unwrap();
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client.clone(), NAMESPACE);
        let request = TokenRequest::default();
        let token = accounts.create_token_request("peer", &PostParams::default(), &request).await;
        let token = token.unwrap().status.unwrap().token.unwrap();
        std::fs::write(account.join("token"), token).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let (host, port) = {
            let url = self.plane.url();
            let rest = url.trim_start_matches("https://");
            let (host, port) = rest.rsplit_once(':').unwrap();
            (host.to_owned(), port.to_owned())
        };
        let script = "d=/var/run/secrets/kubernetes.io/serviceaccount; mkdir -p $d && \
                      mount --bind \"$1\" $d && exec \"$2\"";
        let other = Other::start(
            Command::new("unshare")
                .args(["--mount", "sh", "-c", script, "sh"])
                .arg(&account)
                .arg(program)
                .env("KUBERNETES_SERVICE_HOST", host)
                .env("KUBERNETES_SERVICE_PORT", port)
                .env("TLS_CRT", &certificate)
                .env("TLS_KEY", &key_file)
                .env("HTTPS_PORT", address.port().to_string())
                .env("LOG_LEVEL", "error")
                .env("QPS", "100000")
                .env("BURST", "100000"),
        );
        let https = self.https(address, key);
        eventually("the peer answers", SOON, || async { https.get("/health").await.ok() }).await;
        let target = Target { address, pid: other.pid() };
        (other, target)
    }

    /// Waits until a server of ours remembers the right that the body of `/validate` needs.
    pub(crate) async fn warm(&self, server: &Server, key: Key) {
        let https = self.https(server.https, key);
        let review: Value =
            serde_json::from_slice(&std::fs::read(body("validate")).unwrap()).unwrap();
        let sample = r#"gmsa_access_reviews_total{result="allowed",source="cache"}"#;
        eventually("the right is remembered", SOON, || async {
            let before = server.metric(sample).await;
            let answer = https.review("/validate", &review).await;
            assert_eq!(answer["allowed"], json!(true), "{answer}");
            (server.metric(sample).await > before).then_some(())
        })
        .await;
    }

    /// Creates the credential specs that do not exist.
    pub(crate) async fn fill(&self, numbers: std::ops::Range<usize>) {
        let api: Api<DynamicObject> = Api::all_with(
            self.client.clone(),
            &gmsa_cluster::api::objects::kinds::CREDENTIAL_SPEC.resource(),
        );
        let numbers: Vec<usize> = numbers.collect();
        for chunk in numbers.chunks(50) {
            let params = PostParams::default();
            let creating = chunk.iter().map(|number| {
                let object: DynamicObject = serde_json::from_value(spec(*number)).unwrap();
                let (api, params) = (&api, &params);
                async move {
                    match api.create(params, &object).await {
                        Ok(_) => {}
                        Err(kube::Error::Api(status)) if status.code == 409 => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
            futures::future::join_all(creating).await;
        }
    }

    /// A directory with this many credential specs, and the right to use one, for `--store`.
    pub(crate) fn store(&self, count: usize) -> PathBuf {
        let directory = self.files.path().join("store");
        std::fs::create_dir(&directory).unwrap();
        let first = [
            objects::credential_spec(SPEC, "WebApp1"),
            objects::role(SPEC),
            objects::binding(SPEC, NAMESPACE, "web"),
        ];
        let mut text = String::new();
        for object in first.into_iter().chain((1..count).map(spec)) {
            text.push_str("---\n");
            text.push_str(&object.to_string());
            text.push('\n');
        }
        std::fs::write(directory.join("specs.yaml"), text).unwrap();
        directory
    }

    /// From the start of the process to the first 200 of /readyz, the median.
    pub(crate) async fn time_to_ready(&self, more: &[String], times: usize) -> Duration {
        let mut took = Vec::new();
        for _ in 0..times {
            let began = Instant::now();
            let server = self.server(&self.programs.join("gmsa-webhook"), Key::P256, more).await;
            took.push(began.elapsed());
            drop(server);
        }
        median(took)
    }

    async fn prepare(&self) {
        let mut definition =
            serde_json::to_value(gmsa_cluster::installation::definition::definition()).unwrap();
        definition["apiVersion"] = json!("apiextensions.k8s.io/v1");
        definition["kind"] = json!("CustomResourceDefinition");
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
        let account = |name: &str| json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}});
        // The peer reads credential specs and asks for rights.
        let peer = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": "peer"},
            "subjects": [{"kind": "ServiceAccount", "name": "peer", "namespace": NAMESPACE}],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                "name": "cluster-admin"}});
        for (object, plural, namespace) in [
            (definition, "customresourcedefinitions", None),
            (objects::credential_spec(SPEC, "WebApp1"), "gmsacredentialspecs", None),
            (namespace, "namespaces", None),
            (account("web"), "serviceaccounts", Some(NAMESPACE)),
            (account("peer"), "serviceaccounts", Some(NAMESPACE)),
            (peer, "clusterrolebindings", None),
            (objects::role(SPEC), "clusterroles", None),
            (objects::binding(SPEC, NAMESPACE, "web"), "rolebindings", Some(NAMESPACE)),
        ] {
            create(&self.client, &object, plural, namespace).await;
        }
    }
}

/// Creates an object, if it does not exist; waits until it can be.
pub(crate) async fn create(
    client: &kube::Client,
    object: &Value,
    plural: &str,
    namespace: Option<&str>,
) {
    let text = |key: &str| object[key].as_str().unwrap();
    let api_version = text("apiVersion");
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let resource = ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version: api_version.to_owned(),
        kind: text("kind").to_owned(),
        plural: plural.to_owned(),
    };
    let api: Api<DynamicObject> = match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    let object: DynamicObject = serde_json::from_value(object.clone()).unwrap();
    eventually("the object is created", SOON, || async {
        match api.create(&PostParams::default(), &object).await {
            Ok(_) => Some(()),
            Err(kube::Error::Api(status)) if status.code == 409 => Some(()),
            Err(_) => None,
        }
    })
    .await;
}

fn spec(number: usize) -> Value {
    objects::credential_spec(&format!("spec-{number}"), "WebApp1")
}

/// Waits until a server is ready, asking every millisecond.
async fn wait(https: &Https) {
    let end = Instant::now() + SOON;
    loop {
        if https.get("/readyz").await.is_ok_and(|answer| answer.status == http::StatusCode::OK) {
            return;
        }
        assert!(Instant::now() < end, "the server is not ready");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// `openssl s_server` with a certificate and key.
pub(crate) async fn openssl(pair: &(PathBuf, PathBuf)) -> (Other, Target) {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let other = Other::start(
        Command::new("openssl")
            .args(["s_server", "-www", "-accept", &address.to_string()])
            .arg("-cert")
            .arg(&pair.0)
            .arg("-key")
            .arg(&pair.1)
            // It sends two tickets for sessions otherwise, which cost it time.
            .args(["-num_tickets", "0", "-alpn", "http/1.1"]),
    );
    eventually("openssl listens", SOON, || async {
        tokio::net::TcpStream::connect(address).await.ok().map(drop)
    })
    .await;
    let target = Target { address, pid: other.pid() };
    (other, target)
}
