use super::*;

#[test]
fn sids() {
    for (text, domain, account_of) in [
        ("S-1-5-21-2126449477-2524075714-3094792973", true, None),
        ("s-1-5-21-1-2-3", true, None),
        ("S-1-5-21-0-0-4294967295", true, None),
        ("S-1-5-21-1-2-3-1104", false, Some("S-1-5-21-1-2-3")),
        ("S-1-5-21-1-2-3-1104-5", false, None),
        ("S-1-5-21-1-2-3-", false, None),
        ("S-1-5-21-1-2-4294967296", false, None),
        ("S-1-5-21-1-2", false, None),
        ("S-1-5-21-1-2-", false, None),
        ("S-1-5-21-1-+2-3", false, None),
        ("S-1-5-21-1- 2-3", false, None),
        ("S-1-5-32-544", false, None),
        ("S-1-5-21-é", false, None),
        ("S-1-5-2é-1-2-3", false, None),
        ("", false, None),
    ] {
        assert_eq!(is_domain_sid(text), domain, "{text}");
        assert_eq!(domain_of_account_sid(text), account_of, "{text}");
    }
}

#[test]
fn guids() {
    for (text, bare, braced) in [
        ("244818ae-87ac-4fcd-92ec-e79e5252348a", true, false),
        ("{244818AE-87AC-4FCD-92EC-E79E5252348A}", false, true),
        ("244818ae87ac4fcd92ece79e5252348a", false, false),
        ("244818ae-87ac-4fcd-92ec-e79e5252348", false, false),
        ("244818ag-87ac-4fcd-92ec-e79e5252348a", false, false),
        ("244818ae-87ac-4fcd-92ec-e79e5252348a-", false, false),
        ("{244818ae-87ac-4fcd-92ec-e79e5252348a", false, false),
        ("{{244818ae-87ac-4fcd-92ec-e79e5252348a}}", false, false),
        ("", false, false),
    ] {
        assert_eq!(is_guid(text), bare, "{text}");
        assert_eq!(braced_guid(text).is_some(), braced, "{text}");
    }
}
