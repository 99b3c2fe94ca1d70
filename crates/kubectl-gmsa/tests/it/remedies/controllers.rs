//! The remedies of what is wrong with a whole domain, in one of their own.

use gmsa_testkit::domain_controller::HOST_PASSWORD;
use gmsa_testkit::shared;

use super::living::{advices, command};
use super::{Catalogue, Entry, accounts, directory};
use crate::doctor_directory::{cluster, spec};

pub(super) fn entries() -> impl Iterator<Item = Entry> {
    let accounts = ["kds-root-key", "dns-records", "dns-addresses"];
    let checks = ["directory-root-key", "directory-network"];
    let accounts = accounts.into_iter().map(|id| (Catalogue::Accounts, id));
    accounts.chain(checks.into_iter().map(|id| (Catalogue::Checks, id)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_advised_for_the_domain_itself_works() {
    let test = "what_is_advised_for_the_domain_itself_works";
    // Short: Samba makes sockets below a directory of that name.
    let Some(controller) = shared::separate_domain_controller(test, "rem-dc").await else { return };
    let password = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(password.path(), HOST_PASSWORD).unwrap();
    let world = accounts::World { controller: &controller, password: password.path() };
    let name = world.account("--host WEBHOST1");
    let Some((plane, applier)) = cluster(test, &name).await else { return };
    applier.apply(&spec(&name)).await.unwrap();
    let kubeconfig = plane.kubeconfig_path();
    let doctor = directory::World { controller: &controller, kubeconfig: &kubeconfig, name: &name };
    records(&world, &doctor);
    root_key(&world, &doctor);
}

/// What a controller registers by itself, and what is left of one that is gone.
fn records(world: &accounts::World<'_>, doctor: &directory::World<'_>) {
    let address = world.controller.address.to_string();
    let check = format!("{} --dns-server {address}", doctor.name);
    let network = || {
        let report = doctor.doctor(&format!("--dns-server {address}"));
        advices(&report, "directory-network").concat().to_lowercase()
    };
    assert_eq!(network(), "");
    for (name, id, says, record) in [
        (
            "_kerberos._tcp",
            "dns-records",
            "have the controllers register their records",
            "SRV _kerberos._tcp.contoso.com dc1.contoso.com 88".to_owned(),
        ),
        (
            "dc1",
            "dns-addresses",
            "have the controller register its address record",
            format!("A dc1.contoso.com {address}"),
        ),
    ] {
        world.controller.remove_dns_name(name);
        let advice = world.advised(&check, id, says);
        assert!(advice.contains("(nltest /dsregdns; Samba: samba_dnsupdate)"), "{advice}");
        assert!(network().contains(says), "{}", network());
        world.controller.register_records(&record);
        world.gone(&check, id);
        assert_eq!(network(), "");
    }

    world.controller.announce_controller("gone.contoso.com");
    world.advised(&check, "dns-addresses", "remove the records of one that is gone");
    let record = ["_msdcs.contoso.com", "_ldap._tcp.dc", "SRV", "gone.contoso.com 389 0 100"];
    world.controller.samba_dns("delete", &record);
    world.gone(&check, "dns-addresses");
    assert_eq!(network(), "");
}

/// The key from which passwords are made, and the account whose key is gone.
fn root_key(world: &accounts::World<'_>, doctor: &directory::World<'_>) {
    const CREATE: &str = "samba-tool domain kds root-key create --use-start-time";
    let name = doctor.name;
    let keys = world.controller.samba_tool(&["domain", "kds", "root-key", "list"]);
    for key in keys.lines().filter_map(|line| line.strip_prefix("name ")) {
        let name = format!("--name={key}");
        world.controller.samba_tool(&["domain", "kds", "root-key", "delete", &name]);
    }
    let advice = world.advised(name, "kds-root-key", CREATE);
    let of_doctor = || advices(&doctor.doctor(""), "directory-root-key").concat();
    assert!(of_doctor().contains(CREATE), "{}", of_doctor());
    // That for a domain with one controller: the other key can be used in ten hours.
    let line = command(&advice, CREATE);
    let words: Vec<&str> = line.split_whitespace().skip(1).collect();
    world.controller.samba_tool(&words);

    // The account has the password of the key that is gone.
    let advice = world.advised(name, "kds-root-key", "make it again");
    for (start, more) in [
        ("kubectl gmsa account remove", "--yes"),
        ("kubectl gmsa account create", "--host WEBHOST1"),
    ] {
        world.done(&format!("{} {more}", command(&advice, start).replace("ACCOUNT", name)));
    }
    world.gone(name, "kds-root-key");
    assert_eq!(of_doctor(), "");
}
