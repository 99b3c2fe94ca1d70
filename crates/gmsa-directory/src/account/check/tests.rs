use super::attributes::{encryption, interval};
use super::delegation::delegation;
use super::*;

#[test]
fn encryptions() {
    for (types, status, part) in [
        (Some(28), CheckStatus::Passed, "RC4, AES-128, AES-256"),
        (Some(24), CheckStatus::Passed, "it supports AES-128, AES-256"),
        (Some(8), CheckStatus::Passed, "it supports AES-128"),
        (Some(4), CheckStatus::Warning, "it supports RC4, which newer controllers refuse"),
        (Some(7), CheckStatus::Warning, "DES, RC4"),
        (Some(3), CheckStatus::Failed, "it supports DES alone"),
        (Some(0), CheckStatus::Warning, "does not say"),
        (None, CheckStatus::Warning, "does not say"),
        // Bits of later versions that say nothing of the encryption of tickets.
        (Some(0x20), CheckStatus::Warning, "does not say"),
    ] {
        let check = encryption(types);
        assert_eq!(check.status, status, "{types:?}");
        assert!(check.message.contains(part), "{types:?}: {}", check.message);
    }
}

#[test]
fn intervals() {
    for (days, status) in [
        (None, CheckStatus::Unknown),
        (Some(-1), CheckStatus::Failed),
        (Some(0), CheckStatus::Failed),
        (Some(1), CheckStatus::Passed),
        (Some(365), CheckStatus::Passed),
        (Some(366), CheckStatus::Warning),
    ] {
        assert_eq!(interval(days).status, status, "{days:?}");
    }
}

#[test]
fn delegations() {
    let sql = ["MSSQLSvc/db.contoso.com".to_owned()];
    let web = ["WEB1$".to_owned()];
    for (control, to, acting, status, part) in [
        (None, &[][..], &[][..], CheckStatus::Unknown, "userAccountControl is not shown"),
        (Some(4096), &[], &[], CheckStatus::Passed, "no delegation"),
        (Some(4096 | 0x8_0000), &[], &[], CheckStatus::Warning, "unconstrained"),
        (Some(4096 | 0x100_0000), &sql, &[], CheckStatus::Warning, "towards MSSQLSvc/db"),
        (Some(4096 | 0x100_0000), &[], &[], CheckStatus::Warning, "no service yet"),
        (Some(4096 | 0x108_0000), &sql, &[], CheckStatus::Warning, "(protocol transition)"),
        (Some(4096), &sql, &[], CheckStatus::Passed, "that log on to it, towards MSSQLSvc/db"),
        (Some(4096), &[], &web, CheckStatus::Passed, "WEB1$ may be any user towards it"),
        (Some(4096 | 0x10_0000), &[], &[], CheckStatus::Passed, "not forwarded"),
    ] {
        let check = delegation(control, to, acting);
        assert_eq!(check.status, status, "{control:?} {to:?} {acting:?}");
        assert!(check.message.contains(part), "{control:?}: {}", check.message);
    }
}

#[test]
fn a_root_key_that_is_not_shown_is_not_missing() {
    let check = RootKeys::Hidden.check("alice");
    assert_eq!(check.status, CheckStatus::Unknown);
    assert!(check.message.contains("alice is shown no KDS root key"), "{}", check.message);
    assert_eq!(RootKeys::Missing.check("root").status, CheckStatus::Failed);
    assert_eq!(RootKeys::Usable.check("root").status, CheckStatus::Passed);
}
