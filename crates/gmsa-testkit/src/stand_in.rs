//! A stand-in for the node and the Service of an installed webhook: it starts the processes that a
//! Deployment's pods ask for, keeps the pods' status, and listens at the Service's address.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::StatusCode;
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::{Node, Pod, Secret, Service, ServiceAccount};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt as _};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::components::write_kubeconfig;
use crate::control_plane::ControlPlane;
use crate::https::Https;
use crate::server::Server;

const NODE: &str = "stand-in";
const SECRET: &str = "gmsa-webhook-certificates";
/// The label by which the Service finds its pods; pods of others are not run.
const LABEL: &str = "app.kubernetes.io/name";
const POLL: Duration = Duration::from_millis(100);

type Ready = Arc<Mutex<Vec<SocketAddr>>>;
type Servers = Arc<tokio::sync::Mutex<HashMap<String, Server>>>;

/// Runs the pods of one namespace; all ends when it is dropped.
pub struct StandIn {
    servers: Servers,
    tasks: Vec<JoinHandle<()>>,
}

/// What a stand-in runs.
#[derive(Clone)]
pub struct Workload {
    /// The namespace of the pods.
    pub namespace: String,
    /// The service account, Service and container, which have one name.
    pub name: String,
    /// The program in place of the image.
    pub program: PathBuf,
    /// Further arguments of the program.
    pub args: Vec<String>,
    /// What is wrong, if anything is.
    pub problem: Option<Problem>,
}

/// What keeps a workload from answering.
#[derive(Clone)]
pub enum Problem {
    /// The image cannot be pulled, and why.
    Image(String),
    /// No node takes the pods, and why.
    Unscheduled(String),
    /// Connections to the Service lead nowhere.
    Unreachable,
}

impl StandIn {
    /// Starts it; the namespace may not be there yet.
    pub async fn start(plane: &ControlPlane, workload: Workload) -> Self {
        let client = plane.client().await;
        let nodes: Api<Node> = Api::all(client.clone());
        let node = json!({"metadata": {"name": NODE, "labels": {"kubernetes.io/os": "linux"}}});
        let node: Node = serde_json::from_value(node).unwrap();
        // Another stand-in may have made it.
        let _ = nodes.create(&PostParams::default(), &node).await;
        let servers = Servers::default();
        let ready = Ready::default();
        let kubelet = Kubelet {
            client: client.clone(),
            workload: workload.clone(),
            servers: Arc::clone(&servers),
            ready: Arc::clone(&ready),
            url: plane.url(),
            authority: plane.dir().join("ca.crt"),
            files: tempfile::tempdir().unwrap(),
        };
        let tasks = vec![tokio::spawn(kubelet.run()), tokio::spawn(proxy(client, workload, ready))];
        Self { servers, tasks }
    }

    /// Kills one replica without a warning, as a node that is lost.
    pub async fn kill_one(&self) {
        let servers = self.servers.lock().await;
        servers.values().next().expect("a replica runs").signal("KILL");
    }

    /// How many replicas run.
    pub async fn running(&self) -> usize {
        self.servers.lock().await.len()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

struct Kubelet {
    client: Client,
    workload: Workload,
    servers: Servers,
    ready: Ready,
    url: String,
    authority: PathBuf,
    files: TempDir,
}

impl Kubelet {
    async fn run(self) {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &self.workload.namespace);
        let ours = ListParams::default().labels(&format!("{LABEL}={}", self.workload.name));
        loop {
            // An API server that is away for a moment comes back.
            if let Ok(list) = pods.list(&ours).await {
                for pod in &list.items {
                    self.pod(&pods, pod).await;
                }
                self.endpoints(&list.items).await;
            }
            tokio::time::sleep(POLL).await;
        }
    }

    async fn pod(&self, pods: &Api<Pod>, pod: &Pod) {
        let name = pod.name_any();
        if pod.metadata.deletion_timestamp.is_some() {
            let server = self.servers.lock().await.remove(&name);
            let pods = pods.clone();
            tokio::spawn(async move {
                if let Some(mut server) = server {
                    server.signal("TERM");
                    server.ended().await;
                }
                let _ = pods.delete(&name, &DeleteParams::default().grace_period(0)).await;
            });
            return;
        }
        if let Some(Problem::Unscheduled(why)) = &self.workload.problem {
            let status = json!({"status": {"phase": "Pending", "conditions": [
                {"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                    "message": why, "lastTransitionTime": "2020-01-01T00:00:00Z"}]}});
            let _ = pods.patch_status(&name, &PatchParams::default(), &Patch::Merge(status)).await;
            return;
        }
        if pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_none()) {
            let binding = json!({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name},
                "target": {"apiVersion": "v1", "kind": "Node", "name": NODE}});
            let _: Result<serde_json::Value, _> =
                pods.create_subresource("binding", &name, &PostParams::default(), &binding).await;
        }
        if let Some(Problem::Image(why)) = &self.workload.problem {
            let state = json!({"waiting": {"reason": "ImagePullBackOff", "message": why}});
            self.status(pods, &name, "Pending", false, &state).await;
            return;
        }
        if !self.servers.lock().await.contains_key(&name)
            && let Some(server) = self.launch(pod).await
        {
            self.servers.lock().await.insert(name.clone(), server);
        }
    }

    async fn launch(&self, pod: &Pod) -> Option<Server> {
        let accounts: Api<ServiceAccount> =
            Api::namespaced(self.client.clone(), &self.workload.namespace);
        let request = TokenRequest::default();
        let token = accounts
            .create_token_request(&self.workload.name, &PostParams::default(), &request)
            .await
            .ok()?;
        let kubeconfig = self.files.path().join(pod.name_any());
        let credentials = json!({"token": token.status?.token});
        write_kubeconfig(&kubeconfig, &self.url, &self.authority, &credentials);
        let container = pod.spec.as_ref()?.containers.first()?;
        let mut args: Vec<String> = container
            .args
            .iter()
            .flatten()
            .filter(|arg| !arg.starts_with("--https-port"))
            .cloned()
            .collect();
        args.push(format!("--kubeconfig={}", kubeconfig.display()));
        args.push(format!("--namespace={}", self.workload.namespace));
        args.extend(self.workload.args.iter().cloned());
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        Some(Server::start(self.workload.program.to_str().unwrap(), &args, &[]).await)
    }

    /// Asks the replicas whether they are ready, and tells the pods' status and the Service.
    async fn endpoints(&self, listed: &[Pod]) {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &self.workload.namespace);
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), &self.workload.namespace);
        let secret = secrets.get_opt(SECRET).await.ok().flatten();
        let ca = secret
            .and_then(|secret| secret.data?.remove("ca.crt"))
            .and_then(|ca| String::from_utf8(ca.0).ok());
        let mut ready = Vec::new();
        let mut dead = Vec::new();
        let mut servers = self.servers.lock().await;
        for (name, server) in servers.iter_mut() {
            if !server.is_running() {
                dead.push(name.clone());
                continue;
            }
            let Some(ca) = &ca else { continue };
            let service = format!("{}.{}.svc", self.workload.name, self.workload.namespace);
            let https = Https::new(server.https, ca).called(&service);
            let answer = https.get("/readyz").await;
            let is_ready = answer.is_ok_and(|answer| answer.status == StatusCode::OK);
            if is_ready {
                ready.push(server.https);
            }
            let known = listed.iter().find(|pod| pod.name_any() == *name).is_some_and(is_ready_pod);
            if known != is_ready {
                self.status(&pods, name, "Running", is_ready, &json!({"running": {}})).await;
            }
        }
        for name in dead {
            servers.remove(&name);
            self.status(&pods, &name, "Running", false, &json!({"running": {}})).await;
        }
        *self.ready.lock().unwrap() = ready;
    }

    async fn status(
        &self,
        pods: &Api<Pod>,
        name: &str,
        phase: &str,
        ready: bool,
        state: &serde_json::Value,
    ) {
        let text = if ready { "True" } else { "False" };
        let conditions: Vec<_> = ["Ready", "ContainersReady", "PodScheduled"]
            .into_iter()
            .map(|kind| {
                json!({"type": kind, "status": if kind == "PodScheduled" { "True" } else { text },
                    "lastTransitionTime": "2020-01-01T00:00:00Z"})
            })
            .collect();
        let status = json!({"status": {"phase": phase, "conditions": conditions,
            // Of a range that leads nowhere: connections go by the proxy.
            "podIP": "192.0.2.1", "podIPs": [{"ip": "192.0.2.1"}],
            "containerStatuses": [{"name": "webhook", "image": "stand-in", "imageID": "stand-in",
                "ready": ready, "restartCount": 0, "state": state}]}});
        // The pod may be gone by now.
        let _ = pods.patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await;
    }
}

fn is_ready_pod(pod: &Pod) -> bool {
    pod.status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten())
        .any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// Listens at the Service's address and port, and passes connections to the ready replicas in turn.
/// A Service that is made anew has another address.
async fn proxy(client: Client, workload: Workload, ready: Ready) {
    let services: Api<Service> = Api::namespaced(client, &workload.namespace);
    let mut connections = JoinSet::new();
    loop {
        let Some(address) = service_address(&services, &workload.name).await else {
            tokio::time::sleep(POLL).await;
            continue;
        };
        // Whoever had the address before may still be there.
        let Ok(listener) = TcpListener::bind(address).await else {
            tokio::time::sleep(POLL).await;
            continue;
        };
        let moved = async {
            loop {
                tokio::time::sleep(POLL).await;
                if service_address(&services, &workload.name).await != Some(address) {
                    break;
                }
            }
        };
        tokio::select! {
            () = moved => {}
            () = accept(&listener, &workload, &ready, &mut connections) => {}
        }
    }
}

/// Where the Service listens, if it is the one that finds our pods.
async fn service_address(services: &Api<Service>, name: &str) -> Option<SocketAddr> {
    let spec = services.get_opt(name).await.ok()??.spec?;
    let is_ours = spec.selector?.get(LABEL).is_some_and(|label| label == name);
    is_ours.then_some(SocketAddr::new(spec.cluster_ip?.parse().ok()?, 443))
}

async fn accept(
    listener: &TcpListener,
    workload: &Workload,
    ready: &Ready,
    connections: &mut JoinSet<()>,
) {
    let mut turn = 0;
    while let Ok((mut incoming, _)) = listener.accept().await {
        if matches!(workload.problem, Some(Problem::Unreachable)) {
            connections.spawn(async move {
                // Until the other side gives up.
                let _ = tokio::io::copy(&mut incoming, &mut tokio::io::sink()).await;
            });
            continue;
        }
        let target = {
            let ready = ready.lock().unwrap();
            turn += 1;
            ready.get(turn % ready.len().max(1)).copied()
        };
        // Without endpoints the connection is refused, as by kube-proxy.
        let Some(target) = target else { continue };
        connections.spawn(async move {
            if let Ok(mut outgoing) = TcpStream::connect(target).await {
                let _ = copy_bidirectional(&mut incoming, &mut outgoing).await;
            }
        });
    }
}
