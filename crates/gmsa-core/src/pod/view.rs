//! The structs that a Pod is read into.
//!
//! Lists are read element by element: a list of `{}` costs three bytes an element to send, and must
//! not cost more than that to hold.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use super::contents::Contents;
use crate::text::Text;

/// A Pod, or a pod template, or the `EphemeralContainers` object of servers before 1.22.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pod<'a> {
    /// Names and owners.
    #[serde(borrow)]
    pub metadata: Option<Metadata<'a>>,
    /// What is to run.
    #[serde(borrow)]
    pub spec: Option<Spec<'a>>,
    /// The list at the root of an `EphemeralContainers` object; no Pod has it.
    #[serde(borrow)]
    pub ephemeral_containers: Option<Containers<'a>>,
}

/// The metadata of a Pod.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata<'a> {
    /// The name, absent on creation where the server makes it up.
    #[serde(borrow)]
    pub name: Option<Text<'a>>,
    /// The prefix of a name that the server makes up.
    #[serde(borrow)]
    pub generate_name: Option<Text<'a>>,
    /// The owner of the Pod.
    #[serde(borrow)]
    pub owner_references: Option<Owners<'a>>,
}

/// An owner of a Pod.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct OwnerReference<'a> {
    /// The owner's kind, such as `ReplicaSet`.
    #[serde(borrow)]
    pub kind: Option<Text<'a>>,
    /// The owner's name.
    #[serde(borrow)]
    pub name: Option<Text<'a>>,
    /// Whether this owner is the one that controls the Pod.
    pub controller: Option<bool>,
}

/// The spec of a Pod.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec<'a> {
    /// The service account; absent or empty is `default`.
    #[serde(borrow)]
    pub service_account_name: Option<Text<'a>>,
    /// The hostname, if it is set.
    #[serde(borrow)]
    pub hostname: Option<Text<'a>>,
    /// The hostname that goes before `hostname` (Kubernetes 1.35 and newer).
    #[serde(borrow)]
    pub hostname_override: Option<Text<'a>>,
    /// The operating system that the Pod sets.
    #[serde(borrow)]
    pub os: Option<Os<'a>>,
    /// The labels that a node must have.
    #[serde(borrow)]
    pub node_selector: Option<NodeSelector<'a>>,
    /// The node affinity.
    pub affinity: Option<Affinity>,
    /// The runtime class, which may bind the Pod to Windows.
    #[serde(borrow)]
    pub runtime_class_name: Option<Text<'a>>,
    /// The security context of the Pod.
    #[serde(borrow)]
    pub security_context: Option<SecurityContext<'a>>,
    /// The containers.
    #[serde(borrow)]
    pub containers: Option<Containers<'a>>,
    /// The init containers.
    #[serde(borrow)]
    pub init_containers: Option<Containers<'a>>,
    /// The ephemeral containers.
    #[serde(borrow)]
    pub ephemeral_containers: Option<Containers<'a>>,
}

/// A container of any kind.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Container<'a> {
    /// The name.
    #[serde(borrow)]
    pub name: Option<Text<'a>>,
    /// The security context of the container.
    #[serde(borrow)]
    pub security_context: Option<SecurityContext<'a>>,
}

/// A security context, of a Pod or of a container.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityContext<'a> {
    /// The options for Windows; boxed, because most containers have none.
    #[serde(borrow)]
    pub windows_options: Option<Box<WindowsOptions<'a>>>,
}

/// The options for Windows in a security context.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WindowsOptions<'a> {
    /// The name of a `GMSACredentialSpec`.
    #[serde(borrow)]
    pub gmsa_credential_spec_name: Option<Text<'a>>,
    /// The contents of a credential spec: a JSON object as a string.
    #[serde(borrow)]
    pub gmsa_credential_spec: Option<Contents<'a>>,
    /// Whether the container runs as a process of the host.
    pub host_process: Option<bool>,
}

impl fmt::Debug for WindowsOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WindowsOptions")
            .field("gmsa_credential_spec_name", &self.gmsa_credential_spec_name)
            .field("gmsa_credential_spec", &self.gmsa_credential_spec)
            .field("host_process", &self.host_process)
            .finish()
    }
}

/// `spec.os`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Os<'a> {
    /// `windows` or `linux`.
    #[serde(borrow)]
    pub name: Option<Text<'a>>,
}

/// `spec.nodeSelector`, of which only what binds to Windows is read.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct NodeSelector<'a> {
    /// `kubernetes.io/os`.
    #[serde(borrow, rename = "kubernetes.io/os")]
    pub os: Option<Text<'a>>,
    /// `beta.kubernetes.io/os`, its old name, which kubelets still set.
    #[serde(borrow, rename = "beta.kubernetes.io/os")]
    pub old_os: Option<Text<'a>>,
    /// `node.kubernetes.io/windows-build`, which only Windows nodes have.
    #[serde(borrow, rename = "node.kubernetes.io/windows-build")]
    pub windows_build: Option<Text<'a>>,
}

/// `spec.affinity`; only the required node affinity is read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Affinity {
    /// The node affinity.
    pub node_affinity: Option<NodeAffinity>,
}

/// `spec.affinity.nodeAffinity`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct NodeAffinity {
    /// The terms, of which a node must meet one.
    #[serde(rename = "requiredDuringSchedulingIgnoredDuringExecution")]
    pub required: Option<Required>,
}

/// `requiredDuringSchedulingIgnoredDuringExecution` of a node affinity.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Required {
    /// The alternatives.
    pub node_selector_terms: Option<NodeSelectorTerms>,
}

impl Pod<'_> {
    /// The memory that the lists use, in bytes.
    #[must_use]
    pub fn list_bytes(&self) -> usize {
        let spec = self.spec.as_ref();
        let lists = [
            self.ephemeral_containers.as_ref(),
            spec.and_then(|spec| spec.containers.as_ref()),
            spec.and_then(|spec| spec.init_containers.as_ref()),
            spec.and_then(|spec| spec.ephemeral_containers.as_ref()),
        ];
        lists.into_iter().flatten().map(Containers::bytes).sum()
    }
}

/// The most containers in one list of a Pod.
pub const MAX_CONTAINERS: usize = 1000;

/// The message of the error for more of them.
const TOO_MANY: &str = "more than 1000 containers in one list";

/// Whether a Pod could not be read because a list has more than [`MAX_CONTAINERS`].
#[must_use]
pub fn has_too_many_containers(error: &serde_json::Error) -> bool {
    error.to_string().starts_with(TOO_MANY)
}

/// Calls a function with each element of the list that is read.
fn each<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
    take: impl FnMut(T) -> Result<(), &'static str>,
) -> Result<(), D::Error> {
    struct Each<F, T>(F, PhantomData<T>);

    impl<'de, T: Deserialize<'de>, F: FnMut(T) -> Result<(), &'static str>> Visitor<'de>
        for Each<F, T>
    {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a sequence")
        }

        fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
            while let Some(element) = list.next_element()? {
                (self.0)(element).map_err(A::Error::custom)?;
            }
            Ok(())
        }
    }

    deserializer.deserialize_seq(Each(take, PhantomData))
}

/// A list of containers, at most [`MAX_CONTAINERS`].
#[derive(Clone, Debug, Default)]
pub struct Containers<'a>(Vec<Container<'a>>);

impl Containers<'_> {
    /// How much memory the list takes, in bytes.
    fn bytes(&self) -> usize {
        let options = self.0.iter().filter_map(|container| container.security_context.as_ref());
        let options = options.filter(|context| context.windows_options.is_some()).count();
        self.0.capacity() * size_of::<Container<'_>>() + options * size_of::<WindowsOptions<'_>>()
    }
}

impl<'a> Deref for Containers<'a> {
    type Target = [Container<'a>];

    fn deref(&self) -> &[Container<'a>] {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Containers<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut containers = Vec::new();
        each(deserializer, |container| {
            if containers.len() == MAX_CONTAINERS {
                return Err(TOO_MANY);
            }
            containers.push(container);
            Ok(())
        })?;
        Ok(Self(containers))
    }
}

/// The owners of a Pod, of which the controlling one is kept, or the first.
#[derive(Clone, Debug, Default)]
pub struct Owners<'a>(Option<OwnerReference<'a>>);

impl<'a> Owners<'a> {
    /// The controlling owner, or the first if none controls the Pod.
    #[must_use]
    pub fn controller(&self) -> Option<&OwnerReference<'a>> {
        self.0.as_ref()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Owners<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut kept: Option<OwnerReference<'a>> = None;
        each(deserializer, |owner: OwnerReference<'a>| {
            let controls = |owner: &OwnerReference<'_>| owner.controller == Some(true);
            if kept.as_ref().is_none_or(|kept| controls(&owner) && !controls(kept)) {
                kept = Some(owner);
            }
            Ok(())
        })?;
        Ok(Self(kept))
    }
}

/// `nodeSelectorTerms`, of which a node must meet one: whether each demands Windows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeSelectorTerms {
    windows: bool,
}

impl NodeSelectorTerms {
    /// Whether every node that meets a term runs Windows.
    #[must_use]
    pub fn require_windows(self) -> bool {
        self.windows
    }
}

impl<'de> Deserialize<'de> for NodeSelectorTerms {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (mut some, mut all) = (false, true);
        each(deserializer, |term: Term| {
            some = true;
            all &= term.match_expressions.is_some_and(|expressions| expressions.windows);
            Ok(())
        })?;
        Ok(Self { windows: some && all })
    }
}

/// A node selector term, met when all its expressions are.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Term {
    match_expressions: Option<Expressions>,
}

/// Whether one of the expressions is that the operating system is Windows.
struct Expressions {
    windows: bool,
}

impl<'de> Deserialize<'de> for Expressions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut windows = false;
        each(deserializer, |requirement: Requirement<'_>| {
            let operator = requirement.operator.as_deref();
            windows |= match requirement.key.as_deref() {
                Some("kubernetes.io/os" | "beta.kubernetes.io/os") => {
                    operator == Some("In") && requirement.values.is_some_and(|one| one.windows)
                }
                // Only Windows nodes have the label.
                Some("node.kubernetes.io/windows-build") => {
                    matches!(operator, Some("In" | "Exists" | "Gt" | "Lt"))
                }
                _ => false,
            };
            Ok(())
        })?;
        Ok(Self { windows })
    }
}

/// A requirement on a node's label.
#[derive(Default, Deserialize)]
struct Requirement<'a> {
    #[serde(borrow)]
    key: Option<Text<'a>>,
    #[serde(borrow)]
    operator: Option<Text<'a>>,
    values: Option<Values>,
}

/// Whether the only value is `windows`.
struct Values {
    windows: bool,
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut count = 0_usize;
        let mut windows = false;
        each(deserializer, |value: Text<'_>| {
            count += 1;
            windows = value.as_str() == "windows";
            Ok(())
        })?;
        Ok(Self { windows: windows && count == 1 })
    }
}
