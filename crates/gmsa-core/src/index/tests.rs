use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::credspec::Prepared;

/// A credential spec as `kubectl gmsa credspec create` makes it.
fn object(name: &str, account: &str, domain: &str, created: &str) -> Value {
    let scopes = [domain.to_owned(), format!("{domain}.example.com")];
    let accounts: Vec<Value> =
        scopes.iter().map(|scope| json!({"Name": account, "Scope": scope})).collect();
    json!({
        "metadata": {"name": name, "creationTimestamp": created},
        "credspec": {
            "ActiveDirectoryConfig": {"GroupManagedServiceAccounts": accounts},
            "CmsPlugins": ["ActiveDirectory"],
            "DomainJoinConfig": {
                "DnsName": format!("{domain}.example.com"),
                "DnsTreeName": format!("{domain}.example.com"),
                "Guid": "244818ae-87ac-4fcd-92ec-e79e5252348a",
                "MachineAccountName": account,
                "NetBiosName": domain,
                "Sid": "S-1-5-21-2126449477-2524075714-3094792973",
            },
        },
    })
}

fn all(objects: &[Value]) -> Vec<(String, Spec)> {
    let name = |object: &Value| object["metadata"]["name"].as_str().unwrap().to_owned();
    objects.iter().map(|object| (name(object), Spec::of(object))).collect()
}

fn built(limit: usize, specs: &[(String, Spec)]) -> Index {
    build_within(limit, specs.iter().map(|(name, spec)| (name.as_str(), spec)))
}

/// What the webhook writes into a pod.
fn expanded(object: &Value) -> Option<String> {
    Prepared::from_object("any", object).map(|prepared| prepared.json())
}

#[test]
fn accounts_of_one_domain_share_a_template_and_others_are_whole() {
    let mut with_plugin = object("plugin", "Web3", "CONTOSO", "3");
    with_plugin["credspec"]["ActiveDirectoryConfig"]["HostAccountConfig"] =
        json!({"PluginInput": "Web3;of;its;own"});
    let objects = [
        object("one", "Web1", "CONTOSO", "1"),
        object("two", "Web2", "CONTOSO", "2"),
        with_plugin,
        json!({"metadata": {"name": "bare"}}),
        json!({"metadata": {"name": "empty"}, "credspec": {}}),
        json!({"metadata": {"name": "null"}, "credspec": null}),
    ];
    let index = built(LIMIT, &all(&objects));
    assert_eq!(index.templates.keys().collect::<Vec<_>>(), ["t0"]);
    assert!(!index.templates["t0"].contains("Web1"), "{:?}", index.templates);
    let entry = |name: &str| index.entries[name].as_str();
    assert_eq!([entry("one"), entry("two")], ["t0:Web1", "t0:Web2"]);
    assert!(entry("plugin").starts_with('{'));
    assert_eq!([entry("bare"), entry("empty"), entry("null")], [""; 3]);
    for object in &objects {
        let name = object["metadata"]["name"].as_str().unwrap();
        assert_eq!(index.contents(name), Some(expanded(object)), "{name}");
    }
    assert_eq!(index.contents("nowhere"), None);
    assert!(!format!("{index:?}").contains("CONTOSO"), "contents in a log");
}

/// Names of accounts that have a meaning in JSON, in an entry, or in what surrounds them.
#[test]
fn an_account_is_taken_out_only_if_that_leads_back_to_the_same_bytes() {
    for account in ["", "a:b", "CONTOSO", "Name", "\"", "<&>", "\\", "\u{1}", "é", "t0", "{"] {
        let objects =
            [object("one", account, "CONTOSO", "1"), object("two", "Web2", "CONTOSO", "2")];
        let index = built(LIMIT, &all(&objects));
        for object in &objects {
            let name = object["metadata"]["name"].as_str().unwrap();
            assert_eq!(index.contents(name), Some(expanded(object)), "{account:?}");
        }
    }
}

#[test]
fn a_corrupt_index_has_no_contents_for_a_name() {
    let index = Index::read(&json!({"entries": {"a": "t9:Web", "b": "Web", "c": 7}}));
    for name in ["a", "b", "c", "d"] {
        assert_eq!(index.contents(name), None, "{name}");
    }
}

#[test]
fn ten_thousand_credential_specs_of_a_few_domains_fit() {
    let objects: Vec<Value> = (0..10_000)
        .map(|number| {
            let domain = format!("DOMAIN{}", number % 7);
            object(&format!("team-{number}-web"), &format!("gmsa{number}"), &domain, "1")
        })
        .collect();
    let index = built(LIMIT, &all(&objects));
    assert_eq!((index.entries.len(), index.templates.len()), (10_000, 7));
    assert!(index.bytes < LIMIT / 2 && index.left_out.is_empty(), "{}", index.bytes);
}

#[test]
fn what_does_not_fit_is_left_out_the_newest_first() {
    // All different, so that no template helps.
    let objects: Vec<Value> = (0..100)
        .map(|number| {
            let domain = format!("D{number}");
            // Their names are in another order than their ages.
            let name = format!("spec-{:03}", 999 - number);
            object(&name, "Web", &domain, &format!("2026-01-01T00:00:{number:03}Z"))
        })
        .collect();
    let specs = all(&objects);
    let whole = built(LIMIT, &specs);
    let index = built(whole.bytes / 2, &specs);
    assert!(index.bytes <= whole.bytes / 2);
    let kept = index.entries.len();
    assert!((45..=50).contains(&kept), "{kept}");
    let mut newest: Vec<String> = objects[kept..]
        .iter()
        .map(|one| one["metadata"]["name"].as_str().unwrap().into())
        .collect();
    newest.sort();
    assert_eq!(index.left_out, newest);
    assert_eq!(index.contents(&newest[0]), None);
    // One more is left out, and what was in stays.
    let mut more = specs.clone();
    more.push(("aaa".to_owned(), Spec::of(&object("aaa", "Web", "NEW", "2027-01-01T00:00:00Z"))));
    let after = built(whole.bytes / 2, &more);
    assert!(after.is_same(&index) && after.left_out.contains(&"aaa".to_owned()));
}

#[test]
fn more_than_a_pod_may_carry_is_left_out() {
    let mut large = object("large", "Web", "CONTOSO", "1");
    large["credspec"]["CmsPlugins"] = json!(["x".repeat(MAX_CONTENTS)]);
    let index = built(LIMIT, &all(&[large, object("small", "Web", "CONTOSO", "2")]));
    assert_eq!(index.left_out, ["large"]);
    assert!(index.contents("large").is_none() && index.contents("small").is_some());
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9$:\"<{}\\\\]{0,8}",
        prop::sample::select(&["Web1", "CONTOSO", "Name", "\u{1}", "\u{2028}"][..])
            .prop_map(str::to_owned),
        any::<String>(),
    ]
}

fn any_credential_spec() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => (any_text(), prop::sample::select(&["CONTOSO", "OTHER"][..]), "[0-3]")
            .prop_map(|(account, domain, created)| object("x", &account, domain, &created)),
        1 => crate::credspec::any_object().prop_map(|contents| json!({"credspec": contents})),
        1 => Just(json!({"credspec": []})),
        1 => Just(json!({})),
    ]
}

proptest! {
    /// What policies read is what the webhook writes; the size is that of the object; neither depends
    /// on the order.
    #[test]
    fn an_index_leads_back_to_the_same_bytes(
        objects in prop::collection::vec(any_credential_spec(), 0..12),
        limit in prop_oneof![Just(LIMIT), 100_usize..6_000],
    ) {
        let named: BTreeMap<String, Value> = objects
            .into_iter()
            .enumerate()
            .map(|(number, object)| (format!("spec-{number}"), object))
            .collect();
        let specs: Vec<(String, Spec)> =
            named.iter().map(|(name, object)| (name.clone(), Spec::of(object))).collect();
        let index = built(limit, &specs);
        let object = index.object();
        prop_assert_eq!(index.bytes, canonical_json(&object).len());
        prop_assert!(index.bytes <= limit || index.entries.is_empty());
        for (name, object) in &named {
            if index.left_out.contains(name) {
                prop_assert_eq!(index.contents(name), None);
            } else {
                prop_assert_eq!(index.contents(name), Some(expanded(object)));
            }
        }
        let read = Index::read(&serde_json::from_str(&object.to_string()).unwrap());
        prop_assert!(read.is_same(&index) && read.bytes == index.bytes);
        let reversed: Vec<(String, Spec)> = specs.into_iter().rev().collect();
        prop_assert_eq!(built(limit, &reversed), index);
    }
}
