use std::collections::BTreeSet;

use super::{forwarded, judge};

const COREFILE: &str = "\
# the default
.:53 {
    errors
    kubernetes cluster.local in-addr.arpa {
       fallthrough in-addr.arpa
    }
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    forward other.example 10.0.0.9
}
dns://Contoso.com.:53, fabrikam.com {
    forward . 10.0.0.4 10.0.0.5
}
local.example:53 {
    file /etc/zone
}
";

#[test]
fn zones_with_servers_of_their_own_are_found_and_the_default_is_none() {
    let expected = ["contoso.com", "fabrikam.com", "other.example"];
    assert_eq!(forwarded(COREFILE), expected.map(str::to_owned).into());
    assert_eq!(forwarded("#contoso.com {\n forward . 1.1.1.1\n}"), BTreeSet::new());
    assert_eq!(forwarded("}{}{ forward"), BTreeSet::new());
}

#[test]
fn a_domain_below_a_zone_is_covered_and_one_that_ends_alike_is_not() {
    let zones = forwarded(COREFILE);
    let state = |domain: &str| judge(domain, &zones, &["coredns"]).state.as_str();
    assert_eq!(state("contoso.com"), "ok");
    assert_eq!(state("emea.contoso.com"), "ok");
    assert_eq!(state("notcontoso.com"), "warning");
    let aks = judge("ad.example", &zones, &["coredns", "coredns-custom"]);
    assert!(aks.next_step().contains("ad.example.server"), "{}", aks.next_step());
    assert!(aks.next_step().contains("\nad.example:53 {\n"), "{}", aks.next_step());
}
