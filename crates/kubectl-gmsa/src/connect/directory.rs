//! Logging on to the directory that the flags name.

use std::time::Duration;

use futures::future::join_all;
use gmsa_core::credspec::DomainFacts;
use gmsa_directory::{Credentials, Directory, Domain, Error, Options, Principal, Transport};

use crate::cli::account::Principals;
use crate::cli::shared::DirectoryFlags;
use crate::failure::Failure;
use crate::prompt;

/// The options of these flags, with the user.
pub fn options(flags: &DirectoryFlags) -> Result<Options, Failure> {
    // Before a password is asked for.
    let nowhere = flags.dc.is_none() && flags.domain.is_none();
    let credentials = match &flags.bind_user {
        _ if flags.kerberos && nowhere => return Err(gmsa_directory::Error::NoServer.into()),
        _ if flags.kerberos => None,
        None => {
            return Err(Failure::Input(
                "failed to log on to the directory: give a user with --bind-user, or use your Kerberos \
                 ticket with --kerberos"
                    .to_owned(),
            ));
        }
        Some(_) if nowhere => return Err(gmsa_directory::Error::NoServer.into()),
        Some(user) => {
            let user = full_name(user, flags.domain.as_deref());
            let password = prompt::password(flags.password_file.as_deref(), &user)?;
            Some(Credentials { user, password })
        }
    };
    Ok(Options {
        server: flags.dc.clone(),
        domain: flags.domain.clone(),
        dns_server: flags.dns_server,
        ca: flags.ca.clone(),
        server_name: flags.server_name.clone(),
        transport: if flags.starttls { Transport::StartTls } else { Transport::Ldaps },
        timeout: Duration::from_secs(flags.timeout.into()),
        credentials,
        kerberos: flags.kerberos,
    })
}

/// A bare name with its domain: a directory accepts no bare name.
pub fn full_name(user: &str, domain: Option<&str>) -> String {
    match domain {
        Some(domain) if !user.contains(['@', '\\', '=']) => format!("{user}@{domain}"),
        _ => user.to_owned(),
    }
}

/// Connects and logs on.
pub async fn open(flags: &DirectoryFlags) -> Result<Directory, Failure> {
    Ok(Directory::open(&options(flags)?).await?)
}

/// Finds the principals, hosts first, and returns which were not found and why.
pub async fn look_up(
    directory: &Directory,
    wanted: &Principals,
) -> Result<(Vec<Principal>, Vec<Error>), Failure> {
    let (hosts, groups, users) = tokio::join!(
        join_all(wanted.host.iter().map(|host| directory.computer(host))),
        join_all(wanted.group.iter().map(|group| directory.group(group))),
        join_all(wanted.user.iter().map(|user| directory.user_account(user)))
    );
    let (mut principals, mut problems) = (Vec::new(), Vec::new());
    for one in hosts.into_iter().chain(groups).chain(users) {
        match one {
            Ok(principal) => principals.push(principal),
            Err(error) if error.is_finding() || matches!(error, Error::Ambiguous { .. }) => {
                problems.push(error);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok((principals, problems))
}

/// Finds the principals, hosts first; the error lists every one that is not found.
pub async fn principals(
    directory: &Directory,
    wanted: &Principals,
) -> Result<Vec<Principal>, Failure> {
    let (principals, mut problems) = look_up(directory, wanted).await?;
    match problems.pop() {
        None => Ok(principals),
        Some(only) if problems.is_empty() => Err(only.into()),
        Some(last) => {
            problems.push(last);
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Err(Failure::Missing(lines.join("\nerror: ")))
        }
    }
}

/// The facts as a credential spec writes them.
pub fn facts(domain: &Domain) -> DomainFacts {
    DomainFacts {
        sid: domain.sid.to_string(),
        guid: domain.guid.to_string(),
        dns_name: domain.dns_name.clone(),
        forest: domain.forest.clone(),
        netbios_name: domain.netbios_name.clone(),
    }
}
