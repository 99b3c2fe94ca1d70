//! The TLS settings of the server, by the names that Kubernetes, Go and OpenShift use.

use serde_json::Value;

use crate::api::value::{array, text};

/// A cipher suite that the server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CipherSuite {
    /// The name of IANA and of Kubernetes' `--tls-cipher-suites`.
    pub name: &'static str,
    /// The name of OpenSSL, which OpenShift's profiles use; the same for those of TLS 1.3.
    pub openssl: &'static str,
    /// The number (IANA, TLS Cipher Suites).
    pub id: u16,
    /// Whether it is one of TLS 1.3.
    pub is_tls13: bool,
}

const fn suite(name: &'static str, openssl: &'static str, id: u16) -> CipherSuite {
    CipherSuite { name, openssl, id, is_tls13: id >> 8 == 0x13 }
}

/// The cipher suites, the preferred ones first.
pub const CIPHER_SUITES: [CipherSuite; 9] = [
    suite("TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384", 0x1302),
    suite("TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256", 0x1301),
    suite("TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256", 0x1303),
    suite("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384", 0xc02c),
    suite("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256", 0xc02b),
    suite("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305", 0xcca9),
    suite("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384", 0xc030),
    suite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256", 0xc02f),
    suite("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305", 0xcca8),
];

/// A group for the key exchange that the server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Curve {
    /// The name in Go's `crypto/tls`.
    pub name: &'static str,
    /// The name of IANA, which OpenShift's profiles use.
    pub iana: &'static str,
    /// The number (IANA, TLS Supported Groups), which Kubernetes' `--tls-curve-preferences` takes.
    pub id: u16,
}

/// The groups, the preferred ones first. The first and the last resist quantum computers.
pub const CURVES: [Curve; 5] = [
    Curve { name: "X25519MLKEM768", iana: "X25519MLKEM768", id: 4588 },
    Curve { name: "X25519", iana: "x25519", id: 29 },
    Curve { name: "CurveP256", iana: "secp256r1", id: 23 },
    Curve { name: "CurveP384", iana: "secp384r1", id: 24 },
    Curve { name: "SecP256r1MLKEM768", iana: "SecP256r1MLKEM768", id: 4587 },
];

/// The least version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MinVersion {
    /// `VersionTLS12`
    Tls12,
    /// `VersionTLS13`
    Tls13,
}

impl MinVersion {
    /// The name in Kubernetes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tls12 => "VersionTLS12",
            Self::Tls13 => "VersionTLS13",
        }
    }
}

/// Reads a version as Kubernetes' `--tls-min-version` takes it.
pub fn min_version(text: &str) -> Result<MinVersion, String> {
    match text {
        "VersionTLS12" => Ok(MinVersion::Tls12),
        "VersionTLS13" => Ok(MinVersion::Tls13),
        _ => Err("expected VersionTLS12 or VersionTLS13".to_owned()),
    }
}

/// Reads the name of a cipher suite as Kubernetes' `--tls-cipher-suites` takes it.
pub fn cipher_suite(text: &str) -> Result<CipherSuite, String> {
    // Kubernetes also knows the names that Go had before 1.14.
    let whole = |name: &str| name == text || name.strip_suffix("_SHA256") == Some(text);
    let is = |one: &CipherSuite| {
        one.name == text || (one.name.contains("CHACHA20") && !one.is_tls13 && whole(one.name))
    };
    CIPHER_SUITES.into_iter().find(is).ok_or_else(|| {
        let known = CIPHER_SUITES.map(|one| one.name);
        format!("expected one of {}", known.join(", "))
    })
}

/// Reads a group by its number or by one of its names.
pub fn curve(text: &str) -> Result<Curve, String> {
    let number = text.parse().ok();
    let is = |one: &Curve| {
        number == Some(one.id)
            || one.name.eq_ignore_ascii_case(text)
            || one.iana.eq_ignore_ascii_case(text)
    };
    CURVES.into_iter().find(is).ok_or_else(|| {
        let known = CURVES.map(|one| format!("{} ({})", one.name, one.id));
        format!("expected one of {}", known.join(", "))
    })
}

/// The TLS settings; what is empty is as the server has it by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The least version.
    pub min_version: Option<MinVersion>,
    /// The cipher suites. If none is of TLS 1.3, all of TLS 1.3 are used, as in Go.
    pub cipher_suites: Vec<CipherSuite>,
    /// The groups; the client's order decides.
    pub curves: Vec<Curve>,
}

impl Settings {
    /// The settings of the API servers of an OpenShift cluster (`APIServer` of `config.openshift.io/v1`,
    /// `spec.tlsSecurityProfile`), and the names in them that the server does not know.
    #[must_use]
    pub fn of_profile(apiserver: &Value) -> (Self, Vec<String>) {
        let profile = apiserver.pointer("/spec/tlsSecurityProfile").unwrap_or(&Value::Null);
        match text(profile, "/type") {
            "Modern" => {
                (Self { min_version: Some(MinVersion::Tls13), ..Self::default() }, Vec::new())
            }
            "Custom" => Self::of_custom(profile.get("custom").unwrap_or(&Value::Null)),
            // Intermediate is the default, and Old allows what is not known here.
            _ => (Self { min_version: Some(MinVersion::Tls12), ..Self::default() }, Vec::new()),
        }
    }

    fn of_custom(custom: &Value) -> (Self, Vec<String>) {
        let mut unknown = Vec::new();
        let mut cipher_suites = Vec::new();
        for name in array(custom, "/ciphers").filter_map(Value::as_str) {
            match CIPHER_SUITES.into_iter().find(|one| one.openssl == name || one.name == name) {
                Some(known) => cipher_suites.push(known),
                None => unknown.push(name.to_owned()),
            }
        }
        let mut curves = Vec::new();
        let groups = ["/groups", "/curves"].into_iter().flat_map(|key| array(custom, key));
        for name in groups.filter_map(Value::as_str) {
            match curve(name) {
                Ok(known) => curves.push(known),
                Err(_) => unknown.push(name.to_owned()),
            }
        }
        let min_version = match text(custom, "/minTLSVersion") {
            "VersionTLS13" => MinVersion::Tls13,
            _ => MinVersion::Tls12,
        };
        (Self { min_version: Some(min_version), cipher_suites, curves }, unknown)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{MinVersion, Settings, cipher_suite, curve, min_version};

    #[test]
    fn names_of_kubernetes_go_and_iana_are_read() {
        for (text, id) in [
            ("TLS_AES_128_GCM_SHA256", 0x1301),
            ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", 0xc02f),
            ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", 0xcca8),
            ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", 0xcca8),
        ] {
            assert_eq!(cipher_suite(text).unwrap().id, id, "{text}");
        }
        for (text, id) in [
            ("4588", 4588),
            ("X25519MLKEM768", 4588),
            ("x25519", 29),
            ("CurveP256", 23),
            ("secp384r1", 24),
        ] {
            assert_eq!(curve(text).unwrap().id, id, "{text}");
        }
        assert_eq!(min_version("VersionTLS13"), Ok(MinVersion::Tls13));
    }

    #[test]
    fn what_is_not_known_is_answered_with_what_is() {
        let suites = cipher_suite("TLS_RSA_WITH_AES_128_CBC_SHA").unwrap_err();
        assert!(suites.contains("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"), "{suites}");
        for text in ["CurveP521", "25", ""] {
            assert!(curve(text).unwrap_err().contains("CurveP384 (24)"), "{text}");
        }
        for text in ["VersionTLS10", "1.2", "VersionTLS11"] {
            assert_eq!(min_version(text).unwrap_err(), "expected VersionTLS12 or VersionTLS13");
        }
    }

    #[test]
    fn the_profiles_of_openshift_become_settings() {
        let of = |profile: serde_json::Value| {
            Settings::of_profile(&json!({"spec": {"tlsSecurityProfile": profile}}))
        };
        for (profile, version) in [
            (json!(null), MinVersion::Tls12),
            (json!({"type": "Old", "old": {}}), MinVersion::Tls12),
            (json!({"type": "Intermediate", "intermediate": {}}), MinVersion::Tls12),
            (json!({"type": "Modern", "modern": {}}), MinVersion::Tls13),
        ] {
            let (settings, unknown) = of(profile);
            assert_eq!(settings, Settings { min_version: Some(version), ..Settings::default() });
            assert!(unknown.is_empty());
        }
        let (settings, unknown) = of(json!({"type": "Custom", "custom": {
            "minTLSVersion": "VersionTLS11",
            "ciphers": ["ECDHE-RSA-AES128-GCM-SHA256", "AES128-SHA", "TLS_AES_128_GCM_SHA256"],
            "groups": ["X25519MLKEM768", "secp521r1", "secp256r1"]}}));
        let ids = settings.cipher_suites.iter().map(|one| one.id).collect::<Vec<_>>();
        assert_eq!((settings.min_version, ids), (Some(MinVersion::Tls12), vec![0xc02f, 0x1301]));
        assert_eq!(settings.curves.iter().map(|one| one.id).collect::<Vec<_>>(), [4588, 23]);
        assert_eq!(unknown, ["AES128-SHA", "secp521r1"]);
        assert_eq!(Settings::of_profile(&json!(7)).0.min_version, Some(MinVersion::Tls12));
    }
}
