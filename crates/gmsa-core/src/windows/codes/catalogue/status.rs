//! Win32 errors, NTSTATUS and HRESULT. The forms of one fault share one explanation.

use crate::windows::codes::{Entry, Source, Topic};

const WIN32: &str = "https://learn.microsoft.com/openspecs/windows_protocols/ms-erref/18d8fbe8-a967-4f1c-ae50-99ca8e491d2d";
const NTSTATUS: &str = "https://learn.microsoft.com/openspecs/windows_protocols/ms-erref/596a1078-e883-4972-9bbc-49e60bebca55";
const HRESULT: &str = "https://learn.microsoft.com/openspecs/windows_protocols/ms-erref/705fb797-2175-4a90-b5a3-3918024b10b8";
const COMPUTE: &str = "https://learn.microsoft.com/virtualization/api/hcs/reference/hcshresult";

/// What is wrong, whatever number reports it.
struct Fault {
    topic: Topic,
    meaning: &'static str,
    remedy: &'static str,
    on_node: Option<&'static str>,
}

const fn code(number: u32, name: &'static str, reference: &'static str, fault: &Fault) -> Entry {
    Entry {
        source: Source::Api,
        number,
        name,
        topic: fault.topic,
        meaning: fault.meaning,
        remedy: fault.remedy,
        on_node: fault.on_node,
        reference,
    }
}

const SUCCESS: Fault = Fault {
    topic: Topic::General,
    meaning: "It worked.",
    remedy: "For nltest, check both the connection status and the trust verification line.",
    on_node: None,
};

const FILE: Fault = Fault {
    topic: Topic::General,
    meaning: "A file, a folder or a program does not exist.",
    remedy: "Check the path that the message names.",
    on_node: Some(
        "A file of the plug-in or of the container is missing: reinstall the plug-in, or pull the image again.",
    ),
};

const DENIED: Fault = Fault {
    topic: Topic::Identity,
    meaning: "Access denied.",
    remedy: "Run as LocalSystem or NetworkService, and check the rights of the account.",
    on_node: None,
};

const MEMORY: Fault = Fault {
    topic: Topic::General,
    meaning: "Not enough memory.",
    remedy: "Give the container or the node more memory.",
    on_node: None,
};

const INVALID_DATA: Fault = Fault {
    topic: Topic::General,
    meaning: "The data cannot be used.",
    remedy: "Check the input that the message names.",
    on_node: None,
};

const DEVICE: Fault = Fault {
    topic: Topic::General,
    meaning: "A device does not work.",
    remedy: "Restart the service or the node that reports it.",
    on_node: None,
};

const UNSUPPORTED: Fault = Fault {
    topic: Topic::General,
    meaning: "The request is not supported.",
    remedy: "Check the versions of Windows and of the container runtime.",
    on_node: None,
};

const NETWORK_PATH: Fault = Fault {
    topic: Topic::Identity,
    meaning: "A machine on the network was not found by its name, or does not answer on SMB.",
    remedy: "Check DNS and TCP port 445; see whether the share works by address and not by name.",
    on_node: None,
};

const NET_DELETED: Fault = Fault {
    topic: Topic::General,
    meaning: "The other side closed the connection.",
    remedy: "Try again; check the firewalls between the two machines.",
    on_node: None,
};

const NETWORK_DENIED: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The network refused access.",
    remedy: "Check the rights of the account on the share, and that NTLM is not needed for the name in use.",
    on_node: None,
};

const NET_NAME: Fault = Fault {
    topic: Topic::General,
    meaning: "The share does not exist on that machine.",
    remedy: "Check the name of the share.",
    on_node: None,
};

const PARAMETER: Fault = Fault {
    topic: Topic::Identity,
    meaning: "A parameter is not valid. When a container is created: the contents of the credential spec are empty, or not what Windows understands.",
    remedy: "Check the credential spec (`kubectl gmsa credspec lint NAME`), and that the definition serves `v1` (`kubectl gmsa doctor`, check `crd-versions`).",
    on_node: None,
};

const SEMAPHORE: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The other machine did not answer in time.",
    remedy: "Check the ports to the domain controllers.",
    on_node: None,
};

const DLL: Fault = Fault {
    topic: Topic::Identity,
    meaning: "A DLL, or a function in it, was not found.",
    remedy: "Check that the program and everything that it needs is in the image.",
    on_node: Some("A file that the plug-in needs is missing: install the plug-in again."),
};

const FORMAT: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The program or DLL is not for this Windows, for example 32 bits instead of 64.",
    remedy: "Use a build for 64-bit Windows.",
    on_node: Some("Install the 64-bit build of the plug-in."),
};

const SERVICE_TIMEOUT: Fault = Fault {
    topic: Topic::General,
    meaning: "A service did not start in time.",
    remedy: "Read the System event log for the service.",
    on_node: None,
};

const NO_SERVICE: Fault = Fault {
    topic: Topic::General,
    meaning: "The service is not installed.",
    remedy: "Install it; nanoserver has no netlogon service.",
    on_node: None,
};

const SERVICE_LOGON: Fault = Fault {
    topic: Topic::Identity,
    meaning: "A service could not start, because its account could not log on.",
    remedy: "Check the account of the service; a group managed service account is written `DOMAIN\\ACCOUNT$` with an empty password.",
    on_node: None,
};

const NOT_FOUND: Fault = Fault {
    topic: Topic::General,
    meaning: "What was looked for does not exist.",
    remedy: "See what the message names.",
    on_node: None,
};

const CONFLICT: Fault = Fault {
    topic: Topic::Identity,
    meaning: "There is already a connection to that server with other credentials.",
    remedy: "Close the other connection (`net use`), or use another name of the server.",
    on_node: None,
};

const REFUSED: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The other machine refused the connection: nothing listens on that port.",
    remedy: "Check the port, and that the service runs there.",
    on_node: None,
};

const UNREACHABLE: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The other machine cannot be reached over the network.",
    remedy: "Check the routes and firewalls between the node and that machine.",
    on_node: None,
};

const DOWNGRADE: Fault = Fault {
    topic: Topic::Identity,
    meaning: "Windows refused a weaker authentication than expected, commonly because no domain controller could be reached or the service fell back to NTLM.",
    remedy: "Check the ports to the domain controllers, and reach the service by a name that has a service principal name.",
    on_node: None,
};

const NO_LOGON_SERVERS: Fault = Fault {
    topic: Topic::Identity,
    meaning: "No logon server could be used: the domain name is not resolved, the ports of the controllers are closed, or netlogon cannot bind to one.",
    remedy: "With a Kerberos ticket in the container reset the secure channel (`kubectl gmsa doctor POD --repair`); without one check DNS (SRV records over UDP and TCP), then the ports to the domain controllers.",
    on_node: Some(
        "Check that the node resolves the domain and reaches its controllers on the ports 53, 88, 135, 389, 445 and 49152 to 65535.",
    ),
};

const NO_SESSION: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The logon session does not exist or has ended.",
    remedy: "Run the command again as LocalSystem or NetworkService; restart the container if it stays.",
    on_node: None,
};

const PRIVILEGE: Fault = Fault {
    topic: Topic::General,
    meaning: "The process does not have the privilege for this.",
    remedy: "Run it as an administrator.",
    on_node: None,
};

const NO_USER: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The account does not exist.",
    remedy: "Check the name of the account: without a domain, and MachineAccountName without the dollar sign.",
    on_node: Some(
        "The account in the plug-in's secret does not exist in that domain: correct the secret (`domain\\user:password`, with the FQDN of the domain).",
    ),
};

const LOGON: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The user name or password is wrong.",
    remedy: "When a process is started in a container: `runAsUserName` names a user that the image does not have. Otherwise check the account and its password.",
    on_node: Some(
        "The user or password that the plug-in fetched is wrong: correct the secret (`domain\\user:password`, with the FQDN of the domain).",
    ),
};

const RESTRICTION: Fault = Fault {
    topic: Topic::Identity,
    meaning: "A restriction of the account prevents the logon: an empty password, its logon hours, or the workstations that it may use.",
    remedy: "Check the restrictions of the account in Active Directory.",
    on_node: Some(
        "The account in the plug-in's secret may not log on from this node: remove the restriction of its hours or workstations.",
    ),
};

const PASSWORD_EXPIRED: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The password of the account has expired, or must be changed before it can be used.",
    remedy: "Change the password of the account.",
    on_node: Some(
        "The password of the account in the plug-in's secret has expired: set a new one that does not expire, and store it in the secret.",
    ),
};

const ACCOUNT_DISABLED: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The account is disabled.",
    remedy: "Enable the account in Active Directory.",
    on_node: Some("Enable the account that the plug-in's secret names."),
};

const NONE_MAPPED: Fault = Fault {
    topic: Topic::Identity,
    meaning: "A name could not be translated to a SID, or a SID to a name.",
    remedy: "Check the name, and that the domain can be reached; with a GMSA check NetBiosName in the credential spec.",
    on_node: None,
};

const DOMAIN_INFO: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The domain's information cannot be read: the domain is not reached, or refuses.",
    remedy: "Check DNS and the ports to the domain controllers.",
    on_node: None,
};

const NO_DOMAIN: Fault = Fault {
    topic: Topic::Identity,
    meaning: "No such domain, or none of its controllers answers. At the start of a process in nanoserver: Windows knows no domain for the user.",
    remedy: "Check DnsName and NetBiosName in the credential spec, then DNS. In nanoserver run as `NT AUTHORITY\\NetworkService`.",
    on_node: Some(
        "Check that the domain in the plug-in's secret is an FQDN, and that the node finds its controllers by DNS.",
    ),
};

const LOGON_TYPE: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The account does not have the right for this type of logon on this machine.",
    remedy: "Grant the right, for example `Log on as a batch job` or `Log on as a service`.",
    on_node: Some(
        "Grant the account in the plug-in's secret the right to log on: see the user rights in the node's policy.",
    ),
};

const TARGET: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The ticket is for another account than the one that runs the service: the service principal name belongs to the wrong account, or to two.",
    remedy: "Find the owner of the name with `setspn -Q NAME`, and move it to the account that runs the service: `kubectl gmsa account check ACCOUNT`.",
    on_node: None,
};

const MUTUAL: Fault = Fault {
    topic: Topic::Identity,
    meaning: "Client and server could not prove themselves to each other.",
    remedy: "Check the service principal names, the clocks, and DNS.",
    on_node: None,
};

const SKEW: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The clocks of this machine and of the domain controller are too far apart; Kerberos allows 5 minutes.",
    remedy: "Let the node take its time from the domain: `w32tm /resync`, and see `w32tm /query /status`.",
    on_node: Some(
        "Let the node take its time from the domain: `w32tm /resync`, and see `w32tm /query /status`.",
    ),
};

const TIMEOUT: Fault = Fault {
    topic: Topic::General,
    meaning: "The operation did not finish in time.",
    remedy: "Try again; check the load of the node and its network.",
    on_node: None,
};

const RPC_UNAVAILABLE: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The RPC server is unavailable: on `/parentdomain` no credential spec reached the pod, on `/query` it could not log on.",
    remedy: "On `/parentdomain` check admission and the runtime; on `/query` check DNS, ports and the account, then reset the secure channel.",
    on_node: None,
};

const RPC_SETUP: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The RPC server is unavailable while the identity is set up.",
    remedy: "Check the credential spec, and the CCG event log of the node.",
    on_node: None,
};

const RPC_BUSY: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The RPC server is too busy.",
    remedy: "Try again; check the load of the domain controllers.",
    on_node: None,
};

const RPC_FAILED: Fault = Fault {
    topic: Topic::Identity,
    meaning: "An RPC call failed, or was not made: the service ended, or the connection was cut.",
    remedy: "Try again; read the event log of the service that was called.",
    on_node: None,
};

const RPC_AUTH: Fault = Fault {
    topic: Topic::Identity,
    meaning: "RPC could not authenticate: Kerberos or NTLM failed underneath.",
    remedy: "Check the account, the service principal names and the clocks.",
    on_node: None,
};

const EPT: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The endpoint mapper of the other machine has no endpoint: the service does not run there, or its high RPC ports are closed.",
    remedy: "Open the TCP ports 135 and 49152 to 65535 to the domain controllers, and see that the service runs.",
    on_node: None,
};

const NO_SECRET: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The container, or the node, has no trust secret.",
    remedy: "Reset the secure channel; check that the host may read the password of the account: `kubectl gmsa account check ACCOUNT`.",
    on_node: None,
};

const NO_SAM: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The domain has no computer account for this trust.",
    remedy: "Check MachineAccountName, and that no second object has the same sAMAccountName.",
    on_node: Some("Check that the computer account of the node exists in the domain."),
};

const DOMAIN_TRUST: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The trust between two domains failed.",
    remedy: "Check the trust of the domains, and name resolution for both.",
    on_node: Some("Check the trust of the domains, and name resolution for both."),
};

const RELATION: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The trust between this machine and the domain failed.",
    remedy: "Reset the secure channel; give each container a hostname of its own.",
    on_node: None,
};

const NETLOGON: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The netlogon service does not run.",
    remedy: "Start it: `Start-Service netlogon`; nanoserver does not have it.",
    on_node: None,
};

const ACCOUNT_EXPIRED: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The account has expired.",
    remedy: "Give the account a later date of expiry, or none.",
    on_node: Some(
        "The account in the plug-in's secret has expired: give it a later date of expiry, or none.",
    ),
};

const WORKSTATION_ACCOUNT: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The account is a computer account, which may not log on this way.",
    remedy: "Use a user account.",
    on_node: Some("Store a user account in the plug-in's secret, not a computer account."),
};

const NO_CONTROLLER: Fault = Fault {
    topic: Topic::Identity,
    meaning: "No domain controller was found for the domain.",
    remedy: "Check the SRV records of the domain (`_ldap._tcp.dc._msdcs.DOMAIN`) and the ports to its controllers.",
    on_node: Some(
        "Check that the node resolves the domain, and that the domain in the plug-in's secret is an FQDN.",
    ),
};

const LOCKED: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The account is locked after too many wrong passwords.",
    remedy: "Unlock the account, and find what uses the old password.",
    on_node: Some(
        "The account in the plug-in's secret is locked: unlock it, and correct the password in the secret.",
    ),
};

const NO_OBJECT: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The directory has no such object.",
    remedy: "Check the name of the account and its domain.",
    on_node: None,
};

const LDAP_DOWN: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The directory server does not answer.",
    remedy: "Check the ports 389 and 636 to the domain controllers.",
    on_node: None,
};

const DNS_FAILURE: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The DNS server failed to answer.",
    remedy: "Check the DNS server, and what it forwards to.",
    on_node: None,
};

const DNS_NAME: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The name does not exist in DNS.",
    remedy: "Check the name, and that the DNS server knows the domain or forwards it.",
    on_node: None,
};

const UNSUCCESSFUL: Fault = Fault {
    topic: Topic::General,
    meaning: "It failed; the number does not say why.",
    remedy: "Read the event log for the reason.",
    on_node: None,
};

const CRASH: Fault = Fault {
    topic: Topic::General,
    meaning: "The process crashed.",
    remedy: "Read the Application event log of the container, and the log of the program.",
    on_node: None,
};

const STOPPED: Fault = Fault {
    topic: Topic::General,
    meaning: "The process was ended from outside, as on a shutdown or with Ctrl-C.",
    remedy: "Nothing to do, if it was meant to end.",
    on_node: None,
};

const INIT: Fault = Fault {
    topic: Topic::General,
    meaning: "A DLL of the process failed to start; on a busy node the desktop heap or the memory is exhausted.",
    remedy: "Give the container more memory; restart the node if every new process fails.",
    on_node: None,
};

const ETYPE: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The domain controller and the client, or the account, have no encryption type in common; commonly one of them allows only RC4.",
    remedy: "Compare the account with what controllers accept since 2026: `kubectl gmsa account check ACCOUNT`, and docs/rc4.md.",
    on_node: Some(
        "The node, the account in the plug-in's secret or the managed service account allows only RC4: see docs/rc4.md.",
    ),
};

const NO_KEY: Fault = Fault {
    topic: Topic::Identity,
    meaning: "Kerberos has no key for the account on this machine.",
    remedy: "Purge the tickets (`klist purge`), and check the encryption types of the account: docs/rc4.md.",
    on_node: None,
};

const FIREWALL: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The account may not log on to that machine across the forest trust (selective authentication).",
    remedy: "Grant the account `Allowed to authenticate` on the computer object.",
    on_node: Some(
        "Grant the account in the plug-in's secret `Allowed to authenticate` on the domain controllers.",
    ),
};

const NTLM: Fault = Fault {
    topic: Topic::Identity,
    meaning: "NTLM was needed and is blocked: Kerberos could not be used for the name of the service.",
    remedy: "Reach the service by a name that has a service principal name, not by an address or an alias.",
    on_node: None,
};

const LSA: Fault = Fault {
    topic: Topic::Identity,
    meaning: "An internal error of LSA.",
    remedy: "Read the System event log of the node.",
    on_node: None,
};

const TARGET_UNKNOWN: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The service principal name is not known to the domain.",
    remedy: "Register it for the account that runs the service: `kubectl gmsa account check ACCOUNT`, or `setspn -S NAME ACCOUNT`.",
    on_node: None,
};

const NO_PACKAGE: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The authentication package is not available.",
    remedy: "Check that the image has it: nanoserver leaves some out.",
    on_node: None,
};

const TOKEN: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The authentication token is not valid, commonly because a proxy changed it or the ticket is for another account.",
    remedy: "Check the service principal names: `setspn -X`.",
    on_node: None,
};

const NO_CREDENTIALS: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The process has no credentials that it could use.",
    remedy: "Run it as LocalSystem or NetworkService; check that the container has a credential spec.",
    on_node: Some("The plug-in returned no credentials: check its secret."),
};

const NO_AUTHORITY: Fault = Fault {
    topic: Topic::Identity,
    meaning: "No domain controller could be reached to authenticate.",
    remedy: "Check DNS and the ports to the domain controllers.",
    on_node: Some("Check that the node resolves the domain and reaches its controllers."),
};

const UNTRUSTED: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The certificate is not trusted.",
    remedy: "Import the authority into the trusted roots of the machine.",
    on_node: None,
};

const CERT_EXPIRED: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The certificate has expired.",
    remedy: "Renew it.",
    on_node: None,
};

const NO_TGT: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The client needs a ticket-granting ticket of the server and did not get one.",
    remedy: "Check Kerberos on the server: `klist get krbtgt`.",
    on_node: None,
};

const INTERFACE: Fault = Fault {
    topic: Topic::General,
    meaning: "The COM object does not have that interface.",
    remedy: "Check the version of the component.",
    on_node: Some(
        "Check PluginGUID: the class is registered, but is not a plug-in of the Container Credential Guard.",
    ),
};

const RUNAS_PROCESS: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The process of a COM server could not be started as the user that it is set to run as.",
    remedy: "Check the user of the COM application in `dcomcnfg`.",
    on_node: Some(
        "The plug-in's COM class runs as a user that cannot start it: give the application in `dcomcnfg` a service account such as NetworkService.",
    ),
};

const RUNAS_LOGON: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The user that a COM server is set to run as cannot log on, commonly because it is the interactive user and nobody is logged on.",
    remedy: "Check the user of the COM application in `dcomcnfg`.",
    on_node: Some(
        "The plug-in's COM class runs as a user that cannot log on, commonly the interactive user: give the application in `dcomcnfg` a service account such as NetworkService.",
    ),
};

const LAUNCH: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The caller may not start that COM server.",
    remedy: "Check the launch permissions of the COM application in `dcomcnfg`.",
    on_node: Some(
        "Let SYSTEM and NetworkService start the plug-in's COM application: `dcomcnfg`, launch and activation permissions.",
    ),
};

const CLASS: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The COM class is not registered.",
    remedy: "Register the component, for 64 bits.",
    on_node: Some(
        "The plug-in's COM class is not registered: install the plug-in again, and compare its class with PluginGUID in the credential spec.",
    ),
};

const SERVER_EXEC: Fault = Fault {
    topic: Topic::Identity,
    meaning: "A COM server did not start in time, or failed at its start.",
    remedy: "Read the System event log (DistributedCOM).",
    on_node: Some(
        "The plug-in's COM server does not start: read the System event log (DistributedCOM), and install the plug-in again.",
    ),
};

const COM_CALL: Fault = Fault {
    topic: Topic::General,
    meaning: "A COM call failed in the other process.",
    remedy: "Read the event log of that process.",
    on_node: None,
};

const HCS_START: Fault = Fault {
    topic: Topic::General,
    meaning: "The container ended while it was being started.",
    remedy: "Read the events of the pod and the Hyper-V-Compute log of the node; with a GMSA check the credential spec too.",
    on_node: None,
};

const HCS_IMAGE: Fault = Fault {
    topic: Topic::General,
    meaning: "The image is made for another build of Windows than the node's.",
    remedy: "Use an image of the node's build, or a node of the image's: the label `node.kubernetes.io/windows-build` of the nodes shows theirs.",
    on_node: None,
};

const HCS_HYPERV: Fault = Fault {
    topic: Topic::General,
    meaning: "Hyper-V is not installed on the node, and the container is to be isolated by it.",
    remedy: "Install the feature, or run the container without Hyper-V isolation.",
    on_node: None,
};

const HCS_STATE: Fault = Fault {
    topic: Topic::General,
    meaning: "The container is not in a state in which this can be done.",
    remedy: "Try again; delete the pod if it stays.",
    on_node: None,
};

const HCS_EXIT: Fault = Fault {
    topic: Topic::General,
    meaning: "The container ended unexpectedly; seen when the image's build does not fit the node's.",
    remedy: "Compare the builds of the image and of the node (`node.kubernetes.io/windows-build`); then read the Hyper-V-Compute log of the node.",
    on_node: None,
};

const HCS_KILLED: Fault = Fault {
    topic: Topic::General,
    meaning: "The container was ended by force.",
    remedy: "Nothing to do, if it was meant to end.",
    on_node: None,
};

const HCS_CONNECT: Fault = Fault {
    topic: Topic::General,
    meaning: "No connection to the container could be made, or it was closed.",
    remedy: "Try again; check the memory and load of the node.",
    on_node: None,
};

const HCS_TIMEOUT: Fault = Fault {
    topic: Topic::General,
    meaning: "The container did not answer in time: the node is slow or out of memory, or the image's build does not fit.",
    remedy: "Check the memory and load of the node, and that the image's build fits.",
    on_node: None,
};

const HCS_MESSAGE: Fault = Fault {
    topic: Topic::General,
    meaning: "The Host Compute Service and the runtime do not understand each other.",
    remedy: "Update the container runtime and Windows on the node.",
    on_node: None,
};

const HCS_JSON: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The Host Compute Service could not read the description of the container.",
    remedy: "Check the credential spec (`kubectl gmsa credspec lint NAME`); update the container runtime.",
    on_node: None,
};

const HCS_GONE: Fault = Fault {
    topic: Topic::General,
    meaning: "The container does not exist any more.",
    remedy: "Nothing to do, if the pod was deleted.",
    on_node: None,
};

const HCS_EXISTS: Fault = Fault {
    topic: Topic::General,
    meaning: "A container of that name exists already.",
    remedy: "Restart the container runtime on the node.",
    on_node: None,
};

const HCS_LAYER: Fault = Fault {
    topic: Topic::General,
    meaning: "A layer of the image is damaged or missing.",
    remedy: "Remove the image from the node, and pull it again.",
    on_node: None,
};

const HCS_SERVICE: Fault = Fault {
    topic: Topic::General,
    meaning: "The Host Compute Service is not available.",
    remedy: "Restart the service `vmcompute` on the node.",
    on_node: None,
};

const HCS_DENIED: Fault = Fault {
    topic: Topic::General,
    meaning: "The Host Compute Service denied the operation.",
    remedy: "Check that the container runtime runs as LocalSystem.",
    on_node: None,
};

/// By number.
pub(super) const STATUS: &[Entry] = &[
    code(0, "NERR_Success", WIN32, &SUCCESS),
    code(2, "ERROR_FILE_NOT_FOUND", WIN32, &FILE),
    code(3, "ERROR_PATH_NOT_FOUND", WIN32, &FILE),
    code(5, "ERROR_ACCESS_DENIED", WIN32, &DENIED),
    code(8, "ERROR_NOT_ENOUGH_MEMORY", WIN32, &MEMORY),
    code(13, "ERROR_INVALID_DATA", WIN32, &INVALID_DATA),
    code(14, "ERROR_OUTOFMEMORY", WIN32, &MEMORY),
    code(31, "ERROR_GEN_FAILURE", WIN32, &DEVICE),
    code(50, "ERROR_NOT_SUPPORTED", WIN32, &UNSUPPORTED),
    code(53, "ERROR_BAD_NETPATH", WIN32, &NETWORK_PATH),
    code(64, "ERROR_NETNAME_DELETED", WIN32, &NET_DELETED),
    code(65, "ERROR_NETWORK_ACCESS_DENIED", WIN32, &NETWORK_DENIED),
    code(67, "ERROR_BAD_NET_NAME", WIN32, &NET_NAME),
    code(87, "ERROR_INVALID_PARAMETER", WIN32, &PARAMETER),
    code(121, "ERROR_SEM_TIMEOUT", WIN32, &SEMAPHORE),
    code(126, "ERROR_MOD_NOT_FOUND", WIN32, &DLL),
    code(127, "ERROR_PROC_NOT_FOUND", WIN32, &DLL),
    code(193, "ERROR_BAD_EXE_FORMAT", WIN32, &FORMAT),
    code(1053, "ERROR_SERVICE_REQUEST_TIMEOUT", WIN32, &SERVICE_TIMEOUT),
    code(1060, "ERROR_SERVICE_DOES_NOT_EXIST", WIN32, &NO_SERVICE),
    code(1069, "ERROR_SERVICE_LOGON_FAILED", WIN32, &SERVICE_LOGON),
    code(1168, "ERROR_NOT_FOUND", WIN32, &NOT_FOUND),
    code(1219, "ERROR_SESSION_CREDENTIAL_CONFLICT", WIN32, &CONFLICT),
    code(1225, "ERROR_CONNECTION_REFUSED", WIN32, &REFUSED),
    code(1232, "ERROR_HOST_UNREACHABLE", WIN32, &UNREACHABLE),
    code(1265, "ERROR_DOWNGRADE_DETECTED", WIN32, &DOWNGRADE),
    code(1311, "ERROR_NO_LOGON_SERVERS", WIN32, &NO_LOGON_SERVERS),
    code(1312, "ERROR_NO_SUCH_LOGON_SESSION", WIN32, &NO_SESSION),
    code(1314, "ERROR_PRIVILEGE_NOT_HELD", WIN32, &PRIVILEGE),
    code(1317, "ERROR_NO_SUCH_USER", WIN32, &NO_USER),
    code(1323, "ERROR_WRONG_PASSWORD", WIN32, &LOGON),
    code(1326, "ERROR_LOGON_FAILURE", WIN32, &LOGON),
    code(1327, "ERROR_ACCOUNT_RESTRICTION", WIN32, &RESTRICTION),
    code(1328, "ERROR_INVALID_LOGON_HOURS", WIN32, &RESTRICTION),
    code(1329, "ERROR_INVALID_WORKSTATION", WIN32, &RESTRICTION),
    code(1330, "ERROR_PASSWORD_EXPIRED", WIN32, &PASSWORD_EXPIRED),
    code(1331, "ERROR_ACCOUNT_DISABLED", WIN32, &ACCOUNT_DISABLED),
    code(1332, "ERROR_NONE_MAPPED", WIN32, &NONE_MAPPED),
    code(1351, "ERROR_CANT_ACCESS_DOMAIN_INFO", WIN32, &DOMAIN_INFO),
    code(1355, "ERROR_NO_SUCH_DOMAIN", WIN32, &NO_DOMAIN),
    code(1380, "ERROR_LOGON_NOT_GRANTED", WIN32, &LOGON_TYPE),
    code(1385, "ERROR_LOGON_TYPE_NOT_GRANTED", WIN32, &LOGON_TYPE),
    code(1396, "ERROR_WRONG_TARGET_NAME", WIN32, &TARGET),
    code(1397, "ERROR_MUTUAL_AUTH_FAILED", WIN32, &MUTUAL),
    code(1398, "ERROR_TIME_SKEW", WIN32, &SKEW),
    code(1460, "ERROR_TIMEOUT", WIN32, &TIMEOUT),
    code(1722, "RPC_S_SERVER_UNAVAILABLE", WIN32, &RPC_UNAVAILABLE),
    code(1723, "RPC_S_SERVER_TOO_BUSY", WIN32, &RPC_BUSY),
    code(1726, "RPC_S_CALL_FAILED", WIN32, &RPC_FAILED),
    code(1727, "RPC_S_CALL_FAILED_DNE", WIN32, &RPC_FAILED),
    code(1747, "RPC_S_UNKNOWN_AUTHN_SERVICE", WIN32, &RPC_AUTH),
    code(1753, "EPT_S_NOT_REGISTERED", WIN32, &EPT),
    code(1786, "ERROR_NO_TRUST_LSA_SECRET", WIN32, &NO_SECRET),
    code(1787, "ERROR_NO_TRUST_SAM_ACCOUNT", WIN32, &NO_SAM),
    code(1788, "ERROR_TRUSTED_DOMAIN_FAILURE", WIN32, &DOMAIN_TRUST),
    code(1789, "ERROR_TRUSTED_RELATIONSHIP_FAILURE", WIN32, &RELATION),
    code(1790, "ERROR_TRUST_FAILURE", WIN32, &DOMAIN_TRUST),
    code(1792, "ERROR_NETLOGON_NOT_STARTED", WIN32, &NETLOGON),
    code(1793, "ERROR_ACCOUNT_EXPIRED", WIN32, &ACCOUNT_EXPIRED),
    code(1810, "ERROR_DOMAIN_TRUST_INCONSISTENT", WIN32, &DOMAIN_TRUST),
    code(1825, "RPC_S_SEC_PKG_ERROR", WIN32, &RPC_AUTH),
    code(1907, "ERROR_PASSWORD_MUST_CHANGE", WIN32, &PASSWORD_EXPIRED),
    code(1908, "ERROR_DOMAIN_CONTROLLER_NOT_FOUND", WIN32, &NO_CONTROLLER),
    code(1909, "ERROR_ACCOUNT_LOCKED_OUT", WIN32, &LOCKED),
    code(8240, "ERROR_DS_NO_SUCH_OBJECT", WIN32, &NO_OBJECT),
    code(8250, "ERROR_DS_SERVER_DOWN", WIN32, &LDAP_DOWN),
    code(9002, "DNS_ERROR_RCODE_SERVER_FAILURE", WIN32, &DNS_FAILURE),
    code(9003, "DNS_ERROR_RCODE_NAME_ERROR", WIN32, &DNS_NAME),
    code(9501, "DNS_INFO_NO_RECORDS", WIN32, &DNS_NAME),
    code(0x8000_4002, "E_NOINTERFACE", HRESULT, &INTERFACE),
    code(0x8000_4005, "E_FAIL", HRESULT, &UNSUCCESSFUL),
    code(0x8000_4019, "CO_E_RUNAS_CREATEPROCESS_FAILURE", HRESULT, &RUNAS_PROCESS),
    code(0x8000_401A, "CO_E_RUNAS_LOGON_FAILURE", HRESULT, &RUNAS_LOGON),
    code(0x8000_401B, "CO_E_LAUNCH_PERMSSION_DENIED", HRESULT, &LAUNCH),
    code(0x8000_FFFF, "E_UNEXPECTED", HRESULT, &UNSUCCESSFUL),
    code(0x8001_0105, "RPC_E_SERVERFAULT", HRESULT, &COM_CALL),
    code(0x8001_0108, "RPC_E_DISCONNECTED", HRESULT, &COM_CALL),
    code(0x8001_011B, "RPC_E_ACCESS_DENIED", HRESULT, &DENIED),
    code(0x8004_0111, "CLASS_E_CLASSNOTAVAILABLE", HRESULT, &CLASS),
    code(0x8004_0154, "REGDB_E_CLASSNOTREG", HRESULT, &CLASS),
    code(0x8004_01F3, "CO_E_CLASSSTRING", HRESULT, &CLASS),
    code(0x8004_01F8, "CO_E_DLLNOTFOUND", HRESULT, &DLL),
    code(0x8008_0005, "CO_E_SERVER_EXEC_FAILURE", HRESULT, &SERVER_EXEC),
    code(0x8009_0303, "SEC_E_TARGET_UNKNOWN", HRESULT, &TARGET_UNKNOWN),
    code(0x8009_0304, "SEC_E_INTERNAL_ERROR", HRESULT, &LSA),
    code(0x8009_0305, "SEC_E_SECPKG_NOT_FOUND", HRESULT, &NO_PACKAGE),
    code(0x8009_0308, "SEC_E_INVALID_TOKEN", HRESULT, &TOKEN),
    code(0x8009_030C, "SEC_E_LOGON_DENIED", HRESULT, &LOGON),
    code(0x8009_030D, "SEC_E_UNKNOWN_CREDENTIALS", HRESULT, &NO_CREDENTIALS),
    code(0x8009_030E, "SEC_E_NO_CREDENTIALS", HRESULT, &NO_CREDENTIALS),
    code(0x8009_0311, "SEC_E_NO_AUTHENTICATING_AUTHORITY", HRESULT, &NO_AUTHORITY),
    code(0x8009_0322, "SEC_E_WRONG_PRINCIPAL", HRESULT, &TARGET),
    code(0x8009_0324, "SEC_E_TIME_SKEW", HRESULT, &SKEW),
    code(0x8009_0325, "SEC_E_UNTRUSTED_ROOT", HRESULT, &UNTRUSTED),
    code(0x8009_0328, "SEC_E_CERT_EXPIRED", HRESULT, &CERT_EXPIRED),
    code(0x8009_0334, "SEC_E_NO_TGT_REPLY", HRESULT, &NO_TGT),
    code(0x8009_0342, "SEC_E_KDC_UNKNOWN_ETYPE", HRESULT, &ETYPE),
    code(0x8009_0348, "SEC_E_NO_KERB_KEY", HRESULT, &NO_KEY),
    code(0x8009_0350, "SEC_E_DOWNGRADE_DETECTED", HRESULT, &DOWNGRADE),
    code(0x8009_0363, "SEC_E_MUTUAL_AUTH_FAILED", HRESULT, &MUTUAL),
    code(0x800B_0101, "CERT_E_EXPIRED", HRESULT, &CERT_EXPIRED),
    code(0x800B_0109, "CERT_E_UNTRUSTEDROOT", HRESULT, &UNTRUSTED),
    code(0x8037_0100, "HCS_E_TERMINATED_DURING_START", COMPUTE, &HCS_START),
    code(0x8037_0101, "HCS_E_IMAGE_MISMATCH", COMPUTE, &HCS_IMAGE),
    code(0x8037_0102, "HCS_E_HYPERV_NOT_INSTALLED", COMPUTE, &HCS_HYPERV),
    code(0x8037_0105, "HCS_E_INVALID_STATE", COMPUTE, &HCS_STATE),
    code(0x8037_0106, "HCS_E_UNEXPECTED_EXIT", COMPUTE, &HCS_EXIT),
    code(0x8037_0107, "HCS_E_TERMINATED", COMPUTE, &HCS_KILLED),
    code(0x8037_0108, "HCS_E_CONNECT_FAILED", COMPUTE, &HCS_CONNECT),
    code(0x8037_0109, "HCS_E_CONNECTION_TIMEOUT", COMPUTE, &HCS_TIMEOUT),
    code(0x8037_010A, "HCS_E_CONNECTION_CLOSED", COMPUTE, &HCS_CONNECT),
    code(0x8037_010B, "HCS_E_UNKNOWN_MESSAGE", COMPUTE, &HCS_MESSAGE),
    code(0x8037_010C, "HCS_E_UNSUPPORTED_PROTOCOL_VERSION", COMPUTE, &HCS_MESSAGE),
    code(0x8037_010D, "HCS_E_INVALID_JSON", COMPUTE, &HCS_JSON),
    code(0x8037_010E, "HCS_E_SYSTEM_NOT_FOUND", COMPUTE, &HCS_GONE),
    code(0x8037_010F, "HCS_E_SYSTEM_ALREADY_EXISTS", COMPUTE, &HCS_EXISTS),
    code(0x8037_0110, "HCS_E_SYSTEM_ALREADY_STOPPED", COMPUTE, &HCS_GONE),
    code(0x8037_0111, "HCS_E_PROTOCOL_ERROR", COMPUTE, &HCS_MESSAGE),
    code(0x8037_0112, "HCS_E_INVALID_LAYER", COMPUTE, &HCS_LAYER),
    code(0x8037_0114, "HCS_E_SERVICE_NOT_AVAILABLE", COMPUTE, &HCS_SERVICE),
    code(0x8037_0118, "HCS_E_OPERATION_TIMEOUT", COMPUTE, &HCS_TIMEOUT),
    code(0x8037_011B, "HCS_E_ACCESS_DENIED", COMPUTE, &HCS_DENIED),
    code(0x8037_011E, "HCS_E_SERVICE_DISCONNECT", COMPUTE, &HCS_SERVICE),
    code(0xC000_0001, "STATUS_UNSUCCESSFUL", NTSTATUS, &UNSUCCESSFUL),
    code(0xC000_0005, "STATUS_ACCESS_VIOLATION", NTSTATUS, &CRASH),
    code(0xC000_000D, "STATUS_INVALID_PARAMETER", NTSTATUS, &PARAMETER),
    code(0xC000_0017, "STATUS_NO_MEMORY", NTSTATUS, &MEMORY),
    code(0xC000_0022, "STATUS_ACCESS_DENIED", NTSTATUS, &DENIED),
    code(0xC000_0034, "STATUS_OBJECT_NAME_NOT_FOUND", NTSTATUS, &FILE),
    code(0xC000_005E, "STATUS_NO_LOGON_SERVERS", NTSTATUS, &NO_LOGON_SERVERS),
    code(0xC000_005F, "STATUS_NO_SUCH_LOGON_SESSION", NTSTATUS, &NO_SESSION),
    code(0xC000_0064, "STATUS_NO_SUCH_USER", NTSTATUS, &NO_USER),
    code(0xC000_006A, "STATUS_WRONG_PASSWORD", NTSTATUS, &LOGON),
    code(0xC000_006D, "STATUS_LOGON_FAILURE", NTSTATUS, &LOGON),
    code(0xC000_006E, "STATUS_ACCOUNT_RESTRICTION", NTSTATUS, &RESTRICTION),
    code(0xC000_006F, "STATUS_INVALID_LOGON_HOURS", NTSTATUS, &RESTRICTION),
    code(0xC000_0070, "STATUS_INVALID_WORKSTATION", NTSTATUS, &RESTRICTION),
    code(0xC000_0071, "STATUS_PASSWORD_EXPIRED", NTSTATUS, &PASSWORD_EXPIRED),
    code(0xC000_0072, "STATUS_ACCOUNT_DISABLED", NTSTATUS, &ACCOUNT_DISABLED),
    code(0xC000_0073, "STATUS_NONE_MAPPED", NTSTATUS, &NONE_MAPPED),
    code(0xC000_007B, "STATUS_INVALID_IMAGE_FORMAT", NTSTATUS, &FORMAT),
    code(0xC000_00B5, "STATUS_IO_TIMEOUT", NTSTATUS, &TIMEOUT),
    code(0xC000_00BB, "STATUS_NOT_SUPPORTED", NTSTATUS, &UNSUPPORTED),
    code(0xC000_00BE, "STATUS_BAD_NETWORK_PATH", NTSTATUS, &NETWORK_PATH),
    code(0xC000_00CA, "STATUS_NETWORK_ACCESS_DENIED", NTSTATUS, &NETWORK_DENIED),
    code(0xC000_00CC, "STATUS_BAD_NETWORK_NAME", NTSTATUS, &NET_NAME),
    code(0xC000_00DA, "STATUS_CANT_ACCESS_DOMAIN_INFO", NTSTATUS, &DOMAIN_INFO),
    code(0xC000_00DF, "STATUS_NO_SUCH_DOMAIN", NTSTATUS, &NO_DOMAIN),
    code(0xC000_00E5, "STATUS_INTERNAL_ERROR", NTSTATUS, &LSA),
    code(0xC000_00FE, "STATUS_NO_SUCH_PACKAGE", NTSTATUS, &NO_PACKAGE),
    code(0xC000_012D, "STATUS_COMMITMENT_LIMIT", NTSTATUS, &MEMORY),
    code(0xC000_0133, "STATUS_TIME_DIFFERENCE_AT_DC", NTSTATUS, &SKEW),
    code(0xC000_0135, "STATUS_DLL_NOT_FOUND", NTSTATUS, &DLL),
    code(0xC000_0139, "STATUS_ENTRYPOINT_NOT_FOUND", NTSTATUS, &DLL),
    code(0xC000_013A, "STATUS_CONTROL_C_EXIT", NTSTATUS, &STOPPED),
    code(0xC000_0142, "STATUS_DLL_INIT_FAILED", NTSTATUS, &INIT),
    code(0xC000_015B, "STATUS_LOGON_TYPE_NOT_GRANTED", NTSTATUS, &LOGON_TYPE),
    code(0xC000_018A, "STATUS_NO_TRUST_LSA_SECRET", NTSTATUS, &NO_SECRET),
    code(0xC000_018B, "STATUS_NO_TRUST_SAM_ACCOUNT", NTSTATUS, &NO_SAM),
    code(0xC000_018C, "STATUS_TRUSTED_DOMAIN_FAILURE", NTSTATUS, &DOMAIN_TRUST),
    code(0xC000_018D, "STATUS_TRUSTED_RELATIONSHIP_FAILURE", NTSTATUS, &RELATION),
    code(0xC000_0190, "STATUS_TRUST_FAILURE", NTSTATUS, &DOMAIN_TRUST),
    code(0xC000_0192, "STATUS_NETLOGON_NOT_STARTED", NTSTATUS, &NETLOGON),
    code(0xC000_0193, "STATUS_ACCOUNT_EXPIRED", NTSTATUS, &ACCOUNT_EXPIRED),
    code(0xC000_0199, "STATUS_NOLOGON_WORKSTATION_TRUST_ACCOUNT", NTSTATUS, &WORKSTATION_ACCOUNT),
    code(0xC000_019B, "STATUS_DOMAIN_TRUST_INCONSISTENT", NTSTATUS, &DOMAIN_TRUST),
    code(0xC000_0224, "STATUS_PASSWORD_MUST_CHANGE", NTSTATUS, &PASSWORD_EXPIRED),
    code(0xC000_0225, "STATUS_NOT_FOUND", NTSTATUS, &NOT_FOUND),
    code(0xC000_0233, "STATUS_DOMAIN_CONTROLLER_NOT_FOUND", NTSTATUS, &NO_CONTROLLER),
    code(0xC000_0234, "STATUS_ACCOUNT_LOCKED_OUT", NTSTATUS, &LOCKED),
    code(0xC000_0236, "STATUS_CONNECTION_REFUSED", NTSTATUS, &REFUSED),
    code(0xC000_023D, "STATUS_HOST_UNREACHABLE", NTSTATUS, &UNREACHABLE),
    code(0xC000_02C3, "STATUS_MUTUAL_AUTHENTICATION_FAILED", NTSTATUS, &MUTUAL),
    code(0xC000_02FD, "STATUS_KDC_UNKNOWN_ETYPE", NTSTATUS, &ETYPE),
    code(0xC000_0322, "STATUS_NO_KERB_KEY", NTSTATUS, &NO_KEY),
    code(0xC000_0374, "STATUS_HEAP_CORRUPTION", NTSTATUS, &CRASH),
    code(0xC000_0388, "STATUS_DOWNGRADE_DETECTED", NTSTATUS, &DOWNGRADE),
    code(0xC000_0409, "STATUS_STACK_BUFFER_OVERRUN", NTSTATUS, &CRASH),
    code(0xC000_0413, "STATUS_AUTHENTICATION_FIREWALL_FAILED", NTSTATUS, &FIREWALL),
    code(0xC000_0418, "STATUS_NTLM_BLOCKED", NTSTATUS, &NTLM),
    code(0xC002_0017, "RPC_NT_SERVER_UNAVAILABLE", NTSTATUS, &RPC_SETUP),
    code(0xC002_001B, "RPC_NT_CALL_FAILED", NTSTATUS, &RPC_FAILED),
];
