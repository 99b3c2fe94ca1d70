//! The source of the facts of a review: the files, or the cluster.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gmsa_cluster::api::client::{self, Selection};
use gmsa_cluster::api::objects::{Objects, kinds};
use gmsa_cluster::audit::{Policies, makes_hostnames, makes_random_hostnames, policy_engine};
use gmsa_cluster::cache::{ClusterFacts, Observer, Options};
use gmsa_cluster::installation::engine::InForce;
use gmsa_cluster::manifests::{Document, ManifestSet};
use gmsa_cluster::simulate::Source;
use gmsa_core::admission::{Right, SpecFact};
use gmsa_core::credspec::Prepared;
use gmsa_core::credspec::name::is_valid_name;
use gmsa_core::names::FIELD_MANAGER;
use gmsa_core::rbac::Policy;
use kube::Client;
use serde_json::Value;

use crate::connect::runtime;
use crate::credential_spec::name_of;
use crate::failure::Failure;

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
    /// The policies that have the credential specs in them.
    literals: OnceCell<InForce>,
    specs: RefCell<BTreeMap<String, SpecFact>>,
    rights: RefCell<BTreeMap<[String; 3], Right>>,
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

    /// Whether the cluster's API server decides by the policy engine. If its policies have the credential
    /// specs in them, those are what counts from now on.
    pub fn has_policy_engine(&self) -> Result<bool, Failure> {
        let Self::Cluster(cluster) = self else { return Ok(false) };
        let objects = Objects::new(cluster.client.clone(), FIELD_MANAGER, true);
        let by = cluster.runtime.block_on(policy_engine(&objects));
        if by == Some(Policies::Literals)
            && let Some(in_force) = cluster.runtime.block_on(InForce::read(&objects))?
        {
            // It is asked once.
            let _ = cluster.literals.set(in_force);
        }
        Ok(by.is_some())
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

    /// Whether the source is the cluster.
    pub fn is_cluster(&self) -> bool {
        matches!(self, Self::Cluster(_))
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
        let (specs, rights) = (RefCell::default(), RefCell::default());
        Ok(Self {
            runtime,
            client,
            facts,
            specs,
            rights,
            names: OnceCell::new(),
            literals: OnceCell::new(),
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
            if let Some(in_force) = self.literals.get() {
                return in_force.specs().keys().cloned().collect();
            }
            let objects = Objects::new(self.client.clone(), FIELD_MANAGER, false);
            let listed = self.runtime.block_on(objects.list(kinds::CREDENTIAL_SPEC, None));
            listed.unwrap_or_default().iter().map(|spec| name_of(spec).to_owned()).collect()
        })
    }

    fn spec(&self, name: &str) -> Result<SpecFact, Failure> {
        if let Some(in_force) = self.literals.get() {
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
