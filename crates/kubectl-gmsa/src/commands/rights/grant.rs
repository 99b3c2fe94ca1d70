//! `kubectl gmsa grant`

use std::cell::RefCell;
use std::collections::BTreeMap;

use gmsa_cluster::objects::{Objects, Reference, kinds};
use serde_json::Value;

use super::settle::{Done, Step, settle};
use super::{Failure, binding_of, by_namespace, distinct, print, role_of, shape};
use crate::cli::Grant;
use crate::cli::shared::DryRun;
use crate::commands::connection::Connection;
use crate::printer;

/// How often the cluster role is made again after somebody deleted it.
const ROUNDS: u32 = 3;

/// What was done, in words and as objects.
#[derive(Default)]
struct Outcome {
    lines: Vec<String>,
    objects: Vec<Value>,
    changed: bool,
}

type Wanted<'a> = (Vec<&'a str>, BTreeMap<&'a str, Vec<&'a str>>);

/// Grants the rights.
pub fn run(args: &Grant) -> Result<u8, Failure> {
    let wanted: Wanted<'_> = (distinct(&args.rights.credential_specs), by_namespace(&args.to));
    let outcome = if args.rights.dry_run == DryRun::Client {
        plan(&wanted)
    } else {
        let connection = Connection::open(&args.rights.connect)?;
        let dry_run = args.rights.dry_run == DryRun::Server;
        let objects = connection.objects(dry_run);
        connection.runtime.block_on(async {
            warn_of_missing(&objects, &wanted).await?;
            check(&objects, &wanted).await?;
            apply(&objects, &wanted, dry_run).await
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
    Ok(0)
}

/// Whether nothing stands in the way of granting the rights. Nothing is written.
pub fn possible(args: &Grant) -> Result<(), Failure> {
    let wanted: Wanted<'_> = (distinct(&args.rights.credential_specs), by_namespace(&args.to));
    let connection = Connection::open(&args.rights.connect)?;
    let objects = connection.objects(true);
    connection.runtime.block_on(async {
        for namespace in wanted.1.keys() {
            refuse_missing_namespace(&objects, namespace).await?;
        }
        check(&objects, &wanted).await
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

/// Tells what is named and does not exist; without its namespace no binding can be made. What may not be read is not judged.
async fn warn_of_missing(objects: &Objects, wanted: &Wanted<'_>) -> Result<(), Failure> {
    let (names, accounts) = wanted;
    for name in names {
        let of = Reference::cluster(kinds::CREDENTIAL_SPEC, name);
        if is_missing(objects, &of).await? {
            printer::warning(&format!(
                "the credential spec {name} does not exist (yet); until it does, pods that name it \
                 are denied"
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
    if !is_missing(objects, &Reference::cluster(kinds::NAMESPACE, namespace)).await? {
        return Ok(());
    }
    Err(Failure::Cluster(format!(
        "failed to grant rights in namespace {namespace}: it does not exist, and nothing was changed; \
         create it first, or print the objects with --dry-run=client -o yaml"
    )))
}

async fn is_missing(objects: &Objects, of: &Reference) -> Result<bool, Failure> {
    match objects.get(of).await {
        Ok(found) => Ok(found.is_none()),
        Err(error) if error.code == Some(403) => {
            printer::warning(&format!("cannot tell whether it exists: {error}"));
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// Refuses before anything is written if anything stands in the way.
async fn check(objects: &Objects, wanted: &Wanted<'_>) -> Result<(), Failure> {
    let (names, accounts) = wanted;
    for name in names {
        let of = role_of(name);
        decide_role(&of, objects.get(&of).await?.as_ref(), name)?;
        for (namespace, accounts) in accounts {
            let of = binding_of(name, namespace);
            let found = objects.get(&of).await?;
            decide_binding(&of, found.as_ref(), name, namespace, accounts)?;
        }
    }
    Ok(())
}

async fn apply(objects: &Objects, wanted: &Wanted<'_>, dry_run: bool) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::default();
    for name in &wanted.0 {
        let role = role_of(name);
        outcome.took(&role, settle_role(objects, name).await?, dry_run);
        for (namespace, accounts) in &wanted.1 {
            let of = binding_of(name, namespace);
            let before = RefCell::new(None);
            let done = settle(objects, &of, |found| {
                before.replace(found.cloned());
                decide_binding(&of, found, name, namespace, accounts)
            })
            .await?;
            let before = before.into_inner();
            for account in accounts {
                let had = before.as_ref().is_some_and(|old| shape::names(old, namespace, account));
                outcome.lines.push(gained(namespace, account, name, had, dry_run));
            }
            outcome.took(&of, done, dry_run);
        }
        if !dry_run {
            keep_role(objects, name).await?;
        }
    }
    Ok(outcome)
}

/// Somebody who revokes at the same time may have seen the role without a binding, and deleted it.
async fn keep_role(objects: &Objects, name: &str) -> Result<(), Failure> {
    for _ in 0..ROUNDS {
        if matches!(settle_role(objects, name).await?, Done::Unchanged(_)) {
            return Ok(());
        }
    }
    Err(Failure::Cluster(format!(
        "failed to keep {}: somebody deletes it each time it is made; the role bindings are made, \
         so grant again when that has ended",
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
        "failed to grant the use of {name}: {of} exists and {why}, so it was left as it is; look at it with `kubectl get {resource} {}{namespace} -o yaml`, \
         then delete or rename it and grant again, or bind the service accounts to a role of your \
         own",
        of.name
    ))
}

fn gained(namespace: &str, account: &str, name: &str, had: bool, dry_run: bool) -> String {
    let what = match (had, dry_run) {
        (true, _) => "has the right to use",
        (false, true) => "would get the right to use",
        (false, false) => "may now use",
    };
    let since = if had { " already" } else { "" };
    format!("service account {namespace}/{account} {what} {name}{since}")
}

impl Outcome {
    fn took(&mut self, of: &Reference, done: Done, dry_run: bool) {
        self.changed |= !matches!(done, Done::Unchanged(_));
        let suffix = if dry_run { " (server dry run)" } else { "" };
        self.lines.push(format!("{of}: {}{suffix}", done.word()));
        self.objects.extend(done.into_object());
    }
}
