//! Keeps the result of an audit in the cluster.
//!
//! The numbers are always in a `ConfigMap` with a fixed name, so that reading only them takes the
//! right to one object. The findings are in policy reports if the cluster has that kind, and
//! otherwise in the `ConfigMap`. No contents of credential specs are kept.

mod policy_report;

use gmsa_core::finding::Severity;
use gmsa_core::names::{AUDIT, AUDIT_FIELD_MANAGER, NAME, PART_OF};
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use serde_json::{Map, Value, json};

use self::policy_report::PolicyReports;
use super::{Audit, Report, Scope};
use crate::api::Error;
use crate::api::apply::Applier;
use crate::api::objects::{Objects, Reference, kinds};

/// How long the findings are at most in JSON: a `ConfigMap` holds 1 MiB, and so does a request.
const MOST: usize = 512 * 1024;

/// What was written.
#[derive(Clone, Debug)]
pub struct Published {
    /// The `ConfigMap` with the numbers, as namespace and name.
    pub config_map: String,
    /// The number of policy reports with findings; none if the `ConfigMap` has them.
    pub policy_reports: Option<usize>,
    /// The `apiVersion` of these reports.
    pub reports_api: Option<&'static str>,
    /// How many findings are left out, because there are too many.
    pub left_out: usize,
    /// What kept the findings out of policy reports although the cluster knows these.
    pub problem: Option<String>,
}

/// Writes the result of an audit of the whole cluster that ended at this time.
pub async fn publish(
    client: &Client,
    namespace: &str,
    audit: &Audit,
    time: Timestamp,
) -> Result<Published, Error> {
    let audit = without_contents(audit);
    let owner = owner(client).await;
    let applier = Applier::new(client.clone(), AUDIT_FIELD_MANAGER, true);
    let reports = PolicyReports { client, applier: &applier, owner: owner.as_ref(), time };
    let (written, problem) = match reports.write(&audit).await {
        Ok(written) => (written, None),
        Err(error) => (None, Some(error.to_string())),
    };
    let mut data = numbers(&audit, time);
    let reports_api = written.as_ref().map(|written| written.api_version);
    let place = match reports_api {
        Some(version) => format!("policy reports ({version})"),
        None => "report.json".to_owned(),
    };
    data.insert("findings".to_owned(), json!(place));
    let left_out = if let Some(written) = &written {
        written.left_out
    } else {
        let report = Report::new(&audit, &Scope::default(), time).within(MOST);
        let left_out = report.left_out;
        let text = serde_json::to_string_pretty(&report).unwrap_or_default();
        data.insert("report.json".to_owned(), json!(text));
        left_out
    };
    let mut metadata = metadata(owner.as_ref());
    metadata.insert("namespace".to_owned(), json!(namespace));
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data});
    applier.apply(&map).await?;
    Ok(Published {
        config_map: format!("{namespace}/{AUDIT}"),
        policy_reports: written.map(|written| written.reports),
        reports_api,
        left_out,
        problem,
    })
}

/// The metadata of everything that is kept.
fn metadata(owner: Option<&Value>) -> Map<String, Value> {
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), json!(AUDIT));
    let labels = json!({"app.kubernetes.io/name": NAME, PART_OF.0: PART_OF.1});
    metadata.insert("labels".to_owned(), labels);
    if let Some(owner) = owner {
        metadata.insert("ownerReferences".to_owned(), json!([owner]));
    }
    metadata
}

fn numbers(audit: &Audit, time: Timestamp) -> Map<String, Value> {
    let count = |severity| audit.count(severity).to_string();
    let data = [
        ("errors", count(Severity::Error)),
        ("warnings", count(Severity::Warning)),
        ("infos", count(Severity::Info)),
        ("pods", audit.pods.to_string()),
        ("complete", audit.unread.is_empty().to_string()),
        ("time", time.to_string()),
    ];
    data.into_iter().map(|(key, value)| (key.to_owned(), json!(value))).collect()
}

/// The cluster role that the option installs; the results are deleted with it. None if the audit was
/// set up in another way, or if the role may not be read.
async fn owner(client: &Client) -> Option<Value> {
    let objects = Objects::new(client.clone(), AUDIT_FIELD_MANAGER, false);
    let role = objects.get(&Reference::cluster(kinds::CLUSTER_ROLE, AUDIT)).await.ok()??;
    let labels = role.pointer("/metadata/labels")?;
    (labels.get(PART_OF.0)? == PART_OF.1).then_some(())?;
    let uid = role.pointer("/metadata/uid")?;
    Some(json!({"apiVersion": kinds::CLUSTER_ROLE.api_version(), "kind": "ClusterRole",
        "name": AUDIT, "uid": uid}))
}

/// The same findings without what lint quotes of credential specs: more people may read the
/// results than those.
fn without_contents(audit: &Audit) -> Audit {
    let mut audit = audit.clone();
    for finding in &mut audit.findings {
        if finding.object.kind == gmsa_core::names::KIND {
            finding.message = finding.code.summary().replace('`', "");
        }
    }
    audit
}

#[cfg(test)]
mod tests;
