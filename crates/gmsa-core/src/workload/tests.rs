use serde_json::json;

use super::*;
use crate::finding::{Code, Finding};
use crate::pod::Pod;

fn pod_spec(more: &Value) -> Value {
    let mut spec = json!({"nodeSelector": {"kubernetes.io/os": "windows"},
        "containers": [{"name": "web", "image": "web"}]});
    for (key, value) in more.as_object().unwrap() {
        spec[key] = value.clone();
    }
    spec
}

fn deployment(spec: &Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"template": {"metadata": {"labels": {"a": "b"}}, "spec": spec}}})
}

/// What is found, as `code path`.
fn found(object: &Value) -> Vec<String> {
    let findings = unread(object, &templates(object));
    findings.iter().map(|one| format!("{} {}", one.code, one.path.as_deref().unwrap())).collect()
}

const GOOD: &str = "gmsaCredentialSpecName";

#[test]
fn templates_are_found_below_any_path() {
    let template = json!({"spec": pod_spec(&json!({}))});
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"},
        "spec": {"template": template}});
    for (kind, object, pointers) in [
        ("Pod", json!({"spec": template["spec"]}), vec![""]),
        ("PodTemplate", json!({"template": template}), vec!["/template"]),
        ("CronJob", json!({}), vec!["/spec/jobTemplate/spec/template"]),
        ("Service", json!({"spec": {"template": template}}), vec!["/spec/template"]),
        (
            "ScaledJob",
            json!({"spec": {"jobTargetRef": {"template": template}}}),
            vec!["/spec/jobTargetRef/template"],
        ),
        (
            "RayCluster",
            json!({"spec": {"head": {"template": template},
            "workers": [{"template": template}, {"x": 1}, {"template": template}]}}),
            vec!["/spec/head/template", "/spec/workers/0/template", "/spec/workers/2/template"],
        ),
        (
            "ManifestWork",
            json!({"spec": {"manifests": [job]}}),
            vec!["/spec/manifests/0/spec/template"],
        ),
        ("Operated", json!({"spec": {"podSpec": template["spec"], "size": 1}}), vec!["/spec"]),
        ("Sized", json!({"spec": {"podSpec": {"size": 1}}}), vec![]),
        ("HelmRelease", json!({"spec": {"values": {"securityContext": {}}}}), vec![]),
        ("Machines", json!({"spec": {"template": {"spec": {"size": 1}}}}), vec![]),
        (
            "Odd",
            json!({"status": {"template": template}, "metadata": {"template": template}}),
            vec![],
        ),
    ] {
        let mut object = object;
        let group = ["Pod", "PodTemplate", "Service"].contains(&kind);
        let version = match kind {
            "CronJob" => "batch/v1",
            _ if group => "v1",
            _ => "x.example/v1",
        };
        object["apiVersion"] = json!(version);
        object["kind"] = json!(kind);
        let found = templates(&object);
        let found: Vec<&str> = found.iter().map(|one| one.pointer.as_str()).collect();
        assert_eq!(found, pointers, "{object}");
    }
    // What describes fields has none.
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition", "spec": {"template": template}});
    assert_eq!(templates(&definition), []);
}

#[test]
fn what_is_misspelled_or_misplaced_is_found() {
    let context = |key: &str| json!({"securityContext": {"windowsOptions": {key: "gmsa"}}});
    for (spec, path) in [
        (
            context("gmsaCredentialspecName"),
            "securityContext.windowsOptions.gmsaCredentialspecName",
        ),
        (
            context("GMSACredentialSpecName"),
            "securityContext.windowsOptions.GMSACredentialSpecName",
        ),
        (context("gmsa_credential_spec"), "securityContext.windowsOptions.gmsa_credential_spec"),
        (
            context("gmasCredentialSpecName"),
            "securityContext.windowsOptions.gmasCredentialSpecName",
        ),
        (context("credentialSpecName"), "securityContext.windowsOptions.credentialSpecName"),
        (context("gmsa"), "securityContext.windowsOptions.gmsa"),
        (json!({"securityContext": {GOOD: "gmsa"}}), "securityContext.gmsaCredentialSpecName"),
        (json!({"windowsOptions": {GOOD: "gmsa"}}), "windowsOptions.gmsaCredentialSpecName"),
        (
            json!({"securityContext": {"windowsoptions": {GOOD: "gmsa"}}}),
            "securityContext.windowsoptions.gmsaCredentialSpecName",
        ),
        (
            json!({"containers": [{"name": "a", "windowsOptions": {GOOD: "gmsa"}}]}),
            "containers[0].windowsOptions.gmsaCredentialSpecName",
        ),
        (json!({"nodeSelector": {GOOD: "gmsa"}}), "nodeSelector.gmsaCredentialSpecName"),
    ] {
        let object = deployment(&pod_spec(&spec));
        let expected = format!("field-not-read spec.template.spec.{path}");
        assert_eq!(found(&object), [expected], "{object}");
    }
    let mut outside = deployment(&pod_spec(&json!({})));
    outside["spec"]["securityContext"] = json!({"windowsOptions": {GOOD: "gmsa"}});
    assert_eq!(
        found(&outside),
        ["field-not-read spec.securityContext.windowsOptions.gmsaCredentialSpecName"]
    );
    let mut old = deployment(&pod_spec(&json!({})));
    old["spec"]["template"]["metadata"]["annotations"] =
        json!({"pod.alpha.windows.kubernetes.io/gmsa-credential-spec-name": "gmsa"});
    let [finding] = &unread(&old, &templates(&old))[..] else { panic!() };
    assert_eq!(finding.code, Code::FieldNotRead);
    assert!(
        finding.message.ends_with(
            "move it to spec.template.spec.securityContext.windowsOptions.gmsaCredentialSpecName"
        ),
        "{}",
        finding.message
    );
}

#[test]
fn the_message_names_the_nearest_place_and_no_contents() {
    let spec = json!({"containers": [{"name": "a", "image": "a",
        "securityContext": {"gmsaCredentialSpec": "{\"secret\": 1}"}}]});
    let object = deployment(&spec);
    let [finding] = &unread(&object, &templates(&object))[..] else { panic!() };
    assert!(
        finding.message.contains(
            "move it to spec.template.spec.containers[0].securityContext.windowsOptions.\
             gmsaCredentialSpecName, as the name"
        ),
        "{}",
        finding.message
    );
    assert!(!finding.message.contains("secret"), "{}", finding.message);
}

#[test]
fn what_cannot_be_judged_is_named() {
    for (object, path) in [
        (
            json!({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "spec": {
                "values": {"podSecurityContext": {"windowsOptions": {GOOD: "gmsa"}}}}}),
            "spec.values.podSecurityContext.windowsOptions.gmsaCredentialSpecName",
        ),
        (
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "spec": {
                "source": {"helm": {"values": "windowsOptions:\n  gmsaCredentialSpecName: a\n"}}}}),
            "spec.source.helm.values",
        ),
        (
            json!({"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
                "patches": [{"patch": "{\"gmsaCredentialSpecName\": \"a\"}"}]}),
            "patches[0].patch",
        ),
        (
            json!({"podSecurityContext": {GOOD: "gmsa"}}),
            "podSecurityContext.gmsaCredentialSpecName",
        ),
    ] {
        assert_eq!(found(&object), [format!("credspec-not-judged {path}")], "{object}");
    }
}

#[test]
fn what_is_right_or_nothing_to_do_with_it_is_not_found() {
    let good = json!({"securityContext": {"windowsOptions": {GOOD: "gmsa",
        "gmsaCredentialSpec": "{}", "runAsUserName": "a", "hostProcess": false}}});
    let template = json!({"spec": pod_spec(&good)});
    for object in [
        deployment(&pod_spec(&good)),
        deployment(&json!({"containers": [good, {"name": "b"}], "initContainers": [good]})),
        json!({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledJob",
            "metadata": {"labels": {"gmsa-credential-spec": "gmsa"}},
            "spec": {"jobTargetRef": {"template": template}}}),
        json!({"apiVersion": "windows.k8s.io/v1", "kind": "GMSACredentialSpec", "credspec": {}}),
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "spec": {"properties": {GOOD: {"type": "string"}}}}),
        json!({"apiVersion": "apps/v1", "kind": "ControllerRevision", "data": {"spec": {
            "template": {"spec": good}}}}),
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "spec": {
            "clusterResourceWhitelist": [{"kind": "GMSACredentialSpec"}]}}),
        json!({"apiVersion": "v1", "kind": "Service", "spec": {"selector": {"gmsa-spec": "x"}}}),
        deployment(&pod_spec(&json!({"securityContext": {"windowsOptions": {GOOD: null}}}))),
    ] {
        assert_eq!(found(&object), [""; 0], "{object}");
    }
    // A label may say which credential spec a pod has, and an annotation holds what was applied.
    let mut labelled = deployment(&pod_spec(&good));
    labelled["metadata"]["labels"] = json!({GOOD: "gmsa", "gmsa-credential-spec": "gmsa"});
    labelled["metadata"]["annotations"] = json!({
        "kubectl.kubernetes.io/last-applied-configuration": "{\"gmsaCredentialSpecName\":\"a\"}"});
    labelled["metadata"]["managedFields"] = json!([{"manager": "kubectl", "fieldsV1": {"f:spec":
        {"f:securityContext": {"f:windowsOptions": {"f:gmsaCredentialSpecName": {}}}}}}]);
    assert_eq!(found(&labelled), [""; 0]);
    let mut without = deployment(&pod_spec(&json!({})));
    without["metadata"]["labels"] = json!({GOOD: "gmsa"});
    assert_eq!(found(&without), ["field-not-read metadata.labels.gmsaCredentialSpecName"]);
}

fn of_pod(spec: &Value) -> Vec<Finding> {
    let mut spec = spec.clone();
    spec["securityContext"]["windowsOptions"][GOOD] = json!("gmsa");
    if spec.get("containers").is_none() {
        spec["containers"] = json!([{"name": "web", "image": "web"}]);
    }
    let object = json!({"apiVersion": "v1", "kind": "Pod", "spec": spec});
    let text = object.to_string();
    let pod: Pod<'_> = serde_json::from_str(&text).unwrap();
    pod_findings(&object, &pod)
}

#[test]
fn fields_of_another_system() {
    for (spec, fields) in [
        (
            json!({"os": {"name": "windows"}, "securityContext": {"runAsUser": 1, "fsGroup": 2}}),
            "spec.securityContext.fsGroup, spec.securityContext.runAsUser beside os.name: windows",
        ),
        (
            json!({"os": {"name": "windows"}, "hostPID": true, "hostIPC": false,
                "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "x"}},
                "containers": [{"name": "a", "image": "a", "securityContext":
                    {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}]}),
            "spec.hostPID, spec.securityContext.seccompProfile, \
             spec.containers[0].securityContext.capabilities, \
             spec.containers[0].securityContext.allowPrivilegeEscalation beside",
        ),
        (
            json!({"os": {"name": "linux"}}),
            "spec.securityContext.windowsOptions beside os.name: linux; set os.name: windows",
        ),
    ] {
        let found = of_pod(&spec);
        assert_eq!(found.len(), 1, "{spec}: {found:?}");
        assert_eq!(found[0].code, Code::FieldOfAnotherSystem);
        assert!(found[0].message.contains(fields), "{}", found[0].message);
    }
    for spec in [
        json!({"securityContext": {"runAsUser": 1000, "fsGroup": 2000}}),
        json!({"os": {"name": "windows"}, "securityContext": {"runAsNonRoot": true}}),
        json!({"os": {"name": "windows"}, "securityContext": {"sysctls": []}}),
    ] {
        assert_eq!(of_pod(&spec), [], "{spec}");
    }
}

#[test]
fn users_without_the_identity() {
    let user = |name: &str, image: &str| {
        of_pod(&json!({"securityContext": {"windowsOptions": {"runAsUserName": name}},
            "containers": [{"name": "web", "image": image}]}))
    };
    for name in [
        "NT AUTHORITY\\NetworkService",
        "nt authority\\system",
        "NT AUTHORITY\\NETWORK SERVICE",
        "ContainerUser",
        "ContainerAdministrator",
        "User Manager\\ContainerAdministrator",
        "IIS APPPOOL\\DefaultAppPool",
        "NT SERVICE\\web",
    ] {
        assert_eq!(user(name, "servercore:ltsc2022"), [], "{name}");
    }
    for (name, image, says) in [
        ("svc-web", "web", "a user without an identity in the domain"),
        (".\\svc-web", "web", "a user without an identity in the domain"),
        ("NT AUTHORITY\\LocalService", "web", "a user without an identity in the domain"),
        ("CONTOSO\\WebApp1$", "web", "the account is not written here"),
        ("WebApp1$", "web", "the account is not written here"),
        ("webapp1@contoso.com", "web", "the account is not written here"),
        ("ContainerUser", "nanoserver:ltsc2022", "nanoserver ltsc2022 (build 20348)"),
        ("ContainerAdministrator", "nanoserver:ltsc2025", "nanoserver ltsc2025 (build 26100)"),
    ] {
        let found = user(name, image);
        assert_eq!(found.len(), 1, "{name} {image}: {found:?}");
        assert_eq!(found[0].code, Code::UserWithoutIdentity);
        assert!(found[0].message.contains(says), "{}", found[0].message);
    }
    assert_eq!(user("ContainerUser", "nanoserver:1809"), []);
}

#[test]
fn images_against_the_build_that_is_selected() {
    let image = |image: &str, build: &str| {
        let label = "node.kubernetes.io/windows-build";
        let found = of_pod(&json!({"nodeSelector": {label: build},
            "containers": [{"name": "web", "image": image}]}));
        found.into_iter().map(|one| one.code).collect::<Vec<_>>()
    };
    for (name, build) in [
        ("servercore:ltsc2019", "10.0.17763"),
        ("servercore:ltsc2022", "10.0.20348"),
        ("servercore:ltsc2022", "10.0.26100"),
        ("servercore:ltsc2025", "10.0.26100"),
        ("shop/web:1.0", "10.0.17763"),
        ("servercore:ltsc2022", "odd"),
    ] {
        assert_eq!(image(name, build), [], "{name} {build}");
    }
    for (name, build) in [
        ("servercore:ltsc2022", "10.0.17763"),
        ("servercore:ltsc2019", "10.0.20348"),
        ("nanoserver:1809", "10.0.26100"),
        ("servercore:ltsc2025", "10.0.20348"),
    ] {
        assert_eq!(image(name, build), [Code::ImageBuildMismatch], "{name} {build}");
    }
}

#[test]
fn nodes_decide_whether_a_selector_matches_windows_alone() {
    let node = |name: &str, system: &str, pool: &str| {
        json!({"metadata": {"name": name, "labels": {"kubernetes.io/os": system,
            "agentpool": pool}}})
    };
    let nodes = [
        node("a", "windows", "win"),
        node("b", "linux", "lin"),
        node("c", "linux", "mix"),
        node("d", "windows", "mix"),
    ];
    let affinity = |terms: Value| {
        json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution":
            {"nodeSelectorTerms": terms}}}})
    };
    let pool = |operator: &str, values: &[&str]| {
        json!({"matchExpressions": [
            {"key": "agentpool", "operator": operator, "values": values}]})
    };
    for (spec, bound) in [
        (json!({"nodeSelector": {"agentpool": "win"}}), true),
        (json!({"nodeSelector": {"agentpool": "lin"}}), false),
        (json!({"nodeSelector": {"agentpool": "mix"}}), false),
        (json!({"nodeSelector": {"agentpool": "none"}}), false),
        (json!({}), false),
        (affinity(json!([pool("In", &["win"])])), true),
        (affinity(json!([pool("In", &["win"]), pool("In", &["lin"])])), false),
        (affinity(json!([pool("NotIn", &["lin", "mix"])])), true),
        (
            affinity(json!([{"matchFields": [
            {"key": "metadata.name", "operator": "In", "values": ["d"]}]}])),
            true,
        ),
        (affinity(json!([{}])), false),
    ] {
        assert_eq!(selects_windows_nodes_only(&spec, &nodes), bound, "{spec}");
    }
    assert!(!selects_windows_nodes_only(&json!({}), &[]));
}

#[test]
fn a_binding_that_cannot_be_seen_is_said_to_be_that() {
    let warning = || Finding {
        code: Code::NotBoundToWindows,
        message: "nothing binds it".to_owned(),
        path: None,
    };
    let refined = |spec: Value| {
        let mut warnings = vec![warning()];
        refine_binding(&mut warnings, &spec);
        warnings.into_iter().map(|one| one.message).collect::<Vec<_>>()
    };
    assert_eq!(refined(json!({"tolerations": []})), ["nothing binds it"]);
    let [may] = &refined(json!({"nodeSelector": {"agentpool": "win22"}}))[..] else { panic!() };
    assert!(may.contains("may not be bound") && may.contains("(agentpool=win22)"), "{may}");
    let vendor = json!({"nodeSelector": {"kubernetes.azure.com/os-sku": "Windows2022"}});
    assert_eq!(refined(vendor), [""; 0]);
}
