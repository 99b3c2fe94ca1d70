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
