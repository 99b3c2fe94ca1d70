//! What is asked for: the arguments over what the last install was told.

use gmsa_cluster::installation::{Certificates, Options, is_schedule};
use gmsa_core::credspec::name::is_valid_name;

use super::pods;
use crate::cli::{CertificatesArg, FailurePolicy, Install};
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
        certificates: args.certificates.map_or(known.certificates, |from| match from {
            CertificatesArg::SelfManaged => Certificates::SelfManaged,
            CertificatesArg::CertManager => Certificates::CertManager,
            CertificatesArg::Files => Certificates::Files,
        }),
        mutating_may_be_skipped: args
            .mutating_failure_policy
            .map_or(known.mutating_may_be_skipped, |policy| policy == FailurePolicy::Ignore),
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
        node_selector: pods::node_selector(&args.pods, known.node_selector)?,
        tolerations: pods::tolerations(&args.pods, known.tolerations)?,
        affinity: pods::affinity(&args.pods, known.affinity)?,
        resources: pods::resources(&args.pods, known.resources)?,
        namespace_requirements: if args.takeover.end_exclusions {
            Vec::new()
        } else {
            known.namespace_requirements
        },
    };
    check(&options)?;
    Ok(options)
}

const IMAGE_NAME: &str = gmsa_cluster::installation::IMAGE;

fn check(options: &Options) -> Result<(), Failure> {
    let bad = |what: &str| Err(Failure::Input(format!("failed to read the options: {what}")));
    if !is_valid_name(&options.namespace) || options.namespace.contains('.') {
        return bad(&format!("\"{}\" is no name of a namespace", options.namespace));
    }
    if options.replicas == 0 {
        return bad("--replicas is 0, and then every pod that uses a GMSA would be refused");
    }
    if options.port < 1024 && !options.host_network {
        return bad("--port is below 1024, where the server's user may not listen");
    }
    if !is_schedule(&options.audit_schedule) {
        return bad(&format!(
            "\"{}\" is no schedule; write minute, hour, day, month and weekday: \"17 */6 * * *\"",
            options.audit_schedule
        ));
    }
    if options.image.trim().is_empty() {
        return bad("--image is empty");
    }
    Ok(())
}
