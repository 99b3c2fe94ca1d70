//! The one catalogue of denials: the code, the words and the remedy of each.

use std::fmt;

/// The largest contents that the API server and we accept, in bytes.
pub const MAX_CONTENTS: usize = 64 * 1024;

/// The default limit of fields of one pod that may use a GMSA. The cost of a check grows with the
/// square of their number.
pub const MAX_PLACES: usize = 500;

/// What is wrong with contents without a name, after the field.
pub const CONTENTS_WITHOUT_NAME: &str = "has a GMSA cred spec set, but does not define the name of the \
    corresponding resource; set gmsaCredentialSpecName and leave gmsaCredentialSpec out";

/// The text before the commands that grant a missing right.
pub const GRANTS_IT: &str = "; an administrator grants it with ";
/// The text between the plugin's command and the line for kubectl alone.
pub const OR_WITH_KUBECTL: &str = ", or with kubectl alone: ";

/// Defines [`Reason`] from its catalogue, so that none is missing in a part of it.
macro_rules! reasons {
    ($($(#[$doc:meta])+ $reason:ident: $id:literal, $code:literal, $summary:literal, $remedy:literal;)+) => {
        /// Why a request is denied.
        ///
        /// Scripts and alerts match the wording in backquotes, so it stays; see docs/denials.md.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $($(#[$doc])+ $reason,)+
        }

        impl Reason {
            /// Every reason, in the order of the catalogue's page.
            pub const ALL: &'static [Self] = &[$(Self::$reason),+];

            fn entry(self) -> (&'static str, u16, &'static str, &'static str) {
                match self {
                    $(Self::$reason => ($id, $code, $summary, $remedy),)+
                }
            }
        }
    };
}

reasons! {
    /// The field has contents without a name.
    ContentsWithoutName: "contents-without-name", 422,
        "The field has `gmsaCredentialSpec` but no `gmsaCredentialSpecName`, so no right can be checked.",
        "Set gmsaCredentialSpecName to the name of the GMSACredentialSpec and leave gmsaCredentialSpec out: the webhook fills it in.";
    /// The name is not a DNS-1123 subdomain.
    NameInvalid: "name-invalid", 422,
        "The name is not a DNS-1123 subdomain, so no GMSACredentialSpec can have it.",
        "Use lower-case letters, digits, `-` and `.` in the credential spec's name and in every field that names it.";
    /// The contents are over 64 KiB.
    ContentsTooLarge: "contents-too-large", 422,
        "The contents are over 64 KiB, which the API server does not accept.",
        "Shorten the credential spec.";
    /// More fields use a GMSA than the limit.
    TooManyPlaces: "too-many-places", 422,
        "More fields of one pod use a GMSA than the webhook checks (500, or its `--max-places`), or one of its lists has more than 1,000 containers: checking them would delay the pods of others.",
        "Set the credential spec once, in the security context of the pod: all its containers take it from there. Or have the administrator of the webhook raise `--max-places`.";
    /// The pod's service account may not `use` the credential spec.
    NotAuthorized: "not-authorized", 403,
        "The pod's service account does not have the right `use` on the credential spec.",
        "If this workload is meant to have this identity, let an administrator run one of the two commands in the message (the second in bash, zsh or PowerShell).";
    /// The webhook, or the policies, leave the pod's namespace out.
    NamespaceLeftOut: "namespace-left-out", 403,
        "The webhook, or the policies of the engine, leave the pod's namespace out, so that no pod of it may use a GMSA.",
        "Include the namespace by its labels: with `--namespaces-opt-in` by `kubectl label namespace NAME gmsa-webhook=enabled`, otherwise by removing the label that excludes it, `kubectl label namespace NAME gmsa-webhook-`; or move the workload. `kubectl gmsa status` shows which namespaces are left out.";
    /// There is no such credential spec.
    NotFound: "credspec-not-found", 404,
        "There is no GMSACredentialSpec of this name.",
        "Create it, or correct the name; `kubectl get gmsacredentialspecs` lists those that exist.";
    /// The credential spec has no contents.
    Empty: "credspec-empty", 417,
        "The GMSACredentialSpec has no `credspec`, or an empty one.",
        "Put the credential spec under the key `credspec` at the root of the object, not under `spec`.";
    /// The pod's contents are not those of the credential spec.
    Mismatch: "contents-mismatch", 422,
        "The contents in the pod are not those of the GMSACredentialSpec that it names.",
        "Leave gmsaCredentialSpec out of the pod: the webhook fills it in.";
    /// The name was not expanded by the mutating step.
    NotExpanded: "not-expanded", 422,
        "The field names a credential spec, but the mutating step did not fill in its contents.",
        "Try again once the mutating webhook answers (with failurePolicy Ignore it is skipped while it is down); if another webhook adds the name, its configuration must come first in alphabetical order. If `kubectl gmsa status` shows that the mutating configuration leaves the namespace out, `kubectl gmsa install --force-conflicts` restores its selector.";
    /// Something that must be known could not be found out.
    Undecided: "undecided", 500,
        "A fact that the decision needs could not be determined, and what cannot be decided is denied.",
        "Check the webhook's log and the API server, then try again.";
    /// Time ran out before all was known.
    Timeout: "timeout", 504,
        "The deadline passed before every fact that the decision needs was known.",
        "Try again; if it happens often, check the API server's latency and the webhook's metrics.";
    /// The server has reached its limit of requests in flight.
    Overload: "overload", 429,
        "The webhook has reached its limit of requests in flight.",
        "Try again; controllers do so automatically. If it happens often, run more replicas.";
    /// An update changes a GMSA field of an existing pod.
    Immutable: "immutable", 403,
        "The GMSA fields of an existing pod cannot be changed.",
        "Change the workload's pod template, so that new pods replace the old ones.";
    /// Ephemeral containers with a GMSA in the request form of servers before 1.22.
    OldEphemeralContainers: "old-ephemeral-containers", 422,
        "API servers before 1.22 add ephemeral containers by an object that does not contain the pod's service account.",
        "Leave the GMSA fields out of the ephemeral container, or upgrade the cluster.";
    /// The object is not a Pod.
    WrongKind: "wrong-kind", 400,
        "The webhook received an object that is not a Pod.",
        "Limit the rules of the webhook configuration to `pods` and `pods/ephemeralcontainers`.";
    /// The request lacks what a decision needs.
    MalformedRequest: "malformed-request", 400,
        "The admission request is incomplete, or a part of it cannot be read.",
        "The API server makes these requests: if the message does not help, report it with the server's version.";
}

impl Reason {
    /// The stable name, in kebab case.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.entry().0
    }

    /// The HTTP status code of the response's `status.code`.
    #[must_use]
    pub fn code(self) -> u16 {
        self.entry().1
    }

    /// The `status.reason`, a `StatusReason` of the Kubernetes API.
    #[must_use]
    pub fn status_reason(self) -> &'static str {
        match self.code() {
            400 => "BadRequest",
            403 => "Forbidden",
            404 => "NotFound",
            417 => "ExpectationFailed",
            422 => "Invalid",
            429 => "TooManyRequests",
            504 => "Timeout",
            _ => "InternalError",
        }
    }

    /// What happened, in one sentence.
    #[must_use]
    pub fn summary(self) -> &'static str {
        self.entry().2
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        self.entry().3
    }
}

/// One thing that is wrong: a line of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// Why.
    pub reason: Reason,
    /// The whole sentence, with the field and the next step.
    pub message: String,
    /// The path of the field at fault; empty if it is not a single field.
    pub field: String,
}

impl Denial {
    /// A denial of a whole request.
    #[must_use]
    pub fn of_request(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), field: String::new() }
    }

    /// The message without the commands that would grant a missing right.
    #[must_use]
    pub fn without_commands(&self) -> &str {
        self.message.split_once(GRANTS_IT).map_or(&self.message, |(said, _)| said)
    }

    /// A shorter message: with the plugin's command alone.
    #[must_use]
    pub fn in_brief(&self) -> &str {
        self.message.split_once(OR_WITH_KUBECTL).map_or(&self.message, |(said, _)| said)
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Renders docs/denials.md.
#[must_use]
pub fn denials_page() -> String {
    use fmt::Write as _;

    let mut page = String::from(
        "# Denials\n\n<!-- Generated by `cargo xtask generate`. -->\n\n\
         The webhook, or `kubectl gmsa review`, denied a pod: find the reason here, with what to \
         do. The code is that of the admission response; the id is in \
         `status.details.causes[].reason`.\n",
    );
    for reason in Reason::ALL {
        // Writing to a string does not fail.
        let _ = write!(
            page,
            "\n## {}\n\nCode {}, `{}`. {}\n\nWhat to do: {}\n",
            reason.id(),
            reason.code(),
            reason.status_reason(),
            reason.summary(),
            reason.remedy()
        );
    }
    page
}
