//! From a name to an encrypted connection.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, StdStream};
use rustls::ClientConfig;
use secrecy::ExposeSecret as _;
use tokio::net::TcpStream;

use crate::directory::Directory;
use crate::discover::Names;
use crate::error::{self, Error};
use crate::options::{Credentials, Options, Transport};
use crate::{ticket, tls};

/// An encrypted connection, and where it leads.
pub(crate) struct Connection {
    pub(crate) ldap: Ldap,
    /// Host and port.
    pub(crate) server: String,
    /// The address that answered.
    pub(crate) address: IpAddr,
}

/// Connects and logs on to the controller that is named, or else to the first of the domain that
/// answers. One that breaks off or stays silent at any step is passed over; one that refuses the user is
/// not, because the others would too, and count the wrong password.
pub(crate) async fn open(options: &Options) -> Result<Directory, Error> {
    let tls = tls::config(options.ca.as_deref())?;
    let names = Names::new(options.dns_server, options.timeout);
    if let Some(server) = &options.server {
        return Directory::log_on(to(server, &names, &tls, options).await?, options).await;
    }
    let domain = options.domain.as_deref().ok_or(Error::NoServer)?;
    let mut failures = Vec::new();
    let controllers = names.controllers(domain).await?;
    let only = controllers.len() == 1;
    for host in controllers {
        let opened = match to(&host, &names, &tls, options).await {
            Ok(connection) => Directory::log_on(connection, options).await,
            Err(error) => Err(error),
        };
        match opened {
            Err(error) if !only && error.is_of_one_controller() => failures.push(error.to_string()),
            done => return done,
        }
    }
    Err(Error::NoneReached { domain: domain.to_owned(), failures })
}

async fn to(
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
        // Whoever waits for an answer is told that the connection broke.
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

/// Logs on as the options say, and tells as whom; None if as nobody. The connection is encrypted, or
/// there would be none.
pub(crate) async fn log_on(
    connection: &mut Connection,
    options: &Options,
) -> Result<Option<String>, Error> {
    if options.kerberos {
        return ticket::bind(connection, options.timeout).await.map(Some);
    }
    let Some(credentials) = &options.credentials else { return Ok(None) };
    bind(connection, credentials, options.timeout).await?;
    Ok(Some(credentials.user.clone()))
}

async fn bind(
    connection: &mut Connection,
    credentials: &Credentials,
    timeout: Duration,
) -> Result<(), Error> {
    let Connection { ldap, server, .. } = connection;
    let user = &credentials.user;
    let password = credentials.password.expose_secret();
    if password.is_empty() {
        // RFC 4513, section 5.1.2: that would be an anonymous logon which seems to succeed.
        return Err(Error::Bind {
            server: server.clone(),
            user: user.clone(),
            why: "the password is empty".to_owned(),
            remedy: "give the right one",
        });
    }
    match ldap.with_timeout(timeout).simple_bind(user, password).await {
        Ok(result) if result.rc == 0 => Ok(()),
        Ok(result) => Err(error::bind(server, user, &result)),
        Err(LdapError::Timeout { .. }) => Err(Error::Timeout {
            server: server.clone(),
            what: format!("log on as {user}"),
            after: timeout,
            remedy: error::READING,
        }),
        Err(error) => Err(Error::Broken {
            server: server.clone(),
            what: format!("log on as {user}"),
            why: error.to_string(),
            remedy: error::READING,
        }),
    }
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
