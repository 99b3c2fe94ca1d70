//! The numbers that Windows and the credential plug-ins report: what each means and what to do.

mod catalogue;
mod code;
mod page;
mod source;

pub use catalogue::all;
pub use code::Code;
pub use page::codes_page;
pub use source::{Meaning, Source, meanings};

/// What a number is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Logging on, credentials, Kerberos, or finding and reaching a domain controller.
    Identity,
    /// Anything else, such as a missing file.
    General,
}

/// One number with what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it is reported.
    pub source: Source,
    /// The number, unsigned.
    pub number: u32,
    /// Its symbol, or a short name for an event.
    pub name: &'static str,
    /// What it is about.
    pub topic: Topic,
    /// What it means, in a sentence or two of Markdown.
    pub meaning: &'static str,
    /// What to do about it, in Markdown.
    pub remedy: &'static str,
    /// What to do when an event of a node carries this code; none if the event itself says it.
    ///
    /// In such an event the node or its plug-in failed to log on, not a program in a container.
    pub on_node: Option<&'static str>,
    /// Where the number is documented: a URL.
    pub reference: &'static str,
}

/// The entry for a number of that source, as it is listed.
#[must_use]
pub fn find(source: Source, number: u32) -> Option<&'static Entry> {
    all().find(|entry| entry.source == source && entry.number == number)
}

/// Reads a number: decimal, negative decimal (an HRESULT or NTSTATUS as signed 32 bits) or
/// hexadecimal with `0x`.
#[must_use]
pub fn number(word: &str) -> Option<u32> {
    if let Some(digits) = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        return u32::from_str_radix(digits, 16).ok();
    }
    word.parse().ok().or_else(|| word.parse::<i32>().ok().map(i32::cast_unsigned))
}

#[cfg(test)]
mod tests;
