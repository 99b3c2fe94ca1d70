use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::credspec::canonical_json;
use crate::credspec::test_values::{any_object, any_value};

const EXPECTED: &str = concat!(
    r#"{"ActiveDirectoryConfig":{"GroupManagedServiceAccounts":[{"Name":"WebApp1","Scope":"A"}]},"#,
    r#""CmsPlugins":["ActiveDirectory"],"DomainJoinConfig":{"DnsName":"contoso.com","Sid":"S"}}"#
);

/// `EXPECTED` with one piece of text replaced.
fn changed(from: &str, to: &str) -> String {
    assert_eq!(EXPECTED.matches(from).count(), 1, "{from}");
    EXPECTED.replace(from, to)
}

#[test]
fn equal_contents() {
    for actual in [
        EXPECTED.to_owned(),
        serde_json::to_string_pretty(&serde_json::from_str::<Value>(EXPECTED).unwrap()).unwrap(),
        changed("contoso.com", "contoso\\u002ecom"),
        changed("\"Sid\"", "\"\\u0053id\""),
        changed(r#""DnsName":"contoso.com","Sid":"S""#, r#""Sid":"S","DnsName":"contoso.com""#),
        format!("\r\n\t {EXPECTED} \n"),
    ] {
        assert_eq!(difference(EXPECTED, &actual), None, "{actual}");
    }
    assert_eq!(difference(r#"{"a":1}"#, r#"{"a":1.0}"#), None);
    assert_eq!(difference(r#"{"a":100}"#, r#"{"a":1e2}"#), None);
}

#[test]
fn what_differs_is_named() {
    for (actual, text) in [
        (changed("contoso.com", "evil.com"), "DomainJoinConfig.DnsName differs"),
        (changed(r#""contoso.com""#, "null"), "DomainJoinConfig.DnsName differs"),
        (changed(r#""DnsName":"contoso.com","#, ""), "DomainJoinConfig.DnsName is missing"),
        (changed(r#""Sid":"S""#, r#""Sid":"S","Z":"x""#), "DomainJoinConfig.Z is unexpected"),
        (
            changed("WebApp1", "WebApp2"),
            "ActiveDirectoryConfig.GroupManagedServiceAccounts[0].Name differs",
        ),
        (
            changed(r#""Scope":"A"}"#, r#""Scope":"A"},{}"#),
            "ActiveDirectoryConfig.GroupManagedServiceAccounts[1] is unexpected",
        ),
        (changed(r#"["ActiveDirectory"]"#, "[]"), "CmsPlugins[0] is missing"),
        (changed(r#"["ActiveDirectory"]"#, "{}"), "CmsPlugins differs"),
        (changed(r#""Sid":"S""#, r#""sid":"S""#), "DomainJoinConfig.Sid is missing"),
        ("{}".to_owned(), "ActiveDirectoryConfig is missing"),
    ] {
        assert_eq!(difference(EXPECTED, &actual).as_deref(), Some(text), "{actual}");
    }
}

#[test]
fn the_first_key_in_order_is_named() {
    let actual = r#"{"z":1,"DomainJoinConfig":{},"A":1}"#;
    assert_eq!(difference(EXPECTED, actual).as_deref(), Some("A is unexpected"));
}

#[test]
fn repeated_keys_equal_nothing() {
    for (actual, text) in [
        (changed(r#""Sid":"S""#, r#""Sid":"S","Sid":"S""#), "DomainJoinConfig.Sid is given twice"),
        (
            changed(r#""Sid":"S""#, r#""Sid":"S","\u0053id":"T""#),
            "DomainJoinConfig.Sid is given twice",
        ),
        (
            changed(r#""Scope":"A""#, r#""Scope":"B","Scope":"A""#),
            "ActiveDirectoryConfig.GroupManagedServiceAccounts[0].Scope is given twice",
        ),
        (
            changed(r#""CmsPlugins""#, r#""CmsPlugins":[],"CmsPlugins""#),
            "CmsPlugins is given twice",
        ),
        (r#"{"a":[1,[{"b":{"":0,"":0}}]],"#.to_owned(), r#"a[1][0].b."" is given twice"#),
    ] {
        assert_eq!(difference(EXPECTED, &actual).as_deref(), Some(text), "{actual}");
    }
}

#[test]
fn only_one_json_object_is_compared() {
    for actual in [
        "",
        "null",
        "[]",
        "\"{}\"",
        "{",
        "{\"a\":1,}",
        "{'a':1}",
        "{} {}",
        "{}x",
        "\u{feff}{}",
        "{\"a\":\"\u{0}\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":1e999}",
        "{\"a\":NaN}",
        "{\"a\":01}",
        "{} // hunter2",
    ] {
        let text = difference("{}", actual).unwrap();
        assert!(text.starts_with("it is not a JSON object"), "{actual}: {text}");
        assert!(!text.contains("hunter2"));
    }
    let trailing = format!("{EXPECTED}{EXPECTED}");
    assert!(difference(EXPECTED, &trailing).unwrap().starts_with("it is not a JSON object"));
}

#[test]
fn deep_nesting_is_refused() {
    for open in ["[", "{\"a\":"] {
        let text = difference("{}", &format!("{{\"a\":{}", open.repeat(200_000))).unwrap();
        assert!(text.starts_with("it is not a JSON object"), "{text}");
    }
}

#[test]
fn odd_keys_are_quoted_and_cut() {
    let long = "k".repeat(500);
    for (key, shown) in [
        ("a.b", r#""a.b" is unexpected"#.to_owned()),
        ("", r#""" is unexpected"#.to_owned()),
        ("\u{1b}[31m\n\"", r#""\u{1b}[31m\n\"" is unexpected"#.to_owned()),
        ("\u{202e}x", r#""\u{202e}x" is unexpected"#.to_owned()),
        (&long, format!("\"{}…\" is unexpected", "k".repeat(40))),
    ] {
        let actual = json!({key: "hunter2"}).to_string();
        assert_eq!(difference("{}", &actual), Some(shown));
    }
}

#[test]
fn a_deep_path_is_cut() {
    let nest = |leaf: &str| format!("{}{leaf}{}", "{\"a\":".repeat(100), "}".repeat(100));
    let text = difference(&nest("1"), &nest("2")).unwrap();
    assert_eq!(text, format!("a{}… differs", ".a".repeat(15)));
}

/// The JSON pointers of all leaves of a value, and of its empty objects and arrays.
fn leaves(value: &Value, pointer: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                leaves(value, &format!("{pointer}/{key}"), found);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, value) in items.iter().enumerate() {
                leaves(value, &format!("{pointer}/{index}"), found);
            }
        }
        _ => found.push(pointer.to_owned()),
    }
}

proptest! {
    #[test]
    fn an_object_equals_itself(object in any_object()) {
        let canonical = canonical_json(&object);
        prop_assert_eq!(difference(&canonical, &canonical), None);
        prop_assert_eq!(difference(&canonical, &object.to_string()), None);
        let pretty = serde_json::to_string_pretty(&object).unwrap();
        prop_assert_eq!(difference(&canonical, &pretty), None);
    }

    #[test]
    fn objects_are_equal_if_their_canonical_texts_are(one in any_object(), other in any_object()) {
        let (one, other) = (canonical_json(&one), canonical_json(&other));
        prop_assert_eq!(difference(&one, &other).is_none(), one == other);
    }

    #[test]
    fn a_changed_leaf_is_found(
        object in any_object(),
        leaf in any::<prop::sample::Index>(),
        new in any_value(),
    ) {
        let canonical = canonical_json(&object);
        let mut changed = object.clone();
        let mut all = Vec::new();
        leaves(&object, "", &mut all);
        let leaf = changed.pointer_mut(&all[leaf.index(all.len())]).unwrap();
        prop_assume!(canonical_json(leaf) != canonical_json(&new));
        *leaf = new;
        prop_assert!(difference(&canonical, &changed.to_string()).is_some());
        prop_assert!(difference(&canonical, &canonical_json(&changed)).is_some());
    }

    #[test]
    fn a_repeated_key_is_found(mut object in any_object(), member in any::<prop::sample::Index>()) {
        object["Sid"] = json!("S");
        let canonical = canonical_json(&object);
        let map = object.as_object().unwrap();
        let (key, value) = map.iter().nth(member.index(map.len())).unwrap();
        let again = format!("{},{}:{value}}}", &canonical[..canonical.len() - 1], json!(key));
        let text = difference(&canonical, &again).unwrap();
        prop_assert!(text.ends_with(" is given twice"), "{}", text);
    }

    #[test]
    fn any_text_is_answered(expected in any_object(), actual in any::<String>()) {
        let expected = canonical_json(&expected);
        let found = difference(&expected, &actual);
        prop_assert!(found.is_some() || serde_json::from_str::<Value>(&actual).is_ok());
    }

    #[test]
    fn cut_and_broken_texts_are_answered(object in any_object(), at in any::<prop::sample::Index>()) {
        let canonical = canonical_json(&object);
        let mut end = at.index(canonical.len());
        while !canonical.is_char_boundary(end) {
            end -= 1;
        }
        prop_assert!(difference(&canonical, &canonical[..end]).is_some());
    }
}
