//! Domain controllers and addresses by DNS.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::config::{NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use hickory_resolver::{Resolver, TokioResolver};

use crate::error::Error;

/// Names and addresses, by the system's DNS servers or a given one.
pub(crate) struct Names {
    dns_server: Option<IpAddr>,
    timeout: Duration,
}

impl Names {
    pub(crate) fn new(dns_server: Option<IpAddr>, timeout: Duration) -> Self {
        Self { dns_server, timeout }
    }

    fn resolver(&self) -> Result<TokioResolver, String> {
        let mut builder = match self.dns_server {
            Some(server) => {
                let servers = vec![NameServerConfig::udp_and_tcp(server)];
                let config = ResolverConfig::from_name_servers(servers);
                Resolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
            None => Resolver::builder_tokio().map_err(|error| error.to_string())?,
        };
        builder.options_mut().timeout = self.timeout / 2;
        builder.options_mut().attempts = 2;
        builder.build().map_err(|error| error.to_string())
    }

    /// The controllers of a domain, host and port of LDAP, the preferred ones first: the records
    /// that every domain controller registers (MS-ADTS, section 6.3.2.3).
    pub(crate) async fn controllers(&self, domain: &str) -> Result<Vec<String>, Error> {
        let record = format!("_ldap._tcp.dc._msdcs.{}", domain.trim_end_matches('.'));
        let failed = |why: String| Error::NoController {
            domain: domain.to_owned(),
            record: record.clone(),
            why,
        };
        let resolver = self.resolver().map_err(failed)?;
        let answer = resolver
            .srv_lookup(format!("{record}."))
            .await
            .map_err(|error| failed(error.to_string()))?;
        let mut found: Vec<_> = answer
            .answers()
            .iter()
            .filter_map(|record| match &record.data {
                RData::SRV(srv) => {
                    Some((srv.priority, u16::MAX - srv.weight, srv.target.to_utf8()))
                }
                _ => None,
            })
            .collect();
        if found.is_empty() {
            return Err(failed("no such record".to_owned()));
        }
        found.sort();
        Ok(found.into_iter().map(|(.., host)| host.trim_end_matches('.').to_owned()).collect())
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
