//! Security descriptors in self-relative form.
//!
//! What is not understood is kept: an entry of an unknown type is written back byte for byte.

mod access;
mod sddl;

use crate::bytes;
use crate::sid::Sid;

pub use access::{Access, Token};

/// All rights on an object of the directory: `ADS_RIGHT_*` (MS-ADTS, section 5.1.3.2).
pub const FULL_CONTROL: u32 = 0x000f_01ff;
/// The right to read properties, which gives the managed password to who has it in
/// `msDS-GroupMSAMembership` (MS-ADTS, section 3.1.1.4.4).
pub const READ_PROPERTY: u32 = 0x0000_0010;

const HEADER: usize = 20;
const ACL_HEADER: usize = 8;
const ACE_HEADER: usize = 4;
const DACL_PRESENT: u16 = 0x0004;
const SACL_PRESENT: u16 = 0x0010;
const SELF_RELATIVE: u16 = 0x8000;
/// The revision of a list with entries for objects and attributes; 2 is the one without.
const ACL_REVISION: u8 = 4;
/// An entry that counts for children alone (MS-DTYP, section 2.4.4.1).
const INHERIT_ONLY: u8 = 0x08;

/// A security descriptor (MS-DTYP, section 2.4.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityDescriptor {
    /// The resource manager's own byte.
    resource_manager: u8,
    /// The control bits as they were read.
    control: u16,
    /// Who owns the object.
    pub owner: Option<Sid>,
    /// The owner's group.
    pub group: Option<Sid>,
    /// What is audited.
    pub sacl: Option<Acl>,
    /// Who may do what; see [`access`](Self::access) for what it means if there is none.
    pub dacl: Option<Acl>,
}

/// A list of entries (MS-DTYP, section 2.4.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acl {
    revision: u8,
    /// The entries, in the order of their evaluation.
    pub entries: Vec<Ace>,
}

/// An entry (MS-DTYP, section 2.4.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ace {
    /// Allows (type 0) or denies (type 1) rights to a principal.
    Basic {
        /// Whether it denies.
        deny: bool,
        /// Flags of inheritance.
        flags: u8,
        /// The rights.
        mask: u32,
        /// The principal.
        sid: Sid,
    },
    /// Allows (type 9) or denies (type 10) rights to a principal under a condition.
    Conditional {
        /// Whether it denies.
        deny: bool,
        /// Flags of inheritance.
        flags: u8,
        /// The rights.
        mask: u32,
        /// The principal.
        sid: Sid,
        /// The entry as it was read.
        bytes: Vec<u8>,
    },
    /// Any other entry, as it was read: type, flags, size, and what follows.
    Other(Vec<u8>),
}

/// Bytes that are not a security descriptor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{length} bytes are not a security descriptor: {what}")]
pub struct Error {
    length: usize,
    what: &'static str,
}

impl SecurityDescriptor {
    /// A descriptor that gives each principal every right: the value of `msDS-GroupMSAMembership`.
    #[must_use]
    pub fn allowing(principals: &[Sid]) -> Self {
        let entries = principals.iter().map(Ace::full_control).collect();
        Self {
            resource_manager: 0,
            control: SELF_RELATIVE | DACL_PRESENT,
            owner: Some(Sid::administrators()),
            group: None,
            sacl: None,
            dacl: Some(Acl { revision: ACL_REVISION, entries }),
        }
    }

    /// Reads the self-relative form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        read(bytes).map_err(|what| Error { length: bytes.len(), what })
    }

    /// The self-relative form.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let parts = [
            self.owner.as_ref().map(Sid::to_bytes),
            self.group.as_ref().map(Sid::to_bytes),
            self.sacl.as_ref().map(Acl::to_bytes),
            self.dacl.as_ref().map(Acl::to_bytes),
        ];
        let mut control = self.control | SELF_RELATIVE;
        for (list, bit) in [(&self.sacl, SACL_PRESENT), (&self.dacl, DACL_PRESENT)] {
            if list.is_some() {
                control |= bit;
            }
        }
        let mut bytes = vec![1, self.resource_manager];
        bytes.extend(control.to_le_bytes());
        let mut offset = HEADER;
        for part in &parts {
            // A descriptor is far below 4 GiB.
            let at = part.as_ref().map_or(0, |_| u32::try_from(offset).unwrap_or_default());
            bytes.extend(at.to_le_bytes());
            offset += part.as_ref().map_or(0, Vec::len);
        }
        for part in parts.into_iter().flatten() {
            bytes.extend(part);
        }
        bytes
    }

    /// The principals with an allowing entry that lets them read the managed password.
    pub fn allowed(&self) -> impl Iterator<Item = &Sid> {
        self.entries().filter(|entry| entry.lets_read()).filter_map(|entry| match entry {
            Ace::Basic { sid, .. } => Some(sid),
            _ => None,
        })
    }

    /// The entries that [`allowed`](Self::allowed) leaves out.
    pub fn others(&self) -> impl Iterator<Item = &Ace> {
        self.entries().filter(|entry| !entry.lets_read())
    }

    /// The SIDs of all entries that have one.
    pub fn sids(&self) -> impl Iterator<Item = &Sid> {
        self.entries().filter_map(Ace::sid)
    }

    /// Gives a principal every right, unless an entry lets it read already. True if something changed.
    pub fn allow(&mut self, principal: &Sid) -> bool {
        if self.dacl.is_none() && self.control & DACL_PRESENT != 0 {
            // Everyone has every right, and a first entry would remove it from all others.
            return false;
        }
        let empty = || Acl { revision: ACL_REVISION, entries: Vec::new() };
        let dacl = self.dacl.get_or_insert_with(empty);
        let has_it = dacl.entries.iter().any(|entry| {
            entry.lets_read() && matches!(entry, Ace::Basic { sid, .. } if sid == principal)
        });
        if !has_it {
            dacl.entries.push(Ace::full_control(principal));
        }
        !has_it
    }

    /// Whether the list of entries is within the 64 KiB that its format has room for.
    #[must_use]
    pub fn fits(&self) -> bool {
        let size: usize = self.entries().map(|entry| entry.to_bytes().len()).sum();
        u16::try_from(ACL_HEADER + size).is_ok()
    }

    /// Removes every allow entry of a principal. True if something changed.
    pub fn disallow(&mut self, principal: &Sid) -> bool {
        let Some(dacl) = &mut self.dacl else { return false };
        let before = dacl.entries.len();
        dacl.entries.retain(|entry| {
            !matches!(entry, Ace::Basic { deny: false, sid, .. }
                | Ace::Conditional { deny: false, sid, .. } if sid == principal)
        });
        dacl.entries.len() != before
    }

    fn entries(&self) -> impl Iterator<Item = &Ace> {
        self.dacl.iter().flat_map(|dacl| &dacl.entries)
    }
}

fn read(bytes: &[u8]) -> Result<SecurityDescriptor, &'static str> {
    const SHORT: &str = "it is shorter than its header";
    let [revision, resource_manager] = bytes::array(bytes, 0).ok_or(SHORT)?;
    let control = bytes::u16_at(bytes, 2).ok_or(SHORT)?;
    if revision != 1 || control & SELF_RELATIVE == 0 {
        return Err("it is not of revision 1 in self-relative form");
    }
    let part = |offset: usize| -> Result<Option<&[u8]>, &'static str> {
        match bytes::size_at(bytes, offset).ok_or(SHORT)? {
            0 => Ok(None),
            at if at < HEADER => Err("a part of it lies in its header"),
            at => bytes.get(at..).map(Some).ok_or("a part of it lies behind its end"),
        }
    };
    let sid = |part: &[u8]| {
        Sid::read(part).map(|(sid, _)| sid).ok_or("the owner or the group is not a SID")
    };
    let list = |offset: usize, bit: u16| match part(offset)? {
        Some(part) if control & bit != 0 => read_acl(part).map(Some),
        _ => Ok(None),
    };
    Ok(SecurityDescriptor {
        resource_manager,
        control,
        owner: part(4)?.map(sid).transpose()?,
        group: part(8)?.map(sid).transpose()?,
        sacl: list(12, SACL_PRESENT)?,
        dacl: list(16, DACL_PRESENT)?,
    })
}

fn read_acl(bytes: &[u8]) -> Result<Acl, &'static str> {
    const SHORT: &str = "a list of entries is cut off";
    let [revision, _] = bytes::array(bytes, 0).ok_or(SHORT)?;
    let size = usize::from(bytes::u16_at(bytes, 2).ok_or(SHORT)?);
    let count = bytes::u16_at(bytes, 4).ok_or(SHORT)?;
    let mut rest = bytes.get(ACL_HEADER..size).ok_or(SHORT)?;
    let mut entries = Vec::new();
    for _ in 0..count {
        let size = usize::from(bytes::u16_at(rest, 2).ok_or(SHORT)?);
        if size < ACE_HEADER {
            return Err("an entry is shorter than its header");
        }
        let (entry, after) = rest.split_at_checked(size).ok_or(SHORT)?;
        entries.push(Ace::read(entry));
        rest = after;
    }
    Ok(Acl { revision, entries })
}

impl Acl {
    fn to_bytes(&self) -> Vec<u8> {
        let body: Vec<u8> = self.entries.iter().flat_map(Ace::to_bytes).collect();
        // The format has no more room; entries that were read had it, and few are added.
        let size = u16::try_from(ACL_HEADER + body.len()).unwrap_or(u16::MAX);
        let count = u16::try_from(self.entries.len()).unwrap_or(u16::MAX);
        let mut bytes = vec![self.revision, 0];
        bytes.extend(size.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend([0, 0]);
        bytes.extend(body);
        bytes
    }
}

impl Ace {
    /// Whom it is for, as far as that can be read.
    #[must_use]
    pub const fn sid(&self) -> Option<&Sid> {
        match self {
            Self::Basic { sid, .. } | Self::Conditional { sid, .. } => Some(sid),
            Self::Other(_) => None,
        }
    }

    fn full_control(principal: &Sid) -> Self {
        Self::Basic { deny: false, flags: 0, mask: FULL_CONTROL, sid: principal.clone() }
    }

    /// Whether it allows to read properties.
    const fn lets_read(&self) -> bool {
        matches!(self, Self::Basic { deny: false, flags, mask, .. }
            if *flags & INHERIT_ONLY == 0 && *mask & READ_PROPERTY != 0)
    }

    /// Reads the bytes of one entry, whose size is known to be right.
    fn read(bytes: &[u8]) -> Self {
        Self::read_basic(bytes)
            .or_else(|| access::conditional(bytes))
            .unwrap_or_else(|| Self::Other(bytes.to_vec()))
    }

    fn read_basic(bytes: &[u8]) -> Option<Self> {
        let [kind @ (0 | 1), flags] = bytes::array(bytes, 0)? else { return None };
        let mask = bytes::u32_at(bytes, ACE_HEADER)?;
        // The data after the SID would be lost.
        let sid = Sid::from_bytes(bytes.get(ACE_HEADER + 4..)?).ok()?;
        Some(Self::Basic { deny: kind == 1, flags, mask, sid })
    }

    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Other(bytes) | Self::Conditional { bytes, .. } => bytes.clone(),
            Self::Basic { deny, flags, mask, sid } => {
                let sid = sid.to_bytes();
                // A SID has at most 68 bytes.
                let size = u16::try_from(ACE_HEADER + 4 + sid.len()).unwrap_or(u16::MAX);
                let mut bytes = vec![u8::from(*deny), *flags];
                bytes.extend(size.to_le_bytes());
                bytes.extend(mask.to_le_bytes());
                bytes.extend(sid);
                bytes
            }
        }
    }
}

#[cfg(test)]
mod tests;
