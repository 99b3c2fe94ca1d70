//! The webhook's Deployment, Service and certificate.

use gmsa_cluster::api::objects::{Objects, kinds};
use gmsa_cluster::api::value::{array, text};
use gmsa_core::diagnosis::Outcome;
use gmsa_core::diagnosis::catalogue::cluster::{
    WEBHOOK_CA_BUNDLE, WEBHOOK_CERTIFICATE, WEBHOOK_ENDPOINTS, WEBHOOK_REDUNDANCY,
    WEBHOOK_REPLICAS, WEBHOOK_RESTARTS, WEBHOOK_ROLLOUT, WEBHOOK_SERVICE,
};
use gmsa_core::names::{NAME, SECRET};
use gmsa_core::printable::counted;
use k8s_openapi::ByteString;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use serde_json::Value;
use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;
use x509_parser::time::ASN1Time;

use super::facts::{Facts, Seen, one, shown, soft};
use crate::failure::Failure;
use crate::installation::pods;
use crate::installation::signature::{Signed, UNVERIFIABLE, pems, signed};

/// A certificate that is renewed in time never has fewer days left than this.
const NEAR: i64 = 14;
/// A container that ended within this time is reported, in seconds.
const RECENT: i64 = 3600;

/// Looks at them.
pub async fn examine(objects: &Objects, facts: &Facts) -> Result<Vec<Outcome>, Failure> {
    let mut outcomes = replicas(facts);
    outcomes.extend(service(objects, facts).await?);
    outcomes.extend(certificate(objects, facts).await?);
    Ok(outcomes)
}

fn replicas(facts: &Facts) -> Vec<Outcome> {
    let deployment = match &facts.deployment {
        Ok(Some(deployment)) => deployment,
        Ok(None) => {
            let words = "there is no Deployment of a GMSA webhook";
            return vec![
                Outcome::problem(&WEBHOOK_REPLICAS, words).then("Run kubectl gmsa install."),
            ];
        }
        Err(why) => return vec![Outcome::unknown(&WEBHOOK_REPLICAS, why)],
    };
    let number = |path: &str| deployment.pointer(path).and_then(Value::as_u64);
    let wanted = number("/spec/replicas").unwrap_or(1);
    let available = number("/status/availableReplicas").unwrap_or(0);
    let images: Vec<&str> = array(deployment, "/spec/template/spec/containers")
        .map(|container| text(container, "/image"))
        .collect();
    let words = format!("{available} of {wanted} available, image {}", images.join(", "));
    let object = shown(deployment);
    let read: Option<Deployment> = serde_json::from_value(deployment.clone()).ok();
    let pods = own_pods(facts);
    let mut reasons: Vec<String> =
        pods.iter().filter_map(pods::problem).map(|one| one.text).collect();
    reasons.extend(read.as_ref().and_then(pods::refused_to).map(|one| one.text));
    reasons.sort();
    reasons.dedup();
    let because = |outcome: Outcome| reasons.iter().cloned().fold(outcome, Outcome::because);
    if available == 0 {
        let mut outcome = Outcome::problem(&WEBHOOK_REPLICAS, words).on(&object);
        if wanted == 0 {
            outcome = outcome
                .then("None is wanted; run at least two: `kubectl gmsa install --replicas=2`.");
        }
        let conditions = array(deployment, "/status/conditions")
            .filter(|condition| text(condition, "/status") != "True")
            .map(|condition| {
                format!("{}: {}", text(condition, "/reason"), text(condition, "/message"))
            });
        let mut outcome = because(conditions.fold(outcome, Outcome::because));
        if pods.is_empty() && !reasons.is_empty() {
            outcome = outcome.then(
                "Change what refuses the pods, such as a quota or a policy, or the options of the \
                 installation; then run kubectl gmsa install.",
            );
        }
        let skipped = [&WEBHOOK_REDUNDANCY, &WEBHOOK_ROLLOUT]
            .map(|check| Outcome::skipped(check, "no replica runs").on(&object));
        return [vec![outcome], skipped.into(), vec![restarts(&pods).on(&object)]].concat();
    }
    let redundancy = if available < wanted || wanted < 2 {
        because(Outcome::warning(&WEBHOOK_REDUNDANCY, &words))
    } else {
        Outcome::ok(&WEBHOOK_REDUNDANCY, &words)
    };
    let updated = number("/status/updatedReplicas").unwrap_or(0);
    let stuck = read.as_ref().and_then(pods::stuck);
    let rollout = if updated < wanted || stuck.is_some() {
        let words = format!("{updated} of {wanted} replicas are of the last change");
        let outcome = because(Outcome::warning(&WEBHOOK_ROLLOUT, words));
        stuck.into_iter().fold(outcome, Outcome::because)
    } else {
        Outcome::ok(&WEBHOOK_ROLLOUT, "every replica is of the last change")
    };
    let replicas = Outcome::ok(&WEBHOOK_REPLICAS, words);
    [replicas, redundancy, rollout, restarts(&pods)].map(|outcome| outcome.on(&object)).into()
}

/// The webhook's pods that are not about to end.
fn own_pods(facts: &Facts) -> Vec<Pod> {
    let namespace = facts.namespace();
    let ours = |one: &&Value| {
        text(one, "/kind") == "Pod"
            && text(one, "/metadata/namespace") == namespace
            && text(one, "/metadata/labels/app.kubernetes.io~1name") == NAME
            && one.pointer("/metadata/deletionTimestamp").is_none()
    };
    let pods = facts.workloads.iter().filter(ours);
    pods.filter_map(|pod| serde_json::from_value(pod.clone()).ok()).collect()
}

fn restarts(pods: &[Pod]) -> Outcome {
    let crashes: Vec<String> = pods.iter().filter_map(|pod| pods::crashed(pod, RECENT)).collect();
    if crashes.is_empty() {
        return Outcome::ok(&WEBHOOK_RESTARTS, "no container ended with an error in the last hour");
    }
    Outcome::warning(&WEBHOOK_RESTARTS, crashes.join("; "))
}

async fn service(objects: &Objects, facts: &Facts) -> Result<Vec<Outcome>, Failure> {
    let Some((namespace, name, port)) = facts.service() else {
        return Ok(vec![match &facts.configurations {
            Err(why) => Outcome::unknown(&WEBHOOK_SERVICE, why),
            Ok(all) if all.is_empty() => {
                Outcome::skipped(&WEBHOOK_SERVICE, "there is no webhook configuration")
            }
            Ok(_) => {
                let words = "the webhook configurations name no Service";
                Outcome::skipped(&WEBHOOK_SERVICE, words)
            }
        }]);
    };
    let object = format!("Service {namespace}/{name}");
    let found = match one(objects, kinds::SERVICE, &namespace, &name).await? {
        Err(why) => return Ok(vec![Outcome::unknown(&WEBHOOK_SERVICE, why).on(object)]),
        Ok(None) => {
            return Ok(vec![Outcome::problem(&WEBHOOK_SERVICE, "it does not exist").on(object)]);
        }
        Ok(Some(found)) => found,
    };
    let has_port = array(&found, "/spec/ports")
        .any(|one| one.get("port").and_then(Value::as_u64) == Some(port));
    let there = if has_port {
        Outcome::ok(&WEBHOOK_SERVICE, format!("it has the port {port}"))
    } else {
        // An apply adds the port, beside one that has its name and that it does not know.
        Outcome::problem(&WEBHOOK_SERVICE, format!("it has no port {port}")).then(format!(
            "Create it again: `kubectl delete service {name} -n {namespace}`, then \
             `kubectl gmsa install`."
        ))
    };
    let there = there.on(&object);
    if text(&found, "/spec/type") == "ExternalName" {
        return Ok(vec![there]);
    }
    let endpoints = match behind(objects, &namespace, &name).await? {
        Err(why) => Outcome::unknown(&WEBHOOK_ENDPOINTS, why),
        Ok(found) => match found.iter().map(ready).sum::<usize>() {
            0 => Outcome::problem(&WEBHOOK_ENDPOINTS, "no ready pod is behind it"),
            ready => Outcome::ok(&WEBHOOK_ENDPOINTS, format!("{ready} ready")),
        },
    };
    Ok(vec![there, endpoints.on(object)])
}

/// What says which pods are behind a Service: its EndpointSlices, or its Endpoints on API servers that
/// do not serve those. Servers from 1.37 on may have no controller for Endpoints.
pub async fn behind(
    objects: &Objects,
    namespace: &str,
    name: &str,
) -> Result<Seen<Vec<Value>>, Failure> {
    let slices = objects.list(kinds::ENDPOINT_SLICE, Some(namespace)).await;
    if slices.as_ref().is_err_and(|error| error.code() == Some(404)) {
        let found = one(objects, kinds::ENDPOINTS, namespace, name).await?;
        return Ok(found.map(|found| found.into_iter().collect()));
    }
    let is_of_it =
        |slice: &Value| text(slice, "/metadata/labels/kubernetes.io~1service-name") == name;
    Ok(soft(slices)?.map(|slices| slices.into_iter().filter(is_of_it).collect()))
}

/// How many addresses of an EndpointSlice, or of Endpoints, are ready.
fn ready(found: &Value) -> usize {
    // Not said is ready.
    let is_ready = |endpoint: &&Value| endpoint.pointer("/conditions/ready") != Some(&false.into());
    let of_slice = array(found, "/endpoints").filter(is_ready);
    let of_endpoints = array(found, "/subsets").flat_map(|subset| array(subset, "/addresses"));
    of_slice.count() + of_endpoints.count()
}

async fn certificate(objects: &Objects, facts: &Facts) -> Result<Vec<Outcome>, Failure> {
    let namespace = facts.namespace();
    let name = secret_name(facts);
    let object = format!("Secret {namespace}/{name}");
    let secret = match one(objects, kinds::SECRET, &namespace, &name).await? {
        Err(why) => {
            return Ok([&WEBHOOK_CERTIFICATE, &WEBHOOK_CA_BUNDLE]
                .map(|check| Outcome::unknown(check, &why).on(&object))
                .into());
        }
        Ok(Some(secret)) => secret,
        // Without anything that needs one its absence is not a fault.
        Ok(None) => {
            let is_needed = !matches!(facts.configurations, Ok(ref all) if all.is_empty())
                || !matches!(facts.deployment, Ok(None));
            let missing = if is_needed {
                Outcome::problem(&WEBHOOK_CERTIFICATE, "it does not exist")
            } else {
                Outcome::skipped(&WEBHOOK_CERTIFICATE, "no webhook is installed that needs one")
            };
            return Ok(vec![
                missing.on(object),
                Outcome::skipped(&WEBHOOK_CA_BUNDLE, "there is no certificate"),
            ]);
        }
    };
    let chain = pems(&decoded(secret.pointer("/data/tls.crt")));
    let Some(leaf) = chain.first() else {
        let words = "it contains no certificate";
        return Ok(vec![
            Outcome::problem(&WEBHOOK_CERTIFICATE, words).on(object),
            Outcome::skipped(&WEBHOOK_CA_BUNDLE, "there is no certificate"),
        ]);
    };
    let mut outcomes = vec![validity(leaf, facts.service()).on(object)];
    for (configuration, hook) in facts.hooks() {
        let bundle = pems(&decoded(hook.pointer("/clientConfig/caBundle")));
        let outcome = match signed(&chain, &bundle) {
            Signed::Yes => Outcome::ok(&WEBHOOK_CA_BUNDLE, "it trusts the certificate"),
            Signed::Unverifiable => Outcome::unknown(
                &WEBHOOK_CA_BUNDLE,
                format!("its caBundle has a CA of the right name, but {UNVERIFIABLE}"),
            ),
            Signed::No if bundle.is_empty() => {
                Outcome::problem(&WEBHOOK_CA_BUNDLE, "its caBundle is empty")
            }
            Signed::No => {
                Outcome::problem(&WEBHOOK_CA_BUNDLE, "its caBundle did not sign the certificate")
            }
        };
        outcomes.push(outcome.on(shown(configuration)));
    }
    Ok(outcomes)
}

/// The Secret that the Deployment mounts, or that of our own.
pub fn secret_name(facts: &Facts) -> String {
    let mounted = facts.live_deployment().and_then(|one| {
        let mut volumes = array(one, "/spec/template/spec/volumes");
        volumes.find_map(|volume| Some(volume.pointer("/secret/secretName")?.as_str()?.to_owned()))
    });
    mounted.unwrap_or_else(|| SECRET.to_owned())
}

fn validity(leaf: &Pem, service: Option<(String, String, u64)>) -> Outcome {
    let Ok(certificate) = leaf.parse_x509() else {
        return Outcome::problem(&WEBHOOK_CERTIFICATE, "tls.crt contains no X.509 certificate");
    };
    let (start, end) = (certificate.validity().not_before, certificate.validity().not_after);
    let now = ASN1Time::now();
    let days = (end.timestamp() - now.timestamp()) / 86_400;
    if end < now {
        return Outcome::problem(&WEBHOOK_CERTIFICATE, format!("it expired on {end}"));
    }
    if start > now {
        return Outcome::problem(&WEBHOOK_CERTIFICATE, format!("it is not valid before {start}"));
    }
    let (namespace, name) = service
        .map_or((NAME.to_owned(), NAME.to_owned()), |(namespace, name, _)| (namespace, name));
    let wanted = format!("{name}.{namespace}.svc");
    let names = certificate.subject_alternative_name().ok().flatten();
    let fits = names.is_some_and(|names| {
        names.value.general_names.iter().any(
            |one| matches!(one, GeneralName::DNSName(name) if name.eq_ignore_ascii_case(&wanted)),
        )
    });
    if !fits {
        let words = format!("it does not have the name {wanted}");
        return Outcome::problem(&WEBHOOK_CERTIFICATE, words);
    }
    if days < NEAR {
        return Outcome::warning(
            &WEBHOOK_CERTIFICATE,
            format!("it ends in {}", counted(days, "day")),
        );
    }
    Outcome::ok(&WEBHOOK_CERTIFICATE, format!("it ends in {}", counted(days, "day")))
}

/// The bytes of a base64 field.
pub fn decoded(field: Option<&Value>) -> Vec<u8> {
    let bytes = field.and_then(|field| serde_json::from_value::<ByteString>(field.clone()).ok());
    bytes.unwrap_or_default().0
}
