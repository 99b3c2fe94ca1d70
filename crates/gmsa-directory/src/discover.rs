//! Domain controllers and addresses by DNS.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::config::{NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use hickory_resolver::{Resolver, TokioResolver};

use crate::error::Error;

/// Names and addresses, by the system's DNS servers or a given one.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    dns_server: Option<IpAddr>,
    wire: Wire,
    timeout: Duration,
}

/// Over what a given DNS server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// UDP, and TCP if the answer does not fit.
    Any,
    /// UDP alone.
    Udp,
    /// TCP alone.
    Tcp,
}

/// A service that a domain announces.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Service {
    /// Lower ones are asked first.
    priority: u16,
    /// What is left of 65535 after the weight: among equals, the heavier ones are asked first.
    lightness: u16,
    /// The host, without a dot at its end.
    pub(crate) host: String,
}

/// Why DNS gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// There is no such record.
    Absent,
    /// Nobody could be asked.
    Unreachable(String),
}

impl NoAnswer {
    fn into_words(self) -> String {
        match self {
            Self::Absent => "no such record".to_owned(),
            Self::Unreachable(why) => why,
        }
    }
}

impl Names {
    pub(crate) fn new(dns_server: Option<IpAddr>, timeout: Duration) -> Self {
        Self { dns_server, wire: Wire::Any, timeout }
    }

    /// The DNS server that was given.
    pub(crate) fn dns_server(&self) -> Option<IpAddr> {
        self.dns_server
    }

    /// The same DNS server, asked over one protocol.
    pub(crate) fn over(&self, wire: Wire) -> Self {
        Self { wire, ..self.clone() }
    }

    fn resolver(&self) -> Result<TokioResolver, String> {
        let mut builder = match self.dns_server {
            Some(server) => {
                let server = match self.wire {
                    Wire::Any => NameServerConfig::udp_and_tcp(server),
                    Wire::Udp => NameServerConfig::udp(server),
                    Wire::Tcp => NameServerConfig::tcp(server),
                };
                let config = ResolverConfig::from_name_servers(vec![server]);
                Resolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
            None => Resolver::builder_tokio().map_err(|error| error.to_string())?,
        };
        builder.options_mut().timeout = self.timeout / 2;
        builder.options_mut().attempts = 2;
        builder.build().map_err(|error| error.to_string())
    }

    /// The services of a record, in the order in which they are to be asked (RFC 2782).
    pub(crate) async fn services(&self, record: &str) -> Result<Vec<Service>, NoAnswer> {
        let resolver = self.resolver().map_err(NoAnswer::Unreachable)?;
        let answer = resolver.srv_lookup(format!("{record}.")).await.map_err(|error| {
            if error.is_no_records_found() {
                NoAnswer::Absent
            } else {
                NoAnswer::Unreachable(error.to_string())
            }
        })?;
        let mut found: Vec<Service> = answer
            .answers()
            .iter()
            .filter_map(|record| match &record.data {
                RData::SRV(srv) => Some(Service {
                    priority: srv.priority,
                    lightness: u16::MAX - srv.weight,
                    host: srv.target.to_utf8().trim_end_matches('.').to_owned(),
                }),
                _ => None,
            })
            .collect();
        found.sort();
        if found.is_empty() { Err(NoAnswer::Absent) } else { Ok(found) }
    }

    /// The controllers of a domain, the preferred ones first: the records that every domain
    /// controller registers (MS-ADTS, section 6.3.2.3).
    pub(crate) async fn controllers(&self, domain: &str) -> Result<Vec<String>, Error> {
        let record = controllers_record(domain);
        match self.services(&record).await {
            Ok(found) => Ok(found.into_iter().map(|service| service.host).collect()),
            Err(why) => {
                let why = why.into_words();
                Err(Error::NoController { domain: domain.to_owned(), record, why })
            }
        }
    }

    /// The addresses of a host.
    pub(crate) async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Error> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let failed = |why: String| Error::Resolve { host: host.to_owned(), why };
        let found: Vec<SocketAddr> = if self.dns_server.is_some() {
            let resolver = self.resolver().map_err(failed)?;
            let found = resolver.lookup_ip(format!("{}.", host.trim_end_matches('.'))).await;
            let found = found.map_err(|error| failed(error.to_string()))?;
            found.iter().map(|address| SocketAddr::new(address, port)).collect()
        } else {
            let found = tokio::time::timeout(self.timeout, tokio::net::lookup_host((host, port)));
            let found = found.await.map_err(|_| failed("no answer from DNS".to_owned()))?;
            found.map_err(|error| failed(error.to_string()))?.collect()
        };
        if found.is_empty() { Err(failed("it has no address".to_owned())) } else { Ok(found) }
    }
}

/// The record that names a domain's controllers.
pub(crate) fn controllers_record(domain: &str) -> String {
    format!("_ldap._tcp.dc._msdcs.{}", domain.trim_end_matches('.'))
}
