//! Security identifiers.

mod well_known;

use std::fmt;
use std::str::FromStr;

use gmsa_core::printable::printable;

use crate::bytes;

/// The most sub-authorities that there can be.
const MAXIMUM: usize = 15;
/// The bytes before the sub-authorities.
const HEADER: usize = 8;

/// A security identifier: text and binary as in MS-DTYP, sections 2.4.2.1 and 2.4.2.2.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sid {
    /// 48 bits.
    authority: u64,
    /// Between 1 and 15.
    sub_authorities: Vec<u32>,
}

/// Something that is not a SID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text has another form.
    #[error("\"{}\" is not a SID, which is written as S-1-5-21-1-2-3", printable(.0))]
    Text(String),
    /// The bytes have another form.
    #[error("{0} bytes are not a SID")]
    Binary(usize),
}

impl Sid {
    /// `BUILTIN\Administrators`.
    #[must_use]
    pub fn administrators() -> Self {
        Self { authority: 5, sub_authorities: vec![32, 544] }
    }

    /// Reads the binary form; it must be exactly as long as the SID.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        match Self::read(bytes) {
            Some((sid, length)) if length == bytes.len() => Ok(sid),
            _ => Err(Error::Binary(bytes.len())),
        }
    }

    /// Reads a SID at the start of a buffer, and returns its length too.
    pub(crate) fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let [revision, count, authority @ ..] = bytes::array::<HEADER>(bytes, 0)?;
        let count = usize::from(count);
        if revision != 1 || count == 0 || count > MAXIMUM {
            return None;
        }
        // The authority alone is big-endian.
        let authority = authority.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        let sub_authorities = (0..count)
            .map(|index| bytes::u32_at(bytes, HEADER + 4 * index))
            .collect::<Option<Vec<_>>>()?;
        Some((Self { authority, sub_authorities }, HEADER + 4 * count))
    }

    /// The binary form.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // There are at most 15.
        let count = u8::try_from(self.sub_authorities.len()).unwrap_or(u8::MAX);
        let mut bytes = vec![1, count];
        bytes.extend(self.authority.to_be_bytes().iter().skip(2));
        bytes.extend(self.sub_authorities.iter().flat_map(|part| part.to_le_bytes()));
        bytes
    }

    /// The SID without its last number: the domain of an account.
    #[must_use]
    pub fn domain(&self) -> Option<Self> {
        let (_, rest) = self.sub_authorities.split_last()?;
        (!rest.is_empty())
            .then(|| Self { authority: self.authority, sub_authorities: rest.to_vec() })
    }

    /// The last number.
    #[must_use]
    pub fn relative_id(&self) -> u32 {
        self.sub_authorities.last().copied().unwrap_or_default()
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if u32::try_from(self.authority).is_ok() {
            write!(f, "S-1-{}", self.authority)?;
        } else {
            write!(f, "S-1-0x{:012X}", self.authority)?;
        }
        self.sub_authorities.iter().try_for_each(|part| write!(f, "-{part}"))
    }
}

impl FromStr for Sid {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).ok_or_else(|| Error::Text(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Sid> {
    let mut parts = text.split('-');
    if !parts.next()?.eq_ignore_ascii_case("s") || parts.next()? != "1" {
        return None;
    }
    let authority = parts.next()?;
    let authority = match authority.strip_prefix("0x").or_else(|| authority.strip_prefix("0X")) {
        Some(hex) if hex.len() == 12 => number(hex, 16)?,
        Some(_) => return None,
        None => u64::from(u32::try_from(number(authority, 10)?).ok()?),
    };
    let sub_authorities = parts
        .map(|part| number(part, 10).and_then(|part| u32::try_from(part).ok()))
        .collect::<Option<Vec<_>>>()?;
    (1..=MAXIMUM).contains(&sub_authorities.len()).then_some(Sid { authority, sub_authorities })
}

/// Digits alone: no sign.
fn number(text: &str, radix: u32) -> Option<u64> {
    let digits = text.chars().all(|character| character.is_digit(radix));
    digits.then(|| u64::from_str_radix(text, radix).ok())?
}

#[cfg(test)]
mod tests;
