//! The output of `nltest`, read by its status numbers: words and their encoding depend on the language.

use super::codes;

/// The statuses in the output, in order.
///
/// The form is `= DECIMAL 0xHEX [SYMBOL]`; only where both spellings agree is it a status, so flags and names never are.
/// `/query` and `/sc_verify` print up to two: that of the connection, and that of the trust verification.
#[must_use]
pub fn statuses(output: &[u8]) -> Vec<u32> {
    let text = String::from_utf8_lossy(output);
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

#[cfg(test)]
mod tests;
