//! The guard: a `ValidatingAdmissionPolicy` that the API server evaluates itself, so that a webhook
//! that is missing, bypassed or narrowed lets no pod take an identity without the right.
//!
//! The policy has no parameters, and names only what servers from 1.30 know: the CEL environment of a
//! server is that of the version before it (Kubernetes API reference, `ValidatingAdmissionPolicySpec`;
//! "Common Expression Language in Kubernetes"). Each concern is one validation, and the text of what is
//! wrong a variable. Only the rights are a validation for each name: messages are evaluated without the
//! authorizer, so that one which depends on its answer is silently dropped.

use gmsa_core::admission::{CONTENTS_WITHOUT_NAME, GRANTS_IT, OR_WITH_KUBECTL, Reason};
use gmsa_core::grant::Grant;
use gmsa_core::names::{GROUP, GUARD, PLURAL, PROBE_LABEL};
use gmsa_core::pod::PlaceKind;
use serde::Serialize;
use serde_json::{Value, json};

use crate::api::value::array;

use super::webhooks::{MATCH_CONDITION, namespace_requirements};
use super::{NamespaceRequirement, Options, Version, labels, merge};

/// The most different credential specs that a pod may name. An access review costs 350,000 of the
/// 10,000,000 units that all expressions of a policy may cost, and of the 1,000,000 of one of them.
pub const MOST_NAMES: usize = 20;

/// The longest list of fields in a denial. The API server drops a text of more than 5,120 bytes, and the
/// commands for the longest names have 3,300.
const LONGEST: usize = 1_500;

/// The policy and its binding; none where the API server has no policies, or if it is not wanted.
pub(super) fn objects(options: &Options, version: Version) -> Vec<Value> {
    if !(options.guard && version.has_policies()) {
        return Vec::new();
    }
    let mut spec = spec();
    let requirements = namespace_requirements(options, version);
    if let (false, Some(Value::Array(validations))) =
        (requirements.is_empty(), spec.get_mut("validations"))
    {
        validations.insert(0, namespace(&are_met(&requirements)));
    }
    vec![policy(GUARD, &spec), binding(GUARD)]
}

/// What the chart makes the validation of namespaces from: it writes the condition itself.
pub(super) fn namespace_template() -> Value {
    namespace("NAMESPACE_IS_SENT")
}

pub(super) fn policy(name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name, "labels": labels()},
        "spec": spec,
    })
}

pub(super) fn binding(policy: &str) -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": policy, "labels": labels()},
        "spec": {
            "policyName": policy,
            "validationActions": ["Deny"],
            "matchResources": everything(),
        },
    })
}

/// What a policy or a binding matches before its rules. The defaults, set explicitly so that an apply
/// removes selectors that exclude pods.
pub(super) fn everything() -> Value {
    json!({"matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {}})
}

/// What a policy matches by its rules.
pub(super) fn constraints(rules: impl Into<Value>) -> Value {
    let mut constraints = everything();
    merge(&mut constraints, json!({"resourceRules": rules.into()}));
    constraints
}

/// Variables as a policy has them. An expression can only name those before it.
pub(super) fn as_variables<N: Serialize>(all: impl IntoIterator<Item = (N, String)>) -> Value {
    let all = all.into_iter();
    all.map(|(name, expression)| json!({"name": name, "expression": expression})).collect()
}

/// The policy's spec where every namespace is sent to the webhook.
pub(super) fn spec() -> Value {
    json!({
        "failurePolicy": "Fail",
        "matchConstraints": constraints(vec![
            rule("CREATE", "pods"),
            rule("UPDATE", "pods/ephemeralcontainers"),
        ]),
        "matchConditions": [{"name": "uses-gmsa", "expression": MATCH_CONDITION}],
        "variables": as_variables(variables()),
        "validations": validations(),
    })
}

/// The rule for an operation on pods, or on a part of them.
pub(super) fn rule(operation: &str, resource: &str) -> Value {
    json!({"apiGroups": [""], "apiVersions": ["v1"], "operations": [operation],
        "resources": [resource], "scope": "Namespaced"})
}

fn validations() -> Vec<Value> {
    let mut all = vec![
        empty("unnamed", Reason::ContentsWithoutName),
        validation(
            &if_so_many(
                MOST_NAMES + 1,
                "true",
                &format!("variables.names{} == []", MOST_NAMES + 1),
            ),
            Reason::TooManyPlaces,
            &format!("'{}'", too_many()),
        ),
    ];
    all.extend((1..=MOST_NAMES).map(right));
    all.push(empty("unexpanded", Reason::NotExpanded));
    all
}

/// The denial of a pod with too many names.
fn too_many() -> String {
    format!(
        "the pod names more than {MOST_NAMES} different GMSA cred specs, and the guard checks no \
         more; set gmsaCredentialSpecName once, for the pod"
    )
}

/// Demands that a variable with the text of what is wrong is empty.
fn empty(variable: &str, reason: Reason) -> Value {
    let text = format!("variables.{variable}");
    validation(&format!("{text} == ''"), reason, &text)
}

fn validation(expression: &str, reason: Reason, message: &str) -> Value {
    json!({
        "expression": expression,
        "reason": if reason.code() == 403 { "Forbidden" } else { "Invalid" },
        "message": format!("denied by the guard of GMSA cred specs: {}", reason.id()),
        "messageExpression": message,
    })
}

/// Every variable with its expression. An expression can only name those before it, and is evaluated
/// when it is first needed.
fn variables() -> Vec<(String, String)> {
    let named = |name: &str, expression: String| (name.to_owned(), expression);
    let mut all = vec![
        named("serviceAccount", service_account()),
        named("namespaceLabels", NAMESPACE_LABELS.to_owned()),
        named("isProbe", is_probe()),
        named("isNewPod", "request.operation == 'CREATE'".to_owned()),
        named("pod", of_pod()),
        named("containers", of_containers(PlaceKind::Container)),
        named("initContainers", of_containers(PlaceKind::InitContainer)),
        named("ephemeralContainers", of_containers(PlaceKind::EphemeralContainer)),
        named(
            "fields",
            "variables.isProbe ? [] : variables.pod + variables.containers + \
             variables.initContainers + variables.ephemeralContainers"
                .to_owned(),
        ),
        named("unnamedFields", unnamed_fields()),
        named("unnamed", cut("variables.unnamedFields")),
        named("names1", "variables.fields.filter(f, f.name != '').map(f, f.name)".to_owned()),
    ];
    for index in 1..=MOST_NAMES {
        let left = format!("variables.names{index}");
        let expression = format!("{left}.filter(n, n != {left}[0])");
        all.push((format!("names{}", index + 1), expression));
    }
    all.push(named("notAuthorized", not_authorized()));
    all.push(named("remedy", remedy()));
    all.push(named("unexpandedFields", unexpanded_fields()));
    all.push(named("unexpanded", unexpanded()));
    all
}

/// The labels of the pod's namespace.
pub(super) const NAMESPACE_LABELS: &str =
    "has(namespaceObject.metadata.labels) ? namespaceObject.metadata.labels : {}";

/// The service account's name. The API server fills it in, if a pod sets none.
pub(super) fn service_account() -> String {
    "has(object.spec.serviceAccountName) && object.spec.serviceAccountName != '' ? \
     object.spec.serviceAccountName : 'default'"
        .to_owned()
}

/// Whether it is a dry run by which `install` and `doctor` ask the webhook, which the guard would
/// otherwise answer in its place. Nothing comes of a dry run.
fn is_probe() -> String {
    format!(
        "has(request.dryRun) && request.dryRun && has(object.metadata.labels) && \
         '{PROBE_LABEL}' in object.metadata.labels"
    )
}

/// The field of the pod itself, as a list of at most one.
fn of_pod() -> String {
    let options = "object.spec.securityContext.windowsOptions";
    format!(
        "variables.isNewPod && has(object.spec.securityContext) && \
         has({options}) && ({uses}) ? [{field}] : []",
        uses = uses(options),
        field = field(
            "'pod \"' + (has(object.metadata.name) ? object.metadata.name : \
             has(object.metadata.generateName) ? object.metadata.generateName : '') + '\"'",
            options
        ),
    )
}

/// The fields of one list of containers. Of ephemeral containers added to a pod only the new ones.
fn of_containers(kind: PlaceKind) -> String {
    let list = kind.list().unwrap_or_default();
    let options = "c.securityContext.windowsOptions";
    let (applies, new) = match kind {
        PlaceKind::EphemeralContainer => (
            String::new(),
            "(variables.isNewPod || !has(oldObject.spec.ephemeralContainers) || \
             !(c in oldObject.spec.ephemeralContainers)) && ",
        ),
        _ => ("variables.isNewPod && ".to_owned(), ""),
    };
    format!(
        "{applies}has(object.spec.{list}) ? object.spec.{list}.filter(c, {new}has(c.securityContext) && \
         has({options}) && ({uses})).map(c, {field}) : []",
        uses = uses(options),
        field = field(&format!("'{} \"' + c.name + '\"'", kind.label()), options),
    )
}

fn uses(options: &str) -> String {
    format!("has({options}.gmsaCredentialSpecName) || has({options}.gmsaCredentialSpec)")
}

/// What is known of a field that uses a GMSA: how messages call it, the name, and whether it has
/// contents. An absent name is the empty one, which no credential spec has.
///
/// API servers refuse a map whose values have different types, and an object's fields have none that is
/// known, hence `string()`.
fn field(shown: &str, options: &str) -> String {
    format!(
        "{{'field': {shown}, \
         'name': has({options}.gmsaCredentialSpecName) ? string({options}.gmsaCredentialSpecName) : '', \
         'contents': has({options}.gmsaCredentialSpec) ? 'set' : ''}}"
    )
}

/// The text for the fields that a condition selects.
fn text(condition: &str, what: &str) -> String {
    format!("variables.fields.filter(f, {condition}).map(f, f.field + {what}).join('; ')")
}

/// Contents without a name: no right could be asked for.
fn unnamed_fields() -> String {
    text("f.name == ''", &format!("' {CONTENTS_WITHOUT_NAME}'"))
}

/// The right to one of the names, if there are so many.
fn right(index: usize) -> Value {
    let names = format!("variables.names{index}");
    let name = format!("{names}[0]");
    let expression = if_so_many(
        index,
        "true",
        &format!(
            "{names} == [] || authorizer.serviceAccount(request.namespace, \
             variables.serviceAccount).group('{GROUP}').resource('{PLURAL}')\
             .namespace(request.namespace).name({name}).check('use').allowed()"
        ),
    );
    let fields = text(&format!("f.name == {name}"), "variables.notAuthorized");
    let with_name = format!(".replace('{ANY_NAME}', {name})");
    // A list of one gives the text a name.
    let message = if_so_many(
        index,
        "''",
        &format!(
            "{names} == [] ? '' : [{fields}{with_name}].map(t, {cut})[0] + \
             variables.remedy{with_name}",
            cut = cut("t"),
        ),
    );
    validation(&expression, Reason::NotAuthorized, &message)
}

/// An expression about one of the different names, and its value if the pod has fewer fields than that:
/// finding each further name takes an evaluation.
fn if_so_many(index: usize, otherwise: &str, expression: &str) -> String {
    format!("variables.names1.size() < {index} ? {otherwise} : ({expression})")
}

/// Where texts have the name of the credential spec. No other name has capital letters.
pub(super) const ANY_NAME: &str = "NAME";

/// What is wrong with a field whose name the service account may not use.
pub(super) fn not_authorized() -> String {
    format!(
        "': service account \"' + variables.serviceAccount + '\" is not authorized to `use` GMSA \
         cred spec \"{ANY_NAME}\" in namespace \"' + request.namespace + '\"'"
    )
}

/// The commands that grant a missing right.
pub(super) fn remedy() -> String {
    let names = ["the-credential-spec", "the-namespace", "the-account"];
    let [name, namespace, account] = names;
    let commands = Grant::of(name, namespace, account).map(|grant| {
        format!("{GRANTS_IT}`{}`{OR_WITH_KUBECTL}{}", grant.with_plugin(), grant.with_kubectl())
    });
    let mut text = quoted(&commands.unwrap_or_default()).replace(name, ANY_NAME);
    for (name, value) in [(namespace, "request.namespace"), (account, "variables.serviceAccount")] {
        text = text.replace(name, &format!("' + {value} + '"));
    }
    text
}

/// A text, or its beginning if it is long.
fn cut(text: &str) -> String {
    format!("({text}.size() > {LONGEST} ? {text}.substring(0, {LONGEST}) + ' [and more]' : {text})")
}

/// The fields with a name and without contents, after all mutation.
fn unexpanded_fields() -> String {
    text(
        "f.name != '' && f.contents == ''",
        "': GMSA cred spec \"' + f.name + '\" was not expanded'",
    )
}

fn unexpanded() -> String {
    format!(
        "variables.unexpandedFields == '' ? '' : {} + \
         ': the mutating webhook did not see this pod (it is not installed, it was away with \
         failurePolicy Ignore, or the name was added after it ran); try again, and see `kubectl \
         gmsa status`'",
        cut("variables.unexpandedFields"),
    )
}

/// How the condition begins that lets no pod of some namespaces use a GMSA.
pub(super) const UNLESS_SENT: &str = "variables.fields == [] || ";

/// Only the webhook compares contents with the credential spec, so a namespace that is not sent to
/// it has no GMSA at all.
fn namespace(is_sent: &str) -> Value {
    validation(
        &format!("{UNLESS_SENT}{is_sent}"),
        Reason::NamespaceLeftOut,
        &of_namespace(left_out_by_guard),
    )
}

/// The denial of a pod with a GMSA in a namespace that the webhook leaves out.
#[must_use]
pub fn left_out_by_guard(namespace: &str) -> String {
    format!(
        "namespace \"{namespace}\" is left out by the GMSA webhook, which alone compares a pod with its \
         GMSA cred spec, so no pod of it may use one; an administrator includes it by its labels (see \
         `kubectl gmsa status`)"
    )
}

/// A text about a namespace, in CEL about that of the request.
pub(super) fn of_namespace(text: impl Fn(&str) -> String) -> String {
    quoted(&text(ANY_NAME)).replace(ANY_NAME, "' + request.namespace + '")
}

/// What a policy asks of the labels of namespaces whose pods may use a GMSA; none if its condition is not
/// one that `install` or the chart writes.
pub(crate) fn sent_by(policy: &Value) -> Option<Vec<NamespaceRequirement>> {
    let conditions = array(policy, "/spec/validations").filter_map(|one| one.get("expression"));
    let mut conditions = conditions.filter_map(|one| one.as_str()?.strip_prefix(UNLESS_SENT));
    match conditions.next() {
        None => Some(Vec::new()),
        Some(condition) => requirements(condition),
    }
}

/// What [`are_met`] writes, read again. No key or value of a label has a quote or a parenthesis.
fn requirements(condition: &str) -> Option<Vec<NamespaceRequirement>> {
    let one = |text: &str| {
        let mut quoted = text.split('\'').skip(1).step_by(2).map(str::to_owned);
        let key = quoted.next()?;
        let has_values = text.contains(" && ");
        let operator = match (has_values, text.contains('!')) {
            (true, false) => "In",
            (true, true) => "NotIn",
            (false, false) => "Exists",
            (false, true) => "DoesNotExist",
        };
        // The key comes twice before the values.
        let values = quoted.skip(1).collect();
        Some(NamespaceRequirement { key, operator: operator.to_owned(), values })
    };
    let all: Vec<NamespaceRequirement> =
        condition.split(") && (").map(one).collect::<Option<_>>()?;
    (are_met(&all) == condition).then_some(all)
}

/// Whether the namespace has all of these labels; the variable `namespaceLabels` has those that it has.
pub(super) fn are_met(requirements: &[NamespaceRequirement]) -> String {
    let all: Vec<String> = requirements.iter().map(|one| format!("({})", is_met(one))).collect();
    all.join(" && ")
}

/// A label of a namespace, as in a `LabelSelector`.
fn is_met(requirement: &NamespaceRequirement) -> String {
    let NamespaceRequirement { key, operator, values } = requirement;
    let is_there = format!("{} in variables.namespaceLabels", quoted(key));
    let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
    let is_one_of = format!(
        "{is_there} && variables.namespaceLabels[{}] in [{}]",
        quoted(key),
        values.join(", ")
    );
    match operator.as_str() {
        "In" => is_one_of,
        "NotIn" => format!("!({is_one_of})"),
        "Exists" => is_there,
        "DoesNotExist" => format!("!({is_there})"),
        // Like the API server, which accepts no other.
        _ => "false".to_owned(),
    }
}

/// A CEL string literal. Keys and values of labels have no character that would need an escape; a
/// file of options may contain any.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"))
}

/// What keeps a guard that a cluster has from refusing pods: nothing if it is whole. The texts of its
/// expressions are not compared.
#[must_use]
pub fn gaps(policy: Option<&Value>, binding: Option<&Value>) -> Vec<String> {
    let mut gaps = Vec::new();
    let mut gap = |is: bool, words: &str| {
        if is {
            gaps.push(words.to_owned());
        }
    };
    gap(policy.is_none(), "the policy is missing");
    gap(binding.is_none(), "the policy's binding is missing");
    if let Some(policy) = policy {
        let wanted = spec();
        let differs =
            |pointer: &str| policy.pointer(&format!("/spec{pointer}")) != wanted.pointer(pointer);
        gap(
            differs("/failurePolicy"),
            "its failurePolicy is not Fail, so what it cannot decide passes",
        );
        gap(
            differs("/matchConstraints/resourceRules"),
            "its rules are not those that install writes",
        );
        gap(differs("/matchConditions"), "its match conditions are not those that install writes");
        gap(
            narrows(policy.pointer("/spec/matchConstraints")),
            "its match constraints leave pods out",
        );
    }
    if let Some(binding) = binding {
        let of = |pointer: &str| binding.pointer(pointer);
        gap(of("/spec/policyName") != Some(&json!(GUARD)), "its binding is to another policy");
        gap(!denies(binding), "its binding does not deny");
        let rules =
            of("/spec/matchResources/resourceRules").is_some_and(|rules| rules != &json!([]));
        gap(rules || narrows(of("/spec/matchResources")), "its binding leaves pods out");
    }
    gaps
}

/// Whether a binding has its policy refuse what fails.
pub(crate) fn denies(binding: &Value) -> bool {
    array(binding, "/spec/validationActions").any(|action| action == "Deny")
}

/// Whether what a policy or a binding matches leaves anything out.
fn narrows(matched: Option<&Value>) -> bool {
    let Some(matched) = matched else { return false };
    let is_set = |key: &str| {
        let value = matched.get(key).unwrap_or(&Value::Null);
        !(value.is_null() || *value == json!({}) || *value == json!([]))
    };
    ["namespaceSelector", "objectSelector", "excludeResourceRules"].into_iter().any(is_set)
}
