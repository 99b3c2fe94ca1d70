//! The commands.

use crate::diagnosis::Check;
use crate::diagnosis::catalogue::pod::{
    POD_CREDENTIAL_SPEC, POD_DNS, POD_SECURE_CHANNEL, POD_SRV, POD_TICKET, POD_USER,
};

/// A command that is run inside a container, in the order of the documentation's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Probe {
    /// `nltest /parentdomain`
    ParentDomain,
    /// `nslookup DOMAIN.`
    Address,
    /// `nslookup -type=srv _ldap._tcp.dc._msdcs.DOMAIN.`
    Services,
    /// The same over TCP, if that failed.
    ServicesOverTcp,
    /// `nltest /query`
    Query,
    /// `nltest /sc_verify:DOMAIN`
    Verify,
    /// `klist get krbtgt`
    Ticket,
    /// `whoami /user`
    User,
}

impl Probe {
    /// Every one, in order.
    pub const ALL: [Self; 8] = [
        Self::ParentDomain,
        Self::Address,
        Self::Services,
        Self::ServicesOverTcp,
        Self::Query,
        Self::Verify,
        Self::Ticket,
        Self::User,
    ];

    /// The program and its arguments.
    #[must_use]
    pub fn command(self, domain: &str) -> Vec<String> {
        // The final dot turns off the search list.
        let services = format!("_ldap._tcp.dc._msdcs.{domain}.");
        let words = match self {
            Self::ParentDomain => vec!["nltest", "/parentdomain"],
            Self::Address => return vec!["nslookup".to_owned(), format!("{domain}.")],
            Self::Services => vec!["nslookup", "-type=srv", &services],
            Self::ServicesOverTcp => vec!["nslookup", "-vc", "-type=srv", &services],
            Self::Query => vec!["nltest", "/query"],
            Self::Verify => return vec!["nltest".to_owned(), format!("/sc_verify:{domain}")],
            Self::Ticket => vec!["klist", "get", "krbtgt"],
            Self::User => vec!["whoami", "/user", "/fo", "csv", "/nh"],
        };
        words.into_iter().map(str::to_owned).collect()
    }

    /// Whether the command speaks of the domain.
    #[must_use]
    pub const fn needs_domain(self) -> bool {
        matches!(self, Self::Address | Self::Services | Self::ServicesOverTcp | Self::Verify)
    }

    /// The name of a file with its output.
    #[must_use]
    pub const fn file(self) -> &'static str {
        match self {
            Self::ParentDomain => "nltest-parentdomain.txt",
            Self::Address => "nslookup.txt",
            Self::Services => "nslookup-srv.txt",
            Self::ServicesOverTcp => "nslookup-srv-tcp.txt",
            Self::Query => "nltest-query.txt",
            Self::Verify => "nltest-sc-verify.txt",
            Self::Ticket => "klist-get-krbtgt.txt",
            Self::User => "whoami-user.txt",
        }
    }

    /// The check that its output answers.
    #[must_use]
    pub const fn check(self) -> &'static Check {
        match self {
            Self::ParentDomain => &POD_CREDENTIAL_SPEC,
            Self::Address => &POD_DNS,
            Self::Services | Self::ServicesOverTcp => &POD_SRV,
            Self::Query | Self::Verify => &POD_SECURE_CHANNEL,
            Self::Ticket => &POD_TICKET,
            Self::User => &POD_USER,
        }
    }
}
