//! Checks running pods and workloads against the current policy.
//!
//! Pods are read page by page as text and judged as they come, so that memory does not grow with
//! their number; what grows is what is found, and the distinct rights that are asked for.

mod finding;
mod next_pod;
mod pods;
mod publish;
mod reach;
mod read;
pub mod references;
mod report;
mod results;
mod rights;
mod workloads;

use std::collections::{BTreeMap, BTreeSet};

use gmsa_core::credspec::lint;
use gmsa_core::finding::{Code, Severity};
use gmsa_core::names::FIELD_MANAGER;
use gmsa_core::pod::Pod;
use gmsa_core::rbac::{LabelSelector, Unreadable};
use gmsa_core::workload::{
    account_missing, pod_findings, refine_binding, selects_windows_nodes_only, templates, unread,
};
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use serde_json::Value;

use crate::acting::Fate;
use crate::api;
use crate::api::objects::{Objects, kinds};
use crate::api::value;
use crate::installation::engine::InForce;
use crate::simulate::{RightUnknown, Simulator};
pub use finding::{Finding, Object};
pub use publish::{Published, publish};
use reach::Reach;
pub use reach::{makes_hostnames, makes_random_hostnames};
pub use report::{FindingReport, Report, Summary, schema};
pub use results::{Counts, Results};

/// The service account of pods that name none.
const DEFAULT_ACCOUNT: &str = "default";

/// What to audit.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Only this namespace; none is all of them.
    pub namespace: Option<String>,
    /// Only pods created at this time or later are judged. Older ones still count as users of
    /// their credential specs and rights, and all else is judged whatever its age.
    pub since: Option<Timestamp>,
    /// How namespaces' pods are chosen to be sent, if not as by the configurations that are there.
    pub sent: Option<LabelSelector>,
    /// Whether pods without a known owner are checked as if they were created again.
    pub next_pods: bool,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// The number of pods that have not ended.
    pub pods: usize,
    /// Those of them that use a GMSA.
    pub gmsa_pods: usize,
    /// Workloads that use a GMSA.
    pub gmsa_workloads: usize,
    /// The credential specs that were checked: of one namespace those that it uses.
    pub credential_specs: usize,
    /// Everything found, the worst first.
    pub findings: Vec<Finding>,
    /// What could not be read, and why: there may be more than was found.
    pub unread: Vec<String>,
    /// Whether the pods may not be listed, so that the audit says nothing of what runs.
    pub blind: bool,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Objects could not be listed.
    #[error(transparent)]
    Objects(#[from] api::Error),
    /// A right could not be asked for.
    #[error(transparent)]
    Right(#[from] RightUnknown),
    /// A role or binding cannot be read.
    #[error("{0}; it was read from the cluster")]
    Rbac(#[from] Unreadable),
    /// An answer cannot be read.
    #[error("failed to read the list of {what}: line {line}, column {column} is not as expected")]
    Answer {
        /// The resource.
        what: &'static str,
        /// The line of the answer.
        line: usize,
        /// The column of the answer.
        column: usize,
    },
}

/// A use of a credential spec: namespace, service account, name.
type Use = [String; 3];

/// What is gathered while the lists go by.
struct Gathered {
    scope: Scope,
    simulator: Simulator,
    reach: Reach,
    uses: BTreeSet<Use>,
    /// What would be denied because a right is missing.
    without_right: Vec<(Object, Use)>,
    /// The nodes, read when they are first needed; none where they may not be listed.
    nodes: Option<Vec<Value>>,
    /// The service accounts of a namespace, read when they are first needed; none where they may not be
    /// listed.
    accounts: BTreeMap<String, Option<BTreeSet<String>>>,
    /// Whether everything that may use a credential spec was read.
    complete: bool,
    audit: Audit,
}

/// Audits the cluster. `progress` is called after each page with the number of pods read so far.
pub async fn run(client: Client, scope: Scope, progress: &dyn Fn(usize)) -> Result<Audit, Error> {
    let objects = Objects::new(client.clone(), FIELD_MANAGER, false);
    let mut audit = Audit::default();
    let specs = objects.list_known(kinds::CREDENTIAL_SPEC, None).await?;
    let specs: BTreeMap<String, Value> =
        specs.into_iter().map(|spec| (value::name(&spec).to_owned(), spec)).collect();
    audit.credential_specs = specs.len();
    let reach = Reach::read(&objects, &scope, &mut audit.unread).await?;
    let in_force = if reach.decides_by_literals() { InForce::read(&objects).await? } else { None };
    let in_force = in_force.map(|in_force| in_force.credential_specs());
    let mut simulator = Simulator::new(client, in_force.as_ref().unwrap_or(&specs));
    for namespace in reach.unexpanded() {
        simulator = simulator.with_fate(namespace, Fate::Unexpanded);
    }
    let unread = audit.unread.len();
    let uses = BTreeSet::new();
    let mut gathered = Gathered {
        scope,
        simulator,
        reach,
        uses,
        without_right: Vec::new(),
        nodes: None,
        accounts: BTreeMap::new(),
        complete: false,
        audit,
    };
    workloads::all(&mut gathered, &objects).await?;
    pods::all(&mut gathered, &objects, progress).await?;
    gathered.complete = gathered.audit.unread.len() == unread;
    rights::all(&mut gathered, &objects, &specs).await?;
    gathered.reach.findings(&mut gathered.audit.findings);
    gathered.of_specs(&specs);
    let by_policies = gathered.reach.decides_by_policies();
    let mut audit = gathered.audit;
    for finding in audit.findings.iter_mut().filter(|one| by_policies && one.has_usual_remedy()) {
        finding.code.remedy_with_policies().clone_into(&mut finding.remedy);
    }
    audit.add(Vec::new());
    Ok(audit)
}

impl Audit {
    /// Adds findings from elsewhere, in their place.
    pub fn add(&mut self, findings: Vec<Finding>) {
        self.findings.extend(findings);
        self.findings.sort_by(|one, other| {
            let key = |one: &Finding| (std::cmp::Reverse(one.code.severity()), one.code);
            key(one).cmp(&key(other)).then_with(|| one.object.cmp(&other.object))
        });
    }

    /// How many findings have the severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|one| one.code.severity() == severity).count()
    }

    /// The worst severity.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|one| one.code.severity()).max()
    }
}

impl Gathered {
    /// Notes what an object uses.
    fn uses(&mut self, namespace: &str, account: &str, name: &str) {
        let one = [namespace, account, name].map(str::to_owned);
        self.uses.insert(one);
    }

    /// Whether every node that the pod selects runs Windows, as far as the nodes may be listed.
    async fn runs_on_windows_only(&mut self, objects: &Objects, pod: &Value) -> bool {
        if self.nodes.is_none() {
            self.nodes = Some(objects.list(kinds::NODE, None).await.unwrap_or_default());
        }
        let spec = pod.get("spec").unwrap_or(&Value::Null);
        selects_windows_nodes_only(spec, self.nodes.as_deref().unwrap_or_default())
    }

    /// Completes the warnings of a pod's admission with what else is to be said of it.
    async fn complete(
        &mut self,
        objects: &Objects,
        object: &Value,
        pod: &Pod<'_>,
        warnings: &mut Vec<gmsa_core::finding::Finding>,
    ) {
        let is_unbound = |one: &gmsa_core::finding::Finding| one.code == Code::NotBoundToWindows;
        if warnings.iter().any(is_unbound) && self.runs_on_windows_only(objects, object).await {
            warnings.retain(|one| !is_unbound(one));
        }
        refine_binding(warnings, object.get("spec").unwrap_or(&Value::Null));
        warnings.extend(pod_findings(object, pod));
    }

    /// The finding of a service account that does not exist, as far as they may be listed. `default` is made
    /// with each namespace.
    async fn missing_account(
        &mut self,
        objects: &Objects,
        object: &Object,
        pod: &Pod<'_>,
    ) -> Option<Finding> {
        let account = pod.service_account();
        let namespace = object.namespace.as_deref().filter(|_| account != DEFAULT_ACCOUNT)?;
        if !self.accounts.contains_key(namespace) {
            let listed = objects.list(kinds::SERVICE_ACCOUNT, Some(namespace)).await.ok();
            let names =
                listed.map(|all| all.iter().map(|one| value::name(one).to_owned()).collect());
            self.accounts.insert(namespace.to_owned(), names);
        }
        let known = self.accounts.get(namespace)?.as_ref()?;
        (!known.contains(account)).then(|| {
            Finding::on(object, account_missing(namespace, account)).with_remedy(format!(
                "kubectl create serviceaccount {account} -n {namespace}, or correct \
                 serviceAccountName"
            ))
        })
    }

    /// What in an object names a credential spec where nothing reads it.
    fn unread(&mut self, object: &Object, value: &Value) {
        let found = unread(value, &templates(value)).into_iter();
        self.audit.findings.extend(found.map(|found| Finding::on(object, found)));
    }

    /// What is found on the credential specs themselves; of one namespace those that it uses.
    fn of_specs(&mut self, specs: &BTreeMap<String, Value>) {
        let used: BTreeSet<&str> = self.uses.iter().map(|[_, _, name]| name.as_str()).collect();
        let everywhere = self.scope.namespace.is_none();
        if !everywhere {
            self.audit.credential_specs =
                used.iter().filter(|name| specs.contains_key(**name)).count();
        }
        for (name, spec) in specs {
            let is_used = used.contains(name.as_str());
            if !everywhere && !is_used {
                continue;
            }
            let object = Object::cluster(gmsa_core::names::KIND, name);
            let found = lint(name, spec).into_iter().map(|found| Finding::on(&object, found));
            self.audit.findings.extend(found);
            // What could not be read may use it.
            if !is_used && self.complete {
                self.audit.findings.push(
                    Finding::new(
                        &object,
                        Code::CredspecUnused,
                        "no pod and no workload uses it".to_owned(),
                    )
                    .with_remedy(format!(
                        "If it is not needed: kubectl delete gmsacredentialspec {name}"
                    )),
                );
            }
        }
    }
}
