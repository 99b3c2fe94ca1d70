//! A definition that drops parts of credential specs, on a real API server: `import` applies nothing,
//! and `doctor` and `status` name it as the cause of what is missing.

use std::time::Duration;

use gmsa_cluster::api::apply::Applier;
use gmsa_testkit::control_plane::{self, ControlPlane};
use gmsa_testkit::objects;
use gmsa_testkit::process::eventually;
use serde_json::{Value, json};

use crate::support::{Ran, plugin, ran};

const TEST: &str = "what_an_old_definition_drops_is_the_first_cause";

/// The definition with this schema of the contents.
fn definition(contents: impl Fn(&mut Value)) -> Value {
    let definition = gmsa_cluster::installation::definition::definition();
    let mut definition = serde_json::to_value(definition).unwrap();
    definition["apiVersion"] = json!("apiextensions.k8s.io/v1");
    definition["kind"] = json!("CustomResourceDefinition");
    for version in definition["spec"]["versions"].as_array_mut().unwrap() {
        contents(&mut version["schema"]["openAPIV3Schema"]["properties"]["credspec"]);
    }
    definition
}

fn with_plugin() -> Value {
    let mut spec = objects::credential_spec("webapp", "WebApp1");
    spec["credspec"]["ActiveDirectoryConfig"]["HostAccountConfig"] = json!({
        "PluginGUID": "{E4781092-F116-4B79-B55E-28EB6A224E26}", "PluginInput": "shop:ad-user",
        "PortableCcgVersion": "1"});
    spec
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_old_definition_drops_is_the_first_cause() {
    let options = control_plane::Options::default();
    let Some(plane) = ControlPlane::start_private(TEST, options).await else { return };
    let kubeconfig = plane.kubeconfig_path();
    let on = |args: &[&str], stdin: &str| -> Ran {
        tokio::task::block_in_place(|| {
            ran(plugin(args).env("KUBECONFIG", &kubeconfig).write_stdin(stdin))
        })
    };
    let json_of = |args: &[&str]| -> Value { serde_json::from_str(&on(args, "").stdout).unwrap() };
    let applier = Applier::new(plane.client().await, "test", true);

    // From before there were plug-ins.
    let old = definition(|contents| {
        let directory = &mut contents["properties"]["ActiveDirectoryConfig"]["properties"];
        directory.as_object_mut().unwrap().remove("HostAccountConfig").unwrap();
    });
    applier.apply(&old).await.unwrap();
    let import = ["credspec", "import", "-", "--apply"];
    let refused = eventually("the definition is served", Duration::from_secs(20), || async {
        let ran = on(&import, &with_plugin().to_string());
        (!ran.stderr.contains("does not know the resource")).then_some(ran)
    })
    .await;
    assert_eq!(refused.code, 3, "{}{}", refused.stdout, refused.stderr);
    assert!(
        refused.stderr.contains(
            "does not know credspec.ActiveDirectoryConfig.HostAccountConfig and would drop it"
        ) && refused.stderr.contains("kubectl gmsa install --force-conflicts"),
        "{}",
        refused.stderr
    );
    let listed = on(&["credspec", "list"], "");
    assert!(!listed.stdout.contains("webapp"), "{}", listed.stdout);
    let said = "problem: the definition drops credspec.ActiveDirectoryConfig.HostAccountConfig";
    assert_eq!(schema_of(&json_of(&["doctor", "-o", "json"])), said);
    assert_eq!(schema_of(&json_of(&["status", "-o", "json"])), said);
    // What has nothing that would be dropped is applied.
    let plain = objects::credential_spec("webapp", "WebApp1");
    let imported = on(&import, &plain.to_string());
    assert_eq!(imported.code, 0, "{}", imported.stderr);

    // Without properties everything is dropped, and what is stored already is read as empty.
    applier.apply(&definition(|contents| *contents = json!({"type": "object"}))).await.unwrap();
    let report = eventually("the contents are dropped", Duration::from_secs(20), || async {
        let report = json_of(&["doctor", "-o", "json"]);
        let outcomes = report["outcomes"].as_array().unwrap();
        let is_empty = |one: &Value| {
            one["check"] == "credspec-findings" && one["message"] == "credspec is empty"
        };
        outcomes.iter().any(is_empty).then_some(report)
    })
    .await;
    let causes = report["verdict"]["causes"].as_array().unwrap();
    let schema = causes.iter().position(|one| one["check"] == "crd-schema").expect("a cause");
    let consequences = causes[schema]["consequences"].as_array().unwrap();
    assert!(consequences.contains(&json!("credspec-findings")), "{report:#}");
    assert!(!causes.iter().any(|one| one["check"] == "credspec-findings"), "{report:#}");
    let refused = on(&import, &plain.to_string());
    assert_eq!(refused.code, 3, "{}{}", refused.stdout, refused.stderr);
    assert!(refused.stderr.contains("would drop it"), "{}", refused.stderr);

    // The remedy, and then what was dropped.
    applier.apply(&definition(|_| {})).await.unwrap();
    eventually("all of it is kept", Duration::from_secs(20), || async {
        let ran = on(&import, &with_plugin().to_string());
        (ran.code == 0).then_some(())
    })
    .await;
    let ok = "ok: it has every key of a credential spec";
    assert_eq!(schema_of(&json_of(&["doctor", "-o", "json"])), ok);
}

fn schema_of(report: &Value) -> String {
    let outcomes = report["outcomes"].as_array().unwrap();
    let found = outcomes.iter().find(|one| one["check"] == "crd-schema").unwrap();
    format!("{}: {}", found["state"].as_str().unwrap(), found["message"].as_str().unwrap())
}
