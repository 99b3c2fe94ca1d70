//! Credential specs against the directory of their domain.

use std::collections::BTreeSet;

use gmsa_core::credspec::{DomainFacts, domain_differences};
use gmsa_core::finding::{Code, Finding};
use gmsa_core::windows::encryption_types::{self, Standing};
use gmsa_directory::account::{Account, Detail, Survey};
use gmsa_directory::{Directory, Error};
use serde_json::Value;

use crate::connect::directory;
use crate::credential_spec::{accounts_in, name_of, text};
use crate::output::printer;

/// Compares credential specs with the directory: the facts of the domain and each account. One list of
/// findings for each; those of another domain have none, and are named.
pub async fn compare(
    directory: &Directory,
    objects: &[&Value],
) -> Result<Vec<Vec<Finding>>, Error> {
    let domain = directory::facts(&directory.domain().await?);
    let mine: Vec<bool> = objects.iter().map(|object| is_of(object, &domain)).collect();
    let names: BTreeSet<String> = objects
        .iter()
        .zip(&mine)
        .filter(|(_, mine)| **mine)
        .flat_map(|(object, _)| accounts_in(object, &domain))
        .map(|(account, _)| account)
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let survey = directory.survey(&names, &[], &[], Detail::Summary).await?;
    let of = |(object, mine): (&&Value, bool)| {
        if mine {
            return of_spec(object, &domain, &survey);
        }
        printer::note(&format!(
            "{}: not compared with {}, because its domain is another",
            name_of(object),
            domain.dns_name
        ));
        Vec::new()
    };
    Ok(objects.iter().zip(mine).map(of).collect())
}

fn is_of(object: &Value, domain: &DomainFacts) -> bool {
    let of = text(object, "/DomainJoinConfig/DnsName");
    of.is_none_or(|of| of.eq_ignore_ascii_case(&domain.dns_name))
}

fn of_spec(object: &Value, domain: &DomainFacts, survey: &Survey) -> Vec<Finding> {
    let Some(contents) = object.get("credspec") else { return Vec::new() };
    let mut findings = domain_differences(contents, domain);
    for (name, path) in accounts_in(object, domain) {
        let found = survey.account(&name);
        let finding = match unusable(&name, found) {
            Some(message) => Some((Code::AccountUnusable, message)),
            None => found.and_then(encryption),
        };
        findings.extend(finding.map(|(code, message)| Finding { code, message, path: Some(path) }));
    }
    if let Some(problem) = survey.root_key_problem() {
        findings.push(Finding {
            code: Code::AccountUnusable,
            message: format!("no account has a password: {problem}"),
            path: None,
        });
    }
    findings
}

/// Why an account cannot be used, if it cannot.
pub fn unusable(name: &str, account: Option<&Account>) -> Option<String> {
    let why = match account {
        None => "does not exist, or cannot be seen".to_owned(),
        Some(found) if !found.is_group_managed => {
            let kind = found.other_kind.map(|kind| format!(", but {kind}")).unwrap_or_default();
            format!("is not a group managed service account{kind}")
        }
        Some(found) if !found.enabled => "is disabled".to_owned(),
        Some(found) => format!("expired on {}", found.expired()?),
    };
    Some(format!("the account {name} {why}; see `kubectl gmsa account check {name}`"))
}

/// The finding about the encryption types of an account, if any.
fn encryption(account: &Account) -> Option<(Code, String)> {
    let judged = encryption_types::judge(account.encryption_types);
    let code = match judged.standing {
        Standing::Good => return None,
        Standing::Information => Code::AccountEncryptionDefault,
        Standing::Warning => Code::AccountEncryptionUnclear,
        Standing::Problem => Code::AccountRc4Only,
    };
    Some((code, format!("the account {}: {}", account.name, judged.message)))
}
