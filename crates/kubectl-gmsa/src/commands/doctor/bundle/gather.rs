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
use crate::cli::Doctor;

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
        match self.objects.list(kind, namespace).await {
            Ok(found) => found,
            // A kind that the server does not know.
            Err(error) if error.code() == Some(404) => Vec::new(),
            Err(error) => {
                self.archive.missed(error.to_string());
                Vec::new()
            }
        }
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
    if let Some(target) = &case.args.target {
        let namespace = namespace_of(case.args, case.client);
        in_question(&mut reader, &namespace, target).await;
        namespaces.insert(namespace);
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
    let deployment = facts.deployment.as_ref().ok().and_then(Option::as_ref);
    let account = deployment.map(|deployment| {
        let account = text(deployment, "/spec/template/spec/serviceAccountName");
        (
            text(deployment, "/metadata/namespace"),
            if account.is_empty() { "default" } else { account },
        )
    });
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

fn namespace_of(args: &Doctor, client: &kube::Client) -> String {
    args.namespace.clone().unwrap_or_else(|| client.default_namespace().to_owned())
}

/// The pod, or the workload and its pods, with whatever owns them.
async fn in_question(reader: &mut Reader<'_>, namespace: &str, target: &str) {
    let (kind, name) = target.split_once('/').unwrap_or(("pod", target));
    let Some(kind) = kind_of(kind) else {
        return reader.archive.missed(format!("{target}: its kind is not known"));
    };
    let Some(object) = reader.get(kind, namespace, name).await else {
        return reader.archive.missed(format!("{} {namespace}/{name}: there is none", kind.kind));
    };
    let pods = if kind == kinds::POD { Vec::new() } else { pods_of(reader, &object).await };
    let mut accounts = BTreeSet::new();
    for pod in pods.iter().chain([&object]) {
        let spec = pod.pointer("/spec/template/spec").or_else(|| pod.get("spec"));
        let name = spec.map(|spec| text(spec, "/serviceAccountName")).unwrap_or_default();
        accounts.insert(if name.is_empty() { "default" } else { name }.to_owned());
    }
    let mut owners = Vec::new();
    let mut next = pods.first().unwrap_or(&object).clone();
    for _ in 0..OWNERS {
        let Some(owner) = array(&next, "/metadata/ownerReferences").next().cloned() else { break };
        let Some(kind) = kind_of(text(&owner, "/kind")) else { break };
        let Some(found) = reader.get(kind, namespace, text(&owner, "/name")).await else { break };
        next = found.clone();
        if found.pointer("/metadata/uid") != object.pointer("/metadata/uid") {
            owners.push(found);
        }
    }
    reader.archive.objects("pod/target.yaml", vec![object]);
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

/// The kind by its name, singular or plural.
fn kind_of(word: &str) -> Option<Kind> {
    let all = [kinds::POD].into_iter().chain(kinds::TEMPLATES);
    let short = |kind: &Kind| match kind.kind {
        "Pod" => "po",
        "Deployment" => "deploy",
        "ReplicaSet" => "rs",
        "StatefulSet" => "sts",
        "DaemonSet" => "ds",
        "CronJob" => "cj",
        "ReplicationController" => "rc",
        _ => "",
    };
    // What Kubernetes calls deployment.v1.apps and deployments.apps is the same here.
    let word = word.split('.').next().unwrap_or(word);
    all.into_iter().find(|kind| {
        word.eq_ignore_ascii_case(kind.kind)
            || word.eq_ignore_ascii_case(kind.plural)
            || word.eq_ignore_ascii_case(short(kind))
    })
}

/// The pods that a workload owns, by way of others too.
async fn pods_of(reader: &mut Reader<'_>, workload: &Value) -> Vec<Value> {
    let namespace = text(workload, "/metadata/namespace").to_owned();
    let mut uids = BTreeSet::from([text(workload, "/metadata/uid").to_owned()]);
    let owned = |uids: &BTreeSet<String>, object: &Value| {
        array(object, "/metadata/ownerReferences").any(|owner| uids.contains(text(owner, "/uid")))
    };
    for kind in
        kinds::TEMPLATES.into_iter().filter(|kind| ["ReplicaSet", "Job"].contains(&kind.kind))
    {
        for object in reader.list(kind, Some(&namespace)).await {
            if owned(&uids, &object) {
                uids.insert(text(&object, "/metadata/uid").to_owned());
            }
        }
    }
    let mut pods = reader.list(kinds::POD, Some(&namespace)).await;
    pods.retain(|pod| owned(&uids, pod));
    pods
}

/// When an event was last seen.
fn when(event: &Value) -> &str {
    ["/lastTimestamp", "/eventTime", "/firstTimestamp", "/metadata/creationTimestamp"]
        .into_iter()
        .map(|path| text(event, path))
        .find(|time| !time.is_empty())
        .unwrap_or_default()
}
