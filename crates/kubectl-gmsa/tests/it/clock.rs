//! What depends on the day and the minute: a real controller, and the plugin, whose clocks are moved.

use std::time::SystemTime;

use crate::support::{Ran, as_administrator, plugin, ran};
use gmsa_core::windows::release::RELEASES;
use gmsa_directory::account::NewAccount;
use gmsa_directory::{Credentials, Directory, Options};
use gmsa_testkit::api_proxy::ApiProxy;
use gmsa_testkit::clock::Clock;
use gmsa_testkit::control_plane::{self, ControlPlane};
use gmsa_testkit::domain_controller::{
    ADMINISTRATOR, ADMINISTRATOR_PASSWORD, DomainController, HOST_PASSWORD, has_kinit,
};
use gmsa_testkit::shared;
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::jiff::civil::Date;
use k8s_openapi::jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use kube::Api;
use kube::api::PostParams;
use serde_json::{Value, json};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// Runs `account` at the controller's time.
fn account(controller: &DomainController, args: &[&str]) -> Ran {
    let mut command = as_administrator(controller, &[&["account"], args].concat());
    command.envs(controller.clock.as_ref().unwrap().environment());
    ran(&mut command)
}

fn done(controller: &DomainController, args: &[&str]) -> String {
    let ran = account(controller, args);
    assert_eq!(ran.code, 0, "{args:?}: {}{}", ran.stdout, ran.stderr);
    ran.stdout
}

/// A check of a report of `account check`: its status and message.
fn check(ran: &Ran, id: &str) -> (String, String) {
    let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"));
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["id"] == id).unwrap();
    let text = |key: &str| found[key].as_str().unwrap().to_owned();
    (text("status"), text("message"))
}

async fn open(controller: &DomainController, user: &str, password: &str) -> Directory {
    let options = Options {
        server: Some(controller.address.to_string()),
        ca: Some(controller.ca.clone()),
        credentials: Some(Credentials { user: user.to_owned(), password: password.into() }),
        ..Options::default()
    };
    Directory::open(&options).await.unwrap()
}

/// A file with the password of the hosts.
fn host_password() -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), HOST_PASSWORD).unwrap();
    file
}

#[tokio::test]
async fn the_last_minutes_of_a_password_interval() {
    let test = "the_last_minutes_of_a_password_interval";
    let Some(controller) = shared::domain_controller_with_clock(test, "turn-dc").await else {
        return;
    };
    if !has_kinit(test) {
        return;
    }
    let clock = controller.clock.as_ref().unwrap();
    done(&controller, &["create", "Rolling", "--host", "WEBHOST1", "--interval-days", "1"]);
    let host = open(&controller, "WEBHOST1$@contoso.com", HOST_PASSWORD).await;
    let first = host.managed_password("Rolling").await.unwrap().unwrap();
    assert!(first.previous.is_none());
    // Until the password changes.
    let left = i64::try_from(first.query_interval.as_secs()).unwrap();
    assert!((HOUR..=24 * HOUR).contains(&left), "{left}");
    let file = host_password();
    let file = file.path().to_str().unwrap();
    let proof = ["check", "Rolling", "--as", "WEBHOST1$", "--as-password-file", file, "-o", "json"];
    let current = "the password gets a Kerberos ticket for Rolling$";
    let previous = "the previous password gets a Kerberos ticket for Rolling$: the current one counts \
                    in a few minutes";
    for (seconds, expected) in [
        (0, current),
        (left - 10 * MINUTE, current),
        (left - 4 * MINUTE, previous),
        (left + MINUTE, current),
    ] {
        clock.set(seconds);
        let ran = account(&controller, &proof);
        let found = check(&ran, "kerberos-ticket");
        assert_eq!(found, ("ok".to_owned(), expected.to_owned()), "{seconds} of {left}: {ran:?}");
        assert_eq!(ran.code, 0, "{ran:?}");
    }
}

#[tokio::test]
async fn a_new_root_key_is_usable_after_ten_hours_and_five_minutes() {
    let test = "a_new_root_key_is_usable_after_ten_hours_and_five_minutes";
    let Some(controller) = shared::domain_controller_with_clock(test, "key-dc").await else {
        return;
    };
    let clock = controller.clock.as_ref().unwrap();
    let directory = open(&controller, ADMINISTRATOR, ADMINISTRATOR_PASSWORD).await;
    let wish = NewAccount {
        name: "Planned".to_owned(),
        dns_host_name: None,
        container: None,
        service_principal_names: Vec::new(),
        interval_days: 30,
        encryption_types: gmsa_directory::account::ENCRYPTION_TYPES,
        enabled: true,
        allowed: Vec::new(),
    };
    // While there is a key, so that the controller itself can be asked later.
    let planned = directory.plan(&wish).await.unwrap();
    let keys = controller.samba_tool(&["domain", "kds", "root-key", "list"]);
    let is_guid = |word: &&str| gmsa_core::credspec::identifier::is_guid(word);
    for key in keys.split_whitespace().filter(is_guid) {
        controller.samba_tool(&["domain", "kds", "root-key", "delete", &format!("--name={key}")]);
    }
    // Its start is now, and all that follows is some seconds later.
    controller.samba_tool(&["domain", "kds", "root-key", "create"]);
    for (seconds, words) in [
        (0, "too new: accounts can be made in 10 h "),
        (10 * HOUR + MINUTE, "too new: accounts can be made in 0 h "),
    ] {
        clock.set(seconds);
        let ran = account(&controller, &["create", "Early"]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.stderr.contains(words), "{seconds}: {ran:?}");
        let ran = account(&controller, &["check", "Early", "-o", "json"]);
        let (status, message) = check(&ran, "kds-root-key");
        assert_eq!(status, "problem", "{message}");
        // What it saves the administrator from.
        let directory = open(&controller, ADMINISTRATOR, ADMINISTRATOR_PASSWORD).await;
        let error = directory.create(&planned).await.unwrap_err().to_string();
        assert!(error.contains("no KDS root key that can be used yet"), "{seconds}: {error}");
    }
    clock.set(10 * HOUR + 5 * MINUTE + 30);
    let directory = open(&controller, ADMINISTRATOR, ADMINISTRATOR_PASSWORD).await;
    directory.create(&planned).await.unwrap();
    done(&controller, &["create", "Late"]);
    let ran = account(&controller, &["check", "Late", "-o", "json"]);
    assert_eq!(check(&ran, "kds-root-key").0, "ok", "{ran:?}");
}

#[tokio::test]
async fn an_account_expires_as_its_day_begins() {
    let test = "an_account_expires_as_its_day_begins";
    let Some(controller) = shared::domain_controller_with_clock(test, "end-dc").await else {
        return;
    };
    let clock = controller.clock.as_ref().unwrap();
    let day = Timestamp::now().to_zoned(TimeZone::UTC).date().saturating_add(3.days());
    let start = day.to_zoned(TimeZone::UTC).unwrap().timestamp().as_second();
    let left = start - Timestamp::now().as_second();
    done(&controller, &["create", "Ending", "--host", "WEBHOST1", "--host", "WEBHOST2"]);
    let set = done(&controller, &["set", "Ending", "--expires", &day.to_string()]);
    assert!(set.contains(&day.to_string()), "{set}");
    // A node's own account, which expires with it.
    let host = open(&controller, ADMINISTRATOR, ADMINISTRATOR_PASSWORD).await;
    let host = host.computer("WEBHOST2").await.unwrap();
    let moment = (start + 11_644_473_600) * 10_000_000;
    controller.modify(&format!(
        "dn: {}\nchangetype: modify\nreplace: accountExpires\naccountExpires: {moment}\n",
        host.dn
    ));
    let file = host_password();
    let file = file.path().to_str().unwrap();
    let look = ["check", "Ending", "--host", "WEBHOST2", "-o", "json"];
    let as_host =
        |host: &'static str| [&look[..], &["--as", host, "--as-password-file", file]].concat();
    let kinit = has_kinit(test);
    for seconds in [0, left - 2 * MINUTE] {
        clock.set(seconds);
        let ran = account(&controller, &as_host("WEBHOST1$"));
        assert_eq!(check(&ran, "enabled").0, "ok", "{ran:?}");
        assert_eq!(check(&ran, "host-may-retrieve").0, "ok", "{ran:?}");
        if kinit {
            assert_eq!(check(&ran, "kerberos-ticket").0, "ok", "{ran:?}");
        }
    }
    clock.set(left + 2 * MINUTE);
    let ran = account(&controller, &as_host("WEBHOST1$"));
    assert_eq!(ran.code, 1, "{ran:?}");
    let (status, message) = check(&ran, "enabled");
    assert_eq!(status, "problem", "{message}");
    assert!(message.contains(&format!("expired on {day}")), "{message}");
    let (status, message) = check(&ran, "host-may-retrieve");
    assert_eq!(status, "problem", "{message}");
    assert!(message.contains(&format!("its account expired on {day}")), "{message}");
    if kinit {
        let (status, message) = check(&ran, "kerberos-ticket");
        assert_eq!(status, "problem", "{message}");
        assert!(message.contains("revoked"), "{message}");
    }
    // The controller thinks the same of the node.
    let ran = account(&controller, &as_host("WEBHOST2$"));
    assert!(ran.stdout.contains("account has expired"), "{ran:?}");
    done(&controller, &["set", "Ending", "--expires", "never"]);
    let ran = account(&controller, &["check", "Ending", "-o", "json"]);
    assert_eq!(check(&ran, "enabled").0, "ok", "{ran:?}");
}

#[tokio::test]
async fn a_controller_whose_clock_is_wrong_is_found() {
    let test = "a_controller_whose_clock_is_wrong_is_found";
    let Some(controller) = shared::domain_controller_with_clock(test, "skew-dc").await else {
        return;
    };
    let clock = controller.clock.as_ref().unwrap();
    done(&controller, &["create", "Timely", "--host", "WEBHOST1"]);
    for (seconds, status, words) in [
        (0, "ok", "agree within a minute"),
        (2 * MINUTE, "warning", "the controller's clock is 1"),
        (20 * MINUTE, "problem", "ahead of that of this machine; Kerberos takes up to 300 s"),
        (-20 * MINUTE, "problem", "behind that of this machine; Kerberos takes up to 300 s"),
    ] {
        clock.set(seconds);
        // By the right time, as the nodes have it.
        let args = ["account", "check", "Timely", "-o", "json"];
        let ran = ran(&mut as_administrator(&controller, &args));
        let found = check(&ran, "clock");
        assert_eq!(found.0, status, "{seconds}: {found:?}");
        assert!(found.1.contains(words), "{seconds}: {found:?}");
        assert_eq!(ran.code, i32::from(status == "problem"), "{ran:?}");
    }
}

/// The state and the words of the check of a node's release.
fn lifecycle(kubeconfig: &std::path::Path, clock: &Clock, node: &str) -> (String, String) {
    let mut command = plugin(&["doctor", "-o", "json"]);
    command.env("KUBECONFIG", kubeconfig).envs(clock.environment());
    let ran = ran(&mut command);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"));
    let object = format!("Node {node}");
    let outcomes = report["outcomes"].as_array().unwrap();
    let found =
        outcomes.iter().find(|one| one["check"] == "node-lifecycle" && one["object"] == *object);
    let found = found.unwrap_or_else(|| panic!("{report}"));
    let text = |key: &str| found[key].as_str().unwrap().to_owned();
    (text("state"), text("message"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn releases_end_on_their_day() {
    let test = "releases_end_on_their_day";
    let Some(library) = Clock::find(test) else { return };
    let Some(plane) = ControlPlane::start_private(test, control_plane::Options::default()).await
    else {
        return;
    };
    let files = tempfile::tempdir().unwrap();
    let clock = Clock::new(library, files.path().join("clock"));
    // Without TLS: certificates have ends of their own.
    let proxy = ApiProxy::start(plane.client().await).await;
    let kubeconfig = files.path().join("kubeconfig");
    proxy.write_kubeconfig(&kubeconfig);
    let releases: Vec<_> =
        RELEASES.iter().filter(|release| [17763, 20348, 26100].contains(&release.build)).collect();
    let api: Api<Node> = Api::all(plane.client().await);
    for release in &releases {
        let node = json!({"apiVersion": "v1", "kind": "Node",
        "metadata": {"name": release.tag, "labels": {"kubernetes.io/os": "windows"}},
        "status": {
            "conditions": [{"type": "Ready", "status": "True"}],
            "nodeInfo": {
                "kernelVersion": format!("10.0.{}.9999", release.build),
                "containerRuntimeVersion": "containerd://1.7.28", "operatingSystem": "windows",
                "architecture": "amd64", "osImage": "", "machineID": "", "systemUUID": "",
                "bootID": "", "kubeletVersion": "", "kubeProxyVersion": ""
            }
        }});
        let node = serde_json::from_value(node).unwrap();
        api.create(&PostParams::default(), &node).await.unwrap();
    }
    for release in releases {
        let end: Date = release.end.parse().unwrap();
        let until = format!("{} gets updates until {}", release.name, release.end);
        let over = format!("{} got its last updates on {}", release.name, release.end);
        for (day, state, words) in [
            (end.saturating_sub(181.days()), "ok", &until),
            (end.saturating_sub(180.days()), "warning", &until),
            (end, "warning", &until),
            (end.saturating_add(1.day()), "warning", &over),
        ] {
            let noon = day.at(12, 0, 0, 0).to_zoned(TimeZone::UTC).unwrap();
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            clock.set(noon.timestamp().as_second() - i64::try_from(now.as_secs()).unwrap());
            let found = lifecycle(&kubeconfig, &clock, release.tag);
            assert_eq!(found, (state.to_owned(), words.clone()), "{day}");
        }
    }
}
