//! Where the tokens of a JSON text (RFC 8259) are, found in one pass, 64 bytes at a time, with the
//! widest instructions that the processor has.

#![expect(clippy::inline_always, reason = "only what is inlined uses the wide instructions")]

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, u8x64};

/// How many bytes are looked at together.
pub(super) const BLOCK: usize = 64;

/// What stands where in a block, one bit for each byte, the lowest for the first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks {
    /// Opening quotes, and outside strings every byte that is no white space: operators, and what
    /// numbers and words consist of.
    pub(super) tokens: u64,
    /// Every `\`.
    pub(super) backslashes: u64,
}

/// A text and where its tokens are.
#[derive(Debug)]
pub(super) struct Marked<'a> {
    pub(super) bytes: &'a [u8],
    whole: &'a [[u8; BLOCK]],
    /// The block at the end that is not whole, as if white space stood behind the text.
    last: [u8; BLOCK],
    marks: Vec<Marks>,
}

impl<'a> Marked<'a> {
    /// Marks a text; none if one of its strings has no end, a control character or an escape that
    /// is none.
    pub(super) fn new(text: &'a [u8]) -> Option<Self> {
        Self::with(Level::new(), text)
    }

    fn with(level: Level, text: &'a [u8]) -> Option<Self> {
        let (whole, rest) = text.as_chunks::<BLOCK>();
        let mut last = [b' '; BLOCK];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        let mut marks = vec![Marks::default(); whole.len() + 1];
        let state = dispatch!(level, simd => mark(simd, whole, &last, &mut marks));
        let marked = Self { bytes: text, whole, last, marks };
        let sound = state.faults == 0
            && state.inside == 0
            && (state.unusual == 0 || marked.are_escapes_sound());
        sound.then_some(marked)
    }

    /// Whether only what can stand behind a backslash does.
    #[cold]
    fn are_escapes_sound(&self) -> bool {
        let mut escape = 0;
        self.marks.iter().enumerate().all(|(number, marks)| {
            let mut escaped = escaped(marks.backslashes, &mut escape);
            while escaped != 0 {
                if !is_escape(self.bytes, number * BLOCK + escaped.trailing_zeros() as usize) {
                    return false;
                }
                escaped &= escaped - 1;
            }
            true
        })
    }

    /// A block and its marks.
    #[inline]
    pub(super) fn block(&self, number: usize) -> Option<(&[u8; BLOCK], Marks)> {
        let marks = *self.marks.get(number)?;
        Some((self.whole.get(number).unwrap_or(&self.last), marks))
    }
}

/// Marks each block.
#[inline(always)]
fn mark<S: Simd>(simd: S, whole: &[[u8; BLOCK]], last: &[u8; BLOCK], marks: &mut [Marks]) -> State {
    let mut state = State::default();
    for (block, marks) in whole.iter().zip(&mut *marks) {
        *marks = state.next(Bytes::of(simd, block));
    }
    if let Some(marks) = marks.last_mut() {
        *marks = state.next(Bytes::of(simd, last));
    }
    state
}

/// What one block leaves to the next.
#[derive(Default)]
struct State {
    /// All bits, if the block ended inside a string.
    inside: u64,
    /// The lowest bit, if it ended with the backslash of an escape.
    escape: u64,
    /// Anything but zero, if a string so far held a control character.
    faults: u64,
    /// Anything but zero, if something but a quote stood behind a backslash.
    unusual: u64,
}

impl State {
    #[inline(always)]
    fn next(&mut self, bytes: Bytes) -> Marks {
        let mut quotes = bytes.quotes;
        if bytes.backslashes | self.escape != 0 {
            let escaped = escaped(bytes.backslashes, &mut self.escape);
            self.unusual |= escaped & !quotes;
            quotes &= !escaped;
        }
        // From each opening quote on, up to its closing quote.
        let inside = parity(quotes) ^ self.inside;
        self.inside = (inside.cast_signed() >> 63).cast_unsigned();
        self.faults |= bytes.controls & inside;
        Marks {
            tokens: !(bytes.white_space | inside | quotes) | (quotes & inside),
            backslashes: bytes.backslashes,
        }
    }
}

/// The bytes behind the backslash of an escape. `escape` is as in [`State`].
#[inline(always)]
fn escaped(backslashes: u64, escape: &mut u64) -> u64 {
    let mut escaped = backslashes << 1 | *escape;
    if escaped & backslashes != 0 {
        // Of backslashes in a row every other one is escaped.
        escaped = *escape;
        let mut left = backslashes & !escaped;
        while left != 0 {
            let behind = (left & left.wrapping_neg()) << 1;
            escaped |= behind;
            left &= (left - 1) & !behind;
        }
    }
    *escape = (backslashes & !escaped) >> 63;
    escaped
}

/// Which bytes of a block are these, inside strings or not.
#[derive(Clone, Copy)]
struct Bytes {
    quotes: u64,
    backslashes: u64,
    white_space: u64,
    /// U+0000 to U+001F.
    controls: u64,
}

impl Bytes {
    #[inline(always)]
    fn of<S: Simd>(simd: S, block: &[u8; BLOCK]) -> Self {
        let bytes = u8x64::from_slice(simd, block);
        let is = |byte: u8| bytes.simd_eq(byte).to_bitmask();
        let mut found = Self {
            quotes: is(b'"'),
            backslashes: is(b'\\'),
            white_space: is(b' '),
            controls: bytes.simd_le(0x1f).to_bitmask(),
        };
        if found.controls != 0 {
            found.white_space |= lines_and_tabs(block);
        }
        found
    }
}

/// White space other than blanks, of which an API server writes none.
#[cold]
#[inline(never)]
fn lines_and_tabs(block: &[u8; BLOCK]) -> u64 {
    block
        .iter()
        .enumerate()
        .fold(0, |found, (at, byte)| found | u64::from(matches!(byte, b'\n' | b'\r' | b'\t')) << at)
}

/// The bits from each odd bit on, up to the next one.
#[inline(always)]
fn parity(mut bits: u64) -> u64 {
    for distance in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << distance;
    }
    bits
}

/// Whether this, behind a backslash, makes an escape.
fn is_escape(text: &[u8], at: usize) -> bool {
    match text.get(at) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => true,
        Some(b'u') => {
            text.get(at + 1..at + 5).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
