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
    let workload = workload(&object, &namespace)?;
    let next = workload.pod(&object);
    let next_text = next.to_string();
    let pod = read(&next_text, asked)?;
    let wanted = wanted(&object, &workload, &pod, args)?;
    if wanted.containers.is_empty() {
        return Err(Failure::Missing(format!(
            "failed to add the hook to {}: none of its containers has a credential spec",
            shown(&object)
        )));
    }
    let by_name = specs(&objects).await?.map_err(Failure::Cluster)?;
    let mut simulator = Simulator::new(client.clone(), &by_name);
    let walked = simulator.walk(&next, &pod, &namespace).await.map_err(Failure::cluster)?;
    if let Some(denial) = walked.decision.denials().first() {
        return Err(Failure::Missing(format!(
            "failed to add the hook to {}: its pods would be denied, hook or not: {}",
            shown(&object),
            denial.message
        )));
    }
    let patch = wanted.patch(&object, &workload);
    // Forced, because it was checked above that no other manager's hook is replaced.
    let applier = Applier::new(client.clone(), FIELD_MANAGER, true);
    let (change, note) = match args.dry_run.mode {
        DryRun::Client => (wanted.change(&workload), " (client dry run)"),
        DryRun::Server => (applier.compare(&patch).await?, " (server dry run)"),
        DryRun::None => (applier.apply(&patch).await?, ""),
    };
    printer::data(&changes(&object, &change, note))?;
    if !args.dry_run.is_set() && change != Change::Unchanged {
        printer::note("its pods are replaced by new ones, which wait for the secure channel");
        let (kind, name) = (text(&object, "/kind").to_lowercase(), text(&object, "/metadata/name"));
        next::step(&args.connect, &["doctor", &format!("{kind}/{name}"), "-n", &namespace]);
    }
    Ok(0)
}

/// The workload, if its template can be changed.
fn workload(object: &Value, namespace: &str) -> Result<Workload, Failure> {
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
    Workload::of(object, namespace).ok_or_else(|| refused("it makes no pods"))
}

fn hook_of(args: &Doctor) -> Value {
    json!({"postStart": {"exec": {"command": hook::command(args.lifecycle_tries)}}})
}

/// The containers that are to have the hook.
struct Wanted {
    /// Index, name and current hook of each.
    containers: Vec<(usize, String, Option<Value>)>,
    hook: Value,
}

fn wanted(
    object: &Value,
    workload: &Workload,
    pod: &Pod<'_>,
    args: &Doctor,
) -> Result<Wanted, Failure> {
    let mut containers = Vec::new();
    let own = identities(pod)
        .filter(|one| one.container.kind == PlaceKind::Container && !one.host_process);
    for identity in own {
        let index = identity.container.index;
        let path = format!("{}/spec/containers/{index}/lifecycle/postStart", workload.template);
        let existing = object.pointer(&path).filter(|hook| !hook.is_null());
        if let Some(existing) = existing {
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
        containers.push((index, identity.container.name.to_owned(), existing.cloned()));
    }
    Ok(Wanted { containers, hook: hook_of(args) })
}

impl Wanted {
    /// The fields that we set and nothing else, for a server-side apply.
    fn patch(&self, object: &Value, workload: &Workload) -> Value {
        let containers: Vec<Value> = self
            .containers
            .iter()
            .map(|(_, name, _)| json!({"name": name, "lifecycle": self.hook}))
            .collect();
        let mut value = json!({"spec": {"containers": containers}});
        for key in workload.template.split('/').rev().filter(|key| !key.is_empty()) {
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

    /// What it changes, without asking the server.
    fn change(&self, workload: &Workload) -> Change {
        let becomes = self.hook.get("postStart");
        let template = dotted(&workload.template);
        let differences: Vec<Difference> = self
            .containers
            .iter()
            .filter(|(_, _, was)| was.as_ref() != becomes)
            .map(|(index, _, was)| Difference {
                path: format!("{template}.spec.containers[{index}].lifecycle.postStart"),
                was: was.clone(),
                becomes: becomes.cloned(),
            })
            .collect();
        if differences.is_empty() { Change::Unchanged } else { Change::Changed(differences) }
    }
}
