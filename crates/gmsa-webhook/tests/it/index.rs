//! The index of credential specs in a real API server, kept by servers with the rights that an
//! installation gives them.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use gmsa_cluster::api::apply::Applier;
use gmsa_cluster::api::objects::kinds;
use gmsa_cluster::installation::{self, Engine, Version};
use gmsa_core::credspec::canonical_json;
use gmsa_core::index::{Index, LIMIT};
use gmsa_core::names::{INDEX, INDEX_KEEPER, INDEX_LEFT_OUT, NAME};
use gmsa_testkit::control_plane::{ControlPlane, Options};
use gmsa_testkit::https::Https;
use gmsa_testkit::objects;
use gmsa_testkit::pki::Authority;
use gmsa_testkit::process::eventually;
use gmsa_testkit::server::Server;
use k8s_openapi::api::core::v1::{Event, Namespace, ServiceAccount};
use kube::api::{
    Api, DeleteParams, DynamicObject, ListParams, PostParams, WatchEvent, WatchParams,
};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};

use crate::support::{PROGRAM, SOON};

/// A control plane whose server keeps the index, with the rights of an installation.
struct World {
    plane: ControlPlane,
    client: Client,
    applier: Applier,
    authority: Authority,
    kubeconfig: PathBuf,
}

impl World {
    /// Everything that the policy engine has in a cluster, but for the policies themselves: an older API
    /// server does not have their kinds.
    async fn new(test: &str) -> Option<Self> {
        let plane = ControlPlane::start_private(test, Options::default()).await?;
        let client = plane.client().await;
        let applier = Applier::new(client.clone(), "test", true);
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": NAME, "namespace": NAME}});
        let world = Self {
            kubeconfig: PathBuf::new(),
            authority: Authority::new("test"),
            plane,
            client,
            applier,
        };
        let wanted = |object: &Value| {
            let kind = object["kind"].as_str().unwrap();
            ["Namespace", "CustomResourceDefinition"].contains(&kind) || kind.contains("Role")
        };
        for object in base().into_iter().filter(wanted).chain([account]) {
            world.apply(&object).await;
        }
        let accounts: Api<ServiceAccount> = Api::namespaced(world.client.clone(), NAME);
        eventually("the service account exists", SOON, || async {
            accounts.get_opt(NAME).await.unwrap()
        })
        .await;
        let kubeconfig = world.plane.token_kubeconfig(NAME, NAME).await;
        Some(Self { kubeconfig, ..world })
    }

    async fn apply(&self, object: &Value) {
        let what = format!("{} is applied", object["metadata"]["name"]);
        eventually(&what, SOON, || async { self.applier.apply(object).await.ok() }).await;
    }

    /// A server that keeps the index; it may not be ready yet.
    async fn server(&self) -> Server {
        let pair = self.authority.server(&["localhost", "127.0.0.1"]);
        let (certificate, key) = pair.write(self.plane.dir(), "webhook");
        let flags = [
            format!("--kubeconfig={}", self.kubeconfig.display()),
            format!("--tls-cert={}", certificate.display()),
            format!("--tls-key={}", key.display()),
            format!("--namespace={NAME}"),
            "--index".to_owned(),
        ];
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        Server::start(PROGRAM, &flags, &[]).await
    }

    async fn ready(&self, server: &Server) {
        server.ready(self.authority.pem()).await;
    }

    fn specs(&self) -> Api<DynamicObject> {
        Api::all_with(self.client.clone(), &kinds::CREDENTIAL_SPEC.resource())
    }

    fn indexes(&self) -> Api<DynamicObject> {
        Api::all_with(self.client.clone(), &kinds::INDEX.resource())
    }

    async fn create(&self, name: &str, account: &str) {
        let object = objects::credential_spec(name, account);
        self.specs().create(&PostParams::default(), &dynamic(&object)).await.unwrap();
    }

    async fn delete(&self, name: &str) {
        self.specs().delete(name, &DeleteParams::default()).await.unwrap();
    }

    async fn index(&self) -> Option<Index> {
        let found = self.indexes().get_opt(INDEX).await.ok()??;
        Some(Index::read(&found.data))
    }

    /// Waits until the index is what the credential specs are.
    async fn agrees(&self) -> Index {
        eventually("the index is what the credential specs are", SOON, || async {
            let specs = self.specs().list(&ListParams::default()).await.unwrap();
            let wanted: BTreeMap<String, Option<String>> = specs
                .items
                .iter()
                .map(|spec| {
                    let contents = spec.data.get("credspec");
                    let contents =
                        contents.filter(|one| one.as_object().is_some_and(|o| !o.is_empty()));
                    (spec.name_any(), contents.map(canonical_json))
                })
                .collect();
            let index = self.index().await?;
            let names: BTreeSet<&String> = index.entries.keys().collect();
            let all = wanted
                .iter()
                .all(|(name, contents)| index.contents(name).as_ref() == Some(contents));
            (all && names == wanted.keys().collect()).then_some(index)
        })
        .await
    }
}

/// What an installation of the policy engine has without its policies.
fn base() -> Vec<Value> {
    let options = installation::Options { engine: Engine::Policy, ..Default::default() };
    installation::objects(&options, Version(1, 36)).base
}

fn dynamic(object: &Value) -> DynamicObject {
    serde_json::from_value(object.clone()).unwrap()
}

#[tokio::test]
async fn the_index_follows_the_credential_specs_and_repairs_itself() {
    let test = "the_index_follows_the_credential_specs_and_repairs_itself";
    let Some(mut world) = World::new(test).await else { return };
    // Without its definition the server says what is missing, and goes on trying.
    let definitions: Api<DynamicObject> =
        Api::all_with(world.client.clone(), &kinds::DEFINITION.resource());
    let definition = base().into_iter().find(|one| one["spec"]["names"]["kind"] == "GMSAIndex");
    let definition = definition.unwrap();
    let name = definition["metadata"]["name"].as_str().unwrap();
    definitions.delete(name, &DeleteParams::default()).await.unwrap();
    let gone = || async { definitions.get_opt(name).await.unwrap().is_none().then_some(()) };
    eventually("the definition is gone", SOON, gone).await;
    let mut server = world.server().await;
    server.wait_for_log("the definition of the index is missing").await;
    let https = Https::new(server.https, world.authority.pem());
    let answer = https.get("/readyz").await.unwrap();
    assert_eq!(answer.status, 503);
    assert!(answer.text().contains("`kubectl gmsa install` makes it"), "{}", answer.text());
    world.apply(&definition).await;
    world.ready(&server).await;
    assert_eq!(world.agrees().await.entries.len(), 0);

    world.create("one", "Web1").await;
    world.create("two", "Web2").await;
    // API servers of old refuse an empty text in a map, which only the policy engine's get.
    let has_empty = world.plane.at_least(1, 36);
    if has_empty {
        let mut bare = objects::credential_spec("bare", "Web3");
        bare["credspec"] = json!({});
        world.specs().create(&PostParams::default(), &dynamic(&bare)).await.unwrap();
    }
    let bare = usize::from(has_empty);
    let index = world.agrees().await;
    assert_eq!((index.templates.len(), index.entries.len()), (1, 2 + bare));
    // A change, and an end.
    let mut changed = objects::credential_spec("two", "Web4");
    changed["credspec"]["CmsPlugins"] = json!(["ActiveDirectory", "<more>"]);
    world.apply(&changed).await;
    world.delete("one").await;
    let index = world.agrees().await;
    assert_eq!((index.templates.len(), index.entries.len()), (0, 1 + bare));

    // What changes no contents is not written.
    eventually("nothing waits", SOON, || async {
        (server.metric("gmsa_index_behind_seconds{}").await == 0.0).then_some(())
    })
    .await;
    let before = server.metric(r#"gmsa_index_writes_total{result="success"}"#).await;
    let seen = server.metric("gmsa_index_lag_seconds_count{}").await;
    changed["metadata"]["labels"] = json!({"a": "b"});
    world.apply(&changed).await;
    eventually("the change is seen", SOON, || async {
        (server.metric("gmsa_index_lag_seconds_count{}").await > seen).then_some(())
    })
    .await;
    assert_eq!(server.metric(r#"gmsa_index_writes_total{result="success"}"#).await, before);

    // What others change is undone, and what they delete is made again.
    let indexes = world.indexes();
    let mut forged = indexes.get(INDEX).await.unwrap();
    forged.data["entries"]["two"] = json!("{}");
    forged.data["entries"]["made-up"] = json!("{}");
    indexes.replace(INDEX, &PostParams::default(), &forged).await.unwrap();
    world.agrees().await;
    indexes.delete(INDEX, &DeleteParams::default()).await.unwrap();
    world.agrees().await;
    definitions.delete(name, &DeleteParams::default()).await.unwrap();
    eventually("the definition is gone", SOON, gone).await;
    world.apply(&definition).await;
    world.agrees().await;

    // The API server away and back, and another server in the place of this one.
    world.plane.stop_api_server();
    world.plane.start_api_server().await;
    world.client = world.plane.client().await;
    world.create("later", "Web5").await;
    world.agrees().await;
    drop(server);
    world.delete("later").await;
    let server = world.server().await;
    world.ready(&server).await;
    world.agrees().await;
    assert_eq!(server.metric("gmsa_index_entries{}").await.to_string(), (1 + bare).to_string());
}

/// Each version of the index, in order, as long as it is asked for.
async fn versions(api: Api<DynamicObject>, seen: Arc<parking_lot::Mutex<Vec<Index>>>) {
    let start = api.list(&ListParams::default()).await.unwrap();
    let mut version = start.metadata.resource_version.unwrap();
    loop {
        let events = api.watch(&WatchParams::default(), &version).await.unwrap().boxed();
        let mut events = events;
        while let Ok(Some(event)) = events.try_next().await {
            if let WatchEvent::Added(object) | WatchEvent::Modified(object) = event {
                version = object.resource_version().unwrap();
                seen.lock().push(Index::read(&object.data));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_keep_one_index_and_what_is_in_it_stays() {
    let test = "replicas_keep_one_index_and_what_is_in_it_stays";
    let Some(world) = World::new(test).await else { return };
    let servers = [world.server().await, world.server().await, world.server().await];
    for server in &servers {
        world.ready(server).await;
    }
    let seen = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let watching = tokio::spawn(versions(world.indexes(), Arc::clone(&seen)));
    // Half of what is created is deleted again; a replica is killed in between.
    let mut servers = servers.into_iter();
    let world = &world;
    let change = |number: usize| async move {
        world.create(&format!("stays-{number}"), &format!("Web{number}")).await;
        world.create(&format!("goes-{number}"), &format!("Web{number}")).await;
        world.delete(&format!("goes-{number}")).await;
    };
    stream::iter(0..60).for_each_concurrent(8, change).await;
    drop(servers.next());
    stream::iter(60..120).for_each_concurrent(8, change).await;
    let index = world.agrees().await;
    assert_eq!(index.entries.len(), 120);
    eventually("the watch has shown the last version", SOON, || async {
        seen.lock().last().is_some_and(|last| last.is_same(&index)).then_some(())
    })
    .await;
    watching.abort();
    let mut known: HashSet<&String> = HashSet::new();
    let seen: Vec<Index> = seen.lock().clone();
    for version in &seen {
        let now: HashSet<&String> =
            version.entries.keys().filter(|name| name.starts_with("stays")).collect();
        let lost: Vec<_> = known.difference(&now).collect();
        assert!(lost.is_empty(), "a replica that was behind took out {lost:?}");
        known = now;
    }
    // Changes that come together are written together.
    assert!(seen.len() < 360, "{} versions", seen.len());
    for server in servers {
        assert_eq!(server.metric(r#"gmsa_index_writes_total{result="failed"}"#).await, 0.0);
        // Its own watch may still have to show what another replica has written.
        eventually("no change is outstanding", SOON, || async {
            (server.metric("gmsa_index_behind_seconds{}").await == 0.0).then_some(())
        })
        .await;
    }
}

/// Contents that share nothing with others', of about this many bytes.
fn large(name: &str, bytes: usize) -> Value {
    let mut object = objects::credential_spec(name, "Web");
    object["credspec"]["ActiveDirectoryConfig"]["HostAccountConfig"] =
        json!({"PluginInput": format!("{name}{}", "x".repeat(bytes))});
    object
}

#[tokio::test]
async fn what_does_not_fit_is_left_out_and_said() {
    let Some(world) = World::new("what_does_not_fit_is_left_out_and_said").await else { return };
    let mut server = world.server().await;
    world.ready(&server).await;
    let create = async |name: &str| {
        let object = large(name, 30_000);
        world.specs().create(&PostParams::default(), &dynamic(&object)).await.unwrap();
    };
    for number in 0..45 {
        create(&format!("old-{number:02}")).await;
    }
    let index = world.agrees().await;
    assert!(index.bytes > LIMIT * 9 / 10 && index.bytes <= LIMIT, "{}", index.bytes);
    let event = async |reason: &str| {
        let events: Api<Event> = Api::namespaced(world.client.clone(), NAME);
        eventually(reason, SOON, || async {
            let found = events.list(&ListParams::default()).await.unwrap().items;
            found.into_iter().find(|event| event.reason.as_deref() == Some(reason))?.message
        })
        .await
    };
    assert!(event("IndexNearlyFull").await.contains("of 1400000 bytes"));
    // The next ones are younger by a second at least, which is what a time has.
    let first = world.specs().get("old-44").await.unwrap().creation_timestamp().unwrap();
    eventually("a second is over", SOON, || async {
        (k8s_openapi::jiff::Timestamp::now().as_second() > first.0.as_second()).then_some(())
    })
    .await;
    for name in ["a-new", "b-new", "c-new"] {
        create(name).await;
    }
    eventually("the new ones are left out", SOON, || async {
        (server.metric("gmsa_index_left_out{}").await == 3.0).then_some(())
    })
    .await;
    let left_out = world.indexes().get(INDEX).await.unwrap();
    assert_eq!(left_out.annotations()[INDEX_LEFT_OUT], "a-new, b-new, c-new");
    let kept = Index::read(&left_out.data);
    assert!(kept.entries.len() == 45 && kept.contents("a-new").is_none());
    let said = event("IndexFull").await;
    assert!(said.starts_with("credential specs are not in the index"), "{said}");
    assert!(said.contains("a-new") && said.contains("--engine=webhook"), "{said}");
    server.wait_for_log("IndexFull").await;
    assert!(!server.log().join("\n").contains("xxxx"), "contents in the log");
    // Room for them.
    for number in 0..14 {
        world.delete(&format!("old-{number:02}")).await;
    }
    let index = world.agrees().await;
    assert_eq!(index.entries.len(), 34);
    let object = world.indexes().get(INDEX).await.unwrap();
    assert!(!object.annotations().contains_key(INDEX_LEFT_OUT));
    event("IndexFits").await;
}

/// Registers what an installation of the policy engine registers, with the address of the server.
async fn register(world: &World, server: &Server) {
    let options = installation::Options { engine: Engine::Policy, ..Default::default() };
    let webhooks = installation::objects(&options, Version(1, 36)).webhooks;
    let [configuration] = webhooks.as_slice() else { panic!("{webhooks:?}") };
    assert_eq!(configuration["metadata"]["name"], INDEX_KEEPER);
    let mut configuration = configuration.clone();
    let ca = k8s_openapi::ByteString(world.authority.pem().as_bytes().to_vec());
    let webhook = &mut configuration["webhooks"][0];
    assert_eq!(webhook["failurePolicy"], "Ignore", "it must never block a credential spec");
    let path = webhook["clientConfig"]["service"]["path"].as_str().unwrap();
    let url = format!("https://localhost:{}{path}", server.https.port());
    webhook["clientConfig"] = json!({"url": url, "caBundle": ca});
    world.apply(&configuration).await;
}

#[tokio::test]
async fn a_new_credential_spec_is_in_the_index_before_it_is_stored() {
    let test = "a_new_credential_spec_is_in_the_index_before_it_is_stored";
    let Some(world) = World::new(test).await else { return };
    let server = world.server().await;
    world.ready(&server).await;
    register(&world, &server).await;
    let asked = r#"gmsa_admission_requests_total{endpoint="index-credspec",operation="create",decision="allowed",code="200"}"#;
    let number = AtomicUsize::new(0);
    eventually("the webhook is asked", SOON, || async {
        world.create(&format!("try-{}", number.fetch_add(1, Ordering::Relaxed)), "Web").await;
        (server.metric(asked).await > 0.0).then_some(())
    })
    .await;
    // Without waiting, each time.
    for number in 0..10 {
        let name = format!("new-{number}");
        world.create(&name, "Web").await;
        let index = world.index().await.unwrap();
        assert!(index.contents(&name).is_some(), "{name}");
    }
    world.agrees().await;
    // Nothing is written for a dry run, for a change, or for what exists.
    let https = Https::new(server.https, world.authority.pem());
    let ask = async |operation: &str, name: &str, dry_run: bool| {
        let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": {"uid": "u", "operation": operation, "dryRun": dry_run, "name": name,
                "kind": {"group": "windows.k8s.io", "version": "v1", "kind": "GMSACredentialSpec"},
                "object": objects::credential_spec(name, "Other")}});
        let answer = https.post("/index-credspec", review.to_string()).await.unwrap().json();
        assert_eq!(answer["response"]["allowed"], true, "{answer}");
        world.index().await.unwrap()
    };
    assert!(ask("CREATE", "dry", true).await.contents("dry").is_none());
    assert!(ask("UPDATE", "updated", false).await.contents("updated").is_none());
    let before = world.index().await.unwrap().contents("new-0");
    assert_eq!(ask("CREATE", "new-0", false).await.contents("new-0"), before);
    // What is then refused by another is taken out again.
    assert!(ask("CREATE", "refused", false).await.contents("refused").is_some());
    world.agrees().await;
    // Without the server a credential spec is created all the same.
    let authority = world.authority.pem().to_owned();
    drop(server);
    world.create("alone", "Web").await;
    let server = world.server().await;
    server.ready(&authority).await;
    world.agrees().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_credential_specs_are_in_one_index() {
    let Some(world) = World::new("ten_thousand_credential_specs_are_in_one_index").await else {
        return;
    };
    fill(&world, 10_000).await;
    let server = world.server().await;
    world.ready(&server).await;
    let index = world.index().await.unwrap();
    assert_eq!((index.entries.len(), index.templates.len()), (10_000, 7));
    assert!(index.bytes < LIMIT / 2, "{}", index.bytes);
    world.create("one-more", "Web").await;
    eventually("one more is in it", SOON, || async {
        world.index().await.unwrap().contents("one-more")
    })
    .await;
    let memory = server.resident_memory();
    assert!(memory < 100 << 20, "{memory}");
}

/// So many credential specs of seven domains.
async fn fill(world: &World, count: usize) {
    let one = |number: usize| async move {
        let mut object =
            objects::credential_spec(&format!("spec-{number}"), &format!("gmsa{number}"));
        object["credspec"]["DomainJoinConfig"]["NetBiosName"] = json!(format!("D{}", number % 7));
        let object = dynamic(&object);
        eventually("it is created", SOON, || async {
            match world.specs().create(&PostParams::default(), &object).await {
                Ok(_) => Some(()),
                Err(kube::Error::Api(status)) if status.code == 409 => Some(()),
                Err(_) => None,
            }
        })
        .await;
    };
    stream::iter(0..count).for_each_concurrent(16, one).await;
}

/// For docs/engine.md: how long a change takes to be in the index, at a hundred changes a second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, not a test"]
async fn how_far_the_index_is_behind() {
    let Some(world) = World::new("how_far_the_index_is_behind").await else { return };
    for count in [100, 10_000] {
        fill(&world, count).await;
        let server = world.server().await;
        world.ready(&server).await;
        let buckets = async |server: &Server| {
            let page = gmsa_testkit::https::plain_get(server.metrics, "/metrics").await;
            page.lines()
                .filter(|line| line.starts_with("gmsa_index_lag_seconds"))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let start = Instant::now();
        for number in 0..2_000_u32 {
            let due = start + Duration::from_millis(10) * number;
            tokio::time::sleep_until(due.into()).await;
            let name = format!("change-{}", number % 50);
            let mut object = objects::credential_spec(&name, &format!("Web{number}"));
            object["credspec"]["DomainJoinConfig"]["NetBiosName"] = json!("D1");
            let (client, kubeconfig) = (world.client.clone(), kinds::CREDENTIAL_SPEC.resource());
            tokio::spawn(async move {
                let api: Api<DynamicObject> = Api::all_with(client, &kubeconfig);
                let params = kube::api::PatchParams::apply("test").force();
                let _ = api.patch(&name, &params, &kube::api::Patch::Apply(object)).await;
            });
        }
        println!("{count} credential specs, 100 changes a second for {:?}", start.elapsed());
        for line in buckets(&server).await {
            println!("{line}");
        }
        let writes = server.metric(r#"gmsa_index_writes_total{result="success"}"#).await;
        println!("{writes} writes");
        let namespaces: Api<Namespace> = Api::all(world.client.clone());
        namespaces.list(&ListParams::default()).await.unwrap();
    }
}
