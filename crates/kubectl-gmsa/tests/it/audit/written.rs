//! What the audit says of workloads as people write them.

use gmsa_testkit::objects;
use serde_json::{Value, json};

use super::{Plane, pod};

fn findings(plane: &Plane, name: &str) -> Vec<Value> {
    let ran = plane.audit(&["-o", "json"]);
    assert_eq!(ran.stderr, "");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    findings.iter().filter(|one| one["name"] == name).cloned().collect()
}

fn codes(plane: &Plane, name: &str) -> Vec<String> {
    let found = findings(plane, name);
    found.iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_nothing_reads_and_what_misses_by_a_word_is_named() {
    let test = "what_nothing_reads_and_what_misses_by_a_word_is_named";
    let Some(plane) = Plane::start(test).await else { return };
    plane.namespace("shop", json!({}), &["web", "near"]).await;
    plane.apply(&objects::credential_spec("webapp", "WebApp1")).await;
    plane.grant("webapp", "shop", "web").await;
    for (name, system, pool) in [("win", "windows", "win22"), ("lin", "linux", "system")] {
        let labels = json!({"kubernetes.io/os": system, "agentpool": pool});
        plane
            .apply(&json!({"apiVersion": "v1", "kind": "Node",
                "metadata": {"name": name, "labels": labels}}))
            .await;
    }
    plane.apply(&super::configuration(&plane.plane)).await;
    let named = || objects::gmsa(Some("webapp"), None);

    // The annotations of Kubernetes 1.14 are taken by every API server, and read by none.
    let mut old = objects::deployment("shop", "old", &pod("shop", "old", "web", &json!({})));
    old["spec"]["template"]["metadata"]["annotations"] =
        json!({"pod.alpha.windows.kubernetes.io/gmsa-credential-spec-name": "webapp"});
    plane.apply(&old).await;
    let mut alone = pod("shop", "alone", "web", &json!({}));
    alone["metadata"]["annotations"] =
        json!({"pod.alpha.windows.kubernetes.io/gmsa-credential-spec": "webapp"});
    plane.apply(&alone).await;
    for name in ["old", "alone"] {
        assert_eq!(codes(&plane, name), ["field-not-read"], "{name}");
    }

    // The nodes say whether a pool is one of Windows.
    for (name, pool, expected) in
        [("b1", "win22", &[][..]), ("l1", "system", &["not-bound-to-windows"][..])]
    {
        let mut pod = pod("shop", name, "web", &named());
        pod["spec"]["nodeSelector"] = json!({"agentpool": pool});
        plane.apply(&objects::deployment("shop", name, &pod)).await;
        let found = codes(&plane, name);
        assert_eq!(found, expected, "{name}");
    }

    // A role that was meant for the account.
    let mut role = objects::role("webapp");
    role["metadata"]["name"] = json!("near");
    role["rules"][0]["apiGroups"] = json!(["auth.k8s.io"]);
    plane.apply(&role).await;
    plane.apply(&objects::binding("near", "shop", "near")).await;
    plane.apply(&objects::deployment("shop", "nearly", &pod("shop", "n", "near", &named()))).await;
    let found = findings(&plane, "nearly");
    let denied = found.iter().find(|one| one["code"] == "workload-would-be-denied").unwrap();
    let line = "close: ClusterRole near is bound by RoleBinding shop/near and says apiGroups \
                \"auth.k8s.io\": write windows.k8s.io";
    assert!(denied["evidence"].as_array().unwrap().contains(&json!(line)), "{denied}");
}
