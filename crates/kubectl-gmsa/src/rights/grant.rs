//! `kubectl gmsa grant`

use std::cell::RefCell;

use gmsa_cluster::api::objects::{Objects, Reference, kinds};
use gmsa_core::rbac;
use serde_json::Value;

use super::known::{Known, Wanted};
use super::remaining::way;
use super::settle::{Done, Step, settle};
use super::{binding_of, by_namespace, distinct, print, role_of, shape};
use crate::cli::Grant;
use crate::connect::Connection;
use crate::credential_spec::meant;
use crate::failure::Failure;
use crate::output::{next, printer};

/// How often the cluster role is created again after another user deleted it.
const ROUNDS: u32 = 3;

/// What was done, in words and as objects.
#[derive(Default)]
struct Outcome {
    lines: Vec<String>,
    objects: Vec<Value>,
    changed: bool,
}

/// Grants the rights.
pub fn grant(args: &Grant) -> Result<u8, Failure> {
    let wanted: Wanted<'_> = (distinct(&args.rights.credential_specs), by_namespace(&args.to));
    let outcome = if args.rights.dry_run.is_client() {
        plan(&wanted)
    } else {
        let connection = Connection::open(&args.rights.connect)?;
        let dry_run = args.rights.dry_run.is_server();
        let objects = connection.objects(dry_run);
        connection.runtime.block_on(async {
            warn_of_missing(&objects, &wanted).await?;
            let known = Known::read(&objects, &wanted).await?;
            for error in &known.unread {
                printer::warning(&format!(
                    "cannot find out which other roles grant the right: {error}"
                ));
            }
            check(&objects, &wanted, &known).await?;
            apply(&objects, &wanted, &known, dry_run).await
        })?
    };
    let mut text = format!("{}\n", outcome.lines.join("\n"));
    if !outcome.changed {
        text.push_str("nothing to change\n");
    }
    if let Some(output) = args.rights.output {
        printer::note(text.trim_end());
        printer::data(&print::objects(&outcome.objects, output)?)?;
    } else {
        printer::data(&text)?;
    }
    if outcome.changed && !args.rights.dry_run.is_set() {
        next_step(args, &wanted);
    }
    Ok(0)
}

/// Who may use it now, as narrow as one line can ask.
fn next_step(args: &Grant, wanted: &Wanted<'_>) {
    let mut words = vec!["access"];
    if let [name] = wanted.0[..] {
        words.push(name);
    }
    let accounts: Vec<String> = wanted
        .1
        .iter()
        .flat_map(|(namespace, names)| names.iter().map(move |name| format!("{namespace}/{name}")))
        .collect();
    match (&accounts[..], wanted.1.keys().next()) {
        ([account], _) => words.extend(["--service-account", account]),
        (_, Some(namespace)) if wanted.1.len() == 1 => words.extend(["-n", namespace]),
        _ => {}
    }
    next::step(&args.rights.connect, &words);
}

/// Checks that the rights can be granted. Writes nothing.
pub fn possible(args: &Grant) -> Result<(), Failure> {
    let wanted: Wanted<'_> = (distinct(&args.rights.credential_specs), by_namespace(&args.to));
    let connection = Connection::open(&args.rights.connect)?;
    let objects = connection.objects(true);
    connection.runtime.block_on(async {
        for namespace in wanted.1.keys() {
            refuse_missing_namespace(&objects, namespace).await?;
        }
        let known = Known::read(&objects, &wanted).await?;
        check(&objects, &wanted, &known).await
    })
}

/// What would be made in a cluster that has nothing of it.
fn plan(wanted: &Wanted<'_>) -> Outcome {
    let mut outcome = Outcome { changed: true, ..Outcome::default() };
    for name in &wanted.0 {
        outcome.objects.push(shape::cluster_role(name));
        for (namespace, accounts) in &wanted.1 {
            for account in accounts {
                outcome.lines.push(format!(
                    "service account {namespace}/{account} would get the right to use {name} \
                     (client dry run: no cluster was asked)"
                ));
            }
            outcome.objects.push(shape::role_binding(name, namespace, accounts));
        }
    }
    outcome
}

/// Warns about names that do not exist; without its namespace no binding can be made. Skips what may
/// not be read.
async fn warn_of_missing(objects: &Objects, wanted: &Wanted<'_>) -> Result<(), Failure> {
    let (names, accounts) = wanted;
    for name in names {
        let of = Reference::cluster(kinds::CREDENTIAL_SPEC, name);
        if is_missing(objects, &of).await? {
            let meant = meant(objects, name).await;
            printer::warning(&format!(
                "the credential spec {name} does not exist (yet); until it does, pods that name it \
                 are denied{meant}"
            ));
        }
    }
    for (namespace, accounts) in accounts {
        refuse_missing_namespace(objects, namespace).await?;
        for account in accounts {
            let of = Reference::namespaced(kinds::SERVICE_ACCOUNT, namespace, account);
            if is_missing(objects, &of).await? {
                printer::warning(&format!(
                    "the service account {namespace}/{account} does not exist (yet)"
                ));
            }
        }
    }
    Ok(())
}

async fn refuse_missing_namespace(objects: &Objects, namespace: &str) -> Result<(), Failure> {
    let of = Reference::cluster(kinds::NAMESPACE, namespace);
    let (why, next) = match seen(objects, &of).await? {
        Seen::Nothing => (
            "it does not exist",
            "create it first, or print the objects with --dry-run=client -o yaml",
        ),
        // Nothing can be made in it any more.
        Seen::Object(found) if found.pointer("/metadata/deletionTimestamp").is_some() => {
            ("it is being deleted", "wait until it is gone, and create it again")
        }
        Seen::Object(_) | Seen::Hidden => return Ok(()),
    };
    Err(Failure::Cluster(format!(
        "failed to grant rights in namespace {namespace}: {why}, and nothing was changed; {next}"
    )))
}

async fn is_missing(objects: &Objects, of: &Reference) -> Result<bool, Failure> {
    Ok(matches!(seen(objects, of).await?, Seen::Nothing))
}

/// What is seen of an object.
enum Seen {
    Object(Value),
    Nothing,
    /// It may not be read.
    Hidden,
}

/// Reads an object; warns if it may not be read.
async fn seen(objects: &Objects, of: &Reference) -> Result<Seen, Failure> {
    match objects.get(of).await {
        Ok(Some(found)) => Ok(Seen::Object(found)),
        Ok(None) => Ok(Seen::Nothing),
        Err(error) if error.code() == Some(403) => {
            printer::warning(&format!("cannot tell whether it exists: {error}"));
            Ok(Seen::Hidden)
        }
        Err(error) => Err(error.into()),
    }
}

/// Fails, before anything is written, if a right cannot be granted.
async fn check(objects: &Objects, wanted: &Wanted<'_>, known: &Known) -> Result<(), Failure> {
    for name in &wanted.0 {
        let lacking = lacking(wanted, known, name);
        if !lacking.is_empty() {
            let of = role_of(name);
            decide_role(&of, objects.get(&of).await?.as_ref(), name)?;
        }
        for (namespace, accounts) in lacking {
            let of = binding_of(name, namespace);
            let found = objects.get(&of).await?;
            decide_binding(&of, found.as_ref(), name, namespace, &accounts)?;
        }
    }
    Ok(())
}

/// For whom our own binding is needed, by namespace.
fn lacking<'a>(wanted: &Wanted<'a>, known: &Known, name: &str) -> Vec<(&'a str, Vec<&'a str>)> {
    let all = wanted.1.iter();
    all.map(|(namespace, accounts)| (*namespace, known.lacking(name, namespace, accounts)))
        .filter(|(_, accounts)| !accounts.is_empty())
        .collect()
}

async fn apply(
    objects: &Objects,
    wanted: &Wanted<'_>,
    known: &Known,
    dry_run: bool,
) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::default();
    for name in &wanted.0 {
        let lacking = lacking(wanted, known, name);
        for (namespace, accounts) in &wanted.1 {
            let lack = |one: &&str| {
                lacking.iter().any(|(of, accounts)| of == namespace && accounts.contains(one))
            };
            for account in accounts.iter().filter(|one| !lack(one)) {
                let ways = known.ways(name, namespace, account);
                outcome.lines.push(already(namespace, account, name, &ways));
            }
        }
        if lacking.is_empty() {
            continue;
        }
        let role =
            settle_role(objects, name).await.map_err(|error| outcome.stopped(error, None))?;
        let in_force = matches!(role, Done::Unchanged(_));
        let mut fresh = match &role {
            Done::Created(role) if !dry_run => Some(role.clone()),
            _ => None,
        };
        outcome.took(&role_of(name), role, dry_run);
        for (namespace, accounts) in lacking {
            let of = binding_of(name, namespace);
            let before = RefCell::new(None);
            let done = settle(objects, &of, |found| {
                before.replace(found.cloned());
                decide_binding(&of, found, name, namespace, &accounts)
            })
            .await;
            let done = match done {
                Ok(done) => done,
                Err(error) => {
                    let left = undo_role(objects, name, fresh.as_ref()).await;
                    return Err(outcome.stopped(error, Some(left)));
                }
            };
            // Something is bound to it from now on.
            fresh = None;
            let before = before.into_inner();
            for account in accounts {
                let named =
                    before.as_ref().is_some_and(|old| shape::names(old, namespace, account));
                let ways = known.ways(name, namespace, account);
                outcome.lines.push(match (named && in_force, ways.is_empty()) {
                    (true, _) => already(namespace, account, name, &ways),
                    (false, true) => gained(namespace, account, name, dry_run),
                    (false, false) => {
                        let by_name = if dry_run { "would then be" } else { "is now" };
                        format!(
                            "{}\n  and {by_name} named for it in {of}",
                            already(namespace, account, name, &ways)
                        )
                    }
                });
            }
            outcome.took(&of, done, dry_run);
        }
        if !dry_run {
            keep_role(objects, name).await?;
        }
    }
    Ok(outcome)
}

/// Deletes the cluster role again that was created for a binding which could not be made. Says what is left
/// of it.
async fn undo_role(objects: &Objects, name: &str, fresh: Option<&Value>) -> String {
    let of = role_of(name);
    match fresh {
        None => String::new(),
        Some(role) => match objects.delete(&of, role).await {
            Ok(()) => format!("{of}, which was created for it, was deleted again"),
            Err(error) => format!("{of} was created for it and stays: {error}"),
        },
    }
}

/// A concurrent revoke may have seen the role without a binding, and deleted it.
async fn keep_role(objects: &Objects, name: &str) -> Result<(), Failure> {
    for _ in 0..ROUNDS {
        if matches!(settle_role(objects, name).await?, Done::Unchanged(_)) {
            return Ok(());
        }
    }
    Err(Failure::Cluster(format!(
        "failed to keep {}: another user or controller deletes it each time it is created; the role \
        bindings exist, so run the command again when that has stopped",
        role_of(name)
    )))
}

async fn settle_role(objects: &Objects, name: &str) -> Result<Done, Failure> {
    let of = role_of(name);
    settle(objects, &of, |found| decide_role(&of, found, name)).await
}

fn decide_role(of: &Reference, found: Option<&Value>, name: &str) -> Result<Step, Failure> {
    let Some(found) = found else { return Ok(Step::Create(shape::cluster_role(name))) };
    match shape::role_differs(found, name) {
        None => Ok(Step::Nothing),
        Some(why) => Err(in_the_way(of, why, name)),
    }
}

fn decide_binding(
    of: &Reference,
    found: Option<&Value>,
    name: &str,
    namespace: &str,
    accounts: &[&str],
) -> Result<Step, Failure> {
    let Some(found) = found else {
        return Ok(Step::Create(shape::role_binding(name, namespace, accounts)));
    };
    match shape::binding_differs(found, name) {
        None => Ok(shape::with(found, namespace, accounts).map_or(Step::Nothing, Step::Replace)),
        Some(why) => Err(in_the_way(of, why, name)),
    }
}

fn in_the_way(of: &Reference, why: &str, name: &str) -> Failure {
    let resource = of.kind.kind.to_lowercase();
    let namespace =
        of.namespace.as_ref().map(|namespace| format!(" -n {namespace}")).unwrap_or_default();
    Failure::Cluster(format!(
        "failed to grant the use of {name}: {of} exists and {why}, so it was not changed; see it with `kubectl get {resource} {}{namespace} -o yaml`, \
         then delete or rename it and grant again, or bind the service accounts to a role of your \
         own",
        of.name
    ))
}

fn gained(namespace: &str, account: &str, name: &str, dry_run: bool) -> String {
    let what = if dry_run { "would get the right to use" } else { "may now use" };
    format!("service account {namespace}/{account} {what} {name}")
}

/// Who has the right, and by which ways, as far as they could be read.
fn already(namespace: &str, account: &str, name: &str, ways: &[rbac::Grant]) -> String {
    let mut text =
        format!("service account {namespace}/{account} has the right to use {name} already");
    if !ways.is_empty() {
        text.push_str(", by");
    }
    for one in ways {
        text.push_str(&format!("\n  {}", way(one)));
    }
    text
}

impl Outcome {
    /// Why it stopped, with what was done before. `left` is what became of what was just begun.
    fn stopped(&self, error: Failure, left: Option<String>) -> Failure {
        let Failure::Cluster(words) = error else { return error };
        let left = left.filter(|left| !left.is_empty());
        let was_undone = left.is_some();
        // The line about a role that was just created is not true any more.
        let done = self.lines.len() - usize::from(was_undone);
        let done: Vec<&str> = self.lines.iter().take(done).map(String::as_str).collect();
        let done = match (self.changed, done.is_empty()) {
            (true, false) => format!("; before that: {}", done.join("; ")),
            _ => String::new(),
        };
        let left = left.map(|left| format!("; {left}")).unwrap_or_default();
        Failure::Cluster(format!("{words}{left}{done}"))
    }

    fn took(&mut self, of: &Reference, done: Done, dry_run: bool) {
        self.changed |= !matches!(done, Done::Unchanged(_));
        let suffix = if dry_run { " (server dry run)" } else { "" };
        self.lines.push(format!("{of}: {}{suffix}", done.word()));
        self.objects.extend(done.into_object());
    }
}
