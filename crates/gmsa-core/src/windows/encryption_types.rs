//! The encryption types of an account (`msDS-SupportedEncryptionTypes`) and what domain controllers
//! make of them in 2026.
//!
//! Bits: MS-KILE, section 2.2.7. Dates: Microsoft KB5073381 (CVE-2026-20833).

/// DES with CRC-32 or MD5, which no current system accepts.
pub const DES: i64 = 0x03;
/// RC4 with HMAC.
pub const RC4: i64 = 0x04;
/// AES with keys of 128 bits.
pub const AES128: i64 = 0x08;
/// AES with keys of 256 bits.
pub const AES256: i64 = 0x10;
/// AES for session keys, whatever the ticket itself is encrypted with.
pub const AES256_SESSION_KEY: i64 = 0x20;
/// Both kinds of AES: the value that KB5073381 advises.
pub const AES: i64 = AES128 | AES256;

const NAMES: [(i64, &str); 10] = [
    (0x01, "DES-CBC-CRC"),
    (0x02, "DES-CBC-MD5"),
    (RC4, "RC4"),
    (AES128, "AES128"),
    (AES256, "AES256"),
    (AES256_SESSION_KEY, "AES256-SK"),
    (0x0001_0000, "FAST"),
    (0x0002_0000, "compound identity"),
    (0x0004_0000, "claims"),
    (0x0008_0000, "no SID compression"),
];

/// The remedy for every value that should change.
pub const REMEDY: &str = "set them to 24 (AES128 and AES256): `kubectl gmsa account set ACCOUNT --encryption \
     aes256,aes128`";

/// How well an account is prepared for a domain without RC4, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Tickets are encrypted with AES on every controller.
    Good,
    /// Works on updated controllers; worth knowing.
    Information,
    /// What controllers do is not certain.
    Warning,
    /// Tickets use RC4 or DES, which controllers refuse.
    Problem,
}

/// What a value of `msDS-SupportedEncryptionTypes` means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// How good that is.
    pub standing: Standing,
    /// One sentence without a full stop, about "it", the account.
    pub message: String,
    /// What to do, if anything.
    pub remedy: Option<&'static str>,
}

/// The names of the bits of a value, such as `["AES128", "AES256"]`. Unknown bits come last, in
/// hexadecimal.
#[must_use]
pub fn names(types: i64) -> Vec<String> {
    let mut names: Vec<String> = NAMES
        .iter()
        .filter(|(bit, _)| types & bit != 0)
        .map(|(_, name)| (*name).to_owned())
        .collect();
    let unknown = types & !NAMES.iter().fold(0, |all, (bit, _)| all | bit);
    if unknown != 0 {
        names.push(format!("{unknown:#x}"));
    }
    names
}

/// The value and its names for people: `24 (AES128, AES256)`, or `not set`.
#[must_use]
pub fn shown(types: Option<i64>) -> String {
    match types {
        None => "not set".to_owned(),
        Some(0) => "0 (none)".to_owned(),
        Some(types) => format!("{types} ({})", names(types).join(", ")),
    }
}

/// Judges the value of an account; None if the attribute is absent.
///
/// Controllers obey an explicit value in every phase of KB5073381: 24 and 28 give AES-256, 4 gives
/// RC4 with AES blocked. An absent value or 0 means the default of the controller: RC4 until
/// 2026-04-14, AES since then on updated ones, without a way back since July 2026.
#[must_use]
pub fn judge(types: Option<i64>) -> Judgement {
    let value = types.unwrap_or_default();
    let shown = shown(types);
    let (standing, message) = if value & AES != 0 {
        if value & RC4 != 0 {
            (
                Standing::Information,
                format!(
                    "its encryption types are {shown}: its tickets use AES, and RC4 stays allowed, which \
                     KB5073381 advises against"
                ),
            )
        } else {
            (Standing::Good, format!("its encryption types are {shown}"))
        }
    } else if value & RC4 != 0 {
        let session = if value & AES256_SESSION_KEY == 0 {
            "with AES blocked"
        } else {
            "with AES for session keys alone"
        };
        (
            Standing::Problem,
            format!(
                "its encryption types are {shown}: its tickets use RC4, {session}, and domain controllers \
                 of Windows Server 2025 issue no RC4 tickets"
            ),
        )
    } else if value & DES != 0 {
        (
            Standing::Problem,
            format!("its encryption types are {shown}: DES alone, which no current system accepts"),
        )
    } else if value & AES256_SESSION_KEY != 0 {
        (
            Standing::Warning,
            format!(
                "its encryption types are {shown}: they name AES for session keys and no encryption of \
                 tickets, so what a controller takes is not certain"
            ),
        )
    } else {
        (
            Standing::Information,
            format!(
                "its encryption types are {shown}: domain controllers with the updates of April 2026 use AES \
                 for it, older ones RC4"
            ),
        )
    };
    let remedy = (standing > Standing::Good).then_some(REMEDY);
    Judgement { standing, message, remedy }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judgements() {
        for (types, standing, part) in [
            (None, Standing::Information, "not set: domain controllers with the updates of April"),
            (Some(0), Standing::Information, "0 (none): domain controllers"),
            // Protocol flags do not select an encryption.
            (Some(0x1_0000), Standing::Information, "65536 (FAST): domain controllers"),
            (Some(24), Standing::Good, "24 (AES128, AES256)"),
            (Some(8), Standing::Good, "8 (AES128)"),
            (Some(16), Standing::Good, "16 (AES256)"),
            (Some(0x38), Standing::Good, "56 (AES128, AES256, AES256-SK)"),
            (Some(0x1b), Standing::Good, "DES-CBC-CRC, DES-CBC-MD5, AES128"),
            (Some(28), Standing::Information, "28 (RC4, AES128, AES256): its tickets use AES"),
            (Some(31), Standing::Information, "RC4 stays allowed"),
            (Some(4), Standing::Problem, "4 (RC4): its tickets use RC4, with AES blocked"),
            (Some(7), Standing::Problem, "RC4"),
            (
                Some(0x24),
                Standing::Problem,
                "36 (RC4, AES256-SK): its tickets use RC4, with AES for",
            ),
            (Some(0x20), Standing::Warning, "no encryption of tickets"),
            (Some(3), Standing::Problem, "DES alone"),
        ] {
            let judged = judge(types);
            assert_eq!(judged.standing, standing, "{types:?}");
            assert!(judged.message.contains(part), "{types:?}: {}", judged.message);
            assert_eq!(judged.remedy.is_some(), standing != Standing::Good, "{types:?}");
        }
    }

    #[test]
    fn names_of_bits() {
        assert_eq!(names(0), Vec::<String>::new());
        assert_eq!(names(0x7000_0010), ["AES256", "0x70000000"]);
        assert_eq!(shown(Some(-1)).matches("AES256-SK").count(), 1);
    }
}
