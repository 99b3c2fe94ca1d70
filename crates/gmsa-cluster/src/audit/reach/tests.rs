use serde_json::{Value, json};

use super::{Acting, Finding, Labels, Reach, Scope, Sent};
use crate::installation::{self, Version};

/// The validating configuration of an installation on a new API server, with changes.
fn configuration(name: &str, changes: &Value) -> Value {
    let objects = installation::objects(&installation::Options::default(), Version(1, 30));
    let is = |object: &&Value| object["kind"] == "ValidatingWebhookConfiguration";
    let mut configuration = objects.webhooks.iter().find(is).unwrap().clone();
    configuration["metadata"]["name"] = json!(name);
    for (key, value) in changes.as_object().unwrap() {
        configuration["webhooks"][0][key] = value.clone();
    }
    configuration
}

fn reach(configurations: &[Value]) -> Reach {
    let namespaces = [
        json!({"metadata": {"name": "shop", "labels": {"gmsa-webhook": "enabled"}}}),
        json!({"metadata": {"name": "other"}}),
    ];
    Reach::new(Acting::of(configurations), &namespaces, &Scope::default())
}

fn labels(of: &[(&str, &str)]) -> Labels {
    of.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// Code, object and evidence of each finding.
fn found(reach: &Reach) -> Vec<String> {
    let mut found = Vec::new();
    reach.findings(&mut found);
    let shown = |one: &Finding| {
        format!("{} {} {}", one.code.id(), one.object, one.evidence.join("; ")).trim().to_owned()
    };
    found.iter().map(shown).collect()
}

#[test]
fn what_an_installation_makes_leaves_nothing_out() {
    let plain = configuration("gmsa-webhook", &json!({}));
    let condition = &plain["webhooks"][0]["matchConditions"][0]["expression"];
    assert!(condition.is_string(), "our own condition is sent to new servers");
    let mut reach = reach(&[plain]);
    assert_eq!(reach.saw("shop", "Pod web", &labels(&[])), Sent::Yes);
    assert_eq!(found(&reach), [""; 0]);
}

#[test]
fn labels_of_pods_are_compared_with_the_object_selector() {
    let selector = json!({"matchExpressions": [
        {"key": "checked", "operator": "NotIn", "values": ["no"]}]});
    let mut reach = reach(&[configuration("gmsa-webhook", &json!({"objectSelector": selector}))]);
    assert_eq!(reach.saw("shop", "Pod web", &labels(&[("app", "web")])), Sent::Yes);
    let out = labels(&[("checked", "no")]);
    assert_eq!(reach.saw("shop", "Pod web", &out), Sent::NotItsLabels);
    let of = "objectSelector of webhook validate.gmsa-webhook.kube-gmsa.dev";
    assert_eq!(
        found(&reach),
        [format!("webhook-may-skip-pods ValidatingWebhookConfiguration gmsa-webhook {of}")]
    );
}

#[test]
fn a_foreign_condition_is_reported_and_ours_is_not() {
    let ours = json!({"name": "uses-gmsa", "expression": installation::MATCH_CONDITION});
    let foreign = json!({"name": "not-mine", "expression": "request.userInfo.username != 'x'"});
    let changes = json!({"matchConditions": [ours, foreign]});
    let mut reach = reach(&[configuration("gmsa-webhook", &changes)]);
    assert_eq!(reach.saw("shop", "Pod web", &labels(&[])), Sent::Yes);
    let line = "webhook-may-skip-pods ValidatingWebhookConfiguration gmsa-webhook matchCondition \
                \"not-mine\" of webhook validate.gmsa-webhook.kube-gmsa.dev, not judged";
    assert_eq!(found(&reach), [line]);
}

#[test]
fn a_second_webhook_that_selects_all_pods_makes_up_for_the_first() {
    let leaky = |namespaces: Value| {
        let selector = json!({"matchLabels": {"checked": "yes"}});
        let changes = json!({"objectSelector": selector, "namespaceSelector": namespaces});
        configuration("old-gmsa", &changes)
    };
    let enabled = json!({"matchLabels": {"gmsa-webhook": "enabled"}});
    let whole = || configuration("gmsa-webhook", &json!({}));
    let mut both = reach(&[leaky(json!({})), whole()]);
    assert_eq!(both.saw("other", "Pod web", &labels(&[])), Sent::Yes);
    assert_eq!(found(&both), [""; 0]);
    // Only in one of the namespaces.
    let part = configuration("gmsa-webhook", &json!({"namespaceSelector": enabled}));
    let mut both = reach(&[leaky(json!({})), part]);
    assert_eq!(both.saw("shop", "Pod web", &labels(&[])), Sent::Yes);
    assert_eq!(both.saw("other", "Pod web", &labels(&[])), Sent::NotItsLabels);
    assert_eq!(found(&both).len(), 1, "{:?}", found(&both));
    assert!(found(&both)[0].contains("old-gmsa"));
}

#[test]
fn namespaces_are_reported_once_and_a_missing_webhook_alone() {
    let enabled = json!({"matchLabels": {"gmsa-webhook": "enabled"}});
    let changes = json!({"namespaceSelector": enabled});
    let mut reach = reach(&[configuration("gmsa-webhook", &changes)]);
    assert_eq!(reach.saw("other", "Pod web", &labels(&[])), Sent::NotItsNamespace);
    assert_eq!(found(&reach), ["gmsa-in-excluded-namespace Namespace other Pod web"]);
    let mut none = self::reach(&[]);
    assert_eq!(none.saw("other", "Pod web", &labels(&[])), Sent::Yes);
    assert_eq!(found(&none), ["webhook-missing ValidatingWebhookConfiguration gmsa-webhook"]);
}
