//! What the policies evaluate: one variable for each concern, each named by those after it.
//!
//! The expressions use what API servers of 1.35 know (a server compiles new ones in the environment of
//! the version before it): optional fields, `lists.range`, `distinct` and `sort`. Every text is compared
//! with the core's by a test.

use gmsa_core::admission::{CONTENTS_WITHOUT_NAME, MAX_CONTENTS, MAX_PLACES, Reason};
use gmsa_core::names::{
    DENIED, DOMAIN, ENGINE_EXPAND, ENGINE_EXPAND_EPHEMERAL, GROUP, INDEX, INDEX_PLURAL, PLURAL,
    SEEN,
};
use gmsa_core::pod::PlaceKind;
use serde_json::{Value, json};

use super::same_json;
use crate::installation::guard::{
    ANY_NAME, MOST_NAMES, NAMESPACE_LABELS, UNLESS_SENT, not_authorized, of_namespace, quoted,
    remedy, service_account,
};

/// What comes before the contents of an ephemeral container that nothing has compared yet. JSON text has
/// no control characters.
const HELD: &str = "'\\u0001'";
/// What comes before the text of a denial, in the place of the contents of an ephemeral container.
const REFUSED: &str = "'\\u0002'";
/// The text of a credential spec that does not exist. No contents begin so.
pub(super) const ABSENT: &str = "'absent'";

/// How many fields a denial names.
pub(super) const MOST_SHOWN: usize = 25;
/// The longest denial. The API server drops one of more than 5,120 bytes.
pub(super) const LONGEST: usize = 4_500;

/// A DNS-1123 subdomain, as a regular expression.
const VALID: &str = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

/// Which of an admission's steps a policy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Whether it is about the ephemeral containers that an update adds, instead of a new pod.
    pub(super) ephemeral: bool,
    /// Whether all mutation is over.
    pub(super) last: bool,
}

/// Where the policies have the credential specs from.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// What the text of a name is found by: variables of its own.
    pub(super) variables: Vec<(String, String)>,
    /// The text of the credential spec that the expression `NAME` names, or [`ABSENT`].
    pub(super) text: String,
    /// Which names are in it; nothing for all.
    pub(super) covers: Option<String>,
    /// Why a pod may not have been expanded, in words, after the name of the policy that should have done
    /// it.
    pub(super) causes: String,
    /// Whether it is the index, which is the policy's parameters.
    pub(super) parameters: bool,
    /// Whether it is the first of several that each have a part of the credential specs.
    pub(super) is_first: bool,
}

type Variables = Vec<(String, String)>;

pub(super) fn variable(name: &str, expression: impl Into<String>) -> (String, String) {
    (name.to_owned(), expression.into())
}

impl Step {
    /// How a denial calls a field. The words for a pod are made only where they are needed.
    fn in_words(self, field: &str) -> String {
        if self.ephemeral {
            format!("{field}.field")
        } else {
            format!("({field}.field == '' ? variables.pod : {field}.field)")
        }
    }
}

impl Source {
    /// The index, as the policy's parameters.
    pub(super) fn index() -> Self {
        let entry = "variables.entries[NAME]";
        Self {
            variables: vec![
                variable("entries", "has(params.entries) ? params.entries : {}"),
                variable("templates", "has(params.templates) ? params.templates : {}"),
            ],
            text: format!(
                "!(NAME in variables.entries) ? {ABSENT} : \
                 {entry} == '' || {entry}.startsWith('{{') ? string({entry}) : {}",
                from_template(entry)
            ),
            covers: None,
            causes: format!(
                "did not see this pod (the policy, its binding or the index `kubectl get \
                 {INDEX_PLURAL}.{DOMAIN} {INDEX}` is missing or cannot be read, the API server has \
                 just started, or the name was added after it ran)"
            ),
            parameters: true,
            is_first: true,
        }
    }

    /// The name of one of the policies, by that of the one with the index. Others differ, so that both can
    /// be there while a cluster is switched.
    pub(super) fn policy(&self, name: &str) -> String {
        super::name_of(name, !self.parameters)
    }

    /// The text of a name, if that is one of those that this source has.
    fn text_of(&self, name: &str) -> String {
        self.text.replace("NAME", name)
    }

    /// Everything that is needed to judge a pod.
    pub(super) fn variables(&self, step: Step) -> Variables {
        let mut all = with_rights(step);
        all.extend(self.variables.clone());
        all.push(variable("contents", self.contents()));
        all.push(variable("texts", texts()));
        all.push(variable("reasons", self.reasons(step)));
        all.push(variable("wrong", wrong()));
        all.push(variable(
            "shown",
            format!(
                "variables.wrong.size() > {MOST_SHOWN} ? variables.wrong.slice(0, {MOST_SHOWN}) : \
                 variables.wrong"
            ),
        ));
        if !step.last {
            all.push(variable("notAuthorized", not_authorized()));
            all.push(variable("remedy", remedy()));
            all.push(variable("code", code()));
        }
        all.push(variable("denials", self.denials(step)));
        all.push(variable("denial", denial()));
        all
    }

    /// The text of each name.
    fn contents(&self) -> String {
        let of_covered = match &self.covers {
            None => "variables.names".to_owned(),
            Some(covers) => format!("variables.names.filter(n, {})", covers.replace("NAME", "n")),
        };
        format!("{of_covered}.map(n, {{'name': n, 'text': {}}})", self.text_of("n"))
    }

    /// What is wrong with each field, by the core's name of it; nothing if it is right. In the core's
    /// order.
    fn reasons(&self, step: Step) -> String {
        let f = "variables.fields[i]";
        let id = |reason: Reason| format!("'{}'", reason.id());
        let mut cases: Vec<(String, String)> = Vec::new();
        let mut case = |condition: String, reason: String| cases.push((condition, reason));
        if step.ephemeral {
            case(format!("{f}.contents.startsWith({REFUSED})"), "'refused'".to_owned());
        }
        // What names nothing that any source could have is judged by the first.
        let elsewhere = if self.is_first { "" } else { "true || " };
        let or_elsewhere = |reason: Reason| {
            if elsewhere.is_empty() { id(reason) } else { "''".to_owned() }
        };
        case(format!("{f}.named == ''"), or_elsewhere(Reason::ContentsWithoutName));
        case(format!("!({})", is_valid(&format!("{f}.name"))), or_elsewhere(Reason::NameInvalid));
        if let Some(covers) = &self.covers {
            case(format!("!({})", covers.replace("NAME", &format!("{f}.name"))), "''".to_owned());
        }
        case(is_large(&format!("{f}.contents")), id(Reason::ContentsTooLarge));
        // The policies that check ask for the rights apart from this: a message that depends on their
        // answers is dropped, because messages are evaluated without the authorizer.
        if !step.last {
            case(format!("!({f}.name in variables.allowed)"), id(Reason::NotAuthorized));
        }
        case(format!("variables.texts[i] == {ABSENT}"), id(Reason::NotFound));
        case("variables.texts[i] == ''".to_owned(), id(Reason::Empty));
        if step.last {
            case(format!("{f}.filled == ''"), id(Reason::NotExpanded));
        } else {
            case(
                format!("{f}.filled == '' && {}", is_large("variables.texts[i]")),
                id(Reason::ContentsTooLarge),
            );
        }
        case(
            format!(
                "{f}.filled != '' && !({})",
                same_json::are_equal(&format!("{f}.contents"), "variables.texts[i]")
            ),
            id(Reason::Mismatch),
        );
        let chain: Vec<String> = cases
            .into_iter()
            .map(|(condition, reason)| format!("{condition} ? {reason} : "))
            .collect();
        format!(
            "variables.tooMany != '' ? [] : \
             lists.range(variables.fields.size()).map(i, {}'')",
            chain.concat()
        )
    }

    /// The text for each field that [`Self::variables`] shows.
    fn denials(&self, step: Step) -> String {
        let f = "variables.fields[i]";
        let with_name = |before: &str, after: &str| {
            format!("{} + {f}.name + {}", quoted(before), quoted(after))
        };
        let lower = format!("{f}.name.lowerAscii()");
        let exists = format!("({}) != {ABSENT}", self.text_of(&lower));
        let mut texts: Vec<(Reason, String)> = vec![
            (Reason::ContentsWithoutName, quoted(&format!(" {CONTENTS_WITHOUT_NAME}"))),
            (
                Reason::NameInvalid,
                format!(
                    "': \"' + {shown} + '\" is not a valid name of a GMSA cred spec; ' + \
                     ({f}.name == '' ? 'write the name of one, or leave gmsaCredentialSpecName out' \
                     : {exists} ? 'write \"' + {lower} + '\", which exists' : 'names have only \
                     lower-case letters, digits, \"-\" and \".\"')",
                    shown = shown(&format!("{f}.name")),
                ),
            ),
            (
                Reason::ContentsTooLarge,
                with_name(": the contents of GMSA cred spec \"", "\" are over 64 KiB"),
            ),
            (Reason::NotFound, with_name(": cred spec ", " does not exist")),
            (
                Reason::Empty,
                with_name(
                    ": cred spec ",
                    " does not have a credspec key, or it is empty; its contents belong under \
                     `credspec` at the root of the GMSACredentialSpec",
                ),
            ),
            (
                Reason::Mismatch,
                with_name(
                    " has a GMSA cred spec that does not match the contents of GMSA resource \"",
                    "\"; leave gmsaCredentialSpec out, it is filled in from the resource",
                ),
            ),
        ];
        if !step.last {
            texts.push((
                Reason::NotAuthorized,
                format!(
                    "variables.notAuthorized.replace('{ANY_NAME}', {f}.name) + \
                     (variables.shown.exists(j, j > i && variables.fields[j].name == {f}.name && \
                     variables.reasons[j] == '{}') ? '' : \
                     variables.remedy.replace('{ANY_NAME}', {f}.name))",
                    Reason::NotAuthorized.id()
                ),
            ));
        }
        let chain: Vec<String> = texts
            .into_iter()
            .map(|(reason, text)| format!("variables.reasons[i] == '{}' ? {text} : ", reason.id()))
            .collect();
        format!(
            "variables.shown.map(i, {} + ({}{}))",
            step.in_words(f),
            chain.concat(),
            with_name(
                ": GMSA cred spec \"",
                &format!(
                    "\" was not expanded: the policy {} {}",
                    self.policy(ENGINE_EXPAND),
                    self.causes
                )
            )
        )
    }

    /// The changes of a new pod: contents, the label, and what is wrong. What the API server would itself
    /// refuse, in other words and before it asks the policy that checks, is left out.
    pub(super) fn expand_pod(&self) -> String {
        let f = "variables.fields[i]";
        let each = "lists.range(variables.fields.size())";
        let remove = |which: &str, key: &str| {
            format!(
                "{each}.filter(i, {which}).map(i, JSONPatch{{op: 'remove', \
                 path: {f}.path + '/{key}'}})"
            )
        };
        let mut parts = vec![format!(
            "lists.range(variables.reasons.size()).filter(i, variables.reasons[i] == '' && \
             {f}.filled == '' && {is_own}).map(i, JSONPatch{{op: 'add', \
             path: {f}.path + '/gmsaCredentialSpec', value: variables.texts[i]}})",
            is_own = self.is_own(),
        )];
        if self.is_first {
            let invalid = format!("{f}.named != '' && !({})", is_valid(&format!("{f}.name")));
            let large = is_large(&format!("{f}.contents"));
            parts.push(remove(&invalid, "gmsaCredentialSpecName"));
            parts.push(remove(&large, "gmsaCredentialSpec"));
        }
        parts.push(set("labels", SEEN, "'true'"));
        parts.push(format!(
            "(variables.denial == '' ? [] : {})",
            set("annotations", DENIED, "variables.code + ' ' + variables.denial")
        ));
        parts.join(" + ")
    }

    /// Whether the name of a field is one of those that this source has.
    fn is_own(&self) -> String {
        match &self.covers {
            None => "true".to_owned(),
            Some(covers) => covers.replace("NAME", "variables.fields[i].name"),
        }
    }

    /// The changes of new ephemeral containers: contents, or what is wrong in their place.
    pub(super) fn expand_ephemeral(&self) -> String {
        let f = "variables.fields[i]";
        let value = format!(
            "variables.reasons[i] == '' ? ({f}.filled == '' ? variables.texts[i] : {f}.contents) : \
             variables.reasons[i] == 'refused' ? {f}.contents : {REFUSED} + variables.code + ' ' + \
             variables.denial"
        );
        let mut expression = format!(
            "lists.range(variables.reasons.size())\
             .filter(i, {is_own}).map(i, \
             {{'path': {f}.path + '/gmsaCredentialSpec', 'was': {f}.raw, 'value': {value}}})\
             .filter(c, c.was != c.value)\
             .map(c, JSONPatch{{op: 'add', path: c.path, value: c.value}})",
            is_own = if self.is_first {
                format!("{} || variables.reasons[i] != ''", self.is_own())
            } else {
                self.is_own()
            },
        );
        if self.is_first {
            expression.push_str(&format!(
                " + lists.range(variables.fields.size()).filter(i, {f}.named != '' && !({}))\
                 .map(i, JSONPatch{{op: 'remove', path: {f}.path + '/gmsaCredentialSpecName'}})",
                is_valid(&format!("{f}.name"))
            ));
        }
        expression
    }

    /// What a pod, or new ephemeral containers, must be like after all mutation.
    pub(super) fn check(&self, step: Step, requirements: &str) -> Vec<Value> {
        let mut all = common(step, requirements);
        let right = |names: &str| format!("{names}.all(n, n in variables.allowed)");
        let names = match &self.covers {
            None => "variables.names".to_owned(),
            Some(covers) => format!("variables.names.filter(n, {})", covers.replace("NAME", "n")),
        };
        all.push(right_to_all(&right(&names)));
        all.push(validation("variables.denial == ''", Reason::Mismatch, "variables.denial"));
        all
    }

    /// What a new pod must be like as far as it says itself: seen by the policy that expands, which found
    /// nothing wrong, and with the rights.
    pub(super) fn guard(&self, requirements: &str) -> Vec<Value> {
        let step = Step { ephemeral: false, last: true };
        let is_seen = format!("object.metadata.?labels[?'{SEEN}'].orValue('') == 'true'");
        let mut all = in_namespace(requirements);
        all.push(validation(
            &is_seen,
            Reason::NotExpanded,
            &format!("{is_seen} ? '' : {}", self.not_seen(step)),
        ));
        all.extend(already_denied(step));
        all.push(few_enough());
        all.push(right_to_all("variables.names.all(n, n in variables.allowed)"));
        all
    }

    fn not_seen(&self, step: Step) -> String {
        format!(
            "({}) + {}",
            cut(&format!(
                "variables.fields.map(f, {} + (f.named == '' ? {} : {} + f.name + {}))",
                step.in_words("f"),
                quoted(&format!(" {CONTENTS_WITHOUT_NAME}")),
                quoted(": GMSA cred spec \""),
                quoted("\" was not expanded"),
            )),
            self.cause(ENGINE_EXPAND)
        )
    }

    /// Why something was not expanded, as the end of a denial.
    fn cause(&self, policy: &str) -> String {
        quoted(&format!(
            ": the policy {} {}; try again, and see `kubectl gmsa status`",
            self.policy(policy),
            self.causes
        ))
    }

    /// What new ephemeral containers must be like, as far as nothing but the update itself says.
    pub(super) fn guard_ephemeral(&self, requirements: &str) -> Vec<Value> {
        let step = Step { ephemeral: true, last: true };
        let list = |which: &str, words: &str| {
            format!("variables.fields.filter(f, {which}).map(f, f.field + {words})")
        };
        let unnamed = list("f.named == ''", &quoted(&format!(" {CONTENTS_WITHOUT_NAME}")));
        let not_expanded = list(
            &format!("f.filled == '' || f.contents.startsWith({HELD})"),
            &format!(
                "{} + f.name + {}",
                quoted(": GMSA cred spec \""),
                quoted("\" was not expanded"),
            ),
        );
        let after = self.cause(ENGINE_EXPAND_EPHEMERAL);
        let mut all = common(step, requirements);
        all.push(validation(
            &format!("{unnamed} == []"),
            Reason::ContentsWithoutName,
            &cut(&unnamed),
        ));
        all.push(right_to_all("variables.names.all(n, n in variables.allowed)"));
        all.push(validation(
            &format!("{not_expanded} == []"),
            Reason::NotExpanded,
            &format!("({}) + {after}", cut(&not_expanded)),
        ));
        all
    }
}

/// The text of an entry that refers to a template.
pub(super) fn from_template(entry: &str) -> String {
    format!(
        "string(variables.templates[{entry}.split(':', 2)[0]])\
         .replace('\\u0001', {entry}.split(':', 2)[1])"
    )
}

/// The fields of a pod that use a GMSA, and what is known of them at once.
pub(super) fn fields(step: Step) -> Variables {
    let mut all = vec![
        variable("serviceAccount", service_account()),
        variable("namespaceLabels", NAMESPACE_LABELS),
    ];
    if step.ephemeral {
        all.push(variable("fields", of_ephemeral_containers(step)));
        return all;
    }
    all.push(variable("owners", "object.metadata.?ownerReferences.orValue([])"));
    all.push(variable(
        "controllers",
        "variables.owners.filter(o, o.?controller.orValue(false)) + variables.owners",
    ));
    all.push(variable("pod", pod_in_words()));
    all.push(variable("podField", of_pod()));
    let mut sum = "variables.podField".to_owned();
    for kind in [PlaceKind::Container, PlaceKind::InitContainer, PlaceKind::EphemeralContainer] {
        let list = kind.list().unwrap_or_default();
        all.push(variable(list, of_containers(kind)));
        sum.push_str(&format!(" + (has(object.spec.{list}) ? variables.{list} : [])"));
    }
    all.push(variable("fields", sum));
    all
}

/// The fields, the names in them, and those that the service account may use.
pub(super) fn with_rights(step: Step) -> Variables {
    let mut all = fields(step);
    all.push(variable(
        "named",
        format!(
            "variables.fields.filter(f, f.named != '' && {}).map(f, f.name).distinct()",
            is_valid("f.name")
        ),
    ));
    all.push(variable("tooMany", too_many()));
    all.push(variable("names", "variables.tooMany == '' ? variables.named : []"));
    // An API server spends some microseconds on each variable that a policy has, and more on each that an
    // expression asks for.
    let mut parts = Vec::new();
    for first in (0..MOST_NAMES).step_by(RIGHTS_AT_ONCE) {
        let name = format!("allowed{}", first + 1);
        let asked = (first..MOST_NAMES).take(RIGHTS_AT_ONCE);
        all.push(variable(&name, asked.map(right).collect::<Vec<_>>().join(" + ")));
        parts.push((first, name));
    }
    let allowed = parts.iter().rev().fold("[]".to_owned(), |rest, (first, name)| {
        format!("(variables.names.size() > {first} ? variables.{name} + {rest} : [])")
    });
    all.push(variable("allowed", allowed));
    all
}

/// How many rights a variable asks for: an access review costs 350,000 of the 1,000,000 that an expression
/// may.
const RIGHTS_AT_ONCE: usize = 2;

/// The name at a position, if there is one and the service account may use it.
fn right(index: usize) -> String {
    let name = format!("variables.names[{index}]");
    format!(
        "(variables.names.size() > {index} && \
         authorizer.serviceAccount(request.namespace, variables.serviceAccount)\
         .group('{GROUP}').resource('{PLURAL}').namespace(request.namespace).name({name})\
         .check('use').allowed() ? [{name}] : [])"
    )
}

fn too_many() -> String {
    format!(
        "variables.fields.size() > {MAX_PLACES} ? string(variables.fields.size()) + ' fields of the \
         pod use a GMSA, more than the {MAX_PLACES} that the policies check; set \
         gmsaCredentialSpecName once, for the pod' : variables.named.size() > {MOST_NAMES} ? {} : ''",
        quoted(&too_many_names())
    )
}

/// The denial of a pod with too many names.
pub(super) fn too_many_names() -> String {
    format!(
        "the pod names more than {MOST_NAMES} different GMSA cred specs, and the policies check no \
         more; set gmsaCredentialSpecName once, for the pod"
    )
}

/// As a denial calls a pod: by its controller, if its name is to be made up.
fn pod_in_words() -> String {
    "object.metadata.?generateName.orValue('') != '' && variables.controllers.size() > 0 ? \
     'pod of ' + variables.controllers[0].kind + ' \"' + variables.controllers[0].name + '\"' : \
     'pod \"' + (object.metadata.?name.orValue('') != '' ? object.metadata.name : \
     object.metadata.?generateName.orValue('')) + '\"'"
        .to_owned()
}

fn of_pod() -> String {
    format!("{} ? [{}] : []", uses("object.spec"), field("''", "'/spec'", "object.spec", None))
}

fn of_containers(kind: PlaceKind) -> String {
    let list = kind.list().unwrap_or_default();
    let container = format!("object.spec.{list}[i]");
    format!(
        "lists.range(object.spec.?{list}.orValue([]).size()).filter(i, {}).map(i, {})",
        uses(&container),
        field(&shown_as(kind, &container), &path(list), &container, None)
    )
}

fn of_ephemeral_containers(step: Step) -> String {
    let kind = PlaceKind::EphemeralContainer;
    let list = kind.list().unwrap_or_default();
    let container = format!("object.spec.{list}[i]");
    format!(
        "lists.range(object.spec.?{list}.orValue([]).size()).filter(i, ({}) && {}).map(i, {})",
        uses(&container),
        is_new(&container),
        field(&shown_as(kind, &container), &path(list), &container, Some(step))
    )
}

fn shown_as(kind: PlaceKind, container: &str) -> String {
    format!("'{} \"' + {container}.name + '\"'", kind.label())
}

fn path(list: &str) -> String {
    format!("'/spec/{list}/' + string(i)")
}

/// No container of this name was there before. The API server lets none be changed.
fn is_new(container: &str) -> String {
    format!(
        "!oldObject.spec.?ephemeralContainers.orValue([]).exists(o, o.name == {container}.name)"
    )
}

/// Whether an update adds an ephemeral container that uses a GMSA.
pub(super) fn new_ephemeral() -> String {
    format!(
        "object.spec.?ephemeralContainers.orValue([]).exists(c, ({}) && {})",
        uses("c"),
        is_new("c")
    )
}

fn key(base: &str, key: &str) -> String {
    format!("{base}.?securityContext.?windowsOptions.?{key}")
}

fn uses(base: &str) -> String {
    format!(
        "{}.hasValue() || {}.hasValue()",
        key(base, "gmsaCredentialSpecName"),
        key(base, "gmsaCredentialSpec")
    )
}

/// What is known of a field that uses a GMSA: how denials call it (see [`Step::in_words`]), its path in a JSON Patch, and the name
/// and the contents, with whether they are there. API servers refuse a map whose values have different
/// types, hence all are strings.
fn field(shown: &str, path: &str, base: &str, ephemeral: Option<Step>) -> String {
    let (name, contents) = (key(base, "gmsaCredentialSpecName"), key(base, "gmsaCredentialSpec"));
    let raw = format!("string({contents}.orValue(''))");
    let (contents_text, more) = match ephemeral {
        Some(Step { last: false, .. }) => (
            format!("({raw}.startsWith({HELD}) ? {raw}.substring(1) : {raw})"),
            format!(", 'raw': {raw}"),
        ),
        _ => (raw, String::new()),
    };
    format!(
        "{{'field': {shown}, 'path': {path} + '/securityContext/windowsOptions', \
         'named': {name}.hasValue() ? 'yes' : '', 'name': string({name}.orValue('')), \
         'filled': {contents}.hasValue() ? 'yes' : '', 'contents': {contents_text}{more}}}"
    )
}

fn is_valid(name: &str) -> String {
    format!("{name}.size() <= 253 && {name}.matches('{VALID}')")
}

fn is_large(text: &str) -> String {
    format!("bytes({text}).size() > {MAX_CONTENTS}")
}

/// A text of which anything may be expected, for one line of a message.
fn shown(text: &str) -> String {
    format!(
        "({text}.size() > 253 ? {text}.substring(0, 253) + '…' : {text})\
         .replace('\\n', '\\\\n').replace('\\r', '\\\\r').replace('\\t', '\\\\t')"
    )
}

/// The text of each field's name.
fn texts() -> String {
    format!(
        "variables.fields.map(f, [variables.contents.filter(c, c.name == f.name)]\
         .map(found, found == [] ? {ABSENT} : found[0].text)[0])"
    )
}

/// The positions of the fields that are wrong.
fn wrong() -> String {
    "lists.range(variables.reasons.size()).filter(i, variables.reasons[i] != '')".to_owned()
}

/// Everything that is wrong, or its beginning.
fn denial() -> String {
    format!(
        "variables.tooMany != '' ? variables.tooMany : variables.wrong == [] ? '' : {}",
        cut("variables.denials")
    )
}

/// The texts of a list in one, or the beginning if that is long.
fn cut(list: &str) -> String {
    format!(
        "[({list}).join('; ')].map(t, t.size() > {LONGEST} ? t.substring(0, {LONGEST}) + ' [and \
         more]' : t)[0]"
    )
}

/// The code of the denial, which is that of its first part. Policies know no other two.
fn code() -> String {
    format!(
        "variables.wrong.size() > 0 && variables.reasons[variables.wrong[0]] == '{}' ? '403' : '422'",
        Reason::NotAuthorized.id()
    )
}

/// Sets a label or an annotation.
fn set(map: &str, key: &str, value: &str) -> String {
    let escaped = key.replace('~', "~0").replace('/', "~1");
    format!(
        "(has(object.metadata.{map}) ? [JSONPatch{{op: 'add', path: '/metadata/{map}/{escaped}', \
         value: {value}}}] : [JSONPatch{{op: 'add', path: '/metadata/{map}', \
         value: {{'{key}': {value}}}}}])"
    )
}

/// Marks the contents of new ephemeral containers as unchecked, unless they are already.
pub(super) fn hold() -> String {
    format!(
        "variables.fields.filter(f, f.filled != '' && !f.contents.startsWith({HELD})).map(f, JSONPatch{{op: 'add', \
         path: f.path + '/gmsaCredentialSpec', value: {HELD} + f.contents}})"
    )
}

/// What every policy that checks begins with.
fn common(step: Step, requirements: &str) -> Vec<Value> {
    let mut all = in_namespace(requirements);
    all.extend(already_denied(step));
    all.push(few_enough());
    all
}

fn few_enough() -> Value {
    validation("variables.tooMany == ''", Reason::TooManyPlaces, "variables.tooMany")
}

/// Only the policies that expand compare contents, so a namespace that they leave out has no GMSA.
fn in_namespace(requirements: &str) -> Vec<Value> {
    if requirements.is_empty() {
        return Vec::new();
    }
    vec![validation(
        &format!("{UNLESS_SENT}{requirements}"),
        Reason::NamespaceLeftOut,
        &of_namespace(left_out_by_policies),
    )]
}

/// The denial of a pod with a GMSA in a namespace that the policies leave out.
#[must_use]
pub fn left_out_by_policies(namespace: &str) -> String {
    format!(
        "namespace \"{namespace}\" is left out by the GMSA policies, so no pod of it may use a GMSA cred \
         spec; an administrator includes it by its labels (see `kubectl gmsa status`)"
    )
}

/// What the policy that expands found wrong: the code and the text.
fn already_denied(step: Step) -> Vec<Value> {
    let found = if step.ephemeral {
        format!(
            "variables.fields.filter(f, f.contents.startsWith({REFUSED})).map(f, \
             f.contents.substring(1))"
        )
    } else {
        let annotation = format!("object.metadata.?annotations[?'{DENIED}']");
        format!("({annotation}.hasValue() ? [string({annotation}.value())] : [])")
    };
    let message =
        format!("[{found}].map(l, l == [] || l[0].size() < 5 ? '' : l[0].substring(4))[0]");
    vec![
        validation(
            &format!("!{found}.exists(d, d.startsWith('403 '))"),
            Reason::NotAuthorized,
            &message,
        ),
        validation(&format!("{found} == []"), Reason::Mismatch, &message),
    ]
}

/// The right to every name. The policy that expands says which is missing: a message is evaluated without
/// the authorizer.
fn right_to_all(expression: &str) -> Value {
    validation(
        expression,
        Reason::NotAuthorized,
        "'service account \"' + variables.serviceAccount + '\" is not authorized to `use` GMSA cred \
         spec \"' + variables.names.join('\" or \"') + '\" in namespace \"' + request.namespace + '\"'",
    )
}

fn validation(expression: &str, reason: Reason, message: &str) -> Value {
    json!({
        "expression": expression,
        "reason": if reason.code() == 403 { "Forbidden" } else { "Invalid" },
        "message": format!("denied by the GMSA policies: {}", reason.id()),
        "messageExpression": message,
    })
}
