//! The names of the sources, and what a word that somebody met means.

use super::{ALL, Entry, Source, number};

impl Source {
    /// Every source, in the order of the page.
    pub const EACH: [Self; 6] =
        [Self::Api, Self::Ccg, Self::Aks, Self::Rancher, Self::HyperVCompute, Self::Netlogon];

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
        }
    }

    /// Where such numbers are met, in a few words of Markdown.
    #[must_use]
    pub const fn place(self) -> &'static str {
        match self {
            Self::Api => "System codes, NTSTATUS and HRESULT",
            Self::Ccg => "Event log `Microsoft-Windows-Containers-CCG/Admin`",
            Self::Aks => "Event log `Microsoft-AKSGMSAPlugin/Admin`",
            Self::Rancher => "Event log `Application`, by the Rancher plug-in",
            Self::HyperVCompute => "Event log `Microsoft-Windows-Hyper-V-Compute-Admin`",
            Self::Netlogon => "Event log `System`, by NETLOGON",
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
            _ => return None,
        })
    }
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

    /// Whether it tells of something that works.
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

/// What a word can mean: a number (`1722`, `0x6BA`, `-805175273`) of any source, a number of one
/// source (`CCG:8`), or a symbol (`ERROR_ACCESS_DENIED`).
#[must_use]
pub fn meanings(word: &str) -> Vec<&'static Entry> {
    let (source, rest) = match word.split_once(':') {
        Some((source, rest)) => match Source::named(source.trim()) {
            Some(source) => (Some(source), rest.trim()),
            None => return Vec::new(),
        },
        None => (None, word.trim()),
    };
    let number = number(rest);
    ALL.iter()
        .filter(|entry| source.is_none_or(|source| source == entry.source))
        .filter(|entry| match number {
            Some(number) => entry.number == number,
            None => entry.source == Source::Api && entry.name.eq_ignore_ascii_case(rest),
        })
        .collect()
}
