use super::attributes::{encryption, interval};
use super::delegation::delegation;
use super::*;

#[test]
fn encryptions() {
    for (types, status, part) in [
        (Some(24), CheckStatus::Passed, "24 (AES128, AES256)"),
        (Some(28), CheckStatus::Passed, "RC4 stays allowed"),
        (None, CheckStatus::Passed, "not set: domain controllers with the updates of April 2026"),
        (Some(0x20), CheckStatus::Warning, "no encryption of tickets"),
        (Some(4), CheckStatus::Failed, "its tickets use RC4"),
        (Some(3), CheckStatus::Failed, "DES alone"),
    ] {
        let check = encryption("Shop", types);
        assert_eq!(check.status, status, "{types:?}");
        assert!(check.message.contains(part), "{types:?}: {}", check.message);
        let remedy = check.remedy.unwrap_or_default();
        assert_eq!(remedy.contains("account set Shop --enc"), types != Some(24), "{remedy}");
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
        assert_eq!(interval("Web", days).status, status, "{days:?}");
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
        let check = delegation("Web", control, to, acting);
        assert_eq!(check.status, status, "{control:?} {to:?} {acting:?}");
        assert!(check.message.contains(part), "{control:?}: {}", check.message);
    }
}
