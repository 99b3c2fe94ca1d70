//! SIDs that mean the same in every domain (MS-DTYP, section 2.4.2.4).

use super::Sid;

/// Numbers below the authority 5, or with another authority, and what they are called.
const KNOWN: [(&str, &str); 27] = [
    ("S-1-1-0", "Everyone"),
    ("S-1-5-2", "NETWORK"),
    ("S-1-5-4", "INTERACTIVE"),
    ("S-1-5-7", "ANONYMOUS LOGON"),
    ("S-1-5-9", "ENTERPRISE DOMAIN CONTROLLERS"),
    ("S-1-5-10", "SELF"),
    ("S-1-5-11", "Authenticated Users"),
    ("S-1-5-15", "This Organization"),
    ("S-1-5-18", "SYSTEM"),
    ("S-1-5-19", "LOCAL SERVICE"),
    ("S-1-5-20", "NETWORK SERVICE"),
    ("S-1-5-1000", "Other Organization"),
    ("S-1-5-64-10", "NTLM Authentication"),
    ("S-1-5-64-14", "SChannel Authentication"),
    ("S-1-5-64-21", "Digest Authentication"),
    ("S-1-3-0", "CREATOR OWNER"),
    ("S-1-3-4", "OWNER RIGHTS"),
    ("S-1-18-1", "Authentication authority asserted identity"),
    ("S-1-18-2", "Service asserted identity"),
    ("S-1-5-32-544", "BUILTIN\\Administrators"),
    ("S-1-5-32-545", "BUILTIN\\Users"),
    ("S-1-5-32-546", "BUILTIN\\Guests"),
    ("S-1-5-32-548", "BUILTIN\\Account Operators"),
    ("S-1-5-32-549", "BUILTIN\\Server Operators"),
    ("S-1-5-32-551", "BUILTIN\\Backup Operators"),
    ("S-1-5-32-554", "BUILTIN\\Pre-Windows 2000 Compatible Access"),
    ("S-1-5-32-560", "BUILTIN\\Windows Authorization Access Group"),
];

/// Those that everyone has, or every account of the domain.
const EVERYONE: [&str; 6] =
    ["S-1-1-0", "S-1-5-2", "S-1-5-11", "S-1-5-32-545", "S-1-5-32-554", "S-1-5-15"];
/// Relative identifiers of groups with every user, guest or computer of a domain.
const WHOLE_DOMAIN: [u32; 3] = [513, 514, 515];
/// Those that a caller has or has not by the way it logs on.
const BY_LOGON: [&str; 7] =
    ["S-1-5-15", "S-1-5-1000", "S-1-5-64-10", "S-1-5-64-14", "S-1-5-64-21", "S-1-18-1", "S-1-18-2"];
/// SIDs that are in no token.
const NOBODY: [&str; 3] = ["S-1-5-10", "S-1-3-0", "S-1-3-4"];

impl Sid {
    /// Those that every caller has who logs on over the network with a password or a ticket:
    /// Everyone, NETWORK and Authenticated Users.
    pub(crate) fn of_every_caller() -> impl Iterator<Item = Self> {
        ["S-1-1-0", "S-1-5-2", "S-1-5-11"].iter().filter_map(|sid| sid.parse().ok())
    }

    /// The name of a SID that means the same in every domain.
    #[must_use]
    pub fn well_known(&self) -> Option<&'static str> {
        let text = self.to_string();
        KNOWN.iter().find(|(sid, _)| *sid == text).map(|(_, name)| *name)
    }

    /// The SID of a well-known name, in any case, with or without `BUILTIN\` or `NT AUTHORITY\`.
    #[must_use]
    pub fn of_well_known(name: &str) -> Option<Self> {
        let bare = |name: &str| {
            let name = name.to_ascii_lowercase();
            let name = name.strip_prefix("nt authority\\").unwrap_or(&name);
            name.strip_prefix("builtin\\").unwrap_or(name).to_owned()
        };
        let wanted = bare(name);
        let known = KNOWN.iter().find(|(_, known)| bare(known) == wanted);
        known.and_then(|(sid, _)| sid.parse().ok())
    }

    /// Whether it includes far more than the nodes of a cluster: everyone, or all users or computers
    /// of a domain.
    #[must_use]
    pub fn is_too_wide(&self) -> bool {
        let text = self.to_string();
        EVERYONE.contains(&text.as_str())
            || (text.starts_with("S-1-5-21-") && WHOLE_DOMAIN.contains(&self.relative_id()))
    }

    /// Whether a caller has it by the way it logs on, which cannot be known beforehand.
    pub(crate) fn depends_on_logon(&self) -> bool {
        BY_LOGON.contains(&self.to_string().as_str())
    }

    /// Whether it can have members.
    pub(crate) fn may_be_a_group(&self) -> bool {
        !NOBODY.contains(&self.to_string().as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_circles() {
        for name in ["everyone", "Authenticated Users", "NT AUTHORITY\\NETWORK", "BUILTIN\\users"] {
            let sid = Sid::of_well_known(name).unwrap();
            assert!(sid.is_too_wide(), "{name}");
            let known = sid.well_known().unwrap().to_ascii_lowercase();
            assert!(
                known.ends_with(name.rsplit('\\').next().unwrap().to_ascii_lowercase().as_str())
            );
        }
        assert_eq!(Sid::of_well_known("webhosts"), None);
        let of = |text: &str| text.parse::<Sid>().unwrap();
        assert!(of("S-1-5-21-1-2-3-515").is_too_wide());
        assert!(!of("S-1-5-21-1-2-3-1515").is_too_wide());
        assert!(of("S-1-5-64-10").depends_on_logon() && !of("S-1-5-11").depends_on_logon());
        assert!(KNOWN.iter().all(|(sid, _)| of(sid).well_known().is_some()));
        assert_eq!(Sid::of_every_caller().count(), 3);
    }
}
