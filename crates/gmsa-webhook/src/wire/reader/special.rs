//! Where the bytes are that end the plain part of a JSON string: `"`, `\` and control characters.

#![expect(clippy::inline_always, reason = "a call for each string costs as much as the string")]

use wide::u8x16;

/// How many bytes are looked at together.
const BLOCK: usize = 64;

/// The special bytes of one block of a text, the lowest bit for its first byte.
///
/// Made for a reader that goes on and not back: each block is looked at once.
#[derive(Debug)]
pub(super) struct Special {
    /// Which block the bits are of.
    block: usize,
    bits: u64,
}

impl Special {
    /// Before anything was looked at.
    pub(super) fn new() -> Self {
        Self { block: usize::MAX, bits: 0 }
    }

    /// The position of the first special byte from `at` on, or a position behind the text.
    #[inline(always)]
    pub(super) fn next(&mut self, bytes: &[u8], at: usize) -> usize {
        if at / BLOCK == self.block {
            let rest = self.bits >> (at % BLOCK);
            if rest != 0 {
                return at + rest.trailing_zeros() as usize;
            }
        }
        self.search(bytes, at)
    }

    /// The same, where the block that was looked at last does not have it.
    #[inline(never)]
    fn search(&mut self, bytes: &[u8], mut at: usize) -> usize {
        loop {
            if at / BLOCK != self.block {
                self.look(bytes, at / BLOCK);
            }
            let rest = self.bits >> (at % BLOCK);
            if rest != 0 {
                return at + rest.trailing_zeros() as usize;
            }
            at = (self.block + 1) * BLOCK;
        }
    }

    fn look(&mut self, bytes: &[u8], block: usize) {
        self.block = block;
        let rest = bytes.get(block * BLOCK..).unwrap_or_default();
        self.bits = if let Some(whole) = rest.first_chunk() {
            bits(whole)
        } else {
            // What stands behind the text is a control character, so that the search ends.
            let mut padded = [0; BLOCK];
            for (to, from) in padded.iter_mut().zip(rest) {
                *to = *from;
            }
            bits(&padded)
        };
    }
}

#[inline]
fn bits(block: &[u8; BLOCK]) -> u64 {
    let (quote, backslash) = (u8x16::splat(b'"'), u8x16::splat(b'\\'));
    let last_control = u8x16::splat(0x1f);
    let (quarters, _) = block.as_chunks::<16>();
    quarters.iter().rev().fold(0, |bits, quarter| {
        let bytes = u8x16::new(*quarter);
        let control = bytes.min(last_control).simd_eq(bytes);
        let found = control | bytes.simd_eq(quote) | bytes.simd_eq(backslash);
        bits << 16 | u64::from(found.to_bitmask())
    })
}
