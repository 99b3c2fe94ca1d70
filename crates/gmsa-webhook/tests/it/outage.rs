//! The API server away and back, its watches cut and resumed.

use std::time::{Duration, Instant};

use gmsa_testkit::control_plane::{ControlPlane, Options};
use gmsa_testkit::https::Https;
use gmsa_testkit::objects::{self, gmsa};
use gmsa_testkit::pki::Authority;
use gmsa_testkit::process::eventually;
use gmsa_testkit::server::Server;
use gmsa_testkit::tcp_proxy::TcpProxy;
use kube::Api;
use kube::api::{DynamicObject, PostParams};
use serde_json::{Value, json};

use crate::support::{SOON, canonical};

fn expand(namespace: &str, spec: &str) -> Value {
    objects::review(namespace, &objects::pod(namespace, "p", &gmsa(Some(spec), None)))
}

fn judge(namespace: &str, spec: &str, account: &str) -> Value {
    let context = gmsa(Some(spec), Some(&canonical(account)));
    objects::review(namespace, &objects::pod(namespace, "p", &context))
}

#[tokio::test]
async fn the_api_server_goes_away_and_comes_back() {
    let name = "the_api_server_goes_away_and_comes_back";
    let Some(mut plane) = ControlPlane::start_private(name, Options::default()).await else {
        return;
    };
    let client = plane.client().await;
    let create = async |api: Api<DynamicObject>, object: &Value| {
        let object: DynamicObject = serde_json::from_value(object.clone()).unwrap();
        eventually("the object is created", SOON, || async {
            api.create(&PostParams::default(), &object).await.ok().map(drop)
        })
        .await;
    };
    let definition = json!(gmsa_cluster::installation::definition::definition());
    let resource = |group: &str, kind: &str, plural: &str| kube::api::ApiResource {
        group: group.to_owned(),
        version: "v1".to_owned(),
        api_version: format!("{group}/v1"),
        kind: kind.to_owned(),
        plural: plural.to_owned(),
    };
    let definitions =
        resource("apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions");
    create(Api::all_with(client.clone(), &definitions), &definition).await;
    let specs = Api::all_with(
        client.clone(),
        &gmsa_cluster::api::objects::kinds::CREDENTIAL_SPEC.resource(),
    );
    create(specs, &objects::credential_spec("web", "WebApp1")).await;
    let rbac = "rbac.authorization.k8s.io";
    let roles = resource(rbac, "ClusterRole", "clusterroles");
    create(Api::all_with(client.clone(), &roles), &objects::role("web")).await;
    let bindings = resource(rbac, "RoleBinding", "rolebindings");
    let binding = objects::binding("web", "default", "default");
    create(Api::namespaced_with(client.clone(), "default", &bindings), &binding).await;

    let files = tempfile::tempdir().unwrap();
    let authority = Authority::new("test");
    let (certificate, key) = authority.server(&["localhost"]).write(files.path(), "server");
    let kubeconfig = format!("--kubeconfig={}", plane.kubeconfig_path().display());
    let certificate = format!("--tls-cert={}", certificate.display());
    let key = format!("--tls-key={}", key.display());
    let args =
        [&kubeconfig, &certificate, &key, "--deadline=2", "--remember=1", "--early-warnings"];
    let server = Server::start(crate::support::PROGRAM, &args, &[]).await;
    server.ready(authority.pem()).await;
    let https = Https::new(server.https, authority.pem());
    let validate = async || https.review("/validate", &judge("default", "web", "WebApp1")).await;
    eventually("admitted", SOON, || async {
        (validate().await["allowed"] == json!(true)).then_some(())
    })
    .await;
    let remembered = Duration::from_secs(1);

    // A paused API server: no answer comes, and the deadline decides.
    plane.pause();
    tokio::time::sleep(remembered).await;
    let began = Instant::now();
    let answer = validate().await;
    assert!(began.elapsed() < Duration::from_secs(4), "it hung for {:?}", began.elapsed());
    assert_eq!(answer["status"]["code"], json!(504), "{answer}");
    let message = answer["status"]["message"].as_str().unwrap();
    assert!(message.contains("did not answer in time"), "{message}");
    // Who has less time is answered within it.
    let began = Instant::now();
    let hurried = https.review("/validate?timeout=1s", &judge("default", "web", "WebApp1")).await;
    assert!(began.elapsed() < Duration::from_millis(1500), "after {:?}", began.elapsed());
    assert_eq!(hurried["status"]["code"], json!(504), "{hurried}");
    let mutation = https.review("/mutate", &expand("default", "web")).await;
    assert!(mutation["patch"].is_string(), "the store still knows it: {mutation}");
    let pod = objects::pod("default", "p", &gmsa(Some("web"), None));
    let early = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u", "operation": "CREATE", "namespace": "default", "name": "web",
        "kind": {"group": "apps", "version": "v1", "kind": "Deployment"},
        "object": objects::deployment("default", "web", &pod)}});
    let early = https.review("/warn", &early).await;
    let said = early["warnings"][0].as_str().unwrap();
    assert!(said.starts_with("gmsa: could not be checked: the pod template"), "{early}");
    plane.resume();
    eventually("validation admits again", SOON, || async {
        (validate().await["allowed"] == json!(true)).then_some(())
    })
    .await;

    // Gone: refused at once, with the reason.
    plane.stop_api_server();
    tokio::time::sleep(remembered).await;
    let answer = validate().await;
    assert_eq!(answer["status"]["code"], json!(500), "{answer}");
    let message = answer["status"]["message"].as_str().unwrap();
    assert!(message.contains("failed to review the access"), "{message}");
    let unknown = https.review("/mutate", &expand("default", "never-seen")).await;
    assert_eq!(unknown["allowed"], json!(false), "{unknown}");
    plane.start_api_server().await;
    eventually("validation admits again", SOON, || async {
        (validate().await["allowed"] == json!(true)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_watch_is_cut_and_resumed() {
    let Some(world) = crate::support::world("a_watch_is_cut_and_resumed").await else { return };
    let proxy = TcpProxy::start(world.cluster.addr()).await;
    let kubeconfig = world.cluster.proxy_kubeconfig(proxy.address);
    let server =
        crate::support::server(&world.cluster, &world.authority, &kubeconfig, &["--deadline=2"])
            .await;
    let https = Https::new(server.https, world.authority.pem());
    let namespace = &world.namespace;
    let spec = world.credential_spec("default").await;
    let contents = async || {
        let answer = https.review("/mutate", &expand(namespace, &spec)).await;
        let patch = answer["patch"].as_str()?.to_owned();
        Some(String::from_utf8(bytes(&patch)).unwrap())
    };
    let has = async |account: &str| contents().await.is_some_and(|patch| patch.contains(account));
    eventually("the first contents", SOON, || async { has("WebApp1").await.then_some(()) }).await;
    for round in 0..3 {
        proxy.cut();
        let account = format!("Cut{round}");
        world.cluster.apply(&objects::credential_spec(&spec, &account)).await;
        // Nothing can be decided that the API server has to say.
        let answer = https.review("/validate", &judge(namespace, &spec, &account)).await;
        assert_eq!(answer["allowed"], json!(false), "{answer}");
        proxy.resume();
        eventually("the contents of today", SOON, || async { has(&account).await.then_some(()) })
            .await;
        let old = https.review("/validate", &judge(namespace, &spec, "WebApp1")).await;
        assert_eq!(old["status"]["code"], json!(422), "{old}");
        let new = https.review("/validate", &judge(namespace, &spec, &account)).await;
        assert_eq!(new["allowed"], json!(true), "{new}");
    }
}

/// Reads base64 as the API server does.
fn bytes(text: &str) -> Vec<u8> {
    serde_json::from_value::<k8s_openapi::ByteString>(json!(text)).unwrap().0
}
