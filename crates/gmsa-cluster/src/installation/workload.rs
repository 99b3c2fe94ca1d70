//! The Service, the Deployment and what belongs to them.

use gmsa_core::names::{CERT_MANAGER_CA, METRICS_PORT, NAME, OPTIONS, SECRET};
use serde_json::{Value, json};

use super::{Certificates, Options, Version, labels, merge};

/// Where a certificate that is not the server's own is mounted.
const MOUNT: &str = "/etc/gmsa-webhook/tls";
/// The user in the image.
pub(super) const USER: u32 = 65532;

pub(super) fn objects(options: &Options, version: Version) -> Vec<Value> {
    let mut objects = Vec::new();
    if options.certificates == Certificates::CertManager {
        objects.extend(cert_manager(options));
    }
    objects.push(service(options));
    objects.push(deployment(options, version));
    objects.push(disruption_budget(options, version));
    if options.network_policy {
        objects.push(network_policy(options));
    }
    objects
}

pub(super) fn metadata(options: &Options) -> Value {
    named(NAME, options)
}

fn named(name: &str, options: &Options) -> Value {
    json!({"name": name, "namespace": options.namespace, "labels": labels()})
}

pub(super) fn selector() -> Value {
    json!({"app.kubernetes.io/name": NAME})
}

fn service(options: &Options) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(options),
        "spec": {
            "selector": selector(),
            "ports": [
                {"name": "https", "port": 443, "protocol": "TCP", "targetPort": "https"},
                {"name": "metrics", "port": METRICS_PORT, "protocol": "TCP", "targetPort": "metrics"},
            ],
        },
    })
}

fn deployment(options: &Options, version: Version) -> Value {
    let spread = |key: &str| {
        json!({"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": selector()}})
    };
    let mut node_selector = json!({"kubernetes.io/os": "linux"});
    merge(&mut node_selector, json!(options.node_selector));
    let mut pod = json!({
        "serviceAccountName": NAME,
        "nodeSelector": node_selector,
        "terminationGracePeriodSeconds": 30,
        "topologySpreadConstraints":
            [spread("kubernetes.io/hostname"), spread("topology.kubernetes.io/zone")],
        "securityContext": {
            "runAsNonRoot": true,
            "runAsUser": USER,
            "runAsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container(options, version)],
    });
    if options.host_network {
        merge(&mut pod, json!({"hostNetwork": true, "dnsPolicy": "ClusterFirstWithHostNet"}));
    }
    if !options.tolerations.is_empty() {
        merge(&mut pod, json!({"tolerations": options.tolerations}));
    }
    if let Some(affinity) = &options.affinity {
        merge(&mut pod, json!({"affinity": affinity}));
    }
    if let Some(class) = &options.priority_class {
        merge(&mut pod, json!({"priorityClassName": class}));
    }
    if !options.image_pull_secrets.is_empty() {
        let secrets: Vec<Value> =
            options.image_pull_secrets.iter().map(|name| json!({"name": name})).collect();
        merge(&mut pod, json!({"imagePullSecrets": secrets}));
    }
    if options.certificates != Certificates::SelfManaged {
        merge(&mut pod, json!({"volumes": [{"name": "tls", "secret": {"secretName": SECRET}}]}));
    }
    let mut metadata = metadata(options);
    let kept = serde_json::to_string(options).unwrap_or_default();
    merge(&mut metadata, json!({"annotations": {OPTIONS: kept}}));
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {
            "replicas": options.replicas,
            "selector": {"matchLabels": selector()},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling_update(options)},
            "template": {"metadata": {"labels": labels()}, "spec": pod},
        },
    })
}

/// One at a time, and none ends before its successor is ready. On the network of the nodes its port
/// must be free first, and there may be no other node.
fn rolling_update(options: &Options) -> Value {
    if options.host_network {
        json!({"maxSurge": 0, "maxUnavailable": 1})
    } else {
        json!({"maxSurge": 1, "maxUnavailable": 0})
    }
}

fn container(options: &Options, version: Version) -> Value {
    let mut args = vec![format!("--https-port={}", options.port)];
    if options.random_hostname {
        args.push("--random-hostname=true".to_owned());
    }
    if options.early_warnings {
        args.push("--early-warnings=true".to_owned());
    }
    if options.has_policy_engine(version) {
        args.push("--index=true".to_owned());
    }
    if options.audit {
        args.push("--audit-results=true".to_owned());
    }
    if options.certificates != Certificates::SelfManaged {
        args.push(format!("--tls-cert={MOUNT}/tls.crt"));
        args.push(format!("--tls-key={MOUNT}/tls.key"));
    }
    let tls = &options.tls;
    if !tls.min_version.is_empty() {
        args.push(format!("--tls-min-version={}", tls.min_version));
    }
    if !tls.cipher_suites.is_empty() {
        args.push(format!("--tls-cipher-suites={}", tls.cipher_suites.join(",")));
    }
    if !tls.curves.is_empty() {
        args.push(format!("--tls-curves={}", tls.curves.join(",")));
    }
    if tls.follow_cluster_profile {
        args.push("--follow-tls-profile=true".to_owned());
    }
    if options.metrics_https {
        args.push("--metrics-https=true".to_owned());
    }
    // The answer has to come before the API server gives up.
    if options.timeout_seconds < 5 {
        let tenths = options.timeout_seconds * 8;
        args.push(format!("--deadline={}.{}", tenths / 10, tenths % 10));
    }
    let probe = |path: &str| json!({"path": path, "port": "https", "scheme": "HTTPS"});
    let mut container = json!({
        "name": "webhook",
        "image": options.image,
        "args": args,
        "ports": [
            {"name": "https", "containerPort": options.port, "protocol": "TCP"},
            {"name": "metrics", "containerPort": METRICS_PORT, "protocol": "TCP"},
        ],
        "livenessProbe": {"httpGet": probe("/livez"), "periodSeconds": 10, "timeoutSeconds": 5},
        "readinessProbe": {"httpGet": probe("/readyz"), "periodSeconds": 2, "timeoutSeconds": 2},
        "resources": resources(options),
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": {"drop": ["ALL"]},
        },
    });
    let managed = options.certificates == Certificates::SelfManaged;
    if managed || options.has_policy_engine(version) {
        // For the events about certificates and the index.
        let field = |name: &str, path: &str| json!({"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}});
        let pod = [field("GMSA_POD_NAME", "metadata.name"), field("GMSA_POD_UID", "metadata.uid")];
        merge(&mut container, json!({"env": pod}));
    }
    if !managed {
        merge(
            &mut container,
            json!({"volumeMounts": [{"name": "tls", "mountPath": MOUNT, "readOnly": true}]}),
        );
    }
    container
}

fn resources(options: &Options) -> Value {
    let resources = &options.resources;
    let mut limits = json!({"memory": resources.memory_limit});
    if let Some(cpu) = &resources.cpu_limit {
        merge(&mut limits, json!({"cpu": cpu}));
    }
    json!({
        "requests": {"cpu": resources.cpu_request, "memory": resources.memory_request},
        "limits": limits,
    })
}

fn disruption_budget(options: &Options, version: Version) -> Value {
    let api_version = if version.has_policy_v1() { "policy/v1" } else { "policy/v1beta1" };
    json!({
        "apiVersion": api_version,
        "kind": "PodDisruptionBudget",
        "metadata": metadata(options),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": selector()}},
    })
}

/// Any client may connect to the webhook's port, because API servers often have no address that a policy
/// could name; nothing else of the pods can be reached.
fn network_policy(options: &Options) -> Value {
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(options),
        "spec": {
            "podSelector": {"matchLabels": selector()},
            "policyTypes": ["Ingress"],
            "ingress": [{"ports": [
                {"port": options.port, "protocol": "TCP"},
                {"port": METRICS_PORT, "protocol": "TCP"},
            ]}],
        },
    })
}

/// `cert-manager.io/v1`: a CA of the installation's own, and a certificate of it.
///
/// API servers trust the CA, which keeps its key for its whole life, so that a renewed certificate
/// is trusted before the replicas have read it, and an old one still is.
fn cert_manager(options: &Options) -> Vec<Value> {
    let issuer = |name: &str, spec: Value| {
        json!({"apiVersion": "cert-manager.io/v1", "kind": "Issuer",
            "metadata": named(name, options), "spec": spec})
    };
    let certificate = |name: &str, spec: Value| {
        json!({"apiVersion": "cert-manager.io/v1", "kind": "Certificate",
            "metadata": named(name, options), "spec": spec})
    };
    let by = |name: &str| json!({"group": "cert-manager.io", "kind": "Issuer", "name": name});
    let service = format!("{NAME}.{}.svc", options.namespace);
    vec![
        issuer(CERT_MANAGER_CA, json!({"selfSigned": {}})),
        certificate(
            CERT_MANAGER_CA,
            json!({
                "isCA": true,
                "commonName": CERT_MANAGER_CA,
                "secretName": CERT_MANAGER_CA,
                "duration": "87600h",
                "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Never"},
                "issuerRef": by(CERT_MANAGER_CA),
            }),
        ),
        issuer(NAME, json!({"ca": {"secretName": CERT_MANAGER_CA}})),
        certificate(
            NAME,
            json!({
                "secretName": SECRET,
                "dnsNames": [service, format!("{service}.cluster.local")],
                "duration": "2160h",
                "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
                "usages": ["server auth", "digital signature"],
                "issuerRef": by(NAME),
            }),
        ),
    ]
}
