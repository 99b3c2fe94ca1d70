//! Whether a host can be an account: by trying it.

use gmsa_directory::account::{Check, CheckStatus};
use gmsa_directory::kerberos::{self, Ticket, TicketRequest};
use gmsa_directory::{Directory, Error, ManagedPassword, Options};

use crate::failure::Failure;

const READ: &str = "password-read";
const TICKET: &str = "kerberos-ticket";

/// Reads the password as the host would, asks for a ticket with it, and forgets both.
pub async fn prove(options: &Options, account: &str, domain: &str) -> Result<Vec<Check>, Failure> {
    let directory = match Directory::open(options).await {
        Ok(directory) => directory,
        // This is about the host, and does not affect the rest of the report.
        Err(error @ Error::Bind { .. }) => {
            let remedy = "give the right name and password of the host, or enable its account";
            let read = Check::not_passed(READ, CheckStatus::Failed, error.to_string(), remedy);
            let message = "without a logon no password is read, and no ticket asked for".to_owned();
            let ticket = Check::not_passed(TICKET, CheckStatus::Unknown, message, "see above");
            return Ok(vec![read, ticket]);
        }
        Err(error) => return Err(error.into()),
    };
    let user = directory.user();
    let no_ticket = || {
        let message = format!("without the password {user} gets no ticket for the account");
        Check::not_passed(TICKET, CheckStatus::Failed, message, "see the check above")
    };
    Ok(match directory.managed_password(account).await {
        Ok(Some(password)) => {
            let read = Check::passed(READ, format!("{user} has read the password"));
            vec![read, ticket(&directory, options, account, domain, &password).await?]
        }
        Ok(None) => {
            let message = format!("{user} was not given the password");
            let account = account.trim_end_matches('$');
            let name = user.split('@').next().unwrap_or(user);
            let name = name.rsplit('\\').next().unwrap_or(name);
            let who = match name.strip_suffix('$') {
                Some(host) => format!("--host {host}"),
                None => format!("--user {name}"),
            };
            let remedy = format!("allow it with `kubectl gmsa account allow {account} {who}`");
            vec![Check::not_passed(READ, CheckStatus::Failed, message, remedy), no_ticket()]
        }
        Err(error) if error.is_finding() => {
            let (message, remedy) = (error.to_string(), "see the checks above");
            vec![Check::not_passed(READ, CheckStatus::Failed, message, remedy), no_ticket()]
        }
        Err(error) => return Err(error.into()),
    })
}

async fn ticket(
    directory: &Directory,
    options: &Options,
    account: &str,
    domain: &str,
    password: &ManagedPassword,
) -> Result<Check, Failure> {
    let known = directory.account(account).await?;
    // As the directory writes it.
    let name = known.as_ref().map_or(account.trim_end_matches('$'), |known| known.name.as_str());
    let request = TicketRequest {
        account: name,
        domain,
        controller: directory.address(),
        password,
        encryption_types: known.as_ref().and_then(|known| known.encryption_types),
        timeout: options.timeout,
    };
    Ok(match kerberos::ticket(&request).await? {
        Ticket::Granted { previous: false } => {
            Check::passed(TICKET, format!("the password gets a Kerberos ticket for {name}$"))
        }
        Ticket::Granted { previous: true } => Check::passed(
            TICKET,
            format!(
                "the previous password gets a Kerberos ticket for {name}$: the current one counts in a few \
                 minutes"
            ),
        ),
        Ticket::Refused { why, remedy } => {
            let message = format!("the password gets no Kerberos ticket for {name}$: {why}");
            Check::not_passed(TICKET, CheckStatus::Failed, message, remedy)
        }
        Ticket::NotChecked { why, remedy } => {
            Check::not_passed(TICKET, CheckStatus::Unknown, why, remedy)
        }
    })
}
