//! The remedies of `account check`, in a real domain: each command exactly as in the report.

use std::collections::BTreeSet;
use std::path::Path;

use gmsa_testkit::domain_controller::{
    self, ADMINISTRATOR, ADMINISTRATOR_PASSWORD, DomainController, HOST_PASSWORD,
};
use gmsa_testkit::shared;
use serde_json::Value;

use super::living::command;
use super::{Catalogue, Entry};
use crate::support::{Ran, ran};

const CARRIED_OUT: [&str; 14] = [
    "exists",
    "class",
    "name",
    "enabled",
    "dns-host-name",
    "encryption",
    "password-interval",
    "spn-unique",
    "spn-alias",
    "service-name",
    "delegation",
    "retrieval",
    "host-may-retrieve",
    "password-read",
];
const TICKET: &str = "kerberos-ticket";
/// 2020-01-01, as Windows counts.
const PAST: &str = "132223104000000000";

pub(super) fn entries() -> impl Iterator<Item = Entry> {
    CARRIED_OUT.iter().chain([&TICKET]).map(|id| (Catalogue::Accounts, *id))
}

/// All checks: those of the directory, and the proof with a host's password.
pub(super) fn catalogue() -> impl Iterator<Item = Entry> {
    let all = gmsa_directory::account::CHECKS.into_iter().chain(["password-read", TICKET]);
    all.map(|id| (Catalogue::Accounts, id))
}

pub(super) struct World<'a> {
    pub(super) controller: &'a DomainController,
    /// The password of the hosts.
    pub(super) password: &'a Path,
}

impl World<'_> {
    /// Runs what a reader copied into a shell, as the administrator.
    fn sh(&self, line: &str) -> Ran {
        let program = Path::new(env!("CARGO_BIN_EXE_kubectl-gmsa"));
        let line = line.replace("kubectl gmsa", &program.display().to_string());
        let mut shell = assert_cmd::Command::new("bash");
        shell
            .args(["-c", &line])
            .env("GMSA_DC", self.controller.address.to_string())
            .env("GMSA_CA", &self.controller.ca)
            .env("GMSA_BIND_USER", ADMINISTRATOR)
            .env("GMSA_BIND_PASSWORD", ADMINISTRATOR_PASSWORD)
            .env("KUBECONFIG", "/nonexistent");
        ran(&mut shell)
    }

    pub(super) fn done(&self, line: &str) {
        let ran = self.sh(line);
        assert_eq!(ran.code, 0, "{line}: {}{}", ran.stdout, ran.stderr);
    }

    /// An account made for a test, with more options.
    pub(super) fn account(&self, more: &str) -> String {
        let name = self.controller.unique("Rmd");
        self.done(&format!("kubectl gmsa account create {name} {more}"));
        name
    }

    fn checks(&self, what: &str) -> Vec<Value> {
        let ran = self.sh(&format!("kubectl gmsa account check {what} -o json"));
        let report: Value = serde_json::from_str(&ran.stdout)
            .unwrap_or_else(|_| panic!("{what}: {}{}", ran.stdout, ran.stderr));
        let checks = report["checks"].as_array().unwrap().clone();
        let known: BTreeSet<&str> = catalogue().map(|(_, id)| id).collect();
        for check in &checks {
            let id = check["id"].as_str().unwrap();
            assert!(known.contains(id), "{id} is not in the list of checks");
        }
        checks
    }

    /// What a check that did not pass advises, if it says this.
    pub(super) fn advised(&self, what: &str, id: &str, says: &str) -> String {
        let checks = self.checks(what);
        let of = checks.iter().filter(|check| check["id"] == id && check["status"] != "ok");
        let hints: Vec<&str> = of.filter_map(|check| check["hint"].as_str()).collect();
        let found = hints.iter().find(|hint| hint.contains(says));
        (*found.unwrap_or_else(|| panic!("{id} does not say {says:?}: {checks:#?}"))).to_owned()
    }

    /// Nothing is left to do for a check.
    pub(super) fn gone(&self, what: &str, id: &str) {
        let checks = self.checks(what);
        let left = checks.iter().filter(|check| check["id"] == id && check["status"] != "ok");
        assert_eq!(left.count(), 0, "{id}: {checks:#?}");
    }

    fn change(&self, account: &str, change: &str) {
        self.controller.modify_unchecked(&format!(
            "dn: CN={account},CN=Managed Service Accounts,DC=contoso,DC=com\nchangetype: modify\n\
             {change}\n"
        ));
    }

    /// Runs the command of an advice, with more, and sees the finding gone.
    fn follow(&self, what: &str, id: &str, says: &str, more: &str) {
        let advice = self.advised(what, id, says);
        let line = command(&advice, says);
        self.done(&format!("{line} {more}"));
        self.gone(what, id);
    }
}

#[tokio::test]
async fn what_the_check_of_an_account_advises_works() {
    let test = "what_the_check_of_an_account_advises_works";
    let Some(controller) = shared::domain_controller(test).await else { return };
    let password = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(password.path(), HOST_PASSWORD).unwrap();
    let world = World { controller: &controller, password: password.path() };
    made_anew(&world);
    enabled(&world);
    attributes(&world);
    service_names(&world);
    delegation(&world);
    retrieval(&world);
    proof(&world, test);
}

/// What only a new account fixes.
fn made_anew(world: &World<'_>) {
    let create = "kubectl gmsa account create";
    let name = world.controller.unique("New");
    world.follow(&name, "exists", create, &name);

    // A computer stays one, and a name that is too long belongs to its account.
    let long = world.account("");
    let replaced = format!("{long}-and-more-of-it");
    world.change(&long, &format!("replace: sAMAccountName\nsAMAccountName: {replaced}$"));
    for (account, id, says) in [
        ("WEBHOST1", "class", "make one under another name"),
        (replaced.as_str(), "name", "make an account with a shorter name"),
    ] {
        let line = command(&world.advised(account, id, says), create);
        let other = world.controller.unique("Oth");
        world.done(&line.replace("NAME", &other));
        world.gone(&other, id);
    }

    // Under the same name, so that credential specs stay right.
    let slow = world.account("--interval-days 400");
    let advice = world.advised(&slow, "password-interval", "make it anew");
    world.done(&format!("{} --yes", command(&advice, "kubectl gmsa account remove")));
    world.done(&command(&advice, create));
    world.gone(&slow, "password-interval");
}

fn enabled(world: &World<'_>) {
    let name = world.account("");
    world.done(&format!("kubectl gmsa account set {name} --disable"));
    world.follow(&name, "enabled", "kubectl gmsa account set", "");

    world.change(&name, &format!("replace: accountExpires\naccountExpires: {PAST}"));
    world.follow(&name, "enabled", "kubectl gmsa account set", "");
}

fn attributes(world: &World<'_>) {
    let name = world.account("");
    world.change(&name, "delete: dNSHostName");
    let set = "kubectl gmsa account set";
    let advice = world.advised(&name, "dns-host-name", set);
    let line = command(&advice, set).replace("NAME", &format!("{name}.contoso.com"));
    world.done(&line);
    world.gone(&name, "dns-host-name");

    for (types, is_wrong) in [("4", true), ("32", true), ("3", true), ("28", false)] {
        let attribute = "msDS-SupportedEncryptionTypes";
        world.change(&name, &format!("replace: {attribute}\n{attribute}: {types}"));
        if is_wrong {
            world.follow(&name, "encryption", set, "");
            continue;
        }
        // It passes, with something to do all the same.
        let hint = || {
            let checks = world.checks(&name);
            let check = checks.iter().find(|check| check["id"] == "encryption").unwrap();
            check["hint"].as_str().map(str::to_owned)
        };
        world.done(&command(&hint().unwrap(), set));
        assert_eq!(hint(), None);
    }
}

fn service_names(world: &World<'_>) {
    let (name, other) = (world.account(""), world.account(""));
    let spn = format!("http/{name}.contoso.com");
    let add = |name: &str| format!("add: servicePrincipalName\nservicePrincipalName: {name}");
    world.change(&name, &add(&spn));
    world.change(&other, &add(&spn));
    let own = format!("http/{name}-own.contoso.com");
    world.change(&name, &add(&own));
    world.follow(&name, "spn-unique", "kubectl gmsa account set", "");
    // It is the other's alone, and what it had by itself is left.
    let left =
        world.controller.search(&format!("(sAMAccountName={name}$)"), &["servicePrincipalName"]);
    assert!(left.contains(&own) && !left.contains(&spn), "{left}");
    world.gone(&other, "spn-unique");

    // A computer has it by its own names.
    let node = world.controller.unique("rmn");
    world.controller.computer(&node);
    world.controller.modify_unchecked(&format!(
        "dn: CN={node},CN=Computers,DC=contoso,DC=com\nchangetype: modify\n{}\n",
        add(&format!("HOST/{node}"))
    ));
    let taken = format!("http/{node}");
    world.change(&other, &add(&taken));
    world.advised(&other, "spn-alias", "give the service its own name");
    let own = format!("http/{other}.contoso.com");
    world.done(&format!("kubectl gmsa account set {other} --remove-spn {taken} --add-spn {own}"));
    world.gone(&other, "spn-alias");

    let wanted = format!("{other} --service-name http/{other}");
    world.follow(&wanted, "service-name", "kubectl gmsa account set", "");
    // Clients get a ticket for the computer instead.
    let wanted = format!("{other} --service-name {taken}");
    world.follow(&wanted, "service-name", "kubectl gmsa account set", "");
    let wanted = format!("{other} --service-name http/10.1.2.3");
    world.advised(&wanted, "service-name", "have them use a DNS name");
    world.gone(&format!("{other} --service-name {own}"), "service-name");
}

fn delegation(world: &World<'_>) {
    let name = world.account("");
    for (flag, says) in [
        (0x8_0000, "name the services instead (msDS-AllowedToDelegateTo)"),
        (0x100_0000, "only if users log on by other means than Kerberos"),
    ] {
        let value = 4096 | flag;
        world.change(&name, &format!("replace: userAccountControl\nuserAccountControl: {value}"));
        let advice = world.advised(&name, "delegation", says);
        world.done(&command(&advice, "kubectl gmsa account set"));
        let to = "msDS-AllowedToDelegateTo";
        world.change(&name, &format!("replace: {to}\n{to}: MSSQLSvc/db.contoso.com"));
        world.gone(&name, "delegation");
    }
}

fn retrieval(world: &World<'_>) {
    let name = world.account("");
    let allow = "kubectl gmsa account allow";
    world.follow(&name, "retrieval", allow, &format!("{name} --group webhosts"));
    world.done(&format!("{allow} {name} --group 'Authenticated Users'"));
    world.follow(&name, "retrieval", "kubectl gmsa account disallow", "");

    let host = format!("{name} --host OTHERHOST");
    world.follow(&host, "host-may-retrieve", allow, "");
    let node = world.controller.unique("rmn");
    world.controller.computer(&node);
    let host = format!("{name} --host {node}");
    world.done(&format!("{allow} {host}"));
    let change = |control: &str| {
        world.controller.modify(&format!(
            "dn: CN={node},CN=Computers,DC=contoso,DC=com\nchangetype: modify\n\
             replace: userAccountControl\nuserAccountControl: {control}\n"
        ));
    };
    change("4098");
    world.advised(&host, "host-may-retrieve", "enable the account of the computer");
    change("4096");
    world.gone(&host, "host-may-retrieve");
}

/// With the password of a host.
fn proof(world: &World<'_>, test: &str) {
    let name = world.account("");
    let file = world.password.display();
    let proof = format!("{name} --as 'WEBHOST2$' --as-password-file {file}");
    let allow = "kubectl gmsa account allow";
    let advice = world.advised(&proof, "password-read", allow);
    world.advised(&proof, TICKET, "see the check above");
    world.done(&command(&advice, allow));
    world.gone(&proof, "password-read");
    if domain_controller::has_kinit(test) {
        world.gone(&proof, TICKET);
    }

    let missing = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(missing.path(), "wrong-secret").unwrap();
    let wrong = format!("{name} --as 'WEBHOST2$' --as-password-file {}", missing.path().display());
    world.advised(&wrong, "password-read", "give the right name and password of the host");
}
