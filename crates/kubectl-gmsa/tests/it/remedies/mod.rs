//! Remedies remedy: for each finding, denial and check a fault is planted, what its remedy says is
//! done, and the finding is gone. What no test can carry out is listed in docs/remedies.md.

mod accounts;
mod audit;
mod cluster;
mod controllers;
mod directory;
mod files;
mod living;
mod manifests;
mod pod;
mod rights;
mod specs;

use std::collections::BTreeSet;

use gmsa_core::admission::Reason;
use gmsa_core::diagnosis;
use gmsa_core::finding::Code;
use gmsa_core::remedies::{BY_HAND, Catalogue};

/// An entry of a catalogue, by its id.
type Entry = (Catalogue, &'static str);

/// Every entry that has a remedy.
fn catalogue() -> BTreeSet<Entry> {
    let findings = Code::ALL.iter().map(|code| (Catalogue::Findings, code.id()));
    let denials = Reason::ALL.iter().map(|reason| (Catalogue::Denials, reason.id()));
    let checks = diagnosis::all().map(|check| (Catalogue::Checks, check.id));
    findings.chain(denials).chain(checks).chain(accounts::catalogue()).collect()
}

/// The entries that a test of this directory carries out.
fn carried_out() -> BTreeSet<Entry> {
    let found = manifests::entries().chain(audit::entries());
    found
        .chain(cluster::entries())
        .chain(files::entries())
        .chain(directory::entries())
        .chain(controllers::entries())
        .chain(pod::entries())
        .chain(rights::entries())
        .chain(accounts::entries())
        .collect()
}

#[test]
fn every_remedy_is_carried_out_or_listed_with_the_reason_why_not() {
    let tested = carried_out();
    let listed: BTreeSet<Entry> = BY_HAND.iter().map(|one| (one.catalogue, one.id)).collect();
    assert_eq!(listed.len(), BY_HAND.len(), "an entry is listed twice");
    let twice: Vec<_> = tested.intersection(&listed).collect();
    assert!(twice.is_empty(), "a test carries these out, and they are listed: {twice:?}");
    let known = catalogue();
    let neither: Vec<_> =
        known.iter().filter(|one| !tested.contains(one) && !listed.contains(one)).collect();
    assert!(neither.is_empty(), "neither carried out nor listed: {neither:#?}");
    let unknown: Vec<_> = tested.union(&listed).filter(|one| !known.contains(one)).collect();
    assert!(unknown.is_empty(), "no catalogue has these: {unknown:?}");
    eprintln!(
        "{} remedies: {} carried out, {} listed in docs/remedies.md",
        known.len(),
        tested.len(),
        listed.len()
    );
}
