//! Policy reports: those of OpenReports (`openreports.io/v1alpha1`), or those of the Kubernetes policy
//! working group that came before (`wgpolicyk8s.io/v1alpha2`). Both have the same fields.
//!
//! The report of a namespace holds what was found on its objects, the one of the cluster the rest.
//! All have one name, so that the right to that name is enough.

use std::collections::BTreeMap;

use gmsa_core::finding::Severity;
use gmsa_core::names::AUDIT;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

use super::{MOST, metadata};
use crate::api::apply::Applier;
use crate::api::objects::kinds;
use crate::api::{Error, answer};
use crate::audit::report::fitting;
use crate::audit::{Audit, Finding};

/// The kinds of reports of one API.
#[derive(Debug)]
pub(super) struct Form {
    api_version: &'static str,
    namespaced: &'static str,
    namespaced_plural: &'static str,
    cluster: &'static str,
    cluster_plural: &'static str,
}

/// The forms that are known; where a cluster serves several, the first is written.
pub(super) const FORMS: [Form; 2] = [
    Form {
        api_version: "openreports.io/v1alpha1",
        namespaced: "Report",
        namespaced_plural: "reports",
        cluster: "ClusterReport",
        cluster_plural: "clusterreports",
    },
    Form {
        api_version: "wgpolicyk8s.io/v1alpha2",
        namespaced: "PolicyReport",
        namespaced_plural: "policyreports",
        cluster: "ClusterPolicyReport",
        cluster_plural: "clusterpolicyreports",
    },
];
/// How many results a report has at most: those who show them read all into memory.
const RESULTS: usize = 500;
/// How many characters of evidence a result has at most.
const EVIDENCE: usize = 1000;
const PAGES: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/");

/// Writes policy reports.
pub(super) struct PolicyReports<'a> {
    pub(super) client: &'a Client,
    pub(super) applier: &'a Applier,
    /// What the reports go with.
    pub(super) owner: Option<&'a Value>,
    /// When the audit ended.
    pub(super) time: Timestamp,
}

/// What was written.
pub(super) struct Written {
    /// The `apiVersion` of the reports.
    pub(super) api_version: &'static str,
    pub(super) reports: usize,
    pub(super) left_out: usize,
}

impl PolicyReports<'_> {
    /// Writes one report for each namespace with findings and one for the rest, and deletes those
    /// of namespaces that have none any more. None if the cluster does not know policy reports.
    pub(super) async fn write(&self, audit: &Audit) -> Result<Option<Written>, Error> {
        let mut known = Vec::new();
        for form in &FORMS {
            if self.is_known(form).await? {
                known.push(form);
            }
        }
        let Some((form, others)) = known.split_first() else { return Ok(None) };
        let mut by_namespace: BTreeMap<Option<&str>, Vec<&Finding>> = BTreeMap::new();
        // Written without findings too: it shows that the audit was made.
        by_namespace.insert(None, Vec::new());
        for finding in &audit.findings {
            by_namespace.entry(finding.object.namespace.as_deref()).or_default().push(finding);
        }
        let mut written = Written { api_version: form.api_version, reports: 0, left_out: 0 };
        for (namespace, findings) in &by_namespace {
            let (report, left_out) = report(form, *namespace, findings, self.owner, self.time);
            match self.applier.apply(&report).await {
                Ok(_) => written.reports += 1,
                // A namespace that has ended, or is about to, needs no report.
                Err(error) if error.code() == Some(404) && namespace.is_some() => continue,
                Err(error) if is_ending(&error) => continue,
                Err(error) => return Err(error),
            }
            written.left_out += left_out;
        }
        self.drop_others(form, &by_namespace).await?;
        for other in others {
            // Of an audit from before the cluster served the preferred form.
            self.drop_others(other, &BTreeMap::new()).await?;
        }
        Ok(Some(written))
    }

    async fn is_known(&self, form: &Form) -> Result<bool, Error> {
        let asked = self.client.list_api_group_resources(form.api_version);
        match answer("find", form.api_version, asked).await {
            Ok(list) => {
                let has = |kind: &str| list.resources.iter().any(|one| one.kind == kind);
                Ok(has(form.namespaced) && has(form.cluster))
            }
            Err(error) if error.code() == Some(404) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Deletes the reports of a form but those that are wanted.
    async fn drop_others(
        &self,
        form: &Form,
        wanted: &BTreeMap<Option<&str>, Vec<&Finding>>,
    ) -> Result<(), Error> {
        let resource = form.resource(form.namespaced, form.namespaced_plural);
        let all: Api<DynamicObject> = Api::all_with(self.client.clone(), &resource);
        // The right to the one name covers a list of that name.
        let params = ListParams::default().fields(&format!("metadata.name={AUDIT}"));
        let found = answer("list", form.namespaced_plural, all.list(&params)).await?;
        for namespace in found.items.iter().filter_map(ResourceExt::namespace) {
            if wanted.contains_key(&Some(namespace.as_str())) {
                continue;
            }
            let of: Api<DynamicObject> =
                Api::namespaced_with(self.client.clone(), &namespace, &resource);
            drop_one(&of, &format!("{} {namespace}/{AUDIT}", form.namespaced)).await?;
        }
        if wanted.contains_key(&None) {
            return Ok(());
        }
        let resource = form.resource(form.cluster, form.cluster_plural);
        let of: Api<DynamicObject> = Api::all_with(self.client.clone(), &resource);
        drop_one(&of, &format!("{} {AUDIT}", form.cluster)).await
    }
}

impl Form {
    fn resource(&self, kind: &str, plural: &str) -> ApiResource {
        let (group, version) = self.api_version.split_once('/').unwrap_or_default();
        ApiResource {
            group: group.to_owned(),
            version: version.to_owned(),
            api_version: self.api_version.to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
        }
    }
}

async fn drop_one(of: &Api<DynamicObject>, what: &str) -> Result<(), Error> {
    match answer("delete", what, of.delete(AUDIT, &DeleteParams::default())).await {
        Err(error) if error.code() != Some(404) => Err(error),
        _ => Ok(()),
    }
}

fn is_ending(error: &Error) -> bool {
    error.is_forbidden() && error.why().contains("being terminated")
}

/// A report, and how many findings are left out of it. Its numbers count them.
pub(super) fn report(
    form: &Form,
    namespace: Option<&str>,
    findings: &[&Finding],
    owner: Option<&Value>,
    time: Timestamp,
) -> (Value, usize) {
    let all: Vec<Value> =
        findings.iter().take(RESULTS).map(|finding| result(finding, time)).collect();
    let kept = fitting(&all, MOST);
    let left_out = findings.len() - kept;
    let mut results: Vec<Value> = all.into_iter().take(kept).collect();
    if left_out > 0 {
        let message = format!(
            "{left_out} further findings, the least severe, are left out here; kubectl gmsa audit \
             shows all"
        );
        results.push(json!({"source": "kube-gmsa", "policy": "gmsa-audit", "rule": "left-out",
            "result": "skip", "message": message, "timestamp": timestamp(time)}));
    }
    let is_error = |one: &&&Finding| one.code.severity() == Severity::Error;
    let errors = findings.iter().filter(is_error).count();
    let mut metadata = metadata(owner);
    if let Some(namespace) = namespace {
        metadata.insert("namespace".to_owned(), json!(namespace));
    }
    let report = json!({
        "apiVersion": form.api_version,
        "kind": if namespace.is_some() { form.namespaced } else { form.cluster },
        "metadata": metadata,
        "summary": {"pass": 0, "fail": errors, "warn": findings.len() - errors, "error": 0,
            "skip": usize::from(left_out > 0)},
        "results": results,
    });
    (report, left_out)
}

fn result(finding: &Finding, time: Timestamp) -> Value {
    // The levels that every version of the schema has.
    let (result, level) = match finding.code.severity() {
        Severity::Error => ("fail", "high"),
        Severity::Warning => ("warn", "medium"),
        Severity::Info => ("warn", "low"),
    };
    let object = &finding.object;
    let mut resource = json!({"kind": object.kind, "name": object.name});
    if let Some(resource) = resource.as_object_mut() {
        if let Some(kind) = kinds::named(&object.kind) {
            resource.insert("apiVersion".to_owned(), json!(kind.api_version()));
        }
        if let Some(namespace) = &object.namespace {
            resource.insert("namespace".to_owned(), json!(namespace));
        }
    }
    let mut properties = json!({
        "remedy": finding.remedy,
        "page": format!("{PAGES}{}", finding.code.page()),
    });
    let evidence: String = finding.evidence.join("; ").chars().take(EVIDENCE).collect();
    // Servers of version 1.20 treat an empty text in an applied custom resource as null.
    if let Some(properties) = properties.as_object_mut().filter(|_| !evidence.is_empty()) {
        properties.insert("evidence".to_owned(), json!(evidence));
    }
    json!({
        "source": "kube-gmsa",
        "policy": "gmsa-audit",
        "rule": finding.code.id(),
        "category": "GMSA",
        "result": result,
        "severity": level,
        "scored": true,
        "message": finding.message,
        "resources": [resource],
        "properties": properties,
        "timestamp": timestamp(time),
    })
}

fn timestamp(time: Timestamp) -> Value {
    json!({"seconds": time.as_second(), "nanos": 0})
}
