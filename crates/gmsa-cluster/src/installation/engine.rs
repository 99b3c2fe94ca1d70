//! The engine without a webhook: policies by which the API server itself expands and checks the GMSAs
//! of pods, from 1.36.
//!
//! Parameters, and the definition of their kind, are looked up before match conditions, and a policy
//! whose parameters are missing refuses what it matches. Only an `objectSelector` comes earlier. So a
//! mutating policy labels each pod that it has seen ([`SEEN`]), a policy with the index checks pods with
//! the label, trusting nothing of the mutation, and a guard without parameters refuses pods that use a
//! GMSA and have no label, or in which the mutating policy found something wrong. A plain pod depends on
//! no index.
//!
//! An ephemeral container comes by an update, which keeps no label. There a mutating policy without
//! parameters marks all contents as unchecked, the one with the index takes the mark from those that are
//! right, and a guard without parameters refuses what is still marked.
//!
//! Whichever one of the policies, their bindings, the index or its definition is missing, the others let
//! no pod take an identity unchecked.

pub mod differences;
mod expressions;
mod in_force;
mod literals;
mod same_json;

use std::collections::BTreeMap;

use gmsa_core::index::Spec;
use gmsa_core::names::{
    API_VERSION, DOMAIN, ENGINE_CHECK, ENGINE_CHECK_EPHEMERAL, ENGINE_EXPAND,
    ENGINE_EXPAND_EPHEMERAL, ENGINE_GUARD, ENGINE_GUARD_EPHEMERAL, ENGINE_HOLD_EPHEMERAL, INDEX,
    INDEX_KIND, INDEX_PLURAL, OPTIONS, SEEN,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, CustomResourceDefinitionNames, CustomResourceDefinitionSpec,
    CustomResourceDefinitionVersion, CustomResourceValidation, JSONSchemaProps,
};
use kube::api::ObjectMeta;
use serde_json::{Value, json};

use self::expressions::{Source, Step};
use super::guard::{as_variables, constraints, everything, rule};
use super::webhooks::{USES_GMSA, namespace_requirements};
use super::{Options, Version, labels, merge};
pub use expressions::left_out_by_policies;
pub use in_force::{InForce, gap, missing};

/// The policies of the engine with their bindings, in the order in which they are applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Policies {
    /// What expands: must be in force before the others.
    pub mutating: Vec<Value>,
    /// What checks and refuses.
    pub validating: Vec<Value>,
}

impl Policies {
    /// All of them, in the order in which they are applied.
    #[must_use]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Value> {
        self.mutating.iter().chain(&self.validating)
    }
}

/// The name of a policy that has the credential specs in it, or that has not, by the name of the one with
/// the index.
#[must_use]
pub fn name_of(policy: &str, is_literal: bool) -> String {
    match policy.strip_prefix(prefix_of(false)) {
        Some(rest) if is_literal => format!("{}{rest}", prefix_of(true)),
        _ => policy.to_owned(),
    }
}

/// How the names of all policies of the engine begin, with the credential specs in them or with the index.
pub(super) const fn prefix_of(is_literal: bool) -> &'static str {
    if is_literal { "gmsa-static-" } else { "gmsa-engine-" }
}

/// The definition of the index, for API servers that have the engine.
#[must_use]
pub fn index_definition() -> CustomResourceDefinition {
    let map = |description: &str| {
        json!({
            "type": "object",
            "description": description,
            "additionalProperties": {"type": "string"},
            // Who writes it owns it whole, instead of ten thousand keys.
            "x-kubernetes-map-type": "atomic",
        })
    };
    let schema = json!({
        "type": "object",
        "description": "The credential specs of the cluster, ready for the admission policies. \
                        Written by `gmsa-webhook index`, and never to be edited.",
        "properties": {
            "templates": map("Canonical JSON with U+0001 in place of the account."),
            "entries": map("By the name of the credential spec: its canonical JSON, \
                            TEMPLATE:ACCOUNT, or nothing for one without contents."),
        },
    });
    let schema: JSONSchemaProps = serde_json::from_value(schema).unwrap_or_default();
    CustomResourceDefinition {
        metadata: ObjectMeta {
            name: Some(format!("{INDEX_PLURAL}.{DOMAIN}")),
            labels: serde_json::from_value(labels()).ok(),
            ..ObjectMeta::default()
        },
        spec: CustomResourceDefinitionSpec {
            group: DOMAIN.to_owned(),
            scope: "Cluster".to_owned(),
            names: CustomResourceDefinitionNames {
                kind: INDEX_KIND.to_owned(),
                list_kind: Some(format!("{INDEX_KIND}List")),
                plural: INDEX_PLURAL.to_owned(),
                singular: Some(INDEX_KIND.to_lowercase()),
                ..CustomResourceDefinitionNames::default()
            },
            versions: vec![CustomResourceDefinitionVersion {
                name: API_VERSION.rsplit('/').next().unwrap_or_default().to_owned(),
                served: true,
                storage: true,
                schema: Some(CustomResourceValidation { open_api_v3_schema: Some(schema) }),
                ..CustomResourceDefinitionVersion::default()
            }],
            ..CustomResourceDefinitionSpec::default()
        },
        status: None,
    }
}

/// The policies that read the credential specs from the index.
#[must_use]
pub fn policies(options: &Options, version: Version) -> Policies {
    Engine { options, version, source: &Source::index(), suffix: String::new() }.policies()
}

/// Kind and name of the policies that [`literal_policies`] make, for one of the objects over which the
/// credential specs are spread, counted from 1: what deciding begins with last.
#[must_use]
pub fn literal_stubs(number: usize) -> Vec<Value> {
    let options = Options::default();
    let sources = literals::sources(&BTreeMap::new());
    let suffix = suffix(number);
    let engines = sources.iter().map(|source| Engine {
        options: &options,
        version: Version(1, 36),
        source,
        suffix: suffix.clone(),
    });
    let all = engines.map(|engine| engine.policies());
    let all = all.flat_map(|policies| policies.iter().rev().cloned().collect::<Vec<_>>());
    all.map(|mut object| {
        if let Some(object) = object.as_object_mut() {
            object.remove("spec");
        }
        object
    })
    .collect()
}

/// What the names of policies end with.
fn suffix(number: usize) -> String {
    if number == 1 { String::new() } else { format!("-{number}") }
}

/// The policies that have the credential specs in them, so that nothing of ours runs in the cluster:
/// more than one of each kind if they are too many for one object.
#[must_use]
pub fn literal_policies(
    options: &Options,
    version: Version,
    specs: &BTreeMap<String, Spec>,
) -> Policies {
    let mut all = Policies { mutating: Vec::new(), validating: Vec::new() };
    for (number, source) in literals::sources(specs).iter().enumerate() {
        let mut own = Engine { options, version, source, suffix: suffix(number + 1) }.policies();
        all.mutating.append(&mut own.mutating);
        all.validating.append(&mut own.validating);
    }
    all
}

/// What the policies are made from.
struct Engine<'a> {
    options: &'a Options,
    version: Version,
    source: &'a Source,
    /// What the names of policies end with, but for the first of their kind.
    suffix: String,
}

/// What a policy is asked about.
#[derive(Clone, Copy)]
enum Asked {
    /// Every new pod that uses a GMSA.
    Pods,
    /// New pods that the mutating policy has seen.
    Seen,
    /// Pods with new ephemeral containers.
    Ephemeral,
}

impl Engine<'_> {
    fn policies(&self) -> Policies {
        let step = |ephemeral, last| Step { ephemeral, last };
        let (expand, expand_ephemeral) = (step(false, false), step(true, false));
        let (check, check_ephemeral) = (step(false, true), step(true, true));
        let is_first = self.suffix.is_empty();
        let mut mutating = vec![self.mutating(
            ENGINE_EXPAND,
            Asked::Pods,
            self.source.variables(expand),
            &self.source.expand_pod(),
            true,
        )];
        if is_first {
            mutating.push(self.mutating(
                ENGINE_HOLD_EPHEMERAL,
                Asked::Ephemeral,
                expressions::fields(check_ephemeral),
                &expressions::hold(),
                false,
            ));
        }
        mutating.push(self.mutating(
            ENGINE_EXPAND_EPHEMERAL,
            Asked::Ephemeral,
            self.source.variables(expand_ephemeral),
            &self.source.expand_ephemeral(),
            true,
        ));
        let mut validating = vec![self.validating(
            ENGINE_CHECK,
            Asked::Seen,
            self.source.variables(check),
            &self.source.check(check, &self.requirements()),
            true,
        )];
        if is_first {
            validating.push(self.validating(
                ENGINE_GUARD,
                Asked::Pods,
                expressions::with_rights(check),
                &self.source.guard(&self.requirements()),
                false,
            ));
            validating.push(self.validating(
                ENGINE_GUARD_EPHEMERAL,
                Asked::Ephemeral,
                expressions::with_rights(check_ephemeral),
                &self.source.guard_ephemeral(&self.requirements()),
                false,
            ));
        }
        validating.push(self.validating(
            ENGINE_CHECK_EPHEMERAL,
            Asked::Ephemeral,
            self.source.variables(check_ephemeral),
            &self.source.check(check_ephemeral, &self.requirements()),
            true,
        ));
        Policies { mutating: mutating.concat(), validating: validating.concat() }
    }

    /// The name of a policy, by that of the first with the index.
    fn name(&self, name: &str) -> String {
        format!("{}{}", self.source.policy(name), self.suffix)
    }

    /// What namespaces must be like, as a condition in CEL; nothing if each is.
    fn requirements(&self) -> String {
        super::guard::are_met(&namespace_requirements(self.options, self.version))
    }

    /// A policy that changes pods, and its binding.
    fn mutating(
        &self,
        name: &str,
        asked: Asked,
        variables: Vec<(String, String)>,
        change: &str,
        needs_source: bool,
    ) -> Vec<Value> {
        let mut spec = spec(asked, variables);
        merge(
            &mut spec,
            json!({
                // What is not expanded is refused by those that check. What holds back contents must
                // see all of them.
                "failurePolicy": if needs_source { "Ignore" } else { "Fail" },
                // What expands comes again after what holds back, whichever comes first.
                "reinvocationPolicy": match asked {
                    Asked::Ephemeral if needs_source => "IfNeeded",
                    _ => "Never",
                },
                "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": change}}],
            }),
        );
        let mut binding = self.binding(name, needs_source, "Allow");
        let requirements = namespace_requirements(self.options, self.version);
        if !requirements.is_empty()
            && let Some(matched) = binding.get_mut("matchResources")
        {
            merge(matched, json!({"namespaceSelector": {"matchExpressions": requirements}}));
        }
        self.both("MutatingAdmissionPolicy", name, spec, &binding, needs_source)
    }

    /// A policy that refuses pods, and its binding.
    fn validating(
        &self,
        name: &str,
        asked: Asked,
        variables: Vec<(String, String)>,
        validations: &[Value],
        needs_source: bool,
    ) -> Vec<Value> {
        let mut spec = spec(asked, variables);
        // Plain ephemeral containers are no business of an index that is missing. The guard, which needs
        // none, refuses what the index could not release.
        let may_be_skipped = needs_source && matches!(asked, Asked::Ephemeral);
        merge(
            &mut spec,
            json!({
                "failurePolicy": if may_be_skipped { "Ignore" } else { "Fail" },
                "validations": validations,
            }),
        );
        let not_found = if may_be_skipped { "Allow" } else { "Deny" };
        let mut binding = self.binding(name, needs_source, not_found);
        merge(&mut binding, json!({"validationActions": ["Deny"]}));
        self.both("ValidatingAdmissionPolicy", name, spec, &binding, needs_source)
    }

    fn binding(&self, name: &str, needs_source: bool, not_found: &str) -> Value {
        let mut spec = json!({"policyName": self.name(name), "matchResources": everything()});
        if needs_source && self.source.parameters {
            merge(
                &mut spec,
                json!({"paramRef": {"name": INDEX, "parameterNotFoundAction": not_found}}),
            );
        }
        spec
    }

    fn both(
        &self,
        kind: &str,
        name: &str,
        mut spec: Value,
        binding: &Value,
        needs_source: bool,
    ) -> Vec<Value> {
        if needs_source && self.source.parameters {
            merge(&mut spec, json!({"paramKind": {"apiVersion": API_VERSION, "kind": INDEX_KIND}}));
        }
        let object = |kind: String, spec: &Value| {
            json!({
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": kind,
                "metadata": {"name": self.name(name), "labels": labels()},
                "spec": spec,
            })
        };
        let mut policy = object(kind.to_owned(), &spec);
        // There is no Deployment that could keep them.
        if let (false, Some(metadata)) = (self.source.parameters, policy.get_mut("metadata")) {
            let kept = serde_json::to_string(self.options).unwrap_or_default();
            merge(metadata, json!({"annotations": {OPTIONS: kept}}));
        }
        vec![policy, object(format!("{kind}Binding"), binding)]
    }
}

/// What is common to the specs of all policies.
fn spec(asked: Asked, variables: Vec<(String, String)>) -> Value {
    let (operation, resource) = match asked {
        Asked::Ephemeral => ("UPDATE", "pods/ephemeralcontainers"),
        _ => ("CREATE", "pods"),
    };
    let selector = match asked {
        Asked::Seen => json!({"matchLabels": {SEEN: "true"}}),
        Asked::Pods | Asked::Ephemeral => json!({}),
    };
    let mut constraints = constraints(vec![rule(operation, resource)]);
    merge(&mut constraints, json!({"objectSelector": selector}));
    let mut spec = json!({"matchConstraints": constraints, "variables": as_variables(variables)});
    let condition = match asked {
        // The label says so already.
        Asked::Seen => return spec,
        Asked::Pods => USES_GMSA.to_owned(),
        Asked::Ephemeral => expressions::new_ephemeral(),
    };
    merge(&mut spec, json!({"matchConditions": [{"name": "uses-gmsa", "expression": condition}]}));
    spec
}
