//! The limits of Windows and of container runtimes that are known today (docs/limits.md).

use super::State;

/// Windows Server 2019.
pub const WS2019: u32 = 17763;
/// The update of it (KB5000822) with which containers reach network shares under containerd.
const SHARES: u32 = 1817;
/// Windows Server 2022.
const WS2022: u32 = 20348;

/// A known limit of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How bad it is.
    pub state: State,
    /// What it is.
    pub message: String,
    /// What to do, if the remedy of the check does not fit.
    pub next: Option<&'static str>,
}

/// The limit of a build of Windows, such as 20348, with an update of it, under a container runtime.
#[must_use]
pub fn of_build(build: u32, revision: Option<u32>, containerd: bool) -> Option<Limit> {
    let limit = |state, message: String| Some(Limit { state, message, next: None });
    if build < WS2019 {
        let words = "it is older than Windows Server 2019, the oldest that is supported";
        return limit(State::Problem, words.to_owned());
    }
    if build == WS2019 && containerd && revision.is_some_and(|one| one < SHARES) {
        return Some(Limit {
            state: State::Problem,
            message: format!(
                "with containerd network shares are not reached with a GMSA before {WS2019}.{SHARES}"
            ),
            next: Some("Install the update KB5000822 or a later cumulative one on the node."),
        });
    }
    if build > WS2019 && build < WS2022 {
        let words = "it is a semi-annual channel release that is no longer updated";
        return limit(State::Warning, words.to_owned());
    }
    None
}
