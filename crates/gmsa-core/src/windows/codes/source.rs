//! Where numbers are reported, and what a word that a user met can mean.

use super::{Code, Entry, all, number};

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

/// One thing that a word can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// An entry of the catalogue; with the code if it was met in another form, such as
    /// `0x8007052E` for 1326.
    Known(&'static Entry, Option<Code>),
    /// A status code that the catalogue does not have.
    Unknown(Code),
    /// An event of this source that the catalogue does not have.
    UnknownEvent(Source, u32),
}

/// What a word can mean: a number (`1722`, `0x6BA`, `-805175273`, `#3489660941`) of any source, a
/// number of one source (`CCG:8`), or a symbol (`ERROR_ACCESS_DENIED`). Empty if it is none of
/// these.
#[must_use]
pub fn meanings(word: &str) -> Vec<Meaning> {
    let (source, rest) = match word.split_once(':') {
        Some((source, rest)) => match Source::named(source.trim()) {
            Some(source) => (Some(source), rest.trim()),
            None => return Vec::new(),
        },
        None => (None, word.trim()),
    };
    let Some(number) = spelled(rest) else {
        let named = |entry: &&Entry| entry.source == Source::Api && entry.names(rest);
        return all().filter(named).map(|entry| Meaning::Known(entry, None)).collect();
    };
    let mut found: Vec<Meaning> = all()
        .filter(|entry| source.is_none_or(|source| source == entry.source))
        .filter(|entry| entry.number == number)
        .map(|entry| Meaning::Known(entry, None))
        .collect();
    if !found.is_empty() {
        return found;
    }
    let code = Code(number);
    found.push(match source {
        Some(source) if source != Source::Api => Meaning::UnknownEvent(source, number),
        _ => match code.entry() {
            Some(entry) => Meaning::Known(entry, Some(code)),
            None => Meaning::Unknown(code),
        },
    });
    found
}

impl Entry {
    fn names(&self, word: &str) -> bool {
        self.name.eq_ignore_ascii_case(word)
    }
}

/// The number that a user typed or pasted: also with `#` before it, as the Host Compute Service
/// prints it, and hexadecimal without `0x`, as people write `80070005`.
fn spelled(word: &str) -> Option<u32> {
    let word = word.strip_prefix('#').unwrap_or(word);
    let word = word.trim_end_matches(['.', ',', ';', ':', ')', '(']);
    let hexadecimal = || {
        let is_code = word.len() == 8 && u32::from_str_radix(word, 16).ok()? >= 0x8000_0000;
        is_code.then(|| u32::from_str_radix(word, 16).ok()).flatten()
    };
    hexadecimal().or_else(|| number(word))
}
