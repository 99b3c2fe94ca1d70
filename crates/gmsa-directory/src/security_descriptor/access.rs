//! Who gets the managed password, by the rules of a domain controller.
//!
//! The controller compares the descriptor in `msDS-GroupMSAMembership` with the SIDs of the caller and
//! asks for [`READ_PROPERTY`] (MS-ADTS, section 3.1.1.4.4). What is written here was compared with
//! Samba 4.22 for each kind of entry; Windows was not tried.

use std::collections::HashSet;
use uuid::Uuid;

use super::{Ace, DACL_PRESENT, INHERIT_ONLY, READ_PROPERTY, SecurityDescriptor};
use crate::bytes;
use crate::sid::Sid;

/// Entries for one attribute or class: allow and deny (MS-DTYP, section 2.4.4.3).
const OBJECT: [u8; 2] = [5, 6];
/// Entries with a condition: allow and deny (MS-DTYP, section 2.4.4.6).
const CONDITIONAL: [u8; 2] = [9, 10];

/// The SIDs that a principal has when it logs on over the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    sids: HashSet<Sid>,
    /// Whether the groups of the principal are among them.
    complete: bool,
}

/// Whether a descriptor gives the managed password to a principal, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access<'a> {
    /// By this SID of the principal; None if there is no list of entries, which lets everyone read.
    Granted(Option<&'a Sid>),
    /// An entry denies it to this SID of the principal.
    Denied(&'a Sid),
    /// No entry is about the principal.
    NotListed,
    /// The descriptor has no list of entries and no bit for its presence: nobody may read.
    NoList,
    /// It depends on whether the principal has this SID, or on the condition of an entry for it.
    Unknown(&'a Sid),
}

impl<'a> Access<'a> {
    /// The SID that decides, or on which it depends.
    #[must_use]
    pub fn sid(&self) -> Option<&'a Sid> {
        match self {
            Self::Granted(sid) => *sid,
            Self::Denied(sid) | Self::Unknown(sid) => Some(sid),
            Self::NotListed | Self::NoList => None,
        }
    }
}

impl Token {
    /// The SIDs of a principal; `complete` if its groups are among them.
    #[must_use]
    pub fn new(sids: impl IntoIterator<Item = Sid>, complete: bool) -> Self {
        Self { sids: sids.into_iter().collect(), complete }
    }

    /// Whether the principal's groups are known.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.complete
    }

    /// None if it is not known.
    fn has(&self, sid: &Sid) -> Option<bool> {
        if self.sids.contains(sid) {
            Some(true)
        } else if sid.depends_on_logon() || (!self.complete && sid.may_be_a_group()) {
            None
        } else {
            Some(false)
        }
    }
}

impl SecurityDescriptor {
    /// Whether a principal gets the managed password. Entries are evaluated in order; the first
    /// that is about the principal and the right to read properties decides.
    #[must_use]
    pub fn access(&self, token: &Token) -> Access<'_> {
        let Some(dacl) = &self.dacl else {
            let is_present = self.control & DACL_PRESENT != 0;
            return if is_present { Access::Granted(None) } else { Access::NoList };
        };
        // Entries that may apply, before one that does.
        let mut doubts: Vec<(bool, &Sid)> = Vec::new();
        let decide = |doubts: &[(bool, &'_ Sid)], deny: bool| {
            doubts.iter().position(|(other, _)| *other != deny)
        };
        for entry in &dacl.entries {
            match entry {
                Ace::Basic { deny, flags, mask, sid }
                    if flags & INHERIT_ONLY == 0 && mask & READ_PROPERTY != 0 =>
                {
                    match token.has(sid) {
                        Some(true) => {
                            return match decide(&doubts, *deny) {
                                Some(at) => doubts
                                    .get(at)
                                    .map_or(Access::NotListed, |(_, sid)| Access::Unknown(sid)),
                                None if *deny => Access::Denied(sid),
                                None => Access::Granted(Some(sid)),
                            };
                        }
                        None => doubts.push((*deny, sid)),
                        Some(false) => {}
                    }
                }
                Ace::Conditional { deny, flags, mask, sid, .. }
                    if flags & INHERIT_ONLY == 0
                        && mask & READ_PROPERTY != 0
                        && token.has(sid) != Some(false) =>
                {
                    doubts.push((*deny, sid));
                }
                _ => {}
            }
        }
        match doubts.iter().find(|(deny, _)| !deny) {
            Some((_, sid)) => Access::Unknown(sid),
            None => Access::NotListed,
        }
    }

    /// Whether a user with these SIDs may certainly read a property of the object that has this
    /// descriptor; `property` holds the GUID of the attribute, and that of its property set.
    #[must_use]
    pub fn lets_read_property(&self, sids: &HashSet<Sid>, property: &[Uuid]) -> bool {
        let Some(dacl) = &self.dacl else { return self.control & DACL_PRESENT != 0 };
        for entry in &dacl.entries {
            let (deny, flags, mask, sid) = match entry {
                Ace::Basic { deny, flags, mask, sid } => (*deny, *flags, *mask, sid.clone()),
                Ace::Conditional { deny: true, flags, mask, sid, .. } => {
                    (true, *flags, *mask, sid.clone())
                }
                Ace::Conditional { .. } => continue,
                Ace::Other(bytes) => match object_entry(bytes) {
                    Some(entry) if entry.object.is_none_or(|one| property.contains(&one)) => {
                        (entry.deny, entry.flags, entry.mask, entry.sid)
                    }
                    _ => continue,
                },
            };
            if flags & INHERIT_ONLY == 0 && mask & READ_PROPERTY != 0 && sids.contains(&sid) {
                return !deny;
            }
        }
        false
    }
}

/// An entry for one attribute, property set or class, or for all.
struct ObjectEntry {
    deny: bool,
    flags: u8,
    mask: u32,
    object: Option<Uuid>,
    sid: Sid,
}

fn object_entry(bytes: &[u8]) -> Option<ObjectEntry> {
    let [kind, flags] = bytes::array(bytes, 0)?;
    if !OBJECT.contains(&kind) {
        return None;
    }
    let mask = bytes::u32_at(bytes, 4)?;
    let present = bytes::u32_at(bytes, 8)?;
    let mut at = 12;
    let mut object = None;
    if present & 1 != 0 {
        object = Some(Uuid::from_slice_le(bytes.get(at..at + 16)?).ok()?);
        at += 16;
    }
    if present & 2 != 0 {
        at += 16;
    }
    let (sid, _) = Sid::read(bytes.get(at..)?)?;
    Some(ObjectEntry { deny: kind == 6, flags, mask, object, sid })
}

/// Reads an entry with a condition.
pub(super) fn conditional(bytes: &[u8]) -> Option<Ace> {
    let [kind, flags] = bytes::array(bytes, 0)?;
    if !CONDITIONAL.contains(&kind) {
        return None;
    }
    let mask = bytes::u32_at(bytes, 4)?;
    let (sid, _) = Sid::read(bytes.get(8..)?)?;
    Some(Ace::Conditional { deny: kind == 10, flags, mask, sid, bytes: bytes.to_vec() })
}
