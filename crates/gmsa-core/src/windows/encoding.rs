//! The encodings in which PowerShell writes text: UTF-8, UTF-16 and UTF-32, with a mark at the start
//! or not; ASCII is UTF-8.

/// A text that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is cut off.
    #[error("it ends within a character of {0}: it was cut off, copy it again")]
    Cut(&'static str),
    /// Its bytes are not text.
    #[error(
        "it is not {0}: an old code page, perhaps; write it with `-Encoding utf8`, which every PowerShell \
         knows"
    )]
    Invalid(&'static str),
}

const UTF8: &str = "UTF-8";
const UTF16: &str = "UTF-16";
const UTF32: &str = "UTF-32";

/// Reads a text. The byte order mark gives the encoding; without one the positions of null bytes do,
/// because a credential spec and a manifest begin with two ASCII characters.
pub fn decode(bytes: &[u8]) -> Result<String, Error> {
    match bytes {
        // Before UTF-16, whose mark is the same: no text begins with a null.
        [0xff, 0xfe, 0, 0, rest @ ..] => utf32(rest, u32::from_le_bytes),
        [0, 0, 0xfe, 0xff, rest @ ..] => utf32(rest, u32::from_be_bytes),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        [1..=255, 0, 0, 0, ..] => utf32(bytes, u32::from_le_bytes),
        [0, 0, 0, 1..=255, ..] => utf32(bytes, u32::from_be_bytes),
        [1..=255, 0, ..] => utf16(bytes, u16::from_le_bytes),
        [0, 1..=255, ..] => utf16(bytes, u16::from_be_bytes),
        _ => utf8(bytes),
    }
}

fn utf8(bytes: &[u8]) -> Result<String, Error> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) if error.error_len().is_none() => Err(Error::Cut(UTF8)),
        Err(_) => Err(Error::Invalid(UTF8)),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Error> {
    let (units, rest) = bytes.as_chunks::<2>();
    let units: Vec<u16> = units.iter().copied().map(unit).collect();
    if !rest.is_empty() || units.last().is_some_and(|last| (0xd800..0xdc00).contains(last)) {
        return Err(Error::Cut(UTF16));
    }
    String::from_utf16(&units).map_err(|_| Error::Invalid(UTF16))
}

fn utf32(bytes: &[u8], unit: fn([u8; 4]) -> u32) -> Result<String, Error> {
    let (units, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(Error::Cut(UTF32));
    }
    let characters = units.iter().copied().map(unit).map(char::from_u32);
    characters.collect::<Option<String>>().ok_or(Error::Invalid(UTF32))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "{\"é😀\":1}";

    fn all() -> Vec<(&'static str, Vec<u8>)> {
        let marked = format!("\u{feff}{TEXT}");
        let wide = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(bytes).collect()
        };
        let wider = |text: &str, bytes: fn(u32) -> [u8; 4]| -> Vec<u8> {
            text.chars().flat_map(|character| bytes(character.into())).collect()
        };
        vec![
            (UTF8, TEXT.into()),
            (UTF8, marked.clone().into()),
            (UTF16, wide(TEXT, u16::to_le_bytes)),
            (UTF16, wide(TEXT, u16::to_be_bytes)),
            (UTF16, wide(&marked, u16::to_le_bytes)),
            (UTF16, wide(&marked, u16::to_be_bytes)),
            (UTF32, wider(TEXT, u32::to_le_bytes)),
            (UTF32, wider(TEXT, u32::to_be_bytes)),
            (UTF32, wider(&marked, u32::to_le_bytes)),
            (UTF32, wider(&marked, u32::to_be_bytes)),
        ]
    }

    #[test]
    fn all_encodings_are_one_text() {
        for (name, bytes) in all() {
            assert_eq!(decode(&bytes).as_deref(), Ok(TEXT), "{name} {bytes:x?}");
        }
        assert_eq!(decode(b"").as_deref(), Ok(""));
    }

    #[test]
    fn a_file_that_is_cut_within_a_character_is_refused() {
        for (name, bytes) in all() {
            // The last character has no second byte in UTF-8; the one before the colon has.
            let end = if name == UTF8 { bytes.len() - 5 } else { bytes.len() - 1 };
            assert_eq!(decode(&bytes[..end]), Err(Error::Cut(name)), "{bytes:x?}");
        }
        let half: Vec<u8> = [0x7b_u16, 0xd83d].iter().flat_map(|unit| unit.to_le_bytes()).collect();
        assert_eq!(decode(&half), Err(Error::Cut(UTF16)));
    }

    #[test]
    fn what_is_no_text() {
        // Windows-1252.
        assert_eq!(decode(b"{\"\xe9\":1}"), Err(Error::Invalid(UTF8)));
        assert_eq!(decode(&[0xff, 0xfe, 0x00, 0xdc, 0x7b, 0]), Err(Error::Invalid(UTF16)));
        assert_eq!(decode(&[0xff, 0xfe, 0, 0, 0, 0, 0x11, 0]), Err(Error::Invalid(UTF32)));
        assert!(Error::Invalid(UTF8).to_string().contains("-Encoding utf8"));
    }
}
