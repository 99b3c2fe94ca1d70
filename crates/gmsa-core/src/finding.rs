//! The one catalogue of findings: what is questionable about a pod or a credential spec.

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Likely to cause trouble.
    Warning,
    /// Will not work, or is not safe.
    Error,
}

/// The stable code of a kind of finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// A container with a GMSA is a `HostProcess` container.
    GmsaWithHostProcess,
    /// Nothing binds the pod to a Windows node.
    NotBoundToWindows,
    /// The pod sets a fixed hostname although it is one of several replicas.
    FixedHostname,
    /// All replicas share the first 15 characters of their hostname.
    SharedHostnamePrefix,
    /// Several containers of one pod run as the same GMSA.
    GmsaInSeveralContainers,
    /// A credential spec that the pod uses has findings of its own.
    CredspecFindings,
}

/// One thing found on one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of finding it is.
    pub code: Code,
    /// What was found, on what: one sentence without the values of secrets.
    pub message: String,
    /// Where in the object it was found, such as `credspec.DomainJoinConfig.Sid`.
    pub path: Option<String>,
}
