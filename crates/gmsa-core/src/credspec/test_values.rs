//! Arbitrary JSON for the property tests.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Keys that credential specs have, so that the rules behind them are reached.
const KEYS: [&str; 18] = [
    "credspec",
    "spec",
    "ActiveDirectoryConfig",
    "GroupManagedServiceAccounts",
    "Name",
    "Scope",
    "HostAccountConfig",
    "PluginGUID",
    "PluginInput",
    "PortableCcgVersion",
    "CmsPlugins",
    "DomainJoinConfig",
    "DnsName",
    "Guid",
    "MachineAccountName",
    "NetBiosName",
    "Sid",
    "sid",
];

fn any_leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |float| float.is_finite()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-zA-Z0-9$@:.{}-]{0,20}".prop_map(Value::from),
        Just(json!("<&>\u{2028}\u{8}\u{c}\u{7f}")),
        Just(json!("S-1-5-21-1-2-3-4")),
        Just(json!("{CCC2A336-D7F3-4818-A213-272B7924213E}")),
    ]
}

fn any_key() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(&KEYS[..]).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

fn any_map(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop::collection::vec((any_key(), value), 0..6)
        .prop_map(|entries| Value::Object(entries.into_iter().collect::<Map<_, _>>()))
}

/// Any JSON value.
pub fn any_value() -> impl Strategy<Value = Value> {
    any_leaf().prop_recursive(6, 48, 6, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            3 => any_map(inner),
        ]
    })
}

/// Any JSON object.
pub fn any_object() -> impl Strategy<Value = Value> {
    any_map(any_value())
}
