//! Who may read an account's password: judged, and changed.

use std::collections::HashSet;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use ldap3::Mod;

use super::{Account, MEMBERSHIP, MEMBERSHIP_GUID};
use crate::directory::principals::{Principal, Principals, distinct};
use crate::directory::{Change, Directory};
use crate::error::Error;
use crate::security_descriptor::{Access, SecurityDescriptor, Token};
use crate::sid::Sid;

/// When a change is tried anew while others change the same attribute.
const TRIES: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(10))
    .with_max_delay(Duration::from_millis(125))
    .with_jitter()
    .with_max_times(50);
/// LDAP results: the value that was to go is not there; a value is there already.
const CHANGED_MEANWHILE: [u32; 2] = [16, 20];

/// Whether a principal may read the password, as a controller decides it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    /// None if it is not known.
    pub may: Option<bool>,
    /// By or because of what, such as `by the group webhosts`; empty if its own entry allows it.
    pub why: String,
    /// The group by which it may, unless by an entry of its own.
    pub group: Option<Group>,
    /// Why it cannot use the right that it has: its account is disabled or has expired.
    pub but: Option<String>,
}

/// A group that gives a right to its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Whether it has every account of the domain, or everyone, so that none can be taken out of it.
    pub is_everyone: bool,
}

impl Right {
    /// The right in words: `WEBHOST1$ may read the password (by webhosts)`.
    #[must_use]
    pub fn sentence(&self, name: &str, still: bool) -> String {
        let mut text = match self.may {
            Some(true) if still => format!("{name} may still read the password"),
            Some(true) => format!("{name} may read the password"),
            Some(false) => format!("{name} may not read the password"),
            None => format!("whether {name} may read the password is not known"),
        };
        if !self.why.is_empty() {
            text.push_str(": ");
            text.push_str(&self.why);
        }
        if let Some(but) = &self.but {
            text.push_str("; its account ");
            text.push_str(but);
            text.push_str(", so it cannot log on");
        }
        text
    }
}

/// What a change did to one principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// Whose right was to change.
    pub principal: Principal,
    /// Whether an entry of it changed.
    pub changed: bool,
    /// The state afterwards.
    pub right: Right,
}

/// What is known of an account's descriptor.
#[derive(Clone, Copy, Debug)]
pub(super) enum Membership<'a> {
    /// It is this one.
    Known(&'a SecurityDescriptor),
    /// There is none, so nobody may.
    Absent,
    /// It is not shown, or there is none.
    NotShown,
    /// It is none that can be read.
    Unreadable(&'a str),
}

impl Account {
    /// `absence_known`: a descriptor that is not shown does not exist.
    pub(super) fn membership(&self, absence_known: bool) -> Membership<'_> {
        match (&self.membership, &self.membership_problem) {
            (Some(descriptor), _) => Membership::Known(descriptor),
            (None, Some(problem)) => Membership::Unreadable(problem),
            (None, None) if absence_known => Membership::Absent,
            (None, None) => Membership::NotShown,
        }
    }
}

/// Judges the right of a principal. `names` are those of the SIDs in the descriptor, `user` is who looks.
pub(super) fn right(
    membership: Membership<'_>,
    principal: &Principal,
    token: &Token,
    names: &Principals,
    user: &str,
) -> Right {
    let name = |sid: &Sid| names.name(sid);
    let mut group = None;
    let (may, why) = match membership {
        Membership::Known(descriptor) => match descriptor.access(token) {
            Access::Granted(Some(sid)) if *sid == principal.sid => (Some(true), String::new()),
            Access::Granted(Some(sid)) => {
                group = Some(Group { name: name(sid), is_everyone: sid.is_too_wide() });
                (Some(true), format!("by the group {}", name(sid)))
            }
            Access::Granted(None) => {
                (Some(true), "the descriptor has a null list, which lets everyone".to_owned())
            }
            Access::Denied(sid) if *sid == principal.sid => {
                (Some(false), "an entry denies it".to_owned())
            }
            Access::Denied(sid) => {
                (Some(false), format!("an entry denies it to the group {}", name(sid)))
            }
            Access::NotListed => (Some(false), String::new()),
            Access::NoList => (
                Some(false),
                "the descriptor has no list of entries (seen with Samba 4.22; Windows was not tried)"
                    .to_owned(),
            ),
            Access::Unknown(sid) if sid.depends_on_logon() => (
                None,
                format!("an entry is for {}, which depends on how it logs on", name(sid)),
            ),
            Access::Unknown(sid) if *sid == principal.sid || token.is_complete() => {
                (None, format!("an entry for {} has a condition", name(sid)))
            }
            Access::Unknown(sid) => (
                None,
                format!(
                    "an entry is for {}, and the groups of {} are not shown to {user}",
                    name(sid),
                    principal.name
                ),
            ),
        },
        Membership::Absent => (Some(false), String::new()),
        Membership::NotShown => {
            (None, format!("who may is not shown to {user}, or no principal may"))
        }
        Membership::Unreadable(problem) => {
            (None, format!("{MEMBERSHIP} cannot be read: {problem}"))
        }
    };
    let but = principal.locked_out().filter(|_| may == Some(true));
    Right { may, why, group, but }
}

impl Directory {
    /// Lets principals read the password of an account, and returns the state of each afterwards. All
    /// other entries stay as they are, and changes that others make at the same time are kept.
    pub async fn allow(
        &self,
        name: &str,
        principals: &[Principal],
        dry_run: bool,
    ) -> Result<Vec<Effect>, Error> {
        self.change(name, principals, dry_run, SecurityDescriptor::allow).await
    }

    /// Revokes the right to read the password from principals, and returns the state of each afterwards:
    /// one may keep the right by a group. All other entries stay as they are.
    pub async fn disallow(
        &self,
        name: &str,
        principals: &[Principal],
        dry_run: bool,
    ) -> Result<Vec<Effect>, Error> {
        self.change(name, principals, dry_run, SecurityDescriptor::disallow).await
    }

    async fn change(
        &self,
        name: &str,
        principals: &[Principal],
        dry_run: bool,
        change: impl Fn(&mut SecurityDescriptor, &Sid) -> bool,
    ) -> Result<Vec<Effect>, Error> {
        // By SID: an entry that was added in an earlier try is this command's, too.
        let mut changed: HashSet<Sid> = HashSet::new();
        let mut pauses = TRIES.build();
        let descriptor = loop {
            let account = self.managed_account(name).await?;
            let what = format!("change who may read the password of {}", account.dn);
            let mut descriptor = self.to_change(&account, &what).await?;
            let before = descriptor.clone();
            changed.clear();
            for principal in principals {
                if change(&mut descriptor, &principal.sid) {
                    changed.insert(principal.sid.clone());
                }
            }
            if !descriptor.fits() {
                let problem = "the entries would exceed 64 KiB: allow a group instead";
                return Err(Error::Refused { what, problems: vec![problem.to_owned()] });
            }
            if changed.is_empty() || dry_run {
                break if dry_run { descriptor } else { before };
            }
            // Compared and set in one: the value that was read goes, or nothing happens. Where there was
            // none, one that came meanwhile keeps the attribute, which has a single value, as it is.
            let attribute = MEMBERSHIP.as_bytes().to_vec();
            let mut operations: Vec<Change> = Vec::new();
            if let Some(value) = account.membership_value {
                operations.push(Mod::Delete(attribute.clone(), HashSet::from([value])));
            }
            operations.push(Mod::Add(attribute, HashSet::from([descriptor.to_bytes()])));
            let error = match self.modify(&account.dn, operations, &what).await {
                Ok(()) => break descriptor,
                Err(error) => error,
            };
            let again = matches!(&error, Error::Operation { code, .. }
                if CHANGED_MEANWHILE.contains(code));
            match pauses.next().filter(|_| again) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(error),
            }
        };
        let descriptor = if dry_run { descriptor } else { self.stored(name, descriptor).await? };
        self.effects(principals, &changed, &descriptor).await
    }

    /// The descriptor as it is stored now; the one that was written if it is not shown any more.
    async fn stored(
        &self,
        name: &str,
        written: SecurityDescriptor,
    ) -> Result<SecurityDescriptor, Error> {
        let account = self.managed_account(name).await?;
        Ok(account.membership.unwrap_or(written))
    }

    /// The descriptor that is to be changed. Absence is not emptiness: where it may be hidden, a change
    /// would take the right from everyone who has it.
    async fn to_change(&self, account: &Account, what: &str) -> Result<SecurityDescriptor, Error> {
        let refused = |problem: String| {
            Err(Error::Refused { what: what.to_owned(), problems: vec![problem] })
        };
        if let Some(descriptor) = &account.membership {
            return Ok(descriptor.clone());
        }
        if let Some(problem) = &account.membership_problem {
            return refused(format!(
                "the present value of {MEMBERSHIP} cannot be read ({problem}), and nothing was written; \
                 remove it with the tool that made it, then allow the hosts again"
            ));
        }
        if self.may_read(&account.dn, &[MEMBERSHIP_GUID]).await? {
            return Ok(SecurityDescriptor::allowing(&[]));
        }
        let user = self.user();
        refused(format!(
            "whether {MEMBERSHIP} has a value is not shown to {user}, and nothing was written, because \
             that would take the right from everyone who has it now; log on as a user with the right to \
             read that property, or have it granted: dsacls \"{}\" /G \"{user}:RP;{MEMBERSHIP}\"",
            account.dn
        ))
    }

    async fn effects(
        &self,
        principals: &[Principal],
        changed: &HashSet<Sid>,
        descriptor: &SecurityDescriptor,
    ) -> Result<Vec<Effect>, Error> {
        let tokens = self.tokens(principals).await?;
        let sids = distinct(tokens.iter().filter_map(|token| descriptor.access(token).sid()));
        let names = self.principals_of(&sids).await?;
        let membership = Membership::Known(descriptor);
        let effect = |(principal, token): (&Principal, Token)| Effect {
            principal: principal.clone(),
            changed: changed.contains(&principal.sid),
            right: right(membership, principal, &token, &names, self.user()),
        };
        Ok(principals.iter().zip(tokens).map(effect).collect())
    }
}
