//! Logging on with the caller's Kerberos ticket (SASL GSSAPI, RFC 4752), over TLS.

use std::time::Duration;

use ldap3::exop::WhoAmI;
use ldap3::{Ldap, LdapError, LdapResult, Scope, SearchEntry};
use tokio::runtime::Handle;

use crate::connect::Connection;
use crate::error::{self, Error};

/// The user, before the controller has reported who that is.
const CALLER: &str = "the holder of the Kerberos ticket";

/// Messages of the Kerberos libraries, their causes, and what to do.
const REASONS: [(&str, &str); 7] = [
    ("no credentials", "get a ticket with kinit (klist shows those that there are)"),
    ("no kerberos credentials", "get a ticket with kinit (klist shows those that there are)"),
    ("expired", "get a new ticket with kinit"),
    ("clock skew", "set the clock of this machine by that of the domain"),
    (
        "not found in kerberos database",
        "the controller has no service principal name ldap/HOST for its DNS name: add it, or use another \
         controller with --dc",
    ),
    (
        "cannot find kdc",
        "name the realm's controller in krb5.conf, or use a DNS server that knows the domain",
    ),
    // In the words of gssapi/gssapi.c.
    (
        "libgssapi_krb5.so.2 cannot be loaded",
        "install MIT Kerberos (libgssapi-krb5-2 on Debian and Ubuntu, krb5-libs on Fedora and RHEL), or log \
         on with --bind-user",
    ),
];
const OTHER: &str = "see whether `kvno ldap/HOST` gets a ticket for the controller";

/// Logs on, and gives back as whom.
pub(crate) async fn bind(connection: &mut Connection, timeout: Duration) -> Result<String, Error> {
    let Connection { ldap, server, .. } = connection;
    let host = host_name(ldap, timeout).await.map_err(|error| broken(server, timeout, &error))?;
    let Some(host) = host else {
        return Err(Error::Bind {
            server: server.clone(),
            user: CALLER.to_owned(),
            why: "the controller does not report its DNS name".to_owned(),
            remedy: "log on with --bind-user",
        });
    };
    // The libraries block while they wait for the KDC and for files.
    let (mut bound, handle) = (ldap.clone(), Handle::current());
    let binding = tokio::task::spawn_blocking(move || {
        handle.block_on(bound.with_timeout(timeout).sasl_gssapi_bind(&host))
    });
    let result: Result<LdapResult, LdapError> = match tokio::time::timeout(timeout, binding).await {
        Ok(Ok(result)) => result,
        Ok(Err(error)) => return Err(refused(server, error.to_string())),
        Err(_) => return Err(late(server, timeout)),
    };
    match result {
        Ok(result) if result.rc == 0 => {}
        Ok(result) => return Err(error::bind(server, CALLER, &result)),
        Err(error) => return Err(broken(server, timeout, &error)),
    }
    Ok(who(ldap, timeout).await.unwrap_or_else(|| CALLER.to_owned()))
}

/// The DNS name of the controller, which its ticket is for, whatever it was connected by.
async fn host_name(ldap: &mut Ldap, timeout: Duration) -> Result<Option<String>, LdapError> {
    const ATTRIBUTE: &str = "dnsHostName";
    let search = ldap.with_timeout(timeout).search("", Scope::Base, "(objectClass=*)", [ATTRIBUTE]);
    let (entries, _) = search.await?.success()?;
    let entry = entries.into_iter().next().map(SearchEntry::construct);
    let values = entry.and_then(|entry| entry.attrs.into_values().next());
    Ok(values.and_then(|values| values.into_iter().next()))
}

/// As whom the controller knows us (RFC 4532): `u:DOMAIN\user`.
async fn who(ldap: &mut Ldap, timeout: Duration) -> Option<String> {
    let answer = ldap.with_timeout(timeout).extended(WhoAmI).await.ok()?;
    let (answer, result) = (answer.0, answer.1);
    let text = String::from_utf8(answer.val?).ok()?;
    let user = text.strip_prefix("u:").unwrap_or(&text);
    (result.rc == 0 && !user.is_empty()).then(|| user.to_owned())
}

fn broken(server: &str, timeout: Duration, error: &LdapError) -> Error {
    match error {
        LdapError::Timeout { .. } => late(server, timeout),
        error => refused(server, error.to_string()),
    }
}

fn late(server: &str, after: Duration) -> Error {
    Error::Timeout {
        server: server.to_owned(),
        what: format!("log on as {CALLER}"),
        after,
        remedy: error::READING,
    }
}

fn refused(server: &str, why: String) -> Error {
    let lower = why.to_lowercase();
    let known = REASONS.iter().find(|(part, _)| lower.contains(part));
    Error::Bind {
        server: server.to_owned(),
        user: CALLER.to_owned(),
        why,
        remedy: known.map_or(OTHER, |(_, remedy)| remedy),
    }
}
