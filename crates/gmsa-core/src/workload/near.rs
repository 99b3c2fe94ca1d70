//! Keys by which people mean to name a credential spec.

use strsim::osa_distance;

/// The keys that are read, without case.
const NAMES: [&str; 2] = ["gmsacredentialspecname", "gmsacredentialspec"];
/// How many edits apart two keys may be, and one still be meant by the other.
const EDITS: usize = 2;
/// What the annotations of Kubernetes 1.14 have in common: they end in `-name`, or not.
const ALPHA: &str = "alpha.windows.kubernetes.io/gmsa-credential-spec";

/// The key that is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meant {
    /// `gmsaCredentialSpecName`
    Name,
    /// `gmsaCredentialSpec`
    Contents,
}

impl Meant {
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Name => "gmsaCredentialSpecName",
            Self::Contents => "gmsaCredentialSpec",
        }
    }
}

/// What a key means that may be any key of a field, however it is spelled.
pub(super) fn meant(key: &str) -> Option<Meant> {
    let plain = plain(key);
    let is_near = plain.contains("gmsacred")
        || (plain.contains("gmsa") && plain.contains("spec"))
        || plain.contains("credentialspec")
        || NAMES.iter().any(|name| osa_distance(&plain, name) <= EDITS);
    is_near.then(|| of_plain(&plain))
}

/// What a key means that stands in `windowsOptions` or a security context, which have few others.
pub(super) fn meant_among_options(key: &str) -> Option<Meant> {
    const OTHERS: [&str; 2] = ["runasusername", "hostprocess"];
    let plain = plain(key);
    let is_near = ["gmsa", "cred"].iter().any(|part| plain.contains(part));
    meant(key).or_else(|| (is_near && !OTHERS.contains(&plain.as_str())).then(|| of_plain(&plain)))
}

/// What a key of a map means in which any key may stand: only the very words, whatever the case.
pub(super) fn meant_exactly(key: &str) -> Option<Meant> {
    match NAMES.iter().position(|name| key.eq_ignore_ascii_case(name))? {
        0 => Some(Meant::Name),
        _ => Some(Meant::Contents),
    }
}

/// What an annotation of Kubernetes 1.14 means, which nothing reads since.
pub(super) fn alpha(annotation: &str) -> Option<Meant> {
    let (_, rest) = annotation.split_once(ALPHA)?;
    Some(if rest.contains("name") { Meant::Name } else { Meant::Contents })
}

/// Whether a text, such as the values of a chart, has one of the keys with a value.
pub(super) fn is_named_in(text: &str) -> bool {
    let [_, mark] = NAMES;
    if text.len() < mark.len() {
        return false;
    }
    let lower = text.to_ascii_lowercase();
    lower.match_indices(mark).any(|(start, _)| {
        let rest = lower.get(start + mark.len()..).unwrap_or_default();
        let rest = rest.strip_prefix("name").unwrap_or(rest);
        rest.trim_start_matches(['"', '\'', '\\', ' ']).starts_with(':')
    })
}

fn of_plain(plain: &str) -> Meant {
    if plain.contains("name") || plain.ends_with('s') { Meant::Name } else { Meant::Contents }
}

/// The letters of a key, small, without the domain before it.
fn plain(key: &str) -> String {
    let key = key.rsplit('/').next().unwrap_or(key);
    let letters = key.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}
