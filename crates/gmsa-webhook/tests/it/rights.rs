//! Granting and revoking the right to use a credential spec, and what cannot be decided.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use gmsa_cluster::api::apply::Applier;
use gmsa_testkit::api_proxy::ApiProxy;
use gmsa_testkit::control_plane::{ControlPlane, Options};
use gmsa_testkit::https::Https;
use gmsa_testkit::objects::{self, gmsa};
use gmsa_testkit::pki::Authority;
use gmsa_testkit::process::{eventually, free_port};
use gmsa_testkit::server::Server;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::Api;
use kube::api::DeleteParams;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::support::{SOON, World, canonical, checks, engines};

engines!(a_grant_works_at_the_next_try_and_a_revocation_within_a_second);

async fn a_grant_works_at_the_next_try_and_a_revocation_within_a_second(world: World) {
    checks::a_grant_works_at_once_and_a_revocation_within_a_second(&world).await;
}

/// A control plane of its own, in which nobody else changes roles.
struct Quiet {
    plane: ControlPlane,
    client: kube::Client,
    authority: Authority,
}

/// A server in front of it.
struct Served {
    plane: Arc<Quiet>,
    /// What is between the server and the API server, if it was asked for.
    proxy: Option<ApiProxy>,
    server: Server,
    https: Https,
    _files: tempfile::TempDir,
}

const NAMESPACE: &str = "default";
const SPEC: &str = "webapp1";

impl Quiet {
    async fn start(test: &str, options: Options) -> Option<Arc<Self>> {
        let plane = ControlPlane::start_private(test, options).await?;
        let client = plane.client().await;
        let apply = async |object: Value| apply(&client, &object).await;
        let definition = json!(gmsa_cluster::installation::definition::definition());
        apply(definition).await;
        apply(objects::credential_spec(SPEC, "WebApp1")).await;
        apply(objects::role(SPEC)).await;
        Some(Arc::new(Self { plane, client, authority: Authority::new("test") }))
    }

    async fn serve(self: &Arc<Self>, more: &[&str]) -> Served {
        self.serve_behind(more, false).await
    }

    async fn serve_behind(self: &Arc<Self>, more: &[&str], proxied: bool) -> Served {
        let files = tempfile::tempdir().unwrap();
        let pair = self.authority.server(&["localhost"]);
        let (certificate, key) = pair.write(files.path(), "server");
        let mut kubeconfig = self.plane.kubeconfig_path();
        let mut proxy = None;
        if proxied {
            kubeconfig = files.path().join("kubeconfig");
            let started = ApiProxy::start(self.client.clone()).await;
            started.write_kubeconfig(&kubeconfig);
            proxy = Some(started);
        }
        let own = [
            format!("--kubeconfig={}", kubeconfig.display()),
            format!("--tls-cert={}", certificate.display()),
            format!("--tls-key={}", key.display()),
        ];
        let args: Vec<&str> = own.iter().map(String::as_str).chain(more.iter().copied()).collect();
        let server = Server::start(crate::support::PROGRAM, &args, &[]).await;
        server.ready(self.authority.pem()).await;
        let https = Https::new(server.https, self.authority.pem());
        Served { plane: Arc::clone(self), proxy, server, https, _files: files }
    }
}

impl Served {
    async fn grant(&self) {
        apply(&self.plane.client, &objects::binding(SPEC, NAMESPACE, "web")).await;
    }

    async fn revoke(&self) {
        let bindings: Api<RoleBinding> = Api::namespaced(self.plane.client.clone(), NAMESPACE);
        bindings.delete(SPEC, &DeleteParams::default()).await.unwrap();
    }

    async fn judge(&self) -> Value {
        self.https.review("/validate", &review("web")).await
    }

    async fn is_allowed(&self) -> bool {
        self.judge().await["allowed"] == json!(true)
    }

    async fn answers_from_memory(&self) -> f64 {
        let sample = r#"gmsa_access_reviews_total{result="allowed",source="cache"}"#;
        self.server.metric(sample).await
    }

    async fn warm(&self) {
        eventually("the right is remembered", SOON, || async {
            let before = self.answers_from_memory().await;
            self.is_allowed().await;
            (self.answers_from_memory().await > before).then_some(())
        })
        .await;
    }
}

/// The review of a pod that carries the right contents.
fn review(account: &str) -> Value {
    let context = gmsa(Some(SPEC), Some(&canonical("WebApp1")));
    let mut pod = objects::pod(NAMESPACE, "web", &context);
    pod["spec"]["serviceAccountName"] = json!(account);
    objects::review(NAMESPACE, &pod)
}

/// Applies an object, and waits until its kind is served.
async fn apply(client: &kube::Client, object: &Value) {
    let applier = Applier::new(client.clone(), "test", true);
    eventually("the object is applied", SOON, || async {
        applier.apply(object).await.ok().map(drop)
    })
    .await;
}

/// Questions that are asked while a right is revoked.
#[derive(Default)]
struct Load {
    stop: AtomicBool,
    asked: AtomicU32,
    /// When the last question was asked that was answered with yes.
    last: Mutex<Option<Instant>>,
}

impl Load {
    async fn ask(&self, served: &Served) {
        let began = Instant::now();
        if served.is_allowed().await {
            let mut last = self.last.lock().await;
            *last = (*last).max(Some(began));
        }
        self.asked.fetch_add(1, Ordering::SeqCst);
    }

    /// Six ask, each anew as soon as it has its answer.
    async fn without_a_pause(self: Arc<Self>, served: Arc<Served>) {
        let mut askers = JoinSet::new();
        for _ in 0..6 {
            let (this, served) = (Arc::clone(&self), Arc::clone(&served));
            askers.spawn(async move {
                while !this.stop.load(Ordering::SeqCst) {
                    this.ask(&served).await;
                }
            });
        }
        askers.join_all().await;
    }

    /// One more question every 25 ms, whatever becomes of those before it.
    async fn at_a_steady_pace(self: Arc<Self>, served: Arc<Served>) {
        let mut questions = JoinSet::new();
        while !self.stop.load(Ordering::SeqCst) {
            let (this, served) = (Arc::clone(&self), Arc::clone(&served));
            questions.spawn(async move { this.ask(&served).await });
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        questions.join_all().await;
    }

    /// Revokes the right a while after the load began, and lets it go on. No question may be
    /// answered with yes that was asked a second after the API server had acknowledged it.
    async fn survives_a_revocation(
        &self,
        served: &Served,
        load: impl Future<Output = ()> + Send + 'static,
        before: Duration,
        revoked: impl FnOnce(Instant),
    ) {
        let load = tokio::spawn(load);
        tokio::time::sleep(before).await;
        served.revoke().await;
        let acknowledged = Instant::now();
        revoked(acknowledged);
        tokio::time::sleep(Duration::from_millis(1500)).await;
        self.stop.store(true, Ordering::SeqCst);
        load.await.unwrap();
        let asked = self.asked.load(Ordering::SeqCst);
        assert!(asked > 50, "only {asked} questions");
        let last = self.last.lock().await.expect("allowed before");
        let late = last.saturating_duration_since(acknowledged);
        assert!(late < Duration::from_secs(1), "admitted {late:?} after the revocation");
        assert!(!served.is_allowed().await);
    }
}

/// One after the other on one control plane, because each needs the machine for itself.
#[tokio::test]
async fn a_revocation_under_load_is_in_force_within_a_second() {
    let name = "a_revocation_under_load_is_in_force_within_a_second";
    let Some(quiet) = Quiet::start(name, Options::default()).await else { return };
    revoked_under_load(&quiet).await;
    revoked_though_reviews_answer_wrongly(&quiet).await;
    revoked_though_slow_reviews_answer_wrongly(&quiet).await;
}

async fn revoked_under_load(quiet: &Arc<Quiet>) {
    let served = Arc::new(quiet.serve(&[]).await);
    for _ in 0..8 {
        served.grant().await;
        served.warm().await;
        let load = Arc::new(Load::default());
        let asking = Arc::clone(&load).without_a_pause(Arc::clone(&served));
        load.survives_a_revocation(&served, asking, Duration::from_millis(100), |_| ()).await;
    }
}

/// How long after a revocation access reviews still give the old answer. Beyond one second no
/// webhook could distinguish it from a right that was granted again.
const LIES: Duration = Duration::from_millis(900);

/// An API server whose access reviews all say yes until a moment that is set, as those may that
/// race with a change.
#[derive(Clone, Debug, Default)]
struct Lies {
    until: Arc<std::sync::Mutex<Option<Instant>>>,
    told: Arc<AtomicU32>,
}

impl Lies {
    fn start(proxy: &ApiProxy) -> Self {
        let lies = Self::default();
        let Self { until, told } = lies.clone();
        proxy.change(move |path, answer| {
            let lying = until.lock().unwrap().is_none_or(|until| Instant::now() < until);
            if lying && path.ends_with("/localsubjectaccessreviews") {
                if answer["status"]["allowed"] != json!(true) {
                    told.fetch_add(1, Ordering::SeqCst);
                }
                answer["status"]["allowed"] = json!(true);
            }
        });
        lies
    }
}

async fn revoked_though_reviews_answer_wrongly(quiet: &Arc<Quiet>) {
    let served = Arc::new(quiet.serve_behind(&[], true).await);
    let proxy = served.proxy.as_ref().unwrap();
    for _ in 0..5 {
        served.grant().await;
        served.warm().await;
        // A cached one of these is wrong for longer.
        let lies = Lies::start(proxy);
        let load = Arc::new(Load::default());
        let asking = Arc::clone(&load).without_a_pause(Arc::clone(&served));
        load.survives_a_revocation(&served, asking, Duration::from_millis(100), |revoked| {
            *lies.until.lock().unwrap() = Some(revoked + LIES);
        })
        .await;
        assert!(lies.told.load(Ordering::SeqCst) > 10, "{lies:?}");
    }
}

async fn revoked_though_slow_reviews_answer_wrongly(quiet: &Arc<Quiet>) {
    let served = Arc::new(quiet.serve_behind(&["--remember=1"], true).await);
    let proxy = served.proxy.as_ref().unwrap();
    let shared = async || {
        served.server.metric(r#"gmsa_access_reviews_total{result="allowed",source="shared"}"#).await
    };
    for _ in 0..3 {
        served.grant().await;
        served.warm().await;
        let (lies, before) = (Lies::start(proxy), shared().await);
        // Longer than an answer is cached: one review is always under way, for all to join. A request
        // that joins one that began before the revocation, or that got the old answer, is wrong.
        proxy.hold(Duration::from_millis(1300));
        let load = Arc::new(Load::default());
        let asking = Arc::clone(&load).at_a_steady_pace(Arc::clone(&served));
        load.survives_a_revocation(&served, asking, Duration::from_millis(2500), |revoked| {
            *lies.until.lock().unwrap() = Some(revoked + LIES);
        })
        .await;
        proxy.hold(Duration::ZERO);
        assert!(shared().await > before + 10.0, "reviews were shared before the revocation");
        assert!(lies.told.load(Ordering::SeqCst) > 10, "{lies:?}");
    }
}

#[tokio::test]
async fn a_warm_answer_asks_the_api_server_nothing() {
    let name = "a_warm_answer_asks_the_api_server_nothing";
    let Some(quiet) = Quiet::start(name, Options::default()).await else { return };
    let served = quiet.serve(&[]).await;
    served.grant().await;
    served.warm().await;
    let live = async || {
        served.server.metric(r#"gmsa_access_reviews_total{result="allowed",source="live"}"#).await
    };
    let (before, remembered) = (live().await, served.answers_from_memory().await);
    // A paused API server answers nothing: what is admitted now is from the cache.
    quiet.plane.pause();
    for _ in 0..50 {
        assert!(served.is_allowed().await);
    }
    quiet.plane.resume();
    assert_eq!(live().await, before);
    assert_eq!(served.answers_from_memory().await, remembered + 50.0);
}

#[tokio::test]
async fn a_failing_authorizer_admits_nothing() {
    let name = "a_failing_authorizer_admits_nothing";
    let files = tempfile::tempdir().unwrap();
    let config = files.path().join("authorizer");
    let text = format!(
        "apiVersion: v1\nkind: Config\nclusters: [{{name: a, cluster: {{server: 'http://127.0.0.1:{}'}}}}]\n\
         users: [{{name: a}}]\ncontexts: [{{name: a, context: {{cluster: a, user: a}}}}]\ncurrent-context: a\n",
        free_port()
    );
    std::fs::write(&config, text).unwrap();
    let options = Options {
        extra_api_server_args: vec![
            "--authorization-mode=RBAC,Webhook".to_owned(),
            format!("--authorization-webhook-config-file={}", config.display()),
            "--authorization-webhook-version=v1".to_owned(),
        ],
        ..Options::default()
    };
    let Some(quiet) = Quiet::start(name, options).await else { return };
    let served = quiet.serve(&["--deadline=30"]).await;
    served.grant().await;
    eventually("what RBAC allows is admitted", SOON, || async {
        served.is_allowed().await.then_some(())
    })
    .await;
    // RBAC has no opinion on this one, and the other authorizer cannot be asked.
    let answer = served.https.review("/validate", &review("stranger")).await;
    assert_eq!(answer["allowed"], json!(false));
    assert_eq!(answer["status"]["code"], json!(500), "{answer}");
    let message = answer["status"]["message"].as_str().unwrap();
    assert!(message.contains("the authorizer reports"), "{message}");
    let errors = r#"gmsa_access_reviews_total{result="error",source="live"}"#;
    assert!(served.server.metric(errors).await >= 1.0);
}

#[tokio::test]
async fn an_allowed_answer_with_denied_or_an_error_admits_nothing() {
    let name = "an_allowed_answer_with_denied_or_an_error_admits_nothing";
    let Some(quiet) = Quiet::start(name, Options::default()).await else { return };
    let served = quiet.serve_behind(&["--deadline=30"], true).await;
    served.grant().await;
    served.warm().await;
    let proxy = served.proxy.as_ref().unwrap();
    for (status, code, words) in [
        (json!({"evaluationError": "role \"x\" not found"}), 500, "role \"x\" not found"),
        (json!({"denied": true}), 403, "is not authorized to `use`"),
    ] {
        let asked = Arc::new(AtomicBool::new(false));
        let (seen, added) = (Arc::clone(&asked), status.clone());
        proxy.change(move |path, answer| {
            if path.ends_with("/localsubjectaccessreviews") {
                assert_eq!(answer["status"]["allowed"], json!(true), "{answer}");
                for (key, value) in added.as_object().unwrap() {
                    answer["status"][key] = value.clone();
                }
                seen.store(true, Ordering::SeqCst);
            }
        });
        // Touched rules make the server forget, so that it asks again.
        let text = format!("{code}");
        let mut role = objects::role(SPEC);
        role["metadata"]["labels"] = json!({"touched": text});
        apply(&quiet.client, &role).await;
        let answer = eventually("the API server is asked", SOON, || async {
            let answer = served.judge().await;
            asked.load(Ordering::SeqCst).then_some(answer)
        })
        .await;
        assert_eq!(answer["allowed"], json!(false), "{status}");
        assert_eq!(answer["status"]["code"], json!(code), "{answer}");
        let message = answer["status"]["message"].as_str().unwrap();
        assert!(message.contains(words), "{message}");
    }
    proxy.change(|_, _| ());
    assert!(served.is_allowed().await, "what the API server itself says is believed");
}
