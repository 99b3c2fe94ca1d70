//! The output of `klist get`, read by its numbers and names.

use super::codes::{self, Code, Topic};

/// The failures in the output, in order: `0xHEX/DECIMAL` where both agree, and a code of the
/// catalogue behind a colon at the end of a line.
#[must_use]
pub fn failures(output: &str) -> Vec<u32> {
    let mut found = Vec::new();
    let mut note = |number: u32| {
        if number != 0 && !found.contains(&number) {
            found.push(number);
        }
    };
    for line in output.lines() {
        for word in line.split_whitespace() {
            let word = word.trim_end_matches(':');
            if let Some((hexadecimal, decimal)) = word.split_once('/')
                && hexadecimal.starts_with("0x")
                && let Some(number) = codes::number(hexadecimal)
                && codes::number(decimal) == Some(number)
            {
                note(number);
            }
        }
        if let Some((_, last)) = line.trim_end().rsplit_once(": ")
            && let Some(number) = codes::number(last)
            && is_failure(Code(number))
        {
            note(number);
        }
    }
    found
}

/// Whether a bare number can be nothing but a failure to get a ticket: `Cache Flags: 0x8` and a key
/// length stand at the end of a line too.
fn is_failure(code: Code) -> bool {
    code.is_unmistakable()
        || code.0 >= SMALLEST && code.entry().is_some_and(|entry| entry.topic == Topic::Identity)
}

/// Smaller numbers are flags and lengths.
const SMALLEST: u32 = 1000;

/// Whom the first ticket is for, such as `WebApp1$` of the realm `CONTOSO.COM`.
#[must_use]
pub fn client(output: &str) -> Option<(&str, &str)> {
    let (_, tickets) = output.split_once("#0>")?;
    let words: Vec<&str> = tickets.lines().next()?.split_whitespace().collect();
    words.windows(3).find_map(|three| match three {
        [name, "@", realm] => Some((*name, *realm)),
        _ => None,
    })
}

/// Whether a ticket-granting ticket is among those listed.
#[must_use]
pub fn has_ticket_granting_ticket(output: &str) -> bool {
    output.split_once("#0>").is_some_and(|(_, tickets)| {
        tickets.split_whitespace().any(|word| word.starts_with("krbtgt/"))
    })
}

#[cfg(test)]
mod tests;
