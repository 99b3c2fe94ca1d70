//! Policies with credential specs in them, as a cluster has them: what is in force, and what of them is not
//! as `install` writes it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gmsa_core::admission::SpecFact;
use gmsa_core::credspec::Prepared;
use gmsa_core::index::{Index, Spec};
use gmsa_core::names::{
    ENGINE_CHECK, ENGINE_CHECK_EPHEMERAL, ENGINE_EXPAND, ENGINE_EXPAND_EPHEMERAL, ENGINE_GUARD,
    ENGINE_GUARD_EPHEMERAL, GROUP, KIND, OPTIONS,
};
use serde_json::{Value, json};

use super::{literal_policies, literal_stubs, literals, name_of, prefix_of, suffix};
use crate::api::Error;
use crate::api::objects::{Kind, Objects, kinds};
use crate::api::value::{name, text};
use crate::installation::edits::changed_fields;
use crate::installation::identify::is_ours;
use crate::installation::{Engine, Options, Origin, Version};

/// The policies that have the credential specs in them: those that decide come first.
const LITERAL: [&str; 4] =
    [ENGINE_CHECK, ENGINE_EXPAND, ENGINE_CHECK_EPHEMERAL, ENGINE_EXPAND_EPHEMERAL];

/// The policies and bindings of an installation with credential specs in them.
#[derive(Clone, Debug)]
pub struct InForce {
    objects: Vec<Value>,
    specs: BTreeMap<String, Spec>,
}

impl InForce {
    /// Reads them; none if the cluster has none.
    pub async fn read(objects: &Objects) -> Result<Option<Self>, Error> {
        let list = async |kind: Kind| match objects.list(kind, None).await {
            // The API server is older than the kind.
            Err(error) if error.code() == Some(404) => Ok(Vec::new()),
            found => found,
        };
        let mut all = Vec::new();
        for kind in [kinds::MUTATING_POLICY, kinds::VALIDATING_POLICY] {
            all.extend(list(kind).await?);
        }
        all.retain(is_literal);
        if all.is_empty() {
            return Ok(None);
        }
        for kind in [kinds::MUTATING_POLICY_BINDING, kinds::VALIDATING_POLICY_BINDING] {
            all.extend(list(kind).await?);
        }
        Ok(Self::of(all))
    }

    /// Finds them among policies and bindings; none if there is none.
    #[must_use]
    pub fn of(mut objects: Vec<Value>) -> Option<Self> {
        objects.retain(is_literal);
        let mut this = Self { objects, specs: BTreeMap::new() };
        for number in this.numbers() {
            let suffix = suffix(number);
            let policies = LITERAL.iter().filter_map(|policy| {
                let named = format!("{}{suffix}", name_of(policy, true));
                this.objects.iter().find(|one| !is_binding(one) && name(one) == named)
            });
            let index = policies.into_iter().find_map(literals::read).unwrap_or_default();
            let specs: Vec<(String, Spec)> = index
                .entries
                .keys()
                .filter_map(|name| Some((name.clone(), spec(&index, name)?)))
                .collect();
            this.specs.extend(specs);
        }
        (!this.objects.is_empty()).then_some(this)
    }

    /// The options of the installation; the defaults if nothing says them.
    #[must_use]
    pub fn options(&self) -> Options {
        let kept = self.objects.iter().find_map(|object| {
            let kept = object.pointer("/metadata/annotations")?.get(OPTIONS)?.as_str()?;
            serde_json::from_str::<Options>(kept).ok()
        });
        let options = kept.unwrap_or_default();
        let literals = options.literals.or(Some(Origin::Cluster));
        Options { engine: Engine::Policy, literals, ..options }
    }

    /// The credential specs that are in force, by name.
    #[must_use]
    pub fn specs(&self) -> &BTreeMap<String, Spec> {
        &self.specs
    }

    /// The same as objects that an API server would have.
    #[must_use]
    pub fn credential_specs(&self) -> BTreeMap<String, Value> {
        let object = |(name, spec): (&String, &Spec)| {
            let contents = spec.text().and_then(|text| serde_json::from_str::<Value>(&text).ok());
            let object = json!({"apiVersion": format!("{GROUP}/v1"), "kind": KIND,
                "metadata": {"name": name}, "credspec": contents});
            (name.clone(), object)
        };
        self.specs.iter().map(object).collect()
    }

    /// What the name of a credential spec means to the policies.
    #[must_use]
    pub fn fact(&self, name: &str) -> SpecFact {
        let Some(spec) = self.specs.get(name) else { return SpecFact::Absent };
        let contents = spec.text().and_then(|text| serde_json::from_str::<Value>(&text).ok());
        match Prepared::from_object(name, &json!({"credspec": contents})) {
            Some(prepared) => SpecFact::Found(Arc::new(prepared)),
            None => SpecFact::Empty,
        }
    }

    /// What of the policies and bindings is missing, or not as `install` writes it, each in a few words.
    #[must_use]
    pub fn gaps(&self, version: Version) -> Vec<String> {
        let wanted = literal_policies(&self.options(), version, &self.specs);
        let mut gaps = Vec::new();
        for wanted in wanted.iter() {
            match self.objects.iter().find(|live| is_same(live, wanted)) {
                None => gaps.push(missing(wanted)),
                Some(live) => gaps.extend(gap(wanted, live)),
            }
        }
        let is_wanted = |live: &&Value| wanted.iter().any(|one| is_same(one, live));
        let left = self.objects.iter().filter(|live| !is_wanted(live));
        gaps.extend(left.map(|live| {
            format!("{} {} is left of an earlier install", text(live, "/kind"), name(live))
        }));
        gaps
    }

    /// Kind and name of each object that is there, in the order in which they are deleted.
    #[must_use]
    pub fn stubs(&self) -> Vec<Value> {
        let is_there = |stub: &Value| self.objects.iter().any(|one| is_same(one, stub));
        self.numbers().into_iter().flat_map(literal_stubs).filter(is_there).collect()
    }

    /// Over which objects the credential specs are spread.
    fn numbers(&self) -> BTreeSet<usize> {
        let number = |object: &Value| {
            let last = name(object).rsplit('-').next().and_then(|last| last.parse().ok());
            last.unwrap_or(1)
        };
        self.objects.iter().map(number).collect()
    }
}

/// What of a policy or binding is not as `install` writes it.
#[must_use]
pub fn gap(wanted: &Value, live: &Value) -> Option<String> {
    let differs = changed_fields(wanted, live);
    (!differs.is_empty()).then(|| {
        let (kind, name) = (text(wanted, "/kind"), name(wanted));
        format!("{kind} {name} is not as install writes it: {}", differs.join(", "))
    })
}

/// What it means that a policy or binding is missing.
#[must_use]
pub fn missing(wanted: &Value) -> String {
    let shown = format!("{} {}", text(wanted, "/kind"), name(wanted));
    let guards = [ENGINE_GUARD, ENGINE_GUARD_EPHEMERAL];
    let is_guard = guards
        .iter()
        .any(|guard| [false, true].map(|of| name_of(guard, of)).contains(&name(wanted).to_owned()));
    if is_guard {
        format!("{shown} is missing, so what the other policies do not see is admitted unchecked")
    } else {
        format!("{shown} is missing")
    }
}

/// Whether it is one of the objects of an installation with credential specs in its policies.
fn is_literal(object: &Value) -> bool {
    is_ours(object) && name(object).starts_with(prefix_of(true))
}

fn is_same(one: &Value, other: &Value) -> bool {
    text(one, "/kind") == text(other, "/kind") && name(one) == name(other)
}

fn is_binding(object: &Value) -> bool {
    text(object, "/kind").ends_with("Binding")
}

/// An entry as the credential spec that it was made from; none if it is no JSON.
fn spec(index: &Index, name: &str) -> Option<Spec> {
    let contents = match index.contents(name)? {
        Some(text) => serde_json::from_str::<Value>(&text).ok()?,
        None => Value::Null,
    };
    Some(Spec::of(&json!({"credspec": contents})))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(account: &str, plugin: &str) -> Value {
        json!({"credspec": {"CmsPlugins": [plugin],
            "DomainJoinConfig": {"DnsName": "contoso.com", "MachineAccountName": account}}})
    }

    /// Of every kind that is written otherwise: a template, one without, none, too large; characters that
    /// are escaped.
    fn specs(count: usize) -> BTreeMap<String, Spec> {
        let mut specs: BTreeMap<String, Spec> = (0..count)
            .map(|number| (format!("spec-{number:04}"), Spec::of(&object("It's\\1", "a"))))
            .collect();
        specs.insert("alone".to_owned(), Spec::of(&object("\u{e9} \"x\" \n", "other ' \\ \u{1}")));
        specs.insert("hollow".to_owned(), Spec::of(&json!({"credspec": {}})));
        specs.insert("aaa-large".to_owned(), Spec::of(&object("x", &"x".repeat(70_000))));
        specs
    }

    fn options() -> Options {
        Options {
            engine: Engine::Policy,
            literals: Some(Origin::Files),
            namespaces_opt_in: true,
            ..Options::default()
        }
    }

    const VERSION: Version = Version(1, 36);

    fn made(specs: &BTreeMap<String, Spec>) -> Vec<Value> {
        literal_policies(&options(), VERSION, specs).iter().cloned().collect()
    }

    #[test]
    fn what_is_in_the_policies_is_read_again() {
        // The last is spread over several objects.
        let mut many = specs(3);
        many.extend((0..500).map(|number| {
            let name = format!("x{number}");
            let spec = Spec::of(&object(&name, &"y".repeat(4_000 + number)));
            (name, spec)
        }));
        for specs in [BTreeMap::new(), specs(0), specs(3), many] {
            let in_force = InForce::of(made(&specs)).unwrap();
            let expected: Vec<_> = specs.iter().filter(|(_, spec)| spec.fits()).collect();
            let expected: Vec<_> =
                expected.into_iter().map(|(name, spec)| (name, spec.text())).collect();
            let read: Vec<_> =
                in_force.specs().iter().map(|(name, spec)| (name, spec.text())).collect();
            assert!(read == expected, "{} of {}", read.len(), expected.len());
            assert_eq!(in_force.options(), options());
            assert_eq!(in_force.gaps(VERSION), [""; 0]);
            assert_eq!(in_force.stubs().len(), made(&specs).len());
        }
    }

    #[test]
    fn what_is_missing_changed_or_left_is_named() {
        let (whole, other) = (made(&specs(3)), made(&specs(4)));
        for (index, object) in whole.iter().enumerate() {
            let mut objects = whole.clone();
            objects.remove(index);
            let gaps = InForce::of(objects).unwrap().gaps(VERSION);
            let shown = format!("{} {}", text(object, "/kind"), name(object));
            let [gap] = &gaps[..] else { panic!("{gaps:?}") };
            assert!(gap.starts_with(&format!("{shown} is missing")), "{gap}");
            assert_eq!(gap.ends_with("is admitted unchecked"), shown.contains("-guard"), "{gap}");
            let mut objects = whole.clone();
            objects[index] = other[index].clone();
            let is_other = objects != whole;
            let gaps = InForce::of(objects).unwrap().gaps(VERSION);
            assert_eq!(!gaps.is_empty(), is_other, "{shown}");
        }
        let mut objects = whole;
        let mut left = objects[0].clone();
        left["metadata"]["name"] = json!("gmsa-static-expand-2");
        objects.push(left);
        let gaps = InForce::of(objects).unwrap().gaps(VERSION);
        let words = "MutatingAdmissionPolicy gmsa-static-expand-2 is left of an earlier install";
        assert!(gaps.contains(&words.to_owned()), "{gaps:?}");
        assert!(InForce::of(Vec::new()).is_none());
    }
}
