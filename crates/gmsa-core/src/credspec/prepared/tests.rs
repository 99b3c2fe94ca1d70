use serde_json::json;

use super::*;

#[test]
fn prepares_the_canonical_contents() {
    let object = json!({"credspec": {"b": "<", "CmsPlugins": []}});
    let prepared = Prepared::from_object("web", &object).unwrap();
    assert_eq!(prepared.json(), r#"{"CmsPlugins":[],"b":"\u003c"}"#);
    assert_eq!(&*prepared.escaped, r#""{\"CmsPlugins\":[],\"b\":\"\\u003c\"}""#);
    assert_eq!(prepared.bytes, prepared.json().len());
}

#[test]
fn contents_that_cannot_be_inlined_give_none() {
    for object in [
        json!({}),
        json!({"credspec": null}),
        json!({"credspec": {}}),
        json!({"credspec": []}),
        json!({"credspec": "{}"}),
        json!({"spec": {"credspec": {"a": 1}}}),
        json!([]),
        json!(null),
    ] {
        assert_eq!(Prepared::from_object("web", &object), None, "{object}");
    }
}

#[test]
fn counts_warnings_and_errors_but_no_information() {
    let object = json!({"credspec": {"CmsPlugins": ["ActiveDirectory"], "Extra": "x"}});
    let expected = lint("web", &object)
        .iter()
        .filter(|finding| finding.code.severity() != Severity::Info)
        .count();
    assert!(expected > 1);
    let prepared = Prepared::from_object("web", &object).unwrap();
    assert_eq!(usize::from(prepared.findings), expected);
}

#[test]
fn debug_output_hides_the_contents() {
    let object = json!({"credspec": {"PluginInput": "hunter2"}});
    let text = format!("{:?}", Prepared::from_object("web", &object).unwrap());
    assert!(!text.contains("hunter2") && !text.contains("PluginInput"), "{text}");
}
