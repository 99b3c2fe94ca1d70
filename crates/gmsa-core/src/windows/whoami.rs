//! The output of `whoami /user`, read by the SID: names of accounts are translated.

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

/// The name of an account that containers know; a process of it uses the identity of the container
/// on the network, or does not.
///
/// Well-known SIDs: MS-DTYP section 2.4.2.4, and Windows' own for containers.
#[must_use]
pub fn known(sid: &str) -> Option<(&'static str, bool)> {
    Some(match sid {
        "S-1-5-18" => ("LocalSystem", true),
        "S-1-5-20" => ("NetworkService", true),
        "S-1-5-19" => ("LocalService", false),
        "S-1-5-93-2-1" => ("ContainerAdministrator", false),
        "S-1-5-93-2-2" => ("ContainerUser", false),
        _ if sid.starts_with("S-1-5-82-") => ("an IIS application pool", true),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
