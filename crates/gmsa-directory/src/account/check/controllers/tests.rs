use std::time::UNIX_EPOCH;

use super::*;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

#[test]
fn moments_of_ldap() {
    for (text, seconds) in [
        ("19700101000000Z", Some(0)),
        ("20000229120000.0Z", Some(951_825_600)),
        ("20251231235959,123Z", Some(1_767_225_599)),
        ("21000301000000.0Z", Some(4_107_542_400)),
        ("19691231235959Z", None),
        ("2025123123595Z", None),
        ("20251331235959Z", None),
        ("20250230000000Z", None),
        ("20251231235959", None),
        ("20251231 35959Z", None),
        ("äöü25123123Z", None),
        ("", None),
    ] {
        assert_eq!(clock::moment(text), seconds.map(at), "{text}");
    }
}

#[test]
fn clocks_apart() {
    let here = at(1_000_000);
    for (there, status, part) in [
        (Some(at(1_000_060)), CheckStatus::Passed, "agree"),
        (Some(at(999_941)), CheckStatus::Passed, "agree"),
        (Some(at(1_000_200)), CheckStatus::Warning, "200 s ahead of"),
        (Some(at(1_000_300)), CheckStatus::Warning, "300 s ahead of"),
        (Some(at(1_000_301)), CheckStatus::Failed, "301 s ahead of"),
        (Some(at(996_400)), CheckStatus::Failed, "3600 s behind"),
        (None, CheckStatus::Unknown, "does not report the time"),
    ] {
        let check = clock::check(there, here);
        assert_eq!(check.status, status, "{there:?}");
        assert!(check.message.contains(part), "{}", check.message);
    }
}

#[test]
fn ports_that_containers_need_and_others() {
    let controller = Controller { host: "dc1".to_owned(), address: [10, 0, 0, 4].into() };
    let check = judge_ports(&controller, |port| [53, 88, 389].contains(&port));
    assert_eq!(check.status, CheckStatus::Passed);
    assert!(check.message.starts_with("dc1 (10.0.0.4) answers on port 88, 389, 53; not on"));
    assert!(
        check.message.contains("9389 (web services for PowerShell), which containers do not need"),
        "{}",
        check.message
    );
    let check = judge_ports(&controller, |port| port == 389);
    assert_eq!(check.status, CheckStatus::Warning);
    assert!(check.message.contains("does not answer on 88 (Kerberos), but on port 389;"));
    let check = judge_ports(&controller, |_| false);
    assert!(check.message.contains("but on no port"), "{}", check.message);
    let all = judge_ports(&controller, |_| true);
    assert!(all.message.ends_with("636, 3268, 9389"), "{}", all.message);
}

#[test]
fn records_of_dns() {
    let given = Names::new(Some([10, 0, 0, 4].into()), PATIENCE);
    let system = Names::new(None, PATIENCE);
    let unreachable = || Err(NoAnswer::Unreachable("timed out".to_owned()));
    for (names, found, status, part) in [
        (&given, Err(NoAnswer::Absent), CheckStatus::Failed, "10.0.0.4 has no record _gc"),
        (&system, Err(NoAnswer::Absent), CheckStatus::Unknown, "do not know _gc"),
        (&given, unreachable(), CheckStatus::Unknown, "timed out"),
        (&system, unreachable(), CheckStatus::Unknown, "the DNS servers of this machine gave no"),
    ] {
        let check = check_record("_gc._tcp.contoso.com", CheckStatus::Failed, names, &found);
        assert_eq!(check.status, status);
        assert!(check.message.contains(part), "{}", check.message);
    }
}
