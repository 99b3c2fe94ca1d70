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
}

impl<'a> Tokens<'a> {
    /// Before the first token of a text.
    pub(super) fn new(text: &'a Marked<'a>) -> Self {
        const NOTHING: &[u8; BLOCK] = &[b' '; BLOCK];
        let (block, left) =
            text.block(0).map_or((NOTHING, 0), |(block, marks)| (block, marks.tokens));
        Self { text, block, number: 0, left }
    }

    /// The first byte of the next token, which stays the next.
    #[inline(always)]
    pub(super) fn peek(&mut self) -> Option<u8> {
        let at = self.position()?;
        self.block.get(at % BLOCK).copied()
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

    /// Where the next token is in the text.
    pub(super) fn next_at(&mut self) -> Option<usize> {
        let at = self.position()?;
        Some(self.number * BLOCK + at)
    }

    /// Goes on to a position.
    pub(super) fn go_to(&mut self, at: usize) {
        if at / BLOCK != self.number {
            self.number = at / BLOCK;
            let Some((block, marks)) = self.text.block(self.number) else {
                // Behind the text.
                self.left = 0;
                return;
            };
            (self.block, self.left) = (block, marks.tokens);
        }
        self.left &= u64::MAX << (at % BLOCK);
    }

    /// Where the next token is in the block.
    #[inline(always)]
    fn position(&mut self) -> Option<usize> {
        if self.left == 0 {
            self.advance()?;
        }
        Some(self.left.trailing_zeros() as usize)
    }

    #[inline(always)]
    fn advance(&mut self) -> Option<()> {
        while self.left == 0 {
            self.number += 1;
            let (block, marks) = self.text.block(self.number)?;
            (self.block, self.left) = (block, marks.tokens);
        }
        Some(())
    }

    /// Takes the string that is next: where its quotes are, and whether an escape is between them.
    #[inline(always)]
    pub(super) fn string(&mut self) -> Option<(usize, usize, bool)> {
        let start = self.position()?;
        self.expect(b'"')?;
        let mut number = self.number;
        let start = number * BLOCK + start;
        let mut from = u64::MAX << (start % BLOCK);
        let mut escapes = 0;
        loop {
            let (_, marks) = self.text.block(number)?;
            let ends = marks.ends & from;
            if ends != 0 {
                escapes |= marks.backslashes & from & (ends ^ (ends - 1));
                return Some((
                    start,
                    number * BLOCK + ends.trailing_zeros() as usize,
                    escapes != 0,
                ));
            }
            escapes |= marks.backslashes & from;
            from = u64::MAX;
            number += 1;
        }
    }
}
