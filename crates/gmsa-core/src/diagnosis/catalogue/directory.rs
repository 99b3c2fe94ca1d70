//! What is looked at in Active Directory.

use super::{Check, Side, checks};

checks! { Directory;
    DIRECTORY_DOMAIN {
        id: "directory-domain",
        title: "The credential spec says of its domain what the directory says",
        cause: "The SID, GUID or a name of the domain in the credential spec is not that of the directory; values copied from a page or from the account instead of the domain are the most frequent.",
        remedy: "Write what the directory says; `kubectl gmsa credspec create --from-ad` takes all of it from there.",
        source: "docs/findings.md",
        explains: ["pod-credential-spec", "pod-secure-channel", "pod-ticket"],
    }
    DIRECTORY_ACCOUNT {
        id: "directory-account",
        title: "The account is fit for use, and somebody may read its password",
        cause: "The account of the credential spec does not exist, is disabled, is no group managed service account, has an SPN of somebody else, or nobody may read its password.",
        remedy: "Run `kubectl gmsa account check ACCOUNT`, which tells what is wrong with it and what to do.",
        source: "docs/account.md",
        explains: ["pod-credential-spec", "pod-secure-channel", "pod-ticket"],
    }
}
