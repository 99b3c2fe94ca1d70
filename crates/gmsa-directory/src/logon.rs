//! Logging on over a connection that is open.

#[cfg(feature = "gssapi")]
mod ticket;

use std::time::Duration;

use ldap3::LdapError;
use secrecy::ExposeSecret as _;

use crate::connect::Connection;
use crate::error::{self, Error};
use crate::options::{Credentials, Options};

/// Logs on as the options say, and tells as whom; None if as nobody. The connection is encrypted, or
/// there would be none.
pub(crate) async fn log_on(
    connection: &mut Connection,
    options: &Options,
) -> Result<Option<String>, Error> {
    #[cfg(feature = "gssapi")]
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
