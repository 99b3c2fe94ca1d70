//! The versions of a domain's controllers, and their encryption types.

use gmsa_core::windows::encryption_types;

use super::super::retrieval::list;
use super::super::{Check, CheckStatus};

const ID: &str = "controller-versions";
/// The build of Windows Server 2025.
const SERVER_2025: u32 = 26100;

/// A controller's version, from its computer account.
pub(super) struct Controller {
    pub(super) host: String,
    /// Such as `10.0 (20348)`.
    pub(super) version: Option<String>,
    pub(super) encryption_types: Option<i64>,
}

impl Controller {
    fn build(&self) -> Option<u32> {
        let (_, build) = self.version.as_deref()?.split_once('(')?;
        build.trim_end_matches(')').parse().ok()
    }

    fn has_no_aes(&self) -> bool {
        self.encryption_types.is_some_and(|types| types != 0 && types & encryption_types::AES == 0)
    }
}

/// Checks all of them together: Windows Server 2025 alongside older ones breaks the change of computer
/// passwords, and with it the nodes' right to read managed ones.
pub(super) fn check(controllers: &[Controller]) -> Check {
    let shown = |one: &Controller| {
        format!("{} {}", one.host, one.version.as_deref().unwrap_or("(version not shown)"))
    };
    if controllers.is_empty() {
        let message = "no account of a controller is shown".to_owned();
        return Check::not_passed(ID, CheckStatus::Unknown, message, "look as an administrator");
    }
    let without_aes: Vec<&Controller> = controllers.iter().filter(|one| one.has_no_aes()).collect();
    if !without_aes.is_empty() {
        let hosts = list(without_aes.iter().map(|one| one.host.clone()));
        return Check::not_passed(
            ID,
            CheckStatus::Warning,
            format!(
                "the encryption types of {hosts} leave AES out, so tickets for it use RC4 at best"
            ),
            "set msDS-SupportedEncryptionTypes of the controller to 24, by its policy \"Network security: \
             Configure encryption types allowed for Kerberos\"",
        );
    }
    let new =
        controllers.iter().filter(|one| one.build().is_some_and(|build| build >= SERVER_2025));
    let old = controllers.iter().filter(|one| one.build().is_some_and(|build| build < SERVER_2025));
    let (new, old): (Vec<&Controller>, Vec<&Controller>) = (new.collect(), old.collect());
    if !new.is_empty() && !old.is_empty() {
        return Check::not_passed(
            ID,
            CheckStatus::Warning,
            format!(
                "controllers of Windows Server 2025 ({}) run alongside older ones ({}): that breaks the change \
                 of computer passwords, and a node whose own password is 30 to 60 days old cannot read a \
                 managed one",
                list(new.iter().map(|one| one.host.clone())),
                list(old.iter().map(|one| one.host.clone())),
            ),
            "install the current updates on all controllers, or keep to one version; see how old the \
             passwords of nodes are (account check --host)",
        );
    }
    Check::passed(ID, format!("the controllers are {}", list(controllers.iter().map(shown))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn controller(host: &str, version: Option<&str>, types: Option<i64>) -> Controller {
        Controller {
            host: host.to_owned(),
            version: version.map(str::to_owned),
            encryption_types: types,
        }
    }

    #[test]
    fn mixed_versions_and_missing_encryptions() {
        let new = || controller("new", Some("10.0 (26100)"), Some(28));
        let old = || controller("old", Some("10.0 (20348)"), Some(28));
        for (controllers, status, part) in [
            (vec![], CheckStatus::Unknown, "no account"),
            (vec![old(), old()], CheckStatus::Passed, "old 10.0 (20348), old"),
            (vec![new()], CheckStatus::Passed, "new 10.0 (26100)"),
            (
                vec![new(), old()],
                CheckStatus::Warning,
                "Server 2025 (new) run alongside older ones (old)",
            ),
            (vec![controller("odd", None, None)], CheckStatus::Passed, "odd (version not shown)"),
            (
                vec![new(), controller("rc4", None, Some(4))],
                CheckStatus::Warning,
                "of rc4 leave AES",
            ),
        ] {
            let check = check(&controllers);
            assert_eq!(check.status, status, "{check:?}");
            assert!(check.message.contains(part), "{check:?}");
        }
    }
}
