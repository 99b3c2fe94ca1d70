//! The tokens of a JSON text (RFC 8259), one after the other.

#![expect(clippy::inline_always, reason = "a call for each token costs as much as the token")]

use super::marks::{BLOCK, Marked};

/// Walks from token to token: the operators, and where strings, numbers and words begin. Each byte
/// of a number or a word is a token until [`Tokens::go_to`] passes over them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tokens<'a> {
    text: &'a Marked<'a>,
    /// The block that is walked through, and its number.
    block: &'a [u8; BLOCK],
    number: usize,
    /// Its tokens that were not taken yet.
    left: u64,
    /// Its backslashes.
    backslashes: u64,
}

/// Where the quotes of a string are, and whether an escape is between them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quoted {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) escapes: bool,
}

/// An opening quote, and the backslashes of its block.
#[derive(Clone, Copy)]
struct Opening {
    number: usize,
    at: usize,
    backslashes: u64,
}

impl<'a> Tokens<'a> {
    /// Before the first token of a text.
    pub(super) fn new(text: &'a Marked<'a>) -> Self {
        const NOTHING: &[u8; BLOCK] = &[b' '; BLOCK];
        let mut tokens = Self { text, block: NOTHING, number: 0, left: 0, backslashes: 0 };
        tokens.enter(0);
        tokens
    }

    /// The first byte of the next token, which stays the next.
    #[inline(always)]
    pub(super) fn peek(&mut self) -> Option<u8> {
        let at = self.position()?;
        Some(self.byte(at))
    }

    /// Takes the next token, and gives its first byte.
    #[inline(always)]
    pub(super) fn take(&mut self) -> Option<u8> {
        let byte = self.peek();
        self.left &= self.left.wrapping_sub(1);
        byte
    }

    /// Takes the next token if it is this operator, or the beginning of a string.
    #[inline(always)]
    pub(super) fn expect(&mut self, expected: u8) -> Option<()> {
        (self.take()? == expected).then_some(())
    }

    /// Takes the key that is next and its colon: what is between the quotes, if no escape is.
    #[inline(always)]
    pub(super) fn key(&mut self) -> Option<&'a [u8]> {
        let opening = self.opening_quote()?;
        let behind = self.position()?;
        self.expect(b':')?;
        if self.ends_here(opening, behind) {
            let clean = self.backslashes & between(opening.at, behind) == 0;
            return self.block.get(opening.at + 1..behind - 1).filter(|_| clean);
        }
        let quoted = self.long_string(opening, behind)?;
        self.text.bytes.get(quoted.start + 1..quoted.end).filter(|_| !quoted.escapes)
    }

    /// Takes the string that is next, if some other token stands behind it.
    #[inline(always)]
    pub(super) fn string(&mut self) -> Option<Quoted> {
        let opening = self.opening_quote()?;
        let behind = self.position()?;
        if self.ends_here(opening, behind) {
            let escapes = self.backslashes & between(opening.at, behind) != 0;
            let start = opening.number * BLOCK;
            return Some(Quoted { start: start + opening.at, end: start + behind - 1, escapes });
        }
        self.long_string(opening, behind)
    }

    #[inline(always)]
    fn opening_quote(&mut self) -> Option<Opening> {
        let at = self.position()?;
        self.expect(b'"')?;
        Some(Opening { number: self.number, at, backslashes: self.backslashes })
    }

    /// Whether a string ends right before the token behind it, in the block in which it began.
    /// Most do.
    #[inline(always)]
    fn ends_here(&self, opening: Opening, behind: usize) -> bool {
        opening.number == self.number && behind > 0 && self.byte(behind - 1) == b'"'
    }

    /// Any string, by the token behind it, which is the next.
    #[inline(never)]
    fn long_string(&self, opening: Opening, behind: usize) -> Option<Quoted> {
        let start = opening.number * BLOCK + opening.at;
        // Only white space is between the closing quote and the token.
        let string = self.text.bytes.get(start..self.number * BLOCK + behind)?;
        let end = start + string.iter().rposition(|byte| *byte == b'"')?;
        let mut backslashes = opening.backslashes & u64::MAX << opening.at;
        if opening.number == self.number {
            backslashes &= between(opening.at, behind);
        } else {
            backslashes |= self.backslashes & between(0, behind);
            for number in opening.number + 1..self.number {
                backslashes |= self.text.block(number)?.1.backslashes;
            }
        }
        Some(Quoted { start, end, escapes: backslashes != 0 })
    }

    /// Takes the next token, and gives its first byte and where that is in the text.
    #[inline(always)]
    pub(super) fn take_at(&mut self) -> Option<(usize, u8)> {
        let at = self.position()?;
        self.left &= self.left.wrapping_sub(1);
        Some((self.number * BLOCK + at, self.byte(at)))
    }

    /// Goes on to a position.
    #[inline(always)]
    pub(super) fn go_to(&mut self, at: usize) {
        if at / BLOCK != self.number {
            self.left = 0;
            self.enter(at / BLOCK);
        }
        self.left &= u64::MAX << (at % BLOCK);
    }

    /// Where the next token is in the block.
    #[inline(always)]
    fn position(&mut self) -> Option<usize> {
        while self.left == 0 {
            self.enter(self.number + 1)?;
        }
        Some(self.left.trailing_zeros() as usize)
    }

    /// Goes on to the beginning of a block, if there is one.
    #[inline(always)]
    fn enter(&mut self, number: usize) -> Option<()> {
        let (block, marks) = self.text.block(number)?;
        (self.block, self.number) = (block, number);
        (self.left, self.backslashes) = (marks.tokens, marks.backslashes);
        Some(())
    }

    #[inline(always)]
    fn byte(&self, at: usize) -> u8 {
        self.block.get(at % BLOCK).copied().unwrap_or_default()
    }
}

/// The bits from one position up to another that is higher.
#[inline(always)]
fn between(from: usize, to: usize) -> u64 {
    (1 << (to % BLOCK)) - (1 << (from % BLOCK))
}
