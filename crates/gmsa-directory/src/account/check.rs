//! Whether an account is fit for use by containers.

use super::{Account, name};
use crate::directory::Directory;
use crate::error::Error;
use crate::facts::{Principal, PrincipalKind};

/// AES-128 and AES-256 (MS-KILE, section 2.2.7).
const AES: i64 = 0x18;

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
    /// The word for it in every output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Failed => "failed",
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
    fn passed(id: &'static str, message: String) -> Self {
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

impl Directory {
    /// Looks at everything that keeps containers from using an account, and whether hosts may read
    /// its password.
    pub async fn check(&self, name: &str, hosts: &[Principal]) -> Result<Vec<Check>, Error> {
        let mut checks = Vec::new();
        checks.extend(self.root_key_problem().await?.map(|problem| {
            let remedy = "wait, or make a key with an earlier start in a test forest";
            Check::not_passed("kds-root-key", CheckStatus::Failed, problem, remedy)
        }));
        let Some(account) = self.account(name).await? else {
            let message = format!("{name}$ does not exist, or {} may not see it", self.user());
            let remedy = "make it with `kubectl gmsa account create`, or correct the name";
            checks.push(Check::not_passed("exists", CheckStatus::Failed, message, remedy));
            return Ok(checks);
        };
        checks.push(Check::passed("exists", format!("it is {}", account.dn)));
        checks.extend(of_account(&account));
        if !account.is_group_managed {
            return Ok(checks);
        }
        for spn in &account.service_principal_names {
            if let Some(owner) = self.spn_owner(spn, Some(&account.dn)).await? {
                checks.push(Check::not_passed(
                    "spn-unique",
                    CheckStatus::Failed,
                    format!("the service principal name {spn} is that of {owner} too"),
                    "take it from one of them: Kerberos gives tickets to neither",
                ));
            }
        }
        checks.push(self.check_allowed(&account).await?);
        for host in hosts {
            checks.push(self.check_host(&account, host).await?);
        }
        Ok(checks)
    }

    /// Who may read the password.
    async fn check_allowed(&self, account: &Account) -> Result<Check, Error> {
        let mut names = Vec::new();
        let mut gone = 0;
        if let Some(descriptor) = &account.membership {
            if descriptor.dacl.is_none() {
                return Ok(Check::not_passed(
                    "retrieval",
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
        let message = if names.is_empty() {
            "nobody may read the password".to_owned()
        } else {
            format!("the password may be read by {}", names.join(", "))
        };
        Ok(if names.len() > gone {
            Check::passed("retrieval", message)
        } else {
            let remedy = "allow the hosts with `kubectl gmsa account allow`; for hosts outside the \
                          domain allow the user whose credentials their plug-in holds";
            Check::not_passed("retrieval", CheckStatus::Warning, message, remedy)
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

/// What can be seen of the account alone.
fn of_account(account: &Account) -> Vec<Check> {
    let class = Check::when(
        account.is_group_managed,
        "class",
        CheckStatus::Failed,
        if account.is_group_managed {
            "it is a group managed service account".to_owned()
        } else {
            "it is no group managed service account".to_owned()
        },
        "make one under another name: an account cannot be turned into one",
    );
    if !account.is_group_managed {
        return vec![class];
    }
    let named = name::valid_name(&account.name);
    let enabled = if account.enabled { "it is enabled" } else { "it is disabled" };
    let host_name = account.dns_host_name.as_deref();
    let aes = account.encryption_types.is_some_and(|types| types & AES != 0);
    vec![
        class,
        Check::when(
            named.is_ok(),
            "name",
            CheckStatus::Failed,
            named.map_or_else(
                |problem| problem.to_string(),
                |name| format!("the name {name} has at most 15 characters"),
            ),
            "make an account with a shorter name",
        ),
        Check::when(
            account.enabled,
            "enabled",
            CheckStatus::Failed,
            enabled.to_owned(),
            "enable it (Enable-ADAccount)",
        ),
        Check::when(
            host_name.is_some(),
            "dns-host-name",
            CheckStatus::Warning,
            format!("its DNS name is {}", host_name.unwrap_or("not set")),
            "set dNSHostName (Set-ADServiceAccount -DNSHostName)",
        ),
        Check::when(
            aes,
            "encryption",
            CheckStatus::Warning,
            if aes { "it supports AES" } else { "it does not say that it supports AES" }.to_owned(),
            "set msDS-SupportedEncryptionTypes to 24, or to 28 where RC4 is needed still",
        ),
    ]
}
