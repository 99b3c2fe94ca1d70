//! The plugin as a user runs it.
#![allow(dead_code, reason = "not every test needs all of it")]

pub mod enforcer;
pub mod helm;
pub mod load;
pub mod windows;
pub mod windows_gmsa;
pub mod world;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::process::Output;
use std::time::Instant;

use assert_cmd::Command;
use gmsa_core::names::NAME;
use gmsa_testkit::cluster::Cluster;
use gmsa_testkit::domain_controller::{ADMINISTRATOR, ADMINISTRATOR_PASSWORD, DomainController};
use gmsa_testkit::stand_in::Workload;

pub const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Makes the credential spec of the examples without a directory.
pub const BY_HAND: [&str; 13] = [
    "credspec",
    "create",
    "gmsa-webapp1",
    "--account",
    "WebApp1$",
    "--domain",
    "contoso.com",
    "--netbios",
    "CONTOSO",
    "--sid",
    "S-1-5-21-2126449477-2524075714-3094792973",
    "--guid",
    "244818ae-87ac-4fcd-92ec-e79e5252348a",
];

#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Exit code, standard output and standard error.
    pub fn parts(self) -> (i32, String, String) {
        (self.code, self.stdout, self.stderr)
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code().unwrap(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// A command in an environment that says nothing of a cluster or a directory.
pub fn plugin(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-gmsa"));
    command.current_dir(ROOT).env("KUBECONFIG", "/nonexistent").args(args);
    for name in ["GMSA_DC", "GMSA_DOMAIN", "GMSA_CA", "GMSA_BIND_USER", "GMSA_BIND_PASSWORD"] {
        command.env_remove(name);
    }
    command
}

#[expect(clippy::print_stderr, reason = "the output of a failed test says what took long")]
pub fn ran(command: &mut Command) -> Ran {
    let start = Instant::now();
    let ran = command.output().unwrap().into();
    let args: Vec<_> = command.get_args().map(|arg| arg.to_string_lossy()).collect();
    eprintln!("{}: {:.1} s", args.join(" "), start.elapsed().as_secs_f64());
    ran
}

pub fn run(args: &[&str]) -> Ran {
    ran(&mut plugin(args))
}

/// What a support archive holds, by its names.
pub fn unpacked(file: &Path) -> BTreeMap<String, String> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(file).unwrap()).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut entry = archive.by_index(index).unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            (entry.name().unwrap().into_owned(), text)
        })
        .collect()
}

/// The same with a cluster.
pub fn run_on(kubeconfig: &Path, args: &[&str]) -> Ran {
    ran(plugin(args).env("KUBECONFIG", kubeconfig))
}

/// A command as the administrator of the domain.
pub fn as_administrator(controller: &DomainController, args: &[&str]) -> Command {
    let mut command = plugin(args);
    command
        .env("GMSA_DC", controller.address.to_string())
        .env("GMSA_CA", &controller.ca)
        .env("GMSA_BIND_USER", ADMINISTRATOR)
        .env("GMSA_BIND_PASSWORD", ADMINISTRATOR_PASSWORD);
    command
}

/// The webhook as an installation runs it, by the program that was built beside the plugin.
pub fn webhook() -> Workload {
    let program = Path::new(env!("CARGO_BIN_EXE_kubectl-gmsa")).with_file_name("gmsa-webhook");
    assert!(program.is_file(), "run `cargo build -p gmsa-webhook` first");
    Workload {
        namespace: NAME.to_owned(),
        name: NAME.to_owned(),
        program,
        args: vec!["--drain=1".to_owned(), "--ca-overlap=1".to_owned()],
        problem: None,
    }
}

/// Applies the resource definition.
pub async fn install_definition(cluster: &Cluster) {
    let definition = serde_json::json!(gmsa_cluster::installation::definition::definition());
    cluster.apply(&definition).await;
    // It is served some moments later.
    cluster.api(&gmsa_testkit::objects::credential_spec("any", "Any")).await;
}
