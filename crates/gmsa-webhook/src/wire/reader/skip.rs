//! Passing over JSON (RFC 8259) that nobody reads, but checks: each function takes the position at
//! which something starts and gives that behind it, or nothing if it is not what it should be.

#![expect(clippy::inline_always, reason = "a call for each string costs as much as the string")]

use super::special::Special;

/// How deep objects and arrays may stand in each other.
const DEEPEST: u32 = 64;

/// White space, which may be none.
#[inline(always)]
pub(super) fn white_space(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}

/// A value of any kind, with white space before it.
pub(super) fn value(bytes: &[u8], mut at: usize, special: &mut Special) -> Option<usize> {
    // The open objects (1) and arrays (0) around this place, the innermost lowest.
    let mut open = 0_u64;
    let mut depth = 0;
    loop {
        // A value starts here.
        at = white_space(bytes, at);
        let start = *bytes.get(at)?;
        match start {
            b'"' => at = string(bytes, at + 1, special)?,
            b'{' | b'[' => {
                let object = start == b'{';
                at = white_space(bytes, at + 1);
                if *bytes.get(at)? == end(object) {
                    at += 1;
                } else {
                    if depth == DEEPEST {
                        return None;
                    }
                    depth += 1;
                    open = open << 1 | u64::from(object);
                    if object {
                        at = key(bytes, at, special)?;
                    }
                    continue;
                }
            }
            b't' => at = word(bytes, at, "true")?,
            b'f' => at = word(bytes, at, "false")?,
            b'n' => at = word(bytes, at, "null")?,
            _ => at = number(bytes, at)?,
        }
        // A value has ended, and maybe what it stands in.
        loop {
            if depth == 0 {
                return Some(at);
            }
            let object = open & 1 == 1;
            at = white_space(bytes, at);
            let next = *bytes.get(at)?;
            at += 1;
            if next == b',' {
                if object {
                    at = key(bytes, at, special)?;
                }
                break;
            }
            if next != end(object) {
                return None;
            }
            open >>= 1;
            depth -= 1;
        }
    }
}

#[inline]
fn end(object: bool) -> u8 {
    if object { b'}' } else { b']' }
}

/// A key and its colon, with white space before both.
#[inline(always)]
fn key(bytes: &[u8], at: usize, special: &mut Special) -> Option<usize> {
    let at = white_space(bytes, at);
    if *bytes.get(at)? != b'"' {
        return None;
    }
    let at = white_space(bytes, string(bytes, at + 1, special)?);
    (*bytes.get(at)? == b':').then_some(at + 1)
}

/// A string, from behind its opening quote.
#[inline(always)]
pub(super) fn string(bytes: &[u8], at: usize, special: &mut Special) -> Option<usize> {
    let at = special.next(bytes, at);
    if bytes.get(at) == Some(&b'"') { Some(at + 1) } else { escaped(bytes, at, special) }
}

/// The rest of a string, from a backslash on.
#[inline(never)]
fn escaped(bytes: &[u8], mut at: usize, special: &mut Special) -> Option<usize> {
    loop {
        match *bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at = special.next(bytes, escape(bytes, at + 1)?),
            _ => return None,
        }
    }
}

/// An escape, from behind its backslash.
fn escape(bytes: &[u8], at: usize) -> Option<usize> {
    match *bytes.get(at)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 1),
        b'u' => {
            let digits = bytes.get(at + 1..at + 5)?;
            digits.iter().all(u8::is_ascii_hexdigit).then_some(at + 5)
        }
        _ => None,
    }
}

/// A word as it stands.
pub(super) fn word(bytes: &[u8], at: usize, word: &str) -> Option<usize> {
    bytes.get(at..)?.starts_with(word.as_bytes()).then_some(at + word.len())
}

/// A number.
fn number(bytes: &[u8], mut at: usize) -> Option<usize> {
    if bytes.get(at) == Some(&b'-') {
        at += 1;
    }
    let whole = at;
    at = digits(bytes, at)?;
    if bytes.get(whole) == Some(&b'0') && at > whole + 1 {
        return None;
    }
    if bytes.get(at) == Some(&b'.') {
        at = digits(bytes, at + 1)?;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1;
        if matches!(bytes.get(at), Some(b'+' | b'-')) {
            at += 1;
        }
        at = digits(bytes, at)?;
    }
    Some(at)
}

/// At least one digit.
fn digits(bytes: &[u8], at: usize) -> Option<usize> {
    let digits = bytes.get(at..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (digits > 0).then_some(at + digits)
}
