//! The checks of one pod, by its objects and from inside.

use super::{Check, Side, checks};

checks! { Pod;
    POD_IDENTITY {
        id: "pod-identity",
        title: "The containers have a credential spec",
        cause: "No container of the pod names a credential spec, or the one in question is a HostProcess container, which gets no GMSA.",
        remedy: "Set `securityContext.windowsOptions.gmsaCredentialSpecName` in the workload's pod template, for the pod or for the container.",
        source: "https://kubernetes.io/docs/tasks/configure-pod-container/configure-gmsa/#configure-gmsa-credential-spec-reference-in-pod-spec",
        explains: ["pod-credential-spec", "pod-secure-channel", "pod-ticket"],
    }
    POD_ADMISSION {
        id: "pod-admission",
        title: "The pod would be admitted today",
        cause: "A credential spec that the pod names does not exist or is empty, the pod's service account may not `use` it, or the pod comes with its own contents.",
        remedy: "Follow the message of the denial; docs/denials.md explains each.",
        source: "docs/denials.md",
        explains: ["pod-created", "pod-contents"],
    }
    POD_CREATED {
        id: "pod-created",
        title: "The workload has a pod",
        cause: "The workload wants pods and has none: each was refused on creation, or the workload's controller has not created any yet.",
        remedy: "Read the reason in the evidence and fix it; the controller tries again by itself.",
        source: "https://kubernetes.io/docs/tasks/debug/debug-application/debug-pods/",
        explains: ["pod-exec"],
    }
    POD_CONTENTS {
        id: "pod-contents",
        title: "The pod carries the contents of today's credential spec",
        cause: "A pod keeps the contents that it was created with. Without contents it was created while the mutating webhook was down or excluded its namespace; with different contents the credential spec has changed since.",
        remedy: "Let the workload make new pods: `kubectl rollout restart KIND/NAME`.",
        source: "docs/denials.md",
        explains: ["pod-running", "pod-credential-spec", "pod-secure-channel", "pod-ticket"],
    }
    POD_SCHEDULED {
        id: "pod-scheduled",
        title: "The pod runs on a Windows node",
        cause: "The pod is bound to no node, or to one that does not run Windows: nothing in it asks for Windows, or no Windows node has room.",
        remedy: "Set the node selector `kubernetes.io/os: windows` and tolerate the taints of the Windows nodes; `kubectl describe pod NAME` shows why it is not scheduled.",
        source: "https://kubernetes.io/docs/concepts/windows/user-guide/#ensuring-os-specific-workloads-land-on-the-appropriate-container-host",
        explains: ["pod-running", "pod-exec", "pod-credential-spec", "pod-secure-channel"],
    }
    POD_NODE {
        id: "pod-node",
        title: "The pod's node is ready",
        cause: "The kubelet of the node does not report that the node is ready, so containers are neither started nor reached.",
        remedy: "See why: `kubectl describe node NAME`.",
        source: "https://kubernetes.io/docs/tasks/debug/debug-cluster/",
        explains: ["pod-running", "pod-exec"],
    }
    POD_HOSTNAME {
        id: "pod-hostname",
        title: "No other container logs on under the same hostname",
        cause: "Windows cuts hostnames at 15 characters. Containers that log on with one account under one name race at the domain controller, and after days one of them loses its trust.",
        remedy: "Give the workload a name of at most 14 characters up to what differs, or let the webhook make hostnames: `kubectl gmsa install --random-hostname`; in one pod use the account in one container only.",
        source: "https://github.com/microsoft/Windows-Containers/issues/405",
        explains: ["pod-secure-channel", "pod-ticket"],
    }
    POD_IMAGE {
        id: "pod-image",
        title: "The image has the tools of Windows Server Core",
        cause: "By its name the image is made of nanoserver, which has no `nltest` and no netlogon service; Kerberos is reported broken in some of its versions.",
        remedy: "Use an image of Windows Server Core for programs that need the domain; to look from inside use `kubectl gmsa doctor POD --probe-pod --probe-image=SERVERCORE-IMAGE`.",
        source: "docs/limits.md",
        explains: ["pod-tools", "pod-ticket"],
    }
    POD_BUILD {
        id: "pod-build",
        title: "The image is for the node's build of Windows",
        cause: "By its tag the image is for another release of Windows than the node runs, and Windows does not start it there: a container shares the kernel of its node. From Windows Server 2022 on, newer nodes also run older images.",
        remedy: "Use the image's tag for the node's release, or select nodes of the image's release by `node.kubernetes.io/windows-build`.",
        source: "https://learn.microsoft.com/virtualization/windowscontainers/deploy-containers/version-compatibility",
        explains: ["pod-running", "pod-exec"],
    }
    POD_RUNNING {
        id: "pod-running",
        title: "The container runs",
        cause: "The container could not be created or started, or ends again and again. Failures of the Host Compute Service that name credentials are most often a mistake in the credential spec, or the node cannot fetch the account's password.",
        remedy: "Read the message; if it names credentials: `kubectl gmsa credspec lint NAME`, and on the node the script of `kubectl gmsa doctor --print-node-checks`.",
        source: "https://learn.microsoft.com/virtualization/windowscontainers/manage-containers/gmsa-troubleshooting",
        explains: ["pod-exec"],
    }
    POD_EXEC {
        id: "pod-exec",
        title: "Commands can be run inside the container",
        cause: "The API server, the node or the container refused to run a command: a right is missing, the kubelet is not reached, or the container has ended.",
        remedy: "Get the rights `get` and `create` on `pods/exec` in the namespace; where the container itself takes no commands, look from a separate pod: `--probe-pod`.",
        source: "https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources",
        explains: ["pod-tools"],
    }
    POD_TOOLS {
        id: "pod-tools",
        title: "The image has nltest, nslookup and klist",
        cause: "A program that reports the state of the domain is not in the image: nanoserver has no `nltest`.",
        remedy: "Look from inside a pod with a fuller image: `kubectl gmsa doctor POD --probe-pod --probe-image=SERVERCORE-IMAGE`.",
        source: "docs/limits.md",
        explains: [],
    }
    POD_DNS {
        id: "pod-dns",
        title: "The container resolves the domain",
        cause: "`nslookup` of the domain gives no address: the cluster's DNS does not forward the domain to the domain's DNS servers, or does not reach them.",
        remedy: "Forward the domain in CoreDNS (`kubectl gmsa doctor` shows the stanza), and open port 53, TCP and UDP, to the domain's DNS servers.",
        source: "https://kubernetes.io/docs/tasks/configure-pod-container/configure-gmsa/#troubleshooting",
        explains: ["pod-srv", "pod-credential-spec", "pod-domain-controller", "pod-secure-channel", "pod-ticket"],
    }
    POD_SRV {
        id: "pod-srv",
        title: "The container finds the domain controllers' SRV records",
        cause: "The domain has an address, and its records `_ldap._tcp.dc._msdcs` do not arrive: they are not forwarded, or the long answer is cut over UDP and TCP port 53 is closed.",
        remedy: "Forward the whole domain, its subdomains included, and open TCP port 53 to the DNS servers.",
        source: "https://learn.microsoft.com/windows-server/identity/ad-ds/manage/how-domain-controllers-are-located",
        explains: ["pod-domain-controller", "pod-secure-channel", "pod-ticket"],
    }
    POD_CREDENTIAL_SPEC {
        id: "pod-credential-spec",
        title: "The container got the credential spec",
        cause: "`nltest /parentdomain` fails with 1722: the runtime did not give the container an identity, although the pod may carry the contents.",
        remedy: "Make sure that the pod carries contents, and look on the node at the event log of the Container Credential Guard: `kubectl gmsa doctor --print-node-checks`.",
        source: "https://kubernetes.io/docs/tasks/configure-pod-container/configure-gmsa/#troubleshooting",
        explains: ["pod-domain-controller", "pod-secure-channel", "pod-ticket"],
    }
    POD_DOMAIN_CONTROLLER {
        id: "pod-domain-controller",
        title: "A domain controller answers the container",
        cause: "Names are resolved, and logging on finds no domain controller (1311, 1355): its ports are closed to the node, or it is down.",
        remedy: "Open the ports 53, 88, 135, 389, 445 and the high RPC ports, TCP, and 53, 88, 389 UDP, from the Windows nodes to the domain controllers; see that one runs.",
        source: "https://learn.microsoft.com/troubleshoot/windows-server/active-directory/config-firewall-for-ad-domains-and-trusts",
        explains: ["pod-secure-channel", "pod-ticket"],
    }
    POD_USER {
        id: "pod-user",
        title: "Processes run as a user that has the identity",
        cause: "LocalSystem, NetworkService, service accounts and IIS application pools use the container's identity on the network; a user that the image makes itself does not. The user seen is that of the container's own processes; services inside it have their own.",
        remedy: "IIS needs no change: its application pools use the identity whatever user this is. A program that the container starts itself: set `securityContext.windowsOptions.runAsUserName: \"NT AUTHORITY\\NetworkService\"`, or run it as a service of NetworkService.",
        source: "https://learn.microsoft.com/virtualization/windowscontainers/manage-containers/gmsa-run-container",
        explains: ["pod-secure-channel", "pod-ticket"],
    }
    POD_SECURE_CHANNEL {
        id: "pod-secure-channel",
        title: "The container has a secure channel to the domain",
        cause: "`nltest /query` or `/sc_verify` fails: netlogon in the container could not log on with the account, or lost its trust.",
        remedy: "Run `kubectl gmsa doctor POD --repair`, which resets the channel; if that helps, put the hook into the workload (`--add-lifecycle`). If not, open the TCP ports 135, 445 and 49152 to 65535 to the domain controllers, and check the account: `kubectl gmsa account check ACCOUNT`.",
        source: "https://kubernetes.io/docs/tasks/configure-pod-container/configure-gmsa/#troubleshooting",
        explains: ["pod-ticket"],
    }
    POD_TICKET {
        id: "pod-ticket",
        title: "The container gets a Kerberos ticket",
        cause: "`klist get krbtgt` gets no ticket for the account, so no service accepts it.",
        remedy: "Look at DNS, the ports and the clock; with a working ticket but a broken secure channel the account itself is wrong.",
        source: "https://learn.microsoft.com/windows-server/administration/windows-commands/klist",
        explains: [],
    }
    POD_TICKET_ENCRYPTION {
        id: "pod-ticket-encryption",
        title: "The container's tickets use AES",
        cause: "`klist` lists a ticket or a session key with RC4 or DES. Domain controllers with the updates of 2026 issue RC4 only for accounts that ask for it, and those of Server 2025 issue no ticket-granting ticket with it.",
        remedy: "Check the account, and set it to AES: `kubectl gmsa account check ACCOUNT`; for a ticket of another service check the account that runs that service. docs/rc4.md has the dates.",
        source: "https://support.microsoft.com/help/5073381",
        explains: [],
    }
}
