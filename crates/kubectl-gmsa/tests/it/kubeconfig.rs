//! Kubeconfigs as people have them: credential plug-ins, and lists of files that come and go.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use gmsa_testkit::cluster::Cluster;
use gmsa_testkit::connect_proxy::ConnectProxy;
use gmsa_testkit::process::free_port;
use gmsa_testkit::shared;
use serde_json::{Value, json};

use crate::support::{Ran, install_definition, plugin, run_on, webhook};

/// A plug-in that counts its runs and keeps the information passed to it.
struct Plugin {
    directory: tempfile::TempDir,
}

impl Plugin {
    /// Its answer is this status.
    fn new(status: &Value) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let plugin = Self { directory };
        let answer = json!({"apiVersion": VERSION, "kind": "ExecCredential", "status": status});
        fs::write(plugin.file("answer"), answer.to_string()).unwrap();
        plugin.script("cat \"$here/answer\"");
        plugin
    }

    fn script(&self, last: &str) {
        let text = format!(
            "#!/bin/sh\nhere=$(dirname \"$0\")\necho \"$1 $REGION\" >> \"$here/runs\"\nprintf %s \"$KUBERNETES_EXEC_INFO\" > \"$here/told\"\n{last}\n"
        );
        // Under another name first: a file that is open for writing cannot be run.
        fs::write(self.file("new"), text).unwrap();
        fs::set_permissions(self.file("new"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(self.file("new"), self.file("sign-in")).unwrap();
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The lines that the runs since the last call left.
    fn runs(&self) -> Vec<String> {
        let runs = fs::read_to_string(self.file("runs")).unwrap_or_default();
        let _ = fs::remove_file(self.file("runs"));
        runs.lines().map(str::to_owned).collect()
    }

    fn kubeconfig(&self, cluster: &Cluster, more: &Value) -> PathBuf {
        let mut exec = json!({
            "apiVersion": VERSION,
            "command": self.file("sign-in"),
            "args": ["login"],
            "env": [{"name": "REGION", "value": "north"}],
            "interactiveMode": "IfAvailable",
            "installHint": "get it from your platform team",
        });
        for (key, value) in more.as_object().unwrap() {
            exec[key] = value.clone();
        }
        cluster.user_kubeconfig(&json!({ "exec": exec }))
    }
}

const VERSION: &str = "client.authentication.k8s.io/v1beta1";

#[tokio::test]
async fn a_credential_plugin_runs_once_for_a_command() {
    let Some(cluster) = shared::cluster("a_credential_plugin_runs_once_for_a_command").await else {
        return;
    };
    install_definition(&cluster).await;
    let (certificate, key) = cluster.administrator();
    let certificate = json!({
        "clientCertificateData": fs::read_to_string(certificate).unwrap(),
        "clientKeyData": fs::read_to_string(key).unwrap(),
    });
    let signs = Plugin::new(&certificate);
    let kubeconfig = signs.kubeconfig(&cluster, &json!({"provideClusterInfo": true}));
    let commands: [&[&str]; 5] =
        [&["credspec", "list"], &["access"], &["audit"], &["status"], &["doctor"]];
    for command in commands {
        let ran = run_on(&kubeconfig, command);
        assert!(ran.code < 2, "{command:?}: {}", ran.stderr);
        assert_eq!(signs.runs(), ["login north"], "{command:?}");
    }
    let told: Value = serde_json::from_slice(&fs::read(signs.file("told")).unwrap()).unwrap();
    assert_eq!(told["apiVersion"], VERSION);
    assert_eq!(told["spec"]["interactive"], false);
    assert_eq!(told["spec"]["cluster"]["server"], cluster.url);

    // A token that has expired is renewed, and not at each request.
    let namespace = cluster.namespace("signs-in").await;
    let token = cluster.token(&namespace, "default").await;
    let old = json!({"token": "old", "expirationTimestamp": "2020-01-01T00:00:00Z"});
    let renews = Plugin::new(&old);
    let fresh = json!({"kind": "ExecCredential", "status": {"token": token}});
    fs::write(renews.file("fresh"), fresh.to_string()).unwrap();
    renews.script("cat \"$here/answer\"; cp \"$here/fresh\" \"$here/answer\"");
    let ran = run_on(&renews.kubeconfig(&cluster, &json!({})), &["access"]);
    // The account may not read roles: the API server names only an account that it knows.
    assert!(
        ran.stderr.contains(&format!("system:serviceaccount:{namespace}:default")),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains(&token), "the token is printed");
    assert_eq!(renews.runs().len(), 2);
}

#[tokio::test]
async fn a_credential_plugin_that_fails_is_named() {
    let Some(cluster) = shared::cluster("a_credential_plugin_that_fails_is_named").await else {
        return;
    };
    let plugin_of = |script: &str| {
        let signs = Plugin::new(&json!({}));
        signs.script(script);
        signs
    };
    let said = |signs: &Plugin, more: &Value| {
        let ran = run_on(&signs.kubeconfig(&cluster, more), &["credspec", "list"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{}", ran.stderr);
        ran.stderr
    };
    let fails = plugin_of("echo 'device code expired' >&2; exit 7");
    let words = said(&fails, &json!({}));
    assert!(words.contains("device code expired") && words.contains("exit status: 7"), "{words}");
    assert!(words.contains("failed to get a credential from the plug-in \""), "{words}");
    assert!(words.contains("/sign-in\""), "{words}");
    assert_eq!(fails.runs().len(), 1);
    let words = said(&fails, &json!({"command": "no-such-sign-in"}));
    assert!(words.contains("\"no-such-sign-in\""), "{words}");
    assert!(words.contains("no such program in PATH"), "{words}");
    assert!(words.contains("get it from your platform team"), "{words}");
    let words = said(&fails, &json!({"interactiveMode": "Always"}));
    assert!(words.contains("standard input is not a terminal"), "{words}");
    for (answer, why) in [
        ("echo hunter2", "not an ExecCredential"),
        (
            "echo '{\"kind\": \"ExecCredential\", \"status\": {\"clientKeyData\": \"hunter2\"}}'",
            "neither a token nor",
        ),
        ("printf '{\"status\": {\"token\": \"hunter2\\\\n\"}}'", "no HTTP header may hold"),
    ] {
        let words = said(&plugin_of(answer), &json!({}));
        assert!(words.contains(why), "{words}");
        assert!(!words.contains("hunter2"), "{words}");
    }
}

#[tokio::test]
async fn a_list_of_kubeconfigs_may_name_missing_files() {
    let Some(cluster) = shared::cluster("a_list_of_kubeconfigs_may_name_missing_files").await
    else {
        return;
    };
    install_definition(&cluster).await;
    let list = |paths: &[&Path]| PathBuf::from(std::env::join_paths(paths).unwrap());
    let gone = cluster.files().join("gone");
    let ran = run_on(&list(&[&gone, &cluster.kubeconfig]), &["credspec", "list"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = run_on(&gone, &["credspec", "list"]);
    assert_eq!(ran.code, 3);
    let words = format!("no kubeconfig with a cluster in {}", gone.display());
    assert!(ran.stderr.contains(&words) && ran.stderr.contains("KUBECONFIG"), "{}", ran.stderr);
    let ran = run_on(&gone, &["credspec", "list", "--context", "other"]);
    assert!(ran.stderr.contains("other") && ran.stderr.contains("gone"), "{}", ran.stderr);
    let ran = run_on(&cluster.kubeconfig, &["credspec", "list", "--context", "other"]);
    assert_eq!(ran.code, 3);
    let words = format!(
        "error: failed to find the context \"other\" in the kubeconfig {}: it has ",
        cluster.kubeconfig.display()
    );
    assert!(ran.stderr.starts_with(&words), "{}", ran.stderr);
    assert!(ran.stderr.len() > words.len() + 1, "{}", ran.stderr);
}

#[tokio::test]
async fn tokens_are_sent_as_kubectl_sends_them() {
    let Some(cluster) = shared::cluster("tokens_are_sent_as_kubectl_sends_them").await else {
        return;
    };
    install_definition(&cluster).await;
    let namespace = cluster.namespace("token").await;
    let (in_file, file) = cluster.token_file_kubeconfig(&namespace, "default").await;
    let token = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{token}\n")).unwrap();
    let known = format!("system:serviceaccount:{namespace}:default");
    let ran = run_on(&in_file, &["access"]);
    // The account may not read roles: the API server names only an account that it knows.
    assert!(ran.stderr.contains(&known) && !ran.stderr.contains(&token), "{}", ran.stderr);
    for (content, why) in [("hunter\n2", "no HTTP header may hold"), (" \n", "is empty")] {
        fs::write(&file, content).unwrap();
        let ran = run_on(&in_file, &["access"]);
        assert_eq!(ran.code, 3, "{}", ran.stderr);
        assert!(ran.stderr.contains("the user \"test\" in the kubeconfig "), "{}", ran.stderr);
        assert!(ran.stderr.contains(&file.display().to_string()), "{}", ran.stderr);
        assert!(ran.stderr.contains(why) && !ran.stderr.contains("hunter"), "{}", ran.stderr);
    }
    let program = webhook().program;
    for user in [
        json!({ "token": "hunter2\n" }),
        json!({ "token": "hunter2\u{0}" }),
        json!({ "auth-provider": { "name": "oidc", "config": { "id-token": "hunter2\n" } } }),
    ] {
        let kubeconfig = cluster.user_kubeconfig(&user);
        let mut serve = assert_cmd::Command::new(&program);
        serve.arg("audit").arg("--kubeconfig").arg(&kubeconfig);
        let by_server: Ran = serve.output().unwrap().into();
        let ran = run_on(&kubeconfig, &["access"]);
        assert_eq!(ran.code, 3, "{}", ran.stderr);
        for words in [&ran.stderr, &(by_server.stderr + &by_server.stdout)] {
            assert!(words.contains("the user \"test\" in the kubeconfig "), "{words}");
            assert!(words.contains("no HTTP header may hold"), "{words}");
            assert!(!words.contains("hunter") && !words.contains("panicked"), "{words}");
        }
    }
}

/// A kubeconfig of the administrator whose cluster has these fields, too.
fn with_cluster(cluster: &Cluster, name: &str, more: &Value) -> PathBuf {
    let (certificate, key) = cluster.administrator();
    let user = json!({ "client-certificate": certificate, "client-key": key });
    let from = fs::read(cluster.user_kubeconfig(&user)).unwrap();
    let mut kubeconfig: Value = serde_json::from_slice(&from).unwrap();
    for (key, value) in more.as_object().unwrap() {
        kubeconfig["clusters"][0]["cluster"][key] = value.clone();
    }
    let path = cluster.files().join(name);
    fs::write(&path, kubeconfig.to_string()).unwrap();
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_is_used_as_kubectl_uses_it() {
    let Some(cluster) = shared::cluster("a_proxy_is_used_as_kubectl_uses_it").await else { return };
    install_definition(&cluster).await;
    let target: SocketAddr = cluster.url.trim_start_matches("https://").parse().unwrap();
    let proxy = ConnectProxy::start(target).await;
    let address = proxy.address;
    // Only the proxy knows this name.
    let server =
        json!({ "server": "https://api.example.invalid:6443", "tls-server-name": "localhost" });
    let far = with_cluster(&cluster, "far", &server);
    let list = |kubeconfig: &Path, environment: &[(&str, &str)]| -> Ran {
        let mut command = plugin(&["credspec", "list"]);
        for name in ["HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"] {
            command.env_remove(name);
        }
        command.env("KUBECONFIG", kubeconfig).envs(environment.iter().copied());
        command.output().unwrap().into()
    };
    let url = format!("http://jane:hunter%402@{address}");
    for environment in [
        &[("HTTPS_PROXY", url.as_str())][..],
        &[("https_proxy", &url), ("NO_PROXY", "other.invalid,,10.0.0.0/8,")],
    ] {
        let ran = list(&far, environment);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let requests = proxy.requests();
        assert!(
            requests[0].starts_with("CONNECT api.example.invalid:6443 HTTP/1.1"),
            "{requests:?}"
        );
        let login = "basic amFuZTpodW50ZXJAMg=="; // jane:hunter@2
        assert!(requests[0].to_lowercase().contains(&login.to_lowercase()), "{requests:?}");
    }
    // Excluded, it is looked for without the proxy.
    let ran = list(&far, &[("HTTPS_PROXY", &url), ("NO_PROXY", ".example.invalid")]);
    assert_eq!(ran.code, 3);
    assert!(
        ran.stderr.contains("the API server at https://api.example.invalid:6443 cannot be reached"),
        "{}",
        ran.stderr
    );
    // One on this machine never goes through it.
    let ran = list(&cluster.kubeconfig, &[("HTTPS_PROXY", &url)]);
    assert_eq!((ran.code, proxy.requests()), (0, Vec::new()), "{}", ran.stderr);

    // What the kubeconfig names comes before the environment, and nothing is excluded.
    let mut named = server.clone();
    named["proxy-url"] = json!(format!("http://{address}"));
    let named = with_cluster(&cluster, "named", &named);
    let dead = format!("http://jane:hunter2@127.0.0.1:{}", free_port());
    let ran = list(&named, &[("HTTPS_PROXY", &dead), ("NO_PROXY", "*")]);
    assert_eq!((ran.code, proxy.requests().len()), (0, 1), "{}", ran.stderr);

    let ran = list(&far, &[("HTTPS_PROXY", &dead)]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("cannot be reached"), "{}", ran.stderr);
    assert!(ran.stderr.contains("through the proxy http://127.0.0.1:"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("hunter"), "{}", ran.stderr);
    let ran = list(&far, &[("HTTPS_PROXY", "ftp://jane:hunter2@proxy:21")]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("failed to use the proxy ftp://proxy:21"), "{}", ran.stderr);
    assert!(ran.stderr.contains("https:// or socks5://"), "{}", ran.stderr);
}
