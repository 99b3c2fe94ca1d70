//! `kubectl gmsa report`: one HTML page about the use of identities in a cluster.

mod audit;
mod diagnosis;
mod html;
mod map;
mod page;

use gmsa_cluster::api::objects::kinds;
use gmsa_cluster::audit::{Audit, Scope, run as audit_cluster};
use gmsa_core::credspec::lint;
use gmsa_core::diagnosis::{Outcome, State};
use gmsa_core::finding::{Finding, Severity};
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use crate::access_map::report::Report as AccessReport;
use crate::cli::{Access, AccessOutput, ReportArgs};
use crate::connect::{Connection, server_version};
use crate::credential_spec::name_of;
use crate::failure::Failure;
use crate::output::{file, printer};
use crate::{access_map, checks};

/// Everything that the page shows.
struct Report {
    /// When the cluster was read.
    time: Timestamp,
    /// Major and minor version of the API server.
    kubernetes: String,
    /// The namespace that it is limited to.
    namespace: Option<String>,
    /// Who may use what, and does.
    access: AccessReport,
    /// The credential specs with their findings.
    specs: Vec<(Value, Vec<Finding>)>,
    /// The audit of the cluster, or why it failed.
    audit: Result<Audit, String>,
    /// The results of the doctor's checks of the cluster, or why they failed.
    diagnosis: Result<Vec<Outcome>, String>,
}

impl Report {
    /// Findings of credential specs of this severity.
    fn findings(&self, severity: Severity) -> usize {
        let all = self.specs.iter().flat_map(|(_, findings)| findings);
        all.filter(|finding| finding.severity() == severity).count()
    }

    /// What the audit found of this severity, the findings of credential specs aside.
    fn audited(&self, severity: Severity) -> usize {
        self.audit.as_ref().map_or(0, |audit| audit::count(audit, severity))
    }

    /// The outcomes of the checks of the webhook.
    fn health(&self) -> impl Iterator<Item = &Outcome> {
        let all = self.diagnosis.iter().flatten();
        // Also of what decides in its stead, or beside it.
        let parts = ["webhook-", "engine-", "guard-", "admission-"];
        all.filter(move |outcome| parts.iter().any(|part| outcome.check.id.starts_with(part)))
    }

    /// How many checks of the webhook ended so.
    fn checks(&self, state: State) -> usize {
        self.health().filter(|outcome| outcome.state == state).count()
    }

    /// What could not be read, and why.
    fn unknown(&self) -> Vec<String> {
        let mut unknown: Vec<String> = Vec::new();
        match &self.audit {
            Ok(audit) => unknown.extend(audit.unread.iter().cloned()),
            Err(why) => unknown.push(format!("the cluster was not audited: {why}")),
        }
        let diagnosis = self.diagnosis.as_ref().err();
        unknown.extend(diagnosis.map(|why| format!("the doctor failed: {why}")));
        unknown
    }

    /// Whether something on it is wrong.
    fn has_errors(&self) -> bool {
        self.access.summary.missing > 0
            || self.findings(Severity::Error) > 0
            || self.audited(Severity::Error) > 0
            || self.diagnosis.iter().flatten().any(|one| one.state == State::Problem)
    }
}

/// Writes the page.
pub fn run(args: &ReportArgs) -> Result<u8, Failure> {
    // An existing file is refused before the cluster is read.
    file::refuse_existing(&args.out, args.overwrite)?;
    let connection = Connection::open(&args.connect)?;
    connection.expect_namespace(args.namespace.as_deref())?;
    let report = connection.runtime.block_on(gather(&connection, args))?;
    for unread in &report.access.unread {
        printer::warning(unread);
    }
    let unknown = report.unknown();
    for one in &unknown {
        printer::warning(one);
    }
    file::write(&args.out, &page::render(&report), args.overwrite)?;
    printer::data(&format!("{}\n", args.out.display()))?;
    // What could not be read may be wrong.
    Ok(u8::from(report.has_errors() || !unknown.is_empty()))
}

async fn gather(connection: &Connection, args: &ReportArgs) -> Result<Report, Failure> {
    let objects = connection.objects(false);
    let asked = Access {
        credential_spec: None,
        service_account: None,
        namespace: args.namespace.clone(),
        all_namespaces: args.all_namespaces,
        no_verify: args.no_verify,
        output: AccessOutput::Table,
        connect: crate::cli::shared::ClusterFlags::default(),
    };
    let version = server_version(&connection.client).await?;
    let access = access_map::look(&connection.client, &objects, &asked).await?;
    let specs = objects.list_known(kinds::CREDENTIAL_SPEC, None).await?;
    // A page about the rest is still worth having, here and below.
    let scope = Scope { namespace: args.namespace.clone(), ..Scope::default() };
    let audited = audit_cluster(connection.client.clone(), scope, &|_| ()).await;
    let diagnosis = checks::examine_all(&connection.client).await;
    Ok(Report {
        time: Timestamp::now(),
        kubernetes: version.to_string(),
        namespace: args.namespace.clone(),
        access,
        specs: specs
            .into_iter()
            .map(|spec| {
                let findings = lint(name_of(&spec), &spec);
                (spec, findings)
            })
            .collect(),
        audit: audited.map_err(|error| error.to_string()),
        diagnosis: diagnosis.map_err(|failure| failure.to_string()),
    })
}
