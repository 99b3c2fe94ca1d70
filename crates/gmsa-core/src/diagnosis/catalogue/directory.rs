//! The checks of Active Directory.

use super::{Check, Side, checks};

checks! { Directory;
    DIRECTORY_NETWORK {
        id: "directory-network",
        title: "The domain's DNS records and ports are complete",
        cause: "A record by which Windows finds domain controllers is missing, or a port of a controller does not answer, seen from this machine.",
        remedy: "See the message; the ports are 53, 88, 135, 389, 445, 636 and the high ports of RPC.",
        source: "https://learn.microsoft.com/troubleshoot/windows-server/active-directory/config-firewall-for-ad-domains-and-trusts",
        explains: ["directory-reachable"],
    }
    DIRECTORY_REACHABLE {
        id: "directory-reachable",
        title: "A domain controller answers",
        cause: "No domain controller was found, reached or trusted from this machine, or it did not accept the user.",
        remedy: "See the message: name a controller with `--dc`, its authority with `--ca`, a DNS server of the domain with `--dns-server`.",
        source: "docs/account.md",
        explains: [],
    }
    DIRECTORY_DOMAIN {
        id: "directory-domain",
        title: "The credential spec has the directory's facts about its domain",
        cause: "The SID, GUID or a name of the domain in the credential spec is not that of the directory; values copied from a page or from the account instead of the domain are the most frequent.",
        remedy: "Write the directory's values; `kubectl gmsa credspec create --from-ad` reads them all.",
        source: "docs/findings.md",
        explains: ["pod-credential-spec", "pod-secure-channel", "pod-ticket", "node-ccg-events", "node-compute-events"],
    }
    DIRECTORY_CLOCK {
        id: "directory-clock",
        title: "The domain controller's clock agrees",
        cause: "The domain controller's clock and that of this machine are more than 5 minutes apart; if the nodes' clocks go like this machine's, Kerberos gives them no tickets.",
        remedy: "Let the nodes take their time from the domain (`w32tm /query /status`), and see where the controller takes its own from.",
        source: "https://learn.microsoft.com/windows/security/threat-protection/security-policy-settings/maximum-tolerance-for-computer-clock-synchronization",
        explains: ["node-clock", "node-account", "node-ccg-events", "node-netlogon-events"],
    }
    DIRECTORY_ROOT_KEY {
        id: "directory-root-key",
        title: "The forest has a key for managed passwords",
        cause: "The forest has no KDS root key, or none that is old enough: controllers compute no managed password until 10 hours after one was made.",
        remedy: "Make one with `Add-KdsRootKey -EffectiveImmediately` (Samba: `samba-tool domain kds root-key create`), and wait 10 hours.",
        source: "https://learn.microsoft.com/windows-server/identity/ad-ds/manage/group-managed-service-accounts/group-managed-service-accounts/create-the-key-distribution-services-kds-root-key",
        explains: ["pod-credential-spec", "pod-secure-channel", "pod-ticket", "directory-account", "directory-retrieval", "node-account", "node-ccg-events"],
    }
    DIRECTORY_ACCOUNT {
        id: "directory-account",
        title: "The account is fit for use",
        cause: "The account of the credential spec does not exist, is disabled, is not a group managed service account, or is set up in a way that Windows cannot work with.",
        remedy: "Run `kubectl gmsa account check ACCOUNT`, which reports what is wrong with it and what to do.",
        source: "docs/account.md",
        explains: ["pod-credential-spec", "pod-secure-channel", "pod-ticket", "directory-retrieval", "directory-spn", "node-account", "node-ccg-events", "node-compute-events"],
    }
    DIRECTORY_RETRIEVAL {
        id: "directory-retrieval",
        title: "Those who need it may read the account's password",
        cause: "Nobody may read the account's password, or a node that must may not, so Windows cannot fetch the credentials.",
        remedy: "Allow the node, or a group of nodes: `kubectl gmsa account allow ACCOUNT --host NODE`; with a plug-in the user that the plug-in logs on as.",
        source: "docs/account.md",
        explains: ["pod-credential-spec", "pod-secure-channel", "pod-ticket", "node-account", "node-ccg-events", "node-compute-events"],
    }
    DIRECTORY_SPN {
        id: "directory-spn",
        title: "Service principal names belong to one account",
        cause: "A service principal name of the account is that of another object too, so Kerberos gives tickets to neither.",
        remedy: "Remove it from one of them: `kubectl gmsa account set ACCOUNT --remove-spn NAME`, or `setspn -D NAME ACCOUNT`; `setspn -X` lists all that are there twice.",
        source: "https://learn.microsoft.com/windows-server/administration/windows-commands/setspn",
        explains: [],
    }
}
