//! Where a Pod runs, and under which hostname.

use super::view::{NodeSelectorTerms, Owners, Pod};

/// Windows cuts computer names to this many characters (the NetBIOS name, MS-NBTE).
pub const HOSTNAME_LENGTH: usize = 15;

/// The most characters of the hash that a Deployment puts between its name and that of a Pod; one
/// or two fewer are not rare.
const TEMPLATE_HASH: usize = 10;

/// What is known of a Pod's hostname on Windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hostname<'a> {
    /// The Pod has no owner, or its name differs within the first 15 characters.
    Unique,
    /// `spec.hostname` is set on a Pod that has siblings.
    Fixed(&'a str),
    /// All siblings share these first 15 characters.
    SharedPrefix(&'a str),
    /// The Pod is made up from a Deployment: all siblings of one template share these characters,
    /// and as many of the template's hash as fit behind them.
    SharedWithTemplate(&'a str),
}

impl Pod<'_> {
    /// Whether something binds the Pod to Windows nodes: `spec.os`, the node selector, the required
    /// node affinity, or a runtime class (whose own node selector is not looked up).
    #[must_use]
    pub fn is_bound_to_windows(&self) -> bool {
        let Some(spec) = &self.spec else { return false };
        let is_windows = |os: &str| os == "windows";
        let by_os = spec.os.as_ref().and_then(|os| os.name.as_deref()).is_some_and(is_windows);
        let by_selector = spec
            .node_selector
            .as_ref()
            .and_then(|selector| selector.os.as_deref())
            .is_some_and(is_windows);
        let by_class = spec.runtime_class_name.as_deref().is_some_and(|class| !class.is_empty());
        let by_affinity = spec
            .affinity
            .as_ref()
            .and_then(|affinity| affinity.node_affinity.as_ref())
            .and_then(|affinity| affinity.required.as_ref())
            .and_then(|required| required.node_selector_terms)
            .is_some_and(NodeSelectorTerms::require_windows);
        by_os || by_selector || by_class || by_affinity
    }

    /// Whether replicas of this Pod would meet under one hostname.
    #[must_use]
    pub fn hostname(&self) -> Hostname<'_> {
        let Some(metadata) = &self.metadata else { return Hostname::Unique };
        let generated = metadata.generate_name.as_deref().filter(|prefix| !prefix.is_empty());
        let owner = metadata.owner_references.as_ref().and_then(Owners::controller);
        let kind = owner.and_then(|owner| owner.kind.as_deref());
        let ordinal = || {
            let name = metadata.name.as_deref().filter(|_| kind == Some("StatefulSet"))?;
            name.rfind('-').and_then(|dash| name.get(..=dash))
        };
        let Some(prefix) = generated.or_else(ordinal) else { return Hostname::Unique };
        let fixed = self.spec.as_ref().and_then(|spec| spec.hostname.as_deref());
        if let Some(hostname) = fixed.filter(|hostname| !hostname.is_empty()) {
            // A StatefulSet's controller sets the Pod's own name, which ends in the ordinal.
            let own = metadata.name.as_deref() == Some(hostname);
            if !own {
                return Hostname::Fixed(hostname);
            }
        }
        // Pods of a cluster belong to a ReplicaSet, whose name has the hash.
        let of_template = kind == Some("Deployment");
        match prefix.get(..HOSTNAME_LENGTH) {
            Some(shared) => Hostname::SharedPrefix(shared),
            // A longer one ends within a character, which no hostname has.
            None if of_template
                && prefix.len() < HOSTNAME_LENGTH
                && prefix.len() + TEMPLATE_HASH + "-".len() >= HOSTNAME_LENGTH =>
            {
                Hostname::SharedWithTemplate(prefix)
            }
            None => Hostname::Unique,
        }
    }
}
