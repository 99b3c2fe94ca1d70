//! The remedies that no test can carry out, and why not. Every other remedy of the catalogues is
//! carried out by a test: the fault is planted, the remedy is followed, and the finding is gone.

use std::fmt::Write as _;

/// A catalogue whose entries have remedies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Catalogue {
    /// The findings: `finding::Code`.
    Findings,
    /// The denials: `admission::Reason`.
    Denials,
    /// The doctor's checks: `diagnosis::Check`.
    Checks,
    /// The checks of `kubectl gmsa account check`.
    Accounts,
}

impl Catalogue {
    /// The page that lists its entries, in `docs/`, if there is one.
    const fn page(self) -> Option<&'static str> {
        match self {
            Self::Findings => Some("findings.md"),
            Self::Denials => Some("denials.md"),
            Self::Checks => Some("checks.md"),
            Self::Accounts => None,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Findings => "Findings",
            Self::Denials => "Denials",
            Self::Checks => "Checks of the doctor",
            Self::Accounts => "Checks of `kubectl gmsa account check`",
        }
    }
}

/// A remedy that only a person can carry out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByHand {
    /// Where the entry is.
    pub catalogue: Catalogue,
    /// The entry's id.
    pub id: &'static str,
    /// Why no test carries it out: a clause that follows "because".
    pub reason: &'static str,
}

const fn by_hand(catalogue: Catalogue, id: &'static str, reason: &'static str) -> ByHand {
    ByHand { catalogue, id, reason }
}

const WINDOWS: &str = "it is carried out on a Windows machine";
const NETWORK: &str = "it changes firewalls and DNS servers outside the cluster";

/// All of them, in the order of the page.
pub const BY_HAND: &[ByHand] = &[
    by_hand(
        Catalogue::Denials,
        "undecided",
        "it asks to find out why the API server or the webhook fails, which has no one answer",
    ),
    by_hand(
        Catalogue::Denials,
        "namespace-left-out",
        "the tests' own API server is older than admission policies; with a newer one \
         `crates/kubectl-gmsa/tests/it/left_out.rs` carries it out",
    ),
    by_hand(Catalogue::Denials, "timeout", "it asks to find out why the API server is slow"),
    by_hand(Catalogue::Denials, "overload", "the request is to be tried again when load is lower"),
    by_hand(
        Catalogue::Denials,
        "old-ephemeral-containers",
        "only API servers before 1.22 with an alpha feature gate send such an object; tests of \
         the webhook send it with the GMSA fields and without",
    ),
    by_hand(
        Catalogue::Denials,
        "malformed-request",
        "API servers do not send such a request: it is to be reported",
    ),
    by_hand(
        Catalogue::Checks,
        "guard-whole",
        "the tests' own API server is older than admission policies; with a newer one \
         `crates/kubectl-gmsa/tests/it/guard.rs` carries it out",
    ),
    by_hand(
        Catalogue::Checks,
        "engine-whole",
        "the tests' own API server is older than policies that change pods; with a newer one \
         `crates/kubectl-gmsa/tests/it/engine_switch.rs` carries it out",
    ),
    by_hand(
        Catalogue::Checks,
        "engine-index",
        "the tests' own API server is older than policies that change pods; with a newer one \
         `crates/kubectl-gmsa/tests/it/engine_switch.rs` carries it out",
    ),
    by_hand(
        Catalogue::Checks,
        "engine-static",
        "the tests' own API server is older than policies that change pods; with a newer one \
         `crates/kubectl-gmsa/tests/it/engine_static.rs` carries it out",
    ),
    by_hand(
        Catalogue::Checks,
        "webhook-versions",
        "it takes replicas of two versions, and the tests build one; the rollout ends by itself, or \
         `webhook-rollout`, whose remedy is carried out, says more",
    ),
    by_hand(
        Catalogue::Checks,
        "webhook-denials",
        "it asks to find out why the API server or the webhook fails, which has no one answer, and the \
         replicas count from their start",
    ),
    by_hand(
        Catalogue::Checks,
        "clock-skew",
        "it sets the clocks of machines; the test of the check moves a clock and back",
    ),
    by_hand(
        Catalogue::Checks,
        "node-present",
        "it adds a Windows node to the cluster, or finds out why one is not ready",
    ),
    by_hand(Catalogue::Checks, "node-build", "it updates Windows on a node"),
    by_hand(
        Catalogue::Checks,
        "node-lifecycle",
        "it moves workloads to nodes with another release of Windows",
    ),
    by_hand(Catalogue::Checks, "node-runtime", "it installs another container runtime on a node"),
    by_hand(Catalogue::Checks, "directory-clock", "it sets the clocks of machines"),
    by_hand(Catalogue::Checks, "node-system", "it updates Windows on a node"),
    by_hand(Catalogue::Checks, "node-dns", NETWORK),
    by_hand(Catalogue::Checks, "node-ports", NETWORK),
    by_hand(Catalogue::Checks, "node-clock", WINDOWS),
    by_hand(Catalogue::Checks, "node-domain", WINDOWS),
    by_hand(Catalogue::Checks, "node-account", WINDOWS),
    by_hand(Catalogue::Checks, "node-plugin", WINDOWS),
    by_hand(Catalogue::Checks, "node-plugin-events", WINDOWS),
    by_hand(Catalogue::Checks, "node-ccg-events", WINDOWS),
    by_hand(Catalogue::Checks, "node-kdc-events", WINDOWS),
    by_hand(Catalogue::Checks, "node-netlogon-events", WINDOWS),
    by_hand(Catalogue::Checks, "node-compute-events", WINDOWS),
    by_hand(Catalogue::Checks, "node-compartment", WINDOWS),
    by_hand(
        Catalogue::Checks,
        "pod-node",
        "it asks to find out why a node is not ready, which has no one answer",
    ),
    by_hand(
        Catalogue::Checks,
        "pod-running",
        "it ends on the Windows node, whose runtime reports why a container does not start",
    ),
    by_hand(Catalogue::Checks, "pod-dns", NETWORK),
    by_hand(Catalogue::Checks, "pod-srv", NETWORK),
    by_hand(Catalogue::Checks, "pod-domain-controller", NETWORK),
    by_hand(Catalogue::Checks, "pod-credential-spec", WINDOWS),
    by_hand(
        Catalogue::Checks,
        "pod-user",
        "only a container on Windows shows as whom its processes run",
    ),
    by_hand(Catalogue::Checks, "pod-ticket", NETWORK),
    by_hand(
        Catalogue::Checks,
        "pod-ticket-encryption",
        "only a container on Windows shows how its tickets are encrypted",
    ),
    by_hand(Catalogue::Accounts, "clock", "it sets the clocks of machines"),
    by_hand(
        Catalogue::Accounts,
        "controller-versions",
        "it updates Windows on domain controllers, or sets a policy for them",
    ),
    by_hand(Catalogue::Accounts, "dns-transport", NETWORK),
    by_hand(Catalogue::Accounts, "controller-ports", NETWORK),
];

const INTRODUCTION: &str = "\
<!-- Generated by `cargo xtask generate` from crates/gmsa-core/src/remedies.rs. -->

# Remedies that only people can carry out

Every finding, denial and check comes with a remedy. The tests carry the remedies out: they plant
the fault, do what the remedy says, and see that the finding is gone. They cannot do that for the
entries below.
";

/// The Markdown of `docs/remedies.md`.
#[must_use]
pub fn remedies_page() -> String {
    let mut page = INTRODUCTION.to_owned();
    let mut last = None;
    for ByHand { catalogue, id, reason } in BY_HAND {
        // Writing to a String does not fail, here and below.
        if last != Some(catalogue) {
            let title = catalogue.title();
            let _ = write!(
                page,
                "\n## {title}\n\n| id | no test carries it out because |\n|---|---|\n"
            );
            last = Some(catalogue);
        }
        let shown = match catalogue.page() {
            Some(page) => format!("[{id}]({page}#{id})"),
            None => format!("`{id}`"),
        };
        let _ = writeln!(page, "| {shown} | {reason} |");
    }
    page
}
