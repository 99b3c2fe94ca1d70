//! The parts of a status code: Win32 error, NTSTATUS or HRESULT.
//!
//! Layouts: [MS-ERREF] sections 2.1 (HRESULT), 2.2 (Win32) and 2.3 (NTSTATUS).

use super::{Entry, Source, find};

/// The N bit of an HRESULT: it carries an NTSTATUS (`HRESULT_FROM_NT`).
const FROM_NT: u32 = 0x1000_0000;
/// The bit of a code that Windows did not define: an application did.
const CUSTOMER: u32 = 0x2000_0000;
/// The facility of an NTSTATUS and of an HRESULT that carries a Win32 error.
const FACILITY_WIN32: u32 = 7;
/// The facility of the Host Compute Service.
const FACILITY_VIRTUALIZATION: u32 = 0x37;

/// A status code as a command or an event reported it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub u32);

impl Code {
    /// The entry of the catalogue for this code, or for the code that it carries: `0x8007052E` is
    /// found as 1326, and `0xD000000D` as `0xC000000D`.
    #[must_use]
    pub fn entry(self) -> Option<&'static Entry> {
        std::iter::successors(Some(self), |code| code.carried())
            .find_map(|code| find(Source::Api, code.0))
    }

    /// The code without what wraps it: 1326 for `0x8007052E`. A code that carries none is its own.
    #[must_use]
    pub fn innermost(self) -> Self {
        std::iter::successors(Some(self), |code| code.carried()).last().unwrap_or(self)
    }

    /// Whether the code reports success or nothing: 0.
    #[must_use]
    pub const fn is_success(self) -> bool {
        self.0 == 0
    }

    /// Whether the number can only be an error: an HRESULT or NTSTATUS with the severity "error".
    #[must_use]
    pub const fn is_unmistakable(self) -> bool {
        self.0 >= 0x8000_0000
    }

    /// The code that this one carries.
    const fn carried(self) -> Option<Self> {
        let (facility, code) = ((self.0 >> 16) & 0xFFF, self.0 & 0xFFFF);
        match self.0 >> 28 {
            // HRESULT_FROM_WIN32 and NTSTATUS_FROM_WIN32.
            0x8 | 0xC if facility == FACILITY_WIN32 => Some(Self(code)),
            // HRESULT_FROM_NT, of a warning or of an error.
            0x9 | 0xD => Some(Self(self.0 & !FROM_NT)),
            // ERROR_VMCOMPUTE_*, the older form of HCS_E_*.
            0xC if facility == FACILITY_VIRTUALIZATION => {
                Some(Self((self.0 & 0x0FFF_FFFF) | 0x8000_0000))
            }
            _ => None,
        }
    }

    /// The number in decimal and hexadecimal, with the code that it carries:
    /// `1722 (0x6ba)`, `2147943726 (0x8007052e, Win32 error 1326)`.
    #[must_use]
    pub fn shown(self) -> String {
        match self.carried() {
            None if self.0 < 10 => self.0.to_string(),
            None => format!("{} (0x{:x})", self.0, self.0),
            Some(_) => format!("{} (0x{:x}, {})", self.0, self.0, self.innermost().kind()),
        }
    }

    /// The number with its symbol: `1722 RPC_S_SERVER_UNAVAILABLE`, `0xC00000A7`.
    #[must_use]
    pub fn named(self) -> String {
        let number = if self.0 > 0xFFFF { format!("0x{:08X}", self.0) } else { self.0.to_string() };
        match self.entry() {
            Some(entry) => format!("{number} {}", entry.name),
            None => number,
        }
    }

    /// The number with its symbol and what it means, in one line of evidence.
    #[must_use]
    pub fn explained(self) -> String {
        match self.entry() {
            Some(entry) => {
                // The forms of small numbers are what nltest prints.
                format!("{} {}: {}", self.full(), entry.name, entry.meaning)
            }
            None => format!("{}: not in the catalogue; {}", self.full(), self.anatomy()),
        }
    }

    fn full(self) -> String {
        if self.0 < 10 { format!("{} (0x{:x})", self.0, self.0) } else { self.shown() }
    }

    /// What the form of the number shows: which kind of code, from which part of Windows.
    #[must_use]
    pub fn anatomy(self) -> String {
        let Some(carried) = self.carried() else { return self.kind_with_fields() };
        let inner = self.innermost();
        match self.0 >> 28 {
            0xC if carried.0 > 0xFFFF => format!("the older form of {}", carried.anatomy()),
            0xC => format!("an NTSTATUS that carries the {}", inner.kind()),
            _ if inner.0 > 0xFFFF => {
                format!("an HRESULT that carries {}", inner.kind_with_fields())
            }
            _ => format!("an HRESULT that carries the {}", inner.kind()),
        }
    }

    /// `Win32 error 1326`, `NTSTATUS 0xC000000D`, `HRESULT 0x80040154`.
    fn kind(self) -> String {
        match self.0 >> 28 {
            0 if self.0 <= 0xFFFF => format!("Win32 error {}", self.0),
            0x8 => format!("HRESULT 0x{:08X}", self.0),
            0xC | 0xE | 0x4 => format!("NTSTATUS 0x{:08X}", self.0),
            _ => format!("number 0x{:X}", self.0),
        }
    }

    fn kind_with_fields(self) -> String {
        let code = self.0 & 0xFFFF;
        let facility = (self.0 >> 16) & 0xFFF;
        if self.0 <= 0xFFFF {
            return format!("by its size a {}", self.kind());
        }
        if self.0 & CUSTOMER != 0 && self.is_unmistakable() {
            return format!(
                "the {}, which an application defined and not Windows (0xE0434352 is an exception \
                 of .NET)",
                self.kind()
            );
        }
        match self.0 >> 28 {
            0x8 => format!(
                "the {}: a failure in {}, code 0x{code:X}",
                self.kind(),
                part(facility & 0x7FF, HRESULT_FACILITIES)
            ),
            0xC => format!(
                "the {}: an error in {}, code 0x{code:X}",
                self.kind(),
                part(facility, NTSTATUS_FACILITIES)
            ),
            0x4 => format!(
                "the {}: information of {}, code 0x{code:X}",
                self.kind(),
                part(facility, NTSTATUS_FACILITIES)
            ),
            _ => "it has the form of no error code of Windows".to_owned(),
        }
    }
}

fn part(facility: u32, known: &[(u32, &str)]) -> String {
    match known.iter().find(|(number, _)| *number == facility) {
        Some((_, name)) => format!("{name} (facility 0x{facility:X})"),
        None => format!("facility 0x{facility:X}"),
    }
}

/// The facilities of an HRESULT that administrators meet ([MS-ERREF] 2.1).
const HRESULT_FACILITIES: &[(u32, &str)] = &[
    (0x0, "the system in general"),
    (0x1, "RPC"),
    (0x3, "OLE storage"),
    (0x4, "a COM interface"),
    (0x8, "Windows"),
    (0x9, "security (SSPI)"),
    (0xB, "certificates"),
    (0x13, ".NET"),
    (0x19, "HTTP"),
    (0x36, "the hypervisor"),
    (0x37, "the Host Compute Service"),
    (0x50, "the software update service"),
    (0x54, "the event log"),
];

/// The facilities of an NTSTATUS that administrators meet ([MS-ERREF] 2.3).
const NTSTATUS_FACILITIES: &[(u32, &str)] = &[
    (0x0, "the system in general"),
    (0x1, "the debugger"),
    (0x2, "the RPC runtime"),
    (0x3, "RPC stubs"),
    (0x4, "input and output"),
    (0x8, "certificates"),
    (0x9, "security (SSPI)"),
    (0xA, "the terminal server"),
    (0x13, "the cluster service"),
    (0x15, "side-by-side assemblies"),
    (0x1C, "the filter manager"),
    (0x35, "the hypervisor"),
    (0x36, "IPsec"),
    (0x37, "virtualization"),
    (0x5D, "SMB"),
];
