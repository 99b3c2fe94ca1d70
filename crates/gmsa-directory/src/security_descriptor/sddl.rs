//! The text form of security descriptors, for people.

use std::fmt;

use super::{Ace, Acl, SecurityDescriptor};

/// The flags of inheritance and their words, in the order in which Windows writes them.
const FLAGS: [(u8, &str); 5] =
    [(0x01, "OI"), (0x02, "CI"), (0x04, "NP"), (0x08, "IO"), (0x10, "ID")];

/// Writes SDDL (MS-DTYP, section 2.5.1), with rights as numbers and principals as SIDs. An entry of
/// an unknown type is shown as its type and size.
impl fmt::Display for SecurityDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(owner) = &self.owner {
            write!(f, "O:{owner}")?;
        }
        if let Some(group) = &self.group {
            write!(f, "G:{group}")?;
        }
        for (letter, list) in [("D", &self.dacl), ("S", &self.sacl)] {
            if let Some(list) = list {
                write!(f, "{letter}:{list}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Acl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entries.iter().try_for_each(|entry| write!(f, "{entry}"))
    }
}

impl fmt::Display for Ace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic { deny, flags, mask, sid } => {
                f.write_str(if *deny { "(D;" } else { "(A;" })?;
                for (bit, word) in FLAGS {
                    if flags & bit != 0 {
                        f.write_str(word)?;
                    }
                }
                write!(f, ";{mask:#x};;;{sid})")
            }
            Self::Other(bytes) | Self::Conditional { bytes, .. } => {
                let kind = bytes.first().copied().unwrap_or_default();
                write!(f, "(type {kind:#04x}, {} bytes)", bytes.len())
            }
        }
    }
}
