//! The Helm chart, by the real helm: the same objects as install, and a release that works.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use gmsa_cluster::apply::Applier;
use gmsa_cluster::install::{self, Certificates, Options, Version};
use gmsa_testkit::control_plane::{self, ControlPlane};
use gmsa_testkit::objects;
use gmsa_testkit::process::eventually;
use gmsa_testkit::stand_in::StandIn;
use gmsa_testkit::tools;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, PostParams};
use serde_json::{Value, json};
use support::webhook;

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../charts/gmsa");
const SOON: Duration = Duration::from_mins(1);

/// Helm, if it is there.
fn helm(test: &str) -> Option<PathBuf> {
    tools::find(test, "helm")
}

fn run(helm: &Path, args: &[&str]) -> Result<String, String> {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(helm).env("HOME", home.path()).args(args).output().unwrap();
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// The rendered objects by kind and name, without what helm and install each add for themselves.
fn rendered(helm: &Path, version: &str, sets: &[&str]) -> BTreeMap<String, Value> {
    let mut args = vec!["template", "gmsa", CHART, "-n", "gmsa-webhook", "--kube-version", version];
    for set in sets {
        args.extend(["--set", set]);
    }
    let text = run(helm, &args).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("rendered.yaml");
    std::fs::write(&file, text).unwrap();
    let manifests =
        gmsa_cluster::manifests::read(&[gmsa_cluster::manifests::Input::Path(file)]).unwrap();
    assert!(manifests.unreadable.is_empty());
    by_name(manifests.documents.into_iter().map(|document| document.value))
}

fn by_name(objects: impl Iterator<Item = Value>) -> BTreeMap<String, Value> {
    objects
        .filter(|object| {
            // A chart does not make namespaces, and its definition lies in crds/.
            !["Namespace", "CustomResourceDefinition"].contains(&object["kind"].as_str().unwrap())
        })
        .map(|mut object| {
            if object["kind"] == "Deployment" {
                object["metadata"].as_object_mut().unwrap().remove("annotations");
            }
            (gmsa_cluster::apply::shown(&object), object)
        })
        .collect()
}

#[test]
fn the_chart_renders_what_install_makes() {
    let Some(helm) = helm("the_chart_renders_what_install_makes") else { return };
    let defaults = Options::default;
    let cases: [(&str, &[&str], Options); 8] = [
        ("1.30.0", &[], defaults()),
        ("1.20.2", &["legacyNamespacesLabelled=true"], defaults()),
        (
            "1.27.0",
            &["namespacesOptIn=true", "randomHostname=true", "replicaCount=3"],
            Options { namespaces_opt_in: true, random_hostname: true, replicas: 3, ..defaults() },
        ),
        (
            "1.36.0",
            &[
                "hostNetwork=true",
                "port=10443",
                "timeoutSeconds=3",
                "priorityClassName=high",
                "mutatingFailurePolicy=Ignore",
                "imagePullSecrets[0].name=pull",
            ],
            Options {
                host_network: true,
                port: 10443,
                timeout_seconds: 3,
                priority_class: Some("high".to_owned()),
                mutating_may_be_skipped: true,
                image_pull_secrets: vec!["pull".to_owned()],
                ..defaults()
            },
        ),
        (
            "1.30.0",
            &[
                "certificates.certManager.enabled=true",
                "viewerRole=true",
                "networkPolicy.enabled=true",
                "serviceMonitor.enabled=true",
            ],
            Options {
                certificates: Certificates::CertManager,
                viewer_role: true,
                network_policy: true,
                service_monitor: true,
                ..defaults()
            },
        ),
        (
            "1.30.0",
            &["earlyWarnings=true", "namespacesOptIn=true"],
            Options { early_warnings: true, namespaces_opt_in: true, ..defaults() },
        ),
        (
            "1.20.2",
            &[
                "earlyWarnings=true",
                "legacyNamespacesLabelled=true",
                "certificates.certManager.enabled=true",
                "timeoutSeconds=2",
            ],
            Options {
                early_warnings: true,
                certificates: Certificates::CertManager,
                timeout_seconds: 2,
                ..defaults()
            },
        ),
        (
            "1.30.0",
            &[
                "certificates.source=files",
                "global.systemDefaultRegistry=mirror.example",
                "image.tag=v9",
            ],
            Options {
                certificates: Certificates::Files,
                image: "mirror.example/ghcr.io/kube-gmsa/gmsa-webhook:v9".to_owned(),
                ..defaults()
            },
        ),
    ];
    for (version, sets, options) in cases {
        same(&helm, version, sets, &options);
    }
}

/// Holds what the chart renders against what install makes.
fn same(helm: &Path, version: &str, sets: &[&str], options: &Options) {
    let parsed: Version = version.parse().unwrap();
    let made = install::objects(options, parsed);
    let made = by_name(made.base.into_iter().chain(made.webhooks));
    let chart = rendered(helm, version, sets);
    assert_eq!(
        chart.keys().collect::<Vec<_>>(),
        made.keys().collect::<Vec<_>>(),
        "{version} {sets:?}"
    );
    for (name, object) in &made {
        assert_eq!(&chart[name], object, "{name} with {sets:?}");
    }
}

#[test]
fn the_chart_renders_the_audit_as_install_makes_it() {
    let Some(helm) = helm("the_chart_renders_the_audit_as_install_makes_it") else { return };
    let defaults = Options::default;
    let cases: [(&str, &[&str], Options); 2] = [
        (
            "1.30.0",
            &["audit.enabled=true", "imagePullSecrets[0].name=pull"],
            Options { audit: true, image_pull_secrets: vec!["pull".to_owned()], ..defaults() },
        ),
        (
            "1.20.2",
            &["audit.enabled=true", "audit.schedule=@daily", "legacyNamespacesLabelled=true"],
            Options { audit: true, audit_schedule: "@daily".to_owned(), ..defaults() },
        ),
    ];
    for (version, sets, options) in cases {
        same(&helm, version, sets, &options);
    }
}

#[test]
fn the_chart_is_sound_and_says_what_it_does_not_take() {
    let Some(helm) = helm("the_chart_is_sound_and_says_what_it_does_not_take") else { return };
    run(&helm, &["lint", "--strict", CHART]).unwrap();
    let refused = |version: &str, set: &str| {
        run(&helm, &["template", "gmsa", CHART, "--kube-version", version, "--set", set])
            .expect_err(set)
    };
    assert!(refused("1.30.0", "replicaCount=0").contains("replicaCount"));
    assert!(refused("1.30.0", "mutatingFailurePolicy=Sometimes").contains("mutatingFailurePolicy"));
    assert!(refused("1.27.0", "replicaCount=2").contains("kubectl label namespace kube-system"));
}

#[test]
fn a_credential_spec_by_the_values_of_the_windows_gmsa_chart_has_no_findings() {
    let test = "a_credential_spec_by_the_values_of_the_windows_gmsa_chart_has_no_findings";
    let Some(helm) = helm(test) else { return };
    let chart = rendered(
        &helm,
        "1.30.0",
        &[
            "credential.enabled=true",
            "credential.domainJoinConfig.dnsName=contoso.com",
            "credential.domainJoinConfig.dnsTreeName=contoso.com",
            "credential.domainJoinConfig.guid=244818ae-87ac-4fcd-92ec-e79e5252348a",
            "credential.domainJoinConfig.machineAccountName=WebApp_1",
            "credential.domainJoinConfig.netBiosName=CONTOSO",
            "credential.domainJoinConfig.sid=S-1-5-21-2126449477-2524075714-3094792973",
        ],
    );
    let spec = &chart["gmsacredentialspec/webapp-1"];
    assert_eq!(spec["metadata"]["annotations"]["helm.sh/resource-policy"], "keep");
    let findings = gmsa_core::credspec::lint_contents(&spec["credspec"]);
    assert!(findings.is_empty(), "{findings:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_admits_pods_and_leaves_credential_specs_behind() {
    let test = "a_release_admits_pods_and_leaves_credential_specs_behind";
    let Some(helm) = helm(test) else { return };
    let options = control_plane::Options { with_controller_manager: true, ..Default::default() };
    let Some(plane) = ControlPlane::start_private(test, options).await else { return };
    let client = plane.client().await;
    let _stand_in = StandIn::start(&plane, webhook()).await;
    let applier = Applier::new(client.clone(), "test", true);
    for namespace in ["kube-system", install::NAME] {
        applier
            .apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata":
                {"name": namespace, "labels": {install::NAMESPACE_LABEL: install::DISABLED}}}))
            .await
            .unwrap();
    }
    let kubeconfig = plane.kubeconfig_path();
    let release = async |args: &[&str]| {
        let mut all: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        all.extend(["-n".to_owned(), install::NAME.to_owned()]);
        all.push(format!("--kubeconfig={}", kubeconfig.display()));
        let helm = helm.clone();
        let done = tokio::task::spawn_blocking(move || {
            run(&helm, &all.iter().map(String::as_str).collect::<Vec<_>>())
        });
        done.await.unwrap().unwrap()
    };
    // Helm checks what it sends against the schema, which newer servers put together a while after
    // they are ready.
    eventually("the API server serves its schema", SOON, || async {
        let request =
            kube::api::Request::new("/openapi").get("v2", &kube::api::GetParams::default()).ok()?;
        client.request_text(request).await.ok()
    })
    .await;
    let labelled = "legacyNamespacesLabelled=true";
    release(&["install", "gmsa", CHART, "--set", labelled]).await;
    for object in [
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "web"}}),
        objects::credential_spec("spec", "WebApp1"),
        objects::role("spec"),
        objects::binding("spec", "web", "default"),
    ] {
        eventually("the object is taken", SOON, || async { applier.apply(&object).await.ok() })
            .await;
    }
    let pod: Pod =
        serde_json::from_value(objects::pod("web", "probe", &objects::gmsa(Some("spec"), None)))
            .unwrap();
    let pods: Api<Pod> = Api::namespaced(client.clone(), "web");
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    let expanded = async || {
        let pod = serde_json::to_value(pods.create(&dry, &pod).await.ok()?).unwrap();
        pod.pointer("/spec/securityContext/windowsOptions/gmsaCredentialSpec").cloned()
    };
    eventually("the pod is expanded", SOON, &expanded).await;
    release(&["upgrade", "gmsa", CHART, "--set", labelled, "--set", "randomHostname=true"]).await;
    eventually("the pod is expanded after the upgrade", SOON, &expanded).await;

    release(&["uninstall", "gmsa"]).await;
    let spec = objects::credential_spec("spec", "WebApp1");
    assert!(applier.live(&spec).await.unwrap().is_some(), "the credential spec is gone");
    let created = pods.create(&dry, &pod).await.expect("nothing is asked any more");
    let created = serde_json::to_value(created).unwrap();
    let at = "/spec/securityContext/windowsOptions/gmsaCredentialSpec";
    assert!(created.pointer(at).is_none());
}
