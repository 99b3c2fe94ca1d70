//! The Helm chart, by the real helm: the same objects as install, and a release that works.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::support::helm::{CHART, Helm, run};
use crate::support::world::{SOON, World};
use gmsa_cluster::installation::{self, Certificates, Engine, Options, Resources, Tls, Version};
use gmsa_core::names;
use gmsa_testkit::objects;
use gmsa_testkit::process::eventually;
use gmsa_testkit::tools;
use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use kube::api::{Api, DeleteParams};
use serde_json::{Value, json};

/// Helm, if it is there.
fn helm(test: &str) -> Option<PathBuf> {
    tools::find(test, "helm")
}

/// The rendered objects by kind and name, without what helm and install each add for themselves.
fn rendered(helm: &Path, version: &str, sets: &[&str]) -> BTreeMap<String, Value> {
    rendered_in(helm, "gmsa-webhook", version, sets)
}

fn rendered_in(
    helm: &Path,
    namespace: &str,
    version: &str,
    sets: &[&str],
) -> BTreeMap<String, Value> {
    let mut args = vec!["template", "gmsa", CHART, "-n", namespace, "--skip-tests"];
    args.extend(["--kube-version", version]);
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
    by_name(manifests.documents.into_iter().map(gmsa_cluster::manifests::Document::into_value))
}

fn by_name(objects: impl Iterator<Item = Value>) -> BTreeMap<String, Value> {
    objects
        .filter(|object| {
            // A chart does not make namespaces, and its definition lies in crds/.
            !["Namespace", "CustomResourceDefinition"].contains(&object["kind"].as_str().unwrap())
        })
        .map(|mut object| {
            // What is kept is compared by its meaning.
            if object["kind"] == "Deployment" {
                let text = object["metadata"]["annotations"][names::OPTIONS].as_str().unwrap();
                let kept: Options = serde_json::from_str(text).unwrap();
                object["metadata"]["annotations"] = serde_json::to_value(kept).unwrap();
            }
            (gmsa_cluster::api::apply::shown(&object), object)
        })
        .collect()
}

#[test]
fn the_chart_adds_annotations_to_its_webhook_configurations() {
    let Some(helm) = helm("the_chart_adds_annotations_to_its_webhook_configurations") else {
        return;
    };
    let sets = ["earlyWarnings=true", "webhookAnnotations.example\\.com/owner=platform"];
    let rendered = rendered(&helm, "1.30.0", &sets);
    let configurations: Vec<&Value> = rendered
        .values()
        .filter(|object| object["kind"].as_str().unwrap().ends_with("WebhookConfiguration"))
        .collect();
    assert_eq!(configurations.len(), 3);
    for object in configurations {
        let annotations = &object["metadata"]["annotations"];
        assert_eq!(annotations["example.com/owner"], "platform", "{object}");
        assert_eq!(annotations["admissions.enforcer/disabled"], "true", "{object}");
    }
}

#[test]
fn the_chart_protects_the_installation_as_install_does() {
    let Some(helm) = helm("the_chart_protects_the_installation_as_install_does") else { return };
    let cert_manager = "certificates.certManager.enabled=true";
    for (namespace, version, sets, certificates) in [
        ("gmsa-webhook", "1.30.0", &["protect=true"][..], Certificates::SelfManaged),
        ("elsewhere", "1.30.0", &["protect=true"], Certificates::SelfManaged),
        ("elsewhere", "1.36.0", &["protect=true", "engine=policy"], Certificates::SelfManaged),
        ("elsewhere", "1.36.0", &["protect=true", cert_manager], Certificates::CertManager),
    ] {
        let options = Options {
            namespace: namespace.to_owned(),
            protect: true,
            certificates,
            ..Options::default()
        };
        let wanted = by_name(installation::objects(&options, Version(1, 30)).policies.into_iter());
        let rendered = rendered_in(&helm, namespace, version, sets);
        for kind in ["policy", "policybinding"] {
            let name = format!("validatingadmission{kind}/{}", names::PROTECTION);
            let spec = |all: &BTreeMap<String, Value>| all[&name]["spec"].clone();
            assert_eq!(spec(&rendered), spec(&wanted), "{namespace} {sets:?}");
        }
    }
}

#[test]
fn the_chart_leaves_out_namespaces_of_the_system_as_install_does() {
    let Some(helm) = helm("the_chart_leaves_out_namespaces_of_the_system_as_install_does") else {
        return;
    };
    let rendered = rendered(&helm, "1.30.0", &["skipSystemNamespaces=true"]);
    let options = Options { skip_system_namespaces: true, ..Options::default() };
    for wanted in installation::objects(&options, "1.30".parse().unwrap()).webhooks {
        let selector = |object: &Value| object["webhooks"][0]["namespaceSelector"].clone();
        let made = rendered.values().find(|object| object["kind"] == wanted["kind"]).unwrap();
        assert_eq!(selector(made), selector(&wanted));
        assert_eq!(selector(made)["matchExpressions"][0]["values"][0], "kube-system");
    }
}

#[test]
fn the_chart_renders_the_tls_settings_as_install_makes_them() {
    let Some(helm) = helm("the_chart_renders_the_tls_settings_as_install_makes_them") else {
        return;
    };
    let defaults = Options::default;
    let cases: [(&str, &[&str], Options); 2] = [
        (
            "1.30.0",
            &[
                "tls.minVersion=VersionTLS13",
                "tls.cipherSuites={TLS_AES_128_GCM_SHA256,TLS_AES_256_GCM_SHA384}",
                "tls.curves={X25519MLKEM768,CurveP256}",
                "metrics.https=true",
                "serviceMonitor.enabled=true",
            ],
            Options {
                tls: Tls {
                    min_version: "VersionTLS13".to_owned(),
                    cipher_suites: ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"]
                        .map(str::to_owned)
                        .into(),
                    curves: ["X25519MLKEM768", "CurveP256"].map(str::to_owned).into(),
                    follow_cluster_profile: false,
                },
                metrics_https: true,
                service_monitor: true,
                ..defaults()
            },
        ),
        (
            "1.30.0",
            &["tls.followClusterProfile=true"],
            Options { tls: Tls { follow_cluster_profile: true, ..Tls::default() }, ..defaults() },
        ),
    ];
    for (version, sets, options) in cases {
        let wanted = installation::objects(&options, version.parse().unwrap());
        let wanted = by_name(wanted.base.into_iter().chain(wanted.webhooks));
        let rendered = rendered(&helm, version, sets);
        for kind in ["Deployment", "ServiceMonitor", "ClusterRole", "ClusterRoleBinding"] {
            let of = |all: &BTreeMap<String, Value>| {
                all.values().filter(|one| one["kind"] == kind).cloned().collect::<Vec<_>>()
            };
            assert_eq!(of(&rendered), of(&wanted), "{sets:?}");
        }
    }
}

#[test]
fn the_chart_renders_what_install_makes() {
    let Some(helm) = helm("the_chart_renders_what_install_makes") else { return };
    let defaults = Options::default;
    let cases: [(&str, &[&str], Options); 9] = [
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
            &[
                "prometheusRule.enabled=true",
                "dashboard.enabled=true",
                "nodeSelector.pool=infra",
                "tolerations[0].key=dedicated",
                "tolerations[0].operator=Exists",
            ],
            Options {
                prometheus_rule: true,
                dashboard: true,
                node_selector: [("pool".to_owned(), "infra".to_owned())].into(),
                tolerations: vec![json!({"key": "dedicated", "operator": "Exists"})],
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

#[test]
fn the_chart_renders_the_policy_engine_as_install_makes_it() {
    let test = "the_chart_renders_the_policy_engine_as_install_makes_it";
    let Some(helm) = helm(test) else { return };
    let policy = || Options { engine: Engine::Policy, ..Options::default() };
    same(&helm, "1.36.0", &["engine=policy"], &policy());
    let more =
        ["engine=policy", "certificates.source=files", "audit.enabled=true", "earlyWarnings=true"];
    let options = Options {
        certificates: Certificates::Files,
        audit: true,
        early_warnings: true,
        ..policy()
    };
    same(&helm, "1.36.0", &more, &options);
}

/// Holds what the chart renders against what install makes.
fn same(helm: &Path, version: &str, sets: &[&str], options: &Options) {
    let parsed: Version = version.parse().unwrap();
    let made = installation::objects(options, parsed);
    let made = by_name(made.iter().cloned());
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
            &[
                "audit.enabled=true",
                "imagePullSecrets[0].name=pull",
                "nodeSelector.pool=infra",
                "tolerations[0].key=dedicated",
                "tolerations[0].operator=Exists",
                "resources.requests.cpu=250m",
                "resources.limits.memory=1Gi",
            ],
            Options {
                audit: true,
                image_pull_secrets: vec!["pull".to_owned()],
                node_selector: [("pool".to_owned(), "infra".to_owned())].into(),
                tolerations: vec![json!({"key": "dedicated", "operator": "Exists"})],
                resources: Resources {
                    cpu_request: "250m".to_owned(),
                    memory_limit: "1Gi".to_owned(),
                    ..Resources::default()
                },
                ..defaults()
            },
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
fn an_image_is_named_by_its_tag_or_its_digest() {
    let Some(helm) = helm("an_image_is_named_by_its_tag_or_its_digest") else { return };
    let digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    for (tag, image) in [
        ("v9".to_owned(), "registry/webhook:v9".to_owned()),
        (digest.to_owned(), format!("registry/webhook@{digest}")),
        (format!("v9@{digest}"), format!("registry/webhook:v9@{digest}")),
    ] {
        let tag = format!("image.tag={tag}");
        let objects = rendered(&helm, "1.30.0", &["image.repository=registry/webhook", &tag]);
        let deployment = &objects["deployment/gmsa-webhook"];
        let container = &deployment["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["image"], image.as_str(), "{tag}");
    }
}

#[test]
fn the_chart_is_sound_and_rejects_unknown_values() {
    let Some(helm) = helm("the_chart_is_sound_and_rejects_unknown_values") else { return };
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

/// What the windows-gmsa chart calls so is called so here.
#[test]
fn values_of_the_windows_gmsa_chart_mean_the_same() {
    let Some(helm) = helm("values_of_the_windows_gmsa_chart_mean_the_same") else { return };
    let sets = [
        "replicaCount=4",
        "containerPort=9444",
        "image.imagePullPolicy=Always",
        "setPodOs=true",
        "global.systemDefaultRegistry=mirror.example",
        "nodeSelector.pool=infra",
        "tolerations[0].key=infra",
        "affinity.nodeAffinity.x=y",
        "podDisruptionBudget.enabled=true",
        "podDisruptionBudget.minAvailable=3",
        "podSecurityContext.runAsUser=1234",
        "podSecurityContext.fsGroup=7",
        "securityContext.capabilities=null",
        "viewerRole=true",
        "qps=1e+06",
        "burst=500",
        "randomHostname=true",
        "certificates.certManager.enabled=true",
        "certificates.certManager.version=v1.16.2",
        "certificates.certReload.enabled=false",
        "certificates.secretName=gmsa-server-cert",
    ];
    let chart = rendered(&helm, "1.30.0", &sets);
    let deployment = &chart["deployment/gmsa-webhook"]["spec"];
    let pod = &deployment["template"]["spec"];
    let container = &pod["containers"][0];
    assert_eq!(deployment["replicas"], 4);
    let image = container["image"].as_str().unwrap();
    assert!(image.starts_with("mirror.example/ghcr.io/kube-gmsa/gmsa-webhook:"), "{image}");
    assert_eq!(container["imagePullPolicy"], "Always");
    assert_eq!(container["ports"][0]["containerPort"], 9444);
    let args: Vec<&str> =
        container["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
    for arg in ["--https-port=9444", "--random-hostname=true", "--burst=500"] {
        assert!(args.contains(&arg), "{arg}: {args:?}");
    }
    // The server takes every flag that the chart can give it.
    let given = std::iter::once("gmsa-webhook").chain(args.iter().copied());
    let parsed = gmsa_webhook::config::parse(given.map(Into::into), |_| None).unwrap();
    assert_eq!(parsed.qps, Some(1e6));
    assert_eq!(
        container["securityContext"],
        json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true})
    );
    assert_eq!(pod["os"]["name"], "linux");
    assert_eq!(pod["nodeSelector"], json!({"kubernetes.io/os": "linux", "pool": "infra"}));
    assert_eq!(pod["tolerations"][0]["key"], "infra");
    assert_eq!(pod["affinity"]["nodeAffinity"]["x"], "y");
    assert_eq!(pod["securityContext"]["runAsUser"], 1234);
    assert_eq!(pod["securityContext"]["fsGroup"], 7);
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(pod["volumes"][0]["secret"]["secretName"], "gmsa-server-cert");
    let certificate = &chart["certificate/gmsa-webhook"]["spec"];
    assert_eq!(certificate["secretName"], "gmsa-server-cert");
    let budget = &chart["poddisruptionbudget/gmsa-webhook"]["spec"];
    assert_eq!((&budget["minAvailable"], &budget["maxUnavailable"]), (&json!(3), &Value::Null));
    assert!(chart.contains_key("clusterrole/gmsa-webhook-viewer"));
    let without = rendered(&helm, "1.30.0", &["podDisruptionBudget.enabled=false"]);
    assert!(!without.contains_key("poddisruptionbudget/gmsa-webhook"));
    let files = ["certificates.source=files", "certificates.caBundle=QQ=="];
    let files = rendered(&helm, "1.30.0", &files);
    let webhook = &files["validatingwebhookconfiguration/gmsa-webhook"]["webhooks"][0];
    assert_eq!(webhook["clientConfig"]["caBundle"], "QQ==");
}

#[test]
fn the_guid_of_a_plugin_is_taken_with_braces_and_without() {
    let Some(helm) = helm("the_guid_of_a_plugin_is_taken_with_braces_and_without") else { return };
    let guid = "e4781092-f116-4b79-b55e-28eb6a224e26";
    let with = |guid: &str| {
        format!(
            "credential.enabled=true,credential.domainJoinConfig.machineAccountName=WebApp1,\
             credential.hostAccountConfig.pluginInput=shop:ad-user,\
             credential.hostAccountConfig.pluginGUID={guid}"
        )
    };
    for written in [guid.to_owned(), format!("\\{{{guid}\\}}")] {
        let chart = rendered(&helm, "1.30.0", &[&with(&written)]);
        let host = &chart["gmsacredentialspec/webapp1"]["credspec"]["ActiveDirectoryConfig"]["HostAccountConfig"];
        assert_eq!(host["PluginGUID"], format!("{{{guid}}}"), "{written}");
    }
    for wrong in ["gmsa", "\\{\\{e4781092-f116-4b79-b55e-28eb6a224e26\\}\\}", "\\{e4781092"] {
        let set = with(wrong);
        let args = ["template", "gmsa", CHART, "--kube-version", "1.30.0", "--set", &set];
        let why = run(&helm, &args).expect_err(wrong);
        assert!(why.contains("pluginGUID"), "{wrong}: {why}");
    }
}

#[test]
fn unsupported_values_are_refused_with_what_to_do() {
    let Some(helm) = helm("unsupported_values_are_refused_with_what_to_do") else {
        return;
    };
    for (set, words) in [
        ("image.repository=registry.k8s.io/gmsa-webhook/k8s-gmsa-webhook", "leave image out"),
        ("containerPort=443", "set port to one from 1024"),
        ("port=9443", "where the server serves its metrics"),
        ("containerPort=9443", "where the server serves its metrics"),
        ("certificates.caBundle=QQ==", "set certificates.source=files"),
        ("certificates.secretName=gmsa-server-cert", "set certificates.source=files"),
        ("certificates.certManager.version=v0.15.0", "upgrade it, or leave certManager out"),
        (
            "podDisruptionBudget.minAvailable=1,podDisruptionBudget.maxUnavailable=1",
            "leave one out",
        ),
        ("tls.followClusterProfile=true,tls.curves={CurveP256}", "leave one out"),
        ("tls.minVersion=VersionTLS10", "minVersion"),
        // A misspelt value is not ignored in silence.
        ("replicasCount=3", "replicasCount"),
        ("networkPolicy.enable=true", "enable"),
        ("extraArgs[0]=log-level", "extraArgs"),
        ("serviceMonitor.interval=often", "interval"),
    ] {
        let args = ["template", "gmsa", CHART, "--kube-version", "1.30.0", "--set", set];
        let why = run(&helm, &args).expect_err(set);
        assert!(why.contains(words), "{set}: {why}");
    }
}

#[test]
fn monitoring_is_that_of_the_repository() {
    let Some(helm) = helm("monitoring_is_that_of_the_repository") else { return };
    let sets = [
        "serviceMonitor.enabled=true",
        "serviceMonitor.labels.release=prometheus",
        "serviceMonitor.interval=30s",
        "prometheusRule.enabled=true",
        "prometheusRule.labels.release=prometheus",
        "dashboard.enabled=true",
        "podAnnotations.note=x",
        "podLabels.team=y",
    ];
    let chart = rendered(&helm, "1.30.0", &sets);
    let monitoring = Path::new(CHART).join("../../deploy/monitoring");
    let alerts = gmsa_cluster::manifests::Input::Path(monitoring.join("alerts.yaml"));
    let alerts = gmsa_cluster::manifests::read(&[alerts]).unwrap();
    let rule = &chart["prometheusrule/gmsa-webhook"];
    assert_eq!(rule["spec"], alerts.documents[0].value["spec"]);
    assert_eq!(rule["metadata"]["labels"]["release"], "prometheus");
    let dashboard = std::fs::read_to_string(monitoring.join("dashboard.json")).unwrap();
    let map = &chart["configmap/gmsa-webhook-dashboard"];
    assert_eq!(map["data"]["gmsa-webhook.json"], dashboard);
    assert_eq!(map["metadata"]["labels"]["grafana_dashboard"], "1");
    let monitor = &chart["servicemonitor/gmsa-webhook"];
    assert_eq!(monitor["spec"]["endpoints"], json!([{"port": "metrics", "interval": "30s"}]));
    assert_eq!(monitor["metadata"]["labels"]["release"], "prometheus");
    let template = &chart["deployment/gmsa-webhook"]["spec"]["template"]["metadata"];
    assert_eq!(template["annotations"]["note"], "x");
    assert_eq!(template["labels"]["team"], "y");
}

/// Every path of a JSON document that has no object below it.
fn leaves(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value.as_object().filter(|object| !object.is_empty()) {
        Some(object) => {
            for (key, value) in object {
                leaves(value, &format!("{path}/{key}"), found);
            }
        }
        None => drop(found.insert(path.to_owned())),
    }
}

#[test]
fn the_schema_and_the_annotations_name_what_is_there() {
    let read = |name: &str| std::fs::read_to_string(Path::new(CHART).join(name)).unwrap();
    let values: Value = serde_saphyr::from_str(&read("values.yaml")).unwrap();
    let schema: Value = serde_json::from_str(&read("values.schema.json")).unwrap();
    let mut paths = BTreeSet::new();
    leaves(&values, "", &mut paths);
    for path in &paths {
        let mut at = &schema;
        for key in path.split('/').skip(1) {
            // Below a property that takes any object there is nothing to name.
            let Some(properties) = at.get("properties") else { break };
            at = properties.get(key).unwrap_or_else(|| panic!("the schema does not know {path}"));
        }
    }
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let mut known = names(&schema["properties"]);
    // Of charts that have this one as a part.
    known.retain(|key| key != "enabled");
    assert_eq!(known, names(&values), "properties of the schema, and values");

    let chart: Value = serde_saphyr::from_str(&read("Chart.yaml")).unwrap();
    assert_eq!(chart["appVersion"], env!("CARGO_PKG_VERSION"));
    let annotation = |key: &str| {
        let text = chart["annotations"][format!("artifacthub.io/{key}")].as_str().unwrap();
        serde_saphyr::from_str::<Value>(text).unwrap()
    };
    assert_eq!(annotation("images")[0]["image"], installation::IMAGE);
    assert_eq!(annotation("crds")[0]["name"], "gmsacredentialspecs.windows.k8s.io");
    let example = &annotation("crdsExamples")[0];
    let contents = &example["credspec"];
    assert!(gmsa_core::credspec::lint_contents(contents).is_empty(), "{contents}");
    for change in annotation("changes").as_array().unwrap() {
        let kind = change["kind"].as_str().unwrap();
        assert!(["added", "changed", "fixed", "removed"].contains(&kind), "{kind}");
        assert!(change["description"].as_str().is_some_and(|words| !words.is_empty()));
    }
    assert!(annotation("links").as_array().is_some_and(|links| !links.is_empty()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_admits_pods_is_tested_and_leaves_credential_specs_behind() {
    let test = "a_release_admits_pods_is_tested_and_leaves_credential_specs_behind";
    let Some(program) = helm(test) else { return };
    let Some(world) = World::new(test).await else { return };
    let _stand_in = world.stand_in(None).await;
    let helm = Helm::new(program, &world).await;
    let labelled = "legacyNamespacesLabelled=true";
    helm.done(&["install", "gmsa", CHART, "--set", labelled, "--set", "test.seconds=200"]).await;
    world.namespace("web").await;
    eventually("the pod is expanded", SOON, || async { world.admit("web").await.ok() }).await;
    // The test's pod is run by a process on this machine, as the replicas are.
    let tested = helm.done(&["test", "gmsa", "--timeout=300s"]).await;
    assert!(tested.contains("Succeeded"), "{tested}");

    // The plug-in knows a release as an installation. The namespace is helm's, and not judged.
    let status = world.done(&["status", "-n", names::NAME, "-o", "json"]).await;
    let status: Value = serde_json::from_str(&status).unwrap();
    let outcomes = status["outcomes"].as_array().unwrap();
    let drift = outcomes.iter().find(|one| one["check"] == "webhook-drift").unwrap();
    assert_eq!(drift["state"], "ok", "{drift}");

    // It leaves to helm what helm holds.
    for (command, advice) in [
        (&["install", "--replicas=3"][..], "helm upgrade gmsa -n gmsa-webhook"),
        (&["upgrade"], "helm upgrade gmsa -n gmsa-webhook"),
        (&["uninstall", "--yes"], "helm uninstall gmsa -n gmsa-webhook"),
    ] {
        let ran = world.run(command).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains("Helm's release gmsa-webhook/gmsa holds"), "{}", ran.stderr);
        assert!(ran.stderr.contains(advice), "{}", ran.stderr);
        world.admit("web").await.unwrap();
    }
    let forced = world.run(&["install", "--force-conflicts", "--dry-run=server"]).await;
    assert_eq!(forced.code, 0, "{}", forced.stderr);
    let warned = "warning: Helm's release gmsa-webhook/gmsa holds this installation";
    assert!(forced.stderr.contains(warned), "{}", forced.stderr);

    let set = ["--set", labelled, "--set", "randomHostname=true", "--set", "test.seconds=1"];
    helm.done(&[&["upgrade", "gmsa", CHART][..], &set].concat()).await;
    eventually("the pod is expanded after the upgrade", SOON, || async {
        world.admit("web").await.ok()
    })
    .await;
    // Without validation the test fails, and its pod stays to be looked at.
    let api: Api<ValidatingWebhookConfiguration> = Api::all(world.client.clone());
    api.delete(names::NAME, &DeleteParams::default()).await.unwrap();
    eventually("the deletion is in force", SOON, || async {
        let run = helm.run(&["test", "gmsa", "--timeout=60s"]).await;
        run.is_err().then_some(())
    })
    .await;
    let pods: Api<k8s_openapi::api::core::v1::Pod> =
        Api::namespaced(world.client.clone(), names::NAME);
    let status = serde_json::to_value(pods.get("gmsa-webhook-test").await.unwrap().status).unwrap();
    let said = status["containerStatuses"][0]["state"]["terminated"]["message"].as_str().unwrap();
    assert!(said.contains("the validating webhook does not answer"), "{said}");

    helm.done(&["uninstall", "gmsa"]).await;
    let spec = objects::credential_spec("spec", "WebApp1");
    assert!(world.live(&spec).await.is_some(), "the credential spec is gone");
    eventually("nothing is asked any more", SOON, || async {
        world.admit("web").await.err().filter(|why| why == "not expanded")
    })
    .await;
}
