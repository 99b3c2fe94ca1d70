use super::*;

fn forest() -> Vec<CrossReference> {
    [
        ("DC=contoso,DC=com", "CONTOSO", "contoso.com"),
        ("DC=eu,DC=contoso,DC=com", "EUROPE", "eu.contoso.com"),
        ("DC=fabrikam,DC=net", "FAB", "fabrikam.net"),
    ]
    .map(|(of, netbios_name, dns_name)| CrossReference {
        of: of.to_owned(),
        netbios_name: netbios_name.to_owned(),
        dns_name: dns_name.to_owned(),
    })
    .into()
}

#[test]
fn a_root_a_child_and_another_tree_of_one_forest() {
    let root = "DC=contoso,DC=com";
    for (domain, netbios_name, dns_name) in [
        ("DC=contoso,DC=com", "CONTOSO", "contoso.com"),
        ("dc=EU,dc=contoso,dc=com", "EUROPE", "eu.contoso.com"),
        ("DC=fabrikam,DC=net", "FAB", "fabrikam.net"),
    ] {
        let expected = Names {
            netbios_name: netbios_name.to_owned(),
            dns_name: dns_name.to_owned(),
            forest: "contoso.com".to_owned(),
        };
        assert_eq!(names_among(&forest(), domain, root), Some(expected), "{domain}");
    }
    assert_eq!(names_among(&forest(), "DC=other,DC=com", root), None);
    assert_eq!(names_among(&forest(), root, "DC=other,DC=com"), None);
}

#[test]
fn names_in_distinguished_names_are_escaped() {
    assert_eq!(child("a,b", "DC=c"), "CN=a\\2cb,DC=c");
    assert_eq!(child("web", "DC=c"), "CN=web,DC=c");
}

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
