//! The checks of the output of the node script.

use super::{Check, Side, checks};

checks! { Node;
    NODE_SYSTEM {
        id: "node-system",
        title: "The node's Windows can do GMSA",
        cause: "The build of the node has a known limit for GMSA; docs/limits.md has the list.",
        remedy: "Update Windows on the node.",
        source: "docs/limits.md",
        explains: [],
    }
    NODE_DNS {
        id: "node-dns",
        title: "The node finds the domain's controllers",
        cause: "The node's DNS servers have no record `_ldap._tcp.dc._msdcs.DOMAIN`, so Windows finds no domain controller.",
        remedy: "Let the node ask DNS servers that know the domain, or forward the domain to them.",
        source: "https://learn.microsoft.com/windows-server/identity/ad-ds/plan/dns-and-ad-ds",
        explains: ["node-clock", "node-ports", "node-domain", "node-account", "node-ccg-events", "node-netlogon-events"],
    }
    NODE_PORTS {
        id: "node-ports",
        title: "The node reaches the domain's controllers",
        cause: "A port of a domain controller that is needed does not take a connection from the node: 53 DNS, 88 Kerberos, 135 RPC, 389 LDAP, 445 SMB.",
        remedy: "Let the firewalls between the node and the controllers pass these ports over TCP and UDP, and the high ports of RPC (49152 to 65535).",
        source: "https://learn.microsoft.com/troubleshoot/windows-server/active-directory/config-firewall-for-ad-domains-and-trusts",
        explains: ["node-clock", "node-domain", "node-account", "node-ccg-events", "node-netlogon-events"],
    }
    NODE_CLOCK {
        id: "node-clock",
        title: "The node's clock agrees",
        cause: "The node's clock is more than 5 minutes from that of a domain controller; Kerberos then gives no tickets.",
        remedy: "Let the node take its time from the domain: `w32tm /resync`, and see `w32tm /query /status`.",
        source: "https://learn.microsoft.com/windows/security/threat-protection/security-policy-settings/maximum-tolerance-for-computer-clock-synchronization",
        explains: ["node-account", "node-ccg-events", "node-netlogon-events"],
    }
    NODE_DOMAIN {
        id: "node-domain",
        title: "The node can log on to a domain",
        cause: "The node's own secure channel is broken, or it is neither a member of a domain nor has a plug-in that could fetch credentials for it.",
        remedy: "Repair the node's channel with `Test-ComputerSecureChannel -Repair`; join the node to the domain, or install the plug-in of your platform.",
        source: "https://learn.microsoft.com/powershell/module/microsoft.powershell.management/test-computersecurechannel",
        explains: ["node-account", "node-ccg-events", "node-netlogon-events"],
    }
    NODE_ACCOUNT {
        id: "node-account",
        title: "The node can use the account",
        cause: "`Test-ADServiceAccount` is false: the node is not among the principals that may read the account's password, or has a ticket from before it was.",
        remedy: "Allow it: `kubectl gmsa account allow ACCOUNT --host NODE`; after a change of group membership restart the node, or purge its tickets with `klist -li 0x3e7 purge`.",
        source: "https://learn.microsoft.com/virtualization/windowscontainers/manage-containers/gmsa-troubleshooting",
        explains: ["node-ccg-events", "pod-running", "pod-credential-spec", "pod-secure-channel", "pod-ticket"],
    }
    NODE_PLUGIN {
        id: "node-plugin",
        title: "The credential plug-in is registered",
        cause: "The plug-in that a credential spec names is not registered under `HKLM\\SYSTEM\\CurrentControlSet\\Control\\CCG\\COMClasses`, or its program is not there, so the node cannot fetch credentials.",
        remedy: "Install the plug-in of your platform on the node.",
        source: "https://learn.microsoft.com/windows/win32/api/ccgplugins/nn-ccgplugins-iccgdomainauthcredentials",
        explains: ["node-ccg-events"],
    }
    NODE_PLUGIN_EVENTS {
        id: "node-plugin-events",
        title: "The credential plug-in reports no failure",
        cause: "The plug-in of the platform (AKS, Rancher) wrote failures into its event log: the secret, its format, or the access to it is wrong.",
        remedy: "See what the code means, in the evidence.",
        source: "docs/codes.md",
        explains: ["node-ccg-events"],
    }
    NODE_CCG_EVENTS {
        id: "node-ccg-events",
        title: "Windows could fetch the account's credentials",
        cause: "The Container Credential Guard wrote failures into the log `Microsoft-Windows-Containers-CCG/Admin`.",
        remedy: "See what the code means, in the evidence.",
        source: "docs/codes.md",
        explains: ["node-compute-events", "pod-running", "pod-credential-spec", "pod-secure-channel", "pod-ticket"],
    }
    NODE_KDC_EVENTS {
        id: "node-kdc-events",
        title: "The domain controller refuses no ticket for RC4",
        cause: "The node is a domain controller, and its KDC logged tickets that use RC4 or that it refused because of RC4 (events 201 to 209 of KDCSVC).",
        remedy: "Check the account that the event names and set it to AES: `kubectl gmsa account check ACCOUNT`; update or reconfigure a client that offers only RC4. docs/rc4.md has the steps.",
        source: "https://support.microsoft.com/help/5073381",
        explains: [],
    }
    NODE_NETLOGON_EVENTS {
        id: "node-netlogon-events",
        title: "The node's Netlogon reports no failure",
        cause: "Netlogon could not set up a session with a domain controller, by the events of `NETLOGON` in the log `System`.",
        remedy: "See what the code means, in the evidence.",
        source: "docs/codes.md",
        explains: [],
    }
    NODE_COMPUTE_EVENTS {
        id: "node-compute-events",
        title: "Containers start with their credentials",
        cause: "The Host Compute Service wrote failures about credentials into the log `Microsoft-Windows-Hyper-V-Compute-Admin`.",
        remedy: "See what the code means, in the evidence.",
        source: "docs/codes.md",
        explains: [],
    }
    NODE_COMPARTMENT {
        id: "node-compartment",
        title: "Shares are found by name",
        cause: "`EnableCompartmentNamespace` of the Host Networking Service is not 1; on Windows Server 2019 a file share then works by address and not by name.",
        remedy: "Set it and restart the service: `Set-ItemProperty HKLM:\\SYSTEM\\CurrentControlSet\\Services\\hns\\State EnableCompartmentNamespace 1; Restart-Service hns`.",
        source: "docs/limits.md",
        explains: [],
    }
}
