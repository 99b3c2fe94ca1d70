//! Pods that run to their end.

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;

use super::{Kubelet, environment};

impl Kubelet {
    /// Runs the program with the first container's arguments, and sets the pod's status. What it wrote is
    /// the termination message.
    pub(super) async fn run_once(&self, pods: &Api<Pod>, pod: &Pod) {
        let Some(container) = pod.spec.as_ref().and_then(|spec| spec.containers.first()) else {
            return;
        };
        let Some(args) = self.args(pod, container).await else { return };
        let mut command = std::process::Command::new(&self.workload.program);
        command.env_clear().envs(environment(pod, container)).args(args);
        let (pods, name, container) = (pods.clone(), pod.name_any(), container.name.clone());
        tokio::spawn(async move {
            let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
            let output = output.unwrap();
            let text = [output.stdout, output.stderr].concat();
            let phase = if output.status.success() { "Succeeded" } else { "Failed" };
            let ended = json!({"terminated": {"exitCode": output.status.code().unwrap_or(-1),
                "message": String::from_utf8_lossy(&text)}});
            let status = json!({"status": {"phase": phase, "containerStatuses": [
                {"name": container, "image": "stand-in", "imageID": "stand-in", "ready": false,
                    "restartCount": 0, "state": ended}]}});
            // The pod may have been deleted.
            let _ = pods.patch_status(&name, &PatchParams::default(), &Patch::Merge(status)).await;
        });
    }
}
