//! The plugin runs wherever kubectl does, and not every change is compiled for Windows: what
//! only Unix has must be behind a `cfg`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::tree;

/// The crates that the plugin consists of.
const CRATES: [&str; 4] = ["gmsa-core", "gmsa-cluster", "gmsa-directory", "kubectl-gmsa"];
/// Crates, and modules of the standard library and of tokio, that only Unix has.
const UNIX: [&str; 4] = ["unix", "libc", "nix", "rustix"];

/// Names every file of the plugin that uses what only Unix has without saying so.
pub fn complaints(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for name in CRATES {
        let sources = root.join("crates").join(name).join("src");
        for file in ["lib.rs", "main.rs"] {
            if sources.join(file).is_file() {
                read(root, &sources.join(file), &sources, &mut found)?;
            }
        }
    }
    Ok(found)
}

/// Reads a file and those of its modules, which stand in the given directory.
fn read(root: &Path, file: &Path, below: &Path, found: &mut Vec<String>) -> Result<()> {
    let tokens: TokenStream = tree::read(file)?
        .parse()
        .map_err(|error| anyhow::anyhow!("{error}"))
        .with_context(|| format!("failed to parse {}", file.display()))?;
    let mut contents = Contents::default();
    contents.take(tokens);
    let shown = tree::shown(root, file);
    found.extend(contents.unguarded.iter().map(|name| {
        format!("{shown}: `{name}` is only on Unix; put it behind `#[cfg(unix)]`, for the plugin on Windows")
    }));
    for child in contents.children {
        let inner = below.join(&child);
        let candidates: [PathBuf; 2] = [below.join(format!("{child}.rs")), inner.join("mod.rs")];
        if let Some(file) = candidates.iter().find(|file| file.is_file()) {
            read(root, file, &inner, found)?;
        }
    }
    Ok(())
}

/// What a file holds outside of `#[cfg(unix)]` and `#[cfg(test)]`.
#[derive(Default)]
struct Contents {
    children: Vec<String>,
    unguarded: Vec<String>,
}

impl Contents {
    fn take(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut rest = tokens.as_slice();
        while let [first, after @ ..] = rest {
            rest = after;
            match (first, after) {
                (TokenTree::Punct(hash), [TokenTree::Group(attribute), after @ ..])
                    if hash.as_char() == '#' =>
                {
                    rest = if excludes(&attribute.stream()) { past_item(after) } else { after };
                }
                // `cfg!(unix)`: both branches are compiled everywhere.
                (
                    TokenTree::Ident(name),
                    [TokenTree::Punct(_), TokenTree::Group(_), after @ ..],
                ) if name == "cfg" => {
                    rest = after;
                }
                (TokenTree::Ident(word), [TokenTree::Ident(name), TokenTree::Punct(end), ..])
                    if word == "mod" && end.as_char() == ';' =>
                {
                    self.children.push(name.to_string());
                }
                (TokenTree::Ident(name), _) if UNIX.iter().any(|unix| name == unix) => {
                    self.unguarded.push(name.to_string());
                }
                (TokenTree::Group(group), _) => self.take(group.stream()),
                _ => {}
            }
        }
    }
}

/// Whether an attribute leaves its item out of the plugin for Windows.
fn excludes(attribute: &TokenStream) -> bool {
    let words = attribute.to_string();
    let names = ["unix", "target_os", "target_family", "test"];
    let is =
        |name: &str| words.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == name);
    is("cfg") && !is("not") && names.into_iter().any(is)
}

/// What follows an item, a statement or a block: after its semicolon or its braces.
fn past_item(tokens: &[TokenTree]) -> &[TokenTree] {
    let end = tokens.iter().position(|token| match token {
        TokenTree::Punct(punct) => punct.as_char() == ';',
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        _ => false,
    });
    end.and_then(|end| tokens.get(end + 1..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unguarded(text: &str) -> Vec<String> {
        let mut contents = Contents::default();
        contents.take(text.parse().unwrap());
        contents.unguarded
    }

    #[test]
    fn what_only_unix_has_is_seen_unless_it_is_guarded() {
        for text in [
            "use std::os::unix::fs::PermissionsExt as _;",
            "use std::os::{fd::AsFd, unix::net};",
            "fn f() { let x = tokio::signal::unix::signal(kind); }",
            "fn f() { #[cfg(not(unix))] { std::os::unix::g(); } }",
            "#[cfg(unix)] fn f() {} fn g() { libc::exit(1) }",
            "fn f() { vec![nix::unistd::getuid()] }",
        ] {
            assert_eq!(unguarded(text).len(), 1, "{text}");
        }
        for text in [
            "#[cfg(unix)] use std::os::unix::fs::PermissionsExt as _;",
            "#[cfg(unix)] #[allow(x)] fn f() -> R { std::os::unix::g() }",
            "fn f() { #[cfg(unix)] { std::os::unix::g(); } other(); }",
            "#[cfg(all(unix, not_mac))] mod kinit { use libc::kill; }",
            "#[cfg(target_os = \"linux\")] mod a;",
            "fn f() -> bool { cfg!(unix) }",
            "fn f(unix_time: u64) -> u64 { unix_time }",
            "#[cfg(test)] mod tests { use std::os::unix::fs; }",
        ] {
            assert_eq!(unguarded(text), Vec::<String>::new(), "{text}");
        }
    }
}
