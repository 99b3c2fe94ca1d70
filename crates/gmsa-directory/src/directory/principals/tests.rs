use super::*;

#[test]
fn names_with_a_domain() {
    for (name, expected) in [
        ("WEBHOST1", None),
        ("node1.contoso.com", None),
        ("CONTOSO\\WEBHOST1$", Some(("CONTOSO", "WEBHOST1$"))),
        ("alice@contoso.com", Some(("contoso.com", "alice"))),
        ("CONTOSO\\odd@name", Some(("CONTOSO", "odd@name"))),
    ] {
        assert_eq!(split_domain(name), expected, "{name}");
    }
    assert_eq!(by_identity("S-1-5-21-1-2-3-4").unwrap(), "(objectSid=S-1-5-21-1-2-3-4)");
    assert_eq!(by_identity("CN=a*,DC=c").unwrap(), "(distinguishedName=CN=a\\2a,DC=c)");
    assert_eq!(by_identity("S-1"), None);
}

#[test]
fn hosts_and_the_names_of_their_accounts() {
    for (host, account) in [
        ("webhost1", "webhost1"),
        ("webhost1$", "webhost1"),
        ("webhost1.corp.fabrikam.example", "webhost1"),
        ("averylongwindowsnodename01", "averylongwindow"),
    ] {
        assert_eq!(account_name(host), account);
    }
    let computer = |host_name: Option<&str>| Principal {
        host_name: host_name.map(str::to_owned),
        ..Principal::well_known("S-1-1-0".parse().unwrap()).unwrap()
    };
    for (known, host, expected) in [
        (None, "web.contoso.com", true),
        (Some("WEB.contoso.com"), "web.contoso.com", true),
        (Some("web.fabrikam.com"), "web.contoso.com", false),
        (Some("web.fabrikam.com"), "web", true),
        (Some("averylongwindowsnode2.contoso.com"), "averylongwindowsnode1", false),
        (Some("averylongwindowsnode1.contoso.com"), "averylongwindowsnode1", true),
    ] {
        assert_eq!(may_be(&computer(known), host), expected, "{known:?} {host}");
    }
}
