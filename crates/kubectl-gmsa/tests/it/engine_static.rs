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

/// The row of a check in the table of `status`, or the line of the doctor.
fn row(text: &str, id: &str) -> String {
    let found = text.lines().find(|row| row.trim_start().starts_with(id));
    found.unwrap_or_else(|| panic!("no {id} in {text}")).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn status_doctor_audit_and_report_know_policies_with_credential_specs() {
    let test = "status_doctor_audit_and_report_know_policies_with_credential_specs";
    let why_not = "this API server changes no pods by policies; see docs/engine.md";
    let Some(world) = World::since(36, test, why_not).await else { return };
    world.apply(&json!(gmsa_cluster::installation::definition::definition())).await;
    world.namespace("web").await;
    let again = ["install", "--engine=policy", "--static", "--settle=3"];
    world.done(&again).await;

    // Nothing is wrong, and what does not exist is not asked for.
    let status = world.done(&["status"]).await;
    for id in ["engine-whole", "engine-static"] {
        assert!(row(&status, id).contains(" ok "), "{status}");
    }
    assert!(row(&status, "engine-static").contains("1 credential spec in the policies"));
    for id in ["guard-whole", "engine-index"] {
        assert!(!status.contains(id), "{status}");
    }
    // Of the checks of a webhook only the one about namespaces, which policies leave out, too.
    let of_webhooks = status.lines().filter(|row| row.starts_with("webhook-"));
    assert_eq!(of_webhooks.count(), 1, "{status}");
    assert!(row(&status, "webhook-exclusions").contains("the policies decide in every namespace"));
    let (_, doctor) = world.report(&["doctor"]).await;
    let outcomes = doctor["outcomes"].as_array().unwrap();
    let state = |id: &str| {
        let found = outcomes.iter().find(|one| one["check"] == id);
        found.unwrap_or_else(|| panic!("no {id} in {doctor:#}"))["state"].clone()
    };
    for id in ["engine-whole", "engine-static", "admission-answers"] {
        assert_eq!(state(id), "ok", "{doctor:#}");
    }
    let (_, audit) = world.report(&["audit", "-A"]).await;
    assert!(!audit.to_string().contains("webhook-missing"), "{audit:#}");
    let page = tempfile::tempdir().unwrap();
    let page = page.path().join("report.html");
    world.run(&["report", "--out", page.to_str().unwrap()]).await;
    assert!(std::fs::read_to_string(&page).unwrap().contains("engine-static"));

    // Without the engine's name it stays what it is.
    let ran = world.run(&["upgrade", "--replicas=3"]).await;
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    for words in ["--engine=policy --static", "--engine=webhook", "nothing was changed"] {
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
    let ran = world.run(&["install", "--engine=policy", "--static", "--adopt"]).await;
    assert!(ran.code == 2 && ran.stderr.contains("--adopt --engine=policy"), "{}", ran.stderr);

    // Each kind of object, one after the other; the remedy restores it.
    for (plural, name) in [
        ("mutatingadmissionpolicies", "gmsa-static-expand"),
        ("mutatingadmissionpolicybindings", "gmsa-static-expand-ephemeral"),
        ("validatingadmissionpolicies", "gmsa-static-check"),
        ("validatingadmissionpolicybindings", "gmsa-static-guard"),
    ] {
        world.request("DELETE", &format!("{ADMISSION}/{plural}/{name}"), &json!({})).await.unwrap();
        let ran = world.run(&["status"]).await;
        let row = row(&ran.stdout, "engine-whole");
        let words = format!("{name} is missing");
        assert!(ran.code == 1 && row.contains(" problem ") && row.contains(&words), "{row}");
        assert!(ran.stdout.contains("kubectl gmsa install --engine=policy --static"));
        world.done(&again).await;
        world.done(&["status"]).await;
    }
    let binding = format!("{ADMISSION}/validatingadmissionpolicybindings/gmsa-static-check");
    let selector = json!({"matchLabels": {"a": "b"}});
    let narrow = json!({"spec": {"matchResources": {"namespaceSelector": selector}}});
    world.patch(&binding, &narrow).await;
    let ran = world.run(&["status"]).await;
    let words = "gmsa-static-check is not as install writes it: matchResources";
    assert!(row(&ran.stdout, "engine-whole").contains(words), "{}", ran.stdout);
    world.done(&[&again[..], &["--force-conflicts"]].concat()).await;
    world.done(&["status"]).await;

    follows_the_cluster(&world, &again).await;
    follows_files(&world, &again).await;
    let removed = world.done(&["uninstall", "--yes"]).await;
    assert!(removed.contains("validatingadmissionpolicy/gmsa-static-check deleted"), "{removed}");
    let ran = world.run(&["status"]).await;
    assert!(ran.code == 1 && !ran.stdout.contains("engine-"), "{}", ran.stdout);
}

const SPECS: &str = "/apis/windows.k8s.io/v1/gmsacredentialspecs";

/// What changes in the cluster is not in the policies until they are written again.
async fn follows_the_cluster(world: &World, again: &[&str]) {
    let differs = async |words: &str| {
        let ran = world.run(&["status"]).await;
        let row = row(&ran.stdout, "engine-static");
        assert!(ran.code == 1 && row.contains(" problem ") && row.contains(words), "{row}");
    };
    world.apply(&objects::credential_spec("late", "Late")).await;
    differs("the policies do not have late").await;
    world.apply(&objects::credential_spec("spec", "Changed")).await;
    differs("they have other contents of spec").await;
    world.done(again).await;
    world.done(&["status"]).await;
    world.request("DELETE", &format!("{SPECS}/late"), &json!({})).await.unwrap();
    differs("no GMSACredentialSpec belongs to late").await;
    world.done(again).await;
}

/// From files: the cluster need not have them.
async fn follows_files(world: &World, again: &[&str]) {
    let files = tempfile::tempdir().unwrap();
    let of_files =
        [objects::credential_spec("spec", "Changed"), objects::credential_spec("own", "Own")];
    write(files.path(), "specs.yaml", &of_files);
    let path = files.path().to_str().unwrap();
    world.done(&[again, &["-f", path]].concat()).await;
    let status = world.done(&["status"]).await;
    assert!(
        row(&status, "engine-static").contains("2 credential specs in the policies, from files")
    );
    world.apply(&objects::credential_spec("own", "Other")).await;
    let status = world.done(&["status"]).await;
    let line = row(&status, "engine-static");
    assert!(line.contains(" warning ") && line.contains("other contents of own"), "{status}");
    world.request("DELETE", &format!("{SPECS}/own"), &json!({})).await.unwrap();
    for args in [again, &["install", "--engine=policy"], &["install", "--engine=webhook"]] {
        let ran = world.run(args).await;
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains("the cluster does not have own"), "{}", ran.stderr);
    }
    // What pods get is what the policies have.
    world.request("DELETE", &format!("{SPECS}/spec"), &json!({})).await.unwrap();
    world.admit("web").await.unwrap();
    let pod = objects::pod("web", "p", &gmsa(Some("spec"), None));
    write(files.path(), "pod.yaml", std::slice::from_ref(&pod));
    let pods = files.path().join("pod.yaml");
    let review = ["review", "--cluster", "-f", pods.to_str().unwrap()];
    let (code, report) = world.report(&review).await;
    assert_eq!((code, &report["engine"]), (0, &json!("policy")), "{report:#}");
    assert_eq!(report["workloads"][0]["verdict"], "admitted", "{report:#}");
    let ran = world.run(&[&review[..], &["--engine=webhook"]].concat()).await;
    assert!(ran.code == 1 && ran.stdout.contains("does not exist"), "{}", ran.stdout);
    world.request("POST", "/api/v1/namespaces/web/pods", &pod).await.unwrap();
    let (_, doctor) = world.report(&["doctor", "pod/p", "-n", "web"]).await;
    let admission = doctor["outcomes"].as_array().unwrap().iter();
    let admission: Vec<&Value> = admission.filter(|one| one["check"] == "pod-admission").collect();
    assert!(admission.iter().all(|one| one["state"] == "ok"), "{admission:#?}");
    assert!(!admission.is_empty(), "{doctor:#}");
    let (_, audit) = world.report(&["audit", "-A"]).await;
    assert!(!audit.to_string().contains("credspec-not-found"), "{audit:#}");
}
