//! Passing over JSON (RFC 8259) that nobody reads, but checks.

#![expect(clippy::inline_always, reason = "a call for each key costs as much as the key")]

use super::tokens::Tokens;

/// How deep objects and arrays may stand in each other.
const DEEPEST: u32 = 64;

/// Passes over the value that is next, of any kind; none if it is not what it should be.
#[inline(always)]
pub(super) fn value(text: &[u8], tokens: &mut Tokens<'_>) -> Option<()> {
    let (at, first) = tokens.take_at()?;
    match first {
        b'"' => Some(()),
        b'{' | b'[' => container(text, tokens, first == b'{'),
        _ => {
            tokens.go_to(scalar(text, at, first)?);
            Some(())
        }
    }
}

/// Passes over what is behind the opening bracket of an object or an array.
#[inline(never)]
fn container(text: &[u8], walked: &mut Tokens<'_>, mut object: bool) -> Option<()> {
    // A copy stays in registers.
    let mut tokens = *walked;
    // The objects (1) and arrays (0) around the one that this is in, the innermost lowest.
    let mut around = 0_u64;
    let mut depth = 0;
    let mut opened = true;
    loop {
        let inner = if opened && tokens.peek()? == end(object) {
            tokens.take()?;
            None
        } else if object {
            members(text, &mut tokens)?
        } else {
            elements(text, &mut tokens)?
        };
        if let Some(inner) = inner {
            if depth == DEEPEST {
                return None;
            }
            depth += 1;
            around = around << 1 | u64::from(object);
            (object, opened) = (inner, true);
            continue;
        }
        // It has ended, and maybe what it stands in.
        loop {
            if depth == 0 {
                *walked = tokens;
                return Some(());
            }
            depth -= 1;
            object = around & 1 == 1;
            around >>= 1;
            match tokens.take()? {
                b',' => break,
                byte if byte == end(object) => {}
                _ => return None,
            }
        }
        opened = false;
    }
}

/// Members of an object up to its end, or up to the opening bracket of an object (true) or an array
/// (false) in it.
#[inline(always)]
#[expect(clippy::option_option, reason = "the outer one is for what is no JSON")]
fn members(text: &[u8], tokens: &mut Tokens<'_>) -> Option<Option<bool>> {
    loop {
        tokens.expect(b'"')?;
        tokens.expect(b':')?;
        if let Some(inner) = value_or_bracket(text, tokens)? {
            return Some(Some(inner));
        }
        match tokens.take()? {
            b',' => {}
            b'}' => return Some(None),
            _ => return None,
        }
    }
}

/// Elements of an array, likewise.
#[inline(always)]
#[expect(clippy::option_option, reason = "the outer one is for what is no JSON")]
fn elements(text: &[u8], tokens: &mut Tokens<'_>) -> Option<Option<bool>> {
    loop {
        if let Some(inner) = value_or_bracket(text, tokens)? {
            return Some(Some(inner));
        }
        match tokens.take()? {
            b',' => {}
            b']' => return Some(None),
            _ => return None,
        }
    }
}

#[inline(always)]
#[expect(clippy::option_option, reason = "the outer one is for what is no JSON")]
fn value_or_bracket(text: &[u8], tokens: &mut Tokens<'_>) -> Option<Option<bool>> {
    match tokens.take_at()? {
        (_, b'"') => {}
        (_, b'{') => return Some(Some(true)),
        (_, b'[') => return Some(Some(false)),
        (at, first) => tokens.go_to(scalar(text, at, first)?),
    }
    Some(None)
}

#[inline(always)]
fn end(object: bool) -> u8 {
    if object { b'}' } else { b']' }
}

/// The end of a number or a word that begins here, with this byte.
#[inline(never)]
pub(super) fn scalar(text: &[u8], at: usize, first: u8) -> Option<usize> {
    match first {
        b't' => word(text, at, "true"),
        b'f' => word(text, at, "false"),
        b'n' => word(text, at, "null"),
        _ => number(text, at),
    }
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
    let mut end = at;
    while text.get(end).is_some_and(u8::is_ascii_digit) {
        end += 1;
    }
    (end > at).then_some(end)
}
