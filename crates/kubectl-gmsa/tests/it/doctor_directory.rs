//! The doctor's view of Active Directory: a real domain controller and a real control plane.

use std::net::Ipv4Addr;
use std::path::Path;

use crate::support::{Ran, as_administrator, plugin, ran as run};
use gmsa_cluster::api::apply::Applier;
use gmsa_testkit::control_plane::{self, ControlPlane};
use gmsa_testkit::domain_controller::dns::Record;
use gmsa_testkit::domain_controller::{DomainController, GUID, SID};
use gmsa_testkit::{objects, shared};
use serde_json::{Value, json};

/// A credential spec of the domain.
pub(super) fn spec(account: &str) -> Value {
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
    crate::schema::check("doctor-report", &report);
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

/// A control plane with a Windows node, whose only credential spec is of this account.
pub(super) async fn cluster(test: &str, account: &str) -> Option<(ControlPlane, Applier)> {
    let plane = ControlPlane::start_private(test, control_plane::Options::default()).await?;
    let applier = Applier::new(plane.client().await, "test", true);
    let definition = json!(gmsa_cluster::installation::definition::definition());
    applier.apply(&definition).await.unwrap();
    let node = json!({"apiVersion": "v1", "kind": "Node",
        "metadata": {"name": "webhost1", "labels": {"kubernetes.io/os": "windows"}}});
    applier.apply(&node).await.unwrap();
    let wait = std::time::Duration::from_secs(30);
    gmsa_testkit::process::eventually("the kind is served", wait, || async {
        applier.apply(&spec(account)).await.ok()
    })
    .await;
    Some((plane, applier))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_of_the_directory_is_found() {
    let test = "each_fault_of_the_directory_is_found";
    let Some(controller) = shared::domain_controller(test).await else { return };
    let name = controller.unique("Doc");
    account(&controller, &["create", &name, "--host", "WEBHOST1"]);
    let Some((plane, applier)) = cluster(test, &name).await else { return };
    let kubeconfig = plane.kubeconfig_path();

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
        ("directory-clock", "clock: the clocks of the controller"),
        ("directory-network", "dns-transport: DNS answers over UDP and over TCP"),
    ] {
        let fits = |(id, state, message): &(String, String, String)| {
            id == check && state == "ok" && message.contains(words)
        };
        assert!(found.iter().any(fits), "{check}: {found:#?}");
    }

    all_that_account_check_says(&controller, &name, &found);

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

    controller.samba_tool(&["user", "enable", &format!("{name}$")]);

    // No such account.
    applier.apply(&spec("NoSuchAccount")).await.unwrap();
    let ran = doctor(&controller, &kubeconfig, &[]);
    assert_eq!(problems(&ran), ["directory-account"]);
    assert_eq!(ran.code, 1);

    // The account is there, and of those that it takes along one is not and one is another domain's.
    let mut more = spec(&name);
    let accounts = &mut more["credspec"]["ActiveDirectoryConfig"]["GroupManagedServiceAccounts"];
    for (account, scope) in
        [("NoSuchOther", "contoso.com"), ("NoSuchOther", "CONTOSO"), ("Far", "fabrikam.com")]
    {
        accounts.as_array_mut().unwrap().push(json!({"Name": account, "Scope": scope}));
    }
    applier.apply(&more).await.unwrap();
    let ran = doctor(&controller, &kubeconfig, &[]);
    assert_eq!(problems(&ran), ["directory-account"]);
    assert!(ran.stdout.contains("exists: NoSuchOther$ does not exist"), "{}", ran.stdout);
    assert!(
        directory(&ran).iter().any(|(check, state, message)| {
            check == "directory-account"
                && state == "unknown"
                && message.contains("Far is of fabrikam.com")
        }),
        "{}",
        ran.stdout
    );

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_are_missing_and_controllers_that_do_not_answer_are_found() {
    let test = "records_that_are_missing_and_controllers_that_do_not_answer_are_found";
    // Short: Samba makes sockets below a directory of that name.
    let Some(controller) = shared::separate_domain_controller(test, "doc-dc").await else { return };
    let name = controller.unique("Net");
    account(&controller, &["create", &name, "--host", "WEBHOST1"]);
    let Some((plane, _)) = cluster(test, &name).await else { return };
    let kubeconfig = plane.kubeconfig_path();
    let healthy = doctor(&controller, &kubeconfig, &[]);
    assert!(problems(&healthy).is_empty(), "{}", healthy.stdout);

    controller.remove_dns_name("_kerberos._tcp");
    controller.announce_controller("gone.contoso.com");
    // Nobody listens there.
    controller.add_dns_records("down", &[Record::A(Ipv4Addr::new(127, 64, 9, 7))]);
    controller.announce_controller("down.contoso.com");
    let ran = doctor(&controller, &kubeconfig, &[]);
    let found = directory(&ran);
    for (state, words) in [
        ("ok", "dns-records: _ldap._tcp.dc._msdcs.contoso.com names"),
        ("problem", "has no record _kerberos._tcp.contoso.com"),
        ("problem", "the address of gone.contoso.com"),
        ("warning", "down.contoso.com (127.64.9.7) does not answer on 88 (Kerberos), 389 (LDAP)"),
    ] {
        let fits = |(id, was, message): &(String, String, String)| {
            id == "directory-network" && was == state && message.contains(words)
        };
        assert!(found.iter().any(fits), "{words}: {found:#?}");
    }
    assert_eq!(problems(&ran), ["directory-network", "directory-network"]);
    // As people see it: the cause of the domain, and what to do.
    let mut table = as_administrator(&controller, &["doctor", "--from-ad"]);
    let table = run(table.env("KUBECONFIG", &kubeconfig));
    assert_eq!(table.code, 1, "{}", table.stderr);
    for words in ["directory contoso.com", "Have the controllers register their records"] {
        assert!(table.stdout.contains(words), "{words}: {}", table.stdout);
    }
}

/// The doctor says what `account check` says, in its words.
fn all_that_account_check_says(
    controller: &DomainController,
    name: &str,
    found: &[(String, String, String)],
) {
    let check = ["account", "check", name, "--host", "WEBHOST1", "-o", "json"];
    let checked = run(&mut as_administrator(controller, &check));
    let report: Value = serde_json::from_str(&checked.stdout).unwrap();
    let lines = report["checks"].as_array().unwrap();
    assert!(lines.iter().any(|line| line["id"] == "controller-ports"), "{}", checked.stdout);
    for line in lines {
        let words =
            format!("{}: {}", line["id"].as_str().unwrap(), line["message"].as_str().unwrap());
        assert!(found.iter().any(|(.., message)| *message == words), "{words}: {found:#?}");
    }
}
