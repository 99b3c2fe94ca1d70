//! Accounts in a real domain.

use crate::support::{changed, create, found, status, wish};
use gmsa_directory::account::{CHECKS, CheckStatus, NewAccount};
use gmsa_directory::{Directory, PrincipalKind};
use gmsa_testkit::domain_controller::{BASE, DomainController, USER, USER_PASSWORD};
use gmsa_testkit::shared;

async fn refusal(directory: &Directory, wish: &NewAccount) -> String {
    directory.plan(wish).await.unwrap_err().to_string()
}

/// The controller's own view, through its database.
fn stored(controller: &DomainController, name: &str) -> String {
    controller.search(
        &format!("(sAMAccountName={name}$)"),
        &[
            "objectClass",
            "dNSHostName",
            "userAccountControl",
            "msDS-ManagedPasswordInterval",
            "msDS-SupportedEncryptionTypes",
            "servicePrincipalName",
            "msDS-GroupMSAMembership",
        ],
    )
}

#[tokio::test]
async fn an_account_is_stored_as_it_was_planned() {
    let name = "an_account_is_stored_as_it_was_planned";
    let Some(controller) = shared::domain_controller(name).await else { return };
    let directory = crate::support::administrator(&controller).await;
    let name = controller.unique("Web");
    let host = directory.computer("WEBHOST1").await.unwrap();
    assert_eq!(host.kind, PrincipalKind::Computer);
    let group = directory.group("webhosts").await.unwrap();
    assert_eq!(group.kind, PrincipalKind::Group);
    let spns = vec![format!("http/{name}"), format!("http/{name}.contoso.com")];
    let wish = NewAccount {
        service_principal_names: spns.clone(),
        allowed: vec![host.clone(), group.clone()],
        interval_days: 7,
        ..wish(&format!("{name}$"))
    };
    let planned = directory.plan(&wish).await.unwrap();
    assert_eq!(planned.dn, format!("CN={name},CN=Managed Service Accounts,{BASE}"));
    assert!(planned.ldif().contains("msDS-GroupMSAMembership:: AQAEg"), "{}", planned.ldif());
    directory.create(&planned).await.unwrap();

    let stored = stored(&controller, &name);
    for line in [
        "objectClass: msDS-GroupManagedServiceAccount",
        &format!("dNSHostName: {name}.contoso.com"),
        "userAccountControl: 4096",
        "msDS-ManagedPasswordInterval: 7",
        "msDS-SupportedEncryptionTypes: 24",
        &format!("servicePrincipalName: http/{name}"),
    ] {
        assert!(stored.contains(line), "{line} in {stored}");
    }
    let account = directory.account(&name).await.unwrap().unwrap();
    assert!(account.is_group_managed && account.enabled);
    assert_eq!(account.dn, planned.dn);
    assert_eq!(account.sid.domain().unwrap().to_string(), gmsa_testkit::domain_controller::SID);
    assert_eq!(account.interval_days, Some(7));
    assert_eq!(account.encryption_types, Some(24));
    assert_eq!(account.dns_host_name, Some(format!("{name}.contoso.com")));
    let mut found = account.service_principal_names.clone();
    found.sort();
    assert_eq!(found, spns);
    let membership = account.membership.unwrap();
    assert_eq!(membership.allowed().collect::<Vec<_>>(), [&host.sid, &group.sid]);

    // The same again is refused before it is tried, with everything that is wrong.
    let error = refusal(&directory, &wish).await;
    assert!(error.starts_with(&format!("failed to create the account {name}: ")), "{error}");
    assert!(error.contains(&format!("the name {name} is taken by CN={name},")), "{error}");
    for spn in &spns {
        assert!(error.contains(&format!("{spn} is taken by CN={name},")), "{error}");
    }
    // And by the directory, if it comes in between.
    let error = directory.create(&planned).await.unwrap_err().to_string();
    assert!(error.contains("LDAP result 68") || error.contains("LDAP result 19"), "{error}");

    assert_eq!(directory.remove(&name, true).await.unwrap(), planned.dn);
    assert!(directory.account(&name).await.unwrap().is_some());
    directory.remove(&name, false).await.unwrap();
    assert!(directory.account(&name).await.unwrap().is_none());
    let error = directory.remove(&name, false).await.unwrap_err().to_string();
    assert!(error.contains(&format!("failed to find the account {name}")), "{error}");
}

#[tokio::test]
async fn what_the_directory_would_accept_is_refused() {
    let name = "what_the_directory_would_accept_is_refused";
    let Some(controller) = shared::domain_controller(name).await else { return };
    let directory = crate::support::administrator(&controller).await;
    let long = NewAccount {
        interval_days: 0,
        container: Some(format!("OU=Nowhere,{BASE}")),
        service_principal_names: vec!["http".to_owned()],
        ..wish("a-name-that-is-too-long")
    };
    let error = refusal(&directory, &long).await;
    for why in [
        "23 characters long",
        "cannot last 0 days",
        "no container OU=Nowhere",
        "http is not a service principal name",
    ] {
        assert!(error.contains(why), "{why} in {error}");
    }
    // A computer has the name, which accounts share a name space with.
    let error = refusal(&directory, &wish("WEBHOST1")).await;
    assert!(error.contains("is taken by CN=WEBHOST1,CN=Computers"), "{error}");
    let error = directory.remove("WEBHOST1", false).await.unwrap_err().to_string();
    assert!(error.contains("is not a group managed service account"), "{error}");
    let spn = vec!["host/WEBHOST1".to_owned(), "HOST/webhost1".to_owned()];
    let twice = NewAccount { service_principal_names: spn, ..wish("Twice") };
    assert!(refusal(&directory, &twice).await.contains("is given twice"));
}

#[tokio::test]
async fn an_allowed_host_reads_the_password_and_another_does_not() {
    let name = "an_allowed_host_reads_the_password_and_another_does_not";
    let Some(controller) = shared::domain_controller(name).await else { return };
    let directory = crate::support::administrator(&controller).await;
    let name = controller.unique("Pwd");
    create(&directory, &wish(&name)).await;
    let one = directory.computer("WEBHOST1$").await.unwrap();
    let two = directory.computer("WEBHOST2").await.unwrap();
    let other = directory.computer("OTHERHOST").await.unwrap();
    let group = directory.group("webhosts").await.unwrap();

    let checks = directory.check(&name, std::slice::from_ref(&one)).await.unwrap();
    assert_eq!(status(&checks, "retrieval"), CheckStatus::Warning);
    assert_eq!(status(&checks, "host-may-retrieve"), CheckStatus::Failed);
    let as_one = crate::support::host(&controller, "WEBHOST1").await;
    assert!(as_one.managed_password(&name).await.unwrap().is_none());

    // One by its group, the other by itself.
    let wanted = [group.clone(), two.clone()];
    assert_eq!(changed(&directory.allow(&name, &wanted, true).await.unwrap()), wanted);
    assert!(as_one.managed_password(&name).await.unwrap().is_none());
    assert_eq!(changed(&directory.allow(&name, &wanted, false).await.unwrap()), wanted);
    assert_eq!(changed(&directory.allow(&name, &wanted, false).await.unwrap()), []);

    let password = as_one.managed_password(&name).await.unwrap().unwrap();
    let shown = format!("{password:?}");
    assert!(shown.contains("REDACTED"), "{shown}");
    assert!(password.query_interval.as_secs() > 0);
    let as_two = crate::support::host(&controller, "WEBHOST2").await;
    assert!(as_two.managed_password(&name).await.unwrap().is_some());
    let as_other = crate::support::host(&controller, "OTHERHOST").await;
    assert!(as_other.managed_password(&name).await.unwrap().is_none());
    let error = as_other.managed_password("NoSuchAccount").await.unwrap_err().to_string();
    assert!(error.contains("OTHERHOST$@contoso.com"), "{error}");

    let checks = directory.check(&name, &[one, two.clone(), other]).await.unwrap();
    let hosts: Vec<_> =
        checks.iter().filter(|check| check.id == "host-may-retrieve").map(|c| c.status).collect();
    assert_eq!(hosts, [CheckStatus::Passed, CheckStatus::Passed, CheckStatus::Failed]);
    let retrieval = checks.iter().find(|check| check.id == "retrieval").unwrap();
    assert_eq!(retrieval.message, "the password may be read by webhosts, WEBHOST2$");

    let gone = directory.disallow(&name, std::slice::from_ref(&two), false).await.unwrap();
    assert_eq!(changed(&gone), std::slice::from_ref(&two));
    assert_eq!(gone[0].right.may, Some(false));
    assert!(as_two.managed_password(&name).await.unwrap().is_none());
    assert!(as_one.managed_password(&name).await.unwrap().is_some());
    let stored = directory.account(&name).await.unwrap().unwrap().membership.unwrap();
    assert_eq!(stored.allowed().collect::<Vec<_>>(), [&group.sid]);
}

#[tokio::test]
async fn checks_of_good_and_bad_accounts() {
    let Some(controller) = shared::domain_controller("checks_of_good_and_bad_accounts").await
    else {
        return;
    };
    let directory = crate::support::administrator(&controller).await;
    let name = controller.unique("Chk");
    let host = directory.computer("webhost2").await.unwrap();
    create(&directory, &NewAccount { allowed: vec![host], ..wish(&name) }).await;
    let checks = directory.check(&name, &[]).await.unwrap();
    assert!(checks.iter().all(|check| check.status == CheckStatus::Passed), "{checks:?}");
    // Those of the account itself; an alias is reported only where another account has the name.
    let of_account = CHECKS.iter().take_while(|id| **id != "host-may-retrieve");
    let expected: Vec<_> = of_account.filter(|id| **id != "spn-alias").copied().collect();
    assert_eq!(checks.iter().map(|check| check.id).collect::<Vec<_>>(), expected);
    assert!(found(&checks, "password-interval").message.contains("every 30 days"));

    controller.samba_tool(&["user", "disable", &format!("{name}$")]);
    let checks = directory.check(&name, &[]).await.unwrap();
    assert_eq!(status(&checks, "enabled"), CheckStatus::Failed);

    // RC4 alone, trusted with everybody's identity, and with a name that a host has.
    let spn = format!("http/{name}.contoso.com");
    for dn in [
        format!("CN={name},CN=Managed Service Accounts,{BASE}"),
        format!("CN=OTHERHOST,CN=Computers,{BASE}"),
    ] {
        // The controller would not take a name twice.
        controller.modify_unchecked(&format!(
            "dn: {dn}\nchangetype: modify\nadd: servicePrincipalName\nservicePrincipalName: {spn}\n"
        ));
    }
    controller.modify(&format!(
        "dn: CN={name},CN=Managed Service Accounts,{BASE}\nchangetype: modify\n\
         replace: msDS-SupportedEncryptionTypes\nmsDS-SupportedEncryptionTypes: 4\n-\n\
         replace: userAccountControl\nuserAccountControl: {}\n-\n\
         replace: msDS-AllowedToDelegateTo\nmsDS-AllowedToDelegateTo: MSSQLSvc/db.contoso.com\n-\n\
         replace: msDS-AllowedToActOnBehalfOfOtherIdentity\n\
         msDS-AllowedToActOnBehalfOfOtherIdentity: O:BAD:(A;;0xf01ff;;;{})\n",
        4096 | 0x8_0000 | 0x100_0000 | 0x10_0000,
        directory.computer("OTHERHOST").await.unwrap().sid,
    ));
    controller.modify_unchecked(&format!(
        "dn: CN={name},CN=Managed Service Accounts,{BASE}\nchangetype: modify\ndelete: dNSHostName\n"
    ));
    let checks = directory.check(&name, &[]).await.unwrap();
    assert_eq!(status(&checks, "enabled"), CheckStatus::Passed);
    assert_eq!(status(&checks, "encryption"), CheckStatus::Failed);
    assert_eq!(status(&checks, "dns-host-name"), CheckStatus::Warning);
    let twice = found(&checks, "spn-unique");
    assert_eq!(twice.status, CheckStatus::Failed);
    let owner = format!("{spn} is that of CN=OTHERHOST,CN=Computers,{BASE} too");
    assert!(twice.message.contains(&owner), "{}", twice.message);
    let delegation = found(&checks, "delegation");
    assert_eq!(delegation.status, CheckStatus::Warning);
    for part in [
        "unconstrained",
        "towards MSSQLSvc/db.contoso.com (protocol transition)",
        "OTHERHOST$ may be any user towards it",
        "its own tickets are not forwarded",
    ] {
        assert!(delegation.message.contains(part), "{part}: {}", delegation.message);
    }

    let checks = directory.check("NoSuchAccount", &[]).await.unwrap();
    assert_eq!(status(&checks, "exists"), CheckStatus::Failed);
    let checks = directory.check("WEBHOST1", &[]).await.unwrap();
    assert_eq!(status(&checks, "class"), CheckStatus::Failed);
}

#[tokio::test]
async fn hosts_and_groups_by_every_usual_name() {
    let Some(controller) = shared::domain_controller("hosts_and_groups_by_every_usual_name").await
    else {
        return;
    };
    let directory = crate::support::administrator(&controller).await;
    let host = controller.unique("usual");
    controller.samba_tool(&["computer", "create", &host]);
    let dn = format!("CN={host},CN=Computers,{BASE}");
    let dns = format!("{host}.contoso.com");
    controller.modify(&format!(
        "dn: {dn}\nchangetype: modify\nreplace: dNSHostName\ndNSHostName: {dns}\n"
    ));
    let found = directory.computer(&host).await.unwrap();
    assert_eq!(found.dn, dn);
    for name in [
        format!("{host}$"),
        host.to_uppercase(),
        format!("CONTOSO\\{host}$"),
        format!("contoso.com\\{host}"),
        format!("{host}$@contoso.com"),
        dns,
        dn,
        found.sid.to_string(),
    ] {
        assert_eq!(directory.computer(&name).await.unwrap(), found, "{name}");
    }
    let group = directory.group("webhosts").await.unwrap();
    for name in ["CONTOSO\\webhosts", "WebHosts@contoso.com", &group.dn, &group.sid.to_string()] {
        assert_eq!(directory.group(name).await.unwrap(), group, "{name}");
    }
    let user = directory.user_account("alice").await.unwrap();
    for name in [USER, "CONTOSO\\alice", &user.dn, &user.sid.to_string()] {
        assert_eq!(directory.user_account(name).await.unwrap(), user, "{name}");
    }
    // The same name in another domain is another principal, as is one of another kind.
    for error in [
        directory.computer(&format!("FABRIKAM\\{host}$")).await.unwrap_err(),
        directory.group("webhosts@fabrikam.com").await.unwrap_err(),
        directory.user_account("FABRIKAM\\alice").await.unwrap_err(),
    ] {
        assert!(error.to_string().contains("which is of another domain,"), "{error}");
    }
    assert!(directory.user_account("alice@fabrikam.com").await.is_err());
    assert!(directory.group(&user.sid.to_string()).await.is_err());
    assert!(directory.computer("*").await.is_err(), "a pattern is not a name");
}

#[tokio::test]
async fn a_user_without_rights_gets_a_message_about_it() {
    let Some(controller) =
        shared::domain_controller("a_user_without_rights_gets_a_message_about_it").await
    else {
        return;
    };
    let administrator = crate::support::administrator(&controller).await;
    let name = controller.unique("Rgt");
    create(&administrator, &wish(&name)).await;
    let options = crate::support::options(&controller, USER, USER_PASSWORD);
    let user = Directory::open(&options).await.unwrap();
    let host = user.computer("WEBHOST1").await.unwrap();
    let planned = user.plan(&wish(&controller.unique("New"))).await.unwrap();
    for error in [
        user.create(&planned).await.unwrap_err(),
        user.allow(&name, &[host], false).await.unwrap_err(),
        user.remove(&name, false).await.unwrap_err(),
    ] {
        let error = error.to_string();
        assert!(error.contains("the user lacks the right (LDAP result 50"), "{error}");
    }
    // This user may not see what a root key holds, but that there is one.
    let checks = user.check(&name, &[]).await.unwrap();
    let key = found(&checks, "kds-root-key");
    assert_eq!(key.status, CheckStatus::Passed);
    assert!(key.message.contains("its start is not shown to alice@contoso.com"), "{}", key.message);
}

#[tokio::test]
async fn a_forest_without_a_root_key() {
    let name = "a_forest_without_a_root_key";
    let Some(controller) = shared::separate_domain_controller(name, "keyless-controller").await
    else {
        return;
    };
    let directory = crate::support::administrator(&controller).await;
    let planned = directory.plan(&wish("Keyless")).await.unwrap();
    // Made while there is a key.
    let host = directory.computer("WEBHOST1").await.unwrap();
    create(&directory, &NewAccount { allowed: vec![host], ..wish("Orphan") }).await;
    let keys = controller.samba_tool(&["domain", "kds", "root-key", "list"]);
    let is_guid = |word: &&str| gmsa_core::credspec::identifier::is_guid(word);
    for key in keys.split_whitespace().filter(is_guid) {
        controller.samba_tool(&["domain", "kds", "root-key", "delete", &format!("--name={key}")]);
    }
    // The controller's own error, and the error before it is asked.
    let error = directory.create(&planned).await.unwrap_err().to_string();
    assert!(error.contains("no KDS root key that can be used yet"), "{error}");
    assert!(error.contains("Add-KdsRootKey"), "{error}");
    let error = refusal(&directory, &wish("Keyless")).await;
    assert!(error.contains("the forest has no KDS root key: an administrator"), "{error}");
    assert!(error.contains("Add-KdsRootKey -EffectiveImmediately"), "{error}");
    let checks = directory.check("Keyless", &[]).await.unwrap();
    assert_eq!(status(&checks, "kds-root-key"), CheckStatus::Failed);
    // Who may see none is not told that there is none.
    let options = crate::support::options(&controller, USER, USER_PASSWORD);
    let user = Directory::open(&options).await.unwrap();
    user.plan(&wish("Keyless")).await.unwrap();
    let checks = user.check("Keyless", &[]).await.unwrap();
    assert_eq!(status(&checks, "kds-root-key"), CheckStatus::Unknown);

    controller.samba_tool(&["domain", "kds", "root-key", "create"]);
    assert_eq!(
        status(&directory.check("Orphan", &[]).await.unwrap(), "kds-root-key"),
        CheckStatus::Failed
    );
    let error = refusal(&directory, &wish("Keyless")).await;
    assert!(error.contains("is too new: accounts can be made in 10 h"), "{error}");
    let checks = directory.check("Keyless", &[]).await.unwrap();
    assert_eq!(status(&checks, "kds-root-key"), CheckStatus::Failed);

    // With a key that can be used, one account works, and that of the key that is gone does not.
    controller.samba_tool(&["domain", "kds", "root-key", "create", "--use-start-time=2020-01-01"]);
    create(&directory, &wish("Keyed")).await;
    for directory in [&directory, &user] {
        let checks = directory.check("Keyed", &[]).await.unwrap();
        assert_eq!(status(&checks, "kds-root-key"), CheckStatus::Passed);
        let checks = directory.check("Orphan", &[]).await.unwrap();
        let key = found(&checks, "kds-root-key");
        assert_eq!(key.status, CheckStatus::Failed, "{key:?}");
        assert!(key.message.contains("from which its password is made, is gone"), "{key:?}");
    }
    let host = crate::support::host(&controller, "WEBHOST1").await;
    let error = host.managed_password("Orphan").await.unwrap_err().to_string();
    assert!(error.contains("No such Base DN"), "{error}");
}

/// A forest of Windows Server 2025 has the class of delegated accounts, which Samba has not. The names are
/// Microsoft's, the identifiers are made up (1.3.6.1.4.1.32473, RFC 5612).
#[tokio::test]
async fn other_kinds_of_managed_accounts_are_named() {
    let test = "other_kinds_of_managed_accounts_are_named";
    let Some(controller) = shared::separate_domain_controller(test, "schema-dc").await else {
        return;
    };
    let schema = format!("CN=Schema,CN=Configuration,{BASE}");
    controller.extend_schema(&format!(
        "dn: CN=ms-DS-Delegated-MSA-State,{schema}\nchangetype: add\nobjectClass: attributeSchema\n\
         lDAPDisplayName: msDS-DelegatedMSAState\nattributeID: 1.3.6.1.4.1.32473.1.1\n\
         attributeSyntax: 2.5.5.9\noMSyntax: 2\nisSingleValued: TRUE\nsystemOnly: FALSE\n"
    ));
    controller.extend_schema(&format!(
        "dn: CN=ms-DS-Delegated-Managed-Service-Account,{schema}\nchangetype: add\n\
         objectClass: classSchema\nlDAPDisplayName: msDS-DelegatedManagedServiceAccount\n\
         governsID: 1.3.6.1.4.1.32473.1.2\nobjectClassCategory: 1\nsubClassOf: computer\n\
         mustContain: msDS-ManagedPasswordInterval\nmustContain: msDS-DelegatedMSAState\n\
         mayContain: msDS-GroupMSAMembership\npossSuperiors: container\nrDNAttID: cn\n"
    ));
    for (name, class, more) in [
        (
            "Delegated",
            "msDS-DelegatedManagedServiceAccount",
            "msDS-DelegatedMSAState: 0\nmsDS-ManagedPasswordInterval: 30\n",
        ),
        ("Standalone", "msDS-ManagedServiceAccount", ""),
    ] {
        controller.modify(&format!(
            "dn: CN={name},CN=Managed Service Accounts,{BASE}\nchangetype: add\nobjectClass: {class}\n\
             sAMAccountName: {name}$\ndNSHostName: {name}.contoso.com\nuserAccountControl: 4096\n{more}"
        ));
    }
    let directory = crate::support::administrator(&controller).await;
    let host = directory.computer("WEBHOST1").await.unwrap();
    for (name, words) in [
        ("Delegated", "a delegated managed service account (dMSA)"),
        ("Standalone", "a standalone managed service account (sMSA)"),
    ] {
        let checks = directory.check(name, &[]).await.unwrap();
        let class = found(&checks, "class");
        assert_eq!(class.status, CheckStatus::Failed, "{class:?}");
        assert!(class.message.contains(words), "{class:?}");
        let hosts = std::slice::from_ref(&host);
        let error = directory.allow(name, hosts, false).await.unwrap_err().to_string();
        assert!(error.contains(&format!("is not a group managed service account, but {words}")));
        let error = directory.remove(name, false).await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

/// A computer account has at most 15 characters, and the name of a node may have more.
#[tokio::test]
async fn a_node_is_found_by_its_name_cut_at_fifteen_characters() {
    let test = "a_node_is_found_by_its_name_cut_at_fifteen_characters";
    let Some(controller) = shared::domain_controller(test).await else { return };
    for (name, dns_name) in [
        ("AVERYLONGWINDOW", ""),
        ("ANOTHERLONGNAME", "dNSHostName: anotherlongname-2.contoso.com\n"),
    ] {
        controller.modify(&format!(
            "dn: CN={name},CN=Computers,{BASE}\nchangetype: add\nobjectClass: computer\n\
             sAMAccountName: {name}$\nuserAccountControl: 4096\n{dns_name}"
        ));
    }
    let directory = crate::support::administrator(&controller).await;
    let nodes = [
        "averylongwindowsnodename01",
        "averylongwindowsnodename01.contoso.com",
        "anotherlongname-2",
        // Of the same 15 characters, and another host.
        "anotherlongname-1.contoso.com",
        "anotherlongname-1",
    ];
    let found = directory.computers(&nodes).await.unwrap();
    let counts: Vec<usize> = found.iter().map(Vec::len).collect();
    assert_eq!(counts, [1, 1, 1, 0, 0]);
    assert_eq!(found[0][0].name, "AVERYLONGWINDOW$");
}
