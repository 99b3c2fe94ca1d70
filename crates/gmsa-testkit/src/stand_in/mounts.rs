//! Secrets that pods mount, as files.

use std::path::PathBuf;

use k8s_openapi::api::core::v1::{Container, Pod, Secret};
use kube::ResourceExt as _;
use kube::api::Api;

use super::Kubelet;

impl Kubelet {
    /// Where a container mounts Secrets, and where their files are; none until all are there.
    pub(super) async fn mounts(
        &self,
        pod: &Pod,
        container: &Container,
    ) -> Option<Vec<(String, PathBuf)>> {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), &self.workload.namespace);
        let mut mounts = Vec::new();
        for volume in pod.spec.as_ref()?.volumes.iter().flatten() {
            let Some(source) = &volume.secret else { continue };
            let mut of_container = container.volume_mounts.iter().flatten();
            let Some(mount) = of_container.find(|mount| mount.name == volume.name) else {
                continue;
            };
            let secret = secrets.get_opt(source.secret_name.as_deref()?).await.ok()??;
            let directory = self.files.path().join(format!("{}-{}", pod.name_any(), volume.name));
            std::fs::create_dir_all(&directory).unwrap();
            for (key, value) in secret.data.unwrap_or_default() {
                std::fs::write(directory.join(key), value.0).unwrap();
            }
            mounts.push((mount.mount_path.clone(), directory));
        }
        Some(mounts)
    }
}

/// An argument with the paths of this machine.
pub(super) fn moved(arg: &str, mounts: &[(String, PathBuf)]) -> String {
    mounts.iter().fold(arg.to_owned(), |arg, (path, directory)| {
        arg.replace(path.as_str(), &directory.display().to_string())
    })
}
