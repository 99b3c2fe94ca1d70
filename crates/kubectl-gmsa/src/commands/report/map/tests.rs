use super::{Row, State, draw, rows};
use crate::access_map::report::{Entry, SpecReport, UsedBy, Way};

fn spec(name: &str) -> SpecReport {
    SpecReport { name: name.to_owned(), exists: true }
}

/// The right of `shop/a{number}` by its own binding, used by its own Deployment.
fn used(spec: &str, number: usize) -> Entry {
    let account = format!("a{number}");
    Entry {
        credential_spec: spec.to_owned(),
        namespace: "shop".to_owned(),
        service_account: account.clone(),
        service_account_exists: true,
        verdict: "allowed",
        rbac: "allowed",
        state: "used",
        ways: vec![Way {
            binding: format!("RoleBinding shop/b{number}"),
            role: "ClusterRole use".to_owned(),
            subject: format!("ServiceAccount shop/{account}"),
            wildcard: false,
            aggregated_from: Vec::new(),
        }],
        used_by: vec![UsedBy { kind: "Deployment".to_owned(), name: account }],
    }
}

fn denied(spec: &str, number: usize) -> Entry {
    let entry = used(spec, number);
    Entry { verdict: "denied", rbac: "denied", state: "missing", ways: Vec::new(), ..entry }
}

fn count(html: &str, what: &str) -> usize {
    html.matches(what).count()
}

#[test]
fn rights_that_differ_in_names_alone_share_a_row_and_the_denied_one_comes_first() {
    let mut entries: Vec<Entry> = (0..200).map(|number| used("web", number)).collect();
    entries.push(denied("web", 200));
    let grouped: Vec<Row<'_>> = rows(entries.iter());
    let [first, second] = &grouped[..] else { panic!("{grouped:?}") };
    assert_eq!((first.state.0, first.accounts.len()), (State::Missing, 1));
    assert_eq!((second.state.0, second.accounts.len()), (State::Used, 200));
    assert_eq!((second.roles.len(), second.bindings.len(), second.workloads.len()), (1, 200, 200));
    let html = draw(&[spec("web")], &entries);
    for folded in
        ["200 RoleBindings in shop", "200 service accounts in shop", "200 Deployments in shop"]
    {
        assert_eq!(count(&html, &format!("<summary>{folded}</summary>")), 1, "{folded}");
    }
    for number in 0..=200 {
        assert_eq!(count(&html, &format!("<div>shop/a{number}</div>")), 1, "{number}");
    }
}

#[test]
fn every_row_has_a_box_in_every_column() {
    let mut other = used("api", 1);
    other.used_by.clear();
    other.state = "unused";
    let entries = [used("web", 0), denied("web", 1), other];
    let html = draw(&[spec("web"), spec("api"), spec("idle")], &entries);
    // Three rows with three cells, and one for an empty result.
    assert_eq!((count(&html, "<tr>"), count(&html, "<td")), (5, 10), "{html}");
    assert_eq!(count(&html, "colspan=\"3\""), 1);
    assert_eq!(count(&html, "rowspan=\"2\""), 1);
    assert_eq!(count(&html, "No workload uses it."), 1);
    let at = |name: &str| html.find(&format!("<div>{name}</div>")).unwrap();
    assert!(at("web") < at("api") && at("api") < at("idle"), "what is denied comes first: {html}");
}

#[test]
fn credential_specs_with_the_same_rights_are_drawn_once() {
    let specs: Vec<SpecReport> = (0..19).map(|number| spec(&format!("spec{number}"))).collect();
    let entries: Vec<Entry> = specs.iter().map(|spec| used(&spec.name, 7)).collect();
    let html = draw(&specs, &entries);
    assert_eq!(count(&html, "<tbody>"), 1, "{html}");
    assert_eq!(count(&html, "<summary>19 credential specs</summary>"), 1, "{html}");
    // A row more for another account.
    let html = draw(&specs, &[&entries[1..], &[used("spec0", 8)]].concat());
    assert_eq!(count(&html, "<tbody>"), 2, "{html}");
}

#[test]
fn roles_that_differ_in_more_than_their_namespace_have_rows_of_their_own_up_to_a_limit() {
    let by = |role: String, number: usize| {
        let mut entry = used("web", number);
        entry.ways[0].role = role;
        entry
    };
    let alike: Vec<Entry> = (0..30).map(|at| by(format!("Role n{at}/use"), at)).collect();
    assert_eq!(rows(alike.iter()).len(), 1);
    let html = draw(&[spec("web")], &alike);
    assert_eq!(count(&html, "<summary>30 Roles in 30 namespaces</summary>"), 1, "{html}");
    let unlike: Vec<Entry> = (0..30).map(|at| by(format!("ClusterRole use{at}"), at)).collect();
    let html = draw(&[spec("web")], &unlike);
    assert_eq!(count(&html, "18 more rows: see the next section."), 1, "{html}");
    assert_eq!(count(&html, "rowspan=\"13\""), 1, "{html}");
}

#[test]
fn names_of_the_cluster_stay_text() {
    let mut entry = used("web", 0);
    entry.ways[0].role = "ClusterRole <b>".to_owned();
    let html = draw(&[spec("web")], &[entry]);
    assert!(html.contains("&lt;b&gt;") && !html.contains("<b>"), "{html}");
}
