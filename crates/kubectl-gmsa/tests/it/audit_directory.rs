//! `audit --from-ad`: the credential specs of a cluster against a real directory.

use std::collections::BTreeSet;

use crate::support::{Ran, as_administrator, ran};
use gmsa_testkit::domain_controller::{BASE, DomainController, GUID, SID};
use gmsa_testkit::{objects, shared};
use serde_json::{Value, json};

fn account(controller: &DomainController, prefix: &str, more: &[&str]) -> String {
    let name = controller.unique(prefix);
    let made =
        ran(&mut as_administrator(controller, &[&["account", "create", &name], more].concat()));
    assert_eq!(made.code, 0, "{}", made.stderr);
    name
}

fn set(controller: &DomainController, name: &str, change: &[&str]) {
    let done =
        ran(&mut as_administrator(controller, &[&["account", "set", name], change].concat()));
    assert_eq!(done.code, 0, "{}", done.stderr);
}

/// A credential spec of the domain.
fn spec(name: &str, account: &str) -> Value {
    let mut spec = objects::credential_spec(name, account);
    spec["credspec"]["DomainJoinConfig"]["Sid"] = json!(SID);
    spec["credspec"]["DomainJoinConfig"]["Guid"] = json!(GUID);
    spec
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_accounts_of_all_credential_specs_are_judged() {
    let test = "the_accounts_of_all_credential_specs_are_judged";
    let Some(controller) = shared::domain_controller(test).await else { return };
    let good = account(&controller, "Aug", &[]);
    let old = account(&controller, "Auo", &["--encryption", "rc4"]);
    let untyped = account(&controller, "Auu", &[]);
    controller.modify(&format!(
        "dn: CN={untyped},CN=Managed Service Accounts,{BASE}\nchangetype: modify\n\
         delete: msDS-SupportedEncryptionTypes\n"
    ));
    let disabled = account(&controller, "Aud", &["--disabled"]);
    let ended = account(&controller, "Aue", &[]);
    set(&controller, &ended, &["--expires", "2020-01-01"]);

    let Some((plane, applier)) = super::doctor_directory::cluster(test, &good).await else {
        return;
    };
    let kubeconfig = plane.kubeconfig_path();
    for (name, of) in [
        ("old", old.as_str()),
        ("unset", &untyped),
        ("disabled", &disabled),
        ("ended", &ended),
        ("gone", "NoSuchAccount"),
    ] {
        applier.apply(&spec(name, of)).await.unwrap();
    }
    let mut wrong = spec("wrong", &good);
    wrong["credspec"]["DomainJoinConfig"]["Guid"] = json!("244818ae-87ac-4fcd-92ec-e79e5252348a");
    applier.apply(&wrong).await.unwrap();
    let mut elsewhere = spec("elsewhere", "NoSuchAccount");
    elsewhere["credspec"]["DomainJoinConfig"]["DnsName"] = json!("fabrikam.com");
    applier.apply(&elsewhere).await.unwrap();

    let run = |args: &[&str]| -> Ran {
        let args = [&["audit", "--from-ad"], args].concat();
        ran(as_administrator(&controller, &args).env("KUBECONFIG", &kubeconfig))
    };
    // What the directory alone can say.
    let of_directory = || -> BTreeSet<(String, String)> {
        let ran = run(&["-o", "json"]);
        assert!(ran.stderr.contains("elsewhere: not compared with contoso.com"), "{}", ran.stderr);
        let report: Value = serde_json::from_str(&ran.stdout).unwrap();
        crate::schema::check("audit-report", &report);
        let findings = report["findings"].as_array().unwrap().iter();
        let string = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
        findings
            .map(|one| (string(one, "code"), string(one, "name")))
            .filter(|(code, _)| code.starts_with("account-") || code.starts_with("domain-"))
            .collect()
    };
    let expected = |findings: &[(&str, &str)]| -> BTreeSet<(String, String)> {
        findings.iter().map(|(code, name)| ((*code).to_owned(), (*name).to_owned())).collect()
    };
    assert_eq!(
        of_directory(),
        expected(&[
            ("account-rc4-only", "old"),
            ("account-encryption-default", "unset"),
            ("account-unusable", "disabled"),
            ("account-unusable", "ended"),
            ("account-unusable", "gone"),
            ("domain-fact-wrong", "wrong"),
        ])
    );
    let table = run(&[]);
    assert_eq!(table.code, 1, "{}", table.stderr);
    for words in [
        format!("the account {disabled} is disabled"),
        format!("the account {ended} expired on 2020-01-01"),
        "the account NoSuchAccount does not exist, or cannot be seen".to_owned(),
        format!("the account {old}: its encryption types are 4 (RC4)"),
    ] {
        assert!(table.stdout.contains(&words), "{words}: {}", table.stdout);
    }
    let sarif: Value = serde_json::from_str(&run(&["-o", "sarif"]).stdout).unwrap();
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].to_string();
    assert!(rules.contains("account-rc4-only"), "{rules}");

    // What the findings advise takes them away.
    for (name, change) in [
        (&old, &["--encryption", "aes256,aes128"][..]),
        (&untyped, &["--encryption", "aes256,aes128"]),
        (&disabled, &["--enable"]),
        (&ended, &["--expires", "never"]),
    ] {
        set(&controller, name, change);
    }
    assert_eq!(
        of_directory(),
        expected(&[("account-unusable", "gone"), ("domain-fact-wrong", "wrong")])
    );

    // Accounts are of the whole cluster; without the directory nothing is said of them.
    let refused = run(&["-n", "default"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    let mut unreached = as_administrator(&controller, &["audit", "--from-ad"]);
    unreached.env("KUBECONFIG", &kubeconfig).env("GMSA_DC", "127.0.0.1:1");
    let unreached = ran(&mut unreached);
    assert_eq!(unreached.code, 3, "{}", unreached.stdout);
    assert!(unreached.stderr.contains("127.0.0.1:1"), "{}", unreached.stderr);
}
