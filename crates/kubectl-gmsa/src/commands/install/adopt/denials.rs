//! What would be denied from now on, reported before anything is changed.

use gmsa_cluster::audit::{self, Finding, Scope};
use gmsa_cluster::installation::{Engine, Options, Version, namespace_requirements, sent};
use gmsa_core::finding::Code;
use kube::Client;

use crate::cli::Install;
use crate::failure::Failure;
use crate::output::printer;

/// The workloads, and the pods that nothing known makes, whose next pod would be denied by an
/// installation with these options.
pub async fn denials(
    client: &Client,
    options: &Options,
    version: Version,
) -> Result<Vec<Finding>, Failure> {
    let scope = Scope {
        sent: Some(sent(&namespace_requirements(options, version))),
        next_pods: true,
        ..Scope::default()
    };
    printer::note("looking for workloads whose next pod would be denied");
    let audit = audit::run(client.clone(), scope, &|_| ()).await;
    let audit = audit.map_err(|error| Failure::Cluster(error.to_string()))?;
    // A kind that is not served has no objects; what may not be read may hide a denial.
    if let Some(unread) = audit.unread.first() {
        return Err(Failure::Cluster(format!(
            "failed to find out which workloads would be denied: {unread}; nothing was changed"
        )));
    }
    // Where no pod is sent, the guard lets none have a GMSA, and neither do the policies of the engine.
    let guarded = options.has_policy_engine(version) || (options.guard && version.has_policies());
    let is_denial = |finding: &Finding| match finding.code {
        Code::WorkloadWouldBeDenied => true,
        Code::GmsaInExcludedNamespace => guarded,
        _ => false,
    };
    Ok(audit.findings.into_iter().filter(is_denial).collect())
}

/// Prints them, each with the reason and the remedy.
pub fn tell(denied: &[Finding]) -> Result<(), Failure> {
    for finding in denied {
        let mut text = if finding.code == Code::GmsaInExcludedNamespace {
            format!(
                "{} of {} would be denied, as every pod with a GMSA in a namespace that is left out: {}\n",
                finding.evidence.join(", "),
                finding.object,
                finding.message
            )
        } else {
            format!("{} would be denied: {}\n", finding.object, reasons(finding))
        };
        text.push_str(&format!("  {}\n", finding.remedy));
        printer::data(&text)?;
    }
    Ok(())
}

fn reasons(finding: &Finding) -> String {
    if finding.evidence.is_empty() { finding.message.clone() } else { finding.evidence.join("; ") }
}

/// Whether the installation stops here; prints why.
pub fn stop(args: &Install, options: &Options, denied: &[Finding]) -> bool {
    if denied.is_empty() || args.takeover.accept_denials {
        return false;
    }
    let unchecked = match options.engine {
        Engine::Webhook => {
            "; --guard=false leaves namespaces that are left out unchecked, as before"
        }
        Engine::Policy => "",
    };
    printer::note(&format!(
        "workloads and pods that would be denied: {}; nothing was changed. Grant what should be granted, \
         or continue with --accept-denials{unchecked}",
        denied.len()
    ));
    true
}
