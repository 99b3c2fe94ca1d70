//! The events of the plug-ins, of the Host Compute Service, of NETLOGON and of KDCSVC.

use crate::windows::codes::{Entry, Source, Topic};

const CCG: &str = "https://learn.microsoft.com/virtualization/windowscontainers/manage-containers/gmsa-troubleshooting";
const AKS: &str = "https://github.com/microsoft/Azure-Key-Vault-Plugin-gMSA";
const RANCHER: &str = "https://github.com/rancher/Rancher-Plugin-gMSA";
const HCS: &str = "https://github.com/microsoft/Windows-Containers/issues/544";
const NETLOGON: &str = "https://learn.microsoft.com/openspecs/windows_protocols/ms-nrpc/ff8f970f-3e37-40f7-bd4b-af7336e4792f";
const KDC: &str = "https://support.microsoft.com/help/5073381";

const fn event(
    source: Source,
    reference: &'static str,
    number: u32,
    name: &'static str,
    meaning: &'static str,
    remedy: &'static str,
) -> Entry {
    let topic = Topic::Identity;
    Entry { source, number, name, topic, meaning, remedy, on_node: None, reference }
}

const fn ccg(number: u32, name: &'static str, text: [&'static str; 2]) -> Entry {
    event(Source::Ccg, CCG, number, name, text[0], text[1])
}

const fn aks(number: u32, name: &'static str, text: [&'static str; 2]) -> Entry {
    event(Source::Aks, AKS, number, name, text[0], text[1])
}

const fn rancher(number: u32, name: &'static str, text: [&'static str; 2]) -> Entry {
    event(Source::Rancher, RANCHER, number, name, text[0], text[1])
}

const fn netlogon(number: u32, name: &'static str, text: [&'static str; 2]) -> Entry {
    event(Source::Netlogon, NETLOGON, number, name, text[0], text[1])
}

const fn kdc(number: u32, name: &'static str, text: [&'static str; 2]) -> Entry {
    event(Source::Kdc, KDC, number, name, text[0], text[1])
}

const NOTHING: &str = "Nothing to do.";
const INFORMATION: [&str; 2] = ["For information only.", NOTHING];
const EXCEPTION: [&str; 2] =
    ["The plug-in failed with an exception.", "Read the text of the event on the node."];
const KEYS: &str = "Reset the password of the account twice, or let a managed service account change its own; then check it: `kubectl gmsa account check ACCOUNT`.";
const CLIENT: &str = "Enable AES on the client that the event names. Only if that is impossible, allow RC4 for this account: see docs/rc4.md.";

/// By source and number.
pub(super) const EVENTS: &[Entry] = &[
    ccg(1, "plug-in loaded", ["The plug-in was loaded.", NOTHING]),
    ccg(2, "credentials fetched", ["The credentials were fetched.", NOTHING]),
    ccg(
        3,
        "credential spec unreadable",
        [
            "The credential spec could not be parsed.",
            "Check it: `kubectl gmsa credspec lint NAME`.",
        ],
    ),
    ccg(
        4,
        "plug-in not instantiated",
        [
            "The plug-in could not be instantiated.",
            "Register it under `CCG\\COMClasses` on the node, and check PluginGUID in the credential spec.",
        ],
    ),
    ccg(
        6,
        "plug-in without credentials",
        [
            "The plug-in could not get credentials.",
            "Read the event log of the plug-in on the node.",
        ],
    ),
    ccg(
        7,
        "credentials fetched again",
        ["The credentials are being fetched again.", "Nothing to do, unless it repeats."],
    ),
    ccg(
        8,
        "account may not read the gMSA",
        [
            "The account that the plug-in fetched could not read the password of the managed service account.",
            "Let that account retrieve the managed password: `kubectl gmsa account allow ACCOUNT --user USER`.",
        ],
    ),
    aks(
        1000,
        "token: HTTP failure",
        [
            "The request for a token failed.",
            "Check that the node reaches the instance metadata service.",
        ],
    ),
    aks(
        1001,
        "token: not JSON",
        [
            "The answer with the token is not JSON.",
            "Check what answers at the address of the instance metadata service.",
        ],
    ),
    aks(
        1002,
        "token: no access_token",
        ["The answer has no access_token.", "Check the managed identity of the node."],
    ),
    aks(
        1003,
        "managed identity not found",
        [
            "The managed identity was not found.",
            "Assign the identity of ObjectId to the node pool.",
        ],
    ),
    aks(
        1004,
        "secret: bad response",
        ["The response with the secret could not be used.", "Check SecretUri and the Key Vault."],
    ),
    aks(
        1005,
        "secret: empty",
        ["The secret is empty.", "Store `domain\\username:password` in it."],
    ),
    aks(
        1006,
        "secret: wrong form",
        [
            "The secret does not have the form `domain\\username:password`.",
            "Store it in that form, with the FQDN of the domain.",
        ],
    ),
    aks(
        1007,
        "Key Vault denied",
        ["Key Vault denied the request.", "Let the managed identity get secrets."],
    ),
    aks(
        1008,
        "Key Vault: HTTP failure",
        ["The request to Key Vault failed.", "Check that the node reaches the vault."],
    ),
    aks(1009, "exception", EXCEPTION),
    aks(1010, "exception", EXCEPTION),
    aks(1011, "information", INFORMATION),
    aks(1012, "information", INFORMATION),
    aks(
        1013,
        "no ObjectId",
        ["PluginInput has no ObjectId.", "Add `ObjectId=` to PluginInput in the credential spec."],
    ),
    aks(
        1014,
        "no SecretUri",
        [
            "PluginInput has no SecretUri.",
            "Add `SecretUri=` to PluginInput in the credential spec.",
        ],
    ),
    aks(
        1015,
        "bad SecretUri",
        [
            "SecretUri in PluginInput is not a valid URI.",
            "Write it as `https://VAULT/secrets/NAME`.",
        ],
    ),
    aks(
        1016,
        "no PluginInput",
        ["The credential spec has no PluginInput.", "Set PluginInput in HostAccountConfig."],
    ),
    aks(1017, "information", INFORMATION),
    aks(
        1018,
        "no vault in the URI",
        ["SecretUri names no vault resource.", "Write it as `https://VAULT/secrets/NAME`."],
    ),
    rancher(101, "information", INFORMATION),
    rancher(
        201,
        "warning",
        ["The Rancher plug-in warns.", "Read the text of the event on the node."],
    ),
    rancher(
        301,
        "error",
        [
            "The Rancher plug-in failed.",
            "Check the Secret that PluginInput names as `NAMESPACE:SECRET`.",
        ],
    ),
    event(
        Source::HyperVCompute,
        HCS,
        11507,
        "failed to set up the external credentials",
        "The external credentials could not be set up: the node could not get the account's password, or could not use the credential spec.",
        "Check the credential spec (`kubectl gmsa credspec lint NAME`), and the CCG event log of the node.",
    ),
    netlogon(
        3210,
        "authentication failed",
        [
            "The node could not authenticate with a domain controller: the password of its computer account differs from the domain's, or the account is gone.",
            "Reset the node's secure channel: `Test-ComputerSecureChannel -Repair`; if the computer account is gone, join the node to the domain again.",
        ],
    ),
    netlogon(
        5719,
        "no domain controller found",
        [
            "No domain controller of the domain was available for a secure session.",
            "Check the node's DNS servers and the ports to the controllers. Right after a start of the node it can be harmless: the network was not up yet.",
        ],
    ),
    netlogon(
        5720,
        "no trust secret",
        [
            "Netlogon could not set up a session with the domain controller: the trust secret is missing.",
            "Read the status in the event, commonly 0xC000018A; reset the secure channel: `Test-ComputerSecureChannel -Repair`.",
        ],
    ),
    netlogon(
        5721,
        "no computer account",
        [
            "Netlogon could not set up a session with the domain controller: the domain has no computer account for the node.",
            "Join the node to the domain again, or restore its computer account.",
        ],
    ),
    netlogon(
        5722,
        "session of a member refused",
        [
            "A domain controller refused the session of the computer that the event names: its password does not match.",
            "Reset that computer's secure channel: `Test-ComputerSecureChannel -Repair` on it.",
        ],
    ),
    netlogon(
        5723,
        "no account for a member",
        [
            "A domain controller refused the session of the computer that the event names: the domain has no account for it.",
            "Join that computer to the domain again, or restore its account.",
        ],
    ),
    netlogon(
        5783,
        "session not responsive",
        [
            "The session with a domain controller does not respond; the current call was cancelled.",
            "Check the connection to the controller that the event names, and its load.",
        ],
    ),
    netlogon(
        5805,
        "session setup failed",
        [
            "A computer's session setup failed to authenticate: the computer that the event names was denied.",
            "Reset that computer's secure channel; check that no two machines use its name, and that its account is enabled.",
        ],
    ),
    kdc(
        201,
        "RC4 will be blocked: client",
        [
            "A client that offers only RC4 got a ticket for an account without `msDS-SupportedEncryptionTypes`. Enforcement blocks it (event 203).",
            CLIENT,
        ],
    ),
    kdc(
        202,
        "RC4 will be blocked: keys",
        [
            "An account without `msDS-SupportedEncryptionTypes` has no AES keys, so its tickets use RC4. Enforcement blocks it (event 204).",
            KEYS,
        ],
    ),
    kdc(
        203,
        "RC4 blocked: client",
        [
            "A ticket was refused: the client offers only RC4, and the account has no `msDS-SupportedEncryptionTypes`, which means AES only.",
            CLIENT,
        ],
    ),
    kdc(
        204,
        "RC4 blocked: keys",
        [
            "A ticket was refused: the account has no `msDS-SupportedEncryptionTypes`, which means AES only, and it has no AES keys.",
            KEYS,
        ],
    ),
    kdc(
        205,
        "insecure default",
        [
            "The registry value `DefaultDomainSupportedEncTypes` of this domain controller allows RC4 or DES.",
            "Remove the value, or set it to 0x18; allow RC4 for single accounts only.",
        ],
    ),
    kdc(
        206,
        "RC4 will be blocked: client of an AES account",
        [
            "A client that offers only RC4 asked for a ticket of an account that is set to AES only. Enforcement blocks it (event 208).",
            CLIENT,
        ],
    ),
    kdc(
        207,
        "RC4 will be blocked: AES account without keys",
        [
            "An account is set to AES only and has no AES keys. Enforcement blocks its tickets (event 209).",
            KEYS,
        ],
    ),
    kdc(
        208,
        "RC4 blocked: client of an AES account",
        [
            "A ticket was refused: the client offers only RC4, and the account is set to AES only.",
            CLIENT,
        ],
    ),
    kdc(
        209,
        "RC4 blocked: AES account without keys",
        ["A ticket was refused: the account is set to AES only and has no AES keys.", KEYS],
    ),
];
