//! Which parts of an installation act on the pods of a namespace: the webhook, the guard, or the policies
//! of the engine.
//!
//! Every command that says what becomes of a pod asks [`Acting::fate`].

pub(crate) mod hook;

use std::collections::BTreeMap;

use futures::future::try_join_all;
use gmsa_core::admission::{Denial, Reason};
use gmsa_core::names::{ENGINE_CHECK, GUARD};
use gmsa_core::rbac::LabelSelector;
use serde_json::Value;

use crate::api::Error;
use crate::api::objects::{Objects, Reference, kinds};
use crate::api::value::{labels, name, text};
use crate::installation::engine::name_of;
use crate::installation::{
    denies, guard_gaps, left_out_by_guard, left_out_by_policies, sent, sent_by,
};
use hook::Hook;

/// What the guard does where no webhook is asked.
pub(crate) const GUARDED: &str = "the guard refuses pods without the right, and those that were not \
    expanded; contents are not compared with the credential spec";

/// The labels of an object.
pub type Labels = BTreeMap<String, String>;

/// What the policies of the engine decide by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policies {
    /// The index of the credential specs.
    Index,
    /// The credential specs that they have in them.
    Literals,
}

/// Who refuses pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The guard.
    Guard,
    /// The policies of the engine.
    Policies,
}

/// What becomes of the pods of a namespace that use a GMSA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The webhook, or the policies, expand and check them. Also where neither is installed.
    Checked,
    /// The webhook, or the policies, leave the namespace out, so all of them are refused.
    Refused(By),
    /// The validating webhook is asked, and the mutating one is not, as if another had narrowed only that: a
    /// pod that carries no contents is refused.
    Unexpanded,
    /// The validating webhook is not asked.
    NotSent {
        /// Whether the guard refuses those that are not expanded and those without the right.
        guarded: bool,
        /// Whether the mutating webhook is asked all the same, as if another had narrowed only the other.
        expanded: bool,
    },
}

impl Fate {
    /// The denial of each pod of a namespace that uses a GMSA, if all of them are denied.
    #[must_use]
    pub fn denial(self, namespace: &str) -> Option<Denial> {
        let message = match self {
            Self::Refused(By::Guard) => left_out_by_guard(namespace),
            Self::Refused(By::Policies) => left_out_by_policies(namespace),
            Self::Checked | Self::Unexpanded | Self::NotSent { .. } => return None,
        };
        Some(Denial::of_request(Reason::NamespaceLeftOut, message))
    }

    /// What to say of a pod that may be admitted although no webhook is asked.
    #[must_use]
    pub fn not_sent(self, namespace: &str) -> Option<String> {
        let Self::NotSent { guarded, expanded } = self else { return None };
        let which = if expanded { "validating webhook" } else { "webhook" };
        let rest = match (guarded, expanded) {
            (true, _) => GUARDED,
            (false, true) => "no right is checked",
            (false, false) => "nothing is filled in, and no right is checked",
        };
        Some(format!("pods of namespace \"{namespace}\" are not sent to the {which}: {rest}"))
    }
}

/// The parts that act on pods, with the namespaces that each selects.
#[derive(Default)]
pub struct Acting {
    /// The webhooks that pods are sent to; none also if the configurations could not be read.
    pub(crate) hooks: Vec<Hook>,
    /// Those that expand pods; not known if their configurations were not read.
    mutating: Option<Vec<Hook>>,
    /// The guard, if it is whole.
    guard: Option<LabelSelector>,
    /// The policies that decide on pods.
    policies: Option<(Policies, LabelSelector)>,
}

impl Acting {
    /// Finds them among webhook configurations, policies and bindings.
    #[must_use]
    pub fn of<'a>(objects: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut this = Self::default();
        let mut policies = BTreeMap::new();
        for object in objects {
            match text(object, "/kind") {
                "ValidatingWebhookConfiguration" => this.hooks.extend(Hook::all(object)),
                "MutatingWebhookConfiguration" => {
                    this.mutating.get_or_insert_default().extend(Hook::all(object));
                }
                kind => {
                    policies.insert((kind, name(object)), object);
                }
            }
        }
        let both = |name: &str| {
            let found = |kind| policies.get(&(kind, name)).copied();
            [found("ValidatingAdmissionPolicy"), found("ValidatingAdmissionPolicyBinding")]
        };
        if let [Some(policy), binding @ Some(_)] = both(GUARD)
            && guard_gaps(Some(policy), binding).is_empty()
        {
            this.guard = Some(selected_by(policy));
        }
        this.policies = [Policies::Index, Policies::Literals].into_iter().find_map(|by| {
            let [policy, binding] = both(&name_of(ENGINE_CHECK, by == Policies::Literals));
            let policy = policy.filter(|_| binding.is_some_and(denies))?;
            Some((by, selected_by(policy)))
        });
        this
    }

    /// Reads them from the cluster. What may not be read is noted, and taken for missing.
    pub async fn read(objects: &Objects, unread: &mut Vec<String>) -> Result<Self, Error> {
        let mut found = Vec::new();
        let mut is_known = true;
        for kind in [kinds::VALIDATING_WEBHOOKS, kinds::MUTATING_WEBHOOKS] {
            match objects.list(kind, None).await {
                Err(error) if error.code() == Some(403) => {
                    is_known &= kind != kinds::MUTATING_WEBHOOKS;
                    unread.push(error.to_string());
                }
                read => found.extend(read?),
            }
        }
        found.extend(Self::policies(objects, unread).await?);
        let mut this = Self::of(&found);
        if is_known {
            this.mutating.get_or_insert_default();
        }
        Ok(this)
    }

    /// Reads the guard and the policies that decide, with their bindings. What may not be read is noted.
    pub async fn policies(
        objects: &Objects,
        unread: &mut Vec<String>,
    ) -> Result<Vec<Value>, Error> {
        let names = [GUARD.to_owned(), name_of(ENGINE_CHECK, false), name_of(ENGINE_CHECK, true)];
        let both = [kinds::VALIDATING_POLICY, kinds::VALIDATING_POLICY_BINDING];
        let each = names.iter().flat_map(|name| both.map(|kind| Reference::cluster(kind, name)));
        let reads = each.map(|reference| async move {
            match objects.get(&reference).await {
                Err(error) if error.code() == Some(403) => Ok(Err(error.to_string())),
                read => read.map(Ok),
            }
        });
        let mut found = Vec::new();
        for read in try_join_all(reads).await? {
            match read {
                Ok(object) => found.extend(object),
                Err(why) => unread.push(why),
            }
        }
        Ok(found)
    }

    /// What the policies of the engine decide by, if they decide. A webhook that is asked too, as after a
    /// switch that was interrupted, decides.
    #[must_use]
    pub fn engine(&self) -> Option<Policies> {
        self.policies.as_ref().filter(|_| self.hooks.is_empty()).map(|(by, _)| *by)
    }

    /// Whether a webhook, or the policies, decide on pods.
    #[must_use]
    pub fn decides(&self) -> bool {
        !self.hooks.is_empty() || self.policies.is_some()
    }

    /// Whether the guard is there and whole.
    #[must_use]
    pub fn is_guarded(&self) -> bool {
        self.guard.is_some()
    }

    /// Whether the labels of a namespace matter at all.
    #[must_use]
    pub fn selects(&self) -> bool {
        let hooks = self.hooks.iter().chain(self.mutating.iter().flatten());
        let mut selectors = hooks.map(|hook| &hook.namespaces);
        let policies = self.policies.iter().map(|(_, selector)| selector);
        let all = |selector: &LabelSelector| {
            selector.match_labels.is_empty() && selector.match_expressions.is_empty()
        };
        !(selectors.all(all) && policies.chain(&self.guard).all(all))
    }

    /// What becomes of the pods of a namespace with these labels that use a GMSA.
    #[must_use]
    pub fn fate(&self, labels: &Labels) -> Fate {
        if self.hooks.is_empty()
            && let Some((_, namespaces)) = &self.policies
        {
            let is_sent = namespaces.matches(labels);
            return if is_sent { Fate::Checked } else { Fate::Refused(By::Policies) };
        }
        let takes = |hooks: &[Hook]| hooks.iter().any(|hook| hook.namespaces.matches(labels));
        let is_expanded = self.mutating.as_deref().map(takes);
        match &self.guard {
            Some(namespaces) if !namespaces.matches(labels) => Fate::Refused(By::Guard),
            _ if self.hooks.is_empty() => Fate::Checked,
            _ if takes(&self.hooks) && is_expanded == Some(false) => Fate::Unexpanded,
            _ if takes(&self.hooks) => Fate::Checked,
            guard => {
                Fate::NotSent { guarded: guard.is_some(), expanded: is_expanded == Some(true) }
            }
        }
    }

    /// The same of a namespace.
    #[must_use]
    pub fn fate_of(&self, namespace: &Value) -> Fate {
        self.fate(&labels(namespace, "/metadata/labels"))
    }

    /// From now on these namespaces' pods are sent, all of them.
    pub(crate) fn choose(&mut self, namespaces: &LabelSelector) {
        for hook in self.hooks.iter_mut().chain(self.mutating.iter_mut().flatten()) {
            hook.choose(namespaces);
        }
        let policies = self.policies.iter_mut().map(|(_, selector)| selector);
        for selector in policies.chain(&mut self.guard) {
            selector.clone_from(namespaces);
        }
    }
}

/// The namespaces that a policy lets use a GMSA: all of them also if its condition was changed so that
/// it cannot be read.
fn selected_by(policy: &Value) -> LabelSelector {
    sent(&sent_by(policy).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use gmsa_core::names::NAME_LABEL;
    use serde_json::json;

    use super::*;
    use crate::installation::engine::literal_policies;
    use crate::installation::{self, Engine, NamespaceRequirement, Options, Version};

    const VERSION: Version = Version(1, 36);

    fn labels(of: &[(&str, &str)]) -> Labels {
        of.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn installed(options: &Options, version: Version) -> Vec<Value> {
        installation::objects(options, version).iter().cloned().collect()
    }

    /// Of a namespace that opted in, of another one, and of `kube-system`.
    fn fates(objects: &[Value]) -> [Fate; 3] {
        let acting = Acting::of(objects);
        [("gmsa-webhook", "enabled"), ("team", "a"), (NAME_LABEL, "kube-system")]
            .map(|label| acting.fate(&labels(&[label])))
    }

    #[test]
    fn every_way_to_leave_a_namespace_out_has_its_fate() {
        let (guard, policies) = (Fate::Refused(By::Guard), Fate::Refused(By::Policies));
        let unchecked = Fate::NotSent { guarded: false, expanded: false };
        let opt_in = || Options { namespaces_opt_in: true, ..Options::default() };
        let system = Options { skip_system_namespaces: true, ..Options::default() };
        let engine = |options: Options| Options { engine: Engine::Policy, ..options };
        let unguarded = Options { guard: false, ..opt_in() };
        let all = [Fate::Checked; 3];
        for (options, version, expected) in [
            (Options::default(), VERSION, all),
            (opt_in(), VERSION, [Fate::Checked, guard, guard]),
            (system.clone(), VERSION, [Fate::Checked, Fate::Checked, guard]),
            (unguarded, VERSION, [Fate::Checked, unchecked, unchecked]),
            (opt_in(), Version(1, 29), [Fate::Checked, unchecked, unchecked]),
            (engine(Options::default()), VERSION, all),
            (engine(opt_in()), VERSION, [Fate::Checked, policies, policies]),
            (engine(system), VERSION, [Fate::Checked, Fate::Checked, policies]),
        ] {
            let objects = installed(&options, version);
            assert_eq!(fates(&objects), expected, "{options:?}");
            let acting = Acting::of(&objects);
            assert_eq!(acting.engine().is_some(), options.engine == Engine::Policy);
            assert_eq!(acting.selects(), expected != all);
        }
        let made = literal_policies(&engine(opt_in()), VERSION, &BTreeMap::new());
        let made: Vec<Value> = made.iter().cloned().collect();
        assert_eq!(fates(&made), [Fate::Checked, policies, policies]);
        assert_eq!(Acting::of(&made).engine(), Some(Policies::Literals));
    }

    #[test]
    fn without_the_webhook_the_guard_still_leaves_namespaces_out() {
        let options = Options { namespaces_opt_in: true, ..Options::default() };
        let mut objects = installed(&options, VERSION);
        objects.retain(|object| !text(object, "/kind").ends_with("WebhookConfiguration"));
        let guard = Fate::Refused(By::Guard);
        assert_eq!(fates(&objects), [Fate::Checked, guard, guard]);
        assert!(!Acting::of(&objects).decides());
        assert_eq!(fates(&[]), [Fate::Checked; 3]);
        // Another field manager narrowed the webhook, and the guard has no such condition.
        let narrowed = |kind: &str| {
            let mut objects = installed(&Options::default(), VERSION);
            for object in objects.iter_mut().filter(|one| text(one, "/kind").starts_with(kind)) {
                if let Some(hook) = object.pointer_mut("/webhooks/0") {
                    hook["namespaceSelector"] = json!({"matchLabels": {"team": "b"}});
                }
            }
            fates(&objects)
        };
        assert_eq!(narrowed(""), [Fate::NotSent { guarded: true, expanded: false }; 3]);
        assert_eq!(narrowed("Validating"), [Fate::NotSent { guarded: true, expanded: true }; 3]);
        assert_eq!(narrowed("Mutating"), [Fate::Unexpanded; 3]);
        // Where the mutating configurations may not be read, nothing is known of them.
        let mut objects = installed(&Options::default(), VERSION);
        objects.retain(|object| text(object, "/kind") != "MutatingWebhookConfiguration");
        assert_eq!(fates(&objects), [Fate::Checked; 3]);
    }

    #[test]
    fn every_requirement_is_read_again_from_the_policy() {
        let one = |operator: &str, values: &[&str]| NamespaceRequirement {
            key: "example.com/team".to_owned(),
            operator: operator.to_owned(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        let values = ["a", "b.c_d-e", ""];
        let requirements = [
            one("In", &values),
            one("NotIn", &values[..1]),
            one("Exists", &[]),
            one("DoesNotExist", &[]),
        ];
        for engine in [Engine::Webhook, Engine::Policy] {
            for count in 0..=requirements.len() {
                let namespace_requirements = requirements[..count].to_vec();
                let options = Options { engine, namespace_requirements, ..Options::default() };
                let objects = installed(&options, VERSION);
                let named = if engine == Engine::Policy { ENGINE_CHECK } else { GUARD };
                let is = |object: &&Value| {
                    name(object) == named && text(object, "/kind") == "ValidatingAdmissionPolicy"
                };
                let policy = objects.iter().find(is).unwrap();
                assert_eq!(sent_by(policy).unwrap(), options.namespace_requirements);
                let mut changed = policy.clone();
                changed["spec"]["validations"][0]["expression"] =
                    json!("variables.fields == [] || request.userInfo.username == 'me'");
                assert_eq!(sent_by(&changed), None);
            }
        }
    }
}
