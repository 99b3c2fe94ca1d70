//! The wanted options: arguments override the options of the previous install.

use std::collections::BTreeMap;
use std::path::Path;

use gmsa_cluster::installation::{Certificates, Engine, Options, Resources, Tls, is_schedule, tls};
use gmsa_cluster::manifests::{parse, texts};
use gmsa_core::credspec::name::is_valid_name;
use gmsa_core::names::METRICS_PORT;
use gmsa_core::printable::printable;
use serde_json::{Value, json};

use super::modes;
use crate::cli::{CertificatesArg, EngineArg, FailurePolicy, Install, PodFlags, TlsFlags};
use crate::failure::Failure;

/// Resolves the options. An image that was never chosen is that of this version.
pub fn resolve(args: &Install, kept: Option<Options>) -> Result<Options, Failure> {
    let known = kept.unwrap_or_default();
    let published = |image: &str| image.split(':').next() == IMAGE_NAME.split(':').next();
    let image = match &args.image {
        Some(image) => image.clone(),
        None if published(&known.image) => Options::default().image,
        None => known.image,
    };
    let options = Options {
        namespace: args.namespace.clone().unwrap_or(known.namespace),
        image,
        replicas: args.replicas.unwrap_or(known.replicas),
        engine: args.engine.map_or(known.engine, engine),
        literals: None,
        certificates: args.certificates.map_or(known.certificates, |from| match from {
            CertificatesArg::SelfManaged => Certificates::SelfManaged,
            CertificatesArg::CertManager => Certificates::CertManager,
            CertificatesArg::Files => Certificates::Files,
        }),
        mutating_may_be_skipped: args
            .mutating_failure_policy
            .map_or(known.mutating_may_be_skipped, |policy| policy == FailurePolicy::Ignore),
        guard: args.guard.unwrap_or(known.guard),
        protect: args.protect.unwrap_or(known.protect),
        namespaces_opt_in: args.namespaces_opt_in.unwrap_or(known.namespaces_opt_in),
        skip_system_namespaces: args.skip_system_namespaces.unwrap_or(known.skip_system_namespaces),
        random_hostname: args.random_hostname.unwrap_or(known.random_hostname),
        host_network: args.host_network.unwrap_or(known.host_network),
        port: args.port.unwrap_or(known.port),
        timeout_seconds: args.timeout_seconds.unwrap_or(known.timeout_seconds),
        priority_class: args.priority_class.clone().or(known.priority_class),
        image_pull_secrets: if args.image_pull_secret.is_empty() {
            known.image_pull_secrets
        } else {
            args.image_pull_secret.clone()
        },
        early_warnings: args.early_warnings.unwrap_or(known.early_warnings),
        audit: args.audit.unwrap_or(known.audit),
        audit_schedule: args.audit_schedule.clone().unwrap_or(known.audit_schedule),
        viewer_role: args.viewer_role.unwrap_or(known.viewer_role),
        network_policy: args.network_policy.unwrap_or(known.network_policy),
        service_monitor: args.service_monitor.unwrap_or(known.service_monitor),
        prometheus_rule: args.prometheus_rule.unwrap_or(known.prometheus_rule),
        dashboard: args.dashboard.unwrap_or(known.dashboard),
        node_selector: node_selector(&args.pods, known.node_selector)?,
        tolerations: tolerations(&args.pods, known.tolerations)?,
        affinity: affinity(&args.pods, known.affinity)?,
        resources: resources(&args.pods, known.resources)?,
        tls: tls_settings(&args.tls, known.tls)?,
        metrics_https: args.tls.metrics_https.unwrap_or(known.metrics_https),
        namespace_requirements: if args.takeover.end_exclusions {
            Vec::new()
        } else {
            known.namespace_requirements
        },
    };
    modes::refuse(args, Some(options.engine))?;
    check(&options)?;
    if args.audit_schedule.is_some() && !options.audit {
        return Err(Failure::Input(
            "failed to read the options: --audit-schedule has no effect without --audit".to_owned(),
        ));
    }
    Ok(options)
}

/// What decides on pods.
pub fn engine(wanted: EngineArg) -> Engine {
    match wanted {
        EngineArg::Policy => Engine::Policy,
        EngineArg::Webhook | EngineArg::Auto => Engine::Webhook,
    }
}

const IMAGE_NAME: &str = gmsa_cluster::installation::IMAGE;

fn check(options: &Options) -> Result<(), Failure> {
    let bad = |what: &str| Err(Failure::Input(format!("failed to read the options: {what}")));
    if !is_valid_name(&options.namespace) || options.namespace.contains('.') {
        return bad(&format!("\"{}\" is not a valid name of a namespace", options.namespace));
    }
    // Its pod security would apply to the pods of others there, too.
    if options.namespace.starts_with("kube-") {
        return bad(&format!(
            "--namespace {} is one of Kubernetes' own, and install would enforce its pod security there; \
             choose another",
            options.namespace
        ));
    }
    if options.replicas == 0 {
        return bad("--replicas is 0, and then every pod that uses a GMSA would be refused");
    }
    if options.port < 1024 && !options.host_network {
        return bad("--port is below 1024, where the server's user may not listen");
    }
    if options.port == METRICS_PORT {
        return bad("--port is 9443, where the server serves its metrics; choose another");
    }
    if !is_schedule(&options.audit_schedule) {
        return bad(&format!(
            "\"{}\" is not a schedule; write minute, hour, day, month and weekday: \"17 */6 * * *\"",
            options.audit_schedule
        ));
    }
    if options.image.trim().is_empty() {
        return bad("--image is empty");
    }
    Ok(())
}

/// The labels that nodes must have.
fn node_selector(
    args: &PodFlags,
    known: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Failure> {
    if args.node_selector.is_empty() {
        return Ok(known);
    }
    let mut labels = BTreeMap::new();
    for text in args.node_selector.iter().filter(|text| !text.is_empty()) {
        let (key, value) = text
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| bad("--node-selector", text, "KEY=VALUE"))?;
        if key == "kubernetes.io/os" {
            return Err(bad("--node-selector", text, "another label: the webhook runs on Linux"));
        }
        labels.insert(key.to_owned(), value.to_owned());
    }
    Ok(labels)
}

/// The taints that are tolerated.
fn tolerations(args: &PodFlags, known: Vec<Value>) -> Result<Vec<Value>, Failure> {
    if args.toleration.is_empty() {
        return Ok(known);
    }
    args.toleration.iter().filter(|text| !text.is_empty()).map(|text| toleration(text)).collect()
}

fn toleration(text: &str) -> Result<Value, Failure> {
    let shape = "KEY[=VALUE][:EFFECT], and the effect NoSchedule, PreferNoSchedule or NoExecute";
    let (taint, effect) = match text.rsplit_once(':') {
        Some((taint, effect)) => (taint, Some(effect)),
        None => (text, None),
    };
    let known = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
    if taint.is_empty() || effect.is_some_and(|effect| !known.contains(&effect)) {
        return Err(bad("--toleration", text, shape));
    }
    let mut toleration = match taint.split_once('=') {
        Some((key, value)) if !key.is_empty() => {
            json!({"key": key, "operator": "Equal", "value": value})
        }
        Some(_) => return Err(bad("--toleration", text, shape)),
        None => json!({"key": taint, "operator": "Exists"}),
    };
    if let (Some(effect), Some(toleration)) = (effect, toleration.as_object_mut()) {
        toleration.insert("effect".to_owned(), json!(effect));
    }
    Ok(toleration)
}

/// The affinity in a file.
fn affinity(args: &PodFlags, known: Option<Value>) -> Result<Option<Value>, Failure> {
    let Some(path) = &args.affinity_file else { return Ok(known) };
    if path.is_empty() {
        return Ok(None);
    }
    let failed =
        |why: &str| Failure::Input(format!("failed to read the affinity in {path}: {why}"));
    let texts = texts(&Path::new(path).into())?;
    let mut documents = texts.iter().flat_map(|one| parse(&one.name, &one.text));
    let (Some(document), None) = (documents.next(), documents.next()) else {
        return Err(failed("expected one document"));
    };
    let value = document.map_err(|error| failed(&error.to_string()))?.into_value();
    let known = ["nodeAffinity", "podAffinity", "podAntiAffinity"];
    let keys = value.as_object().map(|object| object.keys().all(|key| known.contains(&&**key)));
    if keys != Some(true) {
        return Err(failed("expected nodeAffinity, podAffinity or podAntiAffinity, nothing else"));
    }
    Ok(Some(value))
}

/// What a pod asks for, and may use at most.
fn resources(args: &PodFlags, known: Resources) -> Result<Resources, Failure> {
    let take = |flag: &str, given: &Option<String>, known: String| match given {
        Some(given) if is_quantity(given) => Ok(given.clone()),
        Some(given) => Err(bad(flag, given, "a quantity such as 100m or 64Mi")),
        None => Ok(known),
    };
    Ok(Resources {
        cpu_request: take("--cpu-request", &args.cpu_request, known.cpu_request)?,
        cpu_limit: match &args.cpu_limit {
            Some(limit) if limit.is_empty() => None,
            Some(limit) => Some(take("--cpu-limit", &args.cpu_limit, limit.clone())?),
            None => known.cpu_limit,
        },
        memory_request: take("--memory-request", &args.memory_request, known.memory_request)?,
        memory_limit: take("--memory-limit", &args.memory_limit, known.memory_limit)?,
    })
}

/// The TLS settings, checked by the names that the server knows: one that it does not know would keep
/// its pods from starting.
fn tls_settings(args: &TlsFlags, known: Tls) -> Result<Tls, Failure> {
    let names = |given: &Option<Vec<String>>, known: Vec<String>| match given {
        Some(given) => given.iter().filter(|name| !name.is_empty()).cloned().collect(),
        None => known,
    };
    let wanted = Tls {
        min_version: args.tls_min_version.clone().unwrap_or(known.min_version),
        cipher_suites: names(&args.tls_cipher_suites, known.cipher_suites),
        curves: names(&args.tls_curves, known.curves),
        follow_cluster_profile: args.follow_tls_profile.unwrap_or(known.follow_cluster_profile),
    };
    let refused = |flag: &str, name: &str, why: String| {
        Failure::Input(format!("failed to read {flag} \"{}\": {why}", printable(name)))
    };
    if !wanted.min_version.is_empty() {
        tls::min_version(&wanted.min_version)
            .map_err(|why| refused("--tls-min-version", &wanted.min_version, why))?;
    }
    for name in &wanted.cipher_suites {
        tls::cipher_suite(name).map_err(|why| refused("--tls-cipher-suites", name, why))?;
    }
    for name in &wanted.curves {
        tls::curve(name).map_err(|why| refused("--tls-curves", name, why))?;
    }
    let is_fixed = !(wanted.min_version.is_empty()
        && wanted.cipher_suites.is_empty()
        && wanted.curves.is_empty());
    if wanted.follow_cluster_profile && is_fixed {
        return Err(Failure::Input(
            "failed to read the options: --follow-tls-profile takes the TLS settings from the cluster, \
             and --tls-min-version, --tls-cipher-suites or --tls-curves sets them; leave one out (an \
             empty value removes an earlier one)"
                .to_owned(),
        ));
    }
    Ok(wanted)
}

/// Whether this is a quantity of Kubernetes (API reference, `Quantity`) that is no less than 0.
fn is_quantity(text: &str) -> bool {
    let end = text.find(|character: char| !character.is_ascii_digit() && character != '.');
    let (number, suffix) = text.split_at(end.unwrap_or(text.len()));
    let suffixes = ["", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    number.parse::<f64>().is_ok() && suffixes.contains(&suffix)
}

fn bad(flag: &str, text: &str, shape: &str) -> Failure {
    Failure::Input(format!("failed to read {flag} \"{}\": expected {shape}", printable(text)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Failure, Options, check, is_quantity, toleration};

    #[test]
    fn options_that_cannot_work_are_refused() {
        let of = Options::default;
        assert!(check(&of()).is_ok());
        for (options, words) in [
            (Options { namespace: "a.b".to_owned(), ..of() }, "is not a valid name of a namespace"),
            (Options { namespace: "kube-system".to_owned(), ..of() }, "one of Kubernetes' own"),
            (Options { replicas: 0, ..of() }, "--replicas is 0"),
            (Options { port: 443, ..of() }, "--port is below 1024"),
            (Options { port: 9443, ..of() }, "where the server serves its metrics"),
            (Options { audit_schedule: "at noon".to_owned(), ..of() }, "is not a schedule"),
            (Options { image: " ".to_owned(), ..of() }, "--image is empty"),
        ] {
            let Err(Failure::Input(said)) = check(&options) else { panic!("{options:?}") };
            assert!(said.contains(words), "{said}");
        }
    }

    #[test]
    fn tolerations_are_read_as_kubectl_writes_taints() {
        for (text, expected) in [
            ("a/b", json!({"key": "a/b", "operator": "Exists"})),
            (
                "a=b:NoExecute",
                json!({"key": "a", "operator": "Equal", "value": "b", "effect": "NoExecute"}),
            ),
            ("a:NoSchedule", json!({"key": "a", "operator": "Exists", "effect": "NoSchedule"})),
        ] {
            assert_eq!(toleration(text).unwrap(), expected);
        }
        for text in ["=b", ":NoSchedule", "a:Sometimes"] {
            assert!(toleration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn quantities_are_told_from_other_words() {
        for (text, is) in [
            ("100m", true),
            ("64Mi", true),
            ("1Ti", true),
            ("1Tm", false),
            ("0.5", true),
            ("", false),
            ("-1", false),
            ("much", false),
        ] {
            assert_eq!(is_quantity(text), is, "{text}");
        }
    }
}
