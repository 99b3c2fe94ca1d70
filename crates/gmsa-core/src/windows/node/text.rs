//! Text in the encodings that Windows writes.

/// Bytes that are not text.
#[derive(Debug, thiserror::Error)]
#[error("it is not text in UTF-8 or UTF-16: {0}")]
pub struct Undecodable(&'static str);

/// Decodes UTF-8 with or without a byte order mark, and UTF-16 of either order with one, or without
/// if its first character is an ASCII one, as every JSON document's is.
pub fn decode(bytes: &[u8]) -> Result<String, Undecodable> {
    match bytes {
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf8(rest),
        [first, 0, ..] if first.is_ascii() => utf16(bytes, u16::from_le_bytes),
        [0, second, ..] if second.is_ascii() => utf16(bytes, u16::from_be_bytes),
        _ => utf8(bytes),
    }
}

fn utf8(bytes: &[u8]) -> Result<String, Undecodable> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Undecodable("a byte is out of place"))
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Undecodable> {
    let (units, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(Undecodable("half of a UTF-16 unit is missing at its end"));
    }
    char::decode_utf16(units.iter().map(|pair| unit(*pair)))
        .collect::<Result<String, _>>()
        .map_err(|_| Undecodable("half of a UTF-16 surrogate pair is missing"))
}
