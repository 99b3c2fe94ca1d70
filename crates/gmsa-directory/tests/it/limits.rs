//! What Windows never gives at once: long lists of entries and of values.

use std::fmt::Write as _;

use crate::support::{create, found, wish};
use gmsa_directory::account::{CheckStatus, NewAccount};
use gmsa_directory::{Directory, Options};
use gmsa_testkit::domain_controller::{ADMINISTRATOR, ADMINISTRATOR_PASSWORD, BASE};
use gmsa_testkit::ldap_front::{LdapFront, Limits};
use gmsa_testkit::shared;

/// More than Windows gives of one attribute (1,500).
const NAMES: usize = 1600;
/// More than the front gives without pages, whose limit is lower than the 1,000 of Windows: one search
/// asks for 100 objects.
const HOSTS: usize = 90;

#[tokio::test]
async fn answers_that_are_cut_are_read_in_full() {
    let test = "answers_that_are_cut_are_read_in_full";
    let Some(controller) = shared::domain_controller(test).await else { return };
    let directory = crate::support::administrator(&controller).await;
    let (name, other) = (controller.unique("Rng"), controller.unique("Rno"));
    create(&directory, &wish(&name)).await;
    let last = format!("http/s{:04}.{name}.contoso.com", NAMES - 1);
    let spn = vec![last.clone()];
    create(&directory, &NewAccount { service_principal_names: spn, ..wish(&other) }).await;
    let prefix = controller.unique("h");
    let mut ldif = String::new();
    for number in 0..HOSTS {
        let _ = write!(
            ldif,
            "dn: CN={prefix}-{number},CN=Computers,{BASE}\nchangetype: add\nobjectClass: computer\n\
             sAMAccountName: {prefix}-{number}$\nuserAccountControl: 4096\n\n"
        );
    }
    controller.modify(&ldif);
    // Behind the controller's back: it would look for each name, and refuse the last.
    let mut ldif = format!(
        "dn: CN={name},CN=Managed Service Accounts,{BASE}\nchangetype: modify\n\
         replace: servicePrincipalName\n"
    );
    for number in 0..NAMES {
        let _ = writeln!(ldif, "servicePrincipalName: http/s{number:04}.{name}.contoso.com");
    }
    controller.modify_unchecked(&ldif);

    let front = LdapFront::start(&controller, Limits { entries: 50, values: 1500 }).await;
    let options = Options {
        server: Some(front.address.to_string()),
        ..crate::support::options(&controller, ADMINISTRATOR, ADMINISTRATOR_PASSWORD)
    };
    let directory = Directory::open(&options).await.unwrap();
    let account = directory.account(&name).await.unwrap().unwrap();
    let mut names = account.service_principal_names;
    names.sort();
    names.dedup();
    assert_eq!(names.len(), NAMES);
    let hosts: Vec<String> = (0..HOSTS).map(|number| format!("{prefix}-{number}")).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let computers = directory.computers(&hosts).await.unwrap();
    assert!(computers.iter().all(|found| found.len() == 1), "{computers:?}");
    let checks = directory.check(&name, &[]).await.unwrap();
    let twice = found(&checks, "spn-unique");
    assert_eq!(twice.status, CheckStatus::Failed);
    assert!(twice.message.contains(&last), "{}", twice.message);
    let (refused, pages, ranges) = front.counts();
    assert_eq!(refused, 0);
    assert!(pages > 2 && ranges > 2, "{pages} {ranges}");
}
