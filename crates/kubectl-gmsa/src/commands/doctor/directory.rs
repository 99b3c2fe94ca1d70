//! Active Directory's side: the domains and accounts of credential specs, by what `account check`
//! looks at.

use std::collections::BTreeSet;

use gmsa_cluster::api::value::{array, text};
use gmsa_core::credspec::{DomainFacts, domain_differences};
use gmsa_core::diagnosis::catalogue::directory::{
    DIRECTORY_ACCOUNT, DIRECTORY_CLOCK, DIRECTORY_DOMAIN, DIRECTORY_NETWORK, DIRECTORY_REACHABLE,
    DIRECTORY_RETRIEVAL, DIRECTORY_ROOT_KEY, DIRECTORY_SPN,
};
use gmsa_core::diagnosis::{Check, Confidence, Outcome, State};
use gmsa_directory::account::{Check as Line, CheckStatus, Detail, Survey};
use gmsa_directory::{Directory, Error, Options, Principal};
use serde_json::Value;

use crate::cli::shared::DirectoryFlags;
use crate::connect::directory;
use crate::credential_spec::{accounts_in, is_same_account};
use crate::failure::Failure;

/// A directory to look at, and the credential specs that it is compared with.
pub struct Wanted<'a> {
    options: Options,
    specs: Vec<&'a Value>,
}

/// The directory that the flags name, or else that of each domain of the credential specs. Asks for a
/// password where one is missing.
pub fn of_specs<'a>(
    flags: &DirectoryFlags,
    specs: &[&'a Value],
) -> Result<Vec<Wanted<'a>>, Failure> {
    if flags.dc.is_some() || flags.domain.is_some() {
        return Ok(vec![Wanted { options: directory::options(flags)?, specs: specs.to_vec() }]);
    }
    let domains: BTreeSet<String> = specs
        .iter()
        .map(|spec| domain_of(spec).to_ascii_lowercase())
        .filter(|domain| !domain.is_empty())
        .collect();
    let Some(first) = domains.first() else { return Ok(Vec::new()) };
    let options =
        directory::options(&DirectoryFlags { domain: Some(first.clone()), ..flags.clone() })?;
    let wanted = domains.into_iter().map(|domain| {
        let of = |spec: &&&Value| domain_of(spec).eq_ignore_ascii_case(&domain);
        let specs = specs.iter().filter(of).copied().collect();
        Wanted { specs, options: Options { domain: Some(domain), ..options.clone() } }
    });
    Ok(wanted.collect())
}

/// That there is no directory to look at.
pub fn nowhere() -> Outcome {
    Outcome::skipped(&DIRECTORY_REACHABLE, "no credential spec names a domain")
}

/// Looks at the directories of the credential specs' domains; the nodes are those of Windows, by
/// name.
pub async fn examine(wanted: &[Wanted<'_>], nodes: &[&str]) -> Result<Vec<Outcome>, Failure> {
    let mut outcomes = Vec::new();
    for Wanted { options, specs } in wanted {
        outcomes.extend(one(options, specs, nodes).await?);
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
    let (domain, found) = tokio::try_join!(opened.domain(), opened.computers(nodes))?;
    let domain = directory::facts(&domain);
    let answers = format!("{} answers for {}", opened.server(), domain.dns_name);
    outcomes.push(Outcome::ok(&DIRECTORY_REACHABLE, answers));
    let of_domain = format!("directory {}", domain.dns_name);
    let (hosts, missing) = hosts_of(nodes, found);
    let specs: Vec<Spec<'_>> = specs.iter().map(|spec| Spec::new(spec, &domain)).collect();
    let mut known: BTreeSet<String> = BTreeSet::new();
    let names = specs.iter().flat_map(|spec| &spec.accounts);
    let names: Vec<&str> =
        names.filter(|name| known.insert(name.to_lowercase())).map(String::as_str).collect();
    let (controllers, survey) = tokio::try_join!(
        opened.check_controllers(),
        opened.survey(&names, &hosts, &[], Detail::Summary)
    )?;
    outcomes.extend(controllers.iter().map(|line| outcome(line).on(&of_domain)));
    for name in &names {
        let plugin_alone = specs.iter().filter(|spec| spec.has(name)).all(|spec| spec.has_plugin);
        outcomes.extend(of_account(&survey, name, if plugin_alone { &[] } else { &hosts }));
    }
    let joined = specs.iter().any(|spec| !spec.has_plugin && !spec.accounts.is_empty());
    if joined && !hosts.is_empty() {
        outcomes.extend(missing.into_iter().map(|outcome| outcome.on(&of_domain)));
    }
    for spec in specs {
        let lonely = !spec.has_plugin && hosts.is_empty() && !nodes.is_empty();
        let outside = (lonely && !spec.accounts.is_empty()).then(|| outside(nodes));
        let of_spec = spec.outcomes.into_iter().chain(outside);
        outcomes.extend(of_spec.map(|outcome| outcome.on(&spec.object)));
    }
    // Several credential specs may be of one account, and some lines are of the forest.
    let mut seen: Vec<Outcome> = Vec::new();
    outcomes.retain(|outcome| {
        let new = !of_forest(outcome) || !seen.contains(outcome);
        if new && of_forest(outcome) {
            seen.push(outcome.clone());
        }
        new
    });
    Ok(())
}

/// The computers of nodes, and outcomes for nodes without one.
fn hosts_of(nodes: &[&str], found: Vec<Vec<Principal>>) -> (Vec<Principal>, Vec<Outcome>) {
    let (mut hosts, mut missing) = (Vec::new(), Vec::new());
    for (node, mut computers) in nodes.iter().zip(found) {
        match (computers.pop(), computers.is_empty()) {
            (Some(computer), true) => {
                if !hosts.contains(&computer) {
                    hosts.push(computer);
                }
            }
            (Some(last), false) => {
                computers.push(last);
                let dns: Vec<&str> = computers.iter().map(|one| one.dn.as_str()).collect();
                let words = format!("node {node}: several computers may be it: {}", dns.join("; "));
                missing.push(unknown_node(words));
            }
            (None, _) => missing.push(unknown_node(format!(
                "node {node}: no computer account has this DNS name, or its first label (cut to 15 \
                 characters) as its name, so whether it may read passwords was not checked"
            ))),
        }
    }
    (hosts, missing)
}

fn unknown_node(words: String) -> Outcome {
    Outcome::unknown(&DIRECTORY_RETRIEVAL, words).then(
        "Check it by the name of its computer account: kubectl gmsa account check ACCOUNT --host NAME. A \
         node outside the domain needs a plug-in.",
    )
}

/// A credential spec that this directory knows.
struct Spec<'a> {
    object: String,
    value: &'a Value,
    /// Of this domain.
    accounts: Vec<String>,
    has_plugin: bool,
    /// The outcome of its contents.
    outcomes: Vec<Outcome>,
}

impl<'a> Spec<'a> {
    fn new(value: &'a Value, domain: &DomainFacts) -> Self {
        let object = format!("GMSACredentialSpec {}", text(value, "/metadata/name"));
        let has_plugin =
            value.pointer("/credspec/ActiveDirectoryConfig/HostAccountConfig").is_some();
        let mut spec =
            Self { object, value, accounts: Vec::new(), has_plugin, outcomes: Vec::new() };
        spec.compare(domain);
        spec
    }

    fn has(&self, account: &str) -> bool {
        self.accounts.iter().any(|known| is_same_account(known, account))
    }

    fn compare(&mut self, domain: &DomainFacts) {
        let spec = self.value;
        let of = domain_of(spec);
        if !of.is_empty() && !of.eq_ignore_ascii_case(&domain.dns_name) {
            let words =
                format!("its domain is {of}, and this is the directory of {}", domain.dns_name);
            self.outcomes.push(Outcome::unknown(&DIRECTORY_DOMAIN, words).then(format!(
                "If {of} is right, look there too: --domain {of}, or --dc with one of its controllers"
            )));
            return;
        }
        let differences = domain_differences(spec.get("credspec").unwrap_or(&Value::Null), domain);
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
        self.outcomes.push(says);
        // One name for each, whatever its case and its `$`.
        self.accounts = accounts_in(spec, domain)
            .into_iter()
            .map(|(account, _)| account.trim_end_matches('$').to_owned())
            .collect();
        self.outcomes.extend(elsewhere(spec, domain, &self.accounts));
        if self.accounts.is_empty() {
            self.outcomes.push(Outcome::skipped(&DIRECTORY_ACCOUNT, "it names no account"));
        }
    }
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

/// What `account check` says of the account, line by line; of the hosts in few lines.
fn of_account(survey: &Survey, account: &str, hosts: &[Principal]) -> Vec<Outcome> {
    let object = format!("account {account}");
    let on = |outcome: Outcome| if of_forest(&outcome) { outcome } else { outcome.on(&object) };
    let mut outcomes: Vec<Outcome> =
        survey.checks(account).iter().map(|line| on(outcome(line))).collect();
    outcomes.extend(together(survey.host_checks(account, hosts)).into_iter().map(on));
    outcomes
}

/// Whether it is about the forest, and not about one account.
fn of_forest(outcome: &Outcome) -> bool {
    outcome.check.id == DIRECTORY_ROOT_KEY.id
        && !outcome.message.contains("from which its password is made")
}

/// The lines of many hosts as one for each way in which they came out, with those that are not healthy
/// as evidence.
fn together(lines: Vec<Line>) -> Vec<Outcome> {
    let all = lines.len();
    let mut groups: Vec<Vec<Line>> = Vec::new();
    for line in lines {
        let same = |group: &&mut Vec<Line>| {
            group.first().is_some_and(|one| {
                one.status == line.status
                    && (one.status == CheckStatus::Passed || for_hosts(one) == for_hosts(&line))
            })
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(line),
            None => groups.push(vec![line]),
        }
    }
    groups.into_iter().filter_map(|group| grouped(&group, all)).collect()
}

fn grouped(group: &[Line], all: usize) -> Option<Outcome> {
    let first = group.first()?;
    if group.len() == 1 {
        return Some(outcome(first));
    }
    let one = outcome(&Line { remedy: for_hosts(first), ..first.clone() });
    let count = group.len();
    let what = match first.status {
        CheckStatus::Passed => "may read the password",
        CheckStatus::Unknown => "were not decided",
        CheckStatus::Warning => "may read the password, with a warning",
        CheckStatus::Failed => "do not get the password",
    };
    let message = format!("{}: {count} of {all} nodes {what}", first.id);
    let together = Outcome { message, ..one };
    if first.status == CheckStatus::Passed {
        return Some(together);
    }
    Some(group.iter().map(|line| line.message.clone()).fold(together, Outcome::because))
}

/// The remedy of a line, with HOST in place of the host that it names.
fn for_hosts(line: &Line) -> Option<String> {
    let remedy = line.remedy.as_ref()?;
    let named = remedy.split_once(" --host ").and_then(|(before, after)| {
        let (_, behind) = after.split_once('`')?;
        Some(format!("{before} --host HOST`{behind}"))
    });
    Some(named.unwrap_or_else(|| remedy.clone()))
}

fn outcome(line: &Line) -> Outcome {
    let state = match line.status {
        CheckStatus::Passed => State::Ok,
        CheckStatus::Unknown => State::Unknown,
        CheckStatus::Warning => State::Warning,
        CheckStatus::Failed => State::Problem,
    };
    let outcome = Outcome::new(check_of(line.id), state, format!("{}: {}", line.id, line.message));
    match &line.remedy {
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
        "controller-ports" | "controller-versions" => &DIRECTORY_NETWORK,
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
