//! What `status` looks at.

use gmsa_cluster::api::apply::{Applier, Change, Error, shown};
use gmsa_cluster::api::client::why;
use gmsa_cluster::installation::{
    Certificates, EARLY_WARNINGS, FIELD_MANAGER, NAME, OPTIONS, Options, SECRET, Version, objects,
};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::api::Api;
use serde_json::Value;
use x509_parser::pem::parse_x509_pem;

use super::{Check, State, exclusions};
use crate::commands::install::signs;
use crate::failure::Failure;
use crate::installation::kept_options;

/// The id of the check that says that there is no installation.
pub const INSTALLED: &str = "installed";
/// A certificate that is renewed in time never gets this near to its end, in days.
const NEAR: i64 = 14;

pub async fn all(
    client: &Client,
    namespace: &str,
    version: Version,
) -> Result<Vec<Check>, Failure> {
    let Some(options) = kept_options(client, namespace).await? else {
        return Ok(vec![Check {
            id: INSTALLED,
            state: State::Error,
            message: format!("there is no installation of ours in the namespace {namespace}"),
            remedy: "install it: kubectl gmsa install; for another namespace give -n",
        }]);
    };
    let options = Options { namespace: namespace.to_owned(), ..options };
    let wanted = objects(&options, version);
    let applier = Applier::new(client.clone(), FIELD_MANAGER, true);
    let mut checks = vec![replicas(client, &options).await?];
    let mut live = Vec::new();
    for webhook in &wanted.webhooks {
        live.push((webhook, applier.live(webhook).await.map_err(Failure::cluster)?));
    }
    checks.push(configurations(&live));
    checks.push(failure_policy(&live, &options));
    checks.extend(certificate(client, &options, &live).await?);
    checks.push(drift(&applier, wanted.base.iter().chain(&wanted.webhooks)).await?);
    if let Some(selector) = namespace_selector(&live) {
        checks.push(exclusions::check(client, &options, version, selector).await?);
    }
    checks.push(outage(&options, version));
    Ok(checks)
}

type Live<'a> = [(&'a Value, Option<Value>)];

async fn replicas(client: &Client, options: &Options) -> Result<Check, Failure> {
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), &options.namespace);
    let deployment = deployments.get(NAME).await.map_err(|error| {
        Failure::cluster(format!("failed to read the Deployment: {}", why(&error)))
    })?;
    let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let available =
        deployment.status.as_ref().and_then(|status| status.available_replicas).unwrap_or(0);
    let image = deployment
        .spec
        .and_then(|spec| spec.template.spec)
        .and_then(|pod| pod.containers.into_iter().next()?.image)
        .unwrap_or_default();
    let message = format!("{available} of {wanted} available, image {image}");
    let (state, remedy) = match available {
        0 => (
            State::Error,
            "see why no pod runs: kubectl get pods, in its namespace; until one does, no pod that \
             uses a GMSA starts",
        ),
        _ if available < wanted => {
            (State::Warning, "see why a pod does not run: kubectl get pods, in its namespace")
        }
        1 => (State::Warning, "a second replica keeps it going when a node ends: --replicas 2"),
        _ => (State::Ok, ""),
    };
    Ok(Check { id: "replicas", state, message, remedy })
}

fn configurations(live: &Live<'_>) -> Check {
    let missing: Vec<String> =
        live.iter().filter(|(_, live)| live.is_none()).map(|(wanted, _)| shown(wanted)).collect();
    if missing.is_empty() {
        return Check {
            id: "webhooks",
            state: State::Ok,
            message: match live.len() {
                2 => "both webhook configurations are there".to_owned(),
                _ => "the webhook configurations are there, early warnings among them".to_owned(),
            },
            remedy: "",
        };
    }
    if live.iter().all(|(wanted, live)| live.is_some() || is_early_warnings(wanted)) {
        return Check {
            id: "webhooks",
            state: State::Warning,
            message: format!("missing: {}", missing.join(", ")),
            remedy: "pods are checked, but nobody is warned early; run kubectl gmsa install again",
        };
    }
    Check {
        id: "webhooks",
        state: State::Error,
        message: format!("missing: {}", missing.join(", ")),
        remedy: "pods are not checked, or not expanded; run kubectl gmsa install again",
    }
}

fn is_early_warnings(object: &Value) -> bool {
    object.pointer("/metadata/name").and_then(Value::as_str) == Some(EARLY_WARNINGS)
}

fn webhooks(object: &Value) -> impl Iterator<Item = &Value> {
    object.get("webhooks").and_then(Value::as_array).into_iter().flatten()
}

/// The configuration of this kind that pods are sent by, as it is.
fn of_pods<'a>(live: &'a Live<'_>, kind: &str) -> Option<&'a Value> {
    let (_, live) = live.iter().find(|(wanted, _)| wanted.get("kind") == Some(&kind.into()))?;
    live.as_ref()
}

/// The namespaces whose pods are validated; null is all of them.
fn namespace_selector<'a>(live: &'a Live<'_>) -> Option<&'a Value> {
    let webhook = webhooks(of_pods(live, "ValidatingWebhookConfiguration")?).next()?;
    Some(webhook.get("namespaceSelector").unwrap_or(&Value::Null))
}

fn failure_policy(live: &Live<'_>, options: &Options) -> Check {
    let policy = |kind: &str| {
        let mut policies = webhooks(of_pods(live, kind)?)
            .map(|webhook| webhook.get("failurePolicy").and_then(Value::as_str));
        let first = policies.next()??;
        // Of several the one that lets pods pass is told.
        let lax = policies.flatten().find(|policy| *policy != "Fail");
        Some(lax.unwrap_or(first).to_owned())
    };
    let validating = policy("ValidatingWebhookConfiguration");
    let mutating = policy("MutatingWebhookConfiguration");
    let shown = |policy: &Option<String>| policy.clone().unwrap_or_else(|| "absent".to_owned());
    let message = format!("mutating {}, validating {}", shown(&mutating), shown(&validating));
    let wanted = if options.mutating_may_be_skipped { "Ignore" } else { "Fail" };
    let (state, remedy) = if validating.as_deref() != Some("Fail") {
        (
            State::Error,
            "whoever makes the webhook time out gets any identity: the validating webhook must be \
             Fail; kubectl gmsa install --force-conflicts puts it back",
        )
    } else if mutating.as_deref() != Some(wanted) {
        (State::Warning, "somebody changed it; kubectl gmsa install --force-conflicts puts it back")
    } else {
        (State::Ok, "")
    };
    Check { id: "failure-policy", state, message, remedy }
}

/// The certificate's end, and whether the configurations trust its CA.
async fn certificate(
    client: &Client,
    options: &Options,
    live: &Live<'_>,
) -> Result<Vec<Check>, Failure> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), &options.namespace);
    let secret = match secrets.get_opt(SECRET).await {
        Ok(secret) => secret,
        Err(kube::Error::Api(status)) if status.code == 403 => {
            return Ok(vec![Check {
                id: "certificate",
                state: State::Warning,
                message: format!("not looked at: you may not read the Secret {SECRET}"),
                remedy: "",
            }]);
        }
        Err(error) => {
            return Err(Failure::cluster(format!("failed to read the Secret: {}", why(&error))));
        }
    };
    let data = secret.and_then(|secret| secret.data).unwrap_or_default();
    let expiry = data.get("tls.crt").and_then(|pem| {
        let (_, pem) = parse_x509_pem(&pem.0).ok()?;
        Some(pem.parse_x509().ok()?.validity().not_after)
    });
    let Some(expiry) = expiry else {
        return Ok(vec![Check {
            id: "certificate",
            state: State::Error,
            message: format!("the Secret {SECRET} holds no certificate"),
            remedy: match options.certificates {
                Certificates::SelfManaged => {
                    "a running replica writes it within seconds; if it does not, see its log"
                }
                Certificates::CertManager => {
                    "see why cert-manager does not fill it: kubectl describe certificates"
                }
                Certificates::Files => "fill it with tls.crt, tls.key and ca.crt",
            },
        }]);
    };
    let now = x509_parser::time::ASN1Time::now();
    let days = (expiry.timestamp() - now.timestamp()) / 86_400;
    let (state, remedy) = match days {
        ..0 => {
            (State::Error, "it has expired; see the log of a replica for why it was not renewed")
        }
        0..NEAR => (State::Warning, "it should have been renewed; see the log of a replica"),
        _ => (State::Ok, ""),
    };
    let message = format!("ends in {days} days");
    let mut checks = vec![Check { id: "certificate", state, message, remedy }];
    let part = |key: &str| data.get(key).map(|value| value.0.as_slice());
    checks.push(bundle(options, part("ca.crt"), part("tls.crt"), live));
    Ok(checks)
}

fn bundle(
    options: &Options,
    ca: Option<&[u8]>,
    certificate: Option<&[u8]>,
    live: &Live<'_>,
) -> Check {
    use k8s_openapi::ByteString;

    let own = options.certificates == Certificates::SelfManaged;
    let trusts = |bundle: &[u8]| {
        if own {
            // The server writes it as it is.
            return ca == Some(bundle);
        }
        certificate.is_some_and(|certificate| signs(bundle, certificate))
    };
    let matches =
        live.iter().filter_map(|(_, live)| live.as_ref()).flat_map(webhooks).all(|hook| {
            let bundle = hook.pointer("/clientConfig/caBundle").cloned().unwrap_or_default();
            let bundle: Option<ByteString> = serde_json::from_value(bundle).ok();
            bundle.is_some_and(|bundle| trusts(&bundle.0))
        });
    let (state, message, remedy) = if matches {
        (State::Ok, "the webhook configurations trust the server's CA", "")
    } else {
        (
            State::Error,
            "the webhook configurations trust another CA than the server's",
            if own {
                "a running replica mends it within seconds; if it does not, see its log"
            } else {
                "kubectl gmsa upgrade writes ca.crt of the Secret, or what --ca-bundle FILE holds, \
                 into them"
            },
        )
    };
    Check { id: "ca-bundle", state, message: message.to_owned(), remedy }
}

async fn drift<'a>(
    applier: &Applier,
    wanted: impl Iterator<Item = &'a Value>,
) -> Result<Check, Failure> {
    let mut differs = Vec::new();
    for object in wanted {
        match applier.compare(object).await {
            Ok(Change::Unchanged) => {}
            Ok(Change::Created) => differs.push(format!("{} is missing", shown(object))),
            Ok(Change::Changed(differences)) => {
                // The options are what is compared with; only their spelling can differ.
                let options = format!("metadata.annotations.{OPTIONS}");
                let paths = differences.iter().map(|one| one.path.as_str());
                let paths: Vec<&str> = paths.filter(|path| *path != options).collect();
                if !paths.is_empty() {
                    differs.push(format!("{} ({})", shown(object), paths.join(", ")));
                }
            }
            // What the option asks for was taken away since.
            Err(Error::UnknownKind { .. }) => {
                differs.push(format!("{} is of a kind that is not there", shown(object)));
            }
            Err(error) if error.is_forbidden() => {
                return Ok(Check {
                    id: "drift",
                    state: State::Warning,
                    message: "not looked at: you may not change the objects".to_owned(),
                    remedy: "",
                });
            }
            Err(error) => return Err(Failure::cluster(error)),
        }
    }
    let (state, message, remedy) = if differs.is_empty() {
        (State::Ok, "every object is as install makes it".to_owned(), "")
    } else {
        (
            State::Warning,
            format!("not as this version of install makes it: {}", differs.join("; ")),
            "kubectl gmsa install --dry-run=server shows the differences in full",
        )
    };
    Ok(Check { id: "drift", state, message, remedy })
}

fn outage(options: &Options, version: Version) -> Check {
    let who = match (version.filters(), options.namespaces_opt_in) {
        (true, false) => "pods that use a GMSA do not start; all others do",
        (true, true) => "pods that use a GMSA do not start in namespaces that opted in",
        (false, true) => "no pod starts in namespaces that opted in",
        (false, false) => {
            "no pod starts, but for those of kube-system and of the webhook's own namespace: this \
             server cannot tell pods apart before it asks (Kubernetes 1.28 can)"
        }
    };
    let state =
        if version.filters() || options.namespaces_opt_in { State::Ok } else { State::Warning };
    let remedy = if state == State::Ok {
        ""
    } else {
        "send only the namespaces that need it: kubectl gmsa install --namespaces-opt-in, and label \
         them gmsa-webhook=enabled"
    };
    Check { id: "outage", state, message: format!("while no replica answers, {who}"), remedy }
}
