//! One pod: admission, scheduling, and what is seen from inside.

use kube::Client;

use super::Found;
use crate::cli::Doctor;
use crate::commands::Failure;
use crate::printer;

/// Looks at a pod, or at one of the pods of a workload.
#[expect(clippy::unused_async, reason = "it asks the cluster once it is there")]
pub(super) async fn examine(
    _client: &Client,
    _args: &Doctor,
    target: &str,
) -> Result<Found, Failure> {
    printer::warning(&format!("{target} itself is not looked at by this version"));
    Ok(Found::default())
}

/// Prints the hook that waits for the secure channel, or puts it into the workload.
#[expect(clippy::unused_async, reason = "it asks the cluster once it is there")]
pub(super) async fn lifecycle(_client: &Client, _args: &Doctor) -> Result<u8, Failure> {
    Err(absent("make the hook"))
}

fn absent(what: &str) -> Failure {
    Failure::Input(format!("failed to {what}: this version looks at the cluster's side only"))
}
