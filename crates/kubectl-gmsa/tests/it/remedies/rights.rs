//! The remedies of the denial for a missing right: both commands as they reach their readers. And
//! the remedy for hostnames, as a review with a cluster gives it.

use gmsa_testkit::process::eventually;
use serde_json::Value;

use super::living::{Living, command};
use super::manifests::advice;
use super::{Catalogue, Entry};
use crate::support::windows::{NAMESPACE, SOON};
use gmsa_testkit::objects;
use serde_json::json;

const DENIAL: &str = "not-authorized";

pub(super) fn entries() -> impl Iterator<Item = Entry> {
    [(Catalogue::Denials, DENIAL)].into_iter()
}

/// The line for a shell that has kubectl alone, up to the end of the text's line.
fn line_for_kubectl(text: &str) -> String {
    let at = text.find("echo '{").unwrap_or_else(|| panic!("no line for kubectl in {text:?}"));
    let line = text[at..].lines().next().unwrap();
    line.split(" -> ").next().unwrap().to_owned()
}

impl Living {
    /// A workload whose service account lacks the right.
    async fn lacking(&self, account: &str) {
        self.apply(&json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": account, "namespace": NAMESPACE}}))
            .await;
        let mut pod = objects::pod(NAMESPACE, account, &objects::gmsa(Some("web"), None));
        pod["spec"]["serviceAccountName"] = json!(account);
        self.apply(&objects::deployment(NAMESPACE, account, &pod)).await;
    }

    /// What the ReplicaSet's event says of the refused pods of a workload.
    async fn event(&self, account: &str) -> String {
        eventually("the refusal is an event", SOON, || async {
            let list = self.printed("kubectl get events -n shop -o json").await;
            let list: Value = serde_json::from_str(&list).ok()?;
            list["items"].as_array()?.iter().find_map(|event| {
                let message = event["message"].as_str()?;
                let whose = event["involvedObject"]["name"].as_str()?;
                let is_it = event["reason"] == "FailedCreate"
                    && whose.strip_prefix(account).is_some_and(|rest| rest.starts_with('-'))
                    && message.contains("is not authorized to `use`");
                is_it.then(|| message.to_owned())
            })
        })
        .await
    }

    /// What `review --cluster` says of a workload of the cluster.
    async fn reviewed(&self, account: &str) -> Vec<String> {
        let review = format!(
            "kubectl get deployment {account} -n shop -o json | kubectl gmsa review --cluster -f - -o json"
        );
        let report = self.printed(&review).await;
        advice(&serde_json::from_str(&report).unwrap(), DENIAL)
    }

    async fn has_a_pod(&self, account: &str) {
        // The controller waits longer each time; a change of the workload makes it try at once.
        self.must(&format!("kubectl rollout restart deployment/{account} -n shop")).await;
        eventually("the next pod is admitted", SOON, || async {
            self.pods(&format!("app={account}")).await.into_iter().next()
        })
        .await;
        eventually("the review finds nothing", SOON, || async {
            self.reviewed(account).await.is_empty().then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_advised_for_rights_and_hostnames_works() {
    let test = "what_is_advised_for_rights_and_hostnames_works";
    let Some(world) = Living::new(test).await else { return };
    for (account, from_event, with_plugin) in [
        ("event-plugin", true, true),
        ("event-kubectl", true, false),
        ("review-plugin", false, true),
        ("review-kubectl", false, false),
    ] {
        world.lacking(account).await;
        let event = world.event(account).await;
        let said = if from_event { event } else { world.reviewed(account).await.concat() };
        let command = if with_plugin {
            command(&said, "kubectl gmsa grant")
        } else {
            line_for_kubectl(&said)
        };
        world.shell(&command).await.unwrap_or_else(|error| panic!("{said}\n{error}"));
        world.has_a_pod(account).await;
    }
    shared_hostnames(&world).await;
}

/// Once the cluster makes hostnames, a review with its facts does not report shared ones.
async fn shared_hostnames(world: &Living) {
    let mut pod = objects::pod(NAMESPACE, "web", &objects::gmsa(Some("web"), None));
    pod["spec"]["serviceAccountName"] = json!("web");
    let file = tempfile::NamedTempFile::new().unwrap();
    let deployment = objects::deployment(NAMESPACE, "a-long-name-of-the-web", &pod);
    std::fs::write(file.path(), deployment.to_string()).unwrap();
    let review = format!("kubectl gmsa review --cluster -o json -f {}", file.path().display());
    let found = || async {
        let report = world.printed(&review).await;
        advice(&serde_json::from_str(&report).unwrap(), "shared-hostname-prefix")
    };
    let before = found().await.concat();
    world.must(&command(&before, "kubectl gmsa install")).await;
    assert_eq!(found().await, [""; 0]);
}
