//! The postStart hook that waits for the secure channel: shown, or put into a workload.

use gmsa_cluster::api::apply::{Applier, Change, Difference};
use gmsa_cluster::api::objects::Objects;
use gmsa_cluster::api::value::{array, text};
use gmsa_cluster::manifests::Workload;
use gmsa_cluster::simulate::Simulator;
use gmsa_core::names::FIELD_MANAGER;
use gmsa_core::pod::{PlaceKind, Pod, identities};
use gmsa_core::windows::hook;
use gmsa_core::workload::dotted;
use kube::Client;
use serde_json::{Value, json};

use super::{namespace, read, shown, specs, target};
use crate::cli::shared::DryRun;
use crate::cli::{Doctor, DoctorOutput};
use crate::failure::Failure;
use crate::output::render::changes;
use crate::output::{next, printer, render};

/// Where a container has it.
const POST_START: &str = "/lifecycle/postStart";

/// Prints the hook.
pub fn print(args: &Doctor) -> Result<u8, Failure> {
    let lifecycle = json!({"lifecycle": hook_of(args)});
    printer::data(&match args.output {
        DoctorOutput::Json => render::json("hook", &lifecycle)?,
        _ => render::yaml("hook", &lifecycle)?,
    })?;
    Ok(0)
}

/// Puts the hook into every container of the workload that has an identity.
pub async fn change(client: &Client, args: &Doctor) -> Result<u8, Failure> {
    let asked = args.target.as_deref().unwrap_or_default();
    let objects = Objects::new(client.clone(), FIELD_MANAGER, false);
    let namespace = namespace(client, args);
    let object = target::find(client, &objects, &namespace, asked).await?;
    let workloads = workloads(&object, &namespace)?;
    let by_name = specs(&objects).await?.map_err(Failure::Cluster)?;
    let mut simulator = Simulator::new(client.clone(), &by_name);
    let mut wanted = Wanted { containers: Vec::new(), hook: hook_of(args) };
    for workload in &workloads {
        let next = workload.pod(&object);
        let next_text = next.to_string();
        let pod = read(&next_text, asked)?;
        let containers = containers(&object, workload, &pod)?;
        if containers.is_empty() {
            continue;
        }
        let walked = simulator.walk(&next, &pod, &namespace).await.map_err(Failure::cluster)?;
        if let Some(denial) = walked.decision.denials().first() {
            return Err(Failure::Missing(format!(
                "failed to add the hook to {}: its pods would be denied, hook or not: {}",
                shown(&object),
                denial.message
            )));
        }
        wanted.containers.extend(containers);
    }
    if wanted.containers.is_empty() {
        return Err(Failure::Missing(format!(
            "failed to add the hook to {}: none of its containers has a credential spec",
            shown(&object)
        )));
    }
    // Forced, because it was checked above that no other manager's hook is replaced.
    let applier = Applier::new(client.clone(), FIELD_MANAGER, true);
    let mode = args.dry_run.mode;
    let built_in = workloads.first().filter(|one| one.is_built_in);
    let change = match (built_in, mode) {
        (_, DryRun::Client) => wanted.change(),
        (Some(workload), _) => {
            let patch = wanted.patch(&object, workload);
            match mode {
                DryRun::Server => applier.compare(&patch).await?,
                _ => applier.apply(&patch).await?,
            }
        }
        (None, _) => wanted.replace(&applier, &object, mode).await?,
    };
    printer::data(&changes(&object, &change, args.dry_run.note()))?;
    if !args.dry_run.is_set() && change != Change::Unchanged {
        printer::note(if built_in.is_some() {
            "its pods are replaced by new ones, which wait for the secure channel"
        } else {
            "the pods that it makes from now on wait for the secure channel"
        });
        let (kind, name) = (text(&object, "/kind").to_lowercase(), text(&object, "/metadata/name"));
        next::step(&args.connect, &["doctor", &format!("{kind}/{name}"), "-n", &namespace]);
    }
    Ok(0)
}

/// The workload, by its pod templates, if they can be changed.
fn workloads(object: &Value, namespace: &str) -> Result<Vec<Workload>, Failure> {
    let refused =
        |why: &str| Failure::Input(format!("failed to add the hook to {}: {why}", shown(object)));
    if let Some(owner) = array(object, "/metadata/ownerReferences")
        .find(|owner| owner.get("controller") == Some(&json!(true)))
    {
        let (kind, name) = (text(owner, "/kind"), text(owner, "/name"));
        return Err(refused(&format!("it belongs to {kind} {name}; name that, or what owns it")));
    }
    if matches!(text(object, "/kind"), "Pod" | "Job") {
        return Err(refused(
            "what it runs cannot be changed; put the hook into its manifest \
            (--print-lifecycle)",
        ));
    }
    let workloads = Workload::all(object, namespace);
    if workloads.is_empty() {
        return Err(refused("it makes no pods"));
    }
    Ok(workloads)
}

fn hook_of(args: &Doctor) -> Value {
    json!({"postStart": {"exec": {"command": hook::command(args.lifecycle_tries)}}})
}

/// A container that is to have the hook.
struct Container {
    /// Its JSON pointer (RFC 6901) in the workload.
    pointer: String,
    name: String,
    /// The hook that it has.
    was: Option<Value>,
}

/// The containers of a pod template that have an identity.
fn containers(
    object: &Value,
    workload: &Workload,
    pod: &Pod<'_>,
) -> Result<Vec<Container>, Failure> {
    let own = identities(pod)
        .filter(|one| one.container.kind == PlaceKind::Container && !one.host_process);
    own.map(|identity| {
        let pointer = format!("{}/containers/{}", workload.spec, identity.container.index);
        let was = object.pointer(&format!("{pointer}{POST_START}"));
        let was = was.filter(|hook| !hook.is_null()).cloned();
        if let Some(existing) = &was {
            let command = array(existing, "/exec/command").filter_map(Value::as_str);
            if !hook::is_ours(command) {
                return Err(Failure::Missing(format!(
                    "failed to add the hook to {}: {} already has a postStart hook; join the \
                     two by hand (--print-lifecycle shows ours)",
                    shown(object),
                    identity.container
                )));
            }
        }
        Ok(Container { pointer, name: identity.container.name.to_owned(), was })
    })
    .collect()
}

/// The containers that are to have the hook.
struct Wanted {
    containers: Vec<Container>,
    hook: Value,
}

impl Wanted {
    /// The fields that we set and nothing else, for a server-side apply.
    fn patch(&self, object: &Value, workload: &Workload) -> Value {
        let containers: Vec<Value> = self
            .containers
            .iter()
            .map(|one| json!({"name": one.name, "lifecycle": self.hook}))
            .collect();
        let mut value = json!({"containers": containers});
        for key in workload.spec.split('/').rev().filter(|key| !key.is_empty()) {
            value = json!({key: value});
        }
        if let Some(fields) = value.as_object_mut() {
            for key in ["apiVersion", "kind"] {
                fields.insert(key.to_owned(), object.get(key).cloned().unwrap_or_default());
            }
            let metadata = json!({"name": workload.name, "namespace": workload.namespace});
            fields.insert("metadata".to_owned(), metadata);
        }
        value
    }

    /// Writes the object with the hook, unless its definition drops that.
    async fn replace(
        &self,
        applier: &Applier,
        object: &Value,
        mode: DryRun,
    ) -> Result<Change, Failure> {
        let change = self.change();
        if change == Change::Unchanged {
            return Ok(change);
        }
        let mut changed = object.clone();
        for one in &self.containers {
            let Some(Value::Object(container)) = changed.pointer_mut(&one.pointer) else {
                continue;
            };
            let lifecycle = container.entry("lifecycle").or_insert(Value::Null);
            if !lifecycle.is_object() {
                *lifecycle = json!({});
            }
            if let Value::Object(lifecycle) = lifecycle {
                lifecycle.insert("postStart".to_owned(), self.post_start().clone());
            }
        }
        let stored = applier.replace(&changed, true).await?;
        let command = self.post_start().pointer("/exec/command");
        let has = |one: &Container| {
            stored.pointer(&format!("{}{POST_START}/exec/command", one.pointer)) == command
        };
        if let Some(dropped) = self.containers.iter().find(|one| !has(one)) {
            return Err(Failure::Missing(format!(
                "failed to add the hook to {}: the definition of its kind drops \
                 {}.lifecycle.postStart, so its pods cannot have one; start the program of the image \
                 by a script that waits (--print-lifecycle shows how)",
                shown(object),
                dotted(&dropped.pointer)
            )));
        }
        if mode == DryRun::None {
            applier.replace(&changed, false).await?;
        }
        Ok(change)
    }

    fn post_start(&self) -> &Value {
        self.hook.get("postStart").unwrap_or(&Value::Null)
    }

    /// What it changes, without asking the server.
    fn change(&self) -> Change {
        let becomes = self.post_start();
        let differences: Vec<Difference> = self
            .containers
            .iter()
            .filter(|one| one.was.as_ref() != Some(becomes))
            .map(|one| Difference {
                path: format!("{}.lifecycle.postStart", dotted(&one.pointer)),
                was: one.was.clone(),
                becomes: Some(becomes.clone()),
            })
            .collect();
        if differences.is_empty() { Change::Unchanged } else { Change::Changed(differences) }
    }
}
