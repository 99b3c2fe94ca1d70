//! A credential spec made from the facts of a domain, or compared with them.

use serde_json::Value;

use super::model::{
    ActiveDirectoryConfig, CredentialSpec, DomainJoinConfig, GroupManagedServiceAccount,
    HostAccountConfig,
};
use crate::finding::{Code, Finding};

/// The facts about a domain in a credential spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainFacts {
    /// The SID, `S-1-5-21-a-b-c`.
    pub sid: String,
    /// The `objectGUID`, without braces.
    pub guid: String,
    /// The DNS name.
    pub dns_name: String,
    /// The DNS name of the forest root.
    pub forest: String,
    /// The NetBIOS name.
    pub netbios_name: String,
}

/// What a credential spec is made from.
#[derive(Clone, Debug)]
pub struct Recipe<'a> {
    /// The container's account, with or without `$`.
    pub account: &'a str,
    /// Further accounts that the container may use.
    pub additional_accounts: &'a [String],
    /// Their domain.
    pub domain: &'a DomainFacts,
    /// The plug-in of hosts that are not in the domain: its class identifier without braces, and
    /// its input.
    pub plugin: Option<(&'a str, &'a str)>,
}

impl Recipe<'_> {
    /// Makes the credential spec: each account with both names of the domain.
    #[must_use]
    pub fn make(&self) -> CredentialSpec {
        let domain = self.domain;
        let accounts = std::iter::once(self.account)
            .chain(self.additional_accounts.iter().map(String::as_str))
            .flat_map(|account| {
                [&domain.netbios_name, &domain.dns_name].map(|scope| GroupManagedServiceAccount {
                    name: Some(bare(account).to_owned()),
                    scope: Some(scope.clone()),
                })
            });
        let host = self.plugin.map(|(guid, input)| HostAccountConfig {
            plugin_guid: Some(format!("{{{}}}", guid.to_ascii_uppercase())),
            plugin_input: Some(input.to_owned()),
            portable_ccg_version: Some("1".to_owned()),
        });
        CredentialSpec {
            active_directory_config: Some(ActiveDirectoryConfig {
                group_managed_service_accounts: Some(accounts.collect()),
                host_account_config: host,
            }),
            cms_plugins: Some(vec!["ActiveDirectory".to_owned()]),
            domain_join_config: Some(DomainJoinConfig {
                dns_name: Some(domain.dns_name.clone()),
                dns_tree_name: Some(domain.forest.clone()),
                guid: Some(domain.guid.to_ascii_lowercase()),
                machine_account_name: Some(bare(self.account).to_owned()),
                net_bios_name: Some(domain.netbios_name.clone()),
                sid: Some(domain.sid.to_ascii_uppercase()),
            }),
        }
    }
}

/// The name without the `$` of a SAM name.
fn bare(account: &str) -> &str {
    account.strip_suffix('$').unwrap_or(account)
}

/// Where a credential spec's contents differ from the facts about their domain.
#[must_use]
pub fn domain_differences(contents: &Value, domain: &DomainFacts) -> Vec<Finding> {
    let facts = [
        ("Sid", &domain.sid),
        ("Guid", &domain.guid),
        ("DnsName", &domain.dns_name),
        ("DnsTreeName", &domain.forest),
        ("NetBiosName", &domain.netbios_name),
    ];
    let said = |key| contents.get("DomainJoinConfig")?.get(key)?.as_str();
    facts
        .into_iter()
        .filter_map(|(key, fact)| {
            let said = said(key)?;
            (!said.eq_ignore_ascii_case(fact)).then(|| Finding {
                code: Code::DomainFactWrong,
                message: format!(
                    "{key} is {}, but in the directory it is {fact}",
                    super::path::quoted(said)
                ),
                path: Some(format!("credspec.DomainJoinConfig.{key}")),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
