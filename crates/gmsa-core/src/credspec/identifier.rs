//! SIDs and GUIDs as a credential spec writes them.

use uuid::fmt::Hyphenated;

/// Whether a text is the SID of a domain: `S-1-5-21-a-b-c` with three numbers of 32 bits (MS-DTYP,
/// section 2.4.2.1).
#[must_use]
pub fn is_domain_sid(text: &str) -> bool {
    split_domain_sid(text).is_some_and(|(_, rest)| rest.is_empty())
}

/// The domain's part of an account's SID: `S-1-5-21-a-b-c` of `S-1-5-21-a-b-c-d`.
#[must_use]
pub fn domain_of_account_sid(text: &str) -> Option<&str> {
    let (domain, rest) = split_domain_sid(text)?;
    is_sub_authority(rest.strip_prefix('-')?).then_some(domain)
}

fn split_domain_sid(text: &str) -> Option<(&str, &str)> {
    const PREFIX: &str = "S-1-5-21-";
    let (prefix, numbers) = text.split_at_checked(PREFIX.len())?;
    if !prefix.eq_ignore_ascii_case(PREFIX) {
        return None;
    }
    let mut parts = numbers.splitn(4, '-');
    let mut length = PREFIX.len();
    for _ in 0..3 {
        let part = parts.next().filter(|part| is_sub_authority(part))?;
        length += part.len() + 1;
    }
    text.split_at_checked(length - 1)
}

fn is_sub_authority(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u32>().is_ok()
}

/// Whether a text is a GUID: 8-4-4-4-12 hexadecimal digits without braces.
#[must_use]
pub fn is_guid(text: &str) -> bool {
    text.parse::<Hyphenated>().is_ok()
}

/// The GUID in a text that is one in braces.
#[must_use]
pub fn braced_guid(text: &str) -> Option<&str> {
    let guid = text.strip_prefix('{')?.strip_suffix('}')?;
    is_guid(guid).then_some(guid)
}

#[cfg(test)]
mod tests;
