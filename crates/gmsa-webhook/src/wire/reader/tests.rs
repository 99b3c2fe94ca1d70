use proptest::prelude::*;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::super::Envelope;
use super::{Read, Reader, Unread, read};
use gmsa_core::pod::{Contents, Pod};

/// Any JSON, of which nothing is kept.
#[derive(Debug, Default)]
struct Any;

impl<'de> Read<'de> for Any {
    fn read(&mut self, reader: &mut Reader<'_, 'de>) -> Result<(), Unread> {
        reader.skip()
    }
}

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

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

/// JSON that has much of what a Pod has, at the places where it belongs and elsewhere.
fn like_a_pod() -> impl Strategy<Value = Value> {
    const NAMES: [&str; 26] = [
        "metadata",
        "name",
        "generateName",
        "ownerReferences",
        "kind",
        "controller",
        "spec",
        "serviceAccountName",
        "hostname",
        "os",
        "nodeSelector",
        "kubernetes.io/os",
        "affinity",
        "nodeAffinity",
        "requiredDuringSchedulingIgnoredDuringExecution",
        "nodeSelectorTerms",
        "matchExpressions",
        "operator",
        "values",
        "runtimeClassName",
        "securityContext",
        "windowsOptions",
        "gmsaCredentialSpecName",
        "gmsaCredentialSpec",
        "hostProcess",
        "unknown",
    ];
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        2 => any::<bool>().prop_map(Value::from),
        4 => "[a-z]{0,9}".prop_map(Value::from),
        1 => "[a-z\"\\\\]{0,9}".prop_map(Value::from),
        1 => "[a-z]{50,140}".prop_map(Value::from),
    ];
    let members = leaf.prop_recursive(4, 40, 8, |inner| {
        let lists =
            prop::sample::select(vec!["containers", "initContainers", "ephemeralContainers"]);
        let list = prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from);
        let member = prop_oneof![
            5 => (prop::sample::select(&NAMES[..]), inner),
            1 => (lists, list),
        ];
        prop::collection::vec(member, 0..8).prop_map(|members| {
            members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
        })
    });
    (members.clone(), members)
        .prop_map(|(metadata, spec)| serde_json::json!({"metadata": metadata, "spec": spec}))
}

/// A Pod with everything that is read.
fn full() -> Value {
    let options = serde_json::json!({"windowsOptions": {"gmsaCredentialSpecName": "a",
        "gmsaCredentialSpec": "{\"a\": \"\\\\\"}", "hostProcess": true}});
    let container = serde_json::json!({"name": "c", "securityContext": options, "image": "i"});
    serde_json::json!({
        "metadata": {"name": "n", "generateName": "n-",
            "ownerReferences": [{"kind": "ReplicaSet", "name": "r", "controller": true}]},
        "spec": {
            "serviceAccountName": "s", "hostname": "h", "os": {"name": "windows"},
            "nodeSelector": {"kubernetes.io/os": "windows", "other": "x"},
            "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution":
                {"nodeSelectorTerms": [{"matchExpressions": [
                    {"key": "k", "operator": "In", "values": ["v", "w"]}]}]}}},
            "runtimeClassName": "w", "securityContext": options,
            "containers": [container, {"name": null}], "initContainers": [container],
            "ephemeralContainers": [container]},
        "ephemeralContainers": [container],
    })
}

/// What the reader accepts of a Pod, `serde_json` accepts, and reads the same, contents included.
fn agrees_on_a_pod(text: &str) {
    agrees::<Pod<'_>>(text);
    let contents = |pod: &Pod<'_>| -> Vec<_> {
        let all = pod.references().chain(pod.root_ephemeral_references());
        all.map(|one| one.contents.map(|contents| contents.escaped().to_owned())).collect()
    };
    if let Ok(ours) = read::<Pod<'_>>(text) {
        assert_eq!(contents(&ours), contents(&serde_json::from_str(text).unwrap()), "{text}");
    }
}

/// What the reader accepts, `serde_json` accepts, and reads the same, but for what no debug form
/// shows.
fn agrees<'a, T: Read<'a> + Deserialize<'a> + std::fmt::Debug>(text: &'a str) {
    if let Ok(ours) = read::<T>(text) {
        let theirs = serde_json::from_str::<T>(text);
        let theirs = theirs.unwrap_or_else(|error| panic!("read {text:?}, which is {error}"));
        assert_eq!(format!("{ours:?}"), format!("{theirs:?}"), "{text}");
    }
}

#[test]
fn everything_of_a_pod_is_read_and_each_of_it_only_once() {
    let full = full();
    let text = full.to_string();
    read::<Pod<'_>>(&text).expect("nothing in it is unread");
    agrees_on_a_pod(&text);
    let mut absent = 0;
    each_member(&full, "", &mut |pointer, name| {
        let parent = full.pointer(pointer).unwrap();
        let member = format!("\"{name}\":{}", parent[name]);
        let twice = text.replace(&member, &format!("{member},{member}"));
        let known = serde_json::from_str::<Pod<'_>>(&twice).is_err();
        assert_eq!(read::<Pod<'_>>(&twice).is_err(), known, "{pointer}/{name} twice");
        let null = text.replace(&member, &format!("\"{name}\":null"));
        agrees_on_a_pod(&null);
        absent += usize::from(known && read::<Pod<'_>>(&null).is_ok());
    });
    assert!(absent > 25, "{absent} members can be null");
}

/// Calls the function with each member of each object: the place of the object, and its name.
fn each_member(value: &Value, at: &str, call: &mut impl FnMut(&str, &str)) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                call(at, name);
                let name = name.replace('/', "~1");
                each_member(value, &format!("{at}/{name}"), call);
            }
        }
        Value::Array(elements) => {
            for (number, value) in elements.iter().enumerate() {
                each_member(value, &format!("{at}/{number}"), call);
            }
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_read_that_serde_json_refuses(text in parts()) {
        agrees::<Any>(&text);
        agrees_on_a_pod(&text);
        agrees::<Option<Vec<bool>>>(&text);
        let list = format!("[{text}]");
        if let Ok(contents) = read::<Vec<Contents<'_>>>(&list) {
            let theirs: Vec<Contents<'_>> = serde_json::from_str(&list).unwrap();
            let escaped = |all: Vec<Contents<'_>>| -> Vec<String> {
                all.into_iter().map(|one| one.escaped().to_owned()).collect()
            };
            prop_assert_eq!(escaped(contents), escaped(theirs));
        }
    }

    #[test]
    fn a_pod_is_read_as_serde_json_reads_it(pod in like_a_pod()) {
        agrees_on_a_pod(&pod.to_string());
    }

    #[test]
    fn every_json_is_skipped_whole(value in json(), pretty: bool) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        let text = text.unwrap();
        prop_assert!(read::<Any>(&text).is_ok(), "{}", text);
        let longer = format!("{text},");
        prop_assert!(read::<Any>(&longer).is_err());
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
            read::<Any>(&text).is_ok(),
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
        read::<Envelope<'_, Box<Pod<'_>>>>(&text).expect(name);
        agrees::<Envelope<'_, Box<Pod<'_>>>>(&text);
    }
}

#[test]
fn a_nesting_of_64_levels_is_skipped_and_one_more_is_left_to_the_caller() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(read::<Any>(&nested(65)).is_ok(), "64 and an empty one");
    assert!(read::<Any>(&nested(66)).is_err());
    let objects = format!("{}1{}", "{\"a\":".repeat(64), "}".repeat(64));
    assert!(read::<Any>(&objects).is_ok());
    assert!(read::<Any>(&objects.replace("}}}", "}]}")).is_err());
}
