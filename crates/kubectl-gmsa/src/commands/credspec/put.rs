//! Where new credential specs go: to standard output, into files, or into the cluster.

use std::path::{Path, PathBuf};

use gmsa_cluster::api::apply::Applier;
use gmsa_core::names::{FIELD_MANAGER, GROUP};
use gmsa_core::printable::printable;
use serde_json::{Value, json};

use super::printed;
use crate::cli::credspec::{Destination, SpecOutput};
use crate::connect;
use crate::credential_spec::name_of;
use crate::failure::Failure;
use crate::output::{file, printer, render};

/// A credential spec, and the objects created with it.
pub struct Made {
    pub spec: Value,
    /// Roles and bindings.
    pub rights: Vec<Value>,
    /// What its name was made from, if that could not be its name: another text may become the same.
    pub name_from: Option<String>,
}

impl Destination {
    /// Whether anything is sent to the cluster.
    pub fn is_cluster(&self) -> bool {
        self.apply.apply && !self.apply.dry_run.is_client()
    }

    /// In which form it is printed or written.
    fn form(&self) -> SpecOutput {
        self.output.unwrap_or(SpecOutput::Yaml)
    }

    /// Refuses a form where nothing is printed in one.
    pub fn refuse_unused(&self) -> Result<(), Failure> {
        if self.output.is_none() || !self.is_cluster() {
            return Ok(());
        }
        Err(Failure::Input(
            "--output does nothing with --apply, which says what it applied: leave one of them out, or add \
             --dry-run=client to print what would be applied"
                .to_owned(),
        ))
    }
}

/// Puts them there. Rights are printed and written; who sends them to the cluster is the caller.
pub fn put(made: &[Made], to: &Destination) -> Result<(), Failure> {
    if to.is_cluster() {
        return send(made, to);
    }
    let Some(path) = &to.out.out else { return printer::data(&document(made, to.form())?) };
    let mut files = Vec::new();
    let is_directory = is_directory(path);
    if is_directory {
        for one in made {
            let file = file_in(path, name_of(&one.spec), to.form());
            files.push((file, document(std::slice::from_ref(one), to.form())?));
        }
    } else {
        files.push((path.clone(), document(made, to.form())?));
    }
    // All of them, before the first is written.
    for (file, _) in &files {
        file::refuse_existing(file, to.out.overwrite)?;
    }
    if is_directory {
        std::fs::create_dir_all(path).map_err(|error| {
            Failure::Input(format!("failed to make the directory {}: {error}", path.display()))
        })?;
    }
    for (file, text) in &files {
        file::write(file, text, to.out.overwrite)?;
        printer::data(&format!("{}\n", file.display()))?;
    }
    Ok(())
}

/// Whether it is a directory, or is written as one that is still to be made.
fn is_directory(path: &Path) -> bool {
    let text = path.as_os_str().to_string_lossy();
    path.is_dir() || text.ends_with(std::path::is_separator)
}

fn file_in(directory: &Path, name: &str, output: SpecOutput) -> PathBuf {
    let extension = match output {
        SpecOutput::Yaml => "yaml",
        SpecOutput::Json | SpecOutput::Credspec => "json",
    };
    directory.join(format!("{name}.{extension}"))
}

/// All of them as one text.
fn document(made: &[Made], output: SpecOutput) -> Result<String, Failure> {
    let objects: Vec<&Value> =
        made.iter().flat_map(|made| std::iter::once(&made.spec).chain(&made.rights)).collect();
    match (objects.as_slice(), output) {
        ([one], output) => printed(one, output),
        (_, SpecOutput::Credspec) => Err(Failure::Input(
            "failed to print several objects as the contents of one credential spec: name a directory \
             with --out, which gets a file for each, and leave out --grant"
                .to_owned(),
        )),
        (objects, SpecOutput::Json) => {
            let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
            render::json("credential spec", &list)
        }
        (objects, SpecOutput::Yaml) => {
            render::documents("credential spec", objects.iter().copied())
        }
    }
}

/// Refuses to change a credential spec that only happens to have the name that another one was given.
async fn refuse_other(applier: &Applier, made: &Made) -> Result<(), Failure> {
    let Some(text) = &made.name_from else { return Ok(()) };
    let live = applier.live(&made.spec).await?;
    if live.is_none_or(|live| live.get("credspec") == made.spec.get("credspec")) {
        return Ok(());
    }
    let name = name_of(&made.spec);
    Err(Failure::Cluster(format!(
        "failed to apply GMSACredentialSpec \"{name}\", as \"{}\" would be called: there is one with other \
         contents, and nothing was changed; if you mean that one, name it {name}, otherwise give another \
         name",
        printable(text)
    )))
}

fn send(made: &[Made], to: &Destination) -> Result<(), Failure> {
    connect::block_on(async {
        let client = connect::connect(&to.cluster).await?;
        let applier = Applier::new(client, FIELD_MANAGER, to.apply.force_conflicts);
        // All of them, before the first is applied.
        for made in made {
            refuse_other(&applier, made).await?;
        }
        for made in made {
            let name = name_of(&made.spec);
            if let Some(path) = applier.dropped(&made.spec).await? {
                return Err(Failure::Cluster(format!(
                    "failed to apply GMSACredentialSpec \"{name}\": the cluster's \
                     CustomResourceDefinition does not know {path} and would drop it, so it is too \
                     old; run kubectl gmsa install --force-conflicts, or apply deploy/crd.yaml, and \
                     then run this again"
                )));
            }
            let dry_run = if to.apply.dry_run.is_server() {
                " (server dry run)"
            } else {
                applier.apply(&made.spec).await?;
                ""
            };
            printer::data(&format!("gmsacredentialspec.{GROUP}/{name} applied{dry_run}\n"))?;
        }
        Ok(())
    })
}
