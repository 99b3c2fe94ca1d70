//! What the tests of an installation share.

use std::path::Path;

use gmsa_cluster::install::NAME;
use gmsa_testkit::stand_in::Workload;

/// The webhook as an installation runs it, by the program that was built beside the plugin.
pub fn webhook() -> Workload {
    let program = Path::new(env!("CARGO_BIN_EXE_kubectl-gmsa")).with_file_name("gmsa-webhook");
    assert!(program.is_file(), "run `cargo build -p gmsa-webhook` first");
    Workload {
        namespace: NAME.to_owned(),
        name: NAME.to_owned(),
        program,
        args: vec!["--drain=1".to_owned(), "--ca-overlap=1".to_owned()],
        image_problem: None,
    }
}
