//! Where the tokens of a JSON text (RFC 8259) are, found in one pass, 64 bytes at a time.

use wide::u8x16;

/// How many bytes are looked at together.
pub(super) const BLOCK: usize = 64;

/// What stands where in a block, one bit for each byte, the lowest for the first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks {
    /// Opening quotes, and outside strings every byte that is no white space: operators, and what
    /// numbers and words consist of.
    pub(super) tokens: u64,
    /// The quotes that end a string.
    pub(super) ends: u64,
    /// Every `\`.
    pub(super) backslashes: u64,
}

/// A text and where its tokens are.
#[derive(Debug)]
pub(super) struct Marked<'a> {
    whole: &'a [[u8; BLOCK]],
    /// The block at the end that is not whole, as if white space stood behind the text.
    last: [u8; BLOCK],
    marks: Vec<Marks>,
}

impl<'a> Marked<'a> {
    /// Marks a text; none if one of its strings has no end, a control character or an escape that
    /// is none.
    pub(super) fn new(text: &'a [u8]) -> Option<Self> {
        let (whole, rest) = text.as_chunks::<BLOCK>();
        let mut last = [b' '; BLOCK];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        let mut marks = Vec::with_capacity(whole.len() + 1);
        let mut state = State::default();
        for (number, block) in whole.iter().chain([&last]).enumerate() {
            marks.push(state.next(block, text, number * BLOCK));
        }
        let sound = state.faults == 0 && state.inside == 0;
        sound.then_some(Self { whole, last, marks })
    }

    /// A block and its marks.
    #[inline]
    pub(super) fn block(&self, number: usize) -> Option<(&[u8; BLOCK], Marks)> {
        let marks = *self.marks.get(number)?;
        Some((self.whole.get(number).unwrap_or(&self.last), marks))
    }
}

/// What one block leaves to the next.
#[derive(Default)]
struct State {
    /// All bits, if the block ended inside a string.
    inside: u64,
    /// The lowest bit, if it ended with the backslash of an escape.
    escape: u64,
    /// Anything but zero, if a string so far was not JSON.
    faults: u64,
}

impl State {
    #[inline]
    fn next(&mut self, block: &[u8; BLOCK], text: &[u8], start: usize) -> Marks {
        let bytes = Bytes::of(block);
        let mut quotes = bytes.quotes;
        if bytes.backslashes | self.escape != 0 {
            let escaped = self.escaped(bytes.backslashes);
            self.check_escapes(escaped & !quotes, text, start);
            quotes &= !escaped;
        }
        // From each opening quote on, up to its closing quote.
        let inside = parity(quotes) ^ self.inside;
        self.inside = (inside.cast_signed() >> 63).cast_unsigned();
        self.faults |= bytes.controls & inside;
        let ends = quotes & !inside;
        Marks {
            tokens: !(bytes.white_space | inside | ends) | (quotes & inside),
            ends,
            backslashes: bytes.backslashes,
        }
    }

    /// The bytes behind the backslash of an escape.
    #[inline]
    fn escaped(&mut self, backslashes: u64) -> u64 {
        let mut escaped = backslashes << 1 | self.escape;
        if escaped & backslashes != 0 {
            // Of backslashes in a row every other one is escaped.
            escaped = self.escape;
            let mut left = backslashes & !escaped;
            while left != 0 {
                let behind = (left & left.wrapping_neg()) << 1;
                escaped |= behind;
                left &= (left - 1) & !behind;
            }
        }
        self.escape = (backslashes & !escaped) >> 63;
        escaped
    }

    /// Notes what cannot stand behind a backslash.
    #[inline]
    fn check_escapes(&mut self, mut escaped: u64, text: &[u8], start: usize) {
        while escaped != 0 {
            let at = start + escaped.trailing_zeros() as usize;
            self.faults |= u64::from(!is_escape(text, at));
            escaped &= escaped - 1;
        }
    }
}

/// Which bytes of a block are these, inside strings or not.
#[derive(Default)]
struct Bytes {
    quotes: u64,
    backslashes: u64,
    white_space: u64,
    /// U+0000 to U+001F.
    controls: u64,
}

impl Bytes {
    #[inline]
    fn of(block: &[u8; BLOCK]) -> Self {
        let mut found = Self::default();
        let mut rare = u8x16::ZERO;
        let (quarters, _) = block.as_chunks::<16>();
        for quarter in quarters.iter().rev() {
            let bytes = u8x16::new(*quarter);
            let is = |byte: u8| bytes.simd_eq(u8x16::splat(byte));
            push(&mut found.quotes, is(b'"'));
            push(&mut found.white_space, is(b' '));
            rare |= is(b'\\') | is_control(bytes);
        }
        if rare.to_bitmask() != 0 {
            found.look_for_the_rare(block);
        }
        found
    }

    /// Looks for what most blocks have none of.
    #[inline(never)]
    fn look_for_the_rare(&mut self, block: &[u8; BLOCK]) {
        let (quarters, _) = block.as_chunks::<16>();
        for quarter in quarters.iter().rev() {
            let bytes = u8x16::new(*quarter);
            push(&mut self.backslashes, bytes.simd_eq(u8x16::splat(b'\\')));
            push(&mut self.controls, is_control(bytes));
        }
        if self.controls != 0 {
            for (at, byte) in block.iter().enumerate() {
                self.white_space |= u64::from(matches!(byte, b'\n' | b'\r' | b'\t')) << at;
            }
        }
    }
}

#[inline]
fn is_control(bytes: u8x16) -> u8x16 {
    bytes.min(u8x16::splat(0x1f)).simd_eq(bytes)
}

#[inline]
fn push(bits: &mut u64, found: u8x16) {
    *bits = *bits << 16 | u64::from(found.to_bitmask());
}

/// The bits from each odd bit on, up to the next one.
#[inline]
fn parity(mut bits: u64) -> u64 {
    for distance in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << distance;
    }
    bits
}

/// Whether this, behind a backslash, makes an escape.
#[inline(never)]
fn is_escape(text: &[u8], at: usize) -> bool {
    match text.get(at) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => true,
        Some(b'u') => {
            text.get(at + 1..at + 5).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        }
        _ => false,
    }
}
