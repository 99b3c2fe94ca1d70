//! Policies that have the credential specs in them: printed for any server, applied to one from 1.36.

use crate::support::Ran;
use crate::support::world::{SOON, World};
use gmsa_core::names::NAME;
use gmsa_testkit::objects::{self, gmsa};
use gmsa_testkit::process::eventually;
use serde_json::{Value, json};

const ADMISSION: &str = "/apis/admissionregistration.k8s.io/v1";

fn write(directory: &std::path::Path, file: &str, objects: &[Value]) {
    let text: Vec<String> = objects.iter().map(|object| format!("---\n{object}\n")).collect();
    std::fs::write(directory.join(file), text.concat()).unwrap();
}

/// The command without a cluster.
fn offline(args: &[&str]) -> Ran {
    crate::support::run(args)
}

#[test]
fn the_policies_of_files_are_printed_without_a_cluster() {
    let files = tempfile::tempdir().unwrap();
    let mut spec = objects::credential_spec("web", "WebApp1");
    // An API server would not store it, so no pod may get it.
    spec["credspec"]["Unknown"] = json!("x");
    let other = objects::credential_spec("db", "Db1");
    write(
        files.path(),
        "specs.yaml",
        &[
            spec,
            other,
            json!({"apiVersion": "v1",
        "kind": "ConfigMap", "metadata": {"name": "x"}}),
        ],
    );
    let path = files.path().to_str().unwrap();
    let install = ["install", "--engine=policy", "--static", "-f", path, "--dry-run=client"];
    let Ran { code, stdout, stderr } = offline(&[&install[..], &["-o", "yaml"]].concat());
    assert_eq!(code, 0, "{stderr}");
    let manifests = gmsa_cluster::manifests::parse("-", &stdout);
    let objects: Vec<Value> = manifests.into_iter().map(|one| one.unwrap().into_value()).collect();
    let kinds: Vec<&str> = objects.iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "MutatingAdmissionPolicy").count(), 3);
    assert_eq!(kinds.iter().filter(|kind| **kind == "ValidatingAdmissionPolicy").count(), 4);
    assert!(!kinds.contains(&"Deployment") && !kinds.contains(&"Namespace"), "{kinds:?}");
    assert!(!stdout.contains("paramRef") && !stdout.contains("Unknown"));
    assert!(stdout.contains("t0:WebApp1") && stdout.contains("t0:Db1"));

    let broken = |objects: &[Value]| {
        let files = tempfile::tempdir().unwrap();
        write(files.path(), "specs.yaml", objects);
        let path = files.path().to_str().unwrap().to_owned();
        let ran =
            offline(&["install", "--engine=policy", "--static", "-f", &path, "--dry-run=client"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
        ran.stderr
    };
    let same = objects::credential_spec("web", "WebApp1");
    assert!(broken(&[same.clone(), same.clone()]).contains("is in"));
    let mut upper = same.clone();
    upper["metadata"]["name"] = json!("Web");
    assert!(broken(&[upper]).contains("an API server would refuse it"));
    let mut number = same;
    number["credspec"]["CmsPlugins"] = json!([1]);
    assert!(broken(&[number]).contains("an API server would refuse it"));
    assert!(
        broken(&[json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}})])
            .contains("there is no GMSACredentialSpec in the files")
    );
    let ran = offline(&["install", "--engine=policy", "--static", "--dry-run=client"]);
    assert!(ran.code == 2 && ran.stderr.contains("name the files"), "{}", ran.stderr);
    let ran = offline(&["install", "--engine=webhook", "--static", "-f", path, "--dry-run=client"]);
    assert!(ran.code == 2 && ran.stderr.contains("needs --engine=policy"), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn policies_with_credential_specs_take_over_from_the_webhook_and_go_again() {
    let test = "policies_with_credential_specs_take_over_from_the_webhook_and_go_again";
    let why_not = "this API server changes no pods by policies; see docs/engine.md";
    let Some(world) = World::since(36, test, why_not).await else { return };
    let _stand_in = world.stand_in(None).await;
    world.done(&["install"]).await;
    world.namespace("web").await;
    eventually("pods are expanded", SOON, || async { world.admit("web").await.ok() }).await;

    // From the cluster.
    let done = world.done(&["install", "--engine=policy", "--static", "--settle=5"]).await;
    assert!(done.contains("mutatingadmissionpolicy/gmsa-static-expand created"), "{done}");
    assert!(done.contains(&format!("mutatingwebhookconfiguration/{NAME} deleted")), "{done}");
    assert!(done.contains(&format!("deployment/{NAME} deleted")), "{done}");
    world.admit("web").await.unwrap();
    world.plain("web").await.unwrap();
    let again = world.done(&["install", "--engine=policy", "--static", "--settle=5"]).await;
    assert!(again.lines().all(|line| line.ends_with(" unchanged")), "{again}");

    // From files, which change what is in force.
    let files = tempfile::tempdir().unwrap();
    let other = objects::credential_spec("spec", "Changed");
    write(files.path(), "specs.yaml", std::slice::from_ref(&other));
    let path = files.path().to_str().unwrap();
    world.done(&["install", "--engine=policy", "--static", "-f", path]).await;
    let pod = objects::pod("web", "p", &gmsa(Some("spec"), None));
    let contents = gmsa_core::credspec::canonical_json(&other["credspec"]);
    eventually("the changed contents", SOON, || async {
        let path = "/api/v1/namespaces/web/pods?dryRun=All";
        let stored = world.request("POST", path, &pod).await.ok()?;
        let found = &stored["spec"]["securityContext"]["windowsOptions"]["gmsaCredentialSpec"];
        (found == &json!(contents)).then_some(())
    })
    .await;

    let removed = world.done(&["uninstall", "--yes"]).await;
    let line = |words: &str| removed.lines().position(|line| line.contains(words)).unwrap();
    assert!(
        line("validatingadmissionpolicy/gmsa-static-guard")
            < line("mutatingadmissionpolicy/gmsa-static-expand"),
        "{removed}"
    );
    let path = format!("{ADMISSION}/mutatingadmissionpolicies");
    assert_eq!(world.get(&path).await["items"], json!([]));
    let path = format!("{ADMISSION}/validatingadmissionpolicies");
    assert_eq!(world.get(&path).await["items"], json!([]));
}
