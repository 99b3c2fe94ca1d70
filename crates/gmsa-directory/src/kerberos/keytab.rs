//! Keytabs: files with the keys of principals.

use secrecy::{ExposeSecret, SecretSlice};
use zeroize::Zeroizing;

/// The version of the format: 5, with numbers in network order.
const VERSION: [u8; 2] = [5, 2];

/// A keytab in the format of MIT Kerberos, version 0x0502 ("The Keytab Binary File Format").
///
/// After two bytes of version, each entry has its length (32 bits, signed; a negative one is a hole
/// of that many bytes) and: the number of components of the name (16), realm and components (each a
/// length of 16 and its bytes), the type of the name (32), a time in seconds since 1970 (32), the
/// low 8 bits of the key's version, the encryption (16), the key (a length of 16 and its bytes), and
/// the whole version of the key (32), which older files lack. All numbers are big-endian.
#[derive(Debug)]
pub struct Keytab {
    /// One for each key.
    pub entries: Vec<Entry>,
}

/// One key of a principal.
#[derive(Debug)]
pub struct Entry {
    /// The realm, in upper case for Active Directory.
    pub realm: String,
    /// The name's parts, `http` and `web.contoso.com`, or one alone.
    pub components: Vec<String>,
    /// The type of the name (RFC 4120, section 7.5.8): 1 for a principal.
    pub name_type: u32,
    /// When it was written, in seconds since 1970.
    pub timestamp: u32,
    /// The version of the key.
    pub version: u32,
    /// The encryption, by its number in Kerberos.
    pub encryption: u16,
    /// The key.
    pub key: SecretSlice<u8>,
}

/// Bytes that are not a keytab. The bytes are never part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to read a keytab of {length} bytes: {what}")]
pub struct Error {
    length: usize,
    what: &'static str,
}

impl Keytab {
    /// Reads a keytab. Holes are left out.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        read(bytes).map_err(|what| Error { length: bytes.len(), what })
    }

    /// The file's bytes. A part over 64 KiB cannot be written.
    pub fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let length = VERSION.len() + self.entries.iter().map(|e| 4 + e.length()).sum::<usize>();
        // Made large enough at once: a buffer that grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(length));
        bytes.extend(VERSION);
        for entry in &self.entries {
            entry.write(&mut bytes).ok_or(Error { length, what: "a part is too long" })?;
        }
        Ok(bytes)
    }
}

impl Entry {
    fn length(&self) -> usize {
        let names: usize = self.components.iter().map(|part| 2 + part.len()).sum();
        let key = self.key.expose_secret().len();
        2 + 2 + self.realm.len() + names + 4 + 4 + 1 + 2 + 2 + key + 4
    }

    fn write(&self, bytes: &mut Vec<u8>) -> Option<()> {
        bytes.extend(i32::try_from(self.length()).ok()?.to_be_bytes());
        bytes.extend(u16::try_from(self.components.len()).ok()?.to_be_bytes());
        counted(bytes, self.realm.as_bytes())?;
        for component in &self.components {
            counted(bytes, component.as_bytes())?;
        }
        bytes.extend(self.name_type.to_be_bytes());
        bytes.extend(self.timestamp.to_be_bytes());
        let [.., low] = self.version.to_be_bytes();
        bytes.push(low);
        bytes.extend(self.encryption.to_be_bytes());
        counted(bytes, self.key.expose_secret())?;
        bytes.extend(self.version.to_be_bytes());
        Some(())
    }
}

fn counted(bytes: &mut Vec<u8>, part: &[u8]) -> Option<()> {
    bytes.extend(u16::try_from(part.len()).ok()?.to_be_bytes());
    bytes.extend(part);
    Some(())
}

fn read(bytes: &[u8]) -> Result<Keytab, &'static str> {
    let mut rest = bytes.strip_prefix(&VERSION).ok_or("its version is not 0x0502")?;
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let size = number(&mut rest).map(i32::from_be_bytes).ok_or("a length is cut off")?;
        let length = usize::try_from(size.unsigned_abs()).unwrap_or(usize::MAX);
        let part = take(&mut rest, length).ok_or("an entry is cut off")?;
        // A length of zero ends the file in what MIT Kerberos writes.
        match size {
            0 => break,
            1.. => entries.push(entry(part).ok_or("an entry is too short")?),
            _ => {}
        }
    }
    Ok(Keytab { entries })
}

fn entry(mut rest: &[u8]) -> Option<Entry> {
    let rest = &mut rest;
    let count = u16::from_be_bytes(number(rest)?);
    let realm = text(rest)?;
    let components = (0..count).map(|_| text(rest)).collect::<Option<_>>()?;
    let name_type = u32::from_be_bytes(number(rest)?);
    let timestamp = u32::from_be_bytes(number(rest)?);
    let [low] = number(rest)?;
    let encryption = u16::from_be_bytes(number(rest)?);
    let length = u16::from_be_bytes(number(rest)?);
    let key = SecretSlice::from(take(rest, length.into())?.to_vec());
    // Zero there means that only the low bits count.
    let version = match number(rest).map(u32::from_be_bytes) {
        None | Some(0) => u32::from(low),
        Some(version) => version,
    };
    Some(Entry { realm, components, name_type, timestamp, version, encryption, key })
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (part, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    Some(part)
}

fn number<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    take(rest, N)?.first_chunk().copied()
}

fn text(rest: &mut &[u8]) -> Option<String> {
    let length = u16::from_be_bytes(number(rest)?);
    String::from_utf8(take(rest, length.into())?.to_vec()).ok()
}

#[cfg(test)]
mod tests;
