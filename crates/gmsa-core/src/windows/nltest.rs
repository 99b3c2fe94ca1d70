//! The output of `nltest`, read by its status numbers: words and their encoding depend on the language.

use super::{codes, text};

/// The statuses in the output, in order.
///
/// The form is `= DECIMAL 0xHEX [SYMBOL]`; only where both spellings agree is it a status, so flags and names never are.
/// `/query` and `/sc_verify` print up to two: that of the connection, and that of the trust verification.
#[must_use]
pub fn statuses(output: &[u8]) -> Vec<u32> {
    let text = text::decode(output);
    let words: Vec<&str> = text.split_whitespace().collect();
    words
        .windows(3)
        .filter_map(|three| match three {
            ["=", decimal, hexadecimal] if hexadecimal.starts_with("0x") => {
                codes::number(decimal).filter(|number| codes::number(hexadecimal) == Some(*number))
            }
            _ => None,
        })
        .collect()
}

/// The domain controller that an output names, such as `dc10.domain.example`.
#[must_use]
pub fn domain_controller(output: &str) -> Option<&str> {
    output
        .split_whitespace()
        .find_map(|word| word.strip_prefix("\\\\"))
        .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests;
