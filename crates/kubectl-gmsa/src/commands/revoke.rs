//! `kubectl gmsa revoke`

use std::collections::BTreeMap;

use gmsa_cluster::api::objects::{Objects, Reference, kinds};
use gmsa_core::admission::Right;
use gmsa_core::grant::Grant;
use kube::Client;
use serde_json::{Value, json};

use crate::cli::shared::DryRunFlag;
use crate::cli::{ObjectOutput, Revoke};
use crate::connect::Connection;
use crate::failure::Failure;
use crate::output::printer;
use crate::rights::remaining::{Rules, still_allowed, way};
use crate::rights::settle::{Done, Step, settle};
use crate::rights::{binding_of, by_namespace, distinct, print, role_of, shape};

/// What to revoke, and how.
struct Task<'a> {
    names: Vec<&'a str>,
    accounts: BTreeMap<&'a str, Vec<&'a str>>,
    dry_run: DryRunFlag,
    objects: Objects,
    client: Client,
}

/// What was done, and whether a right is left.
#[derive(Default)]
struct Outcome {
    lines: Vec<String>,
    /// Changed objects, with their new content, and deleted ones, by name.
    objects: Vec<Touched>,
    changed: bool,
    left: bool,
}

/// An object that was changed or deleted.
struct Touched {
    object: Value,
    is_there: bool,
}

/// Revokes the rights.
pub fn run(args: &Revoke) -> Result<u8, Failure> {
    let connection = Connection::open(&args.rights.connect)?;
    let task = Task {
        names: distinct(&args.rights.credential_specs),
        accounts: by_namespace(&args.from),
        dry_run: args.rights.dry_run,
        objects: connection.objects(args.rights.dry_run.is_server()),
        client: connection.client.clone(),
    };
    let outcome = connection.runtime.block_on(task.run())?;
    let mut text = format!("{}\n", outcome.lines.join("\n"));
    if !outcome.changed {
        text.push_str("nothing to change\n");
    }
    if let Some(output) = args.rights.output {
        printer::note(text.trim_end());
        // What is deleted has but a name.
        let shown = |one: &Touched| one.is_there || output == ObjectOutput::Name;
        let objects = outcome.objects.into_iter().filter(shown).map(|one| one.object);
        printer::data(&print::objects(&objects.collect::<Vec<_>>(), output)?)?;
    } else {
        printer::data(&text)?;
    }
    Ok(u8::from(outcome.left))
}

impl Task<'_> {
    async fn run(&self) -> Result<Outcome, Failure> {
        let mut outcome = Outcome::default();
        let namespaces: Vec<&str> = self.accounts.keys().copied().collect();
        // Before anything is changed: without the right to read them the remaining rights are unknown.
        let mut rules = Rules::read(&self.objects, &namespaces).await?;
        for name in &self.names {
            for (namespace, accounts) in &self.accounts {
                self.unbind(&mut outcome, name, namespace, accounts).await?;
                rules.without(name, namespace, accounts);
                let pairs = accounts.iter().filter_map(|one| Grant::of(name, namespace, one));
                for pair in pairs {
                    rules.without_pair(&pair);
                    self.undo_command(&mut outcome, &rules, name, &pair).await?;
                }
            }
        }
        if !self.tries() && outcome.changed {
            rules = Rules::read(&self.objects, &namespaces).await?;
        }
        for name in &self.names {
            self.drop_role(&mut outcome, &rules, name).await?;
        }
        self.say_what_is_left(&mut outcome, &rules).await?;
        if !outcome.changed {
            self.warn_of_missing().await?;
        }
        Ok(outcome)
    }

    /// Whether nothing is really changed.
    fn tries(&self) -> bool {
        self.dry_run.is_set()
    }

    /// Does the step, or only reports what it would do.
    async fn settle(
        &self,
        of: &Reference,
        decide: impl Fn(Option<&Value>) -> Result<Step, Failure>,
    ) -> Result<Done, Failure> {
        if !self.dry_run.is_client() {
            return settle(&self.objects, of, decide).await;
        }
        let found = self.objects.get(of).await?;
        Ok(match decide(found.as_ref())? {
            Step::Nothing => Done::Unchanged(found),
            Step::Create(object) => Done::Created(object),
            Step::Replace(object) => Done::Changed(object),
            Step::Delete => Done::Deleted,
        })
    }

    /// Removes the service accounts from our binding, and deletes it when it is empty.
    async fn unbind(
        &self,
        outcome: &mut Outcome,
        name: &str,
        namespace: &str,
        accounts: &[&str],
    ) -> Result<(), Failure> {
        let of = binding_of(name, namespace);
        let done = self
            .settle(&of, |found| {
                let changed = found
                    .filter(|found| shape::binding_differs(found, name).is_none())
                    .and_then(|found| shape::without(found, namespace, accounts));
                Ok(match changed {
                    None => Step::Nothing,
                    Some(changed)
                        if shape::subjects(&changed).is_empty() && shape::is_ours(&changed) =>
                    {
                        Step::Delete
                    }
                    Some(changed) => Step::Replace(changed),
                })
            })
            .await?;
        let note = match &done {
            Done::Unchanged(None) => " (there is none)",
            Done::Unchanged(Some(found)) if shape::binding_differs(found, name).is_some() => {
                " (it binds another role)"
            }
            Done::Unchanged(Some(_)) => " (it does not name them)",
            Done::Changed(left) if shape::subjects(left).is_empty() => {
                " (it is empty, but stays: it has no label of kubectl gmsa)"
            }
            _ => "",
        };
        outcome.took(&of, &done, note, self.dry_run);
        Ok(())
    }

    /// Deletes the binding and the role that the command of a denial made for this pair.
    async fn undo_command(
        &self,
        outcome: &mut Outcome,
        rules: &Rules,
        name: &str,
        pair: &Grant<'_>,
    ) -> Result<(), Failure> {
        let (of, namespace) = (pair.object_name(), pair.namespace());
        let binding = Reference::namespaced(kinds::ROLE_BINDING, namespace, &of);
        let role = Reference::namespaced(kinds::ROLE, namespace, &of);
        let is_used = rules.refer_to_role(namespace, &of);
        let delete = |is_ours: bool| if is_ours { Step::Delete } else { Step::Nothing };
        let unbound = self
            .settle(&binding, |found| {
                Ok(delete(found.is_some_and(|found| shape::is_binding_of_pair(found, pair))))
            })
            .await?;
        let dropped = self
            .settle(&role, |found| {
                let is_ours = |found| !is_used && shape::role_differs(found, name).is_none();
                Ok(delete(found.is_some_and(is_ours)))
            })
            .await?;
        for (of, done) in [(binding, unbound), (role, dropped)] {
            if matches!(done, Done::Deleted) {
                outcome.took(&of, &done, "", self.dry_run);
            }
        }
        Ok(())
    }

    /// Deletes our cluster role when no binding refers to it.
    async fn drop_role(
        &self,
        outcome: &mut Outcome,
        rules: &Rules,
        name: &str,
    ) -> Result<(), Failure> {
        let of = role_of(name);
        let used = rules.refer_to(&of.name);
        if !rules.everywhere && !used {
            outcome.lines.push(format!(
                "{of}: unchanged (finding out whether it is still used takes the right to list \
                rolebindings in all namespaces)"
            ));
            return Ok(());
        }
        let keep = |found: &Value| {
            if used {
                Some(" (other bindings refer to it)")
            } else if !shape::is_ours(found) {
                Some(" (it has no label of kubectl gmsa)")
            } else if shape::role_differs(found, name).is_some() {
                Some(" (its rules were changed by hand)")
            } else {
                None
            }
        };
        let done = self
            .settle(&of, |found| {
                Ok(match found {
                    Some(found) if keep(found).is_none() => Step::Delete,
                    _ => Step::Nothing,
                })
            })
            .await?;
        let note = match &done {
            Done::Unchanged(None) => " (there is none)",
            Done::Unchanged(Some(found)) => keep(found).unwrap_or_default(),
            _ => "",
        };
        outcome.took(&of, &done, note, self.dry_run);
        if matches!(done, Done::Deleted) && !self.tries() {
            self.restore_role(outcome, name).await?;
        }
        Ok(())
    }

    /// Another user may have granted the right while the role was being deleted: then it is needed.
    async fn restore_role(&self, outcome: &mut Outcome, name: &str) -> Result<(), Failure> {
        let of = role_of(name);
        if !Rules::read(&self.objects, &[]).await?.refer_to(&of.name) {
            return Ok(());
        }
        let done = settle(&self.objects, &of, |found| {
            Ok(match found {
                None => Step::Create(shape::cluster_role(name)),
                Some(_) => Step::Nothing,
            })
        })
        .await?;
        outcome.took(&of, &done, " (another user bound it meanwhile)", self.dry_run);
        Ok(())
    }

    /// Warns of names that do not exist: where nothing was granted they may be typing errors. Skips what may not be read: a right
    /// can be revoked without the right to read credential specs.
    async fn warn_of_missing(&self) -> Result<(), Failure> {
        for name in &self.names {
            match self.objects.get(&Reference::cluster(kinds::CREDENTIAL_SPEC, name)).await {
                Ok(Some(_)) => {}
                Ok(None) => printer::warning(&format!(
                    "the credential spec {name} does not exist; kubectl gmsa credspec list shows those \
                     that do"
                )),
                Err(error) if error.is_forbidden() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Reports whether each right is gone, and if not which roles still grant it.
    async fn say_what_is_left(&self, outcome: &mut Outcome, rules: &Rules) -> Result<(), Failure> {
        let policy = rules.policy()?;
        for name in &self.names {
            for (namespace, accounts) in &self.accounts {
                for account in accounts {
                    let grants = policy.grants(namespace, account, name);
                    let who = format!("service account {namespace}/{account}");
                    if grants.is_empty() {
                        self.confirm(outcome, &who, [namespace, account, name]).await;
                        continue;
                    }
                    outcome.left = true;
                    let may = if self.tries() { "could still use" } else { "may still use" };
                    outcome.lines.push(format!("{who} {may} {name}, by"));
                    outcome.lines.extend(grants.iter().map(|grant| format!("  {}", way(grant))));
                }
            }
        }
        Ok(())
    }

    /// No role grants the right any more: compares with the API server's answer.
    async fn confirm(&self, outcome: &mut Outcome, who: &str, pair: [&str; 3]) {
        let [namespace, account, name] = pair;
        if self.tries() {
            let may = if outcome.changed { "could no longer use" } else { "may not use" };
            outcome.lines.push(format!("{who} {may} {name}"));
            return;
        }
        match still_allowed(&self.client, namespace, account, name).await {
            Right::Denied if outcome.changed => {
                outcome.lines.push(format!("{who} may no longer use {name}"));
            }
            Right::Denied => outcome.lines.push(format!("{who} may not use {name}")),
            Right::Allowed => {
                outcome.left = true;
                outcome.lines.push(format!(
                    "{who} may still use {name}: no role or binding grants it, but the API server \
                     does; look for another authorizer (--authorization-mode or \
                     --authorization-config of the API server)"
                ));
            }
            Right::Unknown(failure) => {
                let may = if outcome.changed { "may no longer use" } else { "may not use" };
                outcome.lines.push(format!("{who} {may} {name}, by its roles"));
                printer::warning(&format!("the API server was not heard: {}", failure.message));
            }
        }
    }
}

impl Outcome {
    fn took(&mut self, of: &Reference, done: &Done, note: &str, dry_run: DryRunFlag) {
        self.changed |= !matches!(done, Done::Unchanged(_));
        match done {
            Done::Unchanged(_) => {}
            Done::Created(object) | Done::Changed(object) => {
                let name = |one: &Touched| one.object.pointer("/metadata/name").cloned();
                let kind = |one: &Touched| one.object.get("kind").cloned();
                let touched = Touched { object: object.clone(), is_there: true };
                // One that was deleted and made again is there.
                self.objects.retain(|one| {
                    one.is_there || name(one) != name(&touched) || kind(one) != kind(&touched)
                });
                self.objects.push(touched);
            }
            Done::Deleted => {
                let object = json!({"apiVersion": of.kind.api_version(), "kind": of.kind.kind,
                    "metadata": {"name": of.name, "namespace": of.namespace}});
                self.objects.push(Touched { object, is_there: false });
            }
        }
        self.lines.push(format!("{of}: {}{note}{}", done.word(), dry_run.note()));
    }
}
