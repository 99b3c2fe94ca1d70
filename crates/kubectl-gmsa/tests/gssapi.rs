//! Logging on with a Kerberos ticket, on a real domain controller. Built with the feature `gssapi` alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

#[path = "it/schema/mod.rs"]
mod schema;
#[path = "it/support/mod.rs"]
mod support;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use gmsa_testkit::domain_controller::{DomainController, USER_PASSWORD, has_kinit};
use gmsa_testkit::{shared, tools};
use serde_json::Value;
use support::{Ran, plugin, ran};

/// A configuration of Kerberos with this controller alone, and a cache of its own.
fn variables(controller: &DomainController, directory: &Path) -> [(&'static str, String); 2] {
    let configuration = directory.join("krb5.conf");
    let address = controller.address;
    std::fs::write(
        &configuration,
        format!(
            "[libdefaults]\n default_realm = CONTOSO.COM\n dns_lookup_kdc = false\n \
             dns_canonicalize_hostname = false\n rdns = false\n\
             [realms]\n CONTOSO.COM = {{\n  kdc = {address}:88\n }}\n\
             [domain_realm]\n contoso.com = CONTOSO.COM\n .contoso.com = CONTOSO.COM\n"
        ),
    )
    .unwrap();
    let cache = format!("FILE:{}", directory.join("cache").display());
    [("KRB5_CONFIG", configuration.display().to_string()), ("KRB5CCNAME", cache)]
}

#[tokio::test]
async fn the_ticket_of_the_caller() {
    let test = "the_ticket_of_the_caller";
    let Some(controller) = shared::domain_controller(test).await else { return };
    if !has_kinit(test) {
        return;
    }
    let user = controller.unique("tkt");
    controller.samba_tool(&["user", "create", &user, USER_PASSWORD]);
    controller.samba_tool(&["group", "addmembers", "Domain Admins", &user]);
    let directory = tempfile::tempdir().unwrap();
    let variables = variables(&controller, directory.path());
    let as_caller = |args: &[&str]| -> Ran {
        let mut command = plugin(&[&["account"], args, &["--kerberos"]].concat());
        command.env("GMSA_DC", controller.address.to_string()).env("GMSA_CA", &controller.ca);
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        ran(&mut command)
    };
    let name = controller.unique("Krb");
    let without = as_caller(&["create", &name]);
    assert_eq!(without.code, 3, "{}{}", without.stdout, without.stderr);
    assert!(without.stderr.contains("as the holder of the Kerberos ticket"), "{}", without.stderr);
    assert!(without.stderr.contains("kinit"), "{}", without.stderr);

    kinit(&user, &variables);
    let created = as_caller(&["create", &name, "--host", "WEBHOST1"]);
    assert_eq!(created.code, 0, "{}", created.stderr);
    // Who that was is asked of the controller, and named where it may not do something.
    let report = as_caller(&["check", &name, "-o", "json"]);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    assert_eq!(report["status"], "ok", "{report}");
    let missing = as_caller(&["check", "NoSuchAccount"]);
    assert_eq!(missing.code, 1);
    assert!(
        missing.stdout.contains(&format!("CONTOSO\\{user} may not see it")),
        "{}",
        missing.stdout
    );
    let removed = as_caller(&["remove", &name, "--yes"]);
    assert_eq!(removed.code, 0, "{}", removed.stderr);
}

/// The system's library is loaded when it is needed: without it everything else works, and the log-on says
/// what is missing. scripts/test.sh builds this test that way.
#[tokio::test]
async fn without_the_kerberos_library_the_plugin_starts_and_says_what_is_missing() {
    let test = "without_the_kerberos_library_the_plugin_starts_and_says_what_is_missing";
    let Some(controller) = shared::domain_controller(test).await else { return };
    if std::env::var_os("LIBGSSAPI_PREFIX").is_none() {
        tools::skip(
            test,
            "the plugin is linked with the library; scripts/test.sh builds it otherwise",
        );
        return;
    }
    // A system with the C library alone.
    let root = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_kubectl-gmsa");
    let needed = Command::new("ldd").arg(program).output().unwrap();
    let needed = String::from_utf8(needed.stdout).unwrap();
    assert!(!needed.contains("gssapi"), "{needed}");
    for library in needed.split_whitespace().filter(|word| word.starts_with('/')) {
        let copy = root.path().join(library.trim_start_matches('/'));
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        std::fs::copy(library, copy).unwrap();
    }
    std::fs::copy(program, root.path().join("kubectl-gmsa")).unwrap();
    std::fs::copy(&controller.ca, root.path().join("ca.pem")).unwrap();
    let inside = |args: &[&str]| -> Ran {
        let mut command = Command::new("chroot");
        command.arg(root.path()).arg("/kubectl-gmsa").args(args);
        command.env("GMSA_DC", controller.address.to_string()).env("GMSA_CA", "/ca.pem");
        command.output().unwrap().into()
    };
    let version = inside(&["version"]);
    assert_eq!(version.code, 0, "{}", version.stderr);
    let refused = inside(&["account", "check", "x", "--kerberos"]);
    assert_eq!(refused.code, 3, "{}{}", refused.stdout, refused.stderr);
    assert!(refused.stderr.contains("libgssapi_krb5.so.2 cannot be loaded"), "{}", refused.stderr);
    assert!(refused.stderr.contains("libgssapi-krb5-2 on Debian"), "{}", refused.stderr);
}

/// Gets a ticket with a password, which comes from standard input.
fn kinit(user: &str, variables: &[(&'static str, String)]) {
    let mut command = Command::new("kinit");
    command.arg(format!("{user}@CONTOSO.COM")).stdin(Stdio::piped()).stdout(Stdio::null());
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    let mut child = command.spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{USER_PASSWORD}").unwrap();
    assert!(child.wait().unwrap().success());
}
