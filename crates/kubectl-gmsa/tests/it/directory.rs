//! From the directory to an admitted pod, and credential specs compared with their domain.

use crate::support::{Ran, as_administrator, install_definition, ran};
use gmsa_testkit::domain_controller::DomainController;
use gmsa_testkit::{objects, shared};
use serde_json::Value;

fn directory(controller: &DomainController, args: &[&str]) -> Ran {
    ran(&mut as_administrator(controller, args))
}

fn account(controller: &DomainController, prefix: &str, more: &[&str]) -> String {
    let name = controller.unique(prefix);
    let made = directory(controller, &[&["account", "create", &name], more].concat());
    assert_eq!(made.code, 0, "{}", made.stderr);
    name
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_the_directory_to_an_admitted_pod() {
    let test = "from_the_directory_to_an_admitted_pod";
    let Some(controller) = shared::domain_controller(test).await else { return };
    let Some((_plane, cluster)) = shared::separate_cluster(test).await else { return };
    install_definition(&cluster).await;
    let name = account(&controller, "E2e", &["--host", "WEBHOST1"]);
    let spec = cluster.unique("e2e");
    let namespace = cluster.namespace("e2e").await;
    let on_cluster = |args: &[&str]| {
        ran(as_administrator(&controller, args).env("KUBECONFIG", &cluster.kubeconfig))
    };
    let grant = format!("{namespace}/web");
    let create = |more: &[&str]| {
        let create = ["credspec", "create", &spec, "--from-ad", "--account", &name, "--grant"];
        on_cluster(&[&create[..], more].concat())
    };

    // The three objects, without a cluster.
    let printed = create(&[&grant]);
    assert_eq!(printed.code, 0, "{}", printed.stderr);
    let kinds: Vec<&str> =
        printed.stdout.lines().filter_map(|line| line.strip_prefix("kind: ")).collect();
    assert_eq!(kinds, ["GMSACredentialSpec", "ClusterRole", "RoleBinding"]);
    let listed = create(&[&grant, "-o", "json"]);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!((&listed["kind"], listed["items"].as_array().unwrap().len()), (&"List".into(), 3));
    assert_eq!(create(&[&grant, "-o", "credspec"]).code, 2);

    // A grant that cannot be made leaves nothing behind.
    let refused = create(&["no-such-namespace/web", "--apply"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (3, ""));
    assert!(refused.stderr.contains("no-such-namespace: it does not exist"), "{}", refused.stderr);
    let tried = create(&[&grant, "--apply", "--dry-run=server"]);
    assert_eq!(tried.code, 0, "{}", tried.stderr);
    assert!(tried.stdout.contains("would get the right to use"), "{}", tried.stdout);
    assert_eq!(on_cluster(&["credspec", "show", &spec]).code, 1);

    let applied = create(&[&grant, "--apply"]);
    assert_eq!(applied.code, 0, "{}", applied.stderr);
    assert!(applied.stdout.contains(&format!("{spec} applied\n")), "{}", applied.stdout);
    assert!(applied.stdout.contains(&format!("{namespace}/web may now use {spec}")));
    assert_eq!(on_cluster(&["credspec", "lint", &spec, "--from-ad"]).code, 0);
    let same = on_cluster(&["credspec", "diff", &spec, "--from-ad"]);
    assert_eq!((same.code, same.stdout.as_str()), (0, ""), "{}", same.stderr);

    let mut pod = objects::pod(&namespace, "web", &objects::gmsa(Some(&spec), None));
    pod["spec"]["serviceAccountName"] = "web".into();
    let file = cluster.files().join("e2e-pod.json");
    let review = |pod: &Value| {
        std::fs::write(&file, pod.to_string()).unwrap();
        on_cluster(&["review", "--cluster", "-f", file.to_str().unwrap()])
    };
    let refused = review(&pod);
    assert_eq!(refused.code, 1, "{}", refused.stdout);
    assert!(refused.stdout.contains("service-account-missing"), "{}", refused.stdout);
    cluster
        .apply(&serde_json::json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": "web", "namespace": namespace}}))
        .await;
    let admitted = review(&pod);
    assert_eq!(admitted.code, 0, "{}{}", admitted.stdout, admitted.stderr);
    pod["spec"]["serviceAccountName"] = "other".into();
    assert_eq!(review(&pod).code, 1);
}

#[tokio::test]
async fn a_credential_spec_against_the_directory() {
    let test = "a_credential_spec_against_the_directory";
    let Some(controller) = shared::domain_controller(test).await else { return };
    let one = account(&controller, "Cmp", &[]);
    let two = account(&controller, "Cmq", &["--disabled", "--encryption", "aes256,aes128"]);
    let stored = controller.search(
        &format!("(sAMAccountName={two}$)"),
        &["userAccountControl", "msDS-SupportedEncryptionTypes"],
    );
    assert!(stored.contains("userAccountControl: 4098"), "{stored}");
    assert!(stored.contains("msDS-SupportedEncryptionTypes: 24"), "{stored}");

    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("spec.json");
    let file = path.to_str().unwrap();
    let create = ["credspec", "create", "x", "--from-ad", "--account", &one, "-o", "credspec"];
    let made = directory(&controller, &[&create[..], &["--out", file]].concat());
    assert_eq!((made.code, made.stdout.as_str()), (0, format!("{file}\n").as_str()));
    let again = directory(&controller, &[&create[..], &["--out", file]].concat());
    assert_eq!(again.code, 2);
    assert!(again.stderr.contains("it exists"), "{}", again.stderr);
    let more =
        [&create[..], &["--out", file, "--overwrite", "--additional-account", &two]].concat();
    let disabled = directory(&controller, &more);
    assert_eq!(disabled.code, 1);
    assert!(disabled.stderr.contains(&format!("the account {two} is disabled")));

    let compare = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let diff = directory(&controller, &["credspec", "diff", file, "--from-ad"]);
        let lint = directory(&controller, &["credspec", "lint", "--from-ad", "-f", file]);
        (diff, lint)
    };
    let good = std::fs::read_to_string(&path).unwrap();
    let (diff, lint) = compare(&good);
    assert_eq!((diff.code, diff.stdout.as_str(), lint.code), (0, "", 0), "{}", lint.stdout);

    // With another domain's SID, and an additional account that is disabled.
    let mut bad: Value = serde_json::from_str(&good).unwrap();
    bad["DomainJoinConfig"]["Sid"] = "S-1-5-21-1-2-3".into();
    let accounts =
        bad["ActiveDirectoryConfig"]["GroupManagedServiceAccounts"].as_array_mut().unwrap();
    for scope in ["contoso.com", "CONTOSO"] {
        accounts.insert(0, serde_json::json!({"Name": two, "Scope": scope}));
    }
    let (diff, lint) = compare(&bad.to_string());
    assert_eq!((diff.code, lint.code), (1, 1));
    assert_eq!(
        diff.stdout,
        format!(
            "--- {file}\n+++ the directory of contoso.com\n- DomainJoinConfig.Sid: \"S-1-5-21-1-2-3\"\n\
             + DomainJoinConfig.Sid: \"S-1-5-21-1111111111-2222222222-3333333333\"\n"
        )
    );
    assert!(diff.stderr.contains(&format!("the account {two} is disabled")), "{}", diff.stderr);
    assert!(lint.stdout.contains("domain-fact-wrong"), "{}", lint.stdout);
    assert!(lint.stdout.contains(&format!("the account {two} is disabled")), "{}", lint.stdout);
    assert!(lint.stdout.contains("GroupManagedServiceAccounts[0].Name"), "{}", lint.stdout);

    // Of the wrong class, or gone.
    for (name, why) in
        [("WEBHOST1", "is not a group managed service account"), ("Gone", "does not exist")]
    {
        let (diff, lint) = compare(&good.replace(&one, name));
        assert_eq!((diff.code, lint.code), (1, 1));
        assert!(diff.stderr.contains(why) && lint.stdout.contains(why), "{}", lint.stdout);
    }
    // Another domain is not compared by the linter, and said so; who compares it sees all that differs.
    let (diff, lint) = compare(&good.replace("contoso.com", "fabrikam.com"));
    assert_eq!((diff.code, lint.code), (1, 0));
    assert!(lint.stderr.contains("its domain is another"), "{}", lint.stderr);
    assert!(
        diff.stdout.contains("- DomainJoinConfig.DnsName: \"fabrikam.com\""),
        "{}",
        diff.stdout
    );
}

#[tokio::test]
async fn the_linter_tells_of_a_missing_root_key() {
    let test = "the_linter_tells_of_a_missing_root_key";
    let Some(controller) = shared::separate_domain_controller(test, "keyless-for-lint").await
    else {
        return;
    };
    let name = account(&controller, "Lint", &[]);
    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("spec.json");
    let file = path.to_str().unwrap();
    let create = ["credspec", "create", "x", "--from-ad", "--account", &name, "-o", "credspec"];
    let made = directory(&controller, &[&create[..], &["--out", file]].concat());
    assert_eq!(made.code, 0, "{}", made.stderr);
    let lint = || directory(&controller, &["credspec", "lint", "--from-ad", "-f", file]);
    let with_key = lint();
    assert_eq!(with_key.code, 0, "{}", with_key.stdout);

    let keys = controller.samba_tool(&["domain", "kds", "root-key", "list"]);
    let is_guid = |word: &&str| gmsa_core::credspec::identifier::is_guid(word);
    for key in keys.split_whitespace().filter(is_guid) {
        controller.samba_tool(&["domain", "kds", "root-key", "delete", &format!("--name={key}")]);
    }
    let without = lint();
    assert_eq!((without.code, without.stderr.as_str()), (1, ""));
    assert_eq!(without.stdout.matches("account-unusable").count(), 1, "{}", without.stdout);
    let why = "no account has a password: the forest has no KDS root key";
    assert!(without.stdout.contains(why), "{}", without.stdout);
}
