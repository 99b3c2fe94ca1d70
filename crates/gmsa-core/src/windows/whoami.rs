//! The output of `whoami /user`, read by the SID: the names of accounts are translated.

/// The SID in the output.
#[must_use]
pub fn sid(output: &str) -> Option<&str> {
    output
        .split(|character: char| character.is_whitespace() || character == '"' || character == ',')
        .find(|word| {
            word.strip_prefix("S-1-").is_some_and(|rest| {
                !rest.is_empty() && rest.split('-').all(|part| part.parse::<u64>().is_ok())
            })
        })
}

/// Whether a process of a user has the identity of the container on the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnNetwork {
    /// It has: Microsoft documents it.
    Yes,
    /// Microsoft documents that it has not; others report that it works all the same.
    Disputed,
    /// It has not.
    No,
}

/// The name of a user that containers have, and whether its processes have the identity.
///
/// Well-known SIDs: MS-DTYP section 2.4.2.4, and Windows' own for containers. That the two users of
/// containers work: microsoft/Windows-Containers 390, and the tests of Kubernetes.
#[must_use]
pub fn known(sid: &str) -> Option<(&'static str, OnNetwork)> {
    Some(match sid {
        "S-1-5-18" => ("LocalSystem", OnNetwork::Yes),
        "S-1-5-20" => ("NetworkService", OnNetwork::Yes),
        "S-1-5-19" => ("LocalService", OnNetwork::No),
        "S-1-5-93-2-1" => ("ContainerAdministrator", OnNetwork::Disputed),
        "S-1-5-93-2-2" => ("ContainerUser", OnNetwork::Disputed),
        _ if sid.starts_with("S-1-5-82-") => ("an IIS application pool", OnNetwork::Yes),
        _ if sid.starts_with("S-1-5-80-") => ("the account of a service", OnNetwork::Yes),
        _ if is_own(sid) => ("a user of the image", OnNetwork::No),
        _ => return None,
    })
}

/// Whether an administrator made the user: the last number of such a SID is 1000 or more.
fn is_own(sid: &str) -> bool {
    let last = sid.strip_prefix("S-1-5-21-").and_then(|rest| rest.rsplit('-').next());
    last.and_then(|last| last.parse::<u32>().ok()).is_some_and(|last| last >= 1000)
}

#[cfg(test)]
mod tests;
