//! The doctor's view of Active Directory: a real domain controller and a real control plane.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

mod schema;
mod support;

use std::path::Path;

use gmsa_cluster::apply::Applier;
use gmsa_testkit::control_plane::{self, ControlPlane};
use gmsa_testkit::domain_controller::{DomainController, GUID, SID};
use gmsa_testkit::{objects, shared};
use serde_json::{Value, json};
use support::{Ran, as_administrator, plugin, ran as run};

/// A credential spec of the domain.
fn spec(account: &str) -> Value {
    let mut spec = objects::credential_spec("web", account);
    let join = &mut spec["credspec"]["DomainJoinConfig"];
    join["Sid"] = json!(SID);
    join["Guid"] = json!(GUID);
    spec
}

fn account(controller: &DomainController, args: &[&str]) {
    let done = run(&mut as_administrator(controller, &[&["account"], args].concat()));
    assert_eq!(done.code, 0, "{args:?}: {}{}", done.stdout, done.stderr);
}

fn doctor(controller: &DomainController, kubeconfig: &Path, args: &[&str]) -> Ran {
    let all = [&["doctor", "--from-ad", "-o", "json"][..], args].concat();
    run(as_administrator(controller, &all).env("KUBECONFIG", kubeconfig))
}

/// The outcomes of the directory's side, as id, state and message.
fn directory(ran: &Ran) -> Vec<(String, String, String)> {
    let report: Value =
        serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.stderr));
    schema::check("doctor-report", &report);
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    let outcomes = report["outcomes"].as_array().unwrap().iter();
    outcomes
        .filter(|one| one["side"] == "directory")
        .map(|one| (text(one, "check"), text(one, "state"), text(one, "message")))
        .collect()
}

/// The ids of what is a problem there.
fn problems(ran: &Ran) -> Vec<String> {
    let found = directory(ran).into_iter().filter(|(_, state, _)| state == "problem");
    found.map(|(check, ..)| check).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_of_the_directory_is_found() {
    let test = "each_fault_of_the_directory_is_found";
    let Some(controller) = shared::domain_controller(test).await else { return };
    let options = control_plane::Options::default();
    let Some(plane) = ControlPlane::start_private(test, options).await else { return };
    let client = plane.client().await;
    let kubeconfig = plane.kubeconfig_path();
    let applier = Applier::new(client, "test", true);
    let mut definition = serde_json::to_value(gmsa_cluster::crd::definition()).unwrap();
    definition["apiVersion"] = "apiextensions.k8s.io/v1".into();
    definition["kind"] = "CustomResourceDefinition".into();
    applier.apply(&definition).await.unwrap();
    let node = json!({"apiVersion": "v1", "kind": "Node",
        "metadata": {"name": "webhost1", "labels": {"kubernetes.io/os": "windows"}}});
    applier.apply(&node).await.unwrap();
    let name = controller.unique("Doc");
    account(&controller, &["create", &name, "--host", "WEBHOST1"]);
    gmsa_testkit::process::eventually(
        "the kind is served",
        std::time::Duration::from_secs(30),
        || async { applier.apply(&spec(&name)).await.ok() },
    )
    .await;

    // Healthy: nothing of the directory is wrong, whatever the cluster lacks.
    let healthy = doctor(&controller, &kubeconfig, &[]);
    let found = directory(&healthy);
    let bad: Vec<_> = found.iter().filter(|(_, state, _)| state == "problem").collect();
    assert!(bad.is_empty(), "{bad:?}");
    for (check, words) in [
        ("directory-reachable", "answers for contoso.com"),
        ("directory-domain", "are those of the directory"),
        ("directory-account", "exists: it is CN="),
        ("directory-account", "enabled: it is enabled"),
        ("directory-account", "class: it is a group managed service account"),
        ("directory-retrieval", "WEBHOST1$ may read the password"),
    ] {
        let fits = |(id, state, message): &(String, String, String)| {
            id == check && state == "ok" && message.contains(words)
        };
        assert!(found.iter().any(fits), "{check}: {found:#?}");
    }

    // Without a controller that is named, one of the credential spec's domain is found by DNS.
    let address = controller.address.to_string();
    let args = ["doctor", "--from-ad", "-o", "json", "--dns-server", &address];
    let mut command = as_administrator(&controller, &args);
    let by_dns = run(command.env_remove("GMSA_DC").env("KUBECONFIG", &kubeconfig));
    let found = directory(&by_dns);
    assert!(problems(&by_dns).is_empty(), "{found:?}");
    assert!(found.iter().any(|(check, state, _)| check == "directory-account" && state == "ok"));

    // The SID of another domain.
    let mut other = spec(&name);
    other["credspec"]["DomainJoinConfig"]["Sid"] = json!("S-1-5-21-1-2-3");
    applier.apply(&other).await.unwrap();
    let ran = doctor(&controller, &kubeconfig, &[]);
    assert_eq!(problems(&ran), ["directory-domain"]);
    assert!(ran.stdout.contains("S-1-5-21-1-2-3") && ran.stdout.contains(SID), "{}", ran.stdout);

    // The node may not read the password.
    applier.apply(&spec(&name)).await.unwrap();
    account(&controller, &["disallow", &name, "--host", "WEBHOST1"]);
    account(&controller, &["allow", &name, "--host", "WEBHOST2"]);
    let ran = doctor(&controller, &kubeconfig, &[]);
    assert_eq!(problems(&ran), ["directory-retrieval"]);
    assert!(ran.stdout.contains("WEBHOST1$ may not read the password"), "{}", ran.stdout);
    account(&controller, &["allow", &name, "--host", "WEBHOST1"]);

    // Disabled.
    controller.samba_tool(&["user", "disable", &format!("{name}$")]);
    let ran = doctor(&controller, &kubeconfig, &[]);
    assert_eq!(problems(&ran), ["directory-account"]);
    assert!(ran.stdout.contains("it is disabled"), "{}", ran.stdout);

    // No such account.
    applier.apply(&spec("NoSuchAccount")).await.unwrap();
    let ran = doctor(&controller, &kubeconfig, &[]);
    assert_eq!(problems(&ran), ["directory-account"]);
    assert_eq!(ran.code, 1);

    // A credential spec of another domain is not compared with this one.
    let mut other = spec(&name);
    other["credspec"]["DomainJoinConfig"]["DnsName"] = json!("fabrikam.com");
    applier.apply(&other).await.unwrap();
    let found = directory(&doctor(&controller, &kubeconfig, &[]));
    assert!(
        found.iter().any(|(check, state, message)| {
            check == "directory-domain" && state == "unknown" && message.contains("fabrikam.com")
        }),
        "{found:?}"
    );

    // Nobody there: the rest of the report is made all the same.
    let mut command = plugin(&[
        "doctor",
        "--from-ad",
        "-o",
        "json",
        "--dc",
        "127.0.0.1:1",
        "--bind-user",
        "a@contoso.com",
    ]);
    let away = run(command.env("KUBECONFIG", &kubeconfig).env("GMSA_BIND_PASSWORD", "x"));
    assert_eq!(away.code, 3, "{}", away.stderr);
    assert_eq!(problems(&away), ["directory-reachable"]);
    assert!(away.stdout.contains("\"cluster\""), "{}", away.stdout);
}
