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
/// length are at the end of a line too.
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

/// How a ticket or its session key is encrypted, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Encryption {
    /// DES, which Windows no longer issues since Server 2025.
    Des,
    /// RC4-HMAC.
    Rc4,
    /// AES with 128 bits.
    Aes128,
    /// AES with 256 bits.
    Aes256,
}

impl Encryption {
    /// As Windows names it; the words are the same in every language.
    const NAMES: [(&'static str, Self); 4] = [
        ("DES-CBC", Self::Des),
        ("RC4-HMAC", Self::Rc4),
        ("AES-128-CTS", Self::Aes128),
        ("AES-256-CTS", Self::Aes256),
    ];

    /// Whether domain controllers stop to issue it.
    #[must_use]
    pub const fn is_weak(self) -> bool {
        matches!(self, Self::Des | Self::Rc4)
    }

    /// Its name in messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Des => "DES",
            Self::Rc4 => "RC4",
            Self::Aes128 => "AES128",
            Self::Aes256 => "AES256",
        }
    }
}

/// A ticket in the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ticket<'a> {
    /// The service that it is for, such as `krbtgt/CONTOSO.COM`.
    pub server: &'a str,
    /// How the ticket itself is encrypted.
    pub ticket: Option<Encryption>,
    /// How its session key is.
    pub session_key: Option<Encryption>,
}

/// The tickets in the output, in order. Of each the client comes first, then the server, the
/// encryption of the ticket and that of its session key.
#[must_use]
pub fn tickets(output: &str) -> Vec<Ticket<'_>> {
    let mut found: Vec<Ticket<'_>> = Vec::new();
    let mut principals = 0;
    for line in output.lines() {
        if line.trim_start().strip_prefix('#').is_some_and(|rest| rest.contains('>')) {
            found.push(Ticket::default());
            principals = 0;
        }
        let Some(ticket) = found.last_mut() else { continue };
        if let Some((before, _)) = line.split_once(" @ ") {
            principals += 1;
            if principals == 2 {
                ticket.server = before.split_whitespace().last().unwrap_or_default();
            }
            continue;
        }
        let named = Encryption::NAMES.iter().find(|(name, _)| line.contains(name));
        let Some((_, encryption)) = named else { continue };
        if ticket.ticket.is_none() {
            ticket.ticket = Some(*encryption);
        } else if ticket.session_key.is_none() {
            ticket.session_key = Some(*encryption);
        }
    }
    found
}

#[cfg(test)]
mod tests;
