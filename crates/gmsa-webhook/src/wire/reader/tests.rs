use proptest::prelude::*;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::read;
use super::special::Special;
use gmsa_core::pod::{Contents, Pod};
use gmsa_core::text::Text;

/// The parts of JSON, put together right and wrong.
fn parts() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "\\",
            "\\\"",
            "\\u00e9",
            "\\u12",
            "\\ud83d",
            "true",
            "tru",
            "false",
            "null",
            "0",
            "01",
            "-",
            "-0",
            "1.5",
            "1.",
            ".5",
            "1e9",
            "1e",
            "1E+2",
            " ",
            "\n",
            "\t",
            "\u{1}",
            "\u{7f}",
            "é",
            "😀",
            "\"a\"",
            "\"k\":",
            "\"spec\":",
            "\"containers\":",
            "\"name\":",
            "\"securityContext\":",
            "\"windowsOptions\":",
            "\"gmsaCredentialSpec\":",
            "\"\\\\\"",
            "\"12345678\"",
            "\"1234567\\n\"",
        ])
        .prop_map(str::to_owned),
        "[a-z\"\\\\]{0,9}",
        // Longer than what is looked at together.
        "\"[a-z]{50,140}\"?",
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-z]{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec(("[a-z]{1,9}|\\PC{0,4}", inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "compared by its debug form")]
struct Mixed<'a> {
    #[serde(borrow)]
    name: Option<Text<'a>>,
    flag: Option<bool>,
    #[serde(borrow)]
    list: Option<Vec<Text<'a>>>,
}

/// What the reader accepts, `serde_json` accepts, and reads the same.
fn agrees<'a, T: Deserialize<'a> + std::fmt::Debug>(text: &'a str) {
    if let Ok(ours) = read::<T>(text) {
        let theirs = serde_json::from_str::<T>(text);
        let theirs = theirs.unwrap_or_else(|error| panic!("read {text:?}, which is {error}"));
        assert_eq!(format!("{ours:?}"), format!("{theirs:?}"), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_read_that_serde_json_refuses(text in parts()) {
        agrees::<IgnoredAny>(&text);
        agrees::<Pod<'_>>(&text);
        agrees::<Mixed<'_>>(&text);
        agrees::<bool>(&text);
        if let Ok(contents) = read::<Contents<'_>>(&text) {
            let theirs: Contents<'_> = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(contents.escaped(), theirs.escaped());
        }
    }

    #[test]
    fn every_json_is_skipped_whole(value in json(), pretty: bool) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        let text = text.unwrap();
        prop_assert!(read::<IgnoredAny>(&text).is_ok(), "{}", text);
        let longer = format!("{text},");
        prop_assert!(read::<IgnoredAny>(&longer).is_err());
    }

    #[test]
    fn a_damaged_json_is_read_as_serde_json_reads_it(
        value in json(), at in any::<prop::sample::Index>(), put in "[{}\\[\\],:\"\\\\0-9a-z ]{0,2}"
    ) {
        let text = value.to_string();
        let mut cut: Vec<char> = text.chars().collect();
        let at = at.index(cut.len());
        cut.splice(at..=at, put.chars());
        let text: String = cut.into_iter().collect();
        prop_assert_eq!(
            read::<IgnoredAny>(&text).is_ok(),
            serde_json::from_str::<IgnoredAny>(&text).is_ok(),
            "{}", text
        );
    }
}

#[test]
fn what_nearly_every_review_holds_is_read_without_help() {
    for name in ["review-mutate", "review-validate", "review-plain"] {
        let file = format!("{}/benches/data/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(file).unwrap();
        read::<super::super::Envelope<'_, Pod<'_>>>(&text).expect(name);
        agrees::<super::super::Envelope<'_, Pod<'_>>>(&text);
    }
}

#[test]
fn a_nesting_of_64_levels_is_skipped_and_one_more_is_left_to_the_caller() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(read::<IgnoredAny>(&nested(65)).is_ok(), "64 and an empty one");
    assert!(read::<IgnoredAny>(&nested(66)).is_err());
    let objects = format!("{}1{}", "{\"a\":".repeat(64), "}".repeat(64));
    assert!(read::<IgnoredAny>(&objects).is_ok());
    assert!(read::<IgnoredAny>(&objects.replace("}}}", "}]}")).is_err());
}

proptest! {
    #[test]
    fn the_next_special_byte_is_that_of_a_plain_search(
        bytes in prop::collection::vec(
            prop_oneof![8 => any::<u8>(), 1 => prop::sample::select(vec![b'"', b'\\', 0x1f, 0x20])],
            0..300,
        ),
        steps in prop::collection::vec(0..90_usize, 1..20),
    ) {
        let mut special = Special::new();
        let mut at = 0;
        for step in steps {
            at += step;
            let naive = bytes.get(at..).and_then(|rest| {
                rest.iter().position(|byte| *byte < 0x20 || [b'"', b'\\'].contains(byte))
            });
            let found = special.next(&bytes, at);
            match naive {
                Some(distance) => prop_assert_eq!(found, at + distance),
                None => prop_assert!(found >= bytes.len().max(at)),
            }
        }
    }
}
