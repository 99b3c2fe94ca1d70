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
    /// The hostname is set on a Pod that has siblings.
    Fixed(FixedHostname<'a>),
    /// All siblings share these first 15 characters.
    SharedPrefix(&'a str),
    /// The Pod is made up from a Deployment: all siblings of one template share these characters,
    /// and as many of the template's hash as fit behind them.
    SharedWithTemplate(&'a str),
}

/// A hostname that the Pod sets itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FixedHostname<'a> {
    /// The field that sets it: `spec.hostname`, or `spec.hostnameOverride`, which goes before it.
    pub field: &'static str,
    /// The hostname.
    pub name: &'a str,
}

impl Pod<'_> {
    /// The hostname that the Pod sets itself; none if its name is its hostname.
    #[must_use]
    pub fn fixed_hostname(&self) -> Option<FixedHostname<'_>> {
        let spec = self.spec.as_ref()?;
        let fields = [
            ("spec.hostnameOverride", spec.hostname_override.as_deref()),
            ("spec.hostname", spec.hostname.as_deref()),
        ];
        fields.into_iter().find_map(|(field, name)| {
            name.filter(|name| !name.is_empty()).map(|name| FixedHostname { field, name })
        })
    }

    /// Whether something binds the Pod to Windows nodes: `spec.os`, the node selector, the required
    /// node affinity, or a runtime class (whose own node selector is not looked up). Labels that a
    /// kubelet sets count, not those of a vendor.
    #[must_use]
    pub fn is_bound_to_windows(&self) -> bool {
        let Some(spec) = &self.spec else { return false };
        let is_windows = |os: &str| os == "windows";
        let by_os = spec.os.as_ref().and_then(|os| os.name.as_deref()).is_some_and(is_windows);
        let by_selector = spec.node_selector.as_ref().is_some_and(|selector| {
            selector.os.as_deref().or(selector.old_os.as_deref()).is_some_and(is_windows)
                || selector.windows_build.is_some()
        });
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
        // A StatefulSet's controller sets the Pod's own name, which ends in the ordinal.
        let own = metadata.name.as_deref();
        if let Some(fixed) = self.fixed_hostname().filter(|fixed| own != Some(fixed.name)) {
            return Hostname::Fixed(fixed);
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
