//! `kubectl gmsa review` as a person runs it, for the tests that look at what it says.

use crate::support::{Ran, plugin, ran};

/// Runs the plugin with this as its standard input.
pub fn run(args: &[&str], stdin: &str) -> Ran {
    ran(plugin(args).env_remove("KUBECONFIG").write_stdin(stdin))
}

/// Runs `review`.
pub fn review(args: &[&str]) -> Ran {
    run(&[&["review"], args].concat(), "")
}
