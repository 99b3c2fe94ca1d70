//! A ticket by the system's `kinit`.

use std::fs::{OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use gmsa_core::windows::encryption_types;
use secrecy::{ExposeSecret as _, SecretSlice};
use tempfile::TempDir;
use tokio::process::Command;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::keys::{self, Encryption};
use super::keytab::{Entry, Keytab};
use super::{Ticket, TicketRequest};
use crate::error::Error;

/// Messages of MIT Kerberos' `kinit`, whether each answers the question, and what to do.
const REASONS: [(&str, bool, &str); 6] = [
    ("Cannot contact any KDC", false, "open port 88 of the controller, TCP and UDP, to here"),
    ("Clock skew", true, "set the clock of this machine by that of the domain"),
    (
        "revoked",
        true,
        "enable the account (kubectl gmsa account set --enable), or see when it expires",
    ),
    (
        WRONG_KEY,
        true,
        "the key does not fit the password: try again in ten minutes, when the controllers agree on it",
    ),
    ("encryption type", true, encryption_types::REMEDY),
    (
        "not found in Kerberos database",
        true,
        "see whether all controllers know the account already",
    ),
];
const OTHER: &str = "see the words of kinit";
const WRONG_KEY: &str = "Preauthentication failed";

pub(super) async fn ticket(request: &TicketRequest<'_>) -> Result<Ticket, Error> {
    let not_checked = |why: &str, remedy| Ok(Ticket::NotChecked { why: why.to_owned(), remedy });
    // Before there is a file with a key.
    let Some(program) = find() else {
        let remedy = "install it (krb5-user, krb5-workstation) to have the ticket tried";
        return not_checked("there is no kinit here", remedy);
    };
    let encryptions = encryptions(request.encryption_types);
    if encryptions.is_empty() {
        return not_checked("the account supports no AES", encryption_types::REMEDY);
    }
    // They go into a configuration and an argument.
    if !is_plain(request.account) || !is_plain(request.domain) {
        return not_checked("the name of the account or domain is unusual", "try it on a node");
    }
    let failed = |error: &dyn std::error::Error| Error::Kerberos {
        account: request.account.to_owned(),
        why: error.to_string(),
    };
    // An uncaught signal would leave the directory behind.
    let mut signals = Signals::new().map_err(|error| failed(&error))?;
    let directory = private_directory().map_err(|error| failed(&error))?;
    let text = configuration(request.domain, request.controller, &encryptions);
    write(&directory.path().join("krb5.conf"), text.as_bytes()).map_err(|error| failed(&error))?;
    let tried = tokio::select! {
        tried = attempt(&program, directory.path(), request, &encryptions) => tried,
        () = signals.any() => return Err(failed(&io::Error::other("it was interrupted"))),
    };
    // Said, and not only tried, as dropping it would.
    directory.close().map_err(|error| failed(&error))?;
    tried.map_err(|error| failed(&error))
}

/// Asks for the salt, then for a ticket with the current password, and with the one before if the
/// controller does not take the current one.
async fn attempt(
    program: &Path,
    directory: &Path,
    request: &TicketRequest<'_>,
    encryptions: &[Encryption],
) -> io::Result<Ticket> {
    let Some(salt) = salt(program, directory, request).await? else {
        return Ok(Ticket::NotChecked {
            why: format!("no answer within {} s", request.timeout.as_secs_f32()),
            remedy: "open port 88 of the controller, TCP and UDP, to here",
        });
    };
    let passwords = [Some(&request.password.current), request.password.previous.as_ref()];
    let mut last = None;
    for (index, password) in passwords.into_iter().flatten().enumerate() {
        let keytab = keytab(request, encryptions, password, &salt).map_err(io::Error::other)?;
        let bytes = keytab.to_bytes().map_err(io::Error::other)?;
        let file = directory.join(format!("keytab{index}"));
        write(&file, &bytes)?;
        let mut command = command(program, directory);
        command.arg("-k").arg("-t").arg(&file).arg(principal(request));
        let Ok(ended) = tokio::time::timeout(request.timeout, command.output()).await else {
            return Ok(Ticket::NotChecked {
                why: format!("no answer within {} s", request.timeout.as_secs_f32()),
                remedy: "open port 88 of the controller, TCP and UDP, to here",
            });
        };
        let ticket = judge(&ended?, index > 0);
        let wrong = matches!(&ticket, Ticket::Refused { why, .. } if why.contains(WRONG_KEY));
        if !wrong {
            return Ok(ticket);
        }
        last.get_or_insert(ticket);
    }
    last.ok_or_else(|| io::Error::other("there is no password"))
}

/// The salt of the account's keys, as the controller says it (PA-ETYPE-INFO2, RFC 4120, section
/// 5.2.7.5): an account that was renamed keeps that of its old name until its password changes. Where
/// `kinit` does not tell (that of Heimdal), the one of the present name. None if nothing answers.
async fn salt(
    program: &Path,
    directory: &Path,
    request: &TicketRequest<'_>,
) -> io::Result<Option<String>> {
    let trace = directory.join("trace");
    // It asks the controller, then for a password, of which there is none to read: no attempt is counted.
    let mut command = command(program, directory);
    command.arg(principal(request)).env("KRB5_TRACE", &trace);
    if tokio::time::timeout(request.timeout, command.output()).await.is_err() {
        return Ok(None);
    }
    let said = std::fs::read_to_string(&trace).unwrap_or_default();
    let computed = || keys::computer_salt(request.account, request.domain);
    Ok(Some(salt_in(&said).map_or_else(computed, str::to_owned)))
}

/// The salt in what `kinit` of MIT Kerberos traces.
fn salt_in(trace: &str) -> Option<&str> {
    let line = trace.lines().find(|line| line.contains("Selected etype info:"))?;
    let (_, rest) = line.split_once("salt \"")?;
    rest.split('"').next()
}

/// Where `kinit` is.
fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut candidates = std::env::split_paths(&path).map(|directory| directory.join("kinit"));
    candidates.find(|file| {
        // An empty entry means the current directory, which may contain an attacker's program.
        file.is_absolute()
            && file.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
    })
}

/// The types to try, best first. An account that sets none has all.
fn encryptions(supported: Option<i64>) -> Vec<Encryption> {
    let mut all = vec![Encryption::Aes256, Encryption::Aes128];
    if let Some(bits) = supported.filter(|bits| *bits != 0) {
        all.retain(|encryption| bits & encryption.bit() != 0);
    }
    all
}

fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

fn principal(request: &TicketRequest<'_>) -> String {
    format!("{}$@{}", request.account, request.domain.to_uppercase())
}

fn keytab(
    request: &TicketRequest<'_>,
    encryptions: &[Encryption],
    password: &SecretSlice<u8>,
    salt: &str,
) -> Result<Keytab, super::KeyError> {
    let passphrase = keys::passphrase(password.expose_secret());
    let entry = |encryption: &Encryption| -> Result<Entry, super::KeyError> {
        Ok(Entry {
            realm: request.domain.to_uppercase(),
            components: vec![format!("{}$", request.account)],
            name_type: 1,
            timestamp: 0,
            // A logon does not send the key version.
            version: 1,
            encryption: encryption.number(),
            key: keys::string_to_key(*encryption, &passphrase, salt, keys::ITERATIONS)?,
        })
    };
    Ok(Keytab { entries: encryptions.iter().map(entry).collect::<Result<_, _>>()? })
}

fn private_directory() -> io::Result<TempDir> {
    tempfile::Builder::new()
        .prefix("kubectl-gmsa-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir()
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(bytes)
}

/// One controller and nothing looked up: the answer is that of the controller whose directory was
/// read.
fn configuration(domain: &str, controller: IpAddr, encryptions: &[Encryption]) -> String {
    let realm = domain.to_uppercase();
    // Else the controller may choose one for which there is no key.
    let names: Vec<&str> = encryptions.iter().map(|encryption| encryption.name()).collect();
    let names = names.join(" ");
    let controller = match controller {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    format!(
        "[libdefaults]\n default_realm = {realm}\n dns_lookup_kdc = false\n dns_lookup_realm = false\n \
         dns_canonicalize_hostname = false\n rdns = false\n udp_preference_limit = 1\n \
         default_tkt_enctypes = {names}\n\
         [realms]\n {realm} = {{\n  kdc = {controller}:88\n }}\n"
    )
}

fn command(program: &Path, directory: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("KRB5") {
            command.env_remove(name);
        }
    }
    command.env("KRB5_CONFIG", directory.join("krb5.conf"));
    // The ticket ends with the process.
    command.env("KRB5CCNAME", "MEMORY:kubectl-gmsa").env("LC_ALL", "C");
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

fn judge(output: &Output, previous: bool) -> Ticket {
    if output.status.success() {
        return Ticket::Granted { previous };
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let words: Vec<&str> = text.split_whitespace().collect();
    let why = if words.is_empty() { output.status.to_string() } else { words.join(" ") };
    let known = REASONS.iter().find(|(part, ..)| why.contains(part));
    match known {
        Some((_, false, remedy)) => Ticket::NotChecked { why, remedy },
        Some((_, true, remedy)) => Ticket::Refused { why, remedy },
        None => Ticket::Refused { why, remedy: OTHER },
    }
}

/// The signals that end a program.
struct Signals([Signal; 3]);

impl Signals {
    fn new() -> io::Result<Self> {
        let on = |kind| signal(kind);
        Ok(Self([
            on(SignalKind::interrupt())?,
            on(SignalKind::terminate())?,
            on(SignalKind::hangup())?,
        ]))
    }

    async fn any(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::salt_in;

    #[test]
    fn the_salt_in_a_trace() {
        let trace = "[1] 1.0: Sending unauthenticated request\n\
                     [1] 1.1: Selected etype info: etype aes256-cts, salt \"CONTOSO.COMhostold.contoso.com\", \
                     params \"\\x00\\x00\\x10\\x00\"\n";
        assert_eq!(salt_in(trace), Some("CONTOSO.COMhostold.contoso.com"));
        assert_eq!(salt_in("[1] 1.0: Retrying AS request\n"), None);
    }
}
