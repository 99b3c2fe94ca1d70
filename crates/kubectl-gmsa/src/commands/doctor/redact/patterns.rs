//! What looks like a secret in any text.

use std::ops::Range;

use super::REDACTED;
use super::keys::{is_flag, is_secret};

/// How tokens of well-known services begin.
const PREFIXES: [&str; 12] = [
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "AKIA",
    "ASIA",
    "npm_",
    "AIza",
    "dckr_pat_",
];

/// The ranges of secrets, in order, without overlaps.
pub fn find(text: &str) -> Vec<Range<usize>> {
    let mut found = private_keys(text);
    found.extend(urls(text));
    found.extend(tokens(text));
    found.extend(values(text));
    found.extend(log_ons(text));
    found.retain(|range| {
        !range.is_empty() && text.get(range.clone()).is_some_and(|value| value != REDACTED)
    });
    found.sort_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in found {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// The text without these ranges.
pub fn remove(text: &str, ranges: &[Range<usize>]) -> String {
    let mut kept = String::new();
    let mut from = 0;
    for range in ranges {
        kept.push_str(text.get(from..range.start).unwrap_or_default());
        kept.push_str(REDACTED);
        from = range.end;
    }
    kept.push_str(text.get(from..).unwrap_or_default());
    kept
}

/// PEM (RFC 7468) of private keys; one without an end extends to the end of the text.
fn private_keys(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (start, mark) in text.match_indices("-----BEGIN ") {
        let rest = text.get(start + mark.len()..).unwrap_or_default();
        let label = rest.split("-----").next().unwrap_or_default();
        if !label.contains("PRIVATE KEY") {
            continue;
        }
        let end = rest.find("-----END ").map(|end| {
            let tail = rest.get(end + 9..).unwrap_or_default();
            let close = tail.find("-----").map_or(tail.len(), |close| close + 5);
            start + mark.len() + end + 9 + close
        });
        found.push(start..end.unwrap_or(text.len()));
    }
    found
}

/// The user and password of a URL (RFC 3986, section 3.2.1).
fn urls(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, mark) in text.match_indices("://") {
        let start = at + mark.len();
        let rest = text.get(start..).unwrap_or_default();
        let end = rest.find(|one: char| one.is_whitespace() || "\"'<>`".contains(one));
        let url = rest.get(..end.unwrap_or(rest.len())).unwrap_or(rest);
        let authority = url.split(['/', '?', '#']).next().unwrap_or_default();
        // A password may contain characters that end an authority.
        let end = authority
            .rfind('@')
            .or_else(|| authority.contains(':').then(|| url.rfind('@')).flatten());
        found.extend(end.map(|end| start..start + end));
    }
    found
}

/// JSON Web Tokens (RFC 7519), and tokens of well-known services.
fn tokens(text: &str) -> Vec<Range<usize>> {
    let part = |one: char| one.is_ascii_alphanumeric() || "_-.".contains(one);
    words(text, part)
        .filter(|(_, word)| {
            let jwt = word.starts_with("eyJ") && word.matches('.').count() >= 2;
            let service = PREFIXES.iter().any(|prefix| word.starts_with(prefix));
            (jwt || service) && word.len() >= 20
        })
        .map(|(start, word)| start..start + word.len())
        .collect()
}

/// The value after a name: `password=x`, `"token": "x"`, `--secret x`, `<pwd>x</pwd>`,
/// `Authorization: Bearer x`, `key="Password" value="x"`.
fn values(text: &str) -> Vec<Range<usize>> {
    let part = |one: char| one.is_alphanumeric() || "_-.".contains(one);
    let mut found = Vec::new();
    for (start, word) in words(text, part) {
        let end = start + word.len();
        let rest = text.get(end..).unwrap_or_default();
        if word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("basic") {
            found.extend(scheme(rest).map(|range| end + range.start..end + range.end));
            continue;
        }
        let before = text.get(..start).unwrap_or_default().chars().next_back();
        let flag = word.starts_with('-') || before == Some('/');
        let named = is_secret(word);
        let short = || is_flag(&format!("-{}", word.trim_start_matches('-')), false);
        if !(named || flag && short()) {
            continue;
        }
        let value = if named { after_name(rest, before == Some('<')) } else { None };
        let value = value.or_else(|| flag.then(|| after_flag(rest)).flatten());
        let Some(value) = value else { continue };
        let whole_line =
            ["authorization", "cookie"].iter().any(|name| word.to_ascii_lowercase().contains(name));
        let stop = if whole_line {
            let line = rest.get(value.start..).unwrap_or_default();
            value.start + line.find(['\r', '\n']).unwrap_or(line.len())
        } else {
            value.end
        };
        found.push(end + value.start..end + stop);
    }
    found
}

/// Behind `Bearer` or `Basic`: something that is not a word of a language.
fn scheme(rest: &str) -> Option<Range<usize>> {
    let start = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let value = rest.get(start..)?;
    let end = value.find(|one: char| !(one.is_ascii_alphanumeric() || "+/=._~-".contains(one)));
    let value = value.get(..end.unwrap_or(value.len()))?;
    let odd = value.chars().skip(1).any(|one| !one.is_ascii_lowercase());
    (start > 0 && value.len() >= 8 && odd).then(|| start..start + value.len())
}

/// Behind a name: the separator, then the value.
fn after_name(rest: &str, element: bool) -> Option<Range<usize>> {
    if element && let Some(inner) = rest.strip_prefix('>') {
        return Some(1..1 + inner.find('<').unwrap_or(inner.len()));
    }
    // The name may be in quotes, possibly within JSON.
    let unquoted = rest.trim_start_matches('\\').trim_start_matches(['"', '\'']);
    let spaced = unquoted.trim_start_matches([' ', '\t']);
    if let Some(value) = spaced.strip_prefix("value=").filter(|_| unquoted.len() < rest.len()) {
        return value_in(rest, value);
    }
    let separated = spaced.trim_start_matches([':', '=', '>']);
    if separated.len() == spaced.len() {
        return None;
    }
    value_in(rest, separated.trim_start_matches([' ', '\t']))
}

/// Behind a flag: white space, then the value.
fn after_flag(rest: &str) -> Option<Range<usize>> {
    let value = rest.trim_start_matches([' ', '\t']);
    (value.len() < rest.len()).then(|| value_in(rest, value)).flatten()
}

/// A value at the beginning of the end of a text: to the closing quote, or to what ends a word.
fn value_in(rest: &str, value: &str) -> Option<Range<usize>> {
    let start = rest.len() - value.len();
    let escapes = value.len() - value.trim_start_matches('\\').len();
    let inner = value.get(escapes..)?;
    let quote = inner.chars().next().filter(|one| matches!(one, '"' | '\''));
    let Some(quote) = quote else {
        let end = value.find(|one: char| one.is_whitespace() || ",;&\"'<>".contains(one));
        return Some(start..start + end.unwrap_or(value.len()));
    };
    let open = start + escapes + 1;
    let inner = rest.get(open..)?;
    // The closing quote has as many backslashes before it as the opening one.
    let mut behind = 0;
    for (at, one) in inner.char_indices() {
        if one == '\\' {
            behind += 1;
        } else {
            if one == quote && behind == escapes {
                return Some(open..open + at - escapes);
            }
            behind = 0;
        }
    }
    Some(open..rest.len())
}

/// `DOMAIN\user:password` and `user@domain.tld:password`.
fn log_ons(text: &str) -> Vec<Range<usize>> {
    let name = |word: &str| {
        !word.is_empty() && word.chars().all(|one| one.is_alphanumeric() || "._-$".contains(one))
    };
    let part = |one: char| !(one.is_whitespace() || "\"'`,;<>()=".contains(one));
    words(text, part)
        .filter_map(|(start, word)| {
            let (user, password) = word.split_once(':')?;
            let known = match user.split_once('@') {
                Some((user, domain)) => name(user) && name(domain) && domain.contains('.'),
                None => user.split_once('\\').is_some_and(|(domain, user)| {
                    name(domain) && name(user.trim_start_matches('\\'))
                }),
            };
            // The value may contain characters that end a word here.
            let from = start + word.len() - password.len();
            let line = text.get(from..).unwrap_or_default();
            let end = line.find(|one: char| one.is_whitespace() || "\"'`".contains(one));
            (known && !password.is_empty()).then(|| from..from + end.unwrap_or(line.len()))
        })
        .collect()
}

/// The longest runs of such characters, with where they begin.
fn words(text: &str, part: impl Fn(char) -> bool) -> impl Iterator<Item = (usize, &str)> {
    text.split(move |one| !part(one))
        .filter(|word| !word.is_empty())
        .map(move |word| (word.as_ptr().addr() - text.as_ptr().addr(), word))
}
