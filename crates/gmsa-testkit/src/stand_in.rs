//! A stand-in for the node and the Service of an installed webhook: it starts the processes that a
//! Deployment's pods ask for, keeps the pods' status, and listens at the Service's address.

pub mod address;
mod front;
mod mounts;
mod once;

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::{Container, Node, Pod, ServiceAccount};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt as _};
use serde_json::json;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::components::write_kubeconfig;
use crate::control_plane::ControlPlane;
use crate::https::Https;
use crate::server::Server;
use front::Front;

const NODE: &str = "stand-in";
/// The address of a pod without its own: nothing is reachable there.
const NOWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(240, 0, 0, 1));
/// The label by which the Service finds its pods; pods of others are not run.
const LABEL: &str = "app.kubernetes.io/name";
const POLL: Duration = Duration::from_millis(100);
/// How often a replica that was ready is asked again; a kubelet asks each every other second.
const PROBE: Duration = Duration::from_secs(1);

type Replicas = Arc<tokio::sync::Mutex<HashMap<String, Replica>>>;

/// A process that runs a pod, and when it last said that it is ready.
struct Replica {
    server: Server,
    ready: Option<Instant>,
}

/// Runs the pods of one namespace; all ends when it is dropped.
pub struct StandIn {
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

/// Why a workload does not answer.
#[derive(Clone)]
pub enum Problem {
    /// Connections to the Service lead nowhere.
    Unreachable,
}

impl StandIn {
    /// Starts it, with a proxy of its own for the Service; the namespace may not be there yet.
    pub async fn start(plane: &ControlPlane, workload: Workload) -> Self {
        let client = plane.client().await;
        let nodes: Api<Node> = Api::all(client.clone());
        let node = json!({"metadata": {"name": NODE, "labels": {"kubernetes.io/os": "linux"}}});
        let node: Node = serde_json::from_value(node).unwrap();
        // Another stand-in may have created it.
        let _ = nodes.create(&PostParams::default(), &node).await;
        let front = Front::default();
        let kubelet = Kubelet {
            client: client.clone(),
            workload: workload.clone(),
            replicas: Replicas::default(),
            front: front.clone(),
            url: plane.url(),
            authority: plane.dir().join("ca.crt"),
            files: tempfile::tempdir().unwrap(),
        };
        let tasks = vec![tokio::spawn(kubelet.run()), tokio::spawn(front.run(client, workload))];
        Self { tasks }
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
    replicas: Replicas,
    front: Front,
    url: String,
    authority: PathBuf,
    files: TempDir,
}

impl Kubelet {
    async fn run(self) {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &self.workload.namespace);
        let mut once = HashSet::new();
        loop {
            // An API server that is away for a moment comes back.
            if let Ok(list) = pods.list(&ListParams::default().match_any()).await {
                // Pods of another installation belong to another stand-in.
                let ours = |pod: &&Pod| pod.labels().get(LABEL) == Some(&self.workload.name);
                for pod in list.items.iter().filter(|pod| is_once(pod) || ours(pod)) {
                    if !is_once(pod) {
                        self.pod(&pods, pod).await;
                    } else if once.insert(pod.uid()) {
                        self.run_once(&pods, pod).await;
                    }
                }
                self.endpoints(&list.items).await;
            }
            tokio::time::sleep(POLL).await;
        }
    }

    async fn pod(&self, pods: &Api<Pod>, pod: &Pod) {
        let name = pod.name_any();
        if pod.metadata.deletion_timestamp.is_some() {
            let replica = self.replicas.lock().await.remove(&name);
            if let Some(Replica { server, .. }) = &replica {
                // The process gets its signal at the moment the endpoints change.
                server.signal("TERM");
                self.front.remove(server.https);
            }
            let pods = pods.clone();
            tokio::spawn(async move {
                if let Some(mut replica) = replica {
                    replica.server.ended().await;
                }
                let _ = pods.delete(&name, &DeleteParams::default().grace_period(0)).await;
            });
            return;
        }
        if pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_none()) {
            let binding = json!({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name},
                "target": {"apiVersion": "v1", "kind": "Node", "name": NODE}});
            let _: Result<serde_json::Value, _> =
                pods.create_subresource("binding", &name, &PostParams::default(), &binding).await;
        }
        if !self.replicas.lock().await.contains_key(&name)
            && let Some(server) = self.launch(pod).await
        {
            self.replicas.lock().await.insert(name.clone(), Replica { server, ready: None });
        }
    }

    async fn launch(&self, pod: &Pod) -> Option<Server> {
        let container = pod.spec.as_ref()?.containers.first()?;
        let mut args = self.args(pod, container).await?;
        let port = |name: &str| {
            let ports = container.ports.iter().flatten();
            let port = ports.clone().find(|port| port.name.as_deref() == Some(name))?;
            u16::try_from(port.container_port).ok()
        };
        let https = port("https").unwrap_or(8443);
        let metrics = port("metrics").unwrap_or(9443);
        // Without an address of its own, ports have to be its own.
        match address::free([https, metrics]) {
            Some(ip) => {
                args.extend([format!("--listen={ip}"), format!("--metrics-port={metrics}")]);
            }
            None => args.retain(|arg| !arg.starts_with("--https-port")),
        }
        args.extend(self.workload.args.iter().cloned());
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let env = environment(pod, container);
        let env: Vec<(&str, &str)> =
            env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Some(Server::start(self.workload.program.to_str().unwrap(), &args, &env).await)
    }

    /// The arguments of a container, and the cluster as its service account sees it.
    async fn args(&self, pod: &Pod, container: &Container) -> Option<Vec<String>> {
        let accounts: Api<ServiceAccount> =
            Api::namespaced(self.client.clone(), &self.workload.namespace);
        let request = TokenRequest::default();
        let account = pod.spec.as_ref()?.service_account_name.as_deref()?;
        let token =
            accounts.create_token_request(account, &PostParams::default(), &request).await.ok()?;
        let kubeconfig = self.files.path().join(pod.name_any());
        let credentials = json!({"token": token.status?.token});
        write_kubeconfig(&kubeconfig, &self.url, &self.authority, &credentials);
        let mounts = self.mounts(pod, container).await?;
        let mut args: Vec<String> =
            container.args.iter().flatten().map(|arg| mounts::moved(arg, &mounts)).collect();
        args.push(format!("--kubeconfig={}", kubeconfig.display()));
        args.push(format!("--namespace={}", self.workload.namespace));
        Some(args)
    }

    /// Probes the replicas, and updates the pods' status and the Service.
    async fn endpoints(&self, listed: &[Pod]) {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &self.workload.namespace);
        let mut ready = Vec::new();
        let mut dead = Vec::new();
        let mut replicas = self.replicas.lock().await;
        for (name, Replica { server, ready: said }) in replicas.iter_mut() {
            if !server.is_running() {
                dead.push(name.clone());
                continue;
            }
            if said.is_none_or(|said| said.elapsed() >= PROBE) {
                // Like a kubelet, which does not verify certificates.
                let answer = Https::trusting(server.https).get("/readyz").await;
                let is_ready = answer.is_ok_and(|answer| answer.status == StatusCode::OK);
                *said = is_ready.then(Instant::now);
            }
            let is_ready = said.is_some();
            if is_ready {
                ready.push(server.https);
            }
            let known = listed.iter().find(|pod| pod.name_any() == *name).is_some_and(is_ready_pod);
            if known != is_ready {
                let ip = server.https.ip();
                self.status(&pods, name, is_ready, ip).await;
            }
        }
        for name in dead {
            let ip = replicas.remove(&name).map_or(NOWHERE, |one| one.server.https.ip());
            self.status(&pods, &name, false, ip).await;
        }
        drop(replicas);
        self.front.set(ready);
    }

    async fn status(&self, pods: &Api<Pod>, name: &str, ready: bool, ip: IpAddr) {
        let ip = if ip.is_loopback() { NOWHERE } else { ip };
        let text = if ready { "True" } else { "False" };
        let conditions: Vec<_> = ["Ready", "ContainersReady", "PodScheduled"]
            .into_iter()
            .map(|kind| {
                json!({"type": kind, "status": if kind == "PodScheduled" { "True" } else { text },
                    "lastTransitionTime": "2020-01-01T00:00:00Z"})
            })
            .collect();
        let status = json!({"status": {"phase": "Running", "conditions": conditions,
            "podIP": ip, "podIPs": [{"ip": ip}],
            "containerStatuses": [{"name": "webhook", "image": "stand-in", "imageID": "stand-in",
                "ready": ready, "restartCount": 0, "state": {"running": {}}}]}});
        // The pod may have been deleted.
        let _ = pods.patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await;
    }
}

fn is_ready_pod(pod: &Pod) -> bool {
    pod.status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten())
        .any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// Whether a pod runs to its end, as that of a helm test does.
fn is_once(pod: &Pod) -> bool {
    let policy = pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref());
    policy == Some("Never")
}

/// The environment of a container: values, and fields of the pod.
fn environment(pod: &Pod, container: &Container) -> Vec<(String, String)> {
    let field = |path: &str| match path {
        "metadata.name" => Some(pod.name_any()),
        "metadata.namespace" => pod.namespace(),
        "metadata.uid" => pod.uid(),
        _ => None,
    };
    let variables = container.env.iter().flatten();
    variables
        .filter_map(|variable| {
            let value = variable
                .value
                .clone()
                .or_else(|| field(&variable.value_from.as_ref()?.field_ref.as_ref()?.field_path))?;
            Some((variable.name.clone(), value))
        })
        .collect()
}
