//! Where the programs of the control plane are.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tools::{cache, skip};

/// The programs of one control plane.
#[derive(Clone, Debug)]
pub(crate) struct Binaries {
    dir: PathBuf,
}

impl Binaries {
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn etcd(&self) -> PathBuf {
        self.dir.join("etcd")
    }

    pub(crate) fn api_server(&self) -> PathBuf {
        self.dir.join("kube-apiserver")
    }

    pub(crate) fn controller_manager(&self) -> PathBuf {
        self.dir.join("kube-controller-manager")
    }

    /// Major and minor version. The API server is run to find out, so it is asked once for each start.
    pub(crate) fn version(&self) -> (u32, u32) {
        version(&self.api_server())
    }
}

/// Finds the programs: `KUBEBUILDER_ASSETS`, else the cache. Without them the test is skipped by
/// name, and fails where `CI=true`.
pub(crate) fn find(test: &str) -> Option<Binaries> {
    found(test, &["etcd", "kube-apiserver", "kube-controller-manager"])
}

/// As [`find`], with what runs a node.
pub(crate) fn find_node(test: &str) -> Option<Binaries> {
    let control_plane = ["etcd", "kube-apiserver", "kube-controller-manager"];
    found(test, &[&control_plane[..], &["kube-scheduler", "kubelet", "kube-proxy"]].concat())
}

fn found(test: &str, programs: &[&str]) -> Option<Binaries> {
    match locate(programs) {
        Ok(dir) => Some(Binaries { dir }),
        Err(why) => {
            skip(test, &why);
            None
        }
    }
}

fn locate(programs: &[&str]) -> Result<PathBuf, String> {
    if let Some(dir) = env::var_os("KUBEBUILDER_ASSETS").filter(|dir| !dir.is_empty()) {
        // Kept by the processes of the run, whose working directories differ.
        let dir = std::path::absolute(PathBuf::from(dir)).map_err(|e| e.to_string())?;
        return complete(&dir, programs).map_err(|why| format!("KUBEBUILDER_ASSETS: {why}"));
    }
    let cache = cache().ok_or("neither KUBEBUILDER_ASSETS nor XDG_CACHE_HOME nor HOME is set")?;
    complete(&cache.join("control-plane/1.20.2"), programs)
        .map_err(|why| format!("no control plane: {why}; `make control-plane` builds one"))
}

fn complete(dir: &Path, programs: &[&str]) -> Result<PathBuf, String> {
    for program in programs {
        if !dir.join(program).is_file() {
            return Err(format!("{program} is missing in {}", dir.display()));
        }
    }
    Ok(dir.to_owned())
}

/// Reads `Kubernetes v1.20.2`.
fn version(api_server: &Path) -> (u32, u32) {
    let output = Command::new(api_server).arg("--version").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = text
        .trim()
        .trim_start_matches("Kubernetes v")
        .split(|c: char| !c.is_ascii_digit())
        .map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor),
        _ => panic!("failed to read the version of {}: {text:?}", api_server.display()),
    }
}
