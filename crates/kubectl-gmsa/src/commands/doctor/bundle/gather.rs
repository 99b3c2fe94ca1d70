//! The objects that matter.

use std::collections::BTreeSet;

use gmsa_cluster::api::objects::{Kind, Objects, Reference, kinds};
use gmsa_cluster::api::value::{array, text};
use gmsa_core::names::FIELD_MANAGER;
use serde_json::{Value, json};

use super::archive::{Archive, Content};
use super::{Case, logs};
use crate::checks;
use crate::checks::facts::Facts;
use crate::checks::nodes::is_windows;
use crate::commands::doctor::pod::Subject;

/// How many events of a namespace are kept, the latest.
const EVENTS: usize = 500;
/// What owns a pod has an owner at most so often.
const OWNERS: usize = 4;

/// Reads through the API server, and notes what may not be read.
struct Reader<'a> {
    objects: Objects,
    archive: &'a mut Archive,
}

impl Reader<'_> {
    async fn get(&mut self, kind: Kind, namespace: &str, name: &str) -> Option<Value> {
        let mut of = Reference::namespaced(kind, namespace, name);
        of.namespace = of.namespace.filter(|_| kind.namespaced);
        match self.objects.get(&of).await {
            Ok(found) => found,
            Err(error) => {
                self.archive.missed(error.to_string());
                None
            }
        }
    }

    async fn list(&mut self, kind: Kind, namespace: Option<&str>) -> Vec<Value> {
        self.objects.list_known(kind, namespace).await.unwrap_or_else(|error| {
            self.archive.missed(error.to_string());
            Vec::new()
        })
    }
}

/// Adds everything.
pub async fn all(case: &Case<'_>, archive: &mut Archive) {
    let facts = case.facts;
    let objects = Objects::new(case.client.clone(), FIELD_MANAGER, true);
    let mut reader = Reader { objects, archive };
    let specs: Vec<Value> =
        checks::specs_of(facts, case.credential_specs).into_iter().cloned().collect();
    seen(&mut reader, facts, &specs);
    let webhook = facts.namespace();
    let name = format!("{}.{}", kinds::CREDENTIAL_SPEC.plural, kinds::CREDENTIAL_SPEC.group);
    let definition = reader.get(kinds::DEFINITION, "", &name).await;
    reader.archive.objects("cluster/definition.yaml", definition.into_iter().collect());
    if let Some((namespace, name, _)) = facts.service() {
        let mut found: Vec<Value> =
            reader.get(kinds::SERVICE, &namespace, &name).await.into_iter().collect();
        match checks::server::behind(&reader.objects, &namespace, &name).await {
            Ok(Ok(behind)) => found.extend(behind),
            Ok(Err(why)) => reader.archive.missed(why),
            Err(failure) => reader.archive.missed(failure.to_string()),
        }
        reader.archive.objects("cluster/service.yaml", found);
    }
    certificate(&mut reader, facts, &webhook).await;
    rights(&mut reader, facts).await;
    dns(&mut reader).await;
    let pods = replicas(&mut reader, facts, &webhook).await;
    let mut namespaces = BTreeSet::from([webhook]);
    if let Some(subject) = case.subject {
        in_question(&mut reader, subject).await;
        namespaces.insert(subject.namespace.clone());
    }
    for namespace in namespaces {
        let mut events = reader.list(kinds::EVENT, Some(&namespace)).await;
        events.sort_by_cached_key(|event| when(event).to_owned());
        let events = events.split_off(events.len().saturating_sub(EVENTS));
        reader.archive.objects(&format!("events/{namespace}.yaml"), events);
    }
    logs::read(case.client, &pods, archive).await;
}

/// What was read for the examination already.
fn seen(reader: &mut Reader<'_>, facts: &Facts, specs: &[Value]) {
    let archive = &mut *reader.archive;
    match &facts.configurations {
        Ok(found) => archive.objects("cluster/webhooks.yaml", found.clone()),
        Err(why) => archive.missed(why.clone()),
    }
    match &facts.deployment {
        Ok(found) => {
            archive.objects("cluster/deployment.yaml", found.clone().into_iter().collect());
        }
        Err(why) => archive.missed(why.clone()),
    }
    match &facts.specs {
        Ok(_) => archive.objects("cluster/credential-specs.yaml", specs.to_vec()),
        Err(why) => archive.missed(why.clone()),
    }
    match &facts.nodes {
        Ok(nodes) => {
            let windows = nodes.iter().filter(|node| is_windows(node)).cloned().collect();
            archive.objects("cluster/nodes.yaml", windows);
        }
        Err(why) => archive.missed(why.clone()),
    }
}

/// Only the certificates: nothing else of a Secret is kept.
async fn certificate(reader: &mut Reader<'_>, facts: &Facts, namespace: &str) {
    let name = checks::server::secret_name(facts);
    let Some(secret) = reader.get(kinds::SECRET, namespace, &name).await else { return };
    for key in ["tls.crt", "ca.crt"] {
        let data = secret.get("data").and_then(|data| data.get(key));
        let pem = public(&checks::server::decoded(data));
        if !pem.is_empty() {
            reader.archive.add(&format!("cluster/certificate/{key}"), Content::Text(pem));
        }
    }
}

/// The blocks of certificates in PEM.
fn public(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let (begin, end) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
    let mut kept = String::new();
    for block in text.split(begin).skip(1) {
        if let Some((body, _)) = block.split_once(end) {
            kept.push_str(&format!("{begin}{body}{end}\n"));
        }
    }
    kept
}

/// Roles that grant `use`, those of the webhook, and their bindings.
async fn rights(reader: &mut Reader<'_>, facts: &Facts) {
    let account = facts.service_account();
    let of_webhook = |binding: &Value| {
        array(binding, "/subjects")
            .any(|subject| account == Some((text(subject, "/namespace"), text(subject, "/name"))))
    };
    let mut roles = reader.list(kinds::ROLE, None).await;
    roles.extend(reader.list(kinds::CLUSTER_ROLE, None).await);
    let mut bindings = reader.list(kinds::ROLE_BINDING, None).await;
    bindings.extend(reader.list(kinds::CLUSTER_ROLE_BINDING, None).await);
    let of = |binding: &Value, role: &Value| {
        let kind = text(role, "/kind");
        text(binding, "/roleRef/kind") == kind
            && text(binding, "/roleRef/name") == text(role, "/metadata/name")
            && (kind == "ClusterRole"
                || text(binding, "/metadata/namespace") == text(role, "/metadata/namespace"))
    };
    let wanted: Vec<Value> = roles
        .into_iter()
        .filter(|role| {
            array(role, "/rules").any(grants_use)
                || bindings.iter().any(|binding| of_webhook(binding) && of(binding, role))
        })
        .collect();
    bindings.retain(|binding| of_webhook(binding) || wanted.iter().any(|role| of(binding, role)));
    reader.archive.objects("cluster/roles.yaml", wanted);
    reader.archive.objects("cluster/bindings.yaml", bindings);
}

fn grants_use(rule: &Value) -> bool {
    let has = |key: &str, wanted: &str| {
        array(rule, key).filter_map(Value::as_str).any(|one| one == wanted || one == "*")
    };
    has("/apiGroups", kinds::CREDENTIAL_SPEC.group)
        && has("/resources", kinds::CREDENTIAL_SPEC.plural)
        && has("/verbs", "use")
}

/// The configuration of `CoreDNS`.
async fn dns(reader: &mut Reader<'_>) {
    let mut found = Vec::new();
    for map in checks::dns::MAPS {
        if let Some(map) = reader.get(kinds::CONFIG_MAP, "kube-system", map).await {
            found.push(json!({"apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": text(&map, "/metadata/name"), "namespace": "kube-system"},
                "data": map.get("data")}));
        }
    }
    reader.archive.objects("cluster/coredns.yaml", found);
}

/// The pods of the webhook.
async fn replicas(reader: &mut Reader<'_>, facts: &Facts, namespace: &str) -> Vec<Value> {
    let Ok(Some(deployment)) = &facts.deployment else { return Vec::new() };
    let labels = deployment.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
    let mut pods = reader.list(kinds::POD, Some(namespace)).await;
    pods.retain(|pod| {
        labels.is_some_and(|labels| {
            let has = pod.pointer("/metadata/labels");
            labels.iter().all(|(key, value)| has.and_then(|has| has.get(key)) == Some(value))
        })
    });
    reader.archive.objects("cluster/webhook-pods.yaml", pods.clone());
    pods
}

/// The pod, or the workload and its pods, with whatever owns them.
async fn in_question(reader: &mut Reader<'_>, subject: &Subject) {
    let namespace = &subject.namespace;
    let Some(object) = subject.workload.as_ref().or(subject.pod.as_ref()) else { return };
    let pods: Vec<Value> = subject.own_pods().cloned().collect();
    let mut accounts = BTreeSet::new();
    for pod in pods.iter().chain([object]) {
        let spec = pod.pointer("/spec/template/spec").or_else(|| pod.get("spec"));
        let name = spec.map(|spec| text(spec, "/serviceAccountName")).unwrap_or_default();
        accounts.insert(if name.is_empty() { "default" } else { name }.to_owned());
    }
    let mut owners = Vec::new();
    let mut next = pods.first().unwrap_or(object).clone();
    for _ in 0..OWNERS {
        let Some(owner) = array(&next, "/metadata/ownerReferences").next().cloned() else { break };
        let kind = kinds::TEMPLATES.into_iter().find(|kind| kind.kind == text(&owner, "/kind"));
        let Some(kind) = kind else { break };
        let Some(found) = reader.get(kind, namespace, text(&owner, "/name")).await else { break };
        next = found.clone();
        if found.pointer("/metadata/uid") != object.pointer("/metadata/uid") {
            owners.push(found);
        }
    }
    reader.archive.objects("pod/target.yaml", vec![object.clone()]);
    reader.archive.objects("pod/pods.yaml", pods);
    reader.archive.objects("pod/owners.yaml", owners);
    let mut found = Vec::new();
    for account in accounts {
        found.extend(reader.get(kinds::SERVICE_ACCOUNT, namespace, &account).await);
    }
    reader.archive.objects("pod/service-accounts.yaml", found);
    let found = reader.get(kinds::NAMESPACE, "", namespace).await;
    reader.archive.objects("pod/namespace.yaml", found.into_iter().collect());
}

/// When an event was last seen.
fn when(event: &Value) -> &str {
    ["/lastTimestamp", "/eventTime", "/firstTimestamp", "/metadata/creationTimestamp"]
        .into_iter()
        .map(|path| text(event, path))
        .find(|time| !time.is_empty())
        .unwrap_or_default()
}
