//! Active Directory's side: the domains and accounts of credential specs, by what `account check`
//! looks at.

use std::collections::BTreeSet;

use gmsa_core::credspec::{DomainFacts, domain_differences};
use gmsa_core::diagnosis::catalogue::directory::{
    DIRECTORY_ACCOUNT, DIRECTORY_CLOCK, DIRECTORY_DOMAIN, DIRECTORY_NETWORK, DIRECTORY_REACHABLE,
    DIRECTORY_RETRIEVAL, DIRECTORY_ROOT_KEY, DIRECTORY_SPN,
};
use gmsa_core::diagnosis::{Check, Confidence, Outcome, State};
use gmsa_directory::account::{Check as Line, CheckStatus};
use gmsa_directory::{Directory, Error, Options, Principal};
use serde_json::Value;

use crate::checks::facts::{array, text};
use crate::cli::shared::DirectoryFlags;
use crate::connect::directory;
use crate::credential_spec::{accounts_in, is_same_account};
use crate::failure::Failure;

/// Looks at the directories of the credential specs' domains; the nodes are those of Windows, by
/// name.
pub async fn examine(
    flags: &DirectoryFlags,
    specs: &[&Value],
    nodes: &[&str],
) -> Result<Vec<Outcome>, Failure> {
    let domains: BTreeSet<String> = specs
        .iter()
        .map(|spec| domain_of(spec).to_ascii_lowercase())
        .filter(|domain| !domain.is_empty())
        .collect();
    if flags.dc.is_some() || flags.domain.is_some() {
        return one(&directory::options(flags)?, specs, nodes).await;
    }
    // Without a directory that is named, that of each domain.
    let Some(first) = domains.first() else {
        let words = "no credential spec names a domain";
        return Ok(vec![Outcome::skipped(&DIRECTORY_REACHABLE, words)]);
    };
    let options =
        directory::options(&DirectoryFlags { domain: Some(first.clone()), ..flags.clone() })?;
    let mut outcomes = Vec::new();
    for domain in &domains {
        let options = Options { domain: Some(domain.clone()), ..options.clone() };
        let of = |spec: &&&Value| domain_of(spec).eq_ignore_ascii_case(domain);
        let specs: Vec<&Value> = specs.iter().filter(of).copied().collect();
        outcomes.extend(one(&options, &specs, nodes).await?);
    }
    Ok(outcomes)
}

/// Whether the directory was not reached, or refused.
pub fn unreached(outcomes: &[Outcome]) -> bool {
    outcomes.iter().any(|one| one.check.id == DIRECTORY_REACHABLE.id && one.state == State::Problem)
}

fn domain_of(spec: &Value) -> &str {
    text(spec, "/credspec/DomainJoinConfig/DnsName")
}

async fn one(options: &Options, specs: &[&Value], nodes: &[&str]) -> Result<Vec<Outcome>, Failure> {
    let mut outcomes = Vec::new();
    match look(options, specs, nodes, &mut outcomes).await {
        Ok(()) => {}
        Err(error) if error.is_input() => return Err(error.into()),
        Err(error) => {
            let outcome = Outcome::problem(&DIRECTORY_REACHABLE, error.to_string());
            let object = options.domain.as_ref().or(options.server.as_ref());
            outcomes.push(match object {
                Some(object) => outcome.on(format!("directory {object}")),
                None => outcome,
            });
        }
    }
    Ok(outcomes)
}

async fn look(
    options: &Options,
    specs: &[&Value],
    nodes: &[&str],
    outcomes: &mut Vec<Outcome>,
) -> Result<(), Error> {
    let opened = Directory::open(options).await?;
    let domain = directory::facts(&opened.domain().await?);
    let answers = format!("{} answers for {}", opened.server(), domain.dns_name);
    outcomes.push(Outcome::ok(&DIRECTORY_REACHABLE, answers));
    let of_domain = format!("directory {}", domain.dns_name);
    let controllers = opened.check_controllers().await?;
    outcomes.extend(controllers.iter().map(|line| outcome(line).on(&of_domain)));
    let mut hosts = Vec::new();
    for node in nodes {
        match opened.computer(node).await {
            Ok(computer) => hosts.push(computer),
            // Nodes that are not in the domain have a plug-in.
            Err(error) if error.is_finding() => {}
            Err(error) => return Err(error),
        }
    }
    for spec in specs {
        let object = format!("GMSACredentialSpec {}", text(spec, "/metadata/name"));
        let of = domain_of(spec);
        if !of.is_empty() && !of.eq_ignore_ascii_case(&domain.dns_name) {
            let words =
                format!("its domain is {of}, and this is the directory of {}", domain.dns_name);
            let outcome = Outcome::unknown(&DIRECTORY_DOMAIN, words).on(object).then(format!(
                "If {of} is right, look there too: --domain {of}, or --dc with one of its controllers"
            ));
            outcomes.push(outcome);
            continue;
        }
        let differences = domain_differences(spec.get("credspec").unwrap_or(&Value::Null), &domain);
        let says = if let Some(first) = differences.first() {
            let outcome = Outcome::problem(&DIRECTORY_DOMAIN, &first.message);
            differences
                .iter()
                .skip(1)
                .map(|one| one.message.clone())
                .fold(outcome, Outcome::because)
        } else {
            let words = "SID, GUID and names of the domain are those of the directory";
            Outcome::ok(&DIRECTORY_DOMAIN, words)
        };
        outcomes.push(says.on(&object));
        let accounts: Vec<String> =
            accounts_in(spec, &domain).into_iter().map(|(account, _)| account).collect();
        let others = elsewhere(spec, &domain, &accounts);
        outcomes.extend(others.into_iter().map(|outcome| outcome.on(&object)));
        if accounts.is_empty() {
            outcomes.push(Outcome::skipped(&DIRECTORY_ACCOUNT, "it names no account").on(object));
            continue;
        }
        let plugin = spec.pointer("/credspec/ActiveDirectoryConfig/HostAccountConfig").is_some();
        for account in accounts {
            let found = of_account(&opened, &account, if plugin { &[] } else { &hosts }).await?;
            for outcome in found {
                // Several credential specs may be of one account, and some lines are of the domain.
                if !outcomes.contains(&outcome) {
                    outcomes.push(outcome);
                }
            }
        }
        if !plugin && hosts.is_empty() && !nodes.is_empty() {
            outcomes.push(outside(nodes).on(object));
        }
    }
    Ok(())
}

/// Nodes outside the domain need a plug-in, and the credential spec names none.
fn outside(nodes: &[&str]) -> Outcome {
    let words = format!(
        "it names no plug-in, and no Windows node has a computer account by its name: {}",
        nodes.join(", ")
    );
    Outcome::warning(&DIRECTORY_RETRIEVAL, words).sure(Confidence::Possible).then(
        "Join the nodes to the domain, or name the plug-in of your platform in HostAccountConfig \
         (kubectl gmsa credspec create --host-plugin).",
    )
}

/// Accounts with no scope of this domain: its directory does not have them.
fn elsewhere(spec: &Value, domain: &DomainFacts, here: &[String]) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = Vec::new();
    for entry in array(spec, "/credspec/ActiveDirectoryConfig/GroupManagedServiceAccounts") {
        let (account, scope) = (text(entry, "/Name"), text(entry, "/Scope"));
        if account.is_empty() || here.iter().any(|known| is_same_account(known, account)) {
            continue;
        }
        let words =
            format!("{account} is of {scope}, and this is the directory of {}", domain.dns_name);
        let outcome = Outcome::unknown(&DIRECTORY_ACCOUNT, words).then(format!(
            "If {scope} is right, look there: kubectl gmsa account check {account} --domain DOMAIN"
        ));
        if !outcomes.contains(&outcome) {
            outcomes.push(outcome);
        }
    }
    outcomes
}

/// What `account check` says of the account, line by line.
async fn of_account(
    directory: &Directory,
    account: &str,
    hosts: &[Principal],
) -> Result<Vec<Outcome>, Error> {
    let lines = directory.check(account, hosts).await?;
    let object = format!("account {}", account.trim_end_matches('$'));
    let of = |line| {
        let outcome = outcome(line);
        let of_forest = outcome.check.id == DIRECTORY_ROOT_KEY.id;
        if of_forest { outcome } else { outcome.on(&object) }
    };
    Ok(lines.iter().map(of).collect())
}

fn outcome(line: &Line) -> Outcome {
    let state = match line.status {
        CheckStatus::Passed => State::Ok,
        CheckStatus::Unknown => State::Unknown,
        CheckStatus::Warning => State::Warning,
        CheckStatus::Failed => State::Problem,
    };
    let outcome = Outcome::new(check_of(line.id), state, format!("{}: {}", line.id, line.message));
    match line.remedy {
        Some(remedy) if state != State::Ok => outcome.then(sentence(remedy)),
        _ => outcome,
    }
}

/// The check of the catalogue to which a line of `account check` belongs.
fn check_of(line: &str) -> &'static Check {
    match line {
        "kds-root-key" => &DIRECTORY_ROOT_KEY,
        "retrieval" | "host-may-retrieve" => &DIRECTORY_RETRIEVAL,
        // Of the account, whatever it is called.
        "dns-host-name" => &DIRECTORY_ACCOUNT,
        line if line.starts_with("spn") => &DIRECTORY_SPN,
        "clock" => &DIRECTORY_CLOCK,
        "controller-ports" => &DIRECTORY_NETWORK,
        line if line.starts_with("dns-") => &DIRECTORY_NETWORK,
        _ => &DIRECTORY_ACCOUNT,
    }
}

/// A remedy of a line as a sentence.
fn sentence(remedy: &str) -> String {
    let mut characters = remedy.chars();
    let first = characters.next().map(char::to_uppercase);
    let text: String = first.into_iter().flatten().chain(characters).collect();
    format!("{}.", text.trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::{check_of, sentence};

    #[test]
    fn each_line_of_the_check_has_its_place() {
        for (line, check) in [
            ("exists", "directory-account"),
            ("class", "directory-account"),
            ("name", "directory-account"),
            ("enabled", "directory-account"),
            ("encryption", "directory-account"),
            ("password-interval", "directory-account"),
            ("delegation", "directory-account"),
            ("dns-host-name", "directory-account"),
            ("kds-root-key", "directory-root-key"),
            ("retrieval", "directory-retrieval"),
            ("host-may-retrieve", "directory-retrieval"),
            ("spn-unique", "directory-spn"),
            ("clock", "directory-clock"),
            ("dns-records", "directory-network"),
            ("dns-addresses", "directory-network"),
            ("dns-transport", "directory-network"),
            ("controller-ports", "directory-network"),
        ] {
            assert_eq!(check_of(line).id, check, "{line}");
        }
        assert_eq!(sentence("allow it"), "Allow it.");
        assert_eq!(sentence(""), ".");
    }
}
