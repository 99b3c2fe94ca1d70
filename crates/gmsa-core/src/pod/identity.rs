//! Which container runs as which GMSA.

use super::place::{CONTAINERS, Place, PlaceKind};
use super::view::{Container, Pod, SecurityContext, WindowsOptions};

/// A container and the credential spec that is in force for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity<'a> {
    /// The container.
    pub container: Place<'a>,
    /// The name of the credential spec that is in force.
    pub credential_spec: &'a str,
    /// Whether the container inherits it from the pod.
    pub inherited: bool,
    /// Whether the container is a `HostProcess` container.
    pub host_process: bool,
}

/// Every container that runs as a GMSA. A container's own name overrides the pod's.
pub fn identities<'p>(pod: &'p Pod<'_>) -> impl Iterator<Item = Identity<'p>> {
    let pod_options = pod.spec.as_ref().and_then(|spec| options(spec.security_context.as_ref()));
    let mut found = Vec::new();
    for kind in CONTAINERS {
        for (index, container) in pod.containers(kind).iter().enumerate() {
            found.extend(identity(kind, index, container, pod_options));
        }
    }
    found.into_iter()
}

fn identity<'p>(
    kind: PlaceKind,
    index: usize,
    container: &'p Container<'_>,
    pod_options: Option<&'p WindowsOptions<'_>>,
) -> Option<Identity<'p>> {
    let own = options(container.security_context.as_ref());
    let own_name = own.and_then(|options| options.gmsa_credential_spec_name.as_deref());
    let pod_name = pod_options.and_then(|options| options.gmsa_credential_spec_name.as_deref());
    let host_process = own
        .and_then(|options| options.host_process)
        .or_else(|| pod_options.and_then(|options| options.host_process))
        .unwrap_or(false);
    Some(Identity {
        container: Place { kind, index, name: container.name.as_deref().unwrap_or_default() },
        credential_spec: own_name.or(pod_name)?,
        inherited: own_name.is_none(),
        host_process,
    })
}

fn options<'p>(context: Option<&'p SecurityContext<'p>>) -> Option<&'p WindowsOptions<'p>> {
    context?.windows_options.as_deref()
}
