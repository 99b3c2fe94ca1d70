//! The source of the facts of a review: the files, or the cluster.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gmsa_cluster::acting::{Acting, Fate, Labels, Policies};
use gmsa_cluster::api::client::{self, Selection};
use gmsa_cluster::api::objects::{Objects, Reference, kinds};
use gmsa_cluster::api::value::{labels, name, text};
use gmsa_cluster::audit::{makes_hostnames, makes_random_hostnames};
use gmsa_cluster::cache::{ClusterFacts, Observer, Options};
use gmsa_cluster::installation::engine::InForce;
use gmsa_cluster::manifests::{Document, ManifestSet};
use gmsa_cluster::simulate::Source;
use gmsa_core::admission::{Right, SpecFact};
use gmsa_core::credspec::Prepared;
use gmsa_core::credspec::name::is_valid_name;
use gmsa_core::names::{FIELD_MANAGER, NAME_LABEL};
use gmsa_core::printable::counted;
use gmsa_core::rbac::Policy;
use kube::Client;
use serde_json::Value;

use crate::cli::ReviewedEngine;
use crate::connect::runtime;
use crate::credential_spec::name_of;
use crate::failure::Failure;
use crate::output::printer;

/// How long one question to the cluster may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// A source of facts.
pub enum Facts<'a> {
    /// The objects in the files.
    Files { specs: BTreeMap<&'a str, Option<Arc<Prepared>>>, policy: &'a Policy },
    /// The cluster; every answer is asked for once.
    Cluster(Box<Cluster>),
}

/// The cluster, asked one question at a time.
pub struct Cluster {
    runtime: tokio::runtime::Runtime,
    client: Client,
    facts: ClusterFacts,
    names: OnceCell<Vec<String>>,
    /// The policies that have the credential specs in them, if they decide.
    literals: Option<InForce>,
    /// The parts that act on pods.
    acting: Acting,
    /// Whether some of them may not be read.
    is_hidden: bool,
    /// The labels of namespaces in the files, as they will be.
    labels: BTreeMap<String, Labels>,
    fates: RefCell<BTreeMap<String, Fate>>,
    specs: RefCell<BTreeMap<String, SpecFact>>,
    rights: RefCell<BTreeMap<[String; 3], Right>>,
    /// Whether a service account, by its namespace and name, exists; none where it may not be read.
    accounts: RefCell<BTreeMap<[String; 2], Option<bool>>>,
}

struct Unobserved;

impl Observer for Unobserved {
    fn access_review(&self, _result: &'static str, _source: &'static str) {}
}

impl<'a> Facts<'a> {
    pub fn of_files(set: &'a ManifestSet) -> Self {
        let specs = set
            .credential_specs
            .iter()
            // The API server would not accept an object with another name.
            .filter(|(name, spec)| is_valid_name(name) && spec.is_served())
            .map(|(name, spec)| {
                (name.as_str(), Prepared::from_object(name, &spec.object).map(Arc::new))
            })
            .collect();
        Self::Files { specs, policy: &set.policy }
    }
}

impl Facts<'_> {
    /// Whether the webhook gives pods hostnames of their own: that of the cluster, or one whose
    /// Deployment is among the files.
    pub fn makes_hostnames(&self, documents: &[Document]) -> bool {
        match self {
            Self::Files { .. } => documents.iter().any(|one| makes_hostnames(&one.value)),
            Self::Cluster(cluster) => {
                cluster.runtime.block_on(makes_random_hostnames(&cluster.client))
            }
        }
    }

    /// Finds out what decides in the cluster, and in which namespaces. `engine` is what to suppose instead
    /// of what is there. If the cluster's policies have the credential specs in them, those are what counts
    /// from now on.
    pub fn by_policies(
        &mut self,
        documents: &[Document],
        engine: Option<ReviewedEngine>,
    ) -> Result<bool, Failure> {
        let wanted = engine.map(|engine| engine == ReviewedEngine::Policy);
        let Self::Cluster(cluster) = self else { return Ok(wanted == Some(true)) };
        let objects = Objects::new(cluster.client.clone(), FIELD_MANAGER, true);
        let mut unread = Vec::new();
        let acting = cluster.runtime.block_on(Acting::read(&objects, &mut unread))?;
        if let Some((first, more)) = unread.split_first() {
            let more = match more.len() {
                0 => String::new(),
                more => format!(", and {}", counted(more, "more read")),
            };
            printer::warning(&format!(
                "{first}{more}; what decides on pods, and which namespaces it leaves out, is not known: this \
                 is what the webhook would answer"
            ));
            cluster.is_hidden = true;
        }
        if wanted.is_none() && acting.engine() == Some(Policies::Literals) {
            cluster.literals = cluster.runtime.block_on(InForce::read(&objects))?;
        }
        let by_policies = wanted.unwrap_or(acting.engine().is_some());
        cluster.acting = acting;
        let is_namespace = |one: &&Document| text(&one.value, "/kind") == "Namespace";
        let namespaces = documents.iter().filter(is_namespace);
        let labeled = namespaces
            .map(|one| (name(&one.value).to_owned(), labels(&one.value, "/metadata/labels")));
        cluster.labels = labeled.collect();
        Ok(by_policies)
    }

    /// Whether something decides on pods; true for files, which are checked as the webhook would.
    pub fn is_decided(&self) -> bool {
        match self {
            Self::Files { .. } => true,
            Self::Cluster(cluster) => cluster.acting.decides() || cluster.is_hidden,
        }
    }

    /// The cluster's nodes, as far as they may be listed; none for files.
    pub fn nodes(&self) -> Vec<Value> {
        match self {
            Self::Files { .. } => Vec::new(),
            Self::Cluster(cluster) => {
                let objects = Objects::new(cluster.client.clone(), FIELD_MANAGER, true);
                cluster.runtime.block_on(objects.list(kinds::NODE, None)).unwrap_or_default()
            }
        }
    }

    /// The roles and bindings that come close to the right, and what each lacks.
    pub fn near_misses(&self, namespace: &str, account: &str, name: &str) -> Vec<String> {
        match self {
            Self::Files { policy, .. } => policy.near_misses(namespace, account, name),
            Self::Cluster(_) => Vec::new(),
        }
    }
}

impl Source for Facts<'_> {
    type Error = Failure;

    fn spec(&self, name: &str) -> Result<SpecFact, Failure> {
        match self {
            Self::Files { specs, .. } => Ok(match specs.get(name) {
                Some(Some(prepared)) => SpecFact::Found(Arc::clone(prepared)),
                Some(None) => SpecFact::Empty,
                None => SpecFact::Absent,
            }),
            Self::Cluster(cluster) => cluster.spec(name),
        }
    }

    fn right(&self, namespace: &str, account: &str, name: &str) -> Result<Right, Failure> {
        match self {
            Self::Files { policy, .. } => Ok(if policy.may_use(namespace, account, name) {
                Right::Allowed
            } else {
                Right::Denied
            }),
            Self::Cluster(cluster) => cluster.right(namespace, account, name),
        }
    }

    fn names(&self) -> Vec<String> {
        match self {
            Self::Files { specs, .. } => specs.keys().map(|name| (*name).to_owned()).collect(),
            Self::Cluster(cluster) => cluster.names().to_vec(),
        }
    }

    fn fate(&self, namespace: &str) -> Result<Fate, Failure> {
        match self {
            Self::Files { .. } => Ok(Fate::Checked),
            Self::Cluster(cluster) => cluster.fate(namespace),
        }
    }
}

impl Cluster {
    /// Makes a client of the cluster.
    pub fn connect(kubeconfig: Option<&Path>, context: Option<&str>) -> Result<Self, Failure> {
        let runtime = runtime()?;
        let options = Options { cache_reviews_for: Duration::ZERO, ..Options::default() };
        let (client, facts) = runtime.block_on(async {
            let (client, credentials) =
                client::connect_watched(Selection { kubeconfig, context }).await?;
            let facts =
                ClusterFacts::start(client.clone(), credentials, options, Arc::new(Unobserved));
            Ok::<_, client::Error>((client, facts))
        })?;
        Ok(Self {
            runtime,
            client,
            facts,
            specs: RefCell::default(),
            rights: RefCell::default(),
            names: OnceCell::new(),
            literals: None,
            acting: Acting::default(),
            is_hidden: false,
            labels: BTreeMap::new(),
            fates: RefCell::default(),
            accounts: RefCell::default(),
        })
    }

    /// Whether a service account exists; none where it may not be read.
    pub fn has_account(&self, namespace: &str, name: &str) -> Option<bool> {
        let key = [namespace, name].map(str::to_owned);
        *self.accounts.borrow_mut().entry(key).or_insert_with(|| {
            let objects = Objects::new(self.client.clone(), FIELD_MANAGER, true);
            let of = Reference::namespaced(kinds::SERVICE_ACCOUNT, namespace, name);
            self.runtime.block_on(objects.get(&of)).ok().map(|found| found.is_some())
        })
    }

    /// The namespace of the context.
    pub fn default_namespace(&self) -> &str {
        self.client.default_namespace()
    }

    /// The names in the cluster, read when a hint first needs them; none where they may not be
    /// listed.
    fn names(&self) -> &[String] {
        self.names.get_or_init(|| {
            if let Some(in_force) = &self.literals {
                return in_force.specs().keys().cloned().collect();
            }
            let objects = Objects::new(self.client.clone(), FIELD_MANAGER, false);
            let listed = self.runtime.block_on(objects.list(kinds::CREDENTIAL_SPEC, None));
            listed.unwrap_or_default().iter().map(|spec| name_of(spec).to_owned()).collect()
        })
    }

    /// A namespace that does not exist has the labels that it would be made with.
    fn fate(&self, namespace: &str) -> Result<Fate, Failure> {
        if !self.acting.selects() {
            return Ok(self.acting.fate(&Labels::new()));
        }
        if let Some(fate) = self.fates.borrow().get(namespace) {
            return Ok(*fate);
        }
        let objects = Objects::new(self.client.clone(), FIELD_MANAGER, true);
        let of = Reference::cluster(kinds::NAMESPACE, namespace);
        let fate = match self.runtime.block_on(objects.get(&of)) {
            Err(error) if error.is_forbidden() => {
                printer::warning(&format!(
                    "{error}; whether namespace \"{namespace}\" is left out is not known"
                ));
                Fate::Checked
            }
            found => {
                let named = (NAME_LABEL.to_owned(), namespace.to_owned());
                let mut labels = match found? {
                    Some(found) => labels(&found, "/metadata/labels"),
                    None => Labels::from([named]),
                };
                labels.extend(self.labels.get(namespace).cloned().unwrap_or_default());
                self.acting.fate(&labels)
            }
        };
        self.fates.borrow_mut().insert(namespace.to_owned(), fate);
        Ok(fate)
    }

    fn spec(&self, name: &str) -> Result<SpecFact, Failure> {
        if let Some(in_force) = &self.literals {
            return Ok(in_force.fact(name));
        }
        if let Some(fact) = self.specs.borrow().get(name) {
            return Ok(fact.clone());
        }
        let deadline = Instant::now() + PATIENCE;
        let asked = self.facts.read_credential_spec(name, deadline);
        let fact = match self.runtime.block_on(asked) {
            SpecFact::Unknown(failure) => return Err(Failure::Cluster(failure.message)),
            fact => fact,
        };
        self.specs.borrow_mut().insert(name.to_owned(), fact.clone());
        Ok(fact)
    }

    fn right(&self, namespace: &str, account: &str, name: &str) -> Result<Right, Failure> {
        let key = [namespace, account, name].map(str::to_owned);
        if let Some(right) = self.rights.borrow().get(&key) {
            return Ok(right.clone());
        }
        let deadline = Instant::now() + PATIENCE;
        let asked = self.facts.review_right(namespace, account, name, deadline);
        let right = match self.runtime.block_on(asked) {
            Right::Unknown(failure) => {
                return Err(Failure::Cluster(format!(
                    "{}; --cluster needs the right to create localsubjectaccessreviews in \
                     namespace \"{namespace}\"",
                    failure.message
                )));
            }
            right => right,
        };
        self.rights.borrow_mut().insert(key, right.clone());
        Ok(right)
    }
}
