//! Whether clocks agree: this machine's, the API server's and the nodes'.

use gmsa_cluster::api::objects::{Objects, kinds};
use gmsa_cluster::api::value::{is_true, text};
use gmsa_core::diagnosis::catalogue::cluster::CLOCK_SKEW;
use gmsa_core::diagnosis::{Confidence, Outcome};
use k8s_openapi::jiff::Timestamp;
use k8s_openapi::jiff::fmt::rfc2822;
use kube::Client;
use kube::api::{GetParams, Request};
use kube::client::Body;
use serde_json::Value;

use super::facts::{Seen, soft};
use super::nodes::is_windows;
use crate::failure::Failure;

/// What Kerberos bears, in seconds (`MaxClockSkew`).
const KERBEROS: i64 = 300;
/// The largest skew of a machine with a working time source, in seconds.
const MUCH: i64 = 60;
/// A kubelet renews its lease every 10 seconds.
const SILENCE: i64 = 120;

/// Compares the clocks.
pub async fn examine(
    client: &Client,
    objects: &Objects,
    nodes: &Seen<Vec<Value>>,
) -> Result<Vec<Outcome>, Failure> {
    let Some(server) = date(client).await else {
        let words = "the API server's answers carry no Date";
        return Ok(vec![Outcome::unknown(&CLOCK_SKEW, words)]);
    };
    let local = Timestamp::now().as_second();
    let mut outcomes = vec![here(local - server)];
    if let (Ok(nodes), Ok(leases)) =
        (nodes, soft(objects.list(kinds::LEASE, Some("kube-node-lease")).await)?)
    {
        for node in nodes.iter().filter(|node| is_windows(node)) {
            let name = text(node, "/metadata/name");
            let lease = leases.iter().find(|lease| text(lease, "/metadata/name") == name);
            let renewed =
                lease.and_then(|lease| text(lease, "/spec/renewTime").parse::<Timestamp>().ok());
            if let Some(renewed) = renewed {
                let outcome = of_node(renewed.as_second() - server, is_true(node, "Ready"));
                outcomes.push(outcome.on(format!("Node {name}")));
            }
        }
    }
    Ok(outcomes)
}

/// The API server's time, in seconds since 1970.
async fn date(client: &Client) -> Option<i64> {
    let request = Request::new("/api/v1/namespaces").get("default", &GetParams::default()).ok()?;
    let response = client.send(request.map(Body::from)).await.ok()?;
    let date = response.headers().get("date")?.to_str().ok()?;
    Some(rfc2822::parse(date).ok()?.timestamp().as_second())
}

fn here(ahead: i64) -> Outcome {
    let words = format!(
        "this machine's clock is {} s {} the API server's",
        ahead.abs(),
        if ahead < 0 { "behind" } else { "ahead of" }
    );
    if ahead.abs() > KERBEROS {
        Outcome::problem(&CLOCK_SKEW, words).sure(Confidence::Likely)
    } else if ahead.abs() > MUCH {
        Outcome::warning(&CLOCK_SKEW, words)
    } else {
        Outcome::ok(&CLOCK_SKEW, "this machine and the API server agree")
    }
}

/// The time that the node wrote, against the API server's. What was written long ago by a node that
/// is ready was written by a clock that is behind.
fn of_node(ahead: i64, ready: bool) -> Outcome {
    if ahead > MUCH {
        let words = format!("its clock is at least {ahead} s ahead of the API server's");
        return if ahead > KERBEROS {
            Outcome::problem(&CLOCK_SKEW, words)
        } else {
            Outcome::warning(&CLOCK_SKEW, words)
        };
    }
    if ready && ahead < -SILENCE {
        let words = format!("its clock seems {} s behind the API server's", -ahead);
        return if ahead < -KERBEROS {
            Outcome::problem(&CLOCK_SKEW, words).sure(Confidence::Likely)
        } else {
            Outcome::warning(&CLOCK_SKEW, words).sure(Confidence::Likely)
        };
    }
    Outcome::ok(&CLOCK_SKEW, "it agrees with the API server's")
}

#[cfg(test)]
mod tests {
    use super::{here, of_node};

    #[test]
    fn five_minutes_are_what_kerberos_bears() {
        for (ahead, state) in [(0, "ok"), (-30, "ok"), (61, "warning"), (-301, "problem")] {
            assert_eq!(here(ahead).state.as_str(), state, "{ahead}");
        }
        for (ahead, ready, state) in [
            (-10, true, "ok"),
            (90, true, "warning"),
            (600, false, "problem"),
            (-200, true, "warning"),
            (-600, true, "problem"),
            (-600, false, "ok"),
        ] {
            assert_eq!(of_node(ahead, ready).state.as_str(), state, "{ahead} {ready}");
        }
    }
}
