//! The engine without a webhook: its policies, and the credential specs that they read from the index or
//! have in them.

use std::collections::BTreeMap;
use std::time::Duration;

use gmsa_cluster::api::objects::{Objects, Reference, kinds};
use gmsa_cluster::api::value::{name, text};
use gmsa_cluster::installation::engine::{InForce, gap};
use gmsa_cluster::installation::{Options, Origin, Version, objects as wanted};
use gmsa_core::diagnosis::Outcome;
use gmsa_core::diagnosis::catalogue::cluster::{ENGINE_INDEX, ENGINE_STATIC, ENGINE_WHOLE};
use gmsa_core::index::{self, Index, LIMIT, NEARLY, Spec};
use gmsa_core::names::{ENGINE_GUARD, INDEX, INDEX_KIND, KIND};
use gmsa_core::printable::listed;
use serde_json::Value;

use super::facts::{Facts, Seen, shown, soft};
use crate::failure::Failure;

/// A change just now may not be in the index yet.
const AGAIN: Duration = Duration::from_secs(3);
/// How many names a message lists.
const SHOWN: usize = 10;

/// What restores policies that have the credential specs in them.
const AGAIN_STATIC: &str = "Run `kubectl gmsa install --engine=policy --static --force-conflicts`, with `-f` \
     and the files if the credential specs come from files.";

/// Looks at the policy engine of our installation. Nothing without it.
pub async fn examine(
    objects: &Objects,
    facts: &Facts,
    options: Option<&Options>,
    version: Version,
) -> Result<Vec<Outcome>, Failure> {
    if let Some(options) = options
        && let (Some(origin), Ok(Some(in_force))) = (options.literals, &facts.literals)
    {
        return Ok(vec![
            literal_policies(facts, in_force, version),
            literals(facts, in_force, origin),
        ]);
    }
    let Some(options) = options.filter(|options| options.has_policy_engine(version)) else {
        return Ok(match &facts.literals {
            // It may be the engine of which nothing else is to be seen.
            Err(why) if !facts.ours && version.has_mutating_policies() => {
                vec![Outcome::unknown(&ENGINE_WHOLE, why)]
            }
            Ok(Some(_)) => vec![both(facts)],
            _ => Vec::new(),
        });
    };
    let policies = policies(objects, facts, options, version).await?;
    let mut index = compare(objects).await?;
    if index.as_ref().is_ok_and(Result::is_err) {
        tokio::time::sleep(AGAIN).await;
        index = compare(objects).await?;
    }
    let index = match index {
        Err(why) => Outcome::unknown(&ENGINE_INDEX, why),
        Ok(Err(problem)) => Outcome::problem(&ENGINE_INDEX, problem),
        Ok(Ok(index)) => full(&index),
    };
    Ok(vec![policies, index.on(format!("{INDEX_KIND} {INDEX}"))])
}

/// Whether every policy and binding of the engine is there and leaves nothing out.
async fn policies(
    objects: &Objects,
    facts: &Facts,
    options: &Options,
    version: Version,
) -> Result<Outcome, Failure> {
    let mut gaps = Vec::new();
    for policy in wanted(options, version).policies {
        let kind = match text(&policy, "/kind") {
            "MutatingAdmissionPolicy" => kinds::MUTATING_POLICY,
            "MutatingAdmissionPolicyBinding" => kinds::MUTATING_POLICY_BINDING,
            "ValidatingAdmissionPolicy" => kinds::VALIDATING_POLICY,
            _ => kinds::VALIDATING_POLICY_BINDING,
        };
        match soft(objects.get(&Reference::cluster(kind, name(&policy))).await)? {
            Err(why) => return Ok(Outcome::unknown(&ENGINE_WHOLE, why)),
            Ok(None) if name(&policy) == ENGINE_GUARD => gaps.push(format!(
                "{} is missing, so what the other policies do not see is admitted unchecked",
                shown(&policy)
            )),
            Ok(None) => gaps.push(format!("{} is missing", shown(&policy))),
            Ok(Some(live)) => gaps.extend(gap(&policy, &live)),
        }
    }
    if gaps.is_empty() && matches!(facts.literals, Ok(Some(_))) {
        return Ok(both(facts));
    }
    Ok(whole(facts, &gaps))
}

/// The policies with the credential specs in them decide, and what else is installed too.
fn both(facts: &Facts) -> Outcome {
    let stubs = facts.literals.iter().flatten().flat_map(InForce::stubs);
    let first = stubs.take(1).map(|one| shown(&one)).collect::<String>();
    let words = format!(
        "policies with credential specs in them decide too, as after a switch that was interrupted: {first} \
         and others"
    );
    Outcome::warning(&ENGINE_WHOLE, words)
}

/// What is missing or changed, or the webhooks that are asked although policies decide.
fn whole(facts: &Facts, gaps: &[String]) -> Outcome {
    if !gaps.is_empty() {
        return Outcome::problem(&ENGINE_WHOLE, gaps.join("; "));
    }
    let left: Vec<String> = facts.configurations.iter().flatten().map(shown).collect();
    if left.is_empty() {
        Outcome::ok(&ENGINE_WHOLE, "every policy and binding is as install writes it")
    } else {
        let words =
            format!("the policies decide, and the webhook is asked too: {}", left.join(", "));
        Outcome::warning(&ENGINE_WHOLE, words)
    }
}

/// The same of policies that have the credential specs in them.
fn literal_policies(facts: &Facts, in_force: &InForce, version: Version) -> Outcome {
    whole(facts, &in_force.gaps(version)).then(AGAIN_STATIC)
}

/// Whether the policies have the credential specs that the cluster has.
fn literals(facts: &Facts, in_force: &InForce, origin: Origin) -> Outcome {
    let found = texts(in_force.specs().iter().map(|(name, spec)| (name.as_str(), spec)));
    let size = format!("{} credential specs are in the policies", found.len());
    let specs = match &facts.specs {
        Ok(specs) => specs.as_deref().unwrap_or_default(),
        Err(why) => return Outcome::unknown(&ENGINE_STATIC, why).because(size),
    };
    let specs: Vec<(&str, Spec)> = specs.iter().map(|spec| (name(spec), Spec::of(spec))).collect();
    let wanted = texts(specs.iter().map(|(name, spec)| (*name, spec)));
    let large: Vec<&str> =
        specs.iter().filter(|(_, spec)| !spec.fits()).map(|(name, _)| *name).collect();
    let differs = Differences::between(&wanted, &found);
    let from_files = origin == Origin::Files;
    let outcome = match differs.words("the policies do", "they have", from_files) {
        None if from_files => Outcome::ok(
            &ENGINE_STATIC,
            format!("{size}, from files, and none that the cluster has is different"),
        ),
        None => Outcome::ok(&ENGINE_STATIC, format!("{size}, and they are those of the cluster")),
        // What the files say is the user's choice, and only the user knows them.
        Some(words) if from_files => Outcome::warning(&ENGINE_STATIC, words)
            .because(format!("{size}, from files"))
            .then(
                "Compare the policies with the files: `kubectl gmsa install --engine=policy --static -f \
                 DIRECTORY --dry-run=server`, and without `--dry-run=server` make them alike. Then change \
                 or delete what the cluster has otherwise.",
            ),
        Some(words) => Outcome::problem(&ENGINE_STATIC, words).because(size),
    };
    if large.is_empty() {
        return outcome;
    }
    outcome.because(format!("over 64 KiB, and so not in the policies: {}", listed(large, SHOWN)))
}

/// The contents by the name of the credential spec; what does not fit into a pod is left out.
fn texts<'a>(
    specs: impl Iterator<Item = (&'a str, &'a Spec)>,
) -> BTreeMap<&'a str, Option<String>> {
    specs.filter(|(_, spec)| spec.fits()).map(|(name, spec)| (name, spec.text())).collect()
}

/// The index, if it is what the credential specs are; else what differs.
async fn compare(objects: &Objects) -> Result<Seen<Result<Index, String>>, Failure> {
    let specs = match soft(objects.list_known(kinds::CREDENTIAL_SPEC, None).await)? {
        Ok(specs) => specs,
        Err(why) => return Ok(Err(why)),
    };
    let found = match soft(objects.get(&Reference::cluster(kinds::INDEX, INDEX)).await)? {
        Ok(found) => found,
        Err(why) => return Ok(Err(why)),
    };
    let Some(found) = found else {
        let words = "there is no index: the policies, as far as they are there, refuse every pod that uses a GMSA";
        return Ok(Ok(Err(words.to_owned())));
    };
    Ok(Ok(differences(&specs, &Index::read(&found))))
}

fn differences(specs: &[Value], found: &Index) -> Result<Index, String> {
    let wanted = index::of_objects(specs);
    let texts = |index: &Index| -> BTreeMap<String, Option<String>> {
        let of = |name: &String| Some((name.clone(), index.contents(name)?));
        index.entries.keys().filter_map(of).collect()
    };
    let differs = Differences::between(&texts(&wanted), &texts(found));
    match differs.words("it does", "it has", false) {
        None => Ok(wanted),
        Some(words) => Err(words),
    }
}

/// How the credential specs by which pods are decided differ from those that are there.
struct Differences {
    missing: Vec<String>,
    other: Vec<String>,
    extra: Vec<String>,
}

impl Differences {
    fn between<N: AsRef<str> + Ord>(
        wanted: &BTreeMap<N, Option<String>>,
        found: &BTreeMap<N, Option<String>>,
    ) -> Self {
        let names = |all: &BTreeMap<N, Option<String>>,
                     is: &dyn Fn(&N, &Option<String>) -> bool| {
            let those = all.iter().filter(|(name, text)| is(name, text));
            those.map(|(name, _)| name.as_ref().to_owned()).collect()
        };
        Self {
            missing: names(wanted, &|name, _| !found.contains_key(name)),
            other: names(wanted, &|name, text| found.get(name).is_some_and(|one| one != text)),
            extra: names(found, &|name, _| !wanted.contains_key(name)),
        }
    }

    /// In words; none if they are the same. Of those that have a source of their own more may be there.
    fn words(&self, does: &str, has: &str, may_have_more: bool) -> Option<String> {
        let mut words = Vec::new();
        if !self.missing.is_empty() {
            words.push(format!("{does} not have {}", listed(&self.missing, SHOWN)));
        }
        if !self.other.is_empty() {
            words.push(format!("{has} other contents of {}", listed(&self.other, SHOWN)));
        }
        if !(self.extra.is_empty() || may_have_more) {
            words.push(format!("no {KIND} belongs to {}", listed(&self.extra, SHOWN)));
        }
        (!words.is_empty()).then(|| words.join("; "))
    }
}

fn full(index: &Index) -> Outcome {
    let size =
        format!("{} credential specs in {} of {LIMIT} bytes", index.entries.len(), index.bytes);
    if !index.left_out.is_empty() {
        let words = format!(
            "{} credential specs do not fit, and pods that name them are refused: {}",
            index.left_out.len(),
            listed(&index.left_out, SHOWN)
        );
        return Outcome::problem(&ENGINE_INDEX, words).because(size);
    }
    if index.bytes > NEARLY {
        return Outcome::warning(&ENGINE_INDEX, format!("it is nearly full: {size}"));
    }
    Outcome::ok(&ENGINE_INDEX, format!("it is what the credential specs are: {size}"))
}

#[cfg(test)]
mod tests {
    use gmsa_cluster::installation::{Engine, engine};
    use gmsa_core::diagnosis::State;
    use gmsa_testkit::objects::credential_spec;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_differs_between_the_index_and_the_credential_specs_is_named() {
        let specs = [credential_spec("one", "Web1"), credential_spec("two", "Web2")];
        let built = index::of_objects;
        let whole = built(&specs);
        let read = differences(&specs, &Index::read(&whole.object())).unwrap();
        assert_eq!(full(&read).state, State::Ok);
        for (found, words) in [
            (built(&specs[..1]), "it does not have two"),
            (built(&[specs[0].clone(), credential_spec("two", "Web3")]), "other contents of two"),
            (built(&[specs.to_vec(), vec![credential_spec("made-up", "x")]].concat()), "made-up"),
        ] {
            let why = differences(&specs, &found).unwrap_err();
            assert!(why.contains(words), "{why}");
        }
        let nearly = Index { bytes: NEARLY + 1, ..Index::default() };
        assert_eq!(full(&nearly).state, State::Warning);
        let left_out = Index { left_out: vec!["big".to_owned()], ..Index::default() };
        let outcome = full(&left_out);
        assert!(outcome.state == State::Problem && outcome.message.contains("big"));
    }

    /// Facts of a cluster with these credential specs, and nothing else that these checks look at.
    fn facts(specs: &[Value]) -> Facts {
        Facts {
            configurations: Ok(Vec::new()),
            early_warnings: false,
            others: Vec::new(),
            orphans: Ok(Vec::new()),
            deployment: Ok(None),
            namespaces: Ok(Vec::new()),
            workloads: Vec::new(),
            specs: Ok(Some(specs.to_vec())),
            nodes: Ok(Vec::new()),
            literals: Ok(None),
            ours: true,
        }
    }

    #[test]
    fn what_the_policies_have_in_them_is_compared_with_the_cluster() {
        let specs = [credential_spec("one", "Web1"), credential_spec("two", "Web2")];
        let in_force = |specs: &[Value]| {
            let specs: BTreeMap<String, Spec> =
                specs.iter().map(|spec| (name(spec).to_owned(), Spec::of(spec))).collect();
            let options = Options { engine: Engine::Policy, ..Options::default() };
            let made = engine::literal_policies(&options, Version(1, 36), &specs);
            InForce::of(made.iter().cloned().collect()).unwrap()
        };
        let other = [specs[0].clone(), credential_spec("two", "Web3")];
        for (installed, origin, state, words) in [
            (&specs[..], Origin::Cluster, State::Ok, "2 credential specs are in the policies"),
            (&specs[..1], Origin::Cluster, State::Problem, "the policies do not have two"),
            (&other[..], Origin::Cluster, State::Problem, "they have other contents of two"),
            (&specs[..], Origin::Files, State::Ok, "from files"),
            (&specs[..1], Origin::Files, State::Warning, "the policies do not have two"),
            (&other[..], Origin::Files, State::Warning, "they have other contents of two"),
        ] {
            let outcome = literals(&facts(&specs), &in_force(installed), origin);
            assert_eq!(outcome.state, state, "{}", outcome.message);
            assert!(outcome.message.contains(words), "{}", outcome.message);
        }
        // Files may have what the cluster has not.
        let outcome = literals(&facts(&specs[..1]), &in_force(&specs), Origin::Files);
        assert_eq!(outcome.state, State::Ok);
        let outcome = literals(&facts(&specs[..1]), &in_force(&specs), Origin::Cluster);
        assert!(outcome.message.contains("belongs to two"), "{}", outcome.message);
        let hidden = Facts { specs: Err("forbidden".to_owned()), ..facts(&[]) };
        assert_eq!(literals(&hidden, &in_force(&specs), Origin::Cluster).state, State::Unknown);

        assert_eq!(
            literal_policies(&facts(&specs), &in_force(&specs), Version(1, 36)).state,
            State::Ok
        );
        let webhook = json!({"kind": "MutatingWebhookConfiguration", "metadata": {"name": "x"}});
        let asked = Facts { configurations: Ok(vec![webhook]), ..facts(&specs) };
        let outcome = literal_policies(&asked, &in_force(&specs), Version(1, 36));
        assert!(outcome.message.contains("asked too: MutatingWebhookConfiguration x"));
        assert!(outcome.next_step().contains("--static"));
    }
}
