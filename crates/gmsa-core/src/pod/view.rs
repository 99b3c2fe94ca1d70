//! The structs that a Pod is read into.

use serde::Deserialize;

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
    pub ephemeral_containers: Option<Vec<Container<'a>>>,
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
    /// Who owns the Pod.
    #[serde(borrow)]
    pub owner_references: Option<Vec<OwnerReference<'a>>>,
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
    /// The operating system that the Pod says it needs.
    #[serde(borrow)]
    pub os: Option<Os<'a>>,
    /// The labels that a node must have.
    #[serde(borrow)]
    pub node_selector: Option<NodeSelector<'a>>,
    /// The node affinity.
    #[serde(borrow)]
    pub affinity: Option<Affinity<'a>>,
    /// The runtime class, which may bind the Pod to Windows.
    #[serde(borrow)]
    pub runtime_class_name: Option<Text<'a>>,
    /// The security context of the Pod.
    #[serde(borrow)]
    pub security_context: Option<SecurityContext<'a>>,
    /// The containers.
    #[serde(borrow)]
    pub containers: Option<Vec<Container<'a>>>,
    /// The init containers.
    #[serde(borrow)]
    pub init_containers: Option<Vec<Container<'a>>>,
    /// The ephemeral containers.
    #[serde(borrow)]
    pub ephemeral_containers: Option<Vec<Container<'a>>>,
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
    /// What concerns Windows.
    #[serde(borrow)]
    pub windows_options: Option<WindowsOptions<'a>>,
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

impl std::fmt::Debug for WindowsOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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

/// `spec.nodeSelector`, of which only the operating system is read.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct NodeSelector<'a> {
    /// `kubernetes.io/os`.
    #[serde(borrow, rename = "kubernetes.io/os")]
    pub os: Option<Text<'a>>,
}

/// `spec.affinity`, of which only what is required of nodes is read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Affinity<'a> {
    /// The node affinity.
    #[serde(borrow)]
    pub node_affinity: Option<NodeAffinity<'a>>,
}

/// `spec.affinity.nodeAffinity`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct NodeAffinity<'a> {
    /// The terms, of which a node must meet one.
    #[serde(borrow, rename = "requiredDuringSchedulingIgnoredDuringExecution")]
    pub required: Option<NodeSelectorTerms<'a>>,
}

/// A list of node selector terms.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeSelectorTerms<'a> {
    /// The alternatives.
    #[serde(borrow)]
    pub node_selector_terms: Option<Vec<NodeSelectorTerm<'a>>>,
}

/// A node selector term, met when all its expressions are.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeSelectorTerm<'a> {
    /// The expressions over labels.
    #[serde(borrow)]
    pub match_expressions: Option<Vec<NodeSelectorRequirement<'a>>>,
}

/// A requirement on a node's label.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct NodeSelectorRequirement<'a> {
    /// The label.
    #[serde(borrow)]
    pub key: Option<Text<'a>>,
    /// `In`, `NotIn`, `Exists` and so on.
    #[serde(borrow)]
    pub operator: Option<Text<'a>>,
    /// The values that the operator speaks of.
    #[serde(borrow)]
    pub values: Option<Vec<Text<'a>>>,
}
