//! Whether an account is fit for use by containers.

pub(super) mod attributes;
mod controllers;
pub(super) mod delegation;
pub(super) mod hosts;
pub(super) mod retrieval;
pub(super) mod service_names;

use crate::directory::Directory;
use crate::directory::principals::Principal;
use crate::error::Error;

/// The names of all checks, in kebab case.
pub const CHECKS: [&str; 20] = [
    "kds-root-key",
    "exists",
    "class",
    "name",
    "enabled",
    "dns-host-name",
    "encryption",
    "password-interval",
    "spn-unique",
    "spn-alias",
    "delegation",
    "retrieval",
    "host-may-retrieve",
    "service-name",
    "clock",
    "controller-versions",
    "dns-records",
    "dns-transport",
    "dns-addresses",
    "controller-ports",
];

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckStatus {
    /// Nothing to do.
    Passed,
    /// It could not be determined.
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

/// How many entries of a descriptor are looked up by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Those that a line has room for, and those that decide for a host.
    Summary,
    /// All: thousands of single entries take seconds.
    Full,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name, in kebab case.
    pub id: &'static str,
    /// How it came out.
    pub status: CheckStatus,
    /// What was found.
    pub message: String,
    /// What to do, if something is to be done.
    pub remedy: Option<String>,
    /// More than the message has room for, line by line.
    pub details: Vec<String>,
}

impl Check {
    /// A check that came out well.
    #[must_use]
    pub const fn passed(id: &'static str, message: String) -> Self {
        let details = Vec::new();
        Self { id, status: CheckStatus::Passed, message, remedy: None, details }
    }

    /// A check that came out otherwise.
    #[must_use]
    pub fn not_passed(
        id: &'static str,
        status: CheckStatus,
        message: String,
        remedy: impl Into<String>,
    ) -> Self {
        Self { id, status, message, remedy: Some(remedy.into()), details: Vec::new() }
    }

    /// With something to do, though it came out well.
    #[must_use]
    fn advising(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    fn when(
        good: bool,
        id: &'static str,
        status: CheckStatus,
        message: String,
        remedy: impl Into<String>,
    ) -> Self {
        if good { Self::passed(id, message) } else { Self::not_passed(id, status, message, remedy) }
    }
}

/// Checks everything that can prevent containers from using an account: the account, whether hosts may
/// read its password, whether Kerberos works for the names of its services, and the domain's controllers
/// as they are seen from here.
pub async fn check(
    directory: &Directory,
    name: &str,
    hosts: &[Principal],
    services: &[String],
    detail: Detail,
) -> Result<Vec<Check>, Error> {
    let names = [name];
    let (survey, controllers) = tokio::join!(
        directory.survey(&names, hosts, services, detail),
        directory.check_controllers()
    );
    let survey = survey?;
    let mut checks = survey.checks(name);
    checks.extend(survey.host_checks(name, hosts));
    checks.extend(survey.service_checks(name, services));
    checks.extend(controllers?);
    Ok(checks)
}

impl Directory {
    /// Checks an account in the directory, and whether hosts may read its password.
    pub async fn check(&self, name: &str, hosts: &[Principal]) -> Result<Vec<Check>, Error> {
        let survey = self.survey(&[name], hosts, &[], Detail::Full).await?;
        let mut checks = survey.checks(name);
        checks.extend(survey.host_checks(name, hosts));
        Ok(checks)
    }
}

#[cfg(test)]
mod tests;
