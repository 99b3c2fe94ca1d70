//! The benchmark of `make bench`: the server against the floor, on AdmissionReviews over one HTTP/2
//! connection with 16 streams, as an API server behaves. Writes docs/benchmarks.md.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a measurement that fails, fails loudly"
)]

#[path = "load/page.rs"]
mod page;
#[path = "load/run.rs"]
mod run;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gmsa_testkit::control_plane::{ControlPlane, Options};
use gmsa_testkit::https::Https;
use gmsa_testkit::objects;
use gmsa_testkit::pki::Authority;
use gmsa_testkit::process::eventually;
use gmsa_testkit::server::Server;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, PostParams};
use serde_json::{Value, json};

use page::{Loads, Results};
use run::{Load, Measured, compare, measure, median};

/// What is sent: the path, and the name of the body.
const LOADS: [(&str, &str); 3] =
    [("/mutate", "mutate"), ("/validate", "validate"), ("/validate", "plain")];
const SPEC: &str = "load-webapp1";
const NAMESPACE: &str = "load";
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

#[tokio::main]
async fn main() {
    let programs = PathBuf::from(std::env::args().nth(1).expect("the directory of the programs"));
    let quick = std::env::args().nth(2).as_deref() == Some("--quick");
    let plane = ControlPlane::start_private("make bench", Options::default())
        .await
        .expect("make bench needs the control plane: run `make control-plane`");
    let client = plane.client().await;
    prepare(&client).await;
    let files = tempfile::tempdir().unwrap();
    let authority = Authority::new("bench");
    let world = World { programs, plane, client, authority, files };

    let seconds = 2;
    let (rounds, times) = if quick { (1, 1) } else { (9, 5) };
    let one = world.with_one(rounds, seconds).await;
    let after_million = world.memory_after(if quick { 50_000 } else { 1_000_000 }).await;
    world.fill(1..1_000).await;
    let ready = world.time_to_ready(times).await;
    world.fill(1_000..10_000).await;
    let (many, many_memory) = world.with_many(rounds, seconds).await;
    let review = median(
        (0..times).map(|_| review_of_ten_thousand(&world.programs, world.files.path())).collect(),
    );
    let results = Results { one, after_million, ready, many, many_memory, review };
    let page = results.page(world.plane.version());
    eprintln!("{page}");
    if !quick {
        std::fs::write(Path::new(ROOT).join("docs/benchmarks.md"), page).unwrap();
    }
}

struct World {
    programs: PathBuf,
    plane: ControlPlane,
    client: kube::Client,
    authority: Authority,
    files: tempfile::TempDir,
}

fn body(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("benches/data/review-{name}.json"))
}

impl World {
    async fn server(&self) -> Server {
        let pair = self.authority.server(&["localhost"]);
        let (certificate, key) = pair.write(self.files.path(), "server");
        let own = [
            format!("--kubeconfig={}", self.plane.kubeconfig_path().display()),
            format!("--tls-cert={}", certificate.display()),
            format!("--tls-key={}", key.display()),
        ];
        let args: Vec<&str> = own.iter().map(String::as_str).collect();
        let program = self.programs.join("gmsa-webhook");
        let server = Server::start(program.to_str().unwrap(), &args, &[]).await;
        server.ready(self.authority.pem()).await;
        server
    }

    async fn floor(&self) -> (std::process::Child, u16) {
        let pair = self.authority.server(&["localhost"]);
        let (certificate, key) = pair.write(self.files.path(), "floor");
        let port = gmsa_testkit::process::free_port();
        let child = std::process::Command::new(self.programs.join("examples/floor"))
            .arg(format!("127.0.0.1:{port}"))
            .args([certificate, key])
            .spawn()
            .unwrap();
        let https = Https::new(([127, 0, 0, 1], port).into(), self.authority.pem());
        eventually("the floor answers", Duration::from_secs(10), || async {
            https.get("/readyz").await.ok().map(drop)
        })
        .await;
        (child, port)
    }

    /// Measures server and floor in turns, with the same bodies.
    async fn against_the_floor(&self, server: &Server, rounds: usize, seconds: u32) -> Loads {
        let (mut floor, floor_port) = self.floor().await;
        let port = server.https.port();
        let mut floors: [Vec<Measured>; 3] = Default::default();
        let mut own: [Vec<Measured>; 3] = Default::default();
        for _ in 0..rounds {
            for (index, (path, name)) in LOADS.into_iter().enumerate() {
                let load = |port| Load { port, path, body: body(name), seconds };
                floors[index].push(measure(&load(floor_port), floor.id()));
                self.warm(server).await;
                own[index].push(measure(&load(port), server.pid()));
            }
        }
        floor.kill().unwrap();
        floor.wait().unwrap();
        Loads([0, 1, 2].map(|index| {
            (compare(&floors[index], &floors[index]), compare(&own[index], &floors[index]))
        }))
    }

    async fn with_one(&self, rounds: usize, seconds: u32) -> Loads {
        let server = self.server().await;
        self.warm(&server).await;
        self.against_the_floor(&server, rounds, seconds).await
    }

    /// Waits until a right is remembered.
    async fn warm(&self, server: &Server) {
        let https = Https::new(server.https, self.authority.pem());
        let review: Value =
            serde_json::from_slice(&std::fs::read(body("validate")).unwrap()).unwrap();
        let sample = r#"gmsa_access_reviews_total{result="allowed",source="cache"}"#;
        eventually("the right is remembered", Duration::from_secs(20), || async {
            let before = server.metric(sample).await;
            let answer = https.review("/validate", &review).await;
            assert_eq!(answer["allowed"], json!(true), "{answer}");
            (server.metric(sample).await > before).then_some(())
        })
        .await;
    }

    /// Resident memory after this many requests.
    async fn memory_after(&self, requests: u32) -> u64 {
        let server = self.server().await;
        self.warm(&server).await;
        run::send(server.https.port(), "/validate", &body("validate"), requests);
        server.resident_memory()
    }

    async fn fill(&self, numbers: std::ops::Range<usize>) {
        let api: Api<DynamicObject> = Api::all_with(
            self.client.clone(),
            &gmsa_cluster::api::objects::kinds::CREDENTIAL_SPEC.resource(),
        );
        let numbers: Vec<usize> = numbers.collect();
        for chunk in numbers.chunks(50) {
            let params = PostParams::default();
            let creating = chunk.iter().map(|number| {
                let object = objects::credential_spec(&format!("spec-{number}"), "WebApp1");
                let object: DynamicObject = serde_json::from_value(object).unwrap();
                let (api, params) = (&api, &params);
                async move { api.create(params, &object).await.map(drop) }
            });
            for created in futures::future::join_all(creating).await {
                created.unwrap();
            }
        }
    }

    /// From the start of the process to the first 200 of /readyz, the median.
    async fn time_to_ready(&self, times: usize) -> Duration {
        let mut took = Vec::new();
        for _ in 0..times {
            let began = Instant::now();
            let server = self.server().await;
            took.push(began.elapsed());
            drop(server);
        }
        median(took)
    }

    async fn with_many(&self, rounds: usize, seconds: u32) -> (Loads, u64) {
        let server = self.server().await;
        self.warm(&server).await;
        let memory = server.resident_memory();
        let loads = self.against_the_floor(&server, rounds, seconds).await;
        (loads, memory.max(server.resident_memory()))
    }
}

fn review_of_ten_thousand(programs: &Path, files: &Path) -> Duration {
    let mut text =
        std::fs::read_to_string(Path::new(ROOT).join("examples/1-credential-spec.yaml")).unwrap();
    let deployment =
        std::fs::read_to_string(Path::new(ROOT).join("examples/4-deployment-pod-level.yaml"))
            .unwrap();
    for number in 0..10_000 {
        text += "---\n";
        text += &deployment.replace("name: web", &format!("name: web-{number}"));
    }
    let file = files.join("many.yaml");
    std::fs::write(&file, text).unwrap();
    let began = Instant::now();
    let output = std::process::Command::new(programs.join("kubectl-gmsa"))
        .args(["review", "-o", "json", "-f"])
        .arg(&file)
        .output()
        .unwrap();
    let took = began.elapsed();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["summary"]["denied"], json!(10_000));
    took
}

async fn prepare(client: &kube::Client) {
    let resource = |api_version: &str, kind: &str, plural: &str| {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        ApiResource {
            group: group.to_owned(),
            version: version.to_owned(),
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
        }
    };
    let definition = json!(gmsa_cluster::installation::definition::definition());
    let rbac = "rbac.authorization.k8s.io/v1";
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    for (object, plural) in [
        (definition, "customresourcedefinitions"),
        (objects::credential_spec(SPEC, "WebApp1"), "gmsacredentialspecs"),
        (namespace, "namespaces"),
        (objects::role(SPEC), "clusterroles"),
        (objects::binding(SPEC, NAMESPACE, "web"), "rolebindings"),
    ] {
        let text = |key: &str| object[key].as_str().unwrap();
        let resource = resource(text("apiVersion"), text("kind"), plural);
        let api: Api<DynamicObject> = if plural == "rolebindings" {
            Api::namespaced_with(client.clone(), NAMESPACE, &resource)
        } else {
            Api::all_with(client.clone(), &resource)
        };
        assert!(plural != "rolebindings" || text("apiVersion") == rbac);
        let object: DynamicObject = serde_json::from_value(object.clone()).unwrap();
        eventually("the object is created", Duration::from_secs(20), || async {
            api.create(&PostParams::default(), &object).await.ok().map(drop)
        })
        .await;
    }
}
