//! Every number that Windows and the plug-ins give, with its meaning and what to do.

mod page;
mod source;

pub use page::codes_page;
pub use source::meanings;

/// Where a number is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A system code, NTSTATUS or HRESULT, in the output of a command or in an event.
    Api,
    /// The event log `Microsoft-Windows-Containers-CCG/Admin`.
    Ccg,
    /// The event log `Microsoft-AKSGMSAPlugin/Admin`.
    Aks,
    /// The Application event log, by the Rancher plug-in.
    Rancher,
    /// The event log of Hyper-V-Compute.
    HyperVCompute,
    /// The System event log, by NETLOGON.
    Netlogon,
}

/// One number with what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it is said.
    pub source: Source,
    /// The number, unsigned.
    pub number: u32,
    /// Its symbol, or a short name for events.
    pub name: &'static str,
    /// What it means, in one sentence of Markdown.
    pub meaning: &'static str,
    /// What to do about it, in Markdown.
    pub remedy: &'static str,
}

const fn entry(
    source: Source,
    number: u32,
    name: &'static str,
    meaning: &'static str,
    remedy: &'static str,
) -> Entry {
    Entry { source, number, name, meaning, remedy }
}

/// The entry for a number of that source.
#[must_use]
pub fn find(source: Source, number: u32) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.source == source && entry.number == number)
}

/// The number that a word spells: decimal, negative decimal (an HRESULT as signed 32 bits) or hexadecimal with `0x`.
#[must_use]
pub fn number(word: &str) -> Option<u32> {
    if let Some(digits) = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        return u32::from_str_radix(digits, 16).ok();
    }
    word.parse().ok().or_else(|| word.parse::<i32>().ok().map(i32::cast_unsigned))
}

/// All entries, by source and number.
pub const ALL: &[Entry] = &[
    entry(
        Source::Api,
        0,
        "NERR_Success",
        "It worked.",
        "Check both the connection status and the trust verification line.",
    ),
    entry(
        Source::Api,
        5,
        "ERROR_ACCESS_DENIED",
        "Access denied.",
        "Run as LocalSystem or NetworkService, and check the rights of the account.",
    ),
    entry(
        Source::Api,
        1311,
        "ERROR_NO_LOGON_SERVERS",
        "No logon server: the domain name cannot be resolved there.",
        "Forward the domain to its DNS servers, and check its SRV records over UDP and TCP.",
    ),
    entry(
        Source::Api,
        1355,
        "ERROR_NO_SUCH_DOMAIN",
        "No such domain, or none of its controllers answers.",
        "Check DnsName and NetBiosName in the credential spec, then DNS.",
    ),
    entry(
        Source::Api,
        1722,
        "RPC_S_SERVER_UNAVAILABLE",
        "The RPC server is unavailable: on `/parentdomain` no credential spec reached the pod, on `/query` it could not log on.",
        "On `/parentdomain` check admission and the runtime; on `/query` check DNS, ports and the account, then reset the secure channel.",
    ),
    entry(
        Source::Api,
        1786,
        "ERROR_NO_TRUST_LSA_SECRET",
        "The container holds no trust secret.",
        "Reset the secure channel; see whether the host may read the password of the account.",
    ),
    entry(
        Source::Api,
        1787,
        "ERROR_NO_TRUST_SAM_ACCOUNT",
        "The domain has no computer account for this trust.",
        "Check MachineAccountName, and that no second object has the same sAMAccountName.",
    ),
    entry(
        Source::Api,
        1788,
        "ERROR_TRUSTED_DOMAIN_FAILURE",
        "The trust between two domains failed.",
        "Check the trust of the domains, and name resolution for both.",
    ),
    entry(
        Source::Api,
        1789,
        "ERROR_TRUSTED_RELATIONSHIP_FAILURE",
        "The trust between this container and the domain failed.",
        "Reset the secure channel; give each container a hostname of its own.",
    ),
    entry(
        Source::Api,
        0xC000_0022,
        "STATUS_ACCESS_DENIED",
        "Access denied.",
        "Run as LocalSystem or NetworkService, and check the rights of the account.",
    ),
    entry(
        Source::Api,
        0xC000_005E,
        "STATUS_NO_LOGON_SERVERS",
        "No logon server: none is found, or none answers.",
        "Check DNS, and the ports to the domain controllers.",
    ),
    entry(
        Source::Api,
        0xC000_018A,
        "STATUS_NO_TRUST_LSA_SECRET",
        "There is no trust secret (in NETLOGON event 5720).",
        "Reset the secure channel; see whether the host may read the password of the account.",
    ),
    entry(
        Source::Api,
        0xC002_0017,
        "RPC_NT_SERVER_UNAVAILABLE",
        "The RPC server is unavailable while the identity is set up.",
        "Check the credential spec, and the CCG event log of the node.",
    ),
    entry(
        Source::Api,
        0xD002_0017,
        "HRESULT_FROM_NT(RPC_NT_SERVER_UNAVAILABLE)",
        "The RPC server is unavailable while the identity is set up (from the container runtime).",
        "Check the credential spec, and the CCG event log of the node.",
    ),
    entry(Source::Ccg, 1, "plug-in loaded", "The plug-in was loaded.", "Nothing to do."),
    entry(Source::Ccg, 2, "credentials fetched", "The credentials were fetched.", "Nothing to do."),
    entry(
        Source::Ccg,
        3,
        "credential spec unreadable",
        "The credential spec could not be parsed.",
        "Lint the credential spec.",
    ),
    entry(
        Source::Ccg,
        4,
        "plug-in not instantiated",
        "The plug-in could not be instantiated.",
        "Register it under `CCG\\COMClasses` on the node, and check PluginGUID.",
    ),
    entry(
        Source::Ccg,
        6,
        "plug-in without credentials",
        "The plug-in could not get credentials.",
        "Read the event log of the plug-in.",
    ),
    entry(
        Source::Ccg,
        7,
        "credentials fetched again",
        "The credentials are being fetched again.",
        "Nothing to do, unless it repeats.",
    ),
    entry(
        Source::Ccg,
        8,
        "account may not read the gMSA",
        "The account that was fetched could not read the managed service account.",
        "Let the account retrieve the managed password in Active Directory.",
    ),
    entry(
        Source::Aks,
        1000,
        "token: HTTP failure",
        "The request for a token failed.",
        "Check that the node reaches the instance metadata service.",
    ),
    entry(
        Source::Aks,
        1001,
        "token: not JSON",
        "The answer with the token is no JSON.",
        "Check what answers for the instance metadata service.",
    ),
    entry(
        Source::Aks,
        1002,
        "token: no access_token",
        "The answer holds no access_token.",
        "Check the managed identity of the node.",
    ),
    entry(
        Source::Aks,
        1003,
        "managed identity not found",
        "The managed identity was not found.",
        "Assign the identity of ObjectId to the node pool.",
    ),
    entry(
        Source::Aks,
        1004,
        "secret: bad response",
        "The response with the secret could not be used.",
        "Check SecretUri and the Key Vault.",
    ),
    entry(
        Source::Aks,
        1005,
        "secret: empty",
        "The secret is empty.",
        "Store `domain\\username:password` in it.",
    ),
    entry(
        Source::Aks,
        1006,
        "secret: wrong form",
        "The secret is not of the form `domain\\username:password`.",
        "Store it in that form, with the FQDN of the domain.",
    ),
    entry(
        Source::Aks,
        1007,
        "Key Vault denied",
        "Key Vault denied the request.",
        "Let the managed identity get secrets.",
    ),
    entry(
        Source::Aks,
        1008,
        "Key Vault: HTTP failure",
        "The request to Key Vault failed.",
        "Check that the node reaches the vault.",
    ),
    entry(
        Source::Aks,
        1009,
        "exception",
        "The plug-in met an exception.",
        "Read the text of the event.",
    ),
    entry(
        Source::Aks,
        1010,
        "exception",
        "The plug-in met an exception.",
        "Read the text of the event.",
    ),
    entry(Source::Aks, 1011, "information", "For information only.", "Nothing to do."),
    entry(Source::Aks, 1012, "information", "For information only.", "Nothing to do."),
    entry(
        Source::Aks,
        1013,
        "no ObjectId",
        "PluginInput has no ObjectId.",
        "Add `ObjectId=` to PluginInput.",
    ),
    entry(
        Source::Aks,
        1014,
        "no SecretUri",
        "PluginInput has no SecretUri.",
        "Add `SecretUri=` to PluginInput.",
    ),
    entry(
        Source::Aks,
        1015,
        "bad SecretUri",
        "SecretUri in PluginInput is no valid URI.",
        "Write it as `https://VAULT/secrets/NAME`.",
    ),
    entry(
        Source::Aks,
        1016,
        "no PluginInput",
        "The credential spec has no PluginInput.",
        "Set PluginInput in HostAccountConfig.",
    ),
    entry(Source::Aks, 1017, "information", "For information only.", "Nothing to do."),
    entry(
        Source::Aks,
        1018,
        "no vault in the URI",
        "SecretUri names no vault resource.",
        "Write it as `https://VAULT/secrets/NAME`.",
    ),
    entry(Source::Rancher, 101, "information", "For information only.", "Nothing to do."),
    entry(
        Source::Rancher,
        201,
        "warning",
        "The Rancher plug-in warns.",
        "Read the text of the event.",
    ),
    entry(
        Source::Rancher,
        301,
        "error",
        "The Rancher plug-in failed.",
        "Check the Secret that PluginInput names as `NAMESPACE:SECRET`.",
    ),
    entry(
        Source::HyperVCompute,
        11507,
        "failed to set up the external credentials",
        "The external credentials could not be set up.",
        "Check the credential spec, and the CCG event log of the node.",
    ),
    entry(
        Source::Netlogon,
        5720,
        "no session with the domain controller",
        "Netlogon could not set up a session with the domain controller.",
        "Read the status in the event, commonly 0xC000018A.",
    ),
];

#[cfg(test)]
mod tests;
