//! The rules for `DomainJoinConfig`.

use serde_json::{Map, Value};

use super::super::identifier::{domain_of_account_sid, is_domain_sid, is_guid};
use super::super::path::{Path, quoted};
use super::{Found, present, text};
use crate::finding::Code;

/// The longest NetBIOS name of a domain and the longest name of an account before its `$`.
const MAXIMUM_NAME: usize = 15;
/// What neither a NetBIOS name nor the name of an account may contain.
const FORBIDDEN: [char; 15] =
    ['"', '/', '\\', '[', ']', ':', ';', '|', '=', ',', '+', '*', '?', '<', '>'];

/// What the other rules need to know of the domain; a name that is not there or empty is `None`.
pub(super) struct Domain<'a> {
    pub account: Option<&'a str>,
    pub dns: Option<&'a str>,
    pub netbios: Option<&'a str>,
}

pub(super) fn check<'a>(
    contents: &'a Map<String, Value>,
    path: &Path<'_>,
    found: &mut Found,
) -> Domain<'a> {
    const SECTION: &str = "DomainJoinConfig";
    let path = Path::Key(path, SECTION);
    let Some(Value::Object(map)) = present(contents, SECTION) else {
        if present(contents, SECTION).is_none() {
            found.add(Code::KeyMissing, &path, format!("{SECTION} is missing"));
        }
        return Domain { account: None, dns: None, netbios: None };
    };
    let dns = found.required(map, "DnsName", &path);
    let guid = found.required(map, "Guid", &path);
    let account = found.required(map, "MachineAccountName", &path);
    let netbios = found.required(map, "NetBiosName", &path);
    let sid = found.required(map, "Sid", &path);
    let trees = text(map, "DnsTreeName");

    for (key, name) in [("DnsName", dns), ("DnsTreeName", trees)] {
        if let Some(trouble) = name.and_then(|name| dns_trouble(name, netbios)) {
            found.add(Code::DnsNameInvalid, &Path::Key(&path, key), format!("{key} {trouble}"));
        }
    }
    if let (Some(dns), Some(tree)) = (dns, trees)
        && is_below(tree, dns)
    {
        let message = format!(
            "DnsTreeName {} lies below DnsName {}: the root of a forest lies below none of its \
             domains, so the two are swapped, and the Scope with them",
            quoted(tree),
            quoted(dns)
        );
        found.add(Code::DnsNamesSwapped, &Path::Key(&path, "DnsTreeName"), message);
    }
    if let Some(guid) = guid.filter(|guid| !is_guid(guid)) {
        found.add(
            Code::GuidInvalid,
            &Path::Key(&path, "Guid"),
            format!("Guid {} is not a GUID without braces", quoted(guid)),
        );
    }
    if let Some(trouble) = account.and_then(account_trouble) {
        found.add(
            Code::MachineAccountNameInvalid,
            &Path::Key(&path, "MachineAccountName"),
            format!("MachineAccountName {trouble}"),
        );
    }
    if let Some(trouble) = netbios.and_then(netbios_trouble) {
        found.add(
            Code::NetbiosNameInvalid,
            &Path::Key(&path, "NetBiosName"),
            format!("NetBiosName {trouble}"),
        );
    }
    if let Some(sid) = sid.filter(|sid| !is_domain_sid(sid)) {
        let message = match domain_of_account_sid(sid) {
            Some(domain) => {
                format!("Sid {} is an account's, its domain's is {domain}", quoted(sid))
            }
            None => format!("Sid {} is not the SID of a domain (S-1-5-21-a-b-c)", quoted(sid)),
        };
        found.add(Code::SidNotDomain, &Path::Key(&path, "Sid"), message);
    }
    let known = |name: Option<&'a str>| name.filter(|name| !name.is_empty());
    Domain { account: known(account), dns: known(dns), netbios: known(netbios) }
}

/// The account's name without `$` and without its domain.
pub(super) fn bare_account(name: &str) -> &str {
    let name = name.rsplit(['\\', '/']).next().unwrap_or(name);
    let name = name.split('@').next().unwrap_or(name);
    name.trim_end_matches('$').trim()
}

/// What is wrong with an account's name, to follow its key in a message.
pub(super) fn account_trouble(name: &str) -> Option<String> {
    let bare = bare_account(name);
    let instead = || format!("write {}", quoted(bare));
    if bare.is_empty() {
        return Some("has no name".to_owned());
    }
    if name.contains(['\\', '/', '@']) {
        return Some(format!("{} names a domain, {}", quoted(name), instead()));
    }
    if bare != name {
        return Some(format!("{} is not the bare name, {}", quoted(name), instead()));
    }
    if name.contains('$') || name.contains(FORBIDDEN) || name.contains(char::is_control) {
        return Some(format!("{} has a character that no account has", quoted(name)));
    }
    let length = name.chars().count();
    (length > MAXIMUM_NAME).then(|| {
        format!("{} has {length} characters, at most {MAXIMUM_NAME} are allowed", quoted(name))
    })
}

fn netbios_trouble(name: &str) -> Option<String> {
    let length = name.chars().count();
    if name.is_empty() {
        Some("is empty".to_owned())
    } else if name.contains('.') {
        Some(format!("{} has a dot, it seems to be the DNS name", quoted(name)))
    } else if length > MAXIMUM_NAME {
        Some(format!(
            "{} has {length} characters, at most {MAXIMUM_NAME} are allowed",
            quoted(name)
        ))
    } else if name.contains(FORBIDDEN) || name.contains(char::is_whitespace) {
        Some(format!("{} has a character that no NetBIOS name has", quoted(name)))
    } else {
        None
    }
}

fn dns_trouble(name: &str, netbios: Option<&str>) -> Option<String> {
    if name.is_empty() {
        Some("is empty".to_owned())
    } else if netbios.is_some_and(|netbios| netbios.eq_ignore_ascii_case(name)) {
        Some(format!("{} is the NetBIOS name, write the full DNS name", quoted(name)))
    } else if !name.contains('.') {
        Some(format!("{} has no dot, write the full DNS name", quoted(name)))
    } else if !is_dns_name(name) {
        Some(format!("{} is not a DNS name", quoted(name)))
    } else {
        None
    }
}

/// Whether a domain lies below another.
fn is_below(domain: &str, other: &str) -> bool {
    let (domain, other) = (domain.to_lowercase(), other.to_lowercase());
    let rest = domain.strip_suffix(&other).and_then(|rest| rest.strip_suffix('.'));
    !other.is_empty() && rest.is_some_and(|rest| !rest.is_empty())
}

/// Letters of any script are allowed: a domain may have an international name.
fn is_dns_name(name: &str) -> bool {
    name.split('.').all(|label| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|one| one.is_alphanumeric() || one == '-' || one == '_')
    })
}
