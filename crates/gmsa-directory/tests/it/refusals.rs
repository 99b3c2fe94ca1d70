//! What a real domain controller refuses, and what comes of one that stops answering.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::support::{create, wish};
use gmsa_directory::account::{AccountChange, NewAccount};
use gmsa_directory::security_descriptor::{Access, Ace, SecurityDescriptor};
use gmsa_directory::{Directory, Options};
use gmsa_testkit::domain_controller::{
    ADMINISTRATOR, ADMINISTRATOR_PASSWORD, BASE, DomainController, HOST, USER_PASSWORD,
};
use gmsa_testkit::shared;
use gmsa_testkit::tcp_proxy::TcpProxy;

/// A user who may do what everybody may.
async fn user(controller: &DomainController, prefix: &str) -> (String, Directory) {
    let name = controller.unique(prefix);
    controller.samba_tool(&["user", "create", &name, USER_PASSWORD]);
    let options =
        crate::support::options(controller, &format!("{name}@contoso.com"), USER_PASSWORD);
    let directory = Directory::open(&options).await.unwrap();
    (name, directory)
}

#[tokio::test]
async fn who_may_create_and_nothing_else() {
    let Some(controller) = shared::domain_controller("who_may_create_and_nothing_else").await
    else {
        return;
    };
    let administrator = crate::support::administrator(&controller).await;
    let (maker_name, maker) = user(&controller, "mk").await;
    let (_, other) = user(&controller, "no").await;
    let ou = controller.unique("ou");
    administrator.computer("WEBHOST1").await.unwrap();
    controller.samba_tool(&["ou", "create", &format!("OU={ou}")]);
    let container = format!("OU={ou},{BASE}");
    // The right to create objects of the class, and no other.
    let sid = administrator.user_account(&maker_name).await.unwrap().sid;
    let sddl = format!("(OA;;CC;7b8b558a-93a5-4af7-adca-c017e67f1057;;{sid})");
    let object = format!("--objectdn={container}");
    controller.samba_tool(&["dsacl", "set", &object, &format!("--sddl={sddl}")]);

    let name = controller.unique("Del");
    let host = maker.computer("WEBHOST1").await.unwrap();
    let wish = NewAccount {
        container: Some(container.clone()),
        allowed: vec![host.clone()],
        ..wish(&name)
    };
    let denied = other.create(&other.plan(&wish).await.unwrap()).await.unwrap_err().to_string();
    assert!(denied.contains("the user lacks the right (LDAP result 50"), "{denied}");
    assert!(denied.contains("delegat"), "{denied}");
    assert!(administrator.account(&name).await.unwrap().is_none());

    create(&maker, &wish).await;
    let made = administrator.account(&name).await.unwrap().unwrap();
    assert_eq!(made.dn, format!("CN={name},{container}"));
    assert!(made.enabled);
    assert_eq!(made.membership.unwrap().allowed().collect::<Vec<_>>(), [&host.sid]);
    // Elsewhere it may not.
    let elsewhere =
        NewAccount { container: None, ..crate::support::wish(&controller.unique("Els")) };
    let denied =
        maker.create(&maker.plan(&elsewhere).await.unwrap()).await.unwrap_err().to_string();
    assert!(denied.contains("LDAP result 50"), "{denied}");
    let denied = other.remove(&name, false).await.unwrap_err().to_string();
    assert!(denied.contains("the user lacks the right"), "{denied}");
    assert!(administrator.account(&name).await.unwrap().is_some());
}

#[tokio::test]
async fn what_comes_in_between_a_plan_and_its_execution() {
    let test = "what_comes_in_between_a_plan_and_its_execution";
    let Some(controller) = shared::domain_controller(test).await else { return };
    let directory = crate::support::administrator(&controller).await;
    // The name is taken: 68. The service principal name is taken: 19.
    let (one, two) = (controller.unique("One"), controller.unique("Two"));
    let spn = vec![format!("http/{one}.contoso.com")];
    let planned = directory.plan(&wish(&one)).await.unwrap();
    let same = NewAccount { service_principal_names: spn.clone(), ..wish(&two) };
    let same = directory.plan(&same).await.unwrap();
    create(&directory, &NewAccount { service_principal_names: spn, ..wish(&one) }).await;
    let error = directory.create(&planned).await.unwrap_err().to_string();
    assert!(error.contains("an object of that name already (LDAP result 68"), "{error}");
    let error = directory.create(&same).await.unwrap_err().to_string();
    assert!(error.contains("an SPN that another account has"), "{error}");
    assert!(error.contains("LDAP result 19"), "{error}");
    assert!(directory.account(&two).await.unwrap().is_none(), "half of it was made");

    // The container goes away: 32.
    let ou = controller.unique("Gone");
    controller.samba_tool(&["ou", "create", &format!("OU={ou}")]);
    let container = Some(format!("OU={ou},{BASE}"));
    let planned = directory.plan(&NewAccount { container, ..wish(&two) }).await.unwrap();
    controller.samba_tool(&["ou", "delete", &format!("OU={ou}")]);
    let error = directory.create(&planned).await.unwrap_err().to_string();
    assert!(error.contains("the object or its container does not exist"), "{error}");
    assert!(error.contains("LDAP result 32"), "{error}");

    // A container of another domain, which this controller does not know. Windows refers to that domain
    // instead, of which the message is tried with its words alone.
    let container = Some("OU=Servers,DC=fabrikam,DC=net".to_owned());
    let error =
        directory.plan(&NewAccount { container, ..wish(&two) }).await.unwrap_err().to_string();
    assert!(error.contains("there is no container OU=Servers,DC=fabrikam,DC=net"), "{error}");
}

#[tokio::test]
async fn names_that_come_while_a_shared_one_is_removed_are_kept() {
    let test = "names_that_come_while_a_shared_one_is_removed_are_kept";
    let Some(controller) = shared::domain_controller(test).await else { return };
    let directory = crate::support::administrator(&controller).await;
    let (one, two) = (controller.unique("Ka"), controller.unique("Kb"));
    let (both, new) = (format!("http/{one}-both"), format!("http/{one}-new"));
    let plant = |name: &str, spn: &str| {
        controller.modify_unchecked(&format!(
            "dn: CN={name},CN=Managed Service Accounts,{BASE}\nchangetype: modify\n\
             add: servicePrincipalName\nservicePrincipalName: {spn}\n"
        ));
    };
    for name in [&one, &two] {
        create(&directory, &wish(name)).await;
        plant(name, &both);
    }
    let change =
        AccountChange { remove_service_principal_names: vec![both.clone()], ..Default::default() };
    let planned = directory.plan_change(&one, &change).await.unwrap();
    // Another administrator, between the plan and its execution.
    plant(&one, &new);
    // Samba refuses to remove a name that two accounts have, so that all names are written.
    directory.make_change(&planned).await.unwrap();
    let names =
        async |name: &str| directory.account(name).await.unwrap().unwrap().service_principal_names;
    assert_eq!(names(&one).await, [new]);
    assert_eq!(names(&two).await, [both]);
}

#[tokio::test]
async fn the_anonymous_user_may_change_nothing() {
    let Some(controller) = shared::domain_controller("the_anonymous_user_may_change_nothing").await
    else {
        return;
    };
    let options = crate::support::options(&controller, ADMINISTRATOR, ADMINISTRATOR_PASSWORD);
    let nobody = Directory::open(&Options { credentials: None, ..options }).await.unwrap();
    let error = nobody.account("anything").await.unwrap_err().to_string();
    assert!(error.contains("no user is logged on (LDAP result 1,"), "{error}");
    assert!(error.contains("--bind-user"), "{error}");
}

/// A directory whose controller is reached through a proxy.
async fn through(proxy: &TcpProxy, controller: &DomainController) -> Directory {
    let options = Options {
        server: Some(proxy.address.to_string()),
        server_name: Some(HOST.to_owned()),
        timeout: Duration::from_secs(2),
        ..crate::support::options(controller, ADMINISTRATOR, ADMINISTRATOR_PASSWORD)
    };
    Directory::open(&options).await.unwrap()
}

#[tokio::test]
async fn a_controller_that_stops_answering_in_the_middle() {
    let test = "a_controller_that_stops_answering_in_the_middle";
    let Some(controller) = shared::domain_controller(test).await else { return };
    let administrator = crate::support::administrator(&controller).await;
    let target = SocketAddr::new(controller.address, 636);

    // Before the request arrives: nothing is made.
    let proxy = TcpProxy::start(target).await;
    let directory = through(&proxy, &controller).await;
    let lost = controller.unique("Lost");
    let planned = directory.plan(&wish(&lost)).await.unwrap();
    proxy.stall();
    let start = Instant::now();
    let error = directory.create(&planned).await.unwrap_err().to_string();
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(error.contains(&format!("failed to create CN={lost},")), "{error}");
    assert!(error.contains("no answer within 2 s; whether it was done is not known"), "{error}");
    assert!(error.contains("account check"), "{error}");
    assert!(administrator.account(&lost).await.unwrap().is_none());
    let error = directory.account(&lost).await.unwrap_err().to_string();
    assert!(error.contains("no answer within 2 s; see whether"), "{error}");

    // After it: the account is complete, although the answer was lost.
    let proxy = TcpProxy::start(target).await;
    let directory = through(&proxy, &controller).await;
    let host = directory.computer("WEBHOST1").await.unwrap();
    let made = controller.unique("Made");
    let wish = NewAccount { allowed: vec![host.clone()], ..wish(&made) };
    let planned = directory.plan(&wish).await.unwrap();
    proxy.mute();
    let error = directory.create(&planned).await.unwrap_err().to_string();
    assert!(error.contains("it was done in full or not at all"), "{error}");
    let account = administrator.account(&made).await.unwrap().unwrap();
    assert_eq!(account.membership.unwrap().allowed().collect::<Vec<_>>(), [&host.sid]);

    // The connection is cut.
    let proxy = TcpProxy::start(target).await;
    let directory = through(&proxy, &controller).await;
    proxy.cut();
    let error = directory.remove(&made, false).await.unwrap_err().to_string();
    assert!(error.contains("the connection broke"), "{error}");
    assert!(administrator.account(&made).await.unwrap().is_some());
}

/// Entries that others made: a right to deny, one for an attribute, one with a condition, one that no
/// version of Windows knows.
fn foreign(sid: &gmsa_directory::Sid) -> Vec<Ace> {
    let sid = sid.to_bytes();
    let entry = |kind: u8, body: &[u8]| {
        let size = u8::try_from(4 + body.len()).unwrap();
        Ace::Other([&[kind, 0, size, 0][..], body].concat())
    };
    let object = [&[0x10, 0, 0, 0, 1, 0, 0, 0][..], &[7; 16], &sid].concat();
    let deny_object = [&[0x20, 0, 0, 0, 0, 0, 0, 0][..], &sid].concat();
    vec![entry(6, &deny_object), entry(5, &object)]
}

#[tokio::test]
async fn entries_of_others_stay_as_they_are() {
    let Some(controller) = shared::domain_controller("entries_of_others_stay_as_they_are").await
    else {
        return;
    };
    let directory = crate::support::administrator(&controller).await;
    let name = controller.unique("For");
    let one = directory.computer("WEBHOST1").await.unwrap();
    let two = directory.computer("WEBHOST2").await.unwrap();
    let other = directory.computer("OTHERHOST").await.unwrap();
    create(&directory, &NewAccount { allowed: vec![one.clone()], ..wish(&name) }).await;
    let mut descriptor = SecurityDescriptor::allowing(std::slice::from_ref(&one.sid));
    descriptor.group = Some("S-1-5-32-545".parse().unwrap());
    let entries = &mut descriptor.dacl.as_mut().unwrap().entries;
    let deny = Ace::Basic { deny: true, flags: 0, mask: 0x10, sid: other.sid.clone() };
    let odd = Ace::Basic { deny: false, flags: 0x03, mask: 0x4, sid: two.sid.clone() };
    entries.insert(0, deny.clone());
    entries.extend(foreign(&other.sid));
    entries.push(odd.clone());
    let dn = directory.account(&name).await.unwrap().unwrap().dn;
    let value = base64(&descriptor.to_bytes());
    controller.modify(&format!(
        "dn: {dn}\nchangetype: modify\nreplace: msDS-GroupMSAMembership\n\
         msDS-GroupMSAMembership:: {value}\n"
    ));
    let stored = || async { directory.account(&name).await.unwrap().unwrap().membership.unwrap() };
    assert_eq!(stored().await, descriptor);

    let allowed = directory.allow(&name, std::slice::from_ref(&two), false).await.unwrap();
    assert_eq!(crate::support::changed(&allowed), std::slice::from_ref(&two));
    let mut wanted = descriptor.clone();
    wanted.allow(&two.sid);
    let now = stored().await;
    assert_eq!(now, wanted);
    let entries = &now.dacl.as_ref().unwrap().entries;
    assert_eq!(
        entries[..2],
        [deny, Ace::Basic { deny: false, flags: 0, mask: 0xf_01ff, sid: one.sid.clone() }]
    );
    assert_eq!(entries[2..4], foreign(&other.sid));
    assert_eq!(entries[4], odd);

    let checks = directory.check(&name, &[]).await.unwrap();
    let retrieval = crate::support::found(&checks, "retrieval");
    let seen = "which counts for nothing (seen with Samba 4.22; Windows was not tried)";
    let entries = format!(
        "WEBHOST1$, WEBHOST2$; other entries: denied to OTHERHOST$, (type 0x06, 40 bytes), {seen}, \
         (type 0x05, 56 bytes), {seen}, one allowing WEBHOST2$ the rights 0x4, flags 0x3, which does not \
         count here"
    );
    assert!(retrieval.message.ends_with(&entries), "{}", retrieval.message);

    // A deny entry stays.
    directory.allow(&name, std::slice::from_ref(&other), false).await.unwrap();
    let token = &directory.tokens(std::slice::from_ref(&other)).await.unwrap()[0];
    assert_eq!(stored().await.access(token), Access::Denied(&other.sid));
    let as_other = crate::support::host(&controller, "OTHERHOST").await;
    assert!(as_other.managed_password(&name).await.unwrap().is_none());

    // Only entries that let this principal read are removed.
    directory.disallow(&name, &[two.clone(), other], false).await.unwrap();
    let entries = stored().await.dacl.unwrap().entries;
    assert!(entries.iter().all(|entry| !matches!(entry, Ace::Basic { deny: false, sid, mask, .. }
        if *sid == two.sid && mask & 0x10 != 0)));
    assert_eq!(entries[0], descriptor.dacl.as_ref().unwrap().entries[0]);
    let as_one = crate::support::host(&controller, "WEBHOST1").await;
    assert!(as_one.managed_password(&name).await.unwrap().is_some());
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
