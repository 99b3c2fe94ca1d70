//! Changes of an account: compared with the current values, shown, and made in one operation.

use std::collections::HashSet;
use std::str::FromStr;
use std::time::SystemTime;

use gmsa_core::windows::encryption_types;
use ldap3::Mod;

use super::check::delegation::Delegation;
use super::name::is_dns_name;
use super::{Account, EXPIRES, ldif};
use crate::directory::principals::DISABLED;
use crate::directory::{Change, Directory};
use crate::error::Error;
use crate::time;

const CONTROL: &str = "userAccountControl";
const ENCRYPTION: &str = "msDS-SupportedEncryptionTypes";
const NAMES: &str = "servicePrincipalName";
const HOST_NAME: &str = "dNSHostName";
const DESCRIPTION: &str = "description";

/// The changes; None leaves a value unchanged.
#[derive(Clone, Debug, Default)]
pub struct AccountChange {
    /// The bits of the encryptions that it supports (MS-KILE, section 2.2.7).
    pub encryption_types: Option<i64>,
    /// Names of services that it gets.
    pub add_service_principal_names: Vec<String>,
    /// Service principal names to remove.
    pub remove_service_principal_names: Vec<String>,
    /// The DNS name under which its services are known.
    pub dns_host_name: Option<String>,
    /// What it is for; empty to remove it.
    pub description: Option<String>,
    /// Whether it can be used.
    pub enabled: Option<bool>,
    /// Until when it can be used.
    pub expires: Option<Expiry>,
    /// The kinds of delegation that are taken from it.
    pub end_delegation: Vec<Delegation>,
}

/// Until when an account can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// For ever.
    Never,
    /// Until this moment.
    At(SystemTime),
}

/// A text that is neither `never` nor a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write never, or a day such as 2027-01-31: the account expires as that day begins, in UTC")]
pub struct NoExpiry;

impl FromStr for Expiry {
    type Err = NoExpiry;

    fn from_str(text: &str) -> Result<Self, NoExpiry> {
        if text == "never" {
            return Ok(Self::Never);
        }
        time::start_of(text).map(Self::At).ok_or(NoExpiry)
    }
}

impl Expiry {
    /// As `accountExpires` holds it.
    fn value(self) -> i64 {
        match self {
            Self::Never => i64::MAX,
            Self::At(moment) => time::to_filetime(moment),
        }
    }
}

/// A change that can be made.
#[derive(Clone, Debug)]
pub struct PlannedChange {
    /// The distinguished name.
    pub dn: String,
    /// What changes, as attribute, value before and value after, in words.
    pub differences: Vec<(&'static str, String, String)>,
    /// Changes that work, but have an effect on other accounts or are not recommended.
    pub warnings: Vec<String>,
    steps: Vec<Step>,
    names: Vec<String>,
}

/// One attribute: values that go, and values that come.
#[derive(Clone, Debug)]
struct Step {
    attribute: &'static str,
    gone: Vec<String>,
    new: Vec<String>,
}

impl PlannedChange {
    /// The same as input for `ldapmodify` (RFC 2849).
    #[must_use]
    pub fn ldif(&self) -> String {
        let bytes =
            |values: &[String]| values.iter().map(|value| value.as_bytes().to_vec()).collect();
        let mut steps: Vec<ldif::Step<'_>> = Vec::new();
        for step in &self.steps {
            if !step.gone.is_empty() {
                steps.push(("delete", step.attribute, bytes(&step.gone)));
            }
            if !step.new.is_empty() {
                steps.push(("add", step.attribute, bytes(&step.new)));
            }
        }
        ldif::modify(&self.dn, &steps)
    }
}

impl Directory {
    /// Compares the wanted settings with the account; the error lists every problem.
    pub async fn plan_change(
        &self,
        name: &str,
        wish: &AccountChange,
    ) -> Result<PlannedChange, Error> {
        let account = self.managed_account(name).await?;
        let mut plan = PlannedChange {
            dn: account.dn.clone(),
            differences: Vec::new(),
            warnings: Vec::new(),
            steps: Vec::new(),
            names: wish.add_service_principal_names.clone(),
        };
        let mut problems = Vec::new();
        if let Some(types) = wish.encryption_types {
            let before = account.encryption_types;
            let judged = encryption_types::judge(Some(types));
            if judged.standing > encryption_types::Standing::Good {
                plan.warnings.push(judged.message);
            }
            if before != Some(types) {
                let shown = encryption_types::shown;
                plan.differences.push((ENCRYPTION, shown(before), shown(Some(types))));
                plan.replace(ENCRYPTION, before.map(|types| types.to_string()), types.to_string());
            }
        }
        if wish.enabled.is_some() || !wish.end_delegation.is_empty() {
            match account.control {
                None => problems.push(format!("{CONTROL} is not shown to {}", self.user())),
                Some(control) => plan.control(control, wish.enabled, &wish.end_delegation),
            }
        }
        if let Some(expires) = wish.expires {
            plan.expire(&account, expires);
        }
        if let Some(host_name) = &wish.dns_host_name {
            if !is_dns_name(host_name) {
                problems.push(format!("{host_name} is not a full DNS name of a host"));
            }
            plan.text(HOST_NAME, account.dns_host_name.as_ref(), host_name);
        }
        if let Some(description) = &wish.description {
            plan.text(DESCRIPTION, account.description.as_ref(), description);
        }
        problems.extend(self.plan_names(&account, wish, &mut plan).await?);
        if problems.is_empty() {
            return Ok(plan);
        }
        Err(Error::Refused { what: format!("change the account {}", account.name), problems })
    }

    /// Plans the service principal names, and returns the obstacles.
    async fn plan_names(
        &self,
        account: &Account,
        wish: &AccountChange,
        plan: &mut PlannedChange,
    ) -> Result<Vec<String>, Error> {
        let mut problems = Vec::new();
        let has = &account.service_principal_names;
        let mut gone: Vec<String> = Vec::new();
        for name in &wish.remove_service_principal_names {
            // As it is stored: one that is there in another case is meant, too.
            let exact = has.iter().find(|known| *known == name);
            match exact.or_else(|| has.iter().find(|known| known.eq_ignore_ascii_case(name))) {
                Some(known) if gone.contains(known) => {}
                Some(known) => gone.push(known.clone()),
                None => problems.push(format!("it does not have {name}")),
            }
        }
        let new: Vec<String> = wish
            .add_service_principal_names
            .iter()
            .filter(|name| !has.iter().any(|known| known.eq_ignore_ascii_case(name)))
            .cloned()
            .collect();
        let (taken, warnings) = self.judge_service_names(&new, &[], Some(&account.dn)).await?;
        problems.extend(taken);
        plan.warnings.extend(warnings);
        let none = || "-".to_owned();
        plan.differences.extend(gone.iter().map(|name| (NAMES, name.clone(), none())));
        plan.differences.extend(new.iter().map(|name| (NAMES, none(), name.clone())));
        if !gone.is_empty() || !new.is_empty() {
            plan.steps.push(Step { attribute: NAMES, gone, new });
        }
        Ok(problems)
    }

    /// Makes a planned change: all of it, or nothing, and nothing if a value to replace has changed since.
    pub async fn make_change(&self, plan: &PlannedChange) -> Result<(), Error> {
        let changes = plan.changes(None);
        if changes.is_empty() {
            return Ok(());
        }
        let what = format!("change {}", plan.dn);
        let mut done = self.modify(&plan.dn, changes, &what).await;
        if plan.takes_names() && matches!(done, Err(Error::Operation { code: COLLISION, .. })) {
            // Samba 4.22 looks for the accounts that have a name also where the name goes, so that one
            // that two accounts have cannot be taken from either; all names anew are looked at as such.
            // Those are read again: one may have come since the change was planned.
            let now = self.object(&plan.dn, &[NAMES]).await?;
            let names = now.map(|entry| entry.texts(NAMES)).unwrap_or_default();
            done = self.modify(&plan.dn, plan.changes(Some(&names)), &what).await;
        }
        self.naming_holders(done, &plan.names, Some(&plan.dn)).await
    }
}

/// The result of LDAP for a value that is not allowed (RFC 4511, appendix A): constraintViolation.
const COLLISION: u32 = 19;

impl PlannedChange {
    /// Whether service principal names go.
    fn takes_names(&self) -> bool {
        self.steps.iter().any(|step| step.attribute == NAMES && !step.gone.is_empty())
    }

    /// The change as LDAP has it; with the service principal names as single values that go and come, or
    /// all of them anew, made of those that it has now.
    fn changes(&self, names: Option<&[String]>) -> Vec<Change> {
        let values = |values: &[String]| -> HashSet<Vec<u8>> {
            values.iter().map(|value| value.as_bytes().to_vec()).collect()
        };
        let mut changes: Vec<Change> = Vec::new();
        for step in &self.steps {
            let attribute = step.attribute.as_bytes().to_vec();
            if let Some(names) = names.filter(|_| step.attribute == NAMES) {
                let kept = names.iter().filter(|name| !step.gone.contains(name)).cloned();
                let all: Vec<String> = kept.chain(step.new.iter().cloned()).collect();
                changes.push(Mod::Replace(attribute, values(&all)));
                continue;
            }
            if !step.gone.is_empty() {
                changes.push(Mod::Delete(attribute.clone(), values(&step.gone)));
            }
            if !step.new.is_empty() {
                changes.push(Mod::Add(attribute, values(&step.new)));
            }
        }
        changes
    }
}

impl PlannedChange {
    fn expire(&mut self, account: &Account, expires: Expiry) {
        let never = |value: &i64| *value == 0 || *value == i64::MAX;
        let before = account.expires_value;
        let is_same = match expires {
            Expiry::Never => before.as_ref().is_some_and(never),
            Expiry::At(_) => before == Some(expires.value()),
        };
        if is_same {
            return;
        }
        let after = match expires {
            Expiry::Never => "never".to_owned(),
            Expiry::At(moment) => time::day(moment),
        };
        if let Expiry::At(moment) = expires
            && moment <= SystemTime::now()
        {
            self.warnings.push(format!(
                "{after} has begun: from now on the account gets no Kerberos tickets"
            ));
        }
        let never_or_absent = if before.is_some() { "never" } else { "-" };
        let was = account.expires.map_or_else(|| never_or_absent.to_owned(), time::day);
        self.differences.push((EXPIRES, was, after));
        self.replace(EXPIRES, before.map(|value| value.to_string()), expires.value().to_string());
    }

    fn replace(&mut self, attribute: &'static str, before: Option<String>, after: String) {
        let gone = before.into_iter().collect();
        self.steps.push(Step { attribute, gone, new: vec![after] });
    }

    /// A text with one value; an empty one is removed.
    fn text(&mut self, attribute: &'static str, before: Option<&String>, after: &str) {
        if before.map_or("", String::as_str) == after {
            return;
        }
        let shown = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
        let was = before.map_or_else(|| shown(""), |before| shown(before));
        self.differences.push((attribute, was, shown(after)));
        let new = if after.is_empty() { Vec::new() } else { vec![after.to_owned()] };
        self.steps.push(Step { attribute, gone: before.into_iter().cloned().collect(), new });
    }

    fn control(&mut self, control: i64, enabled: Option<bool>, end: &[Delegation]) {
        let mut after = match enabled {
            None => control,
            Some(true) => control & !DISABLED,
            Some(false) => control | DISABLED,
        };
        for kind in end {
            after &= !kind.flag();
        }
        if after != control {
            let shown = |bits: i64| {
                let mut words = vec![if bits & DISABLED == 0 { "enabled" } else { "disabled" }];
                let of = |kind: &&Delegation| bits & kind.flag() != 0;
                words.extend(Delegation::ALL.iter().filter(of).map(|kind| kind.shown()));
                format!("{bits} ({})", words.join(", "))
            };
            self.differences.push((CONTROL, shown(control), shown(after)));
            self.replace(CONTROL, Some(control.to_string()), after.to_string());
        }
    }
}
