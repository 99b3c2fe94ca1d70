//! `kubectl gmsa review --engine=policy`: what admission policies answer differently from the webhook.

use gmsa_testkit::objects::{self, gmsa};
use serde_json::{Value, json};

use crate::reviewing::run;

/// A Deployment whose containers have these names and contents.
fn deployment(name: &str, fields: &[(String, Option<String>)]) -> Value {
    let mut pod = objects::pod("web", name, &json!({}));
    let containers = fields.iter().enumerate().map(|(index, (spec, contents))| {
        json!({"name": format!("c{index}"), "image": "i",
            "securityContext": gmsa(Some(spec), contents.as_deref())})
    });
    pod["spec"]["containers"] = containers.collect();
    pod["spec"]["nodeSelector"] = json!({"kubernetes.io/os": "windows"});
    objects::deployment("web", name, &pod)
}

/// The report on these objects.
fn report(objects: &[Value], args: &[&str], code: i32) -> Value {
    let text: Vec<String> = objects.iter().map(|object| format!("---\n{object}\n")).collect();
    let args = [&["review", "-f", "-", "-o", "json"], args].concat();
    let ran = run(&args, &text.concat());
    assert_eq!(ran.code, code, "{}{}", ran.stdout, ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    crate::schema::check("review-report", &report);
    report
}

fn of<'a>(report: &'a Value, name: &str) -> &'a Value {
    let workloads = report["workloads"].as_array().unwrap();
    workloads.iter().find(|one| one["name"] == name).unwrap()
}

/// The names of the differences of a workload.
fn differences(workload: &Value) -> Vec<&str> {
    let all = workload["differences"].as_array().into_iter().flatten();
    all.map(|one| one["id"].as_str().unwrap()).collect()
}

#[test]
fn what_the_policy_engine_answers_differently_is_named_with_each_workload() {
    let names: Vec<String> = (0..21).map(|number| format!("spec-{number}")).collect();
    let mut all: Vec<Value> =
        names.iter().map(|name| objects::credential_spec(name, "WebApp1")).collect();
    let mut role = objects::role("all");
    role["rules"][0].as_object_mut().unwrap().remove("resourceNames");
    all.extend([role, objects::binding("all", "web", "default")]);
    let bare = |count: usize| -> Vec<(String, Option<String>)> {
        names.iter().take(count).map(|name| (name.clone(), None)).collect()
    };
    let contents = &objects::credential_spec("x", "WebApp1")["credspec"];
    let pretty = serde_json::to_string_pretty(contents).unwrap();
    let escaped = pretty.replace("\"WebApp1\"", "\"\\u0057ebApp1\"");
    assert!(pretty != escaped);
    all.extend([
        deployment("twenty", &bare(20)),
        deployment("many", &bare(21)),
        deployment("layout", &[("spec-1".to_owned(), Some(pretty))]),
        deployment("escaped", &[("spec-1".to_owned(), Some(escaped))]),
        deployment("gone", &[("gone".to_owned(), None)]),
    ]);

    let by_webhook = report(&all, &[], 1);
    assert_eq!(by_webhook["engine"], "webhook");
    for (name, verdict) in [
        ("twenty", "admitted"),
        ("many", "admitted"),
        ("layout", "admitted"),
        ("escaped", "admitted"),
        ("gone", "denied"),
    ] {
        let workload = of(&by_webhook, name);
        assert_eq!(workload["verdict"], verdict, "{workload:#}");
        assert_eq!(differences(workload), [""; 0], "{workload:#}");
    }
    assert_eq!(of(&by_webhook, "gone")["places"][0]["denial"]["code"], 404);

    let by_policies = report(&all, &["--engine=policy"], 1);
    assert_eq!(by_policies["engine"], "policy");
    assert_eq!(by_policies["summary"]["denied"], 3);
    for (name, verdict, expected) in [
        ("twenty", "admitted", None),
        ("many", "denied", Some("many-names")),
        ("layout", "admitted", None),
        ("escaped", "denied", Some("preset-contents")),
        ("gone", "denied", Some("code-of-not-found")),
    ] {
        let workload = of(&by_policies, name);
        assert_eq!(workload["verdict"], verdict, "{workload:#}");
        let found = differences(workload);
        let found: Vec<&&str> = found.iter().filter(|id| **id != "no-warnings").collect();
        assert_eq!(found.first().copied().copied(), expected, "{workload:#}");
        for place in workload["places"].as_array().unwrap().iter().filter(|_| verdict == "denied") {
            assert_eq!(place["denial"]["code"], 422, "{workload:#}");
        }
    }
    let many = of(&by_policies, "many")["places"][0]["denial"]["message"].as_str().unwrap();
    assert!(many.contains("more than 20 different GMSA cred specs"), "{many}");

    // As people read it.
    let text: Vec<String> = all.iter().map(|object| format!("---\n{object}\n")).collect();
    let ran = run(&["review", "-f", "-", "--engine=policy"], &text.concat());
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("admission policies decide"), "{}", ran.stderr);
    for words in [
        "policies many-names\n           it names 21 different credential specs",
        "policies code-of-not-found\n           code 422 instead of 404",
        "policies preset-contents\n           container \"c0\": its preset contents are equal",
    ] {
        assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
    }
}

#[test]
fn random_hostnames_and_warnings_are_missed_where_the_policies_decide() {
    let mut pod = objects::pod("web", "a-name-that-is-long", &gmsa(Some("spec"), None));
    pod["spec"]["nodeSelector"] = json!({"kubernetes.io/os": "windows"});
    let webhook = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "gmsa-webhook", "namespace": "gmsa-webhook"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {
            "metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "webhook",
                "image": "i", "args": ["--random-hostname=true"]}]}}}});
    let all = [
        objects::credential_spec("spec", "WebApp1"),
        objects::role("spec"),
        objects::binding("spec", "web", "default"),
        objects::deployment("web", "a-name-that-is-long", &pod),
        webhook,
    ];
    let shared = |report: &Value| {
        let findings = of(report, "a-name-that-is-long")["findings"].as_array().unwrap();
        findings.iter().any(|one| one["code"] == "shared-hostname-prefix")
    };
    assert!(!shared(&report(&all, &[], 0)), "the webhook makes hostnames");
    let by_policies = report(&all, &["--engine=policy"], 0);
    assert!(shared(&by_policies), "{by_policies:#}");
    let found = differences(of(&by_policies, "a-name-that-is-long"));
    assert_eq!(found, ["no-warnings", "no-random-hostname"]);
}
