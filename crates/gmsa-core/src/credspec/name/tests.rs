use proptest::prelude::*;

use super::*;

#[test]
fn valid_names() {
    for name in ["a", "gmsa-webapp1", "a.b", "0", "a--b", "1.2-3.x", &"a".repeat(253)] {
        assert!(is_valid_name(name), "{name}");
    }
}

#[test]
fn invalid_names() {
    for name in [
        "",
        "gmsa-WebApp1",
        "a_b",
        "-a",
        "a-",
        "a..b",
        ".a",
        "a.",
        "a.-b",
        "a b",
        "ä",
        "a/b",
        "a\n",
        &"a".repeat(254),
    ] {
        assert!(!is_valid_name(name), "{name}");
    }
}

#[test]
fn names_made_valid() {
    for (name, expected) in [
        ("gmsa-WebApp1", "gmsa-webapp1"),
        ("Web App_1", "web-app-1"),
        ("_web_", "web"),
        ("a..b.-c-.", "a.b.c"),
        ("CONTOSO\\web$", "contoso-web"),
        ("Ünicode", "nicode"),
        ("", "gmsa"),
        ("---", "gmsa"),
        ("日本", "gmsa"),
    ] {
        assert_eq!(made_valid(name), expected, "{name}");
    }
}

#[test]
fn closest_names() {
    let names = ["gmsa-webapp1", "gmsa-webapp2", "sql", "ab"];
    for (wanted, expected) in [
        ("gmsa-WebApp1", Some("gmsa-webapp1")),
        ("gmsa-webapp3", Some("gmsa-webapp1")),
        ("gmsa-wbeapp2", Some("gmsa-webapp2")),
        ("gmsa-web", None),
        ("sqll", Some("sql")),
        ("sqlll", None),
        ("ac", None),
        ("AB", Some("ab")),
        ("", None),
    ] {
        assert_eq!(closest(wanted, names.into_iter()), expected, "{wanted}");
        assert_eq!(closest(wanted, names.into_iter().rev()), expected, "{wanted}");
    }
}

#[test]
fn equal_but_for_the_case_comes_before_a_shorter_edit() {
    let names = ["webapq", "WEBAPP"];
    assert_eq!(closest("webapp", names.into_iter()), Some("WEBAPP"));
    assert_eq!(closest("webapp", ["WEBAPP", "webapp"].into_iter()), Some("webapp"));
}

proptest! {
    #[test]
    fn what_is_made_valid_is_valid(name in any::<String>()) {
        let valid = made_valid(&name);
        prop_assert!(is_valid_name(&valid), "{valid:?}");
        prop_assert_eq!(made_valid(&valid), valid);
    }

    #[test]
    fn long_texts_are_made_valid(name in "[a.B_-]{200,600}") {
        prop_assert!(is_valid_name(&made_valid(&name)));
    }

    #[test]
    fn a_valid_name_is_left_as_it_is(name in "[a-z0-9]([-a-z0-9]{0,5}[a-z0-9])?(\\.[a-z0-9]{1,3}){0,3}") {
        prop_assert!(is_valid_name(&name));
        prop_assert_eq!(made_valid(&name), name);
    }

    #[test]
    fn the_order_of_the_names_does_not_matter(
        wanted in "[a-cA-C]{0,8}",
        names in prop::collection::vec("[a-cA-C]{0,8}", 0..8),
    ) {
        let forward = closest(&wanted, names.iter().map(String::as_str));
        let backward = closest(&wanted, names.iter().rev().map(String::as_str));
        prop_assert_eq!(forward, backward);
    }
}
