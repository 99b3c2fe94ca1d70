//! The remedies of faults that last only if the webhook's certificate comes from elsewhere: a server
//! that makes its own certificate fixes them within seconds.

use serde_json::{Value, json};

use super::{Catalogue, Entry};
use crate::doctor_installation::{SECRET, VALIDATING, World, base64, ending, hooks, world};
use gmsa_testkit::pki::Authority;

const CHECKS: [&str; 2] = ["webhook-certificate", "webhook-ca-bundle"];

pub(super) fn entries() -> impl Iterator<Item = Entry> {
    CHECKS.iter().map(|check| (Catalogue::Checks, *check))
}

/// Whether a check advises this.
fn advises(report: &Value, check: &str, says: &str) -> bool {
    report["outcomes"].as_array().unwrap().iter().any(|one| {
        one["check"] == check
            && ["problem", "warning"].map(Value::from).contains(&one["state"])
            && one["next"].as_str().is_some_and(|next| next.contains(says))
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_doctor_advises_for_certificates_works() {
    let Some(world) = world("what_the_doctor_advises_for_certificates_works").await else { return };
    world.healthy().await;
    certificate(&world).await;
    ca_bundle(&world).await;
}

async fn certificate(world: &World) {
    for days in [-1, 3] {
        world.patch(SECRET, &ending(world, days)).await;
        let says = "put a new one into the Secret";
        world
            .until("the certificate ends", |report| advises(report, "webhook-certificate", says))
            .await;
        world.patch(SECRET, &ending(world, 90)).await;
        world.healthy().await;
    }
}

async fn ca_bundle(world: &World) {
    let old = world.get(VALIDATING).await;
    let other = base64(Authority::new("another").pem());
    let mut wrong = hooks(&old, "/clientConfig/caBundle", &other);
    wrong["metadata"] = json!({});
    world.patch(VALIDATING, &wrong).await;
    let says = "which writes the CA of the Secret";
    world.until("the bundle is wrong", |report| advises(report, "webhook-ca-bundle", says)).await;
    let own = base64(world.authority().pem());
    world.patch(VALIDATING, &hooks(&old, "/clientConfig/caBundle", &own)).await;
    world.healthy().await;
}
