//! The domain controller that the other tests rely on.

use gmsa_testkit::domain_controller::{GUID, SID};
use gmsa_testkit::shared;

#[tokio::test]
async fn the_domain_has_its_fixed_identifiers_and_the_address_of_the_run() {
    let name = "the_domain_has_its_fixed_identifiers_and_the_address_of_the_run";
    let Some(controller) = shared::domain_controller(name).await else { return };
    let domain = controller.search("(objectClass=domainDNS)", &["objectSid", "objectGUID"]);
    assert!(domain.contains(SID) && domain.contains(GUID), "{domain}");
    let address = controller.address.to_string();
    let record = controller.samba_tool(&["computer", "list"]);
    assert!(record.contains("WEBHOST1$"), "{record}");
    assert_ne!(address, "127.0.0.10");
}

#[tokio::test]
async fn processes_of_a_run_share_one_controller() {
    let name = "processes_of_a_run_share_one_controller";
    let Some(one) = shared::domain_controller(name).await else { return };
    let Some(other) = shared::domain_controller(name).await else { return };
    assert_eq!(one.address, other.address);
    let computer = one.unique("SHARED");
    one.computer(&computer);
    let found = other.search(&format!("(sAMAccountName={computer}$)"), &["dn"]);
    assert!(found.contains(&format!("CN={computer},")), "{found}");
}
