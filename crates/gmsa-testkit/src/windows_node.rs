//! A stand-in Windows node: a Node object, the pod status of its kubelet, and a server that speaks
//! the kubelet's exec protocol over WebSocket (`v4.channel.k8s.io`) and answers with recordings.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::{SinkExt as _, StreamExt as _};
use http::HeaderValue;
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

use crate::control_plane::ControlPlane;
use crate::pki::Authority;

const POLL: Duration = Duration::from_millis(200);
const BEAT: Duration = Duration::from_secs(2);

/// The result of a command.
#[derive(Clone, Debug)]
pub enum Reply {
    /// It writes this and ends.
    Ends {
        /// The exit code.
        code: i64,
        /// What it writes.
        stdout: Vec<u8>,
        /// What it writes as errors.
        stderr: Vec<u8>,
    },
    /// The runtime cannot start it, in these words.
    NotStarted(String),
    /// It never ends.
    Hangs,
    /// It writes this, then the connection is cut.
    Breaks(Vec<u8>),
}

impl Reply {
    /// A text, and the end.
    pub fn ends(code: i64, stdout: &str) -> Self {
        Self::Ends { code, stdout: stdout.as_bytes().to_vec(), stderr: Vec::new() }
    }

    /// The program is not in the image.
    pub fn absent() -> Self {
        Self::NotStarted(
            "error executing command in container: failed to exec in container: failed to start \
             exec: container encountered an error during hcsshim::System::CreateProcess: failure \
             in a Windows system call: Das System kann die angegebene Datei nicht finden. (0x2)"
                .to_owned(),
        )
    }
}

/// The results of a container's commands; of several replies to one command each is given once,
/// the last again and again.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    replies: BTreeMap<String, Vec<Reply>>,
}

impl Recording {
    /// Adds the next reply to a command.
    #[must_use]
    pub fn says(mut self, command: &str, reply: Reply) -> Self {
        self.replies.entry(command.to_owned()).or_default().push(reply);
        self
    }

    /// Replaces all replies to a command.
    #[must_use]
    pub fn instead(mut self, command: &str, reply: Reply) -> Self {
        self.replies.insert(command.to_owned(), vec![reply]);
        self
    }

    /// The same as files for src/bin/node-helper.rs: only what ends by itself, or hangs.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        let named = |one: char| if one.is_ascii_alphanumeric() { one } else { '_' };
        for (command, replies) in &self.replies {
            let name: String = command.chars().map(named).collect();
            for (call, reply) in replies.iter().enumerate() {
                if let Reply::Ends { code, stdout, stderr } = reply {
                    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                    files.insert(format!("{name}.{call}.code"), code.to_string());
                    files.insert(format!("{name}.{call}.out"), text(stdout));
                    files.insert(format!("{name}.{call}.err"), text(stderr));
                } else if matches!(reply, Reply::Hangs) {
                    files.insert(format!("{name}.{call}.code"), String::new());
                    files.insert(format!("{name}.{call}.hangs"), String::new());
                }
            }
        }
        files
    }

    fn next(&mut self, command: &str) -> Reply {
        match self.replies.get_mut(command) {
            Some(replies) if replies.len() > 1 => replies.remove(0),
            Some(replies) if !replies.is_empty() => replies[0].clone(),
            _ => Reply::absent(),
        }
    }
}

#[derive(Default)]
struct Shared {
    /// By the beginning of a pod's name.
    recordings: Mutex<HashMap<String, Recording>>,
    /// The state of the containers of pods that do not run, by the beginning of a pod's name.
    states: Mutex<HashMap<String, Value>>,
    asked: Mutex<Vec<String>>,
}

/// The node; all ends when it is dropped.
pub struct WindowsNode {
    /// Its name.
    pub name: String,
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

impl WindowsNode {
    /// Makes the node and waits until it is ready.
    pub async fn start(plane: &ControlPlane, name: &str) -> Self {
        let client = plane.client().await;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let node = json!({"metadata": {"name": name, "labels": {
            "kubernetes.io/os": "windows", "kubernetes.io/hostname": name}}});
        let nodes: Api<Node> = Api::all(client.clone());
        nodes.create(&PostParams::default(), &serde_json::from_value(node).unwrap()).await.unwrap();
        let shared = Arc::new(Shared::default());
        let kubelet = Kubelet {
            client,
            name: name.to_owned(),
            port,
            shared: Arc::clone(&shared),
            beaten: None,
        };
        kubelet.beat().await;
        let tasks =
            vec![tokio::spawn(kubelet.run()), tokio::spawn(serve(listener, Arc::clone(&shared)))];
        Self { name: name.to_owned(), shared, tasks }
    }

    /// The results of commands, by the beginning of the pod's name.
    pub fn record(&self, pod: &str, recording: Recording) {
        self.shared.recordings.lock().unwrap().insert(pod.to_owned(), recording);
    }

    /// Keeps the containers of pods whose name begins so in a state, such as `{"waiting": …}`.
    pub fn keep(&self, pod: &str, state: Value) {
        self.shared.states.lock().unwrap().insert(pod.to_owned(), state);
    }

    /// The commands so far, as `POD/CONTAINER: COMMAND`.
    pub fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().unwrap().clone()
    }
}

impl Drop for WindowsNode {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// The entry whose key is the longest beginning of a name.
fn longest<'a, T>(map: &'a mut HashMap<String, T>, name: &str) -> Option<&'a mut T> {
    let fitting = map.iter_mut().filter(|(key, _)| name.starts_with(key.as_str()));
    fitting.max_by_key(|(key, _)| key.len()).map(|(_, value)| value)
}

struct Kubelet {
    client: Client,
    name: String,
    port: u16,
    shared: Arc<Shared>,
    beaten: Option<Instant>,
}

impl Kubelet {
    async fn run(mut self) {
        let pods: Api<Pod> = Api::all(self.client.clone());
        loop {
            if self.beaten.is_none_or(|last| last.elapsed() > BEAT) {
                self.beat().await;
                self.beaten = Some(Instant::now());
            }
            if let Ok(list) = pods.list(&ListParams::default().match_any()).await {
                for pod in list.items {
                    self.pod(&pod).await;
                }
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The kubelet's heartbeat: the node's status, and its lease.
    async fn beat(&self) {
        let now = Timestamp::now();
        let status = json!({"status": {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self.port}},
            // From 1.36 on: without it the API server speaks SPDY.
            "declaredFeatures": ["ExtendWebSocketsToKubelet"],
            "nodeInfo": {"kernelVersion": "10.0.20348.2031", "operatingSystem": "windows",
                "containerRuntimeVersion": "containerd://1.7.1", "machineID": "", "systemUUID": "",
                "bootID": "", "osImage": "Windows Server 2022 Datacenter", "architecture": "amd64",
                "kubeletVersion": "v1.20.2", "kubeProxyVersion": "v1.20.2"},
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady",
                "lastHeartbeatTime": now.to_string(),
                "lastTransitionTime": "2020-01-01T00:00:00Z"}]}});
        let nodes: Api<Node> = Api::all(self.client.clone());
        let _away =
            nodes.patch_status(&self.name, &PatchParams::default(), &Patch::Merge(status)).await;
        let kind = GroupVersionKind::gvk("coordination.k8s.io", "v1", "Lease");
        let resource = ApiResource::from_gvk(&kind);
        let leases: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), "kube-node-lease", &resource);
        let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": self.name},
            "spec": {"holderIdentity": self.name, "renewTime": format!("{now:.6}")}});
        let params = PatchParams::apply("kubelet").force();
        // The namespace may not be there yet.
        let _later = leases.patch(&self.name, &params, &Patch::Apply(lease)).await;
    }

    async fn pod(&self, pod: &Pod) {
        let Some(namespace) = pod.namespace() else { return };
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &namespace);
        let name = pod.name_any();
        let spec = pod.spec.clone().unwrap_or_default();
        let wants_windows = spec
            .node_selector
            .as_ref()
            .is_some_and(|labels| labels.get("kubernetes.io/os").is_some_and(|os| os == "windows"));
        match spec.node_name.as_deref() {
            None if wants_windows && pod.metadata.deletion_timestamp.is_none() => {
                let binding = json!({"apiVersion": "v1", "kind": "Binding",
                    "metadata": {"name": name},
                    "target": {"apiVersion": "v1", "kind": "Node", "name": self.name}});
                let params = PostParams::default();
                let _: Result<Value, _> =
                    pods.create_subresource("binding", &name, &params, &binding).await;
            }
            Some(node) if node == self.name && pod.metadata.deletion_timestamp.is_some() => {
                let _gone = pods.delete(&name, &DeleteParams::default().grace_period(0)).await;
            }
            Some(node) if node == self.name => self.tell(&pods, pod, &name).await,
            _ => {}
        }
    }

    /// Tells once how a pod's containers are.
    async fn tell(&self, pods: &Api<Pod>, pod: &Pod, name: &str) {
        let status = pod.status.clone().unwrap_or_default();
        let told = status.container_statuses.is_some_and(|statuses| !statuses.is_empty());
        if told || status.phase.as_deref() == Some("Failed") {
            return;
        }
        let kept = longest(&mut self.shared.states.lock().unwrap(), name).cloned();
        let runs = kept.is_none();
        let state =
            kept.unwrap_or_else(|| json!({"running": {"startedAt": "2024-01-01T00:00:00Z"}}));
        let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
        let statuses: Vec<Value> = containers
            .map(|container| {
                json!({"name": container.name, "image": container.image, "imageID": "recorded",
                    "ready": runs, "started": runs, "restartCount": 0, "state": state})
            })
            .collect();
        let status = json!({"status": {"phase": if runs { "Running" } else { "Pending" },
            "podIP": "192.0.2.2", "podIPs": [{"ip": "192.0.2.2"}], "containerStatuses": statuses,
            "conditions": [{"type": "Ready", "status": if runs { "True" } else { "False" }},
                {"type": "PodScheduled", "status": "True"}]}});
        let _gone = pods.patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await;
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let acceptor = Authority::new("kubelet").server(&["127.0.0.1"]).acceptor();
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, shared) = (acceptor.clone(), Arc::clone(&shared));
        connections.spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let mut target = String::new();
            #[expect(clippy::result_large_err, reason = "the type is that of the library")]
            let note = |request: &Request, mut response: Response| -> Result<_, ErrorResponse> {
                target = request.uri().to_string();
                let protocol = HeaderValue::from_static("v4.channel.k8s.io");
                response.headers_mut().insert("sec-websocket-protocol", protocol);
                Ok(response)
            };
            let Ok(socket) = accept_hdr_async(stream, note).await else { return };
            answer(socket, &target, &shared).await;
        });
    }
}

/// `/exec/NAMESPACE/POD/CONTAINER?command=…&command=…`
async fn answer<S>(mut socket: WebSocketStream<S>, target: &str, shared: &Shared)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let words: Vec<String> =
        query.split('&').filter_map(|pair| pair.strip_prefix("command=")).map(unescaped).collect();
    let command = words.join(" ");
    let mut parts = path.split('/').skip(3);
    let (pod, container) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    shared.asked.lock().unwrap().push(format!("{pod}/{container}: {command}"));
    let reply = match longest(&mut shared.recordings.lock().unwrap(), pod) {
        Some(recording) => recording.next(&command),
        None => Reply::NotStarted(format!("container not found (\"{container}\")")),
    };
    let frame = |channel: u8, bytes: &[u8]| Message::binary([&[channel], bytes].concat());
    let status = match reply {
        Reply::Hangs => {
            // Until the caller has enough.
            while let Some(Ok(_)) = socket.next().await {}
            return;
        }
        Reply::Breaks(stdout) => {
            let _ = socket.send(frame(1, &stdout)).await;
            return;
        }
        Reply::NotStarted(message) => {
            json!({"metadata": {}, "status": "Failure", "reason": "InternalError",
                "message": message, "code": 500})
        }
        Reply::Ends { code, stdout, stderr } => {
            for (channel, bytes) in [(1, stdout), (2, stderr)] {
                let _ = socket.send(frame(channel, &bytes)).await;
            }
            if code == 0 {
                json!({"metadata": {}, "status": "Success"})
            } else {
                json!({"metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
                    "message": format!("command terminated with non-zero exit code: {code}"),
                    "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]}})
            }
        }
    };
    let _ = socket.send(frame(3, status.to_string().as_bytes())).await;
    let _ = socket.close(None).await;
    while let Some(Ok(_)) = socket.next().await {}
}

/// A value of a query (`application/x-www-form-urlencoded`).
fn unescaped(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits: Vec<u8> = rest.by_ref().take(2).collect();
                let digits = String::from_utf8(digits).unwrap();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap());
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}
