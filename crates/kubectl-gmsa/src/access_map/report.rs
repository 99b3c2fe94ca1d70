//! The report: printed as JSON, and the source of the other formats.

use std::collections::{BTreeMap, BTreeSet};

use gmsa_core::names::API_VERSION;
use gmsa_core::rbac::Grant;
use schemars::JsonSchema;
use serde::Serialize;

use super::gather::Gathered;
use super::verify::Pair;
use crate::cli::Access;

const ALLOWED: &str = "allowed";
const DENIED: &str = "denied";
const UNKNOWN: &str = "unknown";

/// The report of `kubectl gmsa access`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The version of the format.
    #[schemars(extend("const" = API_VERSION))]
    api_version: &'static str,
    /// `AccessReport`.
    kind: &'static str,
    /// Whether the API server was asked about every pair.
    pub verified: bool,
    /// What could not be read, why, and what is not known or not complete without it.
    pub unread: Vec<String>,
    /// The numbers.
    pub summary: Summary,
    /// The credential specs that exist, are used, or are named by a role.
    pub credential_specs: Vec<SpecReport>,
    /// Each service account that may use a credential spec, or has a workload that wants to.
    pub access: Vec<Entry>,
}

/// The numbers of a report.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Pairs of service account and credential spec with the right.
    pub allowed: usize,
    /// Those of them that nothing uses.
    pub unused: usize,
    /// Pairs without the right that something uses.
    pub missing: usize,
    /// Pairs for which the API server's answer differs from the roles and bindings.
    pub differences: usize,
}

/// One credential spec.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpecReport {
    /// The name.
    pub name: String,
    /// Whether it exists.
    pub exists: bool,
}

/// One service account and one credential spec.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The credential spec.
    pub credential_spec: String,
    /// The namespace of the service account.
    pub namespace: String,
    /// The name of the service account.
    pub service_account: String,
    /// Whether the service account exists.
    pub service_account_exists: bool,
    /// `allowed` or `denied`: by the API server, or without its answer by the roles and bindings.
    pub verdict: &'static str,
    /// `allowed` or `denied`, by the roles and bindings; `unknown` if you may not list them.
    pub rbac: &'static str,
    /// `used`; `unused`; `missing`: used without the right; `none`: neither used nor allowed.
    pub state: &'static str,
    /// Every way by which the right is given.
    pub ways: Vec<Way>,
    /// What uses it.
    pub used_by: Vec<UsedBy>,
}

/// One way by which a right is given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Way {
    /// The binding, as `RoleBinding shop/web` or `ClusterRoleBinding admins`.
    pub binding: String,
    /// The role, as `ClusterRole web` or `Role shop/web`.
    pub role: String,
    /// The subject of the binding, as `ServiceAccount shop/web` or `Group system:serviceaccounts`.
    pub subject: String,
    /// Whether the right comes by a wildcard, or by a rule without names.
    pub wildcard: bool,
    /// Of an aggregated role: the roles that it has the right from.
    pub aggregated_from: Vec<String>,
}

/// A pod, or what makes pods, in the namespace of the service account.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsedBy {
    /// The kind.
    pub kind: String,
    /// The name.
    pub name: String,
}

/// The JSON schema of the report: docs/schemas/access-report.schema.json.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Report).to_value()
}

impl Report {
    pub fn new(gathered: &Gathered, args: &Access) -> Self {
        let specs = specs(gathered, args);
        let accounts = accounts(gathered, args);
        let mut used: BTreeMap<[&str; 3], Vec<UsedBy>> = BTreeMap::new();
        for one in &gathered.uses {
            let pair = [&*one.credential_spec, &*one.namespace, &*one.account];
            let by = UsedBy { kind: one.kind.clone(), name: one.name.clone() };
            used.entry(pair).or_default().push(by);
        }
        let asked = args.credential_spec.is_some() && args.service_account.is_some();
        let mut access = Vec::new();
        for name in &specs {
            for (namespace, account) in &accounts {
                let ways = gathered.policy.grants(namespace, account, name);
                let used_by = used.remove(&[*name, *namespace, *account]).unwrap_or_default();
                if ways.is_empty() && used_by.is_empty() && !asked {
                    continue;
                }
                let exists =
                    gathered.accounts.contains(&((*namespace).to_owned(), (*account).to_owned()));
                let mut entry = Entry::new([*name, *namespace, *account], exists, ways, used_by);
                if !gathered.knows_policy {
                    entry.rbac = UNKNOWN;
                }
                access.push(entry);
            }
        }
        let credential_specs = specs
            .into_iter()
            .map(|name| SpecReport { name: name.to_owned(), exists: gathered.specs.contains(name) })
            .collect();
        let mut report = Self {
            api_version: API_VERSION,
            kind: "AccessReport",
            verified: false,
            unread: gathered.unread.clone(),
            summary: Summary::default(),
            credential_specs,
            access,
        };
        report.count();
        report
    }

    /// Every pair of the report, and whether the roles and bindings allow it, if that is known.
    pub fn pairs(&self) -> BTreeMap<Pair, Option<bool>> {
        let of = |entry: &Entry| (entry.rbac != UNKNOWN).then_some(entry.rbac == ALLOWED);
        self.access.iter().map(|entry| (entry.pair(), of(entry))).collect()
    }

    /// Adds the API server's answers.
    pub fn verify(&mut self, answers: &BTreeMap<Pair, bool>) {
        for entry in &mut self.access {
            if let Some(allowed) = answers.get(&entry.pair()) {
                entry.judge(*allowed);
            }
        }
        self.verified = true;
        self.count();
    }

    /// Whether something uses a credential spec without the right, or a requested name is missing.
    pub fn found_something(&self, args: &Access) -> bool {
        let absent = args.credential_spec.as_ref().is_some_and(|name| {
            !self.credential_specs.iter().any(|spec| spec.name == *name && spec.exists)
        });
        let asked = args.credential_spec.is_some() && args.service_account.is_some();
        let denied = asked && self.access.iter().any(|entry| entry.verdict == DENIED);
        absent || denied || self.summary.missing > 0
    }

    fn count(&mut self) {
        let count = |is: fn(&Entry) -> bool| self.access.iter().filter(|entry| is(entry)).count();
        self.summary = Summary {
            allowed: count(|entry| entry.verdict == ALLOWED),
            unused: count(|entry| entry.state == "unused"),
            missing: count(|entry| entry.state == "missing"),
            differences: count(Entry::differs),
        };
    }
}

/// The credential specs that the report is about.
fn specs<'a>(gathered: &'a Gathered, args: &'a Access) -> BTreeSet<&'a str> {
    if let Some(name) = &args.credential_spec {
        return [name.as_str()].into();
    }
    let used = gathered.uses.iter().map(|one| one.credential_spec.as_str());
    let named = gathered.policy.named().map(|(_, name)| name);
    gathered.specs.iter().map(String::as_str).chain(used).chain(named).collect()
}

/// The service accounts that the report is about, as namespace and name.
fn accounts<'a>(gathered: &'a Gathered, args: &'a Access) -> BTreeSet<(&'a str, &'a str)> {
    if let Some(account) = &args.service_account {
        return [(account.namespace.as_str(), account.name.as_str())].into();
    }
    let exist = gathered.accounts.iter().map(|(namespace, name)| (&**namespace, &**name));
    let used = gathered.uses.iter().map(|one| (&*one.namespace, &*one.account));
    exist
        .chain(used)
        .chain(gathered.policy.accounts())
        .filter(|(own, _)| args.namespace.as_deref().is_none_or(|namespace| namespace == *own))
        .collect()
}

impl Entry {
    fn new(pair: [&str; 3], exists: bool, ways: Vec<Grant>, used_by: Vec<UsedBy>) -> Self {
        let [credential_spec, namespace, service_account] = pair.map(str::to_owned);
        let allowed = !ways.is_empty();
        let mut entry = Self {
            credential_spec,
            namespace,
            service_account,
            service_account_exists: exists,
            verdict: DENIED,
            rbac: if allowed { ALLOWED } else { DENIED },
            state: "none",
            ways: ways.into_iter().map(Way::new).collect(),
            used_by,
        };
        entry.judge(allowed);
        entry
    }

    fn judge(&mut self, allowed: bool) {
        self.verdict = if allowed { ALLOWED } else { DENIED };
        self.state = match (allowed, self.used_by.is_empty()) {
            (true, false) => "used",
            (true, true) => "unused",
            (false, false) => "missing",
            (false, true) => "none",
        };
    }

    fn pair(&self) -> Pair {
        [&self.credential_spec, &self.namespace, &self.service_account].map(Clone::clone)
    }

    /// Whether the API server's answer differs from the roles and bindings.
    pub fn differs(&self) -> bool {
        self.rbac != UNKNOWN && self.verdict != self.rbac
    }

    /// Whether the roles and bindings do not give the right, or may not be listed.
    pub fn is_not_known_to_be_given(&self) -> bool {
        self.rbac != ALLOWED
    }

    /// Whether the roles and bindings may not be listed.
    pub fn is_of_the_api_server_alone(&self) -> bool {
        self.rbac == UNKNOWN
    }

    /// The service account as people name it.
    pub fn account(&self) -> String {
        format!("{}/{}", self.namespace, self.service_account)
    }

    /// Whether it has the right by groups alone, and nothing uses it: one of many.
    pub fn is_one_of_many(&self) -> bool {
        self.state == "unused"
            && !self.differs()
            // Otherwise what gives it is not known.
            && !self.ways.is_empty()
            && self.ways.iter().all(|way| way.subject.starts_with("Group "))
    }
}

impl Way {
    fn new(grant: Grant) -> Self {
        let Grant { binding, role, subject, wildcard, aggregated_from } = grant;
        Self { binding, role, subject, wildcard, aggregated_from }
    }
}
