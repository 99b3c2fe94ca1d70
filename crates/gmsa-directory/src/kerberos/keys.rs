//! From a password to a key (RFC 3961, RFC 3962).

use std::num::NonZeroU32;

use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, UnboundCipherKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA1};
use secrecy::SecretSlice;
use zeroize::Zeroizing;

/// How often Active Directory hashes (RFC 3962, section 4, the default).
#[cfg(unix)]
pub(crate) const ITERATIONS: NonZeroU32 = NonZeroU32::new(4096).unwrap();
/// `kerberos`, folded to 128 bits (RFC 3961, appendix A.1).
const CONSTANT: [u8; 16] = [
    0x6b, 0x65, 0x72, 0x62, 0x65, 0x72, 0x6f, 0x73, 0x7b, 0x9b, 0x5b, 0x2b, 0x93, 0x13, 0x2b, 0x93,
];

/// An encryption by AES with HMAC-SHA1-96 (RFC 3962).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// `aes128-cts-hmac-sha1-96`
    Aes128,
    /// `aes256-cts-hmac-sha1-96`
    Aes256,
}

impl Encryption {
    /// Its number in Kerberos.
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::Aes128 => 17,
            Self::Aes256 => 18,
        }
    }

    /// Its name in a configuration of Kerberos.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aes128 => "aes128-cts-hmac-sha1-96",
            Self::Aes256 => "aes256-cts-hmac-sha1-96",
        }
    }

    /// Its bit in `msDS-SupportedEncryptionTypes` (MS-KILE, section 2.2.7).
    #[must_use]
    pub const fn bit(self) -> i64 {
        match self {
            Self::Aes128 => 0x08,
            Self::Aes256 => 0x10,
        }
    }

    const fn key_length(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes256 => 32,
        }
    }
}

/// The cryptographic library refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to derive a Kerberos key: the cryptographic library refused")]
pub struct KeyError;

impl From<Unspecified> for KeyError {
    fn from(_: Unspecified) -> Self {
        Self
    }
}

/// The key of a passphrase: PBKDF2 with HMAC-SHA1, then `DK(key, "kerberos")`, which encrypts the
/// folded word, and what comes of it, until the key is long enough. The blocks are single, so that
/// the mode of RFC 3962 with its vector of zeros is the cipher alone.
pub fn string_to_key(
    encryption: Encryption,
    passphrase: &str,
    salt: &str,
    iterations: NonZeroU32,
) -> Result<SecretSlice<u8>, KeyError> {
    let mut hashed = Zeroizing::new(vec![0; encryption.key_length()]);
    let (salt, passphrase) = (salt.as_bytes(), passphrase.as_bytes());
    pbkdf2::derive(PBKDF2_HMAC_SHA1, iterations, salt, passphrase, &mut hashed);
    let algorithm = match encryption {
        Encryption::Aes128 => &AES_128,
        Encryption::Aes256 => &AES_256,
    };
    let cipher = EncryptingKey::ecb(UnboundCipherKey::new(algorithm, &hashed)?)?;
    let mut key = Vec::with_capacity(encryption.key_length());
    let mut block = Zeroizing::new(CONSTANT);
    while key.len() < encryption.key_length() {
        cipher.encrypt(block.as_mut_slice())?;
        key.extend(block.iter());
    }
    Ok(SecretSlice::from(key))
}

/// The salt of a computer or managed service account (MS-KILE, section 3.1.1.2): the realm, `host`,
/// the name in lower case without `$`, and the domain.
#[must_use]
pub fn computer_salt(account: &str, domain: &str) -> String {
    let name = account.trim_end_matches('$').to_lowercase();
    format!("{}host{name}.{}", domain.to_uppercase(), domain.to_lowercase())
}

/// A password of UTF-16 (little-endian) as the passphrase that keys are derived from: in UTF-8, with
/// U+FFFD for what is half a pair of surrogates. A managed password is random, and mostly has some.
#[cfg(any(unix, test))]
pub(crate) fn passphrase(password: &[u8]) -> Zeroizing<String> {
    let units = password.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit));
    // Made large enough at once: a buffer that grows leaves copies behind.
    let mut text = Zeroizing::new(String::with_capacity(password.len() / 2 * 3));
    for unit in char::decode_utf16(units) {
        text.push(unit.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    text
}

#[cfg(test)]
mod tests;
