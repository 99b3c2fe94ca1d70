//! Faults of logging on: accounts, passwords, trusts and tickets.

use super::Fault;
use crate::windows::codes::Topic;

pub(super) const DENIED: Fault = Fault {
    topic: Topic::Identity,
    meaning: "Access denied.",
    remedy: "Run as LocalSystem or NetworkService, and check the rights of the account.",
    on_node: None,
};

pub(super) const SERVICE_LOGON: Fault = Fault {
    topic: Topic::Identity,
    meaning: "A service could not start, because its account could not log on.",
    remedy: "Check the account of the service; a group managed service account is written `DOMAIN\\ACCOUNT$` with an empty password.",
    on_node: None,
};

pub(super) const NO_SESSION: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The logon session does not exist or has ended.",
    remedy: "Run the command again as LocalSystem or NetworkService; restart the container if it stays.",
    on_node: None,
};

pub(super) const NO_USER: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The account does not exist.",
    remedy: "Check the name of the account: without a domain, and MachineAccountName without the dollar sign.",
    on_node: Some(
        "The account in the plug-in's secret does not exist in that domain: correct the secret (`domain\\user:password`, with the FQDN of the domain).",
    ),
};

pub(super) const LOGON: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The user name or password is wrong.",
    remedy: "When a process is started in a container: `runAsUserName` names a user that the image does not have. Otherwise check the account and its password.",
    on_node: Some(
        "The user or password that the plug-in fetched is wrong: correct the secret (`domain\\user:password`, with the FQDN of the domain).",
    ),
};

pub(super) const RESTRICTION: Fault = Fault {
    topic: Topic::Identity,
    meaning: "A restriction of the account prevents the logon: an empty password, its logon hours, or the workstations that it may use.",
    remedy: "Check the restrictions of the account in Active Directory.",
    on_node: Some(
        "The account in the plug-in's secret may not log on from this node: remove the restriction of its hours or workstations.",
    ),
};

pub(super) const PASSWORD_EXPIRED: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The password of the account has expired, or must be changed before it can be used.",
    remedy: "Change the password of the account.",
    on_node: Some(
        "The password of the account in the plug-in's secret has expired: set a new one that does not expire, and store it in the secret.",
    ),
};

pub(super) const ACCOUNT_DISABLED: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The account is disabled.",
    remedy: "Enable the account in Active Directory.",
    on_node: Some("Enable the account that the plug-in's secret names."),
};

pub(super) const NONE_MAPPED: Fault = Fault {
    topic: Topic::Identity,
    meaning: "A name could not be translated to a SID, or a SID to a name.",
    remedy: "Check the name, and that the domain can be reached; with a GMSA check NetBiosName in the credential spec.",
    on_node: None,
};

pub(super) const LOGON_TYPE: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The account does not have the right for this type of logon on this machine.",
    remedy: "Grant the right, for example `Log on as a batch job` or `Log on as a service`.",
    on_node: Some(
        "Grant the account in the plug-in's secret the right to log on: see the user rights in the node's policy.",
    ),
};

pub(super) const TARGET: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The ticket is for another account than the one that runs the service: the service principal name belongs to the wrong account, or to two.",
    remedy: "Find the owner of the name with `setspn -Q NAME`, and move it to the account that runs the service: `kubectl gmsa account check ACCOUNT`.",
    on_node: None,
};

pub(super) const MUTUAL: Fault = Fault {
    topic: Topic::Identity,
    meaning: "Client and server could not prove themselves to each other.",
    remedy: "Check the service principal names, the clocks, and DNS.",
    on_node: None,
};

pub(super) const SKEW: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The clocks of this machine and of the domain controller are too far apart; Kerberos allows 5 minutes.",
    remedy: "Let the node take its time from the domain: `w32tm /resync`, and see `w32tm /query /status`.",
    on_node: Some(
        "Let the node take its time from the domain: `w32tm /resync`, and see `w32tm /query /status`.",
    ),
};

pub(super) const NO_SECRET: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The container, or the node, has no trust secret.",
    remedy: "Reset the secure channel; check that the host may read the password of the account: `kubectl gmsa account check ACCOUNT`.",
    on_node: None,
};

pub(super) const NO_SAM: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The domain has no computer account for this trust.",
    remedy: "Check MachineAccountName, and that no second object has the same sAMAccountName.",
    on_node: Some("Check that the computer account of the node exists in the domain."),
};

pub(super) const DOMAIN_TRUST: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The trust between two domains failed.",
    remedy: "Check the trust of the domains, and name resolution for both.",
    on_node: Some("Check the trust of the domains, and name resolution for both."),
};

pub(super) const RELATION: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The trust between this machine and the domain failed.",
    remedy: "Reset the secure channel; give each container a hostname of its own.",
    on_node: None,
};

pub(super) const ACCOUNT_EXPIRED: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The account has expired.",
    remedy: "Give the account a later date of expiry, or none.",
    on_node: Some(
        "The account in the plug-in's secret has expired: give it a later date of expiry, or none.",
    ),
};

pub(super) const WORKSTATION_ACCOUNT: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The account is a computer account, which may not log on this way.",
    remedy: "Use a user account.",
    on_node: Some("Store a user account in the plug-in's secret, not a computer account."),
};

pub(super) const LOCKED: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The account is locked after too many wrong passwords.",
    remedy: "Unlock the account, and find what uses the old password.",
    on_node: Some(
        "The account in the plug-in's secret is locked: unlock it, and correct the password in the secret.",
    ),
};

pub(super) const ETYPE: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The domain controller and the client, or the account, have no encryption type in common; commonly one of them allows only RC4.",
    remedy: "Compare the account with what controllers accept since 2026: `kubectl gmsa account check ACCOUNT`, and docs/rc4.md.",
    on_node: Some(
        "The node, the account in the plug-in's secret or the managed service account allows only RC4: see docs/rc4.md.",
    ),
};

pub(super) const NO_KEY: Fault = Fault {
    topic: Topic::Identity,
    meaning: "Kerberos has no key for the account on this machine.",
    remedy: "Purge the tickets (`klist purge`), and check the encryption types of the account: docs/rc4.md.",
    on_node: None,
};

pub(super) const FIREWALL: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The account may not log on to that machine across the forest trust (selective authentication).",
    remedy: "Grant the account `Allowed to authenticate` on the computer object.",
    on_node: Some(
        "Grant the account in the plug-in's secret `Allowed to authenticate` on the domain controllers.",
    ),
};

pub(super) const LSA: Fault = Fault {
    topic: Topic::Identity,
    meaning: "An internal error of LSA.",
    remedy: "Read the System event log of the node.",
    on_node: None,
};

pub(super) const TARGET_UNKNOWN: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The service principal name is not known to the domain.",
    remedy: "Register it for the account that runs the service: `kubectl gmsa account check ACCOUNT`, or `setspn -S NAME ACCOUNT`.",
    on_node: None,
};

pub(super) const NO_PACKAGE: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The authentication package is not available.",
    remedy: "Check that the image has it: nanoserver leaves some out.",
    on_node: None,
};

pub(super) const TOKEN: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The authentication token is not valid, commonly because a proxy changed it or the ticket is for another account.",
    remedy: "Check the service principal names: `setspn -X`.",
    on_node: None,
};

pub(super) const NO_CREDENTIALS: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The process has no credentials that it could use.",
    remedy: "Run it as LocalSystem or NetworkService; check that the container has a credential spec.",
    on_node: Some("The plug-in returned no credentials: check its secret."),
};

pub(super) const UNTRUSTED: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The certificate is not trusted.",
    remedy: "Import the authority into the trusted roots of the machine.",
    on_node: None,
};

pub(super) const CERT_EXPIRED: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The certificate has expired.",
    remedy: "Renew it.",
    on_node: None,
};

pub(super) const NO_TGT: Fault = Fault {
    topic: Topic::Identity,
    meaning: "The client needs a ticket-granting ticket of the server and did not get one.",
    remedy: "Check Kerberos on the server: `klist get krbtgt`.",
    on_node: None,
};
