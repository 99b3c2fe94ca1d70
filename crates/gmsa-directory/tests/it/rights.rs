//! Who may read a password: our answer compared with who really can, and concurrent changes.

use std::fmt::Write as _;

use crate::support::{create, found, host, status, wish};
use base64::Engine as _;
use futures::future::join_all;
use gmsa_directory::account::{CheckStatus, Detail, NewAccount};
use gmsa_directory::{Directory, Principal};
use gmsa_testkit::domain_controller::{BASE, DomainController, SID, USER_PASSWORD};
use gmsa_testkit::shared;

/// A descriptor as SDDL, or as bytes where SDDL has no words for it.
enum Stored {
    Text(String),
    Bytes(Vec<u8>),
}

/// A descriptor without a list of entries: revision 1, control bits, `BUILTIN\Administrators` as owner.
fn without_list(control: u16) -> Stored {
    let mut bytes = vec![1, 0];
    bytes.extend(control.to_le_bytes());
    bytes.extend([20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend([1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0]);
    Stored::Bytes(bytes)
}

/// What is compared: `{one}` is in `{group}`, which is in `{outer}`; `{two}` is in neither.
const DESCRIPTORS: [&str; 56] = [
    "(A;;0xf01ff;;;{one})",
    "(A;;0x10;;;{one})",
    "(A;;0xf01ef;;;{one})",
    "(A;;0x100;;;{one})",
    "(A;;0x20;;;{one})",
    "(A;;0x20000;;;{one})",
    "(A;;0x10000000;;;{one})",
    "(A;;0x80000000;;;{one})",
    "(A;;0x10;;;{group})",
    "(A;;0x10;;;{outer})",
    "(D;;0x10;;;{one})(A;;0x10;;;{group})",
    "(A;;0x10;;;{group})(D;;0x10;;;{one})",
    "(D;;0x10;;;{group})(A;;0x10;;;{one})",
    "(A;;0x10;;;{one})(D;;0x10;;;{group})",
    "(D;;0x10;;;{outer})(A;;0x10;;;AU)",
    "(D;;0x20;;;{one})(A;;0x10;;;{one})",
    "(D;;0x10000000;;;{one})(A;;0x10;;;{one})",
    "(A;OI;0x10;;;{one})",
    "(A;OIIO;0x10;;;{one})",
    "(A;CIIO;0xf01ff;;;{one})",
    "(A;CINP;0x10;;;{one})",
    "(A;ID;0x10;;;{one})",
    "(D;OIIO;0x10;;;{one})(A;;0x10;;;{one})",
    "(A;;0x10;;;WD)",
    "(A;;0x10;;;AU)",
    "(A;;0x10;;;NU)",
    "(A;;0x10;;;BU)",
    "(A;;0x10;;;RU)",
    "(A;;0x10;;;BA)",
    "(A;;0x10;;;PS)",
    "(A;;0x10;;;CO)",
    "(A;;0x10;;;AN)",
    "(A;;0x10;;;IU)",
    "(A;;0x10;;;SY)",
    "(A;;0x10;;;S-1-3-4)",
    "(A;;0x10;;;{domain}-513)",
    "(A;;0x10;;;{domain}-514)",
    "(A;;0x10;;;{domain}-515)",
    "(A;;0x10;;;{domain}-516)",
    "(A;;0x10;;;{domain}-512)",
    "(D;;0x10;;;WD)(A;;0x10;;;{one})",
    "(A;;0x10;;;{one})(D;;0x10;;;WD)",
    "(A;;0x10;;;{two})(A;;0x10;;;{one})",
    "(A;;0x10;;;{two})(D;;0x10;;;{one})(A;;0x10;;;AU)",
    "(A;;0x10;;;S-1-5-21-9-9-9-1000)",
    "(D;;0x10;;;S-1-5-21-9-9-9-1000)(A;;0x10;;;{one})",
    "(OA;;RP;e362ed86-b728-0842-b27d-2dea7a9df218;;{one})",
    "(OA;;RP;888eedd6-ce04-df40-b462-b8a50e41ba38;;{one})",
    "(OA;;RP;bf967a86-0de6-11d0-a285-00aa003049e2;;{one})",
    "(OD;;RP;e362ed86-b728-0842-b27d-2dea7a9df218;;{one})(A;;0x10;;;{one})",
    "",
    // Whose owner is the host.
    "O:{one}D:",
    // What cannot be known beforehand.
    "(A;;0x10;;;S-1-5-15)",
    "(A;;0x10;;;S-1-5-64-10)",
    "(A;;0x10;;;S-1-18-1)",
    "(XA;;0x10;;;{one};(Member_of {SID(BA)}))",
];
/// The first of [`DESCRIPTORS`] of which nothing is said.
const UNDECIDED: usize = 52;

#[tokio::test]
async fn our_reading_of_a_descriptor_is_the_controllers() {
    let name = "our_reading_of_a_descriptor_is_the_controllers";
    let Some(controller) = shared::domain_controller(name).await else { return };
    let directory = crate::support::administrator(&controller).await;
    let (group, outer) = (controller.unique("grp"), controller.unique("out"));
    for name in [&group, &outer] {
        controller.samba_tool(&["group", "add", name]);
    }
    controller.samba_tool(&["group", "addmembers", &group, "WEBHOST1$"]);
    controller.samba_tool(&["group", "addmembers", &outer, &group]);
    let one = directory.computer("WEBHOST1").await.unwrap();
    let two = directory.computer("WEBHOST2").await.unwrap();
    let sid_of = async |name: &str| directory.group(name).await.unwrap().sid.to_string();
    let (group, outer) = (sid_of(&group).await, sid_of(&outer).await);

    let mut stored: Vec<Stored> = Vec::new();
    for text in DESCRIPTORS {
        let text = text
            .replace("{one}", &one.sid.to_string())
            .replace("{two}", &two.sid.to_string())
            .replace("{group}", &group)
            .replace("{outer}", &outer)
            .replace("{domain}", SID);
        let head = if text.starts_with("O:") { "" } else { "O:BAD:" };
        stored.push(Stored::Text(format!("{head}{text}")));
    }
    stored.push(without_list(0x8004));
    stored.push(without_list(0x8000));
    let prefix = controller.unique("D");
    let names: Vec<String> = (0..stored.len()).map(|at| format!("{prefix}-{at}")).collect();
    let mut ldif = String::new();
    for (name, descriptor) in names.iter().zip(&stored) {
        let value = match descriptor {
            Stored::Text(text) => format!("msDS-GroupMSAMembership: {text}"),
            Stored::Bytes(bytes) => {
                let text = base64::engine::general_purpose::STANDARD.encode(bytes);
                format!("msDS-GroupMSAMembership:: {text}")
            }
        };
        let _ = write!(
            ldif,
            "dn: CN={name},CN=Managed Service Accounts,{BASE}\nchangetype: add\n\
             objectClass: msDS-GroupManagedServiceAccount\nsAMAccountName: {name}$\n\
             dNSHostName: {name}.contoso.com\nuserAccountControl: 4096\n\
             msDS-ManagedPasswordInterval: 30\n{value}\n\n"
        );
    }
    controller.modify(&ldif);

    let hosts = [one, two];
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let survey = directory.survey(&names, &hosts, &[], Detail::Summary).await.unwrap();
    let mut wrong = String::new();
    let mut compared = 0;
    for (at, name) in names.iter().enumerate() {
        let said = survey.host_checks(name, &hosts);
        for ((host, account), said) in ["WEBHOST1", "WEBHOST2"].iter().zip(&hosts).zip(said) {
            let reader = crate::support::host(&controller, host).await;
            let reads = reader.managed_password(name).await.unwrap().is_some();
            let undecided = (UNDECIDED..DESCRIPTORS.len()).contains(&at)
                // The condition is of the first host alone.
                && !(at == DESCRIPTORS.len() - 1 && account.sid == hosts[1].sid);
            let expected = match (undecided, reads) {
                (true, _) => CheckStatus::Unknown,
                (false, true) => CheckStatus::Passed,
                (false, false) => CheckStatus::Failed,
            };
            compared += 1;
            if said.status != expected {
                let text = DESCRIPTORS.get(at).unwrap_or(&"no list");
                let _ = writeln!(wrong, "{text}: {host} reads: {reads}, said: {said:?}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert_eq!(compared, 2 * (DESCRIPTORS.len() + 2));
}

/// Lets a user write who may read the password, and not read that.
async fn writer_that_cannot_read(controller: &DomainController, dn: &str) -> Directory {
    let name = controller.unique("wr");
    controller.samba_tool(&["user", "create", &name, USER_PASSWORD]);
    let administrator = crate::support::administrator(controller).await;
    let sid = administrator.user_account(&name).await.unwrap().sid;
    let attribute = "888eedd6-ce04-df40-b462-b8a50e41ba38";
    let sddl = format!("(OD;;RP;{attribute};;{sid})(OA;;WP;{attribute};;{sid})");
    let object = format!("--objectdn={dn}");
    controller.samba_tool(&["dsacl", "set", &object, &format!("--sddl={sddl}")]);
    let user = format!("{name}@contoso.com");
    let options = crate::support::options(controller, &user, USER_PASSWORD);
    Directory::open(&options).await.unwrap()
}

#[tokio::test]
async fn hidden_attributes_are_not_empty_ones() {
    let test = "hidden_attributes_are_not_empty_ones";
    let Some(controller) = shared::domain_controller(test).await else { return };
    let administrator = crate::support::administrator(&controller).await;
    let name = controller.unique("Hid");
    let one = administrator.computer("WEBHOST1").await.unwrap();
    let two = administrator.computer("WEBHOST2").await.unwrap();
    create(&administrator, &NewAccount { allowed: vec![one.clone()], ..wish(&name) }).await;
    let account = administrator.account(&name).await.unwrap().unwrap();
    let writer = writer_that_cannot_read(&controller, &account.dn).await;
    let stored = async || administrator.account(&name).await.unwrap().unwrap().membership;
    for dry_run in [true, false] {
        let error = writer.allow(&name, std::slice::from_ref(&two), dry_run).await.unwrap_err();
        let error = error.to_string();
        assert!(error.contains("nothing was written"), "{error}");
        assert!(error.contains("RP;msDS-GroupMSAMembership"), "{error}");
        let error = writer.disallow(&name, std::slice::from_ref(&one), dry_run).await.unwrap_err();
        assert!(error.to_string().contains("nothing was written"), "{error}");
    }
    assert_eq!(stored().await, account.membership);
    assert!(host(&controller, "WEBHOST1").await.managed_password(&name).await.unwrap().is_some());
    // What cannot be seen is not checked, whatever the truth is.
    let checks = writer.check(&name, std::slice::from_ref(&one)).await.unwrap();
    for id in ["retrieval", "host-may-retrieve"] {
        assert_eq!(status(&checks, id), CheckStatus::Unknown, "{checks:?}");
        assert!(found(&checks, id).message.contains("is not shown to"), "{checks:?}");
    }

    // Where there surely is none, nobody may, and the first entry is added.
    let empty = controller.unique("Emp");
    create(&administrator, &wish(&empty)).await;
    let checks = administrator.check(&empty, std::slice::from_ref(&one)).await.unwrap();
    assert_eq!(status(&checks, "host-may-retrieve"), CheckStatus::Failed);
    let effects = administrator.allow(&empty, std::slice::from_ref(&one), false).await.unwrap();
    assert_eq!((effects[0].changed, effects[0].right.may), (true, Some(true)));
}

#[tokio::test]
async fn the_groups_of_a_host_that_are_not_shown_leave_it_open() {
    let test = "the_groups_of_a_host_that_are_not_shown_leave_it_open";
    let Some(controller) = shared::domain_controller(test).await else { return };
    let administrator = crate::support::administrator(&controller).await;
    let name = controller.unique("Tok");
    let (node, reader) = (controller.unique("tokn"), controller.unique("tokr"));
    controller.computer(&node);
    controller.samba_tool(&["user", "create", &reader, USER_PASSWORD]);
    let group = administrator.group("webhosts").await.unwrap();
    create(&administrator, &NewAccount { allowed: vec![group], ..wish(&name) }).await;
    let node = administrator.computer(&node).await.unwrap();
    let sid = administrator.user_account(&reader).await.unwrap().sid;
    let object = format!("--objectdn={}", node.dn);
    let sddl = format!("--sddl=(OD;;RP;b7c69e6d-2cc7-11d2-854e-00a0c983f608;;{sid})");
    controller.samba_tool(&["dsacl", "set", &object, &sddl]);
    let options =
        crate::support::options(&controller, &format!("{reader}@contoso.com"), USER_PASSWORD);
    let reader = Directory::open(&options).await.unwrap();
    let checks = reader.check(&name, std::slice::from_ref(&node)).await.unwrap();
    let check = found(&checks, "host-may-retrieve");
    assert_eq!(check.status, CheckStatus::Unknown, "{check:?}");
    assert!(check.message.contains("an entry is for webhosts, and the groups of"), "{check:?}");
    let checks = administrator.check(&name, std::slice::from_ref(&node)).await.unwrap();
    assert_eq!(status(&checks, "host-may-retrieve"), CheckStatus::Failed);
}

#[tokio::test]
async fn concurrent_changes_are_all_kept() {
    let test = "concurrent_changes_are_all_kept";
    let Some(controller) = shared::domain_controller(test).await else { return };
    let directory = crate::support::administrator(&controller).await;
    let name = controller.unique("Race");
    let revoked = directory.computer("OTHERHOST").await.unwrap();
    create(&directory, &NewAccount { allowed: vec![revoked.clone()], ..wish(&name) }).await;
    // Groups are as good as hosts here.
    let prefix = controller.unique("r");
    let groups: Vec<String> = (0..8).map(|number| format!("{prefix}-{number}")).collect();
    let mut ldif = String::new();
    for group in &groups {
        let _ = write!(
            ldif,
            "dn: CN={group},CN=Users,{BASE}\nchangetype: add\nobjectClass: group\n\
             sAMAccountName: {group}\n\n"
        );
    }
    controller.modify(&ldif);
    let mut wanted: Vec<Principal> = Vec::new();
    for group in &groups {
        wanted.push(directory.group(group).await.unwrap());
    }
    // Each over a connection of its own, and one that takes a right away in between.
    let allow = wanted.iter().map(async |principal| {
        let directory = crate::support::administrator(&controller).await;
        let effects = directory.allow(&name, std::slice::from_ref(principal), false).await.unwrap();
        assert_eq!((effects[0].changed, effects[0].right.may), (true, Some(true)));
    });
    let disallow = async {
        let directory = crate::support::administrator(&controller).await;
        let effects =
            directory.disallow(&name, std::slice::from_ref(&revoked), false).await.unwrap();
        assert_eq!((effects[0].changed, effects[0].right.may), (true, Some(false)));
    };
    tokio::join!(join_all(allow), disallow);
    let stored = directory.account(&name).await.unwrap().unwrap().membership.unwrap();
    let mut now: Vec<_> = stored.allowed().cloned().collect();
    let mut expected: Vec<_> = wanted.iter().map(|group| group.sid.clone()).collect();
    now.sort();
    expected.sort();
    assert_eq!(now, expected);
}

#[tokio::test]
async fn a_host_that_keeps_the_right_by_a_group_is_named() {
    let test = "a_host_that_keeps_the_right_by_a_group_is_named";
    let Some(controller) = shared::domain_controller(test).await else { return };
    let directory = crate::support::administrator(&controller).await;
    let name = controller.unique("Keep");
    let one = directory.computer("WEBHOST1").await.unwrap();
    let group = directory.group("webhosts").await.unwrap();
    let allowed = vec![one.clone(), group.clone()];
    create(&directory, &NewAccount { allowed, ..wish(&name) }).await;
    let effects = directory.disallow(&name, std::slice::from_ref(&one), false).await.unwrap();
    assert_eq!((effects[0].changed, effects[0].right.may), (true, Some(true)));
    assert_eq!(effects[0].right.why, "by the group webhosts");
    assert!(host(&controller, "WEBHOST1").await.managed_password(&name).await.unwrap().is_some());
    let effects = directory.disallow(&name, &[group, one], false).await.unwrap();
    assert_eq!(effects[1].right.may, Some(false));
    assert!(host(&controller, "WEBHOST1").await.managed_password(&name).await.unwrap().is_none());

    // Everyone who logs on: reported as too wide, and removed by its name.
    let everybody = directory.group("Authenticated Users").await.unwrap();
    directory.allow(&name, std::slice::from_ref(&everybody), false).await.unwrap();
    let checks = directory.check(&name, &[]).await.unwrap();
    let retrieval = found(&checks, "retrieval");
    assert_eq!(retrieval.status, CheckStatus::Warning);
    assert!(retrieval.message.contains("Authenticated Users includes far more"), "{retrieval:?}");
    let remedy = retrieval.remedy.as_deref().unwrap();
    assert!(remedy.contains("account disallow") && remedy.contains("'Authenticated Users'"));
    directory.disallow(&name, &[everybody], false).await.unwrap();
    let checks = directory.check(&name, &[]).await.unwrap();
    assert!(found(&checks, "retrieval").message.contains("nobody may read"));
}

#[tokio::test]
async fn a_disabled_or_expired_host_cannot_use_its_right() {
    let test = "a_disabled_or_expired_host_cannot_use_its_right";
    let Some(controller) = shared::domain_controller(test).await else { return };
    let directory = crate::support::administrator(&controller).await;
    let name = controller.unique("Off");
    let node = controller.unique("offn");
    controller.computer(&node);
    let host = directory.computer(&node).await.unwrap();
    create(&directory, &NewAccount { allowed: vec![host.clone()], ..wish(&name) }).await;
    let dn = &host.dn;
    for (attribute, value, words) in [
        ("userAccountControl", "4098", "its account is disabled, so it cannot log on"),
        ("userAccountControl", "4096", ""),
        ("accountExpires", "132223104000000000", "its account expired on 2020-01-01"),
    ] {
        controller.modify(&format!(
            "dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n"
        ));
        if words.is_empty() {
            continue;
        }
        let host = directory.computer(&node).await.unwrap();
        let checks = directory.check(&name, &[host]).await.unwrap();
        let check = found(&checks, "host-may-retrieve");
        assert_eq!(check.status, CheckStatus::Failed, "{check:?}");
        assert!(check.message.contains(words), "{check:?}");
    }
    let account = directory.account(&name).await.unwrap().unwrap();
    controller.modify(&format!(
        "dn: {}\nchangetype: modify\nreplace: accountExpires\naccountExpires: 132223104000000000\n",
        account.dn
    ));
    let checks = directory.check(&name, &[]).await.unwrap();
    let check = found(&checks, "enabled");
    assert_eq!(check.status, CheckStatus::Failed);
    assert!(check.message.contains("expired on 2020-01-01"), "{check:?}");
}

#[tokio::test]
async fn a_long_list_of_principals_is_cut() {
    let test = "a_long_list_of_principals_is_cut";
    let Some(controller) = shared::domain_controller(test).await else { return };
    let directory = crate::support::administrator(&controller).await;
    let name = controller.unique("Long");
    create(&directory, &wish(&name)).await;
    let entries: Vec<String> =
        (0..1500).map(|number| format!("(A;;0xf01ff;;;{SID}-{})", 50_000 + number)).collect();
    let entries = entries.concat();
    controller.modify(&format!(
        "dn: CN={name},CN=Managed Service Accounts,{BASE}\nchangetype: modify\n\
         replace: msDS-GroupMSAMembership\nmsDS-GroupMSAMembership: O:BAD:{entries}\n"
    ));
    let before = directory.requests();
    let survey = directory.survey(&[&name], &[], &[], Detail::Summary).await.unwrap();
    let requests = directory.requests() - before;
    assert!(requests < 12, "{requests}");
    let checks = survey.checks(&name);
    let retrieval = found(&checks, "retrieval");
    assert!(retrieval.message.contains("and 1488 more"), "{}", retrieval.message);
    assert!(retrieval.message.len() < 2000, "{}", retrieval.message);
}
