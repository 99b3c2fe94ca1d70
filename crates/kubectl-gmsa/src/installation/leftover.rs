//! What an earlier install made, and is not wanted any more.

use gmsa_cluster::api::apply::Applier;
use gmsa_cluster::api::objects::Objects as Reader;
use gmsa_cluster::installation::engine::InForce;
use gmsa_cluster::installation::{Certificates, Engine, Objects, Options, Version, objects};
use gmsa_core::names::{CERT_MANAGER_CA, FIELD_MANAGER, NAME, PART_OF};
use kube::Client;
use serde_json::{Value, json};

use crate::failure::Failure;

use super::FILLED_BY;

/// The objects of options that are there although they are not asked for, what refuses pods and what
/// sends something to the server first.
pub async fn of_options(
    client: &Client,
    applier: &Applier,
    options: &Options,
    wanted: &Objects,
    version: Version,
) -> Result<Vec<Value>, Failure> {
    let all = everything(options, version);
    let is_wanted = |object: &Value| wanted.iter().any(|one| is_same(one, object));
    let mut found = Vec::new();
    let policies = all.policies.into_iter().rev();
    for object in policies.chain(all.webhooks).chain(all.base.into_iter().rev()) {
        if !is_wanted(&object) && is_there(applier, &object).await? {
            found.push(object);
        }
    }
    // cert-manager keeps it when the Certificate is deleted, and with it the key of a CA that is not needed.
    let ca = |object: &Value, kind: &str| {
        let is = |pointer: &str, value: &str| object.pointer(pointer) == Some(&json!(value));
        is("/kind", kind) && is("/metadata/name", CERT_MANAGER_CA)
    };
    if found.iter().any(|object| ca(object, "Certificate")) {
        let secret = json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": CERT_MANAGER_CA, "namespace": options.namespace}});
        let live = applier.live(&secret).await?;
        let filled = |live: &Value| live.pointer("/metadata/annotations")?.get(FILLED_BY).cloned();
        if live.as_ref().and_then(filled) == Some(json!(CERT_MANAGER_CA)) {
            found.push(secret);
        }
    }
    let literals = literals(client, version).await?.into_iter().filter(|object| !is_wanted(object));
    Ok(literals.chain(found).collect())
}

/// Whether an object that is not wanted any more lets another source of certificates than that of the options
/// write into the Secret that their own source fills: the rights of the server, or what tells cert-manager to.
/// Nothing fills it for [`Certificates::Files`].
pub fn writes_certificate(object: &Value, options: &Options) -> bool {
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    match options.certificates {
        Certificates::SelfManaged => ["Certificate", "Issuer"].contains(&kind),
        Certificates::CertManager => {
            ["Role", "RoleBinding"].contains(&kind)
                && object.pointer("/metadata/name") == Some(&json!(NAME))
        }
        Certificates::Files => false,
    }
}

/// The policies with credential specs in them that are there. How many there are only the cluster says.
pub async fn literals(client: &Client, version: Version) -> Result<Vec<Value>, Failure> {
    if !version.has_mutating_policies() {
        return Ok(Vec::new());
    }
    let in_force = InForce::read(&Reader::new(client.clone(), FIELD_MANAGER, false)).await?;
    Ok(in_force.map(|in_force| in_force.stubs()).unwrap_or_default())
}

/// Whether there is such an object, and it is of an installation.
async fn is_there(applier: &Applier, object: &Value) -> Result<bool, Failure> {
    let live = applier.live(object).await?;
    let label = |live: &Value| live.pointer("/metadata/labels")?.get(PART_OF.0).cloned();
    Ok(live.as_ref().and_then(label) == Some(json!(PART_OF.1)))
}

/// Whatever an install of any options may have made, what belongs to another source of certificates
/// last.
pub fn everything(options: &Options, version: Version) -> Objects {
    let of = |engine, certificates| {
        objects(&Options { engine, certificates, ..options.with_everything() }, version)
    };
    let mut all = of(Engine::Webhook, Certificates::SelfManaged);
    let add = |all: &mut Vec<Value>, more: Vec<Value>| {
        for object in more {
            if !all.iter().any(|one| is_same(one, &object)) {
                all.push(object);
            }
        }
    };
    let policy = of(Engine::Policy, Certificates::SelfManaged);
    // Before the Deployment, so that what is deleted in reverse ends after it.
    let (more, base): (Vec<Value>, Vec<Value>) = policy
        .base
        .into_iter()
        .partition(|object| !all.base.iter().any(|one| is_same(one, object)));
    drop(base);
    all.base.splice(0..0, more);
    add(&mut all.webhooks, policy.webhooks);
    add(&mut all.policies, policy.policies);
    for certificates in [Certificates::CertManager, Certificates::Files] {
        add(&mut all.base, of(Engine::Webhook, certificates).base);
    }
    all
}

/// Whether both are the same object of a cluster.
pub fn is_same(one: &Value, other: &Value) -> bool {
    let key = |object: &Value, pointer: &str| object.pointer(pointer).cloned();
    ["/kind", "/metadata/namespace", "/metadata/name"]
        .into_iter()
        .all(|pointer| key(one, pointer) == key(other, pointer))
        && group(one) == group(other)
}

fn group(object: &Value) -> &str {
    let version = object.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    version.split_once('/').map_or("", |(group, _)| group)
}
