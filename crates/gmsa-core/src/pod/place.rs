//! The places of a Pod that can carry a GMSA.

use std::borrow::Cow;
use std::fmt;

use crate::printable::printable;

use super::contents::Contents;
use super::view::{Container, Pod, SecurityContext, WindowsOptions};

/// What kind of place it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PlaceKind {
    /// The pod itself, and with it every container that does not set its own.
    Pod,
    /// One of `containers`.
    Container,
    /// One of `initContainers`.
    InitContainer,
    /// One of `ephemeralContainers`.
    EphemeralContainer,
}

/// The kinds of containers, in their order.
pub(super) const CONTAINERS: [PlaceKind; 3] =
    [PlaceKind::Container, PlaceKind::InitContainer, PlaceKind::EphemeralContainer];

impl PlaceKind {
    /// The key of the list in the Pod's spec; none for the pod itself.
    #[must_use]
    pub fn list(self) -> Option<&'static str> {
        match self {
            Self::Pod => None,
            Self::Container => Some("containers"),
            Self::InitContainer => Some("initContainers"),
            Self::EphemeralContainer => Some("ephemeralContainers"),
        }
    }

    /// How people call it: `pod`, `container`, `init container`, `ephemeral container`.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Pod => "pod",
            Self::Container => "container",
            Self::InitContainer => "init container",
            Self::EphemeralContainer => "ephemeral container",
        }
    }
}

/// One place, shown as `pod "web"` or `init container "setup"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// What kind of place it is.
    pub kind: PlaceKind,
    /// The position in its list; 0 for the pod.
    pub index: usize,
    /// The name of the pod or the container.
    pub name: &'a str,
}

impl Place<'_> {
    /// As it is shown.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.push_to(&mut text);
        text
    }

    /// Appends it as it is shown.
    pub fn push_to(&self, text: &mut String) {
        for part in [self.kind.label(), " \"", &shown(self.name), "\""] {
            text.push_str(part);
        }
    }

    /// Appends places as they are shown, with commas between them.
    pub fn push_all<'p>(text: &mut String, places: impl Iterator<Item = Place<'p>>) {
        for (index, place) in places.enumerate() {
            text.push_str(if index == 0 { "" } else { ", " });
            place.push_to(text);
        }
    }

    /// The path of a key under `securityContext.windowsOptions`, such as
    /// `spec.containers[0].securityContext.windowsOptions.gmsaCredentialSpecName`.
    #[must_use]
    pub fn field(&self, key: &str) -> String {
        match self.kind.list() {
            None => format!("spec.securityContext.windowsOptions.{key}"),
            Some(list) => {
                format!("spec.{list}[{}].securityContext.windowsOptions.{key}", self.index)
            }
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// A name as it is shown in messages: control characters escaped, cut after 253 characters.
#[must_use]
pub fn shown(name: &str) -> Cow<'_, str> {
    // Nearly every name is one that Kubernetes allows, and needs nothing.
    let plain = |byte| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_');
    if name.len() <= 253 && name.bytes().all(plain) {
        return Cow::Borrowed(name);
    }
    Cow::Owned(match name.char_indices().nth(253) {
        None => printable(name).to_string(),
        Some((end, _)) => format!("{}…", printable(name.get(..end).unwrap_or_default())),
    })
}

/// The GMSA at one place: a name, contents, or both.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Reference<'a> {
    /// Where it is.
    pub place: Place<'a>,
    /// `gmsaCredentialSpecName`.
    pub name: Option<&'a str>,
    /// `gmsaCredentialSpec`.
    pub contents: Option<Contents<'a>>,
}

impl fmt::Debug for Reference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reference")
            .field("place", &self.place)
            .field("name", &self.name)
            .field("contents", &self.contents)
            .finish()
    }
}

impl<'a> Pod<'a> {
    /// The name, or the prefix of a name that is still to be made up; empty if there is neither.
    #[must_use]
    pub fn display_name(&self) -> &str {
        let metadata = self.metadata.as_ref();
        metadata
            .and_then(|metadata| metadata.name.as_deref().filter(|name| !name.is_empty()))
            .or_else(|| metadata.and_then(|metadata| metadata.generate_name.as_deref()))
            .unwrap_or_default()
    }

    /// Kind and name of the controller that owns the Pod.
    #[must_use]
    pub fn controller(&self) -> Option<(&str, &str)> {
        let owner = self.metadata.as_ref()?.owner_references.as_ref()?.controller()?;
        Some((owner.kind.as_deref()?, owner.name.as_deref()?))
    }

    /// As a denial calls it: `pod "web"`. One with a generated name is called by its owner, `pod of
    /// ReplicaSet "web-5d9f"`: with its own name each of the controller's `FailedCreate` events would
    /// differ, and they would not be counted as one.
    #[must_use]
    pub fn in_words(&self) -> String {
        let prefix = self.metadata.as_ref().and_then(|metadata| metadata.generate_name.as_deref());
        match self.controller().filter(|_| prefix.is_some_and(|prefix| !prefix.is_empty())) {
            Some((kind, name)) => format!("pod of {} \"{}\"", shown(kind), shown(name)),
            None => Place { kind: PlaceKind::Pod, index: 0, name: self.display_name() }.text(),
        }
    }

    /// The service account that the Pod runs as.
    #[must_use]
    pub fn service_account(&self) -> &str {
        self.spec
            .as_ref()
            .and_then(|spec| spec.service_account_name.as_deref())
            .filter(|name| !name.is_empty())
            .unwrap_or("default")
    }

    /// The containers of a kind; none for the pod itself.
    #[must_use]
    pub fn containers(&self, kind: PlaceKind) -> &[Container<'a>] {
        let Some(spec) = &self.spec else { return &[] };
        match kind {
            PlaceKind::Pod => None,
            PlaceKind::Container => spec.containers.as_deref(),
            PlaceKind::InitContainer => spec.init_containers.as_deref(),
            PlaceKind::EphemeralContainer => spec.ephemeral_containers.as_deref(),
        }
        .unwrap_or_default()
    }

    /// Every place with a GMSA, in the order pod, containers, init containers,
    /// ephemeral containers.
    pub fn references(&self) -> impl Iterator<Item = Reference<'_>> {
        let mut found = Vec::new();
        if let Some(spec) = &self.spec {
            let place = Place { kind: PlaceKind::Pod, index: 0, name: self.display_name() };
            found.extend(reference(place, spec.security_context.as_ref()));
            for kind in CONTAINERS {
                push_references(&mut found, kind, self.containers(kind));
            }
        }
        // One after the other from chained iterators costs several times as much.
        found.into_iter()
    }

    /// The GMSA at the place of a field, such as that of a denial.
    #[must_use]
    pub fn reference_at(&self, field: &str) -> Option<Reference<'_>> {
        self.references().find(|reference| field.starts_with(&reference.place.field("")))
    }

    /// The places at the root of an `EphemeralContainers` object.
    pub fn root_ephemeral_references(&self) -> impl Iterator<Item = Reference<'_>> {
        let containers = self.ephemeral_containers.as_deref().unwrap_or_default();
        let mut found = Vec::new();
        push_references(&mut found, PlaceKind::EphemeralContainer, containers);
        found.into_iter()
    }
}

fn push_references<'p>(
    found: &mut Vec<Reference<'p>>,
    kind: PlaceKind,
    containers: &'p [Container<'_>],
) {
    for (index, container) in containers.iter().enumerate() {
        let name = container.name.as_deref().unwrap_or_default();
        found.extend(reference(Place { kind, index, name }, container.security_context.as_ref()));
    }
}

fn reference<'p>(
    place: Place<'p>,
    context: Option<&'p SecurityContext<'_>>,
) -> Option<Reference<'p>> {
    let WindowsOptions { gmsa_credential_spec_name: name, gmsa_credential_spec: contents, .. } =
        context?.windows_options.as_deref()?;
    (name.is_some() || contents.is_some()).then_some(Reference {
        place,
        name: name.as_deref(),
        contents: *contents,
    })
}
