//! The controllers of a real domain as they are seen from here, and the choice among several.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::support::{create, found, status, wish};
use gmsa_directory::account::{CheckStatus, Detail, NewAccount, check};
use gmsa_directory::{Directory, Options};
use gmsa_testkit::domain_controller::dns::Record;
use gmsa_testkit::domain_controller::{
    ADMINISTRATOR, ADMINISTRATOR_PASSWORD, BASE, DomainController, HOST,
};
use gmsa_testkit::shared;
use tokio::net::TcpListener;

fn administrator(controller: &DomainController) -> Options {
    crate::support::options(controller, ADMINISTRATOR, ADMINISTRATOR_PASSWORD)
}

#[tokio::test]
async fn what_is_seen_of_the_controllers() {
    let Some(controller) = shared::domain_controller("what_is_seen_of_the_controllers").await
    else {
        return;
    };
    let directory = crate::support::administrator(&controller).await;
    let name = controller.unique("Ctl");
    create(&directory, &wish(&name)).await;
    // Nobody named a DNS server: the controller is asked, which is one.
    let checks = check(&directory, &name, &[], &[], Detail::Full).await.unwrap();
    assert_eq!(status(&checks, "clock"), CheckStatus::Passed);
    let records: Vec<_> = checks.iter().filter(|check| check.id == "dns-records").collect();
    assert_eq!(
        records.iter().map(|check| check.message.as_str()).collect::<Vec<_>>(),
        [
            "_ldap._tcp.dc._msdcs.contoso.com names dc1.contoso.com",
            "_kerberos._tcp.contoso.com names dc1.contoso.com",
            "_gc._tcp.contoso.com names dc1.contoso.com",
        ]
    );
    let addresses = found(&checks, "dns-addresses");
    assert_eq!(addresses.message, format!("dc1.contoso.com is {}", controller.address));
    assert_eq!(found(&checks, "dns-transport").message, "DNS answers over UDP and over TCP");
    let ports = found(&checks, "controller-ports");
    assert_eq!(ports.status, CheckStatus::Passed, "{}", ports.message);
    let open = format!("dc1.contoso.com ({}) answers on port 88, 389, 53, 636", controller.address);
    assert!(ports.message.starts_with(&open), "{}", ports.message);
    // Samba has no web services.
    assert!(ports.message.contains("which containers do not need"), "{}", ports.message);
    assert!(ports.message.contains("9389 (web services"), "{}", ports.message);
}

#[tokio::test]
async fn a_dns_server_that_does_not_answer_is_not_a_missing_record() {
    let test = "a_dns_server_that_does_not_answer_is_not_a_missing_record";
    let Some(controller) = shared::domain_controller(test).await else { return };
    // Nobody listens there.
    let nowhere = IpAddr::V4(Ipv4Addr::new(127, 64, 0, 53));
    let options = Options {
        dns_server: Some(nowhere),
        timeout: Duration::from_secs(2),
        ..administrator(&controller)
    };
    let directory = Directory::open(&options).await.unwrap();
    let start = Instant::now();
    let checks = directory.check_controllers().await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(10));
    let record = found(&checks, "dns-records");
    assert_eq!(record.status, CheckStatus::Unknown, "{}", record.message);
    assert!(record.message.contains("127.64.0.53 gave no answer"), "{}", record.message);
    // The controller that is connected is looked at all the same.
    assert_eq!(status(&checks, "controller-ports"), CheckStatus::Passed);
}

#[tokio::test]
async fn missing_records_and_a_missing_controller() {
    let test = "missing_records_and_a_missing_controller";
    // Short: Samba makes sockets below a directory of that name.
    let name = "bare-dc";
    let Some(controller) = shared::separate_domain_controller(test, name).await else { return };
    controller.remove_dns_name("_kerberos._tcp");
    controller.remove_dns_name("_gc._tcp");
    controller.announce_controller("gone.contoso.com");
    let directory = crate::support::administrator(&controller).await;
    let checks = directory.check_controllers().await.unwrap();
    let records: Vec<_> = checks
        .iter()
        .filter(|check| check.id == "dns-records")
        .map(|check| (check.status, check.message.as_str()))
        .collect();
    let missing =
        |record: &str| format!("the DNS server {} has no record {record}", controller.address);
    assert_eq!(records[1], (CheckStatus::Failed, &*missing("_kerberos._tcp.contoso.com")));
    assert_eq!(records[2], (CheckStatus::Warning, &*missing("_gc._tcp.contoso.com")));
    assert_eq!(records[0].0, CheckStatus::Passed);
    assert!(records[0].1.contains("gone.contoso.com"), "{}", records[0].1);
    let addresses: Vec<_> = checks.iter().filter(|check| check.id == "dns-addresses").collect();
    assert_eq!(addresses[0].status, CheckStatus::Failed);
    assert!(addresses[0].message.contains("the address of gone.contoso.com"), "{addresses:?}");
    assert_eq!(addresses[1].message, format!("dc1.contoso.com is {}", controller.address));
}

#[tokio::test]
async fn the_next_controller_is_used_if_the_first_is_down() {
    let test = "the_next_controller_is_used_if_the_first_is_down";
    let Some(controller) = shared::domain_controller(test).await else { return };
    let label = controller.unique("many").to_lowercase();
    let domain = format!("{label}.contoso.com");
    // One that accepts connections and says nothing, one where nobody listens, and the real one.
    let silent = TcpListener::bind(("127.64.9.9", 636)).await;
    let [silent_host, down] = ["silent", "down"].map(|host| format!("{host}.{domain}"));
    for (host, last) in [("silent", 9), ("down", 8)] {
        let address = Ipv4Addr::new(127, 64, 9, last);
        controller.add_dns_records(&format!("{host}.{label}"), &[Record::A(address)]);
    }
    let two = [Record::Srv(0, 10, &silent_host), Record::Srv(0, 100, &down)];
    let record = format!("_ldap._tcp.dc._msdcs.{label}");
    controller.add_dns_records(&record, &[two[0], Record::Srv(5, 200, HOST), two[1]]);
    let options = Options {
        server: None,
        domain: Some(domain.clone()),
        dns_server: Some(controller.address),
        timeout: Duration::from_secs(2),
        ..administrator(&controller)
    };
    let directory = Directory::open(&options).await.unwrap();
    assert_eq!(directory.server(), "dc1.contoso.com:636");
    assert_eq!(directory.domain().await.unwrap().dns_name, "contoso.com");

    // All of them down: each is named with its reason, the heavier one first.
    controller.add_dns_records(&format!("{record}x"), &two);
    let options = Options { domain: Some(format!("{label}x.contoso.com")), ..options };
    let error = match Directory::open(&options).await {
        Ok(_) => panic!("it worked"),
        Err(error) => error.to_string(),
    };
    assert!(error.starts_with("failed to reach a domain controller of "), "{error}");
    let down_at = error.find(&format!("failed to connect to {down}:636")).expect(&error);
    let silent_at = error.find(&format!("set up TLS on {silent_host}:636")).expect(&error);
    assert!(down_at < silent_at, "{error}");
    drop(silent);
}

/// Versions and encryption types of controllers, and the age of a host's password, as the directory has
/// them: Samba serves what is planted.
#[tokio::test]
async fn mixed_controllers_and_old_passwords_of_hosts_are_seen() {
    let test = "mixed_controllers_and_old_passwords_of_hosts_are_seen";
    let Some(controller) = shared::separate_domain_controller(test, "mixed-dc").await else {
        return;
    };
    let directory = crate::support::administrator(&controller).await;
    let name = controller.unique("Mix");
    let host = directory.computer("WEBHOST1").await.unwrap();
    create(&directory, &NewAccount { allowed: vec![host], ..wish(&name) }).await;
    let plant = |dn: &str, attribute: &str, value: &str| {
        controller.modify_unchecked(&format!(
            "dn: {dn},{BASE}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n"
        ));
    };
    let (first, second) = ("CN=DC1,OU=Domain Controllers", "CN=OLDDC,CN=Computers");
    plant(first, "operatingSystemVersion", "10.0 (26100)");
    let checks = async || {
        // Read anew: passwords age.
        let host = directory.computer("WEBHOST1").await.unwrap();
        check(&directory, &name, &[host], &[], Detail::Full).await.unwrap()
    };
    let now = checks().await;
    let versions = found(&now, "controller-versions");
    assert_eq!(versions.message, "the controllers are dc1.contoso.com 10.0 (26100)");
    assert_eq!(status(&now, "host-may-retrieve"), CheckStatus::Passed);

    controller.computer("OLDDC");
    // The flags of a controller's account (MS-ADTS, section 2.2.16).
    plant(second, "userAccountControl", "532480");
    plant(second, "operatingSystemVersion", "10.0 (17763)");
    let day = 24 * 60 * 60 * 10_000_000_i64;
    let since_1601 =
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_hours(3_234_576);
    let ticks = i64::try_from(since_1601.as_nanos() / 100).unwrap() - 75 * day;
    plant("CN=WEBHOST1,CN=Computers", "pwdLastSet", &ticks.to_string());
    let now = checks().await;
    let versions = found(&now, "controller-versions");
    assert_eq!(versions.status, CheckStatus::Warning, "{versions:?}");
    let words =
        "controllers of Windows Server 2025 (dc1.contoso.com) run alongside older ones (OLDDC)";
    assert!(versions.message.starts_with(words), "{}", versions.message);
    let old = found(&now, "host-may-retrieve");
    assert_eq!(old.status, CheckStatus::Warning, "{old:?}");
    assert!(old.message.contains("password is 75 days old"), "{}", old.message);

    plant(second, "msDS-SupportedEncryptionTypes", "4");
    let versions = checks().await;
    let versions = found(&versions, "controller-versions");
    assert!(versions.message.contains("types of OLDDC leave AES out"), "{}", versions.message);
}
