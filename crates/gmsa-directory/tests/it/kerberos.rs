//! Kerberos tickets from a real domain controller, by the system's kinit.

use std::time::Duration;

use gmsa_directory::ManagedPassword;
use gmsa_directory::account::NewAccount;
use gmsa_directory::kerberos::{Ticket, TicketRequest, ticket};
use gmsa_testkit::domain_controller::{DOMAIN, has_kinit};
use gmsa_testkit::shared;

#[tokio::test]
async fn a_managed_password_gets_a_ticket_and_another_does_not() {
    let test = "a_managed_password_gets_a_ticket_and_another_does_not";
    let Some(controller) = shared::domain_controller(test).await else { return };
    if !has_kinit(test) {
        return;
    }
    let directory = crate::support::administrator(&controller).await;
    let name = controller.unique("Tkt");
    let host = directory.computer("WEBHOST1").await.unwrap();
    let wish = NewAccount { allowed: vec![host], ..crate::support::wish(&name) };
    crate::support::create(&directory, &wish).await;
    let host = crate::support::host(&controller, "WEBHOST1").await;
    assert_eq!(host.address(), controller.address);
    let password = host.managed_password(&name).await.unwrap().unwrap();
    let request = TicketRequest {
        account: &name,
        domain: DOMAIN,
        controller: controller.address,
        password: &password,
        encryption_types: Some(28),
        timeout: Duration::from_secs(30),
    };
    // Both keys, each alone, and what an account that says nothing is taken to have.
    for encryption_types in [Some(28), Some(8), Some(16), Some(0), None] {
        let got = ticket(&TicketRequest { encryption_types, ..request }).await.unwrap();
        assert_eq!(got, Ticket::Granted { previous: false }, "{encryption_types:?}");
    }
    let got = ticket(&TicketRequest { encryption_types: Some(4), ..request }).await.unwrap();
    assert!(matches!(&got, Ticket::NotChecked { why, .. } if why.contains("no AES")), "{got:?}");

    let wrong = ManagedPassword {
        current: vec![b'x', 0].into(),
        previous: None,
        query_interval: Duration::ZERO,
        unchanged_interval: Duration::ZERO,
    };
    let got = ticket(&TicketRequest { password: &wrong, ..request }).await.unwrap();
    assert!(
        matches!(&got, Ticket::Refused { why, .. } if why.contains("Preauthentication failed")),
        "{got:?}"
    );
    // In the last minutes of an interval the current password is the next one already.
    let early = ManagedPassword {
        current: vec![b'x', 0].into(),
        previous: Some(password.current.clone()),
        query_interval: Duration::ZERO,
        unchanged_interval: Duration::ZERO,
    };
    let got = ticket(&TicketRequest { password: &early, ..request }).await.unwrap();
    assert_eq!(got, Ticket::Granted { previous: true });
    // A new name, and the salt of the old one until the password changes.
    let renamed = controller.unique("Ren");
    let account = directory.account(&name).await.unwrap().unwrap();
    controller.modify(&format!(
        "dn: {}\nchangetype: modify\nreplace: sAMAccountName\nsAMAccountName: {renamed}$\n",
        account.dn
    ));
    let got = ticket(&TicketRequest { account: &renamed, ..request }).await.unwrap();
    assert_eq!(got, Ticket::Granted { previous: false });
    let got = ticket(&TicketRequest { account: "NoSuch", ..request }).await.unwrap();
    assert!(
        matches!(&got, Ticket::Refused { remedy, .. } if remedy.contains("controllers know")),
        "{got:?}"
    );
    // Nobody listens there.
    let nowhere = [127, 0, 0, 1].into();
    let got = ticket(&TicketRequest { controller: nowhere, ..request }).await.unwrap();
    assert!(
        matches!(&got, Ticket::NotChecked { remedy, .. } if remedy.contains("port 88")),
        "{got:?}"
    );
    // A port that accepts connections and never answers.
    let silent = ("127.64.0.88", 88);
    let _listener = std::net::TcpListener::bind(silent).unwrap();
    let (controller, timeout) = (silent.0.parse().unwrap(), Duration::from_millis(300));
    let got = ticket(&TicketRequest { controller, timeout, ..request }).await.unwrap();
    assert!(
        matches!(&got, Ticket::NotChecked { why, .. } if why == "no answer within 0.3 s"),
        "{got:?}"
    );
    let got = ticket(&TicketRequest { domain: "a\nb", ..request }).await.unwrap();
    assert!(matches!(&got, Ticket::NotChecked { .. }), "{got:?}");
}
