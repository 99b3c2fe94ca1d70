//! The contents of a credential spec as types, for making them.
//!
//! The keys are those of Windows' credential spec file; Microsoft's `CredentialSpec` PowerShell
//! module writes the same. All are optional, as in the custom resource's schema.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A credential spec: the value of `credspec` in a `GMSACredentialSpec`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct CredentialSpec {
    /// The accounts, and how a host that is not in the domain gets at them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_directory_config: Option<ActiveDirectoryConfig>,
    /// What the contents are meant for: `ActiveDirectory`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cms_plugins: Option<Vec<String>>,
    /// The domain, and the container's account in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain_join_config: Option<DomainJoinConfig>,
}

/// The accounts, and how a host that is not in the domain gets at them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct ActiveDirectoryConfig {
    /// The group managed service accounts: each account once for each scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_managed_service_accounts: Option<Vec<GroupManagedServiceAccount>>,
    /// How a host that is not in the domain gets at the accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_account_config: Option<HostAccountConfig>,
}

/// One group managed service account in one scope.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct GroupManagedServiceAccount {
    /// The account's SAM name without the `$` at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The account's domain: its DNS name in one entry, its NetBIOS name in another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// How a host that is not in the domain gets at the accounts: a plug-in fetches the credentials of
/// a user that may read their passwords.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct HostAccountConfig {
    /// The class identifier of the plug-in: a GUID in braces.
    #[serde(default, rename = "PluginGUID", skip_serializing_if = "Option::is_none")]
    pub plugin_guid: Option<String>,
    /// The input of the plug-in, in its own format: where the credentials are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin_input: Option<String>,
    /// The version of this section: `1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portable_ccg_version: Option<String>,
}

/// Omits the input of the plug-in, which for some plug-ins is a password.
impl fmt::Debug for HostAccountConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostAccountConfig")
            .field("plugin_guid", &self.plugin_guid)
            .field("plugin_input", &self.plugin_input.as_ref().map(|_| "(hidden)"))
            .field("portable_ccg_version", &self.portable_ccg_version)
            .finish()
    }
}

/// The domain, and the container's account in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct DomainJoinConfig {
    /// The DNS name of the account's domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns_name: Option<String>,
    /// The DNS name of the forest root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns_tree_name: Option<String>,
    /// The `objectGUID` of the domain, without braces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guid: Option<String>,
    /// The account's SAM name without the `$` at its end, at most 15 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine_account_name: Option<String>,
    /// The NetBIOS name of the domain, at most 15 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_bios_name: Option<String>,
    /// The SID of the domain: `S-1-5-21-a-b-c`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}

#[cfg(test)]
mod tests;
