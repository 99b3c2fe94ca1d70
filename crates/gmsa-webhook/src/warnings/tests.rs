use gmsa_cluster::audit::references::{Found, References, Unread};
use serde_json::{Value, json};

use super::of_references;
use crate::admission::{Settings, Source, StoreDir};
use crate::http::{Answer, Endpoint, Handler as _};
use crate::metrics::Metrics;
use crate::service::Service;
use crate::wire;

const MANIFESTS: &str = "
apiVersion: windows.k8s.io/v1
kind: GMSACredentialSpec
metadata: {name: webapp1}
credspec:
  ActiveDirectoryConfig:
    GroupManagedServiceAccounts:
      - {Name: WebApp1, Scope: CONTOSO}
      - {Name: WebApp1, Scope: contoso.com}
  CmsPlugins: [ActiveDirectory]
  DomainJoinConfig: {DnsName: contoso.com, DnsTreeName: contoso.com,
    Guid: 244818ae-87ac-4fcd-92ec-e79e5252348a, MachineAccountName: WebApp1,
    NetBiosName: CONTOSO, Sid: S-1-5-21-2126449477-2524075714-3094792973}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: use}
rules: [{apiGroups: [windows.k8s.io], resources: [gmsacredentialspecs], verbs: [use],
  resourceNames: [webapp1]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: use, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: use}
subjects: [{kind: ServiceAccount, name: web, namespace: shop}]
";

fn template(account: &str, spec: &str) -> Value {
    json!({"metadata": {"labels": {"app": "web"}}, "spec": {
        "serviceAccountName": account,
        "nodeSelector": {"kubernetes.io/os": "windows"},
        "securityContext": {"windowsOptions": {"gmsaCredentialSpecName": spec}},
        "containers": [{"name": "iis", "image": "iis"}]}})
}

fn workload(api_version: &str, kind: &str, template: &Value) -> Value {
    let spec = match kind {
        "CronJob" => json!({"jobTemplate": {"spec": {"template": template}}}),
        _ => json!({"template": template}),
    };
    json!({"apiVersion": api_version, "kind": kind, "spec": spec,
        "metadata": {"name": "web", "namespace": "shop"}})
}

/// The answer to a request about an object, which must allow it; its warnings.
fn asked(endpoint: Endpoint, operation: &str, object: &Value, old: &Value) -> Vec<String> {
    let source = Source::Directory(StoreDir::from_manifests(MANIFESTS).unwrap());
    let service = Service::new(source, std::sync::Arc::new(Metrics::new()), Settings::default());
    let body = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u", "namespace": "shop", "name": "web", "operation": operation,
        "kind": {"group": "apps", "version": "v1", "kind": object["kind"]},
        "object": object, "oldObject": old}});
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer = runtime.block_on(service.review(endpoint, body.to_string().into(), None));
    let Answer::Review(bytes) = answer else { panic!("{answer:?}") };
    let answer: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(answer["response"]["allowed"], json!(true), "{answer}");
    assert_eq!(answer["response"]["uid"], json!("u"), "{answer}");
    let warnings = answer["response"]["warnings"].as_array().cloned().unwrap_or_default();
    warnings.into_iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

fn warned(object: &Value) -> Vec<String> {
    asked(Endpoint::Warn, "CREATE", object, &Value::Null)
}

#[test]
fn each_kind_of_workload_is_warned_of_what_its_pods_will_meet() {
    for (api_version, kind) in [
        ("apps/v1", "Deployment"),
        ("apps/v1", "ReplicaSet"),
        ("apps/v1", "StatefulSet"),
        ("apps/v1", "DaemonSet"),
        ("batch/v1", "Job"),
        ("batch/v1", "CronJob"),
        ("batch/v1beta1", "CronJob"),
    ] {
        let good = warned(&workload(api_version, kind, &template("web", "webapp1")));
        assert!(good.is_empty(), "{kind}: {good:?}");
        let stranger = warned(&workload(api_version, kind, &template("other", "webapp1")));
        assert_eq!(stranger.len(), 1, "{kind}: {stranger:?}");
        let words =
            "service account \"other\" is not authorized to `use` GMSA cred spec \"webapp1\"";
        assert!(stranger[0].contains(words), "{kind}: {stranger:?}");
        let absent = warned(&workload(api_version, kind, &template("web", "gone")));
        assert!(absent[0].starts_with("gmsa: its pods will be denied: "), "{kind}: {absent:?}");
    }
}

#[test]
fn contents_without_a_right_and_findings_are_reported_too() {
    let mut inlined = template("web", "webapp1");
    inlined["spec"]["securityContext"]["windowsOptions"]["gmsaCredentialSpec"] = json!("{}");
    let found = warned(&workload("apps/v1", "Deployment", &inlined));
    assert!(found[0].contains("does not match the contents"), "{found:?}");
    let mut loose = template("web", "webapp1");
    loose["spec"].as_object_mut().unwrap().remove("nodeSelector");
    let found = warned(&workload("apps/v1", "Deployment", &loose));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("(not-bound-to-windows)"), "{found:?}");
    let mut many = workload("apps/v1", "Deployment", &template("web", "webapp1"));
    many["spec"]["replicas"] = json!(2);
    let found = warned(&many);
    assert!(found[0].ends_with("(shared-hostname-prefix)"), "{found:?}");
}

#[test]
fn what_nothing_reads_is_warned_of() {
    let mut old = template("web", "webapp1");
    old["spec"].as_object_mut().unwrap().remove("securityContext");
    old["metadata"]["annotations"] =
        json!({"pod.alpha.windows.kubernetes.io/gmsa-credential-spec-name": "webapp1"});
    let [warning] = &warned(&workload("apps/v1", "Deployment", &old))[..] else { panic!() };
    assert!(
        warning.starts_with("gmsa: nothing reads spec.template.metadata.annotations"),
        "{warning}"
    );
    assert!(warning.ends_with("(field-not-read)"), "{warning}");
    let mut misplaced = template("web", "webapp1");
    misplaced["spec"]["windowsOptions"] = json!({"gmsaCredentialSpecName": "webapp1"});
    let found = warned(&workload("batch/v1", "CronJob", &misplaced));
    assert_eq!(found.len(), 1, "{found:?}");
    let mut linux = template("web", "webapp1");
    linux["spec"]["os"] = json!({"name": "windows"});
    linux["spec"]["securityContext"]["fsGroup"] = json!(2000);
    let [warning] = &warned(&workload("apps/v1", "Deployment", &linux))[..] else { panic!() };
    assert!(warning.ends_with("(field-of-another-system)"), "{warning}");
    let mut pool = template("web", "webapp1");
    pool["spec"]["nodeSelector"] = json!({"agentpool": "win22"});
    let [warning] = &warned(&workload("apps/v1", "Deployment", &pool))[..] else { panic!() };
    assert!(warning.contains("may not be bound"), "{warning}");
}

#[test]
fn what_is_no_ones_to_read_or_no_workload_is_let_pass_without_a_word() {
    let mut owned = workload("apps/v1", "ReplicaSet", &template("other", "webapp1"));
    owned["metadata"]["ownerReferences"] =
        json!([{"kind": "Deployment", "name": "web", "controller": true}]);
    let mut going = workload("apps/v1", "Deployment", &template("other", "webapp1"));
    going["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
        "spec": template("other", "webapp1")["spec"]});
    let odd = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"template": {"spec": {"containers": 7}}}});
    for object in [owned, going, pod, odd, json!("text"), Value::Null] {
        assert!(warned(&object).is_empty(), "{object}");
    }
    let denied = workload("apps/v1", "Deployment", &template("other", "webapp1"));
    assert!(asked(Endpoint::Warn, "DELETE", &Value::Null, &denied).is_empty());
    assert!(!asked(Endpoint::Warn, "UPDATE", &denied, &denied).is_empty());
}

#[test]
fn an_overloaded_server_of_warnings_admits() {
    let source = Source::Directory(StoreDir::from_manifests(MANIFESTS).unwrap());
    let metrics = std::sync::Arc::new(Metrics::new());
    let service = Service::new(source, metrics, Settings::default());
    let object = workload("apps/v1", "Deployment", &template("other", "webapp1"));
    let body = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u", "namespace": "shop", "operation": "CREATE", "object": object}});
    for endpoint in [Endpoint::Warn, Endpoint::ValidateCredspec] {
        let answer = service.refuse(endpoint, &body.to_string().into());
        let Answer::Review(bytes) = answer else { panic!("{answer:?}") };
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(answer["response"], json!({"uid": "u", "allowed": true}));
    }
}

#[test]
fn a_credential_spec_is_warned_of_its_findings() {
    let object = json!({"apiVersion": "windows.k8s.io/v1", "kind": "GMSACredentialSpec",
        "metadata": {"name": "web"}, "credspec": {"CmsPlugins": []}});
    let found = asked(Endpoint::ValidateCredspec, "UPDATE", &object, &Value::Null);
    assert!(found.iter().any(|one| one.contains("(cms-plugins-incomplete)")), "{found:?}");
    // In a directory of manifests the users are unknown.
    assert!(asked(Endpoint::ValidateCredspec, "DELETE", &Value::Null, &object).is_empty());
}

#[test]
fn a_deletion_warns_with_its_users() {
    let found = |count: usize, names: &[&str]| Found {
        count,
        names: names.iter().map(|name| (*name).to_owned()).collect(),
    };
    let references = References {
        workloads: found(1, &["Deployment shop/web"]),
        pods: found(5, &["shop/a", "shop/b", "shop/c"]),
        roles: found(1, &["ClusterRole use"]),
        unread: vec![("jobs", Unread::Forbidden), ("cronjobs", Unread::Forbidden)],
    };
    let warnings = wire::fit_warnings(of_references("webapp1", &references));
    assert_eq!(
        warnings,
        [
            "gmsa: \"webapp1\" is used by Deployment shop/web: no new pod of theirs will start",
            "gmsa: \"webapp1\" is used by 5 pods, which keep it until they end: shop/a, shop/b, \
             shop/c and 2 more",
            "gmsa: the right to use \"webapp1\" stays, also for a new one of that name: ClusterRole \
             use",
            "gmsa: whether \"webapp1\" is in use could not be seen in full: the webhook may not \
             list jobs, cronjobs",
        ]
    );
    assert!(of_references("webapp1", &References::default()).is_empty());
}
