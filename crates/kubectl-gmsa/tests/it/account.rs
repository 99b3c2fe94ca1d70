//! `kubectl gmsa account` against a real domain controller.

use crate::support::{Ran, as_administrator, install_definition, plugin, ran, run};
use gmsa_testkit::domain_controller::{
    ADMINISTRATOR, ADMINISTRATOR_PASSWORD, DomainController, HOST_PASSWORD, USER, USER_PASSWORD,
};
use gmsa_testkit::shared;
use serde_json::Value;

fn account(controller: &DomainController, args: &[&str]) -> Ran {
    ran(&mut as_administrator(controller, &[&["account"], args].concat()))
}

fn done(controller: &DomainController, args: &[&str]) -> String {
    let ran = account(controller, args);
    assert_eq!(ran.code, 0, "{args:?}: {}{}", ran.stdout, ran.stderr);
    ran.stdout
}

#[tokio::test]
async fn the_life_of_an_account() {
    let Some(controller) = shared::domain_controller("the_life_of_an_account").await else {
        return;
    };
    let controller = &controller;
    let name = controller.unique("Life");
    let create = ["create", &name, "--host", "WEBHOST1", "--spn", &format!("http/{name}")];
    let ldif = done(controller, &[&create[..], &["--dry-run=client"]].concat());
    assert!(ldif.starts_with(&format!("dn: CN={name},CN=Managed Service Accounts,")), "{ldif}");
    assert!(ldif.contains("msDS-GroupMSAMembership:: "), "{ldif}");
    // As with kubectl: bare is the client's, wherever the account stands.
    for bare in
        [[&create[..], &["--dry-run"]].concat(), [&["create", "--dry-run"], &create[1..]].concat()]
    {
        let printed = done(controller, &bare);
        let (first, theirs) = (printed.lines().next(), ldif.lines().next());
        assert_eq!(first, theirs, "{printed}");
    }
    let missing = account(controller, &["check", &name]);
    assert_eq!(missing.code, 1, "a dry run made the account: {}", missing.stdout);
    // Other tools take it, and the account is the same.
    controller.modify(&ldif);
    done(controller, &["check", &name, "--host", "WEBHOST1"]);
    let attributes = ["userAccountControl", "dNSHostName", "msDS-GroupMSAMembership"];
    let filter = format!("(sAMAccountName={name}$)");
    let by_ldif = controller.search(&filter, &attributes);
    done(controller, &["remove", &name, "--yes"]);
    assert!(done(controller, &create).starts_with(&format!("created CN={name},")));
    assert_eq!(controller.search(&filter, &attributes), by_ldif);
    let again = account(controller, &create);
    assert_eq!((again.code, again.stdout.as_str()), (1, ""));
    assert!(again.stderr.contains("is taken by"), "{}", again.stderr);

    let check = ["check", &name, "--host", "WEBHOST1", "-o", "json"];
    let report: Value = serde_json::from_str(&done(controller, &check)).unwrap();
    assert_eq!((&report["kind"], &report["status"]), (&"AccountCheckReport".into(), &"ok".into()));

    let change = ["--host", "WEBHOST1", "--group", "webhosts"];
    assert_eq!(
        done(controller, &[&["allow", &name], &change[..]].concat()),
        format!(
            "WEBHOST1$ may read the password of {name} (unchanged)\n\
             webhosts may read the password of {name}\n"
        )
    );
    assert_eq!(
        done(controller, &[&["disallow", &name, "--dry-run=client"], &change[..]].concat()),
        format!(
            "WEBHOST1$ may not read the password of {name} (dry run)\n\
             webhosts may not read the password of {name} (dry run)\n"
        )
    );
    // Alone it would keep the right by its group, and the command says so.
    let bare = account(controller, &["disallow", "--dry-run", &name, "--host", "WEBHOST1"]);
    assert_eq!(bare.code, 1, "{}", bare.stderr);
    let still = format!(
        "WEBHOST1$ may still read the password of {name}: by the group webhosts (dry run)\n"
    );
    assert_eq!(bare.stdout, still);
    assert!(bare.stderr.contains("remove it from that group"), "{}", bare.stderr);
    done(controller, &[&["disallow", &name], &change[..]].concat());
    let denied = account(controller, &["check", &name, "--host", "WEBHOST1"]);
    assert_eq!(denied.code, 1);
    assert!(denied.stdout.contains("WEBHOST1$ may not read the password"), "{}", denied.stdout);

    let asked = account(controller, &["remove", &name]);
    assert_eq!(asked.code, 2);
    assert!(asked.stderr.contains("--yes"), "{}", asked.stderr);
    assert!(
        done(controller, &["remove", &name, "--dry-run=client"]).starts_with("would remove CN=")
    );
    assert!(done(controller, &["remove", "--dry-run", &name]).starts_with("would remove CN="));
    assert!(done(controller, &["remove", &name, "--yes"]).starts_with("removed CN="));
    let gone = account(controller, &["remove", &name, "--yes"]);
    assert_eq!(gone.code, 1);
}

#[tokio::test]
async fn a_denied_principal_is_not_reported_as_allowed() {
    let test = "a_denied_principal_is_not_reported_as_allowed";
    let Some(controller) = shared::domain_controller(test).await else { return };
    let name = controller.unique("Deny");
    done(&controller, &["create", &name]);
    let found = controller.search("(sAMAccountName=OTHERHOST$)", &["objectSid"]);
    let sid = found.lines().find_map(|line| line.strip_prefix("objectSid: ")).unwrap();
    let dn = format!("CN={name},CN=Managed Service Accounts,DC=contoso,DC=com");
    controller.modify(&format!(
        "dn: {dn}\nchangetype: modify\nreplace: msDS-GroupMSAMembership\n\
         msDS-GroupMSAMembership: O:BAD:(D;;0xf01ff;;;{sid})\n"
    ));
    let hosts = ["--host", "OTHERHOST", "--host", "WEBHOST1"];
    let allowed = account(&controller, &[&["allow", &name], &hosts[..]].concat());
    assert_eq!(allowed.code, 1, "{}", allowed.stderr);
    let warning = "warning: OTHERHOST$ still may not read the password";
    assert!(allowed.stderr.contains(warning), "{}", allowed.stderr);
    assert!(!allowed.stderr.contains("WEBHOST1$ may not"), "{}", allowed.stderr);
    let checked = account(&controller, &[&["check", &name], &hosts[..]].concat());
    assert_eq!(checked.code, 1);
    for verdict in ["OTHERHOST$ may not read", "WEBHOST1$ may read"] {
        assert!(checked.stdout.contains(verdict), "{}", checked.stdout);
    }
    // Denied by a group of the host.
    let group = controller.unique("deny");
    controller.samba_tool(&["group", "add", &group]);
    controller.samba_tool(&["group", "addmembers", &group, "WEBHOST2$"]);
    let found = controller.search(&format!("(sAMAccountName={group})"), &["objectSid"]);
    let sid = found.lines().find_map(|line| line.strip_prefix("objectSid: ")).unwrap();
    controller.modify(&format!(
        "dn: {dn}\nchangetype: modify\nreplace: msDS-GroupMSAMembership\n\
         msDS-GroupMSAMembership: O:BAD:(D;;0xf01ff;;;{sid})(A;;0xf01ff;;;AU)\n"
    ));
    let denied = account(&controller, &["allow", &name, "--host", "WEBHOST2"]);
    assert_eq!(denied.code, 1, "{}{}", denied.stdout, denied.stderr);
    let why = format!(
        "WEBHOST2$ still may not read the password: an entry denies it to the group {group}"
    );
    assert!(denied.stderr.contains(&why), "{}", denied.stderr);
    // No host can be taken out of a group of everyone: what remains is the right of the group.
    let wide = controller.unique("Wide");
    done(&controller, &["create", &wide, "--group", "Authenticated Users"]);
    let still = account(&controller, &["disallow", &wide, "--host", "WEBHOST1"]);
    assert_eq!(still.code, 1, "{}", still.stderr);
    let advice = format!("kubectl gmsa account disallow {wide} --group 'Authenticated Users'");
    assert!(still.stderr.contains(&advice), "{}", still.stderr);
    assert!(!still.stderr.contains("remove it from that group"), "{}", still.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn removal_names_the_credential_specs_that_still_need_the_account() {
    let test = "removal_names_the_credential_specs_that_still_need_the_account";
    let Some(controller) = shared::domain_controller(test).await else { return };
    let Some(cluster) = shared::cluster(test).await else { return };
    install_definition(&cluster).await;
    let name = controller.unique("Used");
    done(&controller, &["create", &name]);
    let remove = |kubeconfig: &std::path::Path| {
        let args = ["account", "remove", &name, "--dry-run=client"];
        let ran = ran(as_administrator(&controller, &args).env("KUBECONFIG", kubeconfig));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stderr
    };
    assert!(remove(std::path::Path::new("/nonexistent")).contains("is not known"));
    assert!(remove(&cluster.kubeconfig).contains("no credential spec of the cluster names it"));
    let spec = cluster.unique("spec");
    cluster.apply(&gmsa_testkit::objects::credential_spec(&spec, &name)).await;
    let told = remove(&cluster.kubeconfig);
    assert!(told.contains(&spec) && told.contains("lose their identity"), "{told}");
}

#[tokio::test]
async fn the_proof_that_a_host_can_read_the_password() {
    let test = "the_proof_that_a_host_can_read_the_password";
    let Some(controller) = shared::domain_controller(test).await else { return };
    let name = controller.unique("Proof");
    let plugin_user = "alice@contoso.com";
    done(&controller, &["create", &name, "--host", "webhost2", "--user", plugin_user]);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("password");
    std::fs::write(&file, format!("{HOST_PASSWORD}\r\n")).unwrap();
    let file = file.to_str().unwrap();
    for (host, code, verdict) in [
        (
            "WEBHOST2$",
            0,
            "ok          password-read      WEBHOST2$@contoso.com has read the password",
        ),
        ("OTHERHOST$", 1, "OTHERHOST$@contoso.com was not given the password"),
    ] {
        let args = ["check", &name, "--as", host, "--as-password-file", file];
        let checked = account(&controller, &args);
        assert_eq!(checked.code, code, "{}{}", checked.stdout, checked.stderr);
        assert!(checked.stdout.contains(verdict), "{}", checked.stdout);
        assert!(!checked.stdout.contains(HOST_PASSWORD));
    }
    ticket(&controller, &name, file);
    let args = ["check", &name, "--as", "WEBHOST1$", "--as-password-file", "/nonexistent"];
    assert_eq!(account(&controller, &args).code, 2);
}

#[tokio::test]
async fn exit_codes_and_messages_of_what_goes_wrong() {
    let test = "exit_codes_and_messages_of_what_goes_wrong";
    let Some(controller) = shared::domain_controller(test).await else { return };
    for (args, code, why) in [
        (&["check", "x"][..], 2, "--bind-user"),
        (&["check", "x", "--bind-user", "a@contoso.com"], 2, "--dc"),
        (&["check", "x", "--bind-user", "a@contoso.com", "--dc", "dc1"], 2, "GMSA_BIND_PASSWORD"),
        (&["create"], 2, "<ACCOUNT>"),
        (&["check", "x", "--as", "y$"], 2, "--as-password-file"),
    ] {
        let ran = run(&[&["account"], args].concat());
        assert_eq!(ran.code, code, "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(why), "{args:?}: {}", ran.stderr);
    }
    let long = account(&controller, &["create", "a-name-that-is-too-long"]);
    assert_eq!(long.code, 1);
    assert!(long.stderr.contains("23 characters"), "{}", long.stderr);
    // Whatever is wrong with one of them, all are named, and a check looks at the rest.
    let several = ["allow", "x", "--host", "NOSUCH", "--group", "nogroup"];
    let several = account(&controller, &several);
    assert_eq!(several.code, 1);
    for name in ["the computer NOSUCH", "the group nogroup"] {
        assert!(several.stderr.contains(name), "{}", several.stderr);
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("password");
    std::fs::write(&file, "wrong-secret").unwrap();
    let name = controller.unique("One");
    done(&controller, &["create", &name, "--host", "WEBHOST1"]);
    let args = [
        "check",
        &format!("CONTOSO\\{name}"),
        "--host",
        "NOSUCH",
        "--host",
        "WEBHOST1",
        "--as",
        "WEBHOST2$",
        "--as-password-file",
        file.to_str().unwrap(),
    ];
    let checked = account(&controller, &args);
    assert_eq!(checked.code, 1, "{}", checked.stderr);
    for line in [
        "failed to find the computer NOSUCH",
        "WEBHOST1$ may read the password",
        "problem     password-read      failed to log on to",
        "data 52e",
    ] {
        assert!(checked.stdout.contains(line), "{line}: {}", checked.stdout);
    }
    assert!(!checked.stdout.contains("wrong-secret"), "{}", checked.stdout);
    let nobody = account(&controller, &["allow", "x"]);
    assert_eq!(nobody.code, 2);
    let mut wrong = as_administrator(&controller, &["account", "check", "x"]);
    let wrong = ran(wrong.env("GMSA_BIND_PASSWORD", "wrong-secret"));
    assert_eq!(wrong.code, 3);
    assert!(wrong.stderr.contains("data 52e"), "{}", wrong.stderr);
    assert!(!wrong.stderr.contains("wrong-secret"), "{}", wrong.stderr);

    // The password from standard input, the controller found by DNS, a bare user name.
    let address = controller.address.to_string();
    let ca = controller.ca.to_str().unwrap();
    let user = ADMINISTRATOR.split('@').next().unwrap();
    let mut command = plugin(&[
        "account",
        "check",
        "WEBHOST1",
        "--domain",
        "contoso.com",
        "--dns-server",
        &address,
        "--ca",
        ca,
        "--bind-user",
        user,
        "--password-file",
        "-",
        "--timeout",
        "30",
    ]);
    let checked = ran(command.write_stdin(ADMINISTRATOR_PASSWORD));
    assert_eq!(checked.code, 1, "{}{}", checked.stdout, checked.stderr);
    assert!(
        checked.stdout.contains("it is not a group managed service account"),
        "{}",
        checked.stdout
    );
}

fn ticket_of(ran: &Ran) -> (Value, String) {
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["id"] == "kerberos-ticket").unwrap();
    (found["status"].clone(), found["message"].as_str().unwrap().to_owned())
}

/// What comes of the password, in a temporary directory of its own that must be empty afterwards.
fn ticket(controller: &DomainController, name: &str, file: &str) {
    let temporary = tempfile::tempdir().unwrap();
    let shown = name.to_lowercase();
    let check = |host: &str, path: Option<&str>| {
        let args =
            ["account", "check", &shown, "--as", host, "--as-password-file", file, "-o", "json"];
        let mut command = as_administrator(controller, &args);
        command.env("TMPDIR", temporary.path()).env("KRB5_CONFIG", "/nonexistent");
        if let Some(path) = path {
            command.env("PATH", path);
        }
        let ran = ran(&mut command);
        let left = std::fs::read_dir(temporary.path()).unwrap().count();
        assert_eq!(left, 0, "files are left behind");
        ran
    };
    let without = check("WEBHOST2$", Some("/nonexistent"));
    assert_eq!(without.code, 0, "{}{}", without.stdout, without.stderr);
    assert_eq!(ticket_of(&without), ("unknown".into(), "there is no kinit here".into()));
    let other = check("OTHERHOST$", None);
    assert_eq!(other.code, 1);
    let (status, message) = ticket_of(&other);
    assert_eq!(status, "problem");
    assert!(message.contains("OTHERHOST$@contoso.com gets no ticket"), "{message}");
    if !gmsa_testkit::domain_controller::has_kinit("the ticket of an account") {
        return;
    }
    let allowed = check("WEBHOST2$", None);
    assert_eq!(allowed.code, 0, "{}{}", allowed.stdout, allowed.stderr);
    let granted = format!("the password gets a Kerberos ticket for {name}$");
    assert_eq!(ticket_of(&allowed), ("ok".into(), granted));

    controller.samba_tool(&["user", "disable", &format!("{name}$")]);
    let disabled = check("WEBHOST2$", None);
    assert_eq!(disabled.code, 1);
    let (status, message) = ticket_of(&disabled);
    assert_eq!(status, "problem", "{message}");
    assert!(message.contains("revoked"), "{message}");
}

#[tokio::test]
async fn a_check_as_a_table_and_as_a_report() {
    let test = "a_check_as_a_table_and_as_a_report";
    let Some(controller) = shared::domain_controller(test).await else { return };
    let name = controller.unique("Tab");
    done(&controller, &["create", &name, "--host", "WEBHOST1"]);
    let table = done(&controller, &["check", &name]);
    for line in [
        "ok          kds-root-key       the forest has a KDS root key in use",
        "ok          delegation         it takes part in no delegation",
        "ok          encryption         its encryption types are 24 (AES128, AES256)",
        "ok          password-interval  its password changes every 30 days",
        "ok          spn-unique         it has no service principal names",
        "ok          clock              the clocks of the controller",
        "ok          dns-records        _kerberos._tcp.contoso.com names dc1.contoso.com",
        "ok          dns-transport      DNS answers over UDP and over TCP",
        "ok          controller-ports   dc1.contoso.com (",
    ] {
        assert!(table.contains(line), "{line} in {table}");
    }
    assert!(table.ends_with(&format!("{name}: ok\n")), "{table}");
    let report: Value =
        serde_json::from_str(&done(&controller, &["check", &name, "-o", "json"])).unwrap();
    crate::schema::check("account-check-report", &report);

    // A user who may read less gets a note about it; that is not a failure.
    let user = ["--bind-user", USER];
    let args = [&["account", "check", &name], &user[..]].concat();
    let less = ran(as_administrator(&controller, &args).env("GMSA_BIND_PASSWORD", USER_PASSWORD));
    assert_eq!(less.code, 0, "{}{}", less.stdout, less.stderr);
    let line = format!("the forest has a KDS root key; its start is not shown to {USER}");
    assert!(less.stdout.contains(&line), "{}", less.stdout);
}

#[tokio::test]
async fn an_account_is_changed_and_shown_before_and_after() {
    let test = "an_account_is_changed_and_shown_before_and_after";
    let Some(controller) = shared::domain_controller(test).await else { return };
    let controller = &controller;
    let name = controller.unique("Set");
    let create = ["create", &name, "--encryption", "rc4", "--host", "WEBHOST1"];
    let made = account(controller, &create);
    assert_eq!(made.code, 0, "{}", made.stderr);
    assert!(made.stderr.contains("warning: its encryption types are 4 (RC4)"), "{}", made.stderr);
    let checked = account(controller, &["check", &name]);
    assert_eq!(checked.code, 1, "{}", checked.stdout);
    let command = format!("`kubectl gmsa account set {name} --encryption aes256,aes128`");
    assert!(checked.stdout.contains(&command), "{}", checked.stdout);

    let spn = format!("http/{name}.contoso.com");
    let wish = ["set", &name, "--encryption", "aes256,aes128", "--add-spn", &spn, "--disable"];
    let ldif = done(controller, &[&wish[..], &["--dry-run"]].concat());
    assert!(ldif.contains("changetype: modify\ndelete: msDS-SupportedEncryptionTypes\n"), "{ldif}");
    let stored =
        |attribute: &str| controller.search(&format!("(sAMAccountName={name}$)"), &[attribute]);
    assert!(stored("msDS-SupportedEncryptionTypes").contains(": 4\n"), "a dry run changed it");
    let changed = done(controller, &wish);
    for line in [
        "  msDS-SupportedEncryptionTypes: 4 (RC4) -> 24 (AES128, AES256)\n",
        "  userAccountControl: 4096 (enabled) -> 4098 (disabled)\n",
        &format!("  servicePrincipalName: - -> {spn}\n"),
    ] {
        assert!(changed.contains(line), "{line}: {changed}");
    }
    assert!(done(controller, &wish).ends_with("(unchanged)\n"));
    // Other tools take what a dry run prints.
    let words =
        ["--description", "for the shop", "--dns-host-name", "shop.contoso.com", "--enable"];
    let other_case = spn.to_uppercase();
    let wish = [&["set", &name, "--remove-spn", &other_case][..], &words[..]].concat();
    controller.modify(&done(controller, &[&wish[..], &["--dry-run=client"]].concat()));
    assert!(
        done(controller, &wish[..2].iter().chain(&words).copied().collect::<Vec<_>>())
            .ends_with("(unchanged)\n")
    );
    assert!(stored("description").contains("description: for the shop\n"));
    assert!(!stored("servicePrincipalName").contains("servicePrincipalName"));
    done(controller, &["check", &name]);
    let removed = done(controller, &["set", &name, "--description", ""]);
    assert!(removed.contains("  description: for the shop -> -\n"), "{removed}");

    // A day that has begun ends it at once, and the remedy of the check undoes that.
    let ended = account(controller, &["set", &name, "--expires", "2020-01-01"]);
    assert!(ended.stdout.contains("  accountExpires: never -> 2020-01-01\n"), "{}", ended.stdout);
    assert!(ended.stderr.contains("warning: 2020-01-01 has begun"), "{}", ended.stderr);
    assert!(stored("accountExpires").contains("accountExpires: 132223104000000000\n"));
    let checked = account(controller, &["check", &name]);
    assert_eq!(checked.code, 1, "{}", checked.stdout);
    assert!(checked.stdout.contains("but expired on 2020-01-01"), "{}", checked.stdout);
    let remedy = ["set", &name, "--expires", "never"];
    let words = format!("`kubectl gmsa account {}`", remedy.join(" "));
    assert!(checked.stdout.contains(&words), "{}", checked.stdout);
    let ended = done(controller, &remedy);
    assert!(ended.contains("  accountExpires: 2020-01-01 -> never\n"), "{ended}");
    assert!(done(controller, &remedy).ends_with("(unchanged)\n"));
    done(controller, &["check", &name]);
    for (args, code, why) in [
        (&["--enable", "--disable"][..], 2, "cannot be used with"),
        (&["--expires", "2027-02-29"], 2, "write never, or a day such as 2027-01-31"),
        (&[], 2, "required"),
        (&["--remove-spn", "http/none"], 1, "it does not have http/none"),
        (&["--add-spn", "nothing"], 1, "not a service principal name"),
        (&["--dns-host-name", "short"], 1, "not a full DNS name"),
    ] {
        let refused = account(controller, &[&["set", &name], args].concat());
        assert_eq!(refused.code, code, "{}", refused.stderr);
        assert!(refused.stderr.contains(why), "{why}: {}", refused.stderr);
    }
}

#[tokio::test]
async fn equivalent_names_and_names_that_clients_use() {
    let test = "equivalent_names_and_names_that_clients_use";
    let Some(controller) = shared::domain_controller(test).await else { return };
    let controller = &controller;
    let (one, two) = (controller.unique("Spa"), controller.unique("Spb"));
    let node = controller.unique("spn");
    controller.computer(&node);
    controller.modify(&format!(
        "dn: CN={node},CN=Computers,DC=contoso,DC=com\nchangetype: modify\nadd: servicePrincipalName\n\
         servicePrincipalName: HOST/{node}.contoso.com\n"
    ));
    let http = format!("http/{one}.contoso.com");
    done(controller, &["create", &one, "--spn", &http]);
    // The controller refuses HOST where another has http, and does not say who.
    let host = format!("HOST/{one}.contoso.com");
    let refused = account(controller, &["create", &two, "--spn", &host, "--dry-run"]);
    assert_eq!(refused.code, 1, "{}", refused.stdout);
    let why = format!("{host} includes http/{one}.contoso.com, which CN={one},");
    assert!(refused.stderr.contains(&why), "{}", refused.stderr);
    // It takes http from a computer that has HOST, which no other tool reports.
    let taking = format!("http/{node}.contoso.com");
    let made = account(controller, &["create", &two, "--spn", &taking]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    assert!(made.stderr.contains(&format!("the computer {node}$ had it by")), "{}", made.stderr);
    let checked = done(controller, &["check", &two]);
    assert!(checked.contains("warning     spn-alias"), "{checked}");

    // Will clients get a ticket?
    let service = |name: &str| {
        let ran = account(controller, &["check", &one, "--service-name", name]);
        let found = ran.stdout.lines().find(|line| line.contains(" service-name ")).unwrap();
        (ran.code, found.to_owned())
    };
    for (name, code, words) in [
        (format!("{one}.contoso.com"), 0, "Kerberos works, with tickets for this account"),
        (format!("www/{one}.contoso.com"), 1, "no account has this name, so clients fall back"),
        (format!("cifs/{node}.contoso.com"), 1, "clients get a ticket for "),
        (format!("{node}.contoso.com"), 1, "which containers of this account cannot read"),
        ("10.0.0.1".to_owned(), 1, "do not ask for Kerberos tickets for an address"),
        ("balancer.contoso.com".to_owned(), 1, "fall back to NTLM"),
    ] {
        let (was, line) = service(&name);
        assert_eq!(was, code, "{name}: {line}");
        assert!(line.contains(words), "{name}: {line}");
    }
}

#[cfg(not(feature = "gssapi"))]
#[test]
fn a_plugin_that_was_built_without_kerberos_says_how_to_get_it() {
    let ran = run(&["account", "check", "x", "--dc", "dc1.contoso.com", "--kerberos"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("built without it"), "{}", ran.stderr);
    assert!(ran.stderr.contains("--features gssapi"), "{}", ran.stderr);
    let program = std::fs::read(env!("CARGO_BIN_EXE_kubectl-gmsa")).unwrap();
    let library = b"libgssapi_krb5";
    assert!(!program.windows(library.len()).any(|bytes| bytes == library), "it is linked");
}
