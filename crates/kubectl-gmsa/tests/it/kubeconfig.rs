//! Kubeconfigs as people have them: credential plug-ins, and lists of files that come and go.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use gmsa_testkit::cluster::Cluster;
use gmsa_testkit::shared;
use serde_json::{Value, json};

use crate::support::{install_definition, run_on};

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
}
