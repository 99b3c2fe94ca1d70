//! Which directory, how, and as whom.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

/// How the connection is encrypted. There is no unencrypted mode: no password is sent in clear text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// TLS from the first byte on, port 636.
    #[default]
    Ldaps,
    /// LDAP that turns into TLS (RFC 4511, section 4.14), port 389.
    StartTls,
}

impl Transport {
    /// The port, unless another is given.
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::Ldaps => 636,
            Self::StartTls => 389,
        }
    }
}

/// A user and its password; the password is never shown.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// In a form that Active Directory accepts for a simple bind: `user@domain`, `DOMAIN\user` or a
    /// distinguished name (MS-ADTS, section 5.1.1.1.1).
    pub user: String,
    /// The password.
    pub password: SecretString,
}

/// Which directory, how, and as whom.
#[derive(Clone, Debug)]
pub struct Options {
    /// The domain controller, `HOST` or `HOST:PORT`; else one is found by DNS.
    pub server: Option<String>,
    /// The DNS name of the domain, for finding a controller.
    pub domain: Option<String>,
    /// The DNS server to ask; else those of the system.
    pub dns_server: Option<IpAddr>,
    /// A file with the certificates, PEM, of the authorities to trust; else those of the system.
    pub ca: Option<PathBuf>,
    /// The name that the controller's certificate must have, if it is not the one connected to.
    pub server_name: Option<String>,
    /// How the connection is encrypted.
    pub transport: Transport,
    /// How long to wait for a connection, and for each answer.
    pub timeout: Duration,
    /// The user; without them only the root entry can be read.
    pub credentials: Option<Credentials>,
    /// Log on with the Kerberos ticket of the current user instead of the credentials; only if
    /// built with the feature `gssapi`.
    pub kerberos: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            server: None,
            domain: None,
            dns_server: None,
            ca: None,
            server_name: None,
            transport: Transport::default(),
            timeout: Duration::from_secs(15),
            credentials: None,
            kerberos: false,
        }
    }
}
