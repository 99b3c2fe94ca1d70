//! The root keys of the forest, from which the passwords of managed accounts are made.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ldap3::Scope;

use crate::directory::Directory;
use crate::error::Error;

/// How long a root key must have been valid before the controllers use it.
const KEY_DELAY: Duration = Duration::from_mins(10 * 60 + 5);
/// Seconds between 1601, where Windows counts from, and 1970.
const EPOCH_DIFFERENCE: u64 = 11_644_473_600;
/// The class of a root key (MS-ADSC).
const CLASS: &str = "msKds-ProvRootKey";
/// How a key is made.
pub(super) const STEPS: &str = "an administrator of the forest makes one, once, on a controller with `Add-KdsRootKey \
     -EffectiveImmediately` (Samba: `samba-tool domain kds root-key create`), and accounts can be made \
     10 hours later, when all controllers know it; in a test forest with a single controller \
     `Add-KdsRootKey -EffectiveTime ((Get-Date).AddHours(-11))` makes one for use at once";

/// What is known of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RootKeys {
    /// One can be used.
    Usable,
    /// There are some, the oldest of which can be used later only.
    TooNew(Duration),
    /// There is none, as somebody was told who would see it.
    Missing,
    /// None is shown, which says nothing: few may see them.
    Hidden,
}

impl RootKeys {
    /// What keeps accounts from being made, if it is known.
    pub(super) fn problem(self) -> Option<String> {
        match self {
            Self::Usable | Self::Hidden => None,
            Self::TooNew(wait) => Some(format!(
                "the KDS root key of the forest is too new: accounts can be made in {} h {} min",
                wait.as_secs() / 3600,
                wait.as_secs() / 60 % 60 + 1
            )),
            Self::Missing => Some(format!("the forest has no KDS root key: {STEPS}")),
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
        let filter = format!("(objectClass={CLASS})");
        let attributes = ["msKds-UseStartTime"];
        let what = "look for KDS root keys";
        let found = match self.search(&base, Scope::OneLevel, &filter, &attributes, what).await {
            Ok(found) => found,
            Err(Error::Operation { .. }) => return Ok(RootKeys::Hidden),
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
            return Ok(if may { RootKeys::Missing } else { RootKeys::Hidden });
        }
        let starts = found.iter().map(|entry| entry.number("msKds-UseStartTime").map(time_of));
        // One whose start may not be seen may well be usable.
        let Some(first) = starts.collect::<Option<Vec<_>>>().and_then(|all| all.into_iter().min())
        else {
            return Ok(RootKeys::Hidden);
        };
        let wait = (first + KEY_DELAY).duration_since(SystemTime::now()).unwrap_or_default();
        Ok(if wait.is_zero() { RootKeys::Usable } else { RootKeys::TooNew(wait) })
    }
}

/// A moment in steps of 100 ns since 1601 (`FILETIME`, MS-DTYP, section 2.3.3).
fn time_of(filetime: i64) -> SystemTime {
    let ticks = u64::try_from(filetime).unwrap_or_default();
    let seconds = Duration::from_secs(ticks / 10_000_000);
    UNIX_EPOCH + seconds.saturating_sub(Duration::from_secs(EPOCH_DIFFERENCE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_windows() {
        assert_eq!(time_of(116_444_736_000_000_000), UNIX_EPOCH);
        assert_eq!(time_of(133_170_048_000_000_000), UNIX_EPOCH + Duration::from_hours(464_592));
        assert_eq!(time_of(-1), UNIX_EPOCH);
    }

    #[test]
    fn problems() {
        assert_eq!(RootKeys::Usable.problem(), None);
        assert_eq!(RootKeys::Hidden.problem(), None);
        let wait = RootKeys::TooNew(Duration::from_mins(125)).problem().unwrap();
        assert!(wait.ends_with("in 2 h 6 min"), "{wait}");
        assert!(RootKeys::Missing.problem().unwrap().contains("Add-KdsRootKey"));
    }
}
