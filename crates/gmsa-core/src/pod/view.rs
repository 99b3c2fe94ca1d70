//! The structs that a Pod is read into.

use serde::Deserialize;

use super::contents::Contents;
use super::list::{Containers, NodeSelectorTerms, Owners};
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
    /// The operating system that the Pod says it needs.
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
    /// How much memory the lists take, in bytes.
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
