//! The managed password of an account, as the domain controller gives it.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretSlice};
use zeroize::Zeroizing;

use crate::bytes;

/// The bytes before the first password.
const HEADER: usize = 16;
/// One tick of an interval: 100 ns.
const TICKS_PER_SECOND: u64 = 10_000_000;
const NANOSECONDS_PER_TICK: u32 = 100;

/// The value of `msDS-ManagedPassword`: `MSDS-MANAGEDPASSWORD_BLOB` (MS-ADTS, section 2.2.19).
///
/// The passwords are UTF-16 (little-endian) of random characters, without the null at their end;
/// they need not be valid UTF-16. They are never shown, and overwritten when dropped.
#[derive(Debug)]
pub struct ManagedPassword {
    /// The password that is valid now.
    pub current: SecretSlice<u8>,
    /// The one before, if there was one.
    pub previous: Option<SecretSlice<u8>>,
    /// How long until a new password should be asked for.
    pub query_interval: Duration,
    /// How long the password stays as it is at least.
    pub unchanged_interval: Duration,
}

/// Bytes that are not a managed password. The bytes are never part of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to read a managed password of {length} bytes: {what}")]
pub struct Error {
    length: usize,
    what: &'static str,
}

impl ManagedPassword {
    /// Reads the value of the attribute.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        read(bytes).map_err(|what| Error { length: bytes.len(), what })
    }

    /// The value of the attribute.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let current = self.current.expose_secret();
        let previous = self.previous.as_ref().map(ExposeSecret::expose_secret);
        let previous_at = HEADER + current.len() + 2;
        let end = previous.map_or(previous_at, |password| previous_at + password.len() + 2);
        let query_at = end.next_multiple_of(8);
        let length = query_at + 16;
        // Made large enough at once: a buffer that grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(length));
        // Passwords have 256 bytes, so the numbers fit.
        let short = |number: usize| u16::try_from(number).unwrap_or(u16::MAX).to_le_bytes();
        bytes.extend([1, 0, 0, 0]);
        bytes.extend(u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend(short(HEADER));
        bytes.extend(short(previous.map_or(0, |_| previous_at)));
        bytes.extend(short(query_at));
        bytes.extend(short(query_at + 8));
        for password in [Some(current), previous].into_iter().flatten() {
            bytes.extend(password);
            bytes.extend([0, 0]);
        }
        bytes.resize(query_at, 0);
        bytes.extend(ticks(self.query_interval).to_le_bytes());
        bytes.extend(ticks(self.unchanged_interval).to_le_bytes());
        bytes
    }
}

fn read(bytes: &[u8]) -> Result<ManagedPassword, &'static str> {
    const SHORT: &str = "it is shorter than its header";
    let version = bytes::u16_at(bytes, 0).ok_or(SHORT)?;
    if version != 1 {
        return Err("its version is not 1");
    }
    if bytes::size_at(bytes, 4).ok_or(SHORT)? != bytes.len() {
        return Err("its length is not the one it names");
    }
    let offset = |at: usize| bytes::u16_at(bytes, at).map(usize::from).ok_or(SHORT);
    let (current, previous) = (offset(8)?, offset(10)?);
    let (query, unchanged) = (offset(12)?, offset(14)?);
    let current_end = if previous == 0 { query } else { previous };
    Ok(ManagedPassword {
        current: password(bytes, current, current_end)?,
        previous: if previous == 0 { None } else { Some(password(bytes, previous, query)?) },
        query_interval: interval(bytes, query)?,
        unchanged_interval: interval(bytes, unchanged)?,
    })
}

/// The characters from one offset up to a null before another.
fn password(bytes: &[u8], start: usize, end: usize) -> Result<SecretSlice<u8>, &'static str> {
    if start < HEADER {
        return Err("a password lies in its header");
    }
    let region = bytes.get(start..end).ok_or("a password lies behind its end")?;
    let length = region
        .chunks_exact(2)
        .position(|character| character == [0, 0])
        .ok_or("a password has no end")?;
    let password = region.get(..2 * length).unwrap_or_default();
    Ok(SecretSlice::from(password.to_vec()))
}

fn interval(bytes: &[u8], offset: usize) -> Result<Duration, &'static str> {
    let ticks = bytes::array(bytes, offset)
        .filter(|_| offset >= HEADER)
        .map(u64::from_le_bytes)
        .ok_or("an interval is missing")?;
    // Below ten millions, so it fits.
    let rest = u32::try_from(ticks % TICKS_PER_SECOND).unwrap_or_default();
    Ok(Duration::new(ticks / TICKS_PER_SECOND, rest * NANOSECONDS_PER_TICK))
}

fn ticks(interval: Duration) -> u64 {
    interval
        .as_secs()
        .saturating_mul(TICKS_PER_SECOND)
        .saturating_add(u64::from(interval.subsec_nanos() / NANOSECONDS_PER_TICK))
}

#[cfg(test)]
mod tests;
