//! Whether an account is fit for use by containers.

mod attributes;
mod controllers;
mod delegation;

use super::Account;
use super::root_key::RootKeys;
use crate::directory::Directory;
use crate::error::Error;
use crate::facts::{Principal, PrincipalKind};
use crate::security_descriptor::SecurityDescriptor;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckStatus {
    /// As it should be.
    Passed,
    /// It could not be found out.
    Unknown,
    /// Likely to cause trouble.
    Warning,
    /// Will not work.
    Failed,
}

impl CheckStatus {
    /// The word for it in every output: that of the doctor.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "ok",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Failed => "problem",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name, in kebab case.
    pub id: &'static str,
    /// How it came out.
    pub status: CheckStatus,
    /// What was found.
    pub message: String,
    /// What to do, if something is to be done.
    pub remedy: Option<&'static str>,
}

impl Check {
    /// A check that came out well.
    #[must_use]
    pub const fn passed(id: &'static str, message: String) -> Self {
        Self { id, status: CheckStatus::Passed, message, remedy: None }
    }

    /// A check that came out otherwise.
    #[must_use]
    pub const fn not_passed(
        id: &'static str,
        status: CheckStatus,
        message: String,
        remedy: &'static str,
    ) -> Self {
        Self { id, status, message, remedy: Some(remedy) }
    }

    fn when(
        good: bool,
        id: &'static str,
        status: CheckStatus,
        message: String,
        remedy: &'static str,
    ) -> Self {
        if good { Self::passed(id, message) } else { Self::not_passed(id, status, message, remedy) }
    }
}

/// Looks at everything that keeps containers from using an account: the account, whether hosts may
/// read its password, and the domain's controllers as they are seen from here.
pub async fn check(
    directory: &Directory,
    name: &str,
    hosts: &[Principal],
) -> Result<Vec<Check>, Error> {
    let (account, controllers) =
        tokio::join!(directory.check(name, hosts), directory.check_controllers());
    let mut checks = account?;
    checks.extend(controllers?);
    Ok(checks)
}

impl Directory {
    /// Looks at what the directory holds of an account, and whether hosts may read its password.
    pub async fn check(&self, name: &str, hosts: &[Principal]) -> Result<Vec<Check>, Error> {
        let mut checks = vec![self.root_keys().await?.check(self.user())];
        let Some(account) = self.account(name).await? else {
            let name = name.trim_end_matches('$');
            let message = format!("{name}$ does not exist, or {} may not see it", self.user());
            let remedy = "make it with `kubectl gmsa account create`, or correct the name";
            checks.push(Check::not_passed("exists", CheckStatus::Failed, message, remedy));
            return Ok(checks);
        };
        checks.push(Check::passed("exists", format!("it is {}", account.dn)));
        checks.push(attributes::class(&account));
        if !account.is_group_managed {
            return Ok(checks);
        }
        checks.extend(attributes::of(&account));
        checks.extend(self.check_service_names(&account).await?);
        checks.push(self.check_delegation(&account).await?);
        checks.push(self.check_allowed(&account).await?);
        for host in hosts {
            checks.push(self.check_host(&account, host).await?);
        }
        Ok(checks)
    }

    /// Whether its service principal names are its alone, in its domain.
    async fn check_service_names(&self, account: &Account) -> Result<Vec<Check>, Error> {
        const ID: &str = "spn-unique";
        let names = &account.service_principal_names;
        let mut shared = Vec::new();
        for name in names {
            if let Some(owner) = self.spn_owner(name, Some(&account.dn)).await? {
                shared.push(Check::not_passed(
                    ID,
                    CheckStatus::Failed,
                    format!("the service principal name {name} is that of {owner} too"),
                    "take it from one of them: Kerberos gives tickets to neither",
                ));
            }
        }
        if shared.is_empty() {
            let message = if names.is_empty() {
                "it has no service principal names".to_owned()
            } else {
                format!("no other account of the domain has {}", names.join(", "))
            };
            shared.push(Check::passed(ID, message));
        }
        Ok(shared)
    }

    /// Who may read the password.
    async fn check_allowed(&self, account: &Account) -> Result<Check, Error> {
        const ID: &str = "retrieval";
        let mut names = Vec::new();
        let mut gone = 0;
        if let Some(descriptor) = &account.membership {
            if descriptor.dacl.is_none() {
                return Ok(Check::not_passed(
                    ID,
                    CheckStatus::Warning,
                    "everyone may read the password".to_owned(),
                    "allow the hosts, or a group of them, and nobody else",
                ));
            }
            for sid in descriptor.allowed() {
                let principal = self.principal_of(sid).await?;
                gone += usize::from(principal.is_none());
                names.push(principal.map_or_else(|| sid.to_string(), |principal| principal.name));
            }
        }
        let mut message = if names.is_empty() {
            "nobody may read the password".to_owned()
        } else {
            format!("the password may be read by {}", names.join(", "))
        };
        let others =
            account.membership.as_ref().map(SecurityDescriptor::others).unwrap_or_default();
        if !others.is_empty() {
            message.push_str(&format!("; there are other entries, too: {others}"));
        }
        Ok(if names.len() > gone {
            Check::passed(ID, message)
        } else {
            let remedy = "allow the hosts with `kubectl gmsa account allow`; for hosts outside the \
                          domain allow the user whose credentials their plug-in holds";
            Check::not_passed(ID, CheckStatus::Warning, message, remedy)
        })
    }

    /// Whether a host may, by itself or by a group.
    async fn check_host(&self, account: &Account, host: &Principal) -> Result<Check, Error> {
        let sids = self.sids_of(host).await?;
        let allowed =
            account.membership.as_ref().is_some_and(|descriptor| descriptor.allows(&sids));
        let message =
            format!("{} {} read the password", host.name, if allowed { "may" } else { "may not" });
        let remedy = match host.kind {
            PrincipalKind::Computer => {
                "allow it with `kubectl gmsa account allow`; a host that joined an allowed group must \
                 restart first"
            }
            _ => "allow it with `kubectl gmsa account allow`",
        };
        Ok(Check::when(allowed, "host-may-retrieve", CheckStatus::Failed, message, remedy))
    }
}

impl RootKeys {
    /// What that means for an account. `user` is who looked.
    fn check(&self, user: &str) -> Check {
        const ID: &str = "kds-root-key";
        match (self, self.problem()) {
            (Self::Hidden, _) => Check::not_passed(
                ID,
                CheckStatus::Unknown,
                format!("{user} is shown no KDS root key, which says nothing: few may see one"),
                "look as an administrator of the forest, or with Get-KdsRootKey on a controller",
            ),
            (_, Some(problem)) => Check::not_passed(
                ID,
                CheckStatus::Failed,
                problem,
                "until then no password can be made, nor read",
            ),
            (_, None) => Check::passed(ID, "the forest has a KDS root key in use".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests;
