//! The objects within a Template of OpenShift (`template.openshift.io/v1`), with the values that its
//! parameters have by themselves, as `oc process` fills them in.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Whether this is a Template of OpenShift; its oldest version is of no group.
pub(super) fn is_template(object: &Map<String, Value>) -> bool {
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    text("kind") == "Template"
        && (text("apiVersion") == "v1" || text("apiVersion").starts_with("template.openshift.io/"))
        && object.get("objects").is_some_and(Value::is_array)
}

/// Its objects. A parameter without a value stays as it is written.
pub(super) fn objects(mut template: Map<String, Value>) -> Vec<Value> {
    let parameters = template.remove("parameters").unwrap_or_default();
    let values: BTreeMap<&str, &str> = parameters
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| Some((one.get("name")?.as_str()?, one.get("value")?.as_str()?)))
        .collect();
    let Some(Value::Array(mut objects)) = template.remove("objects") else { return Vec::new() };
    for object in &mut objects {
        fill(object, &values);
    }
    objects
}

fn fill(value: &mut Value, values: &BTreeMap<&str, &str>) {
    match value {
        Value::String(text) if text.contains("${") => *value = filled(text, values),
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, values)),
        Value::Object(map) => map.values_mut().for_each(|child| fill(child, values)),
        _ => {}
    }
}

/// `${NAME}` is replaced within a text; a text that is `${{NAME}}` becomes the JSON of the value.
fn filled(text: &str, values: &BTreeMap<&str, &str>) -> Value {
    let whole = text.strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}"));
    if let Some(value) = whole.and_then(|name| values.get(name)) {
        return serde_json::from_str(value).unwrap_or_else(|_| Value::from(*value));
    }
    let mut made = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        made.push_str(before);
        let known = after.split_once('}').and_then(|(name, end)| Some((values.get(name)?, end)));
        rest = if let Some((value, end)) = known {
            made.push_str(value);
            end
        } else {
            made.push_str("${");
            after
        };
    }
    made.push_str(rest);
    Value::from(made)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parameters_are_filled_in_where_they_have_a_value() {
        let template = json!({"apiVersion": "template.openshift.io/v1", "kind": "Template",
            "parameters": [{"name": "NAME", "value": "web"}, {"name": "COUNT", "value": "2"},
                {"name": "SPEC", "required": true}],
            "objects": [{"kind": "Deployment", "metadata": {"name": "${NAME}-${NAME}"},
                "replicas": "${{COUNT}}", "spec": "${SPEC}", "odd": "a ${ b ${NAME}"}]});
        let Value::Object(template) = template else { panic!() };
        assert!(is_template(&template));
        assert_eq!(
            objects(template),
            [json!({"kind": "Deployment", "metadata": {"name": "web-web"}, "replicas": 2,
                "spec": "${SPEC}", "odd": "a ${ b web"})]
        );
    }
}
