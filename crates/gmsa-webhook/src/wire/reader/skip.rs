//! Passing over JSON (RFC 8259) that nobody reads, but checks.

#![expect(clippy::inline_always, reason = "a call for each key costs as much as the key")]

use super::tokens::Tokens;

/// How deep objects and arrays may stand in each other.
const DEEPEST: u32 = 64;

/// Passes over the value that is next, of any kind; none if it is not what it should be.
#[inline(always)]
pub(super) fn value(text: &[u8], tokens: &mut Tokens<'_>) -> Option<()> {
    match tokens.peek()? {
        b'"' => tokens.take().map(drop),
        b'{' | b'[' => {
            // A copy stays in registers.
            let mut walk = *tokens;
            container(text, &mut walk)?;
            *tokens = walk;
            Some(())
        }
        _ => scalar(text, tokens).map(drop),
    }
}

#[inline(never)]
fn container(text: &[u8], tokens: &mut Tokens<'_>) -> Option<()> {
    // The open objects (1) and arrays (0) around this place, the innermost lowest.
    let mut open = 0_u64;
    let mut depth = 0;
    loop {
        // A value starts here.
        match tokens.peek()? {
            b'"' => {
                tokens.take()?;
            }
            start @ (b'{' | b'[') => {
                tokens.take()?;
                let object = start == b'{';
                if tokens.peek()? == end(object) {
                    tokens.take()?;
                } else {
                    if depth == DEEPEST {
                        return None;
                    }
                    depth += 1;
                    open = open << 1 | u64::from(object);
                    if object {
                        key(tokens)?;
                    }
                    continue;
                }
            }
            _ => {
                scalar(text, tokens)?;
            }
        }
        // A value has ended, and maybe what it stands in.
        loop {
            if depth == 0 {
                return Some(());
            }
            let object = open & 1 == 1;
            let next = tokens.take()?;
            if next == b',' {
                if object {
                    key(tokens)?;
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

/// A key and its colon.
#[inline(always)]
fn key(tokens: &mut Tokens<'_>) -> Option<()> {
    tokens.expect(b'"')?;
    tokens.expect(b':')?;
    Some(())
}

/// Takes the number or word that is next, whole, and gives its first byte.
#[inline(never)]
pub(super) fn scalar(text: &[u8], tokens: &mut Tokens<'_>) -> Option<u8> {
    let at = tokens.next_at()?;
    let first = *text.get(at)?;
    let end = match first {
        b't' => word(text, at, "true")?,
        b'f' => word(text, at, "false")?,
        b'n' => word(text, at, "null")?,
        _ => number(text, at)?,
    };
    tokens.go_to(end);
    Some(first)
}

fn word(text: &[u8], at: usize, word: &str) -> Option<usize> {
    text.get(at..)?.starts_with(word.as_bytes()).then_some(at + word.len())
}

fn number(text: &[u8], mut at: usize) -> Option<usize> {
    if text.get(at) == Some(&b'-') {
        at += 1;
    }
    let whole = at;
    at = digits(text, at)?;
    if text.get(whole) == Some(&b'0') && at > whole + 1 {
        return None;
    }
    if text.get(at) == Some(&b'.') {
        at = digits(text, at + 1)?;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        at += 1;
        if matches!(text.get(at), Some(b'+' | b'-')) {
            at += 1;
        }
        at = digits(text, at)?;
    }
    Some(at)
}

/// At least one digit.
fn digits(text: &[u8], at: usize) -> Option<usize> {
    let digits = text.get(at..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (digits > 0).then_some(at + digits)
}
