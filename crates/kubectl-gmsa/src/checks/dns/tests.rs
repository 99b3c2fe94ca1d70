use std::collections::BTreeSet;

use gmsa_core::diagnosis::catalogue::pod::POD_DNS;
use gmsa_core::diagnosis::{Outcome, State};

use super::{Resolution, forwarded, judge, settle};

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
fn zones_with_their_own_servers_are_found_and_the_default_is_none() {
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

/// MicrosoftDocs/azure-stack-docs, prepare-windows-nodes-gmsa.md: pods ask the domain controller.
#[test]
fn results_inside_the_pod_override_the_configuration_of_coredns() {
    let settled = |resolved: &[&str], own: Option<&str>| {
        let inside = "container \"iis\" of Pod shop/web";
        let resolved = resolved.iter().map(|one| ((*one).to_owned(), inside.to_owned())).collect();
        let resolution = Resolution { resolved, own_servers: own.map(str::to_owned) };
        let mut outcomes = vec![
            judge("contoso.com", &BTreeSet::new(), &["coredns"]),
            Outcome::problem(&POD_DNS, "contoso.com has no address"),
        ];
        settle(&mut outcomes, &resolution);
        outcomes
    };
    let unseen = settled(&[], None);
    assert_eq!(unseen[0].state, State::Warning);
    assert_eq!(unseen[1].next_step(), POD_DNS.remedy);
    let other = settled(&["fabrikam.com"], None);
    assert_eq!(other[0].state, State::Warning);
    let resolves = settled(&["contoso.com"], None);
    assert_eq!((resolves[0].state, resolves[0].next_step()), (State::Ok, ""));
    assert!(resolves[0].message.ends_with("container \"iis\" of Pod shop/web resolves it"));
    let elsewhere = settled(&[], Some("10.0.0.4 (dnsPolicy None)"));
    assert_eq!((elsewhere[0].state, elsewhere[0].next_step()), (State::Skipped, ""));
    assert!(elsewhere[0].message.contains("this pod does not ask CoreDNS"));
    assert!(elsewhere[1].next_step().contains("10.0.0.4"), "{elsewhere:?}");
}
