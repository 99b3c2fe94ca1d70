//! Faults of finding and reaching a domain controller, a service or a plug-in.

use super::Fault;
use crate::windows::codes::Topic;

pub(super) const NETWORK_PATH: Fault = Fault {
    topic: Topic::Identity,
    meaning: "A machine on the network was not found by its name, or does not answer on SMB.",
    remedy: "Check DNS and TCP port 445; see whether the share works by address and not by name.",
    on_node: None,
};

pub(super) const NETWORK_DENIED: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The network refused access.",
    remedy: "Check the rights of the account on the share, and that NTLM is not needed for the name in use.",
    on_node: None,
};

pub(super) const PARAMETER: Fault = Fault {
    topic: Topic::Identity,
    meaning: "A parameter is not valid. When a container is created: the contents of the credential spec are empty, or not what Windows understands.",
    remedy: "Check the credential spec (`kubectl gmsa credspec lint NAME`), and that the definition serves `v1` (`kubectl gmsa doctor`, check `crd-versions`).",
    on_node: None,
};

pub(super) const SEMAPHORE: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The other machine did not answer in time.",
    remedy: "Check the ports to the domain controllers.",
    on_node: None,
};

pub(super) const DLL: Fault = Fault {
    topic: Topic::Identity,
    meaning: "A DLL, or a function in it, was not found.",
    remedy: "Check that the program and everything that it needs is in the image.",
    on_node: Some("A file that the plug-in needs is missing: install the plug-in again."),
};

pub(super) const FORMAT: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The program or DLL is not for this Windows, for example 32 bits instead of 64.",
    remedy: "Use a build for 64-bit Windows.",
    on_node: Some("Install the 64-bit build of the plug-in."),
};

pub(super) const CONFLICT: Fault = Fault {
    topic: Topic::Identity,
    meaning: "There is already a connection to that server with other credentials.",
    remedy: "Close the other connection (`net use`), or use another name of the server.",
    on_node: None,
};

pub(super) const REFUSED: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The other machine refused the connection: nothing listens on that port.",
    remedy: "Check the port, and that the service runs there.",
    on_node: None,
};

pub(super) const UNREACHABLE: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The other machine cannot be reached over the network.",
    remedy: "Check the routes and firewalls between the node and that machine.",
    on_node: None,
};

pub(super) const DOWNGRADE: Fault = Fault {
    topic: Topic::Identity,
    meaning: "Windows refused a weaker authentication than expected, commonly because no domain controller could be reached or the service fell back to NTLM.",
    remedy: "Check the ports to the domain controllers, and reach the service by a name that has a service principal name.",
    on_node: None,
};

pub(super) const NO_LOGON_SERVERS: Fault = Fault {
    topic: Topic::Identity,
    meaning: "No logon server could be used: the domain name is not resolved, the ports of the controllers are closed, or netlogon cannot bind to one.",
    remedy: "With a Kerberos ticket in the container reset the secure channel (`kubectl gmsa doctor POD --repair`); without one check DNS (SRV records over UDP and TCP), then the ports to the domain controllers.",
    on_node: Some(
        "Check that the node resolves the domain and reaches its controllers on the ports 53, 88, 135, 389, 445 and 49152 to 65535.",
    ),
};

pub(super) const DOMAIN_INFO: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The domain's information cannot be read: the domain is not reached, or refuses.",
    remedy: "Check DNS and the ports to the domain controllers.",
    on_node: None,
};

pub(super) const NO_DOMAIN: Fault = Fault {
    topic: Topic::Identity,
    meaning: "No such domain, or none of its controllers answers. At the start of a process in nanoserver: Windows knows no domain for the user.",
    remedy: "Check DnsName and NetBiosName in the credential spec, then DNS. In nanoserver run as `NT AUTHORITY\\NetworkService`.",
    on_node: Some(
        "Check that the domain in the plug-in's secret is an FQDN, and that the node finds its controllers by DNS.",
    ),
};

pub(super) const RPC_UNAVAILABLE: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The RPC server is unavailable: on `/parentdomain` no credential spec reached the pod, on `/query` it could not log on.",
    remedy: "On `/parentdomain` check admission and the runtime; on `/query` check DNS, ports and the account, then reset the secure channel.",
    on_node: None,
};

pub(super) const RPC_SETUP: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The RPC server is unavailable while the identity is set up.",
    remedy: "Check the credential spec, and the CCG event log of the node.",
    on_node: None,
};

pub(super) const RPC_BUSY: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The RPC server is too busy.",
    remedy: "Try again; check the load of the domain controllers.",
    on_node: None,
};

pub(super) const RPC_FAILED: Fault = Fault {
    topic: Topic::Identity,
    meaning: "An RPC call failed, or was not made: the service ended, or the connection was cut.",
    remedy: "Try again; read the event log of the service that was called.",
    on_node: None,
};

pub(super) const RPC_AUTH: Fault = Fault {
    topic: Topic::Identity,
    meaning: "RPC could not authenticate: Kerberos or NTLM failed underneath.",
    remedy: "Check the account, the service principal names and the clocks.",
    on_node: None,
};

pub(super) const EPT: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The endpoint mapper of the other machine has no endpoint: the service does not run there, or its high RPC ports are closed.",
    remedy: "Open the TCP ports 135 and 49152 to 65535 to the domain controllers, and see that the service runs.",
    on_node: None,
};

pub(super) const NETLOGON: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The netlogon service does not run.",
    remedy: "Start it: `Start-Service netlogon`; nanoserver does not have it.",
    on_node: None,
};

pub(super) const NO_CONTROLLER: Fault = Fault {
    topic: Topic::Identity,
    meaning: "No domain controller was found for the domain.",
    remedy: "Check the SRV records of the domain (`_ldap._tcp.dc._msdcs.DOMAIN`) and the ports to its controllers.",
    on_node: Some(
        "Check that the node resolves the domain, and that the domain in the plug-in's secret is an FQDN.",
    ),
};

pub(super) const NO_OBJECT: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The directory has no such object.",
    remedy: "Check the name of the account and its domain.",
    on_node: None,
};

pub(super) const LDAP_DOWN: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The directory server does not answer.",
    remedy: "Check the ports 389 and 636 to the domain controllers.",
    on_node: None,
};

pub(super) const DNS_FAILURE: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The DNS server failed to answer.",
    remedy: "Check the DNS server, and what it forwards to.",
    on_node: None,
};

pub(super) const DNS_NAME: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The name does not exist in DNS.",
    remedy: "Check the name, and that the DNS server knows the domain or forwards it.",
    on_node: None,
};

pub(super) const NTLM: Fault = Fault {
    topic: Topic::Identity,
    meaning: "NTLM was needed and is blocked: Kerberos could not be used for the name of the service.",
    remedy: "Reach the service by a name that has a service principal name, not by an address or an alias.",
    on_node: None,
};

pub(super) const NO_AUTHORITY: Fault = Fault {
    topic: Topic::Identity,
    meaning: "No domain controller could be reached to authenticate.",
    remedy: "Check DNS and the ports to the domain controllers.",
    on_node: Some("Check that the node resolves the domain and reaches its controllers."),
};

pub(super) const RUNAS_PROCESS: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The process of a COM server could not be started as the user that it is set to run as.",
    remedy: "Check the user of the COM application in `dcomcnfg`.",
    on_node: Some(
        "The plug-in's COM class runs as a user that cannot start it: give the application in `dcomcnfg` a service account such as NetworkService.",
    ),
};

pub(super) const RUNAS_LOGON: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The user that a COM server is set to run as cannot log on, commonly because it is the interactive user and nobody is logged on.",
    remedy: "Check the user of the COM application in `dcomcnfg`.",
    on_node: Some(
        "The plug-in's COM class runs as a user that cannot log on, commonly the interactive user: give the application in `dcomcnfg` a service account such as NetworkService.",
    ),
};

pub(super) const LAUNCH: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The caller may not start that COM server.",
    remedy: "Check the launch permissions of the COM application in `dcomcnfg`.",
    on_node: Some(
        "Let SYSTEM and NetworkService start the plug-in's COM application: `dcomcnfg`, launch and activation permissions.",
    ),
};

pub(super) const CLASS: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The COM class is not registered.",
    remedy: "Register the component, for 64 bits.",
    on_node: Some(
        "The plug-in's COM class is not registered: install the plug-in again, and compare its class with PluginGUID in the credential spec.",
    ),
};

pub(super) const SERVER_EXEC: Fault = Fault {
    topic: Topic::Identity,
    meaning: "A COM server did not start in time, or failed at its start.",
    remedy: "Read the System event log (DistributedCOM).",
    on_node: Some(
        "The plug-in's COM server does not start: read the System event log (DistributedCOM), and install the plug-in again.",
    ),
};

pub(super) const HCS_JSON: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The Host Compute Service could not read the description of the container.",
    remedy: "Check the credential spec (`kubectl gmsa credspec lint NAME`); update the container runtime.",
    on_node: None,
};
