//! A large domain whose NetBIOS name is not its first DNS label.

use std::time::Duration;

use crate::support::{as_administrator, create, found, wish};
use gmsa_directory::account::{CheckStatus, Detail, NewAccount};
use gmsa_directory::{Directory, Options};
use gmsa_testkit::domain_controller::{ADMINISTRATOR_PASSWORD, DomainController, HOST_PASSWORD};
use gmsa_testkit::ldap_front::{LdapFront, Limits};
use gmsa_testkit::shared;

async fn open(controller: &DomainController, user: &str, password: &str) -> Directory {
    let user = format!("{user}@{}", controller.realm.domain);
    let options = crate::support::options(controller, &user, password);
    Directory::open(&options).await.unwrap()
}

#[tokio::test]
async fn many_accounts_and_hosts_take_few_requests() {
    let test = "many_accounts_and_hosts_take_few_requests";
    let Some(controller) = shared::large_domain_controller(test).await else { return };
    let directory = open(&controller, "Administrator", ADMINISTRATOR_PASSWORD).await;
    let domain = directory.domain().await.unwrap();
    assert_eq!(domain.netbios_name, "FABRI");
    assert_eq!(domain.dns_name, "corp.fabrikam.example");

    // By every name, and by the first label where the computer has no DNS name.
    let nodes = [
        "node0001",
        "node0002.corp.fabrikam.example",
        "NODE0009.corp.fabrikam.example",
        "node2500",
        "nosuch.corp.fabrikam.example",
    ];
    let computers = directory.computers(&nodes).await.unwrap();
    let counts: Vec<usize> = computers.iter().map(Vec::len).collect();
    assert_eq!(counts, [1, 1, 1, 1, 0]);
    let hosts: Vec<_> = computers.into_iter().flatten().collect();

    let names: Vec<String> = (0..1200).map(|number| format!("svc{number:04}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let before = directory.requests();
    let survey = directory.survey(&names, &hosts, &[], Detail::Summary).await.unwrap();
    let requests = directory.requests() - before;
    // 12 for the accounts, one for each host, 24 for service principal names and what stands for them.
    assert!(requests < 60, "{requests}");
    for (number, name) in names.iter().enumerate() {
        assert!(survey.account(name).is_some(), "{name}");
        // The group of 2,000 itself, or by two more around it.
        let checks = survey.host_checks(name, &hosts);
        let statuses: Vec<CheckStatus> = checks.iter().map(|check| check.status).collect();
        let yes = CheckStatus::Passed;
        assert_eq!(statuses, [yes, yes, yes, CheckStatus::Failed], "{name}");
        let by = if number % 2 == 0 { "by the group large" } else { "by the group outer" };
        assert!(checks[0].message.contains(by), "{}", checks[0].message);
    }
    // As the controller has it.
    let host = open(&controller, "NODE0001$", HOST_PASSWORD).await;
    for name in ["svc0000", "svc0001", "svc0107"] {
        assert!(host.managed_password(name).await.unwrap().is_some(), "{name}");
    }

    // In a container with commas and quotes, and by every name of the account.
    let account = directory.account("svc0007").await.unwrap().unwrap();
    assert!(account.dn.to_lowercase().contains("ou=shops\\, "), "{}", account.dn);
    for name in [
        "FABRI\\svc0007",
        "svc0007$@corp.fabrikam.example",
        "corp.fabrikam.example\\SVC0007$",
        &account.dn,
        &account.sid.to_string(),
    ] {
        let found = directory.account(name).await.unwrap();
        assert_eq!(found.map(|found| found.dn), Some(account.dn.clone()), "{name}");
    }
    let error = directory.account("CORP\\svc0007").await.unwrap_err().to_string();
    assert!(error.contains("which is of another domain"), "{error}");
    let (_, container) = account.dn.split_once(',').unwrap();
    let name = controller.unique("Odd");
    let wish = NewAccount {
        container: Some(container.to_owned()),
        allowed: vec![hosts[0].clone()],
        ..wish(&name)
    };
    create(&directory, &wish).await;
    assert!(host.managed_password(&name).await.unwrap().is_some());
    let checks = directory.check(&name, &hosts[..1]).await.unwrap();
    assert_eq!(found(&checks, "host-may-retrieve").status, CheckStatus::Passed);
}

/// Opens the directory through a front that counts, and surveys; gives back the requests, and the round
/// trips that they took.
async fn round_trips(
    controller: &DomainController,
    accounts: &[&str],
    nodes: &[&str],
) -> (usize, usize) {
    let distance = Duration::from_millis(300);
    let front = LdapFront::start(controller, Limits { distance, ..Limits::WINDOWS }).await;
    let options =
        Options { server: Some(front.address.to_string()), ..as_administrator(controller) };
    let directory = Directory::open(&options).await.unwrap();
    let (domain, hosts) = tokio::try_join!(directory.domain(), directory.computers(nodes)).unwrap();
    assert_eq!(domain.netbios_name, "FABRI");
    let hosts: Vec<_> = hosts.into_iter().flatten().collect();
    assert_eq!(hosts.len(), nodes.len());
    let survey = directory.survey(accounts, &hosts, &[], Detail::Summary).await.unwrap();
    assert!(accounts.iter().all(|name| survey.account(name).is_some()));
    assert_eq!(front.counts().0, 0, "Windows would have cut an answer");
    front.round_trips()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn round_trips_do_not_grow_with_accounts_and_hosts() {
    let test = "round_trips_do_not_grow_with_accounts_and_hosts";
    let Some(controller) = shared::large_domain_controller(test).await else { return };
    let (_, one) = round_trips(&controller, &["svc0000"], &["node0001"]).await;
    let names: Vec<String> = (0..1200).map(|number| format!("svc{number:04}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let nodes: Vec<String> = (0..64).map(|number| format!("node{number:04}")).collect();
    let nodes: Vec<&str> = nodes.iter().map(String::as_str).collect();
    let (requests, many) = round_trips(&controller, &names, &nodes).await;
    // The logon, the root entry, the domain with the hosts, the accounts with the groups of the hosts, and
    // who has their SIDs and names.
    assert_eq!((one, many), (5, 5));
    assert!(requests < 130, "{requests}");
}
