//! Faults that have nothing to do with the identity of a container.

use super::Fault;
use crate::windows::codes::Topic;

pub(super) const SUCCESS: Fault = Fault {
    topic: Topic::General,
    meaning: "It worked.",
    remedy: "For nltest, check both the connection status and the trust verification line.",
    on_node: None,
};

pub(super) const FILE: Fault = Fault {
    topic: Topic::General,
    meaning: "A file, a folder or a program does not exist.",
    remedy: "Check the path that the message names.",
    on_node: Some(
        "A file of the plug-in or of the container is missing: reinstall the plug-in, or pull the image again.",
    ),
};

pub(super) const MEMORY: Fault = Fault {
    topic: Topic::General,
    meaning: "Not enough memory.",
    remedy: "Give the container or the node more memory.",
    on_node: None,
};

pub(super) const INVALID_DATA: Fault = Fault {
    topic: Topic::General,
    meaning: "The data cannot be used.",
    remedy: "Check the input that the message names.",
    on_node: None,
};

pub(super) const DEVICE: Fault = Fault {
    topic: Topic::General,
    meaning: "A device does not work.",
    remedy: "Restart the service or the node that reports it.",
    on_node: None,
};

pub(super) const UNSUPPORTED: Fault = Fault {
    topic: Topic::General,
    meaning: "The request is not supported.",
    remedy: "Check the versions of Windows and of the container runtime.",
    on_node: None,
};

pub(super) const NET_DELETED: Fault = Fault {
    topic: Topic::General,
    meaning: "The other side closed the connection.",
    remedy: "Try again; check the firewalls between the two machines.",
    on_node: None,
};

pub(super) const NET_NAME: Fault = Fault {
    topic: Topic::General,
    meaning: "The share does not exist on that machine.",
    remedy: "Check the name of the share.",
    on_node: None,
};

pub(super) const SERVICE_TIMEOUT: Fault = Fault {
    topic: Topic::General,
    meaning: "A service did not start in time.",
    remedy: "Read the System event log for the service.",
    on_node: None,
};

pub(super) const NO_SERVICE: Fault = Fault {
    topic: Topic::General,
    meaning: "The service is not installed.",
    remedy: "Install it; nanoserver has no netlogon service.",
    on_node: None,
};

pub(super) const NOT_FOUND: Fault = Fault {
    topic: Topic::General,
    meaning: "What was looked for does not exist.",
    remedy: "See what the message names.",
    on_node: None,
};

pub(super) const PRIVILEGE: Fault = Fault {
    topic: Topic::General,
    meaning: "The process does not have the privilege for this.",
    remedy: "Run it as an administrator.",
    on_node: None,
};

pub(super) const TIMEOUT: Fault = Fault {
    topic: Topic::General,
    meaning: "The operation did not finish in time.",
    remedy: "Try again; check the load of the node and its network.",
    on_node: None,
};

pub(super) const UNSUCCESSFUL: Fault = Fault {
    topic: Topic::General,
    meaning: "It failed; the number does not say why.",
    remedy: "Read the event log for the reason.",
    on_node: None,
};

pub(super) const CRASH: Fault = Fault {
    topic: Topic::General,
    meaning: "The process crashed.",
    remedy: "Read the Application event log of the container, and the log of the program.",
    on_node: None,
};

pub(super) const STOPPED: Fault = Fault {
    topic: Topic::General,
    meaning: "The process was ended from outside, as on a shutdown or with Ctrl-C.",
    remedy: "Nothing to do, if it was meant to end.",
    on_node: None,
};

pub(super) const INIT: Fault = Fault {
    topic: Topic::General,
    meaning: "A DLL of the process failed to start; on a busy node the desktop heap or the memory is exhausted.",
    remedy: "Give the container more memory; restart the node if every new process fails.",
    on_node: None,
};

pub(super) const INTERFACE: Fault = Fault {
    topic: Topic::General,
    meaning: "The COM object does not have that interface.",
    remedy: "Check the version of the component.",
    on_node: Some(
        "Check PluginGUID: the class is registered, but is not a plug-in of the Container Credential Guard.",
    ),
};

pub(super) const COM_CALL: Fault = Fault {
    topic: Topic::General,
    meaning: "A COM call failed in the other process.",
    remedy: "Read the event log of that process.",
    on_node: None,
};

pub(super) const HCS_START: Fault = Fault {
    topic: Topic::General,
    meaning: "The container ended while it was being started.",
    remedy: "Read the events of the pod and the Hyper-V-Compute log of the node; with a GMSA check the credential spec too.",
    on_node: None,
};

pub(super) const HCS_IMAGE: Fault = Fault {
    topic: Topic::General,
    meaning: "The image is made for another build of Windows than the node's.",
    remedy: "Use an image of the node's build, or a node of the image's: the label `node.kubernetes.io/windows-build` of the nodes shows theirs.",
    on_node: None,
};

pub(super) const HCS_HYPERV: Fault = Fault {
    topic: Topic::General,
    meaning: "Hyper-V is not installed on the node, and the container is to be isolated by it.",
    remedy: "Install the feature, or run the container without Hyper-V isolation.",
    on_node: None,
};

pub(super) const HCS_STATE: Fault = Fault {
    topic: Topic::General,
    meaning: "The container is not in a state in which this can be done.",
    remedy: "Try again; delete the pod if it stays.",
    on_node: None,
};

pub(super) const HCS_EXIT: Fault = Fault {
    topic: Topic::General,
    meaning: "The container ended unexpectedly; seen when the image's build does not fit the node's.",
    remedy: "Compare the builds of the image and of the node (`node.kubernetes.io/windows-build`); then read the Hyper-V-Compute log of the node.",
    on_node: None,
};

pub(super) const HCS_KILLED: Fault = Fault {
    topic: Topic::General,
    meaning: "The container was ended by force.",
    remedy: "Nothing to do, if it was meant to end.",
    on_node: None,
};

pub(super) const HCS_CONNECT: Fault = Fault {
    topic: Topic::General,
    meaning: "No connection to the container could be made, or it was closed.",
    remedy: "Try again; check the memory and load of the node.",
    on_node: None,
};

pub(super) const HCS_TIMEOUT: Fault = Fault {
    topic: Topic::General,
    meaning: "The container did not answer in time: the node is slow or out of memory, or the image's build does not fit.",
    remedy: "Check the memory and load of the node, and that the image's build fits.",
    on_node: None,
};

pub(super) const HCS_MESSAGE: Fault = Fault {
    topic: Topic::General,
    meaning: "The Host Compute Service and the runtime do not understand each other.",
    remedy: "Update the container runtime and Windows on the node.",
    on_node: None,
};

pub(super) const HCS_GONE: Fault = Fault {
    topic: Topic::General,
    meaning: "The container does not exist any more.",
    remedy: "Nothing to do, if the pod was deleted.",
    on_node: None,
};

pub(super) const HCS_EXISTS: Fault = Fault {
    topic: Topic::General,
    meaning: "A container of that name exists already.",
    remedy: "Restart the container runtime on the node.",
    on_node: None,
};

pub(super) const HCS_LAYER: Fault = Fault {
    topic: Topic::General,
    meaning: "A layer of the image is damaged or missing.",
    remedy: "Remove the image from the node, and pull it again.",
    on_node: None,
};

pub(super) const HCS_SERVICE: Fault = Fault {
    topic: Topic::General,
    meaning: "The Host Compute Service is not available.",
    remedy: "Restart the service `vmcompute` on the node.",
    on_node: None,
};

pub(super) const HCS_DENIED: Fault = Fault {
    topic: Topic::General,
    meaning: "The Host Compute Service denied the operation.",
    remedy: "Check that the container runtime runs as LocalSystem.",
    on_node: None,
};
