//! What of a pod that uses a GMSA cannot work, beyond what its admission looks at.

use serde_json::Value;

use super::node_selection::terms;
use super::text;
use crate::finding::{Code, Finding};
use crate::pod::{Identity, Pod, identities, shown};
use crate::windows::release::{self, Release};

/// The label of a node's operating system, by its names.
const OS: [&str; 2] = ["kubernetes.io/os", "beta.kubernetes.io/os"];
/// The label of a node's build of Windows, as `10.0.20348`.
const BUILD: &str = "node.kubernetes.io/windows-build";
/// Labels of vendors that tell the system: those of AKS and of GKE.
const VENDORS: [&str; 2] = ["kubernetes.azure.com/os-sku", "cloud.google.com/gke-os-distribution"];

/// What the API server refuses beside `os.name: windows` (`validateWindows` of Kubernetes), for the
/// pod and for each container.
const NOT_IN_SPEC: [&str; 3] = ["hostUsers", "shareProcessNamespace", "resources"];
/// Of these only `true` is refused.
const NOT_TRUE_IN_SPEC: [&str; 2] = ["hostIPC", "hostPID"];
const NOT_IN_POD: [&str; 10] = [
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "fsGroup",
    "fsGroupChangePolicy",
    "sysctls",
    "runAsUser",
    "runAsGroup",
    "supplementalGroups",
    "supplementalGroupsPolicy",
];
const NOT_IN_CONTAINER: [&str; 10] = [
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "capabilities",
    "readOnlyRootFilesystem",
    "privileged",
    "allowPrivilegeEscalation",
    "procMount",
    "runAsUser",
    "runAsGroup",
];

/// What is to be said of a pod that uses a GMSA beyond the warnings of its admission: for pods in
/// manifests and workloads, where no other webhook and no controller comes in between. `object` is
/// the Pod as JSON, `pod` the view of it.
#[must_use]
pub fn pod_findings(object: &Value, pod: &Pod<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let Some(spec) = object.get("spec").filter(|_| pod.references().next().is_some()) else {
        return found;
    };
    let [os, old] = OS;
    if selected(spec, old).is_some() && selected(spec, os).is_none() {
        found.push(Finding {
            code: Code::OsLabelDeprecated,
            message: format!("the node selector uses the deprecated label {old}"),
            path: Some(format!("spec.nodeSelector[{old}]")),
        });
    }
    found.extend(other_system(spec));
    for identity in identities(pod).filter(|identity| !identity.host_process) {
        found.extend(user(spec, &identity));
        found.extend(image(spec, &identity));
    }
    found
}

/// The finding of pods whose service account does not exist.
#[must_use]
pub fn account_missing(namespace: &str, account: &str) -> Finding {
    Finding {
        code: Code::ServiceAccountMissing,
        message: format!(
            "service account \"{}\" does not exist in namespace \"{}\", and the API server refuses pods \
             without theirs",
            shown(account),
            shown(namespace)
        ),
        path: Some("spec.serviceAccountName".to_owned()),
    }
}

/// The value of a label that the node selector asks for.
fn selected<'a>(spec: &'a Value, label: &str) -> Option<&'a str> {
    spec.get("nodeSelector")?.get(label)?.as_str()
}

/// Says more of a pod that may not be bound to Windows nodes: that a vendor's label binds it, or that
/// it cannot be seen whether its selector does. Of `spec`, the pod's, only `nodeSelector` and
/// `affinity` are read.
pub fn refine_binding(warnings: &mut Vec<Finding>, spec: &Value) {
    let Some(index) = warnings.iter().position(|one| one.code == Code::NotBoundToWindows) else {
        return;
    };
    let of_vendor = |key: &&str| {
        selected(spec, key).is_some_and(|value| value.to_ascii_lowercase().starts_with("windows"))
    };
    if VENDORS.iter().any(of_vendor) {
        warnings.remove(index);
        return;
    }
    let selector = spec.get("nodeSelector").and_then(Value::as_object);
    let others: Vec<String> = selector
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{}={}", shown(key), shown(value.as_str().unwrap_or_default())))
        .collect();
    let selects = if others.is_empty() {
        terms(spec).map(|_| "its node affinity".to_owned())
    } else {
        Some(format!("its node selector ({})", others.join(", ")))
    };
    if let (Some(selects), Some(warning)) = (selects, warnings.get_mut(index)) {
        warning.message = format!(
            "the pod may not be bound to Windows nodes: whether {selects} matches Windows nodes \
             alone cannot be seen here; add the node selector kubernetes.io/os: windows"
        );
    }
}

/// Fields of another system than `os.name`, which the API server refuses.
fn other_system(spec: &Value) -> Option<Finding> {
    let system = spec.pointer("/os/name").and_then(Value::as_str)?;
    let set = |value: &Value| match value {
        Value::Null => false,
        Value::Array(list) => !list.is_empty(),
        _ => true,
    };
    let mut fields: Vec<String> = Vec::new();
    let mut look = |at: &str, object: Option<&Value>, keys: &[&str]| {
        for key in keys {
            if object.and_then(|object| object.get(key)).is_some_and(set) {
                fields.push(format!("{at}{key}"));
            }
        }
    };
    let context = spec.get("securityContext");
    match system {
        "windows" => {
            let on =
                NOT_TRUE_IN_SPEC.iter().filter(|key| spec.get(key) == Some(&Value::Bool(true)));
            let keys: Vec<&str> = on.copied().chain(NOT_IN_SPEC).collect();
            look("spec.", Some(spec), &keys);
            look("spec.securityContext.", context, &NOT_IN_POD);
        }
        "linux" => look("spec.securityContext.", context, &["windowsOptions"]),
        _ => return None,
    }
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        let containers = spec.get(list).and_then(Value::as_array);
        for (index, container) in containers.into_iter().flatten().enumerate() {
            let keys: &[&str] =
                if system == "windows" { &NOT_IN_CONTAINER } else { &["windowsOptions"] };
            let context = container.get("securityContext");
            for key in keys {
                if context.and_then(|context| context.get(key)).is_some_and(set) {
                    fields.push(format!("spec.{list}[{index}].securityContext.{key}"));
                }
            }
        }
    }
    let first = fields.first()?.clone();
    let why = if system == "linux" {
        "set os.name: windows, or leave os out"
    } else {
        "remove them, or leave os out and keep the node selector"
    };
    Some(Finding {
        code: Code::FieldOfAnotherSystem,
        message: format!(
            "the API server refuses {} beside os.name: {system}; {why}",
            fields.join(", ")
        ),
        path: Some(first),
    })
}

/// The options for Windows of a container, or else of the pod.
fn option<'a>(spec: &'a Value, identity: &Identity<'_>, key: &str) -> Option<(&'a str, String)> {
    let list = identity.container.kind.list()?;
    let index = identity.container.index;
    let own = format!("/{list}/{index}/securityContext/windowsOptions/{key}");
    let of_pod = format!("/securityContext/windowsOptions/{key}");
    let at = |pointer: &str| spec.pointer(pointer).and_then(Value::as_str);
    match at(&own) {
        Some(value) => Some((value, identity.container.field(key))),
        None => Some((at(&of_pod)?, format!("spec.securityContext.windowsOptions.{key}"))),
    }
}

fn image_of<'a>(spec: &'a Value, identity: &Identity<'_>) -> &'a str {
    let list = identity.container.kind.list().unwrap_or_default();
    let pointer = format!("/{list}/{}/image", identity.container.index);
    spec.pointer(&pointer).and_then(Value::as_str).unwrap_or_default()
}

/// What a user of a container has of the identity.
enum User {
    /// It uses the identity, or may.
    Uses,
    /// It is one of the two users of containers.
    OfContainer,
    /// It is an account of a domain, which no container knows.
    OfDomain,
    /// It is a user of the container's own.
    Local,
}

fn user_of(name: &str) -> User {
    let lower = name.to_ascii_lowercase();
    let (domain, user) = match lower.split_once('\\') {
        Some((domain, user)) => (domain, user),
        None => ("", lower.as_str()),
    };
    let plain: String = user.chars().filter(|one| !one.is_whitespace()).collect();
    match (domain, plain.as_str()) {
        ("" | "user manager" | ".", "containeruser" | "containeradministrator") => {
            User::OfContainer
        }
        // Virtual accounts are the computer on the network.
        ("" | "nt authority", "system" | "localsystem" | "networkservice")
        | ("iis apppool" | "nt service", _) => User::Uses,
        ("" | "nt authority" | "." | "builtin" | "localhost", _)
            if !user.contains('@') && !user.ends_with('$') =>
        {
            User::Local
        }
        _ => User::OfDomain,
    }
}

fn user(spec: &Value, identity: &Identity<'_>) -> Option<Finding> {
    let (name, path) = option(spec, identity, "runAsUserName")?;
    let container = identity.container;
    let shown = shown(name);
    let message = match user_of(name) {
        User::Uses => return None,
        User::OfContainer => {
            let image = image_of(spec, identity);
            if !image.to_ascii_lowercase().contains("nanoserver") {
                return None;
            }
            let release = release::of_image(image).filter(|one| one.build >= 20348)?;
            format!(
                "{container} runs as {shown} in an image of nanoserver {} (build {}), where only \
                 NT AUTHORITY\\NetworkService is known to use the identity",
                release.tag, release.build
            )
        }
        User::OfDomain => format!(
            "{container} runs as {shown}: the account is not written here, \
             gmsaCredentialSpecName is all; a container knows no user of a domain"
        ),
        User::Local => format!(
            "{container} runs as {shown}, a user without an identity in the domain: leave \
             runAsUserName out, or write NT AUTHORITY\\NetworkService"
        ),
    };
    Some(Finding { code: Code::UserWithoutIdentity, message, path: Some(path) })
}

/// The image of a container against the build that the pod selects.
fn image(spec: &Value, identity: &Identity<'_>) -> Option<Finding> {
    // A runtime class may isolate by Hyper-V, which runs older images.
    if spec.get("runtimeClassName").is_some_and(Value::is_string) {
        return None;
    }
    let selector = spec.get("nodeSelector");
    let node = text(selector?, BUILD);
    let build = node.split('.').nth(2)?.parse().ok()?;
    let image = image_of(spec, identity);
    let of_image = image_mismatch(image, build)?;
    let list = identity.container.kind.list()?;
    Some(Finding {
        code: Code::ImageBuildMismatch,
        message: format!(
            "{} has an image for {} (build {}), and the node selector asks for build {}: Windows \
             does not start it there",
            identity.container,
            of_image.name,
            of_image.build,
            shown(node)
        ),
        path: Some(format!("spec.{list}[{}].image", identity.container.index)),
    })
}

/// The release of Windows that an image is for by its name, if a node of this build cannot run it
/// with process isolation, the only one that Kubernetes has by itself. From Server 2022 on newer
/// nodes run older images.
#[must_use]
pub fn image_mismatch(image: &str, node: u32) -> Option<&'static Release> {
    let release = release::of_image(image)?;
    let runs = release.build == node || (release.build >= 20348 && release.build < node);
    (!runs).then_some(release)
}
