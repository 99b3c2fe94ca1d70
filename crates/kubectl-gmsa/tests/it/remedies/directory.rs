//! The remedies of what is found in Active Directory, in a real domain.

use std::path::Path;

use gmsa_testkit::domain_controller::DomainController;
use gmsa_testkit::shared;
use serde_json::{Value, json};

use super::living::{advices, command};
use super::{Catalogue, Entry};
use crate::doctor_directory::{cluster, spec};
use crate::support::{Ran, as_administrator, ran};

const CHECKS: [&str; 5] = [
    "directory-reachable",
    "directory-domain",
    "directory-account",
    "directory-retrieval",
    "directory-spn",
];
const FINDINGS: [&str; 5] = [
    "domain-fact-wrong",
    "account-unusable",
    "account-rc4-only",
    "account-encryption-unclear",
    "account-encryption-default",
];

pub(super) fn entries() -> impl Iterator<Item = Entry> {
    let checks = CHECKS.iter().map(|check| (Catalogue::Checks, *check));
    checks.chain(FINDINGS.iter().map(|code| (Catalogue::Findings, *code)))
}

/// A directory and a cluster whose only credential spec is of an account in it.
pub(super) struct World<'a> {
    pub(super) controller: &'a DomainController,
    pub(super) kubeconfig: &'a Path,
    pub(super) name: &'a str,
}

impl World<'_> {
    /// Runs the plugin's command as the administrator of both.
    fn run(&self, command: &str, stdin: &str) -> Ran {
        let words = command.strip_prefix("kubectl gmsa ").expect(command);
        let words: Vec<&str> = words.split_whitespace().collect();
        let mut command = as_administrator(self.controller, &words);
        ran(command.env("KUBECONFIG", self.kubeconfig).write_stdin(stdin))
    }

    fn done(&self, command: &str) -> String {
        let ran = self.run(command, "");
        assert_eq!(ran.code, 0, "{command}: {}{}", ran.stdout, ran.stderr);
        ran.stdout
    }

    pub(super) fn doctor(&self, more: &str) -> Value {
        let ran = self.run(&format!("kubectl gmsa doctor --from-ad -o json {more}"), "");
        serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.stderr))
    }

    /// The advice of a check that says this.
    fn advised(&self, check: &str, says: &str) -> String {
        let found = advices(&self.doctor(""), check);
        let advice = found.iter().find(|advice| advice.contains(says)).cloned();
        advice.unwrap_or_else(|| panic!("{check} does not say {says:?}: {found:#?}"))
    }

    fn gone(&self, check: &str, says: &str) {
        let left = advices(&self.doctor(""), check);
        assert!(!left.iter().any(|advice| advice.contains(says)), "{check}: {left:#?}");
    }

    /// What lint advises for a credential spec.
    fn lint(&self, spec: &str, code: &str) -> Vec<String> {
        let ran = self.run("kubectl gmsa credspec lint --from-ad -o json -f -", spec);
        let report: Value =
            serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.stderr));
        let findings = report["credentialSpecs"][0]["findings"].as_array().unwrap();
        let of = findings.iter().filter(|one| one["code"] == code);
        of.map(|one| one["hint"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_advised_for_the_directory_works() {
    let test = "what_is_advised_for_the_directory_works";
    let Some(controller) = shared::domain_controller(test).await else { return };
    let name = controller.unique("Rem");
    let Some((plane, applier)) = cluster(test, &name).await else { return };
    let kubeconfig = plane.kubeconfig_path();
    let world = World { controller: &controller, kubeconfig: &kubeconfig, name: &name };

    // The account is not there yet.
    let own = spec(&name).to_string();
    let advice = world.lint(&own, "account-unusable").concat();
    let check = command(&advice, "kubectl gmsa account check ACCOUNT").replace("ACCOUNT", &name);
    let checked = world.run(&check, "");
    assert_eq!(checked.code, 1, "{}", checked.stderr);
    let create = command(&checked.stdout, "kubectl gmsa account create");
    let advice = world.advised("directory-account", "account create");
    assert_eq!(command(&advice, "kubectl gmsa account create"), create);
    world.done(&format!("{create} {name} --host WEBHOST1"));
    assert_eq!(world.lint(&own, "account-unusable"), [""; 0]);
    world.gone("directory-account", "account create");

    // The node may not read the password.
    world.done(&format!("kubectl gmsa account disallow {name} --host WEBHOST1"));
    let advice = world.advised("directory-retrieval", "kubectl gmsa account allow");
    let allow = command(&advice, "kubectl gmsa account allow");
    let allow = allow.replace("ACCOUNT", &name).replace("NODE", "WEBHOST1");
    let rest = match (allow.contains(&name), allow.contains("--host")) {
        (true, true) => String::new(),
        (true, false) => " --host WEBHOST1".to_owned(),
        _ => format!(" {name} --host WEBHOST1"),
    };
    world.done(&format!("{allow}{rest}"));
    world.gone("directory-retrieval", "kubectl gmsa account allow");

    encryption(&world);
    domain(&world, &applier).await;
    service_names(&world);
    reachable(&world);
}

/// The account's encryption types, which lint reads from the directory.
fn encryption(world: &World<'_>) {
    let own = spec(world.name).to_string();
    let attribute = "msDS-SupportedEncryptionTypes";
    for (types, code) in [
        ("4", "account-rc4-only"),
        ("32", "account-encryption-unclear"),
        ("28", "account-encryption-default"),
        ("0", "account-encryption-default"),
    ] {
        world.controller.modify_unchecked(&format!(
            "dn: CN={},CN=Managed Service Accounts,DC=contoso,DC=com\nchangetype: modify\n\
             replace: {attribute}\n{attribute}: {types}\n",
            world.name
        ));
        let advice = world.lint(&own, code).concat();
        let set = command(&advice, "kubectl gmsa account set ACCOUNT");
        world.done(&set.replace("ACCOUNT", world.name));
        assert_eq!(world.lint(&own, code), [""; 0]);
    }
}

/// The credential spec has the SID of another domain.
async fn domain(world: &World<'_>, applier: &gmsa_cluster::api::apply::Applier) {
    let mut wrong = spec(world.name);
    wrong["credspec"]["DomainJoinConfig"]["Sid"] = json!("S-1-5-21-1-2-3");
    let advice = world.lint(&wrong.to_string(), "domain-fact-wrong").concat();
    let create = command(&advice, "kubectl gmsa credspec create --from-ad");
    let made = world.done(&format!("{create} web --account {}", world.name));
    assert_eq!(world.lint(&made, "domain-fact-wrong"), [""; 0]);

    applier.apply(&wrong).await.unwrap();
    let advice = world.advised("directory-domain", "kubectl gmsa credspec create --from-ad");
    let create = command(&advice, "kubectl gmsa credspec create --from-ad");
    // It is another's who wrote it by hand.
    let options = format!("web --account {} --apply --force-conflicts", world.name);
    world.done(&format!("{create} {options}"));
    world.gone("directory-domain", "");
    applier.apply(&spec(world.name)).await.unwrap();
}

/// Another account has the same service principal name.
fn service_names(world: &World<'_>) {
    let other = world.controller.unique("Oth");
    let spn = format!("http/{other}.contoso.com");
    world.done(&format!("kubectl gmsa account create {other}"));
    for account in [world.name, &other] {
        // A controller of today refuses the second one; two controllers that each got one do not.
        world.controller.modify_unchecked(&format!(
            "dn: CN={account},CN=Managed Service Accounts,DC=contoso,DC=com\nchangetype: modify\n\
             add: servicePrincipalName\nservicePrincipalName: {spn}\n"
        ));
    }
    let advice = world.advised("directory-spn", "one of them");
    world.done(&command(&advice, "kubectl gmsa account set"));
    world.gone("directory-spn", "");
}

/// Nobody answers at the address that is named.
fn reachable(world: &World<'_>) {
    let report = world.doctor("--dc 127.0.0.1:1");
    let advice = advices(&report, "directory-reachable").concat();
    for flag in ["`--dc`", "`--ca`", "`--dns-server`"] {
        assert!(advice.contains(flag), "{advice}");
    }
    let (address, ca) = (world.controller.address, world.controller.ca.display());
    let report = world.doctor(&format!("--dc {address} --ca {ca} --dns-server {address}"));
    assert_eq!(advices(&report, "directory-reachable"), [""; 0]);
}
