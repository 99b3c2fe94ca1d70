//! `kubectl gmsa review` as a person runs it.

use std::path::Path;

use crate::reviewing::{review, run};
use crate::support::{ROOT, Ran, plugin};
use serde_json::{Value, json};

const PAGE: &str = "crates/kubectl-gmsa/tests/data/documentation-page.yaml";

fn report(args: &[&str], code: i32) -> Value {
    let ran = review(&[args, &["-o", "json"]].concat());
    assert_eq!(ran.code, code, "{}{}", ran.stdout, ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn the_examples_as_a_table() {
    let ran = review(&["-f", "examples"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
    insta::assert_snapshot!(ran.stdout);
}

#[test]
fn the_documentation_page_gets_a_helpful_answer() {
    let ran = review(&["-f", PAGE]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    // The last block of the page is a part of a container.
    let said = format!("skipped {PAGE}:102: an object without apiVersion or kind\n");
    assert_eq!(ran.stderr, said);
    assert!(ran.stdout.starts_with("First write \"gmsa-webapp1\" instead of"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("kubectl create clusterrole"), "{}", ran.stdout);
    insta::assert_snapshot!(ran.stdout);

    // After the renames nothing is left to do.
    let report = report(&["-f", PAGE], 1);
    crate::schema::check("review-report", &report);
    let rename = &report["renames"][0];
    let mut text = std::fs::read_to_string(Path::new(ROOT).join(PAGE)).unwrap();
    for other in rename["insteadOf"].as_array().unwrap() {
        text = text.replace(other.as_str().unwrap(), rename["name"].as_str().unwrap());
    }
    let ran = run(&["review", "-f", "-", "-o", "json"], &text);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        report["summary"],
        json!({"workloads": 2, "usingGmsa": 2, "admitted": 2, "denied": 0})
    );
    assert_eq!(report["renames"], json!([]));
}

#[test]
fn a_right_that_is_missing_in_addition_to_the_name_is_granted_after_it() {
    let page = std::fs::read_to_string(Path::new(ROOT).join(PAGE)).unwrap();
    // The credential spec and the first workload.
    let documents: Vec<&str> = page.split("---\n").collect();
    let text = [documents[0], documents[3]].join("---\n");
    let ran = run(&["review", "-f", "-", "-o", "json"], &text);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let denial = &report["workloads"][0]["places"][0]["denial"];
    assert_eq!(denial["reason"], json!("not-authorized"));
    let hint = denial["hint"].as_str().unwrap();
    assert!(
        hint.starts_with(
            "Write \"gmsa-webapp1\" in GMSACredentialSpec gmsa-WebApp1. If this workload"
        ),
        "{hint}"
    );
}

/// As admission does, for which the pods of one owner are one thing.
#[test]
fn a_denial_names_what_makes_the_pods_and_no_name_that_a_controller_makes() {
    let spec = json!({"serviceAccountName": "web", "nodeSelector": {"kubernetes.io/os": "windows"},
        "securityContext": {"windowsOptions": {"gmsaCredentialSpecName": "absent"}},
        "containers": [{"name": "iis", "image": "iis"}]});
    let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": spec});
    for (version, kind, inner) in [
        ("v1", "Pod", spec.clone()),
        ("apps/v1", "Deployment", json!({"template": template})),
        ("apps/v1", "ReplicaSet", json!({"template": template})),
        ("apps/v1", "StatefulSet", json!({"template": template})),
        ("apps/v1", "DaemonSet", json!({"template": template})),
        ("batch/v1", "Job", json!({"template": template})),
        ("batch/v1", "CronJob", json!({"jobTemplate": {"spec": {"template": template}}})),
        ("v1", "ReplicationController", json!({"template": template})),
    ] {
        let object = json!({"apiVersion": version, "kind": kind,
            "metadata": {"name": "web", "namespace": "shop"}, "spec": inner});
        let ran = run(&["review", "-f", "-", "-o", "json"], &object.to_string());
        let report: Value = serde_json::from_str(&ran.stdout).unwrap();
        let denial = &report["workloads"][0]["places"][0]["denial"];
        let message = denial["message"].as_str().unwrap_or_else(|| panic!("{kind}: {report:#}"));
        let named = match kind {
            "Pod" => "pod \"web\": ".to_owned(),
            // Its pods have names of their own.
            "StatefulSet" => "pod \"web-0\": ".to_owned(),
            _ => format!("pod of {kind} \"web\": "),
        };
        assert!(message.starts_with(&named), "{kind}: {message}");
        assert!(kind == "StatefulSet" || !message.contains("web-"), "{kind}: {message}");
    }
}

/// The webhook's own manifests beside the workloads say whether it makes hostnames.
#[test]
fn shared_hostnames_are_no_finding_beside_a_webhook_that_makes_hostnames() {
    let spec = json!({"nodeSelector": {"kubernetes.io/os": "windows"},
        "securityContext": {"windowsOptions": {"gmsaCredentialSpecName": "web"}},
        "containers": [{"name": "iis", "image": "iis"}]});
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "a-long-name", "namespace": "shop"},
        "spec": {"template": {"metadata": {}, "spec": spec}}});
    let install = ["install", "--dry-run=client", "-o", "yaml", "--kubernetes-version", "1.30"];
    for (more, is_found) in [(None, true), (Some("--random-hostname"), false)] {
        let args: Vec<&str> = install.into_iter().chain(more).collect();
        let webhook = run(&args, "");
        assert_eq!(webhook.code, 0, "{}", webhook.stderr);
        let files = format!("{}\n---\n{deployment}\n", webhook.stdout);
        let ran = run(&["review", "-f", "-"], &files);
        assert!(ran.stdout.contains("Deployment shop/a-long-name"), "{}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.stdout.contains("shared-hostname-prefix"), is_found, "{}", ran.stdout);
    }
}

#[test]
fn a_denial_of_the_whole_pod_applies_to_every_place() {
    let options = r#"{"windowsOptions": {"gmsaCredentialSpecName": "webapp"}}"#;
    let text = format!(
        r#"{{"apiVersion": "v1", "kind": "Pod", "metadata": {{"name": "web", "namespace": "Shop_1"}},
            "spec": {{"securityContext": {options},
            "containers": [{{"name": "iis", "securityContext": {options}}}]}}}}"#
    );
    let ran = run(&["review", "-f", "-", "-o", "json"], &text);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let places = report["workloads"][0]["places"].as_array().unwrap();
    assert_eq!(places.len(), 2);
    for place in places {
        assert_eq!(place["verdict"], json!("denied"), "{place}");
        assert_eq!(place["denial"]["reason"], json!("malformed-request"), "{place}");
    }
    let table = run(&["review", "-f", "-"], &text);
    assert_eq!(table.stdout.matches("no valid namespace").count(), 1, "{}", table.stdout);
    let sarif = run(&["review", "-f", "-", "-o", "sarif"], &text);
    assert_eq!(sarif.stdout.matches("no valid namespace").count(), 1, "{}", sarif.stdout);
}

#[test]
fn a_service_account_that_is_missing_in_the_files_is_found() {
    let pod = |namespace: &str, account: &str, gmsa: &str| {
        format!(
            r#"{{"apiVersion": "v1", "kind": "Pod", "metadata": {{"name": "web", "namespace": "{namespace}"}},
                "spec": {{"serviceAccountName": "{account}", "containers": [],
                "securityContext": {{"windowsOptions": {gmsa}}}}}}}"#
        )
    };
    let named = r#"{"gmsaCredentialSpecName": "webapp"}"#;
    let account = r#"{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web", "namespace": "shop"}}"#;
    for (pod, found) in [
        (pod("shop", "wbe", named), true),
        (pod("shop", "web", named), false),
        (pod("shop", "default", named), false),
        (pod("shop", "wbe", "{}"), false),
        // Of these namespaces the files hold no service account.
        (pod("ship", "wbe", named), false),
        (pod("sho", "wbe", named), false),
    ] {
        let ran = run(&["review", "-f", "-", "-o", "json"], &format!("{account}\n{pod}"));
        let report: Value = serde_json::from_str(&ran.stdout).unwrap();
        let findings = report["workloads"][0]["findings"].as_array().unwrap();
        let missing =
            findings.iter().find(|finding| finding["code"] == json!("service-account-missing"));
        assert_eq!(missing.is_some(), found, "{pod}: {findings:?}");
        if let Some(missing) = missing {
            assert_eq!(missing["severity"], json!("error"));
            let message = missing["message"].as_str().unwrap();
            assert!(message.contains("\"wbe\"") && message.contains("\"shop\""), "{message}");
        }
    }
}

#[test]
fn hostnames_that_the_controller_makes_cause_no_finding() {
    let workload = |kind: &str, name: &str, hostname: &str| {
        format!(
            r#"{{"apiVersion": "apps/v1", "kind": "{kind}", "metadata": {{"name": "{name}"}},
                "spec": {{"template": {{"spec": {{"containers": [{{"name": "iis"}}], {hostname}
                "nodeSelector": {{"kubernetes.io/os": "windows"}}, "securityContext":
                {{"windowsOptions": {{"gmsaCredentialSpecName": "webapp"}}}}}}}}}}}}"#
        )
    };
    let hostname = r#""hostname": "mine","#;
    for (text, codes) in [
        (workload("StatefulSet", "db", hostname), json!([])),
        (workload("StatefulSet", "a-long-database", ""), json!(["shared-hostname-prefix"])),
        (workload("Deployment", "db", ""), json!([])),
        (workload("Deployment", "db", hostname), json!(["fixed-hostname"])),
        (workload("Deployment", "web", ""), json!(["shared-hostname-prefix"])),
    ] {
        let ran = run(&["review", "-f", "-", "-o", "json"], &text);
        let report: Value = serde_json::from_str(&ran.stdout).unwrap();
        let findings = report["workloads"][0]["findings"].as_array().unwrap();
        let found: Vec<&Value> = findings.iter().map(|finding| &finding["code"]).collect();
        assert_eq!(json!(found), codes, "{text}");
        assert!(!ran.stdout.contains("000"), "a made-up name in {}", ran.stdout);
    }
}

#[test]
fn the_report_as_json_fits_its_schema() {
    let report = report(&["-f", "examples"], 1);
    crate::schema::check("review-report", &report);
    insta::assert_snapshot!(serde_json::to_string_pretty(&report).unwrap());
}

#[test]
fn every_kind_of_workload_is_judged_at_every_place() {
    let spec =
        std::fs::read_to_string(Path::new(ROOT).join("examples/1-credential-spec.yaml")).unwrap();
    let gmsa = r#"{"windowsOptions": {"gmsaCredentialSpecName": "gmsa-webapp1"}}"#;
    let pod = format!(
        r#"{{"securityContext": {gmsa}, "containers": [{{"name": "a", "securityContext": {gmsa}}}, {{"name": "b"}}],
            "initContainers": [{{"name": "i", "securityContext": {gmsa}}}]}}"#
    );
    let mut text = spec;
    for kind in [
        "Deployment",
        "ReplicaSet",
        "StatefulSet",
        "DaemonSet",
        "Job",
        "ReplicationController",
        "Rollout",
    ] {
        text += &format!(
            "\n---\n{{apiVersion: x/v1, kind: {kind}, metadata: {{name: w}}, spec: {{template: {{spec: {pod}}}}}}}"
        );
    }
    text += &format!(
        "\n---\n{{apiVersion: batch/v1, kind: CronJob, metadata: {{name: w}}, spec: {{jobTemplate: {{spec: {{template: {{spec: {pod}}}}}}}}}}}"
    );
    text += &format!(
        "\n---\n{{apiVersion: v1, kind: List, items: [{{apiVersion: v1, kind: Pod, metadata: {{name: w}}, spec: {pod}}}]}}"
    );
    let ran = run(&["review", "-f", "-", "-n", "shop", "-o", "json"], &text);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let workloads = report["workloads"].as_array().unwrap();
    assert_eq!(workloads.len(), 9);
    for workload in workloads {
        assert_eq!(workload["verdict"], json!("denied"), "nobody has the right");
        assert_eq!(workload["namespace"], json!("shop"));
        let places: Vec<Value> = workload["places"]
            .as_array()
            .unwrap()
            .iter()
            .map(|place| json!([place["place"], place["containers"], place["denial"]["reason"]]))
            .collect();
        assert_eq!(
            places,
            [
                json!(["pod", ["b"], "not-authorized"]),
                json!(["container", ["a"], "not-authorized"]),
                json!(["init container", ["i"], "not-authorized"]),
            ],
            "{}",
            workload["kind"]
        );
    }
}

#[test]
fn exit_codes_and_where_words_go() {
    for (args, code, words) in [
        (
            &[
                "-f",
                "examples/4-deployment-pod-level.yaml",
                "-f",
                "examples/1-credential-spec.yaml",
            ][..],
            1,
            "",
        ),
        (&["-f", "examples/1-credential-spec.yaml"], 0, ""),
        (
            &[
                "-f",
                "examples/1-credential-spec.yaml",
                "-f",
                "examples/2-role.yaml",
                "-f",
                "examples/3-role-binding.yaml",
                "-f",
                "examples/4-deployment-pod-level.yaml",
            ],
            0,
            "",
        ),
        (
            &[
                "-f",
                "examples/1-credential-spec.yaml",
                "-f",
                "examples/2-role.yaml",
                "-f",
                "examples/3-role-binding.yaml",
                "-f",
                "examples/4-deployment-pod-level.yaml",
                "--fail-on",
                "warning",
            ],
            1,
            "",
        ),
        (&["-f", "no-such-file.yaml"], 2, "failed to read no-such-file.yaml"),
        (&["-f", "README.md"], 2, "README.md"),
        (&["-f", "/dev/null"], 2, "failed to find a Kubernetes object"),
        (&["-f", "examples", "-n", "Bad NS"], 2, "\"Bad NS\" is not a namespace name"),
        (&[], 2, "--filename"),
        (&["-f", "examples", "--fail-on", "loud"], 2, "error, warning or info"),
        (&["-f", "examples", "-o", "png"], 2, "png"),
        (
            &["-f", "examples", "--cluster", "--kubeconfig", "no-such-kubeconfig"],
            3,
            "no-such-kubeconfig",
        ),
    ] {
        let ran = review(args);
        assert_eq!(ran.code, code, "{args:?}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(words), "{args:?}: {}", ran.stderr);
        assert_eq!(ran.stdout.is_empty(), code > 1, "{args:?}");
        assert!(!ran.stdout.contains('\u{1b}'), "colour without a terminal");
    }
}

#[test]
fn a_bad_document_stops_the_review_with_its_line() {
    let text =
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {}\n---\nkind: Pod\nkind: Pod\n";
    let ran = run(&["review", "-f", "-"], text);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("-:7"), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
    let strange = run(
        &["review", "-f", "-"],
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: 5}\n",
    );
    assert_eq!(strange.code, 2);
    assert!(strange.stderr.contains("Pod \"a\""), "{}", strange.stderr);
}

#[test]
fn a_directory_may_contain_other_files() {
    let ran = review(&["-f", "deploy"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let said: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(
        said,
        [
            "skipped deploy/base/kustomization.yaml:1: Kustomization is for kustomize: render \
             it first, as kubectl kustomize deploy/base | kubectl gmsa review -f -",
            "skipped deploy/engine/kustomization.yaml:1: Kustomization is for kustomize: render \
             it first, as kubectl kustomize deploy/engine | kubectl gmsa review -f -",
            "skipped deploy/guard/kustomization.yaml:1: Kustomization is for kustomize: render \
             it first, as kubectl kustomize deploy/guard | kubectl gmsa review -f -",
            "skipped deploy/legacy/kustomization.yaml:1: Kustomization is for kustomize: render \
             it first, as kubectl kustomize deploy/legacy | kubectl gmsa review -f -",
            "skipped deploy/monitoring/dashboard.json:1: an object without apiVersion or kind",
        ]
    );
    assert!(ran.stdout.contains("3 workloads, 0 with a GMSA"), "{}", ran.stdout);
    let yaml = review(&["-f", "deploy", "-o", "yaml"]);
    assert!(yaml.stdout.contains("kind: Deployment"), "{}", yaml.stdout);
    assert!(!yaml.stdout.contains("Kustomization") && !yaml.stdout.contains("panels"));
    let values = review(&["-f", "charts/gmsa/values.yaml"]);
    assert_eq!(values.code, 2, "{}", values.stdout);
    assert!(values.stderr.contains("failed to find a Kubernetes object"), "{}", values.stderr);
}

#[test]
fn a_template_with_init_containers_alone_is_judged() {
    let text = r#"{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"template": {"spec": {"initContainers": [{"name": "setup", "securityContext":
        {"windowsOptions": {"gmsaCredentialSpecName": "webapp"}}}]}}}}"#;
    let ran = run(&["review", "-f", "-"], text);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stdout.contains("1 workload, 1 with a GMSA"), "{}", ran.stdout);
}

#[test]
fn the_same_object_twice_is_reported() {
    let file = "examples/1-credential-spec.yaml";
    let ran = review(&["-f", file, "-f", file]);
    assert_eq!(ran.code, 0);
    assert!(ran.stderr.contains("is in examples/1-credential-spec.yaml:1 too"), "{}", ran.stderr);
}

#[test]
fn help_version_and_completion() {
    let help = run(&["--help"], "");
    assert_eq!(help.code, 0);
    assert!(help.stdout.contains("kubectl gmsa"), "{}", help.stdout);
    let version = run(&["version"], "");
    assert_eq!(version.stdout, concat!("kubectl-gmsa ", env!("CARGO_PKG_VERSION"), "\n"));
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = run(&["completion", shell], "");
        assert!(script.stdout.contains("review"), "{shell}");
    }
}

#[test]
fn a_pipe_whose_program_failed_is_not_a_review() {
    for nothing in ["", "# nothing but a comment\n", "---\n---\n"] {
        let ran: Ran = plugin(&["review", "-f", "-"]).write_stdin(nothing).output().unwrap().into();
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{nothing:?}");
        assert!(ran.stderr.contains("see whether it failed"), "{}", ran.stderr);
    }
}

#[test]
fn a_name_without_its_quotes_is_explained() {
    for (name, what) in [("123", "the number 123"), ("n", "the boolean false")] {
        let pod = format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec: {{}}\n");
        let spec = format!(
            "apiVersion: windows.k8s.io/v1\nkind: GMSACredentialSpec\nmetadata: {{name: {name}}}\n"
        );
        let of = |args: &[&str], text: &str| -> String {
            let ran: Ran = plugin(args).write_stdin(text).output().unwrap().into();
            assert!(ran.code > 0, "{}", ran.stdout);
            ran.stdout + &ran.stderr
        };
        for (args, text) in
            [(&["review", "-f", "-"][..], &pod), (&["credspec", "lint", "-f", "-"], &spec)]
        {
            let words = of(args, text);
            let wanted = format!("it is {what}, not a string; write it in quotes");
            assert!(words.contains(&wanted), "{words}");
        }
    }
}
