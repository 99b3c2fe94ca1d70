use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::credspec::test_values::any_value;

fn canonical(text: &str) -> String {
    canonical_json(&serde_json::from_str(text).unwrap())
}

/// The right column is what Go wrote.
#[test]
fn numbers() {
    for (text, expected) in [
        ("0", "0"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("1.0", "1"),
        ("-1", "-1"),
        ("9223372036854775807", "9223372036854775807"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("9223372036854775808", "9223372036854776000"),
        ("18446744073709551615", "18446744073709552000"),
        ("9007199254740993", "9007199254740993"),
        ("9007199254740993.0", "9007199254740992"),
        ("0.1", "0.1"),
        ("824516135835781.25", "824516135835781.2"),
        ("-1718739013011977.25", "-1718739013011977.2"),
        ("1234.5", "1234.5"),
        ("1e2", "100"),
        ("1e20", "100000000000000000000"),
        ("1e21", "1e+21"),
        ("-1.5e300", "-1.5e+300"),
        ("123456789012345678901234", "1.2345678901234569e+23"),
        ("0.000001", "0.000001"),
        ("0.0000001", "1e-7"),
        ("0.00000123", "0.00000123"),
        ("-1.25e-10", "-1.25e-10"),
        ("5e-324", "5e-324"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"),
    ] {
        assert_eq!(canonical(text), expected, "{text}");
    }
}

#[test]
fn strings() {
    for (text, expected) in [
        ("", r#""""#),
        ("a/b", r#""a/b""#),
        ("\"\\", r#""\"\\""#),
        ("\u{8}\u{c}\n\r\t", r#""\b\f\n\r\t""#),
        ("\0\u{1}\u{b}\u{1b}\u{1f}", r#""\u0000\u0001\u000b\u001b\u001f""#),
        ("<a&b>", r#""\u003ca\u0026b\u003e""#),
        ("\u{2028}\u{2029}", r#""\u2028\u2029""#),
        ("\u{7f}\u{80}\u{fffd}é😀\u{feff}", "\"\u{7f}\u{80}\u{fffd}é😀\u{feff}\""),
    ] {
        assert_eq!(canonical_json(&json!(text)), expected);
    }
}

#[test]
fn keys_are_sorted_bytewise_and_escaped() {
    let text = r#" { "b" : [ ] , "B" : { } , "a" : [ null , true , false ] , "ä" : 1 , "a<" : 2 ,
                     "" : 3 , "😀" : 4, "\uffff" : 5 } "#;
    assert_eq!(
        canonical(text),
        "{\"\":3,\"B\":{},\"a\":[null,true,false],\"a\\u003c\":2,\"b\":[],\"ä\":1,\"\u{ffff}\":5,\"😀\":4}"
    );
}

#[test]
fn a_whole_credential_spec() {
    let spec = json!({
        "DomainJoinConfig": {"Sid": "S-1-5-21-1-2-3", "DnsName": "contoso.com"},
        "CmsPlugins": ["ActiveDirectory"],
        "ActiveDirectoryConfig": {
            "HostAccountConfig": {"PluginInput": "a&b"},
            "GroupManagedServiceAccounts": [{"Scope": "CONTOSO", "Name": "WebApp1"}],
        },
    });
    assert_eq!(
        canonical_json(&spec),
        concat!(
            r#"{"ActiveDirectoryConfig":{"GroupManagedServiceAccounts":[{"Name":"WebApp1","#,
            r#""Scope":"CONTOSO"}],"HostAccountConfig":{"PluginInput":"a\u0026b"}},"#,
            r#""CmsPlugins":["ActiveDirectory"],"DomainJoinConfig":{"DnsName":"contoso.com","#,
            r#""Sid":"S-1-5-21-1-2-3"}}"#
        )
    );
}

proptest! {
    #[test]
    fn reading_it_back_gives_the_same(value in any_value()) {
        let text = canonical_json(&value);
        let back: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&canonical_json(&back), &text);
        prop_assert!(equal(&value, &back), "{} {}", value, back);
        let raw = text.contains(['<', '>', '&', '\u{2028}', '\u{2029}', '\n', '\0']);
        prop_assert!(!raw, "{}", text);
    }

    #[test]
    fn floats_are_read_back_exactly(float in any::<f64>().prop_filter("finite", |f| f.is_finite())) {
        let text = canonical_json(&json!(float));
        // Minus zero becomes zero.
        let bits = (float + 0.0).to_bits();
        prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), bits);
        prop_assert_eq!(serde_json::from_str::<f64>(&text).unwrap().to_bits(), bits);
    }
}

/// Equality of JSON values in which 1 and 1.0 are one number.
fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(key, value)| other.get(key).is_some_and(|other| equal(value, other)))
        }
        _ => one == other,
    }
}
