//! The numbers that Windows and the credential plug-ins report: what each means and what to do.

mod catalogue;
mod code;
mod meaning;
mod page;

pub use catalogue::all;
pub use code::Code;
pub use meaning::{Meaning, meanings};
pub use page::codes_page;

/// Where a number is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A Win32 error, NTSTATUS or HRESULT, in the output of a command or in an event.
    Api,
    /// The event log `Microsoft-Windows-Containers-CCG/Admin`.
    Ccg,
    /// The event log `Microsoft-AKSGMSAPlugin/Admin`.
    Aks,
    /// The Application event log, by the Rancher plug-in.
    Rancher,
    /// The event log of Hyper-V-Compute.
    HyperVCompute,
    /// The System event log, by NETLOGON.
    Netlogon,
    /// The System event log of a domain controller, by KDCSVC.
    Kdc,
}

impl Source {
    /// Every source, in the order of the page.
    pub const EACH: [Self; 7] = [
        Self::Api,
        Self::Ccg,
        Self::Aks,
        Self::Rancher,
        Self::HyperVCompute,
        Self::Netlogon,
        Self::Kdc,
    ];

    /// The word before the colon in `CCG:8`.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Api => "WINAPI",
            Self::Ccg => "CCG",
            Self::Aks => "AKS",
            Self::Rancher => "RANCHER",
            Self::HyperVCompute => "HCS",
            Self::Netlogon => "NETLOGON",
            Self::Kdc => "KDC",
        }
    }

    /// Where such numbers appear, in a few words of Markdown.
    #[must_use]
    pub const fn place(self) -> &'static str {
        match self {
            Self::Api => "Win32 errors, NTSTATUS and HRESULT",
            Self::Ccg => "Event log `Microsoft-Windows-Containers-CCG/Admin`",
            Self::Aks => "Event log `Microsoft-AKSGMSAPlugin/Admin`",
            Self::Rancher => "Event log `Application`, by the Rancher plug-in",
            Self::HyperVCompute => "Event log `Microsoft-Windows-Hyper-V-Compute-Admin`",
            Self::Netlogon => "Event log `System`, by NETLOGON",
            Self::Kdc => "Event log `System` of a domain controller, by KDCSVC",
        }
    }

    fn named(word: &str) -> Option<Self> {
        Some(match word.to_ascii_uppercase().as_str() {
            "WINAPI" | "API" | "WIN32" | "NTSTATUS" | "HRESULT" => Self::Api,
            "CCG" => Self::Ccg,
            "AKS" => Self::Aks,
            "RANCHER" => Self::Rancher,
            "HCS" | "HYPERV" | "HYPER-V" | "HYPER-V-COMPUTE" => Self::HyperVCompute,
            "NETLOGON" => Self::Netlogon,
            "KDC" | "KDCSVC" | "KERBEROS" => Self::Kdc,
            _ => return None,
        })
    }

    /// The event ids of this source that the catalogue has.
    pub fn ids(self) -> impl Iterator<Item = u32> {
        all().filter(move |entry| entry.source == self).map(|entry| entry.number)
    }
}

/// What a number is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Logging on, credentials, Kerberos, or finding and reaching a domain controller.
    Identity,
    /// Anything else, such as a missing file.
    General,
}

/// One number and its meaning.
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
    /// What to do about an event with this code; none if the event's own remedy applies.
    ///
    /// In such an event the node or its plug-in failed to log on, not a program in a container.
    pub on_node: Option<&'static str>,
    /// Where the number is documented: a URL.
    pub reference: &'static str,
}

impl Entry {
    /// How it is written where it is explained: `CCG:8`, `1722 (0x6BA)`.
    #[must_use]
    pub fn shown(&self) -> String {
        match self.source {
            Source::Api if self.number > 0xFFFF => format!("0x{:08X}", self.number),
            Source::Api if self.number > 9 => format!("{} (0x{:X})", self.number, self.number),
            Source::Api => self.number.to_string(),
            source => format!("{}:{}", source.prefix(), self.number),
        }
    }

    /// Whether it reports something that works.
    #[must_use]
    pub const fn is_information(&self) -> bool {
        matches!(
            (self.source, self.number),
            (Source::Api, 0)
                | (Source::Ccg, 1 | 2 | 7)
                | (Source::Aks, 1011 | 1012 | 1017)
                | (Source::Rancher, 101)
        )
    }

    /// Where it is documented: a path in the repository with an anchor.
    #[must_use]
    pub fn page(&self) -> String {
        format!("docs/codes.md#{}", self.source.prefix().to_ascii_lowercase())
    }
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
