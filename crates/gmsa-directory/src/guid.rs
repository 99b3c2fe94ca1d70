//! Globally unique identifiers.

use std::fmt;
use std::str::FromStr;

use gmsa_core::credspec::identifier::is_guid;

/// The order of the bytes in binary form, as positions in the text: the first three groups are
/// little-endian numbers. It is its own inverse.
const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

/// A GUID: binary as in MS-DTYP, section 2.3.4.2, text as in section 2.3.4.3 without braces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid(
    /// In the order of the text.
    [u8; 16],
);

/// Something that is not a GUID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text has another form.
    #[error("\"{}\" is not a GUID, which is written as 8-4-4-4-12 hexadecimal digits", .0.escape_debug())]
    Text(String),
    /// There are not 16 bytes.
    #[error("{0} bytes are not a GUID, which has 16")]
    Binary(usize),
}

impl Guid {
    /// Reads the binary form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let bytes: &[u8; 16] = bytes.try_into().map_err(|_| Error::Binary(bytes.len()))?;
        Ok(Self(reorder(bytes)))
    }

    /// The binary form.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 16] {
        reorder(&self.0)
    }
}

fn reorder(bytes: &[u8; 16]) -> [u8; 16] {
    ORDER.map(|position| bytes.get(position).copied().unwrap_or_default())
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl FromStr for Guid {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let error = || Error::Text(text.to_owned());
        if !is_guid(text) {
            return Err(error());
        }
        let digits: String = text.chars().filter(|character| *character != '-').collect();
        let number = u128::from_str_radix(&digits, 16).map_err(|_| error())?;
        Ok(Self(number.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests;
