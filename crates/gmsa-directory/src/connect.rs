//! From a name to an encrypted connection.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, StdStream};
use rustls::ClientConfig;
use tokio::net::TcpStream;

use crate::discover::Names;
use crate::error::{self, Error};
use crate::options::{Options, Transport};
use crate::tls;

/// An encrypted connection, and where it leads.
pub(crate) struct Connection {
    pub(crate) ldap: Ldap,
    /// Host and port.
    pub(crate) server: String,
    /// The address that answered.
    pub(crate) address: IpAddr,
}

/// Connects to one controller, given as `HOST` or `HOST:PORT`.
pub(crate) async fn to(
    server: &str,
    names: &Names,
    tls: &Arc<ClientConfig>,
    options: &Options,
) -> Result<Connection, Error> {
    let (host, port) = split(server, options.transport.port());
    let (stream, address) = stream(host, port, names, options.timeout).await?;
    let server = format!("{host}:{port}");
    let name = options.server_name.as_deref().unwrap_or(host);
    let scheme = match options.transport {
        Transport::Ldaps => "ldaps",
        Transport::StartTls => "ldap",
    };
    let settings = LdapConnSettings::new()
        .set_config(Arc::clone(tls))
        .set_starttls(options.transport == Transport::StartTls)
        .set_conn_timeout(options.timeout)
        .set_std_stream(StdStream::Tcp(stream));
    // The host of the URL is what the certificate is compared with; the stream is open already.
    let opened = LdapConnAsync::with_settings(settings, &format!("{scheme}://{name}")).await;
    let (connection, ldap) = opened.map_err(|error| match error {
        LdapError::Timeout { .. } => Error::Timeout {
            server: server.clone(),
            what: "set up TLS".to_owned(),
            after: options.timeout,
            remedy: error::READING,
        },
        error => {
            tls::explain(&server, name, options.transport, &error).unwrap_or_else(|| Error::Tls {
                server: server.clone(),
                why: error.to_string(),
                remedy: "see whether the port is the right one".to_owned(),
            })
        }
    })?;
    tokio::spawn(async move {
        // Pending requests fail with the error of the broken connection.
        let _ = connection.drive().await;
    });
    Ok(Connection { ldap, server, address })
}

/// Opens a connection to the first address that answers.
async fn stream(
    host: &str,
    port: u16,
    names: &Names,
    timeout: Duration,
) -> Result<(std::net::TcpStream, IpAddr), Error> {
    let mut last = None;
    for address in names.addresses(host, port).await? {
        match open_one(address, timeout).await {
            Ok(stream) => return Ok((stream, address.ip())),
            Err(why) => last = Some(why),
        }
    }
    Err(Error::Connect {
        server: format!("{host}:{port}"),
        why: last.unwrap_or_else(|| "it has no address".to_owned()),
        remedy: "see whether a firewall is between, and whether this is a domain controller",
    })
}

async fn open_one(address: SocketAddr, timeout: Duration) -> Result<std::net::TcpStream, String> {
    let opened = tokio::time::timeout(timeout, TcpStream::connect(address)).await;
    let stream = match opened {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(format!("{address}: {error}")),
        Err(_) => {
            return Err(format!("{address}: no answer within {} s", timeout.as_secs_f32()));
        }
    };
    stream.into_std().map_err(|error| format!("{address}: {error}"))
}

/// Host and port; an address of IPv6 stands in brackets if a port follows.
fn split(server: &str, default: u16) -> (&str, u16) {
    if let Some((host, rest)) = server.strip_prefix('[').and_then(|server| server.split_once(']')) {
        let port = rest.strip_prefix(':').and_then(|port| port.parse().ok());
        return (host, port.unwrap_or(default));
    }
    match server.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => match port.parse() {
            Ok(port) => (host, port),
            Err(_) => (server, default),
        },
        _ => (server, default),
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn hosts_and_ports() {
        for (server, expected) in [
            ("dc1.contoso.com", ("dc1.contoso.com", 636)),
            ("dc1.contoso.com:3269", ("dc1.contoso.com", 3269)),
            ("10.0.0.4:389", ("10.0.0.4", 389)),
            ("fd00::4", ("fd00::4", 636)),
            ("[fd00::4]", ("fd00::4", 636)),
            ("[fd00::4]:389", ("fd00::4", 389)),
            ("dc1:ldap", ("dc1:ldap", 636)),
        ] {
            assert_eq!(split(server, 636), expected, "{server}");
        }
    }
}
