//! What Windows never gives at once: long lists of entries and of values.

use std::fmt::Write as _;

use crate::support::{as_administrator, create, found, wish};
use gmsa_directory::account::{CheckStatus, Detail, NewAccount, check};
use gmsa_directory::{Directory, Options};
use gmsa_testkit::ldap_front::{LdapFront, Limits};
use gmsa_testkit::shared;

/// More than Windows gives of one attribute.
const NAMES: usize = 1600;
/// More than Windows gives without pages.
const CONTROLLERS: usize = 1100;

#[tokio::test]
async fn answers_that_are_cut_are_read_in_full() {
    let test = "answers_that_are_cut_are_read_in_full";
    let Some(controller) = shared::separate_large_domain_controller(test, "limits-dc").await else {
        return;
    };
    let base = &controller.realm.base;
    let directory = Directory::open(&as_administrator(&controller)).await.unwrap();
    let (name, other) = (controller.unique("Rng"), controller.unique("Rno"));
    create(&directory, &wish(&name)).await;
    let last = format!("http/s{:04}.{name}.example", NAMES - 1);
    let spn = vec![last.clone()];
    create(&directory, &NewAccount { service_principal_names: spn, ..wish(&other) }).await;
    // Behind the controller's back: it would look for each name, and refuse the last.
    let mut ldif = format!(
        "dn: CN={name},CN=Managed Service Accounts,{base}\nchangetype: modify\n\
         replace: servicePrincipalName\n"
    );
    for number in 0..NAMES {
        let _ = writeln!(ldif, "servicePrincipalName: http/s{number:04}.{name}.example");
    }
    controller.modify_unchecked(&ldif);

    // Computers with the flag of a controller: no other search of the product finds that many.
    let mut controllers = String::new();
    for number in 1900..1900 + CONTROLLERS {
        let _ = write!(
            controllers,
            "dn: CN=NODE{number:04},CN=Computers,{base}\nchangetype: modify\n\
             replace: userAccountControl\nuserAccountControl: 532480\n\n"
        );
    }
    controller.modify_unchecked(&controllers);

    let front = LdapFront::start(&controller, Limits::WINDOWS).await;
    let options =
        Options { server: Some(front.address.to_string()), ..as_administrator(&controller) };
    let directory = Directory::open(&options).await.unwrap();
    let account = directory.account(&name).await.unwrap().unwrap();
    let mut names = account.service_principal_names;
    names.sort();
    names.dedup();
    assert_eq!(names.len(), NAMES);
    let checks = directory.check(&name, &[]).await.unwrap();
    let twice = found(&checks, "spn-unique");
    assert_eq!(twice.status, CheckStatus::Failed);
    assert!(twice.message.contains(&last), "{}", twice.message);
    let checks = check(&directory, &name, &[], &[], Detail::Summary).await.unwrap();
    let versions = found(&checks, "controller-versions");
    // Twelve have room, and one is the real one.
    let more = format!(" and {} more", CONTROLLERS + 1 - 12);
    assert!(versions.message.ends_with(&more), "{}", versions.message);
    let (refused, pages, ranges) = front.counts();
    // The controllers alone came in pages, after the answer that was too long.
    assert_eq!((refused, pages), (1, CONTROLLERS / 500 + 1));
    assert!(ranges > 2, "{ranges}");
}
