//! One control plane and one domain controller for a whole test run.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::binaries::{self, Binaries};
use crate::clock::Clock;
use crate::cluster::Cluster;
use crate::components::Layout;
use crate::control_plane::{ControlPlane, Options, client};
use crate::domain_controller::{self, DomainController};
use crate::process::{POLL, tail};
use crate::requests::{has_service_account, is_ready};
use crate::run::Run;

/// A machine that builds at the same time may be slow.
const START: Duration = Duration::from_mins(3);

/// What the processes of a run share about the control plane.
#[derive(Serialize, Deserialize)]
struct State {
    kubeconfig: PathBuf,
    url: String,
    authority: PathBuf,
    version: (u32, u32),
}

/// The control plane of this test run, started if this is the first test that asks for it. None if
/// the programs are missing: the test is then skipped by name, or fails where `CI=true`.
pub async fn cluster(test: &str) -> Option<Cluster> {
    let binaries = binaries::find(test)?;
    let run = Run::current("control-plane");
    let state = run.state(|| start(&run, binaries)).await;
    let client = client(&state.kubeconfig).await;
    Some(Cluster::new(client, state.kubeconfig, state.authority, state.url, state.version))
}

/// The same on a control plane that no other test sees, for tests of what a whole cluster is asked: others
/// register webhooks on the shared one. It ends with the first of the pair.
pub async fn separate_cluster(test: &str) -> Option<(ControlPlane, Cluster)> {
    let options = Options { with_controller_manager: true, ..Options::default() };
    let plane = ControlPlane::start_private(test, options).await?;
    let (kubeconfig, authority) = (plane.kubeconfig_path(), plane.dir().join("ca.crt"));
    let client = plane.client().await;
    let cluster = Cluster::new(client, kubeconfig, authority, plane.url(), plane.version());
    Some((plane, cluster))
}

/// The domain controller of this test run, started if this is the first test that asks for it. None
/// if there is no Samba: the test is then skipped by name, or fails where `CI=true`.
pub async fn domain_controller(test: &str) -> Option<DomainController> {
    separate_domain_controller(test, "domain-controller").await
}

/// A second controller, of the same domain in another world, for tests that do to it what others
/// must not see. It is known by its name.
pub async fn separate_domain_controller(
    test: &str,
    name: &'static str,
) -> Option<DomainController> {
    let template = domain_controller::find(test)?;
    let run = Run::current(name);
    Some(run.state(|| DomainController::start(&run, &template, None)).await)
}

/// A second controller, whose clock the test moves.
pub async fn domain_controller_with_clock(
    test: &str,
    name: &'static str,
) -> Option<DomainController> {
    let template = domain_controller::find(test)?;
    let library = Clock::find(test)?;
    let run = Run::current(name);
    Some(run.state(|| DomainController::start(&run, &template, Some(library))).await)
}

/// The controller of the large domain, whose NetBIOS name differs from its first DNS label, of this test
/// run.
pub async fn large_domain_controller(test: &str) -> Option<DomainController> {
    separate_large_domain_controller(test, "big-dc").await
}

/// A second controller of the large domain, in another world.
pub async fn separate_large_domain_controller(
    test: &str,
    name: &'static str,
) -> Option<DomainController> {
    let template = domain_controller::find_large(test)?;
    let run = Run::current(name);
    Some(run.state(|| DomainController::start(&run, &template, None)).await)
}

async fn start(run: &Run, binaries: Binaries) -> State {
    let dir = run.peer_dir();
    let layout = Layout::new(&dir, binaries, Vec::new());
    let kubeconfig = layout.kubeconfig("admin");
    let client = client(&kubeconfig).await;
    run.start_component(&layout.etcd(), &layout.log("etcd"));
    let log = layout.log("kube-apiserver");
    run.start_component(&layout.api_server(), &log);
    let start = Instant::now();
    while !is_ready(&client).await {
        assert!(start.elapsed() < START, "the API server is not ready: {}", tail(&log));
        tokio::time::sleep(POLL).await;
    }
    let log = layout.log("kube-controller-manager");
    run.start_component(&layout.controller_manager(), &log);
    while !has_service_account(&client, "default").await {
        assert!(start.elapsed() < START, "no default service account: {}", tail(&log));
        tokio::time::sleep(POLL).await;
    }
    State { kubeconfig, url: layout.url(), authority: dir.join("ca.crt"), version: layout.version }
}
