//! What names a credential spec where nothing reads it.

use serde_json::{Map, Value};

use super::near::{Meant, alpha, is_named_in, meant, meant_among_options, meant_exactly};
use super::template::Template;
use super::{below, describes_fields, dotted, group, is_built_in, text};
use crate::finding::{Code, Finding};
use crate::names::KIND;
use crate::pod::shown;

/// How deep an object is looked into.
const DEPTH: usize = 100;
/// Maps in which any key may stand.
const FREE: [&str; 13] = [
    "annotations",
    "labels",
    "matchLabels",
    "nodeSelector",
    "data",
    "stringData",
    "binaryData",
    "volumeAttributes",
    "limits",
    "requests",
    "allocatable",
    "capacity",
    "parameters",
];
/// Those that mean the same in every object.
const ALWAYS_FREE: [&str; 3] = ["labels", "matchLabels", "nodeSelector"];
const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// Where the walk is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// The spec of a pod.
    PodSpec,
    /// One of a pod's lists of containers.
    Containers,
    Container,
    /// The security context of a pod or container.
    SecurityContext,
    /// `windowsOptions` where it is read.
    WindowsOptions,
    /// In an object whose fields are known, or in a pod template: all that has no meaning here has
    /// none at all.
    Known,
    /// In an object of which only its controller knows what it means.
    Foreign,
}

struct Walk<'a> {
    templates: &'a [Template],
    found: Vec<Finding>,
    /// Whether the object names a credential spec where it is read.
    reads: bool,
    /// What is found only in an object that names none otherwise.
    weak: Vec<Finding>,
}

/// What in an object names a credential spec, or is meant to, where nothing reads it: a field that
/// is misspelled or misplaced, an annotation of Kubernetes 1.14 ([`Code::FieldNotRead`]), and
/// something that cannot be judged ([`Code::CredspecNotJudged`]). The paths begin at the object.
///
/// `templates` are those of the object.
#[must_use]
pub fn unread(object: &Value, templates: &[Template]) -> Vec<Finding> {
    let api_version = text(object, "apiVersion");
    let kind = text(object, "kind");
    let group = group(api_version);
    if describes_fields(group)
        || kind.eq_ignore_ascii_case(KIND)
        || group == "rbac.authorization.k8s.io"
        || kind == "Secret"
    {
        return Vec::new();
    }
    let mut walk = Walk { templates, found: Vec::new(), reads: false, weak: Vec::new() };
    let is_known = is_built_in(group)
        && !kind.is_empty()
        && kind != "ConfigMap"
        && group != "kustomize.config.k8s.io";
    let at = if is_known { At::Known } else { At::Foreign };
    walk.value(object, "", at, DEPTH);
    if !walk.reads {
        walk.found.append(&mut walk.weak);
    }
    walk.found
}

impl Walk<'_> {
    fn value(&mut self, value: &Value, pointer: &str, at: At, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        let is_template = at != At::PodSpec
            && self.templates.iter().any(|one| one.spec == format!("{pointer}/spec"));
        match value {
            Value::Object(map) => self.map(map, pointer, at, is_template, depth),
            Value::Array(items) => {
                let of_item = if at == At::Containers { At::Container } else { at };
                for (index, item) in items.iter().enumerate() {
                    self.value(item, &format!("{pointer}/{index}"), of_item, depth);
                }
            }
            Value::String(text) if at == At::Foreign && is_named_in(text) => {
                self.not_judged(pointer, None);
            }
            _ => {}
        }
    }

    fn map(
        &mut self,
        map: &Map<String, Value>,
        pointer: &str,
        at: At,
        is_template: bool,
        depth: usize,
    ) {
        for (key, child) in map.iter().filter(|(_, child)| !child.is_null()) {
            // What the API server keeps, and what controllers report, is no field of the user's.
            if key == "managedFields" || (pointer.is_empty() && key == "status") {
                continue;
            }
            let below = below(pointer, key);
            if at != At::PodSpec && self.templates.iter().any(|one| one.spec == below) {
                self.value(child, &below, At::PodSpec, depth);
                continue;
            }
            // What a template has beside its spec has no meaning but as metadata.
            let at = if is_template && at == At::Foreign && !pointer.is_empty() {
                At::Known
            } else {
                at
            };
            if key == "annotations" && child.is_object() {
                self.annotations(child, &below);
                continue;
            }
            if is_free(key, child) && (at != At::Foreign || ALWAYS_FREE.contains(&key.as_str())) {
                self.free(child, &below, key != "labels" && key != "matchLabels");
                continue;
            }
            let next = match (at, key.as_str()) {
                (At::WindowsOptions, "gmsaCredentialSpecName" | "gmsaCredentialSpec") => {
                    self.reads = true;
                    continue;
                }
                (At::PodSpec | At::Container, "securityContext") => At::SecurityContext,
                (At::PodSpec, list) if CONTAINERS.contains(&list) => At::Containers,
                (At::SecurityContext, "windowsOptions") => At::WindowsOptions,
                (At::Foreign, _) => At::Foreign,
                _ => At::Known,
            };
            let meant = match at {
                At::WindowsOptions | At::SecurityContext => meant_among_options(key),
                _ => meant(key),
            };
            match (at, meant) {
                (_, None) => self.value(child, &below, next, depth),
                (At::Foreign, Some(_)) => self.foreign(key, child, &below, depth),
                (_, Some(meant)) => self.not_read(&below, meant, child),
            }
        }
    }

    /// A key that seems to be one of ours in an object of another.
    fn foreign(&mut self, key: &str, value: &Value, pointer: &str, depth: usize) {
        match value {
            Value::String(name) if !name.is_empty() => self.not_judged(pointer, Some(name)),
            Value::Object(_) | Value::Array(_) => {
                let before = self.found.len();
                self.value(value, pointer, At::Foreign, depth);
                if self.found.len() == before && meant_exactly(key).is_some() {
                    self.not_judged(pointer, None);
                }
            }
            _ => {}
        }
    }

    fn annotations(&mut self, map: &Value, pointer: &str) {
        for (key, value) in map.as_object().into_iter().flatten() {
            let below = below(pointer, key);
            if let Some(meant) = alpha(key) {
                self.not_read(&below, meant, value);
            } else if let Some(meant) = meant_exactly(key.rsplit('/').next().unwrap_or(key)) {
                self.not_read(&below, meant, value);
            }
        }
    }

    /// A map of texts in which any key may stand.
    fn free(&mut self, map: &Value, pointer: &str, counts: bool) {
        for (key, value) in map.as_object().into_iter().flatten() {
            let Some(meant) = meant_exactly(key) else { continue };
            let before = self.found.len();
            self.not_read(&below(pointer, key), meant, value);
            if !counts {
                // A label may say which credential spec a pod has, if it has it.
                self.weak.extend(self.found.drain(before..));
            }
        }
    }

    fn not_read(&mut self, pointer: &str, meant: Meant, value: &Value) {
        let named = value
            .as_str()
            .filter(|name| meant == Meant::Name && name.len() <= 253)
            .map(|name| format!(" (\"{}\")", shown(name)))
            .unwrap_or_default();
        let target = self.target(pointer);
        let path = dotted(pointer);
        self.found.push(Finding {
            code: Code::FieldNotRead,
            message: format!(
                "nothing reads {path}{named}: move it to {target}{}",
                match meant {
                    Meant::Name => Meant::Name.key().to_owned(),
                    Meant::Contents => format!(
                        "{}, as the name of the credential spec and not as its contents",
                        Meant::Name.key()
                    ),
                }
            ),
            path: Some(path),
        });
    }

    fn not_judged(&mut self, pointer: &str, name: Option<&str>) {
        let path = dotted(pointer);
        let what = match name.filter(|name| !name.is_empty() && name.len() <= 253) {
            Some(name) if !name.contains(['{', '\n']) => {
                format!("names credential spec \"{}\"", shown(name))
            }
            _ => "names a credential spec".to_owned(),
        };
        self.found.push(Finding {
            code: Code::CredspecNotJudged,
            message: format!("{what} at {path}, which was not judged"),
            path: Some(path),
        });
    }

    /// The `windowsOptions` nearest to what is misplaced, with a dot at the end.
    fn target(&self, pointer: &str) -> String {
        let own = self.templates.iter().filter(|one| {
            // What is beside the spec belongs to the template, if there is one.
            let part = if one.spec.ends_with("/spec") { &one.pointer } else { &one.spec };
            pointer.starts_with(part)
        });
        let nearest = own.max_by_key(|one| one.pointer.len()).or(match self.templates {
            [only] => Some(only),
            _ => None,
        });
        let Some(template) = nearest else {
            return "the security context of a pod or container, as windowsOptions.".to_owned();
        };
        let spec = template.spec.clone();
        let mut place = spec.clone();
        if let Some(rest) = pointer.strip_prefix(&spec) {
            let mut steps = rest.split('/').skip(1);
            if let (Some(list), Some(index)) = (steps.next(), steps.next())
                && CONTAINERS.contains(&list)
            {
                place = format!("{spec}/{list}/{index}");
            }
        }
        format!("{}.securityContext.windowsOptions.", dotted(&place))
    }
}

/// Whether the keys of this map are the user's.
fn is_free(key: &str, value: &Value) -> bool {
    let of_texts = || {
        let map = value.as_object();
        map.is_some_and(|map| !map.is_empty() && map.values().all(Value::is_string))
    };
    FREE.contains(&key) && (key != "parameters" || of_texts()) || (key == "selector" && of_texts())
}
