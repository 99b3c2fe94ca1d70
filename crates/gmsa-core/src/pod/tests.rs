use serde_json::json;

use super::{FixedHostname, Hostname, PlaceKind, Pod, identities};

fn pod(text: &str) -> Pod<'_> {
    serde_json::from_str(text).unwrap()
}

fn string(contents: Option<super::Contents<'_>>) -> Option<String> {
    contents.map(|contents| contents.text().unwrap().into_owned())
}

#[test]
fn all_four_kinds_of_places_are_seen_in_order() {
    let text = r#"{"metadata":{"name":"web"},"spec":{
        "ephemeralContainers":[{"name":"debug","securityContext":{"windowsOptions":{"gmsaCredentialSpecName":"d"}}}],
        "initContainers":[{"name":"setup","securityContext":{"windowsOptions":{"gmsaCredentialSpec":"{}"}}}],
        "containers":[{"name":"plain"},{"name":"iis","securityContext":{"windowsOptions":{"gmsaCredentialSpecName":"b","gmsaCredentialSpec":"{}"}}}],
        "securityContext":{"windowsOptions":{"gmsaCredentialSpecName":"a"}}}}"#;
    let pod = pod(text);
    let seen: Vec<_> = pod
        .references()
        .map(|one| (one.place.to_string(), one.place.field("x"), one.name, string(one.contents)))
        .collect();
    let path = |list: &str| format!("spec.{list}securityContext.windowsOptions.x");
    assert_eq!(
        seen,
        [
            ("pod \"web\"".to_owned(), path(""), Some("a"), None),
            (
                "container \"iis\"".to_owned(),
                path("containers[1]."),
                Some("b"),
                Some("{}".to_owned())
            ),
            (
                "init container \"setup\"".to_owned(),
                path("initContainers[0]."),
                None,
                Some("{}".to_owned())
            ),
            (
                "ephemeral container \"debug\"".to_owned(),
                path("ephemeralContainers[0]."),
                Some("d"),
                None
            ),
        ]
    );
}

#[test]
fn null_is_absent_and_an_empty_string_is_present() {
    for (options, expected) in [
        (json!({"gmsaCredentialSpecName": null, "gmsaCredentialSpec": null}), None),
        (json!({"gmsaCredentialSpecName": ""}), Some((Some(""), None))),
        (json!({"gmsaCredentialSpec": ""}), Some((None, Some(String::new())))),
        (json!(null), None),
    ] {
        let text =
            json!({"spec": {"securityContext": {"windowsOptions": options}, "containers": null}})
                .to_string();
        let pod = pod(&text);
        let seen = pod.references().next().map(|one| (one.name, string(one.contents)));
        assert_eq!(seen, expected, "{text}");
    }
}

#[test]
fn a_key_given_twice_is_refused() {
    let twice = r#"{"spec":{"containers":[],"containers":[{"name":"x"}]}}"#;
    assert!(serde_json::from_str::<Pod<'_>>(twice).is_err());
}

#[test]
fn a_containers_own_identity_overrides_the_pods() {
    let text = r#"{"spec":{"securityContext":{"windowsOptions":{"gmsaCredentialSpecName":"a","hostProcess":true}},
        "containers":[{"name":"one"},{"name":"two","securityContext":{"windowsOptions":{"gmsaCredentialSpecName":"b","hostProcess":false}}}],
        "initContainers":[{"name":"three"}]}}"#;
    let pod = pod(text);
    let seen: Vec<_> = identities(&pod)
        .map(|one| (one.container.name, one.credential_spec, one.inherited, one.host_process))
        .collect();
    assert_eq!(
        seen,
        [("one", "a", true, true), ("two", "b", false, false), ("three", "a", true, true)]
    );
    assert_eq!(pod.containers(PlaceKind::Pod).len(), 0);
}

#[test]
fn what_binds_a_pod_to_windows() {
    let affinity = |terms: serde_json::Value| {
        json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution":
            {"nodeSelectorTerms": terms}}}})
    };
    let windows = json!({"matchExpressions":
        [{"key": "kubernetes.io/os", "operator": "In", "values": ["windows"]}]});
    let either = json!({"matchExpressions":
        [{"key": "kubernetes.io/os", "operator": "In", "values": ["windows", "linux"]}]});
    for (spec, bound) in [
        (json!({}), false),
        (json!({"os": {"name": "windows"}}), true),
        (json!({"os": {"name": "linux"}}), false),
        (json!({"nodeSelector": {"kubernetes.io/os": "windows"}}), true),
        (json!({"nodeSelector": {"disk": "fast"}}), false),
        (json!({"nodeSelector": {"beta.kubernetes.io/os": "windows"}}), true),
        (json!({"nodeSelector": {"beta.kubernetes.io/os": "linux"}}), false),
        (json!({"nodeSelector": {"node.kubernetes.io/windows-build": "10.0.20348"}}), true),
        (
            affinity(json!([{"matchExpressions": [
                {"key": "node.kubernetes.io/windows-build", "operator": "Exists"}]}])),
            true,
        ),
        (json!({"runtimeClassName": "windows-2022"}), true),
        (affinity(json!([windows])), true),
        (affinity(json!([windows, either])), false),
        (affinity(json!([])), false),
    ] {
        let text = json!({ "spec": spec }).to_string();
        assert_eq!(pod(&text).is_bound_to_windows(), bound, "{text}");
    }
}

#[test]
fn hostnames_that_replicas_share() {
    let owner = json!([{"kind": "StatefulSet", "name": "a"}]);
    let deployment = json!([{"kind": "Deployment", "name": "a"}]);
    for (metadata, hostname, expected) in [
        (json!({"name": "a-pod-of-its-own-with-a-long-name"}), None, Hostname::Unique),
        (json!({"generateName": "web-"}), None, Hostname::Unique),
        (
            json!({"generateName": "web-7d9f8b6c5d-"}),
            None,
            Hostname::SharedPrefix("web-7d9f8b6c5d-"),
        ),
        (
            json!({"generateName": "web-", "ownerReferences": deployment}),
            None,
            Hostname::SharedWithTemplate("web-"),
        ),
        (json!({"generateName": "db-", "ownerReferences": deployment}), None, Hostname::Unique),
        (
            json!({"generateName": "a-long-deployment-", "ownerReferences": deployment}),
            None,
            Hostname::SharedPrefix("a-long-deployme"),
        ),
        (
            json!({"generateName": "aaaaaaaaaaaaaaé-", "ownerReferences": deployment}),
            None,
            Hostname::Unique,
        ),
        (
            json!({"generateName": "web-"}),
            Some("fixed"),
            Hostname::Fixed(FixedHostname { field: "spec.hostname", name: "fixed" }),
        ),
        (json!({"name": "web"}), Some("fixed"), Hostname::Unique),
        (json!({"name": "db-0", "ownerReferences": owner}), Some("db-0"), Hostname::Unique),
        (
            json!({"name": "a-long-database-0", "ownerReferences": owner}),
            Some("a-long-database-0"),
            Hostname::SharedPrefix("a-long-database"),
        ),
    ] {
        let text = json!({"metadata": metadata, "spec": {"hostname": hostname}}).to_string();
        assert_eq!(pod(&text).hostname(), expected, "{text}");
    }
}

#[test]
fn an_override_of_the_hostname_goes_before_it() {
    for (spec, field, name) in [
        (
            json!({"hostnameOverride": "web.contoso.com"}),
            "spec.hostnameOverride",
            "web.contoso.com",
        ),
        (json!({"hostname": "web", "hostnameOverride": "own"}), "spec.hostnameOverride", "own"),
        (json!({"hostname": "web", "hostnameOverride": ""}), "spec.hostname", "web"),
    ] {
        let text = json!({"metadata": {"generateName": "web-"}, "spec": spec}).to_string();
        let fixed = FixedHostname { field, name };
        assert_eq!(pod(&text).fixed_hostname(), Some(fixed), "{text}");
        assert_eq!(pod(&text).hostname(), Hostname::Fixed(fixed), "{text}");
    }
    assert_eq!(pod("{}").fixed_hostname(), None);
}
