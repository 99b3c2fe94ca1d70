//! The root keys of the forest, from which the passwords of managed accounts are made.

use std::time::{Duration, SystemTime};

use uuid::Uuid;

use super::check::{Check, CheckStatus};
use crate::bytes;
use crate::directory::{Directory, Search};
use crate::error::Error;
use crate::time;

/// How long a root key must have been valid before the controllers use it.
const KEY_DELAY: Duration = Duration::from_mins(10 * 60 + 5);
/// The class of a root key (MS-ADSC).
const CLASS: &str = "msKds-ProvRootKey";
const MISSING: &str = "the forest has no KDS root key";
/// How a key is made.
const STEPS: &str = "an administrator of the forest makes one, once, on a controller with `Add-KdsRootKey \
     -EffectiveImmediately` (Samba: `samba-tool domain kds root-key create`), and accounts can be made \
     10 hours and 5 minutes later, when all controllers know it, whatever the tool says of its start; in a \
     test forest with a single controller `Add-KdsRootKey -EffectiveTime ((Get-Date).AddHours(-11))` (Samba: \
     `samba-tool domain kds root-key create --use-start-time=2020-01-01`) makes one for use at once";
/// What is to be done about the password of an account whose key is gone.
const GONE: &str = "restore the object of the key from a backup of the configuration partition, or remove \
     the account and make it again (`kubectl gmsa account remove ACCOUNT`, `kubectl gmsa account create \
     ACCOUNT`): then allow its hosts again, because the new one has another SID";

/// What is known of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RootKeys {
    state: State,
    /// Those that are shown.
    ids: Vec<Uuid>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// One can be used, since this moment.
    Usable(SystemTime),
    /// There are some, the oldest of which can be used later only.
    TooNew(Duration),
    /// There is one, but its start time is not readable.
    Present,
    /// There is none: the user may read them, and saw none.
    Missing,
    /// None is shown, which proves nothing: few users may read them.
    Hidden,
}

impl RootKeys {
    /// What keeps accounts from being made, if it is known.
    pub(super) fn problem(&self) -> Option<String> {
        match self.state {
            State::Usable(_) | State::Present | State::Hidden => None,
            State::TooNew(wait) => Some(format!(
                "the KDS root key of the forest is too new: accounts can be made in {} h {} min",
                wait.as_secs() / 3600,
                wait.as_secs() / 60 % 60 + 1
            )),
            State::Missing => Some(format!("{MISSING}: {STEPS}")),
        }
    }

    /// What that means for an account whose password is made from a key. `user` is who looked.
    pub(super) fn check(&self, user: &str, own: Option<Uuid>) -> Check {
        const ID: &str = "kds-root-key";
        if let Some(own) = own.filter(|own| !self.ids.is_empty() && !self.ids.contains(own)) {
            let message = format!(
                "the KDS root key {own}, from which its password is made, is gone: controllers answer with \
                 an error instead of the password"
            );
            return Check::not_passed(ID, CheckStatus::Failed, message, GONE);
        }
        if self.state == State::Missing {
            return Check::not_passed(ID, CheckStatus::Failed, MISSING.to_owned(), STEPS);
        }
        if let Some(problem) = self.problem() {
            let remedy = "until then no password can be made, nor read";
            return Check::not_passed(ID, CheckStatus::Failed, problem, remedy);
        }
        match self.state {
            State::Usable(since) => Check::passed(
                ID,
                format!(
                    "the forest has a KDS root key in use since {} ({} days)",
                    time::day(since),
                    time::days_ago(since)
                ),
            ),
            State::Present => Check::passed(
                ID,
                format!("the forest has a KDS root key; its start is not shown to {user}"),
            ),
            _ => Check::not_passed(
                ID,
                CheckStatus::Unknown,
                format!("{user} sees no KDS root key, which proves nothing: few users may see one"),
                "look as an administrator of the forest, or with Get-KdsRootKey on a controller",
            ),
        }
    }
}

impl Directory {
    /// What keeps the forest's controllers from making passwords, if that can be known: few may see
    /// the root keys.
    pub async fn root_key_problem(&self) -> Result<Option<String>, Error> {
        Ok(self.root_keys().await?.problem())
    }

    pub(super) async fn root_keys(&self) -> Result<RootKeys, Error> {
        let base = format!(
            "CN=Master Root Keys,CN=Group Key Distribution Service,CN=Services,{}",
            self.root.configuration
        );
        // Samba shows the names of the keys to every user, but for a filter on an attribute.
        let filter = "(objectClass=*)";
        let attributes = ["msKds-UseStartTime"];
        let what = "look for KDS root keys";
        let none = |state| Ok(RootKeys { state, ids: Vec::new() });
        let search = Search::below(&base, filter, &attributes, what);
        let found = match self.search(search).await {
            Ok(found) => found,
            Err(Error::Operation { .. }) => return none(State::Hidden),
            Err(error) => return Err(error),
        };
        if found.is_empty() {
            // Who may make one is shown those that are there. Computed by the controller (MS-ADTS,
            // section 3.1.1.4.5.12).
            let container = self.object(&base, &["allowedChildClassesEffective"]).await?;
            let classes = container.map(|entry| entry.texts("allowedChildClassesEffective"));
            let may = classes.is_some_and(|classes| {
                classes.iter().any(|class| class.eq_ignore_ascii_case(CLASS))
            });
            return none(if may { State::Missing } else { State::Hidden });
        }
        let ids = found.iter().filter_map(|entry| id_of(&entry.dn)).collect();
        let starts = found
            .iter()
            .map(|entry| entry.number("msKds-UseStartTime").map(time::of_filetime))
            .collect::<Option<Vec<_>>>();
        // One whose start may not be seen may well be usable.
        let Some(first) = starts.and_then(|all| all.into_iter().min()) else {
            return Ok(RootKeys { state: State::Present, ids });
        };
        let usable = first + KEY_DELAY;
        let wait = usable.duration_since(SystemTime::now()).unwrap_or_default();
        let state = if wait.is_zero() { State::Usable(usable) } else { State::TooNew(wait) };
        Ok(RootKeys { state, ids })
    }
}

/// The key that the name of its object says: `CN=GUID,CN=Master Root Keys,…`.
fn id_of(dn: &str) -> Option<Uuid> {
    dn.split_once('=')?.1.split(',').next()?.parse().ok()
}

/// The root key of which an account's password is made, by the value of `msDS-ManagedPasswordId`: a key
/// envelope (MS-GKDI, section 2.2.4), which has the identifier behind five numbers and a word.
pub(super) fn key_of(password_id: &[u8]) -> Option<Uuid> {
    const MAGIC: &[u8] = b"KDSK";
    const AT: usize = 24;
    if password_id.get(4..8) != Some(MAGIC) || bytes::u32_at(password_id, 0) != Some(1) {
        return None;
    }
    Uuid::from_slice_le(password_id.get(AT..AT + 16)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(state: State) -> RootKeys {
        RootKeys { state, ids: Vec::new() }
    }

    #[test]
    fn problems() {
        assert_eq!(keys(State::Usable(SystemTime::now())).problem(), None);
        assert_eq!(keys(State::Hidden).problem(), None);
        let wait = keys(State::TooNew(Duration::from_mins(125))).problem().unwrap();
        assert!(wait.ends_with("in 2 h 6 min"), "{wait}");
        assert!(keys(State::Missing).problem().unwrap().contains("Add-KdsRootKey"));
    }

    #[test]
    fn a_root_key_that_is_not_shown_is_not_missing() {
        let check = keys(State::Hidden).check("alice", None);
        assert_eq!(check.status, CheckStatus::Unknown);
        assert!(check.message.contains("alice sees no KDS root key"), "{}", check.message);
        assert_eq!(keys(State::Missing).check("root", None).status, CheckStatus::Failed);
        assert_eq!(keys(State::Present).check("alice", None).status, CheckStatus::Passed);
        let check = keys(State::Usable(SystemTime::now())).check("root", None);
        assert_eq!(check.status, CheckStatus::Passed);
        assert!(check.message.ends_with("(0 days)"), "{}", check.message);
    }

    #[test]
    fn the_key_of_a_password() {
        let id: Uuid = "b67866e2-0fca-b407-7d5b-5184c8490171".parse().unwrap();
        let mut value = b"\x01\0\0\0KDSK\x02\0\0\0\x6c\x01\0\0\x12\0\0\0\x1f\0\0\0".to_vec();
        // The first three groups are little-endian (MS-DTYP, section 2.3.4.2).
        value.extend(b"\xe2\x66\x78\xb6\xca\x0f\x07\xb4\x7d\x5b\x51\x84\xc8\x49\x01\x71");
        assert_eq!(key_of(&value), Some(id));
        assert_eq!(key_of(&value[..39]), None);
        assert_eq!(key_of(b""), None);
        assert_eq!(id_of("CN=b67866e2-0fca-b407-7d5b-5184c8490171,CN=Master Root Keys"), Some(id));
        let other = RootKeys { state: State::Present, ids: vec![id] };
        assert_eq!(other.check("alice", Some(id)).status, CheckStatus::Passed);
        let gone = other.check("alice", Some(Uuid::from_slice_le(&[7; 16]).unwrap()));
        assert_eq!(gone.status, CheckStatus::Failed);
        assert!(gone.message.contains("is gone"), "{}", gone.message);
    }
}
