//! `--adopt`: replaces an installation of windows-gmsa, without a moment in which a pod is
//! admitted unchecked or refused because of the change.
//!
//! Ours starts and answers alongside the old one, whose configurations are deleted only then, and its
//! server after them. If both have the same names, a temporary installation answers while one replaces
//! the other. Both decide alike and write the same bytes, so two at a time do no harm.
//!
//! With the policy engine it is the same: the policies are in force, and answer, before the old
//! configurations are deleted. What answers meanwhile is a temporary webhook, which needs no index.

mod belongings;
mod denials;
mod exclusions;
mod found;
mod helm;
mod inherit;

use std::time::Duration;

use gmsa_cluster::api::answer;
use gmsa_cluster::api::apply::{Applier, shown};
use gmsa_cluster::api::objects::{Objects as Reader, kinds};
use gmsa_cluster::api::value::text;
use gmsa_cluster::installation::{Certificates, Objects, Options, Version, beside, objects};
use gmsa_core::names::{FIELD_MANAGER, NAME, TAKEOVER};
use k8s_openapi::api::core::v1::{Secret, ServiceAccount};
use kube::Client;
use kube::api::Api;
use serde_json::{Value, json};

use super::stage::Stage;
use super::{Plan, engine, options, refuse};
use crate::cli::Install;
use crate::failure::Failure;
use crate::installation::journal::{self, Journal};
use crate::installation::{kept_options, leftover, probe, removal, rights};
use crate::output::printer;
use crate::prompt::confirm;
use found::{Found, find};
use helm::Releases;

pub use denials::{denials, stop as are_denied, tell as tell_denials};

const PAUSE: Duration = Duration::from_millis(200);

/// Everything that a takeover needs.
struct Takeover<'a> {
    args: &'a Install,
    client: Client,
    applier: Applier,
    version: Version,
    options: Options,
    found: Found,
    releases: Releases,
    /// The installation that answers meanwhile, if the names are the same, or if the old one refuses ours.
    temporary: Option<Objects>,
    /// What an earlier install of ours, by another engine, made and is not wanted any more.
    leftover: Vec<Value>,
    /// The namespace in which ours is tried, and which stores the journal.
    place: Value,
}

/// Takes over; none if there is nothing to take over from.
pub async fn run(
    args: &Install,
    client: &Client,
    version: Version,
    namespace: &str,
) -> Result<Option<u8>, Failure> {
    let Some(takeover) = Takeover::prepare(args, client.clone(), version, namespace).await? else {
        printer::note("there is no installation of windows-gmsa: a plain install");
        return Ok(None);
    };
    let ours = objects(&takeover.options, version);
    let plan = takeover.plan(&ours).await?;
    let denied = denials(&takeover.client, &takeover.options, version).await?;
    tell_denials(&denied)?;
    takeover.tell_exclusions().await?;
    let stops = are_denied(args, &takeover.options, &denied);
    if args.dry_run.is_server() {
        takeover.show(&plan)?;
        return Ok(Some(u8::from(stops)));
    }
    if stops {
        return Ok(Some(1));
    }
    takeover.releases.tell();
    if !args.takeover.yes {
        takeover.ask()?;
    }
    if let Err(failure) = takeover.carry_out(&ours).await {
        printer::note(
            "the takeover has stopped here: pods are still checked, by what was there or by what \
             answers already; run the same command again to go on",
        );
        return Err(failure);
    }
    for stays in &takeover.found.stays {
        printer::note(stays);
    }
    for namespace in
        takeover.found.namespaces.iter().filter(|one| **one != takeover.options.namespace)
    {
        printer::note(&format!("Namespace {namespace} stays: it may contain other objects"));
    }
    printer::note(if takeover.by_policies() {
        "the policies answer, and have taken over"
    } else {
        "the webhook answers, and has taken over"
    });
    Ok(Some(0))
}

impl<'a> Takeover<'a> {
    /// Looks at everything; nothing is changed.
    async fn prepare(
        args: &'a Install,
        client: Client,
        version: Version,
        namespace: &str,
    ) -> Result<Option<Self>, Failure> {
        let reader = Reader::new(client.clone(), FIELD_MANAGER, false);
        // What the other one manages is to be ours.
        let applier = Applier::new(client.clone(), FIELD_MANAGER, true);
        let (mut found, services) = find(&reader, &applier, namespace).await?;
        belongings::add(&reader, &applier, version, &services, &mut found).await?;
        let journal = Journal::read(&client).await?;
        let began = journal.is_some();
        let known = match (kept_options(&client, namespace).await?, &journal) {
            (Some(kept), _) => kept,
            (None, Some(journal)) => journal.options.clone(),
            (None, None) => inherit::options(&found),
        };
        if let Some(journal) = journal {
            for object in journal.left(&applier).await? {
                found.add(object);
            }
        }
        if found.is_empty() && !began {
            return Ok(None);
        }
        let mut options = options::resolve(args, Some(known))?;
        engine::check(args, &client, &options, version).await?;
        if options.certificates != Certificates::SelfManaged {
            return Err(Failure::Input(
                "--adopt needs certificates that the server makes: take over first, then change \
                 them by kubectl gmsa upgrade --certificates=…"
                    .to_owned(),
            ));
        }
        let namespaces = reader.list(kinds::NAMESPACE, None).await?;
        if !args.takeover.end_exclusions {
            for one in exclusions::requirements(&found, &namespaces, &options.namespace) {
                if !options.namespace_requirements.contains(&one) {
                    options.namespace_requirements.push(one);
                }
            }
        }
        let Some(unseen) = exclusions::unseen(&found) else {
            return Err(Failure::Cluster(
                "failed to take over: the existing webhooks select every namespace, so ours \
                 cannot be tried where they do not; let theirs exclude namespaces with the label \
                 windows.k8s.io/disabled=true (namespaceSelector), and run the same command again; \
                 nothing was changed"
                    .to_owned(),
            ));
        };
        let ours = objects(&options, version);
        let made = beside(&options, version, &unseen);
        let mut releases = helm::releases(&client, &applier, &found, began).await?;
        releases.warnings.extend(found.managers());
        let journal = Journal::new(&options, found.all().chain(&releases.records));
        let place = made
            .base
            .iter()
            .find(|object| object.get("kind") == Some(&json!("Namespace")))
            .cloned()
            .unwrap_or_else(journal::namespace);
        let place = journal.kept_in(place);
        let collides = ours.iter().any(|object| found.has(object));
        let server = json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": NAME, "namespace": TAKEOVER}});
        let is_there = applier.live(&server).await?.is_some();
        let temporary = (collides || found.is_down() || is_there).then_some(made);
        let leftover = leftover::of_options(&client, &applier, &options, &ours, version).await?;
        Ok(Some(Self {
            args,
            client,
            applier,
            version,
            options,
            found,
            releases,
            temporary,
            leftover,
            place,
        }))
    }

    /// The changes of our objects; a missing right is reported before anything is changed.
    async fn plan<'o>(&self, ours: &'o Objects) -> Result<Plan<'o>, Failure> {
        let replaced = |object: &Value| self.found.has(object);
        let plan = Plan::new(&self.client, &self.applier, ours, &replaced).await?;
        let mut problems = Vec::new();
        for object in self.found.all().chain(&self.releases.records) {
            problems.extend(rights::missing_right(&self.client, "delete", object).await?);
        }
        for object in self.temporary_objects() {
            for verb in ["create", "patch", "delete"] {
                problems.extend(rights::missing_right(&self.client, verb, object).await?);
            }
        }
        refuse(problems)?;
        Ok(plan)
    }

    fn temporary_objects(&self) -> impl Iterator<Item = &Value> {
        let place = std::iter::once(&self.place);
        let is_place = |object: &&Value| object.get("kind") != Some(&json!("Namespace"));
        let others = self.temporary.iter().flat_map(Objects::iter);
        place.chain(others.filter(is_place))
    }

    fn show(&self, plan: &Plan<'_>) -> Result<(), Failure> {
        let note = " (server dry run)";
        for object in self.temporary_objects() {
            let of = match text(object, "/metadata/namespace") {
                "" => String::new(),
                namespace => format!(" in {namespace}"),
            };
            printer::data(&format!(
                "{}{of} created for the time of the takeover{note}\n",
                shown(object)
            ))?;
        }
        removal::preview(self.found.all().chain(&self.releases.records).chain(&self.leftover))?;
        plan.show()?;
        if self.releases.definition {
            printer::data(&format!(
                "customresourcedefinition/gmsacredentialspecs.windows.k8s.io kept by Helm{note}\n"
            ))?;
        }
        self.releases.tell();
        for stays in &self.found.stays {
            printer::note(stays);
        }
        Ok(())
    }

    async fn tell_exclusions(&self) -> Result<(), Failure> {
        let reader = Reader::new(self.client.clone(), FIELD_MANAGER, false);
        let namespaces = reader.list(kinds::NAMESPACE, None).await?;
        for line in exclusions::told(&self.options, self.version, &namespaces) {
            printer::data(&line)?;
        }
        Ok(())
    }

    fn ask(&self) -> Result<(), Failure> {
        let names: Vec<String> =
            self.found.all().chain(&self.releases.records).map(shown).collect();
        if !names.is_empty() {
            printer::note(&format!(
                "to be deleted, once ours answers: {}; credential specs stay as they are",
                names.join(", ")
            ));
        }
        confirm("take over?", "nothing was changed")
    }

    async fn carry_out(&self, ours: &Objects) -> Result<(), Failure> {
        self.last_one_gone().await?;
        self.applier.apply(&self.place).await?;
        self.account().await?;
        if self.releases.definition {
            helm::keep_definition(&self.client, !self.releases.detached.is_empty()).await?;
        }
        let stage = self.stage(Some(TAKEOVER));
        if let Some(made) = &self.temporary {
            printer::note("a temporary installation comes up, which answers meanwhile");
            self.pull_secrets().await?;
            let others = |object: &&Value| object.get("kind") != Some(&json!("Namespace"));
            let made = Objects {
                base: made.base.iter().filter(others).cloned().collect(),
                ..made.clone()
            };
            stage
                .apply(&Options { namespace: TAKEOVER.to_owned(), ..self.options.clone() }, &made)
                .await?;
            self.settle("they all ask the temporary installation").await;
            stage.unedited(&made.webhooks).await?;
            self.remove_found().await?;
        }
        if self.by_policies() {
            let leftover = self.leftover.clone();
            engine::bring_up(&stage, &self.options, self.version, ours, leftover).await?;
            self.settle("they all decide by the policies").await;
        } else {
            stage.apply(&self.options, ours).await?;
            self.settle("they all ask ours").await;
        }
        // What checks pods until now goes only when ours is sent the same.
        stage.unedited(&ours.webhooks).await?;
        if self.temporary.is_none() {
            self.remove_found().await?;
        }
        self.remove_temporary().await?;
        let stage = self.stage(None);
        if self.by_policies() {
            probe::policies_answered(&self.client, &self.options, stage.end()).await.map(drop)
        } else if self.leftover.is_empty() {
            probe::answered(&self.client, &self.options, stage.end()).await.map(drop)
        } else {
            let leftover = self.leftover.clone();
            engine::bring_up(&stage, &self.options, self.version, ours, leftover).await
        }
    }

    /// Whether it is the policy engine that takes over.
    fn by_policies(&self) -> bool {
        self.options.has_policy_engine(self.version)
    }

    fn stage<'s>(&'s self, place: Option<&'s str>) -> Stage<'s> {
        Stage {
            client: &self.client,
            applier: &self.applier,
            wait: self.args.wait,
            settle: self.args.takeover.settle,
            place,
            trust: None,
        }
    }

    /// Every API server has to have seen a change before what it replaces goes, and what was asked
    /// has to be answered.
    async fn settle(&self, until: &str) {
        let seconds = self.args.takeover.settle;
        printer::note(&format!("waiting {seconds} s for the API servers, until {until}"));
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    /// Configurations first; what they ask only when it is asked no more.
    async fn remove_found(&self) -> Result<(), Failure> {
        self.remove(&self.found.configurations).await?;
        if !self.found.configurations.is_empty() {
            self.settle("none asks the old one").await;
        }
        self.remove(&self.found.rest).await?;
        self.remove(&self.releases.records).await
    }

    async fn remove<'o>(
        &self,
        objects: impl IntoIterator<Item = &'o Value>,
    ) -> Result<(), Failure> {
        for object in objects {
            if self.applier.delete_exactly(object).await? {
                printer::data(&format!("{} deleted\n", shown(object)))?;
            }
        }
        Ok(())
    }

    async fn remove_temporary(&self) -> Result<(), Failure> {
        if let Some(made) = &self.temporary {
            self.remove(&made.webhooks).await?;
            self.settle("none asks the temporary installation").await;
            // Objects in its namespace are deleted with it.
            let cluster_wide = made.base.iter().filter(|object| {
                text(object, "/metadata/namespace").is_empty()
                    && object.get("kind") != Some(&json!("Namespace"))
            });
            self.remove(cluster_wide).await?;
        }
        self.remove([&journal::namespace()]).await
    }

    /// The namespace of an earlier takeover takes a while to disappear.
    async fn last_one_gone(&self) -> Result<(), Failure> {
        let end = self.stage(None).end();
        loop {
            let live = self.applier.live(&journal::namespace()).await?;
            if live.is_none_or(|live| live.pointer("/metadata/deletionTimestamp").is_none()) {
                return Ok(());
            }
            if std::time::Instant::now() >= end {
                return Err(Failure::Cluster(format!(
                    "the Namespace {TAKEOVER} of an earlier takeover is still being deleted; see \
                     kubectl describe namespace {TAKEOVER}"
                )));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Waits for what a pod needs that is created in the namespace.
    async fn account(&self) -> Result<(), Failure> {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client.clone(), TAKEOVER);
        let end = self.stage(None).end();
        loop {
            let object = format!("ServiceAccount {TAKEOVER}/default");
            let found = answer("read the", object, accounts.get_opt("default")).await?;
            if found.is_some() {
                return Ok(());
            }
            if std::time::Instant::now() >= end {
                return Err(Failure::Cluster(format!(
                    "the ServiceAccount {TAKEOVER}/default did not come to be in time: the \
                     controller manager makes it"
                )));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The temporary installation pulls its image as ours does.
    async fn pull_secrets(&self) -> Result<(), Failure> {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), &self.options.namespace);
        for name in &self.options.image_pull_secrets {
            let object = format!("Secret {}/{name}", self.options.namespace);
            let found = answer("read the", object, secrets.get_opt(name)).await?;
            let Some(found) = found else { continue };
            let copy = json!({"apiVersion": "v1", "kind": "Secret", "type": found.type_,
                "metadata": {"name": name, "namespace": TAKEOVER}, "data": found.data});
            self.applier.apply(&copy).await?;
        }
        Ok(())
    }
}
