//! Circles between the modules of a crate: two modules that need each other cannot be read, tested
//! or moved one at a time.
//!
//! For each module, its children are compared. One child needs another if any file of its subtree
//! names an item that is defined in the other's subtree: in a `use`, in a path in the code, or in a
//! path inside a macro call. A name that a module only passes on (`use` or `pub use`) counts as the
//! place where it is defined, so re-exports hide nothing. These needs must not form a circle.
//!
//! A module and its own descendants are one subject: a parent that re-exports or calls its child,
//! and a child that uses a type of its parent, are not a circle. Left out are `tests` directories and
//! modules under `#[cfg(test)]`, which may use everything.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, UseTree};

use crate::tree;

/// How many re-exports are followed from a name to its definition.
const HOPS: usize = 16;

/// A module: its names from the crate's root on, which itself has none.
type Module = Vec<String>;

/// The contents of one file.
#[derive(Default)]
struct Contents {
    /// Imported names, with their paths as written.
    aliases: BTreeMap<String, Vec<String>>,
    /// Every path that is written.
    paths: BTreeSet<Vec<String>>,
}

/// The modules of one crate.
type Modules = BTreeMap<Module, Contents>;

/// Names every circle in the crates below `crates/` and in `xtask`.
pub fn complaints(root: &Path) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for manifest in tree::files(root, "toml")? {
        let Some(directory) = manifest.parent() else { continue };
        for name in ["lib.rs", "main.rs"] {
            let file = directory.join("src").join(name);
            if manifest.ends_with("Cargo.toml") && file.is_file() {
                let mut modules = Modules::new();
                read(&file, &directory.join("src"), &Module::new(), &mut modules)?;
                let shown = tree::shown(root, directory).to_string();
                complaints.extend(circles(&modules).iter().map(|one| format!("{shown}: {one}")));
            }
        }
    }
    Ok(complaints)
}

/// Reads a file and its modules, which are in the given directory.
fn read(file: &Path, below: &Path, module: &Module, modules: &mut Modules) -> Result<()> {
    let text = tree::read(file)?;
    let parsed =
        syn::parse_file(&text).with_context(|| format!("failed to parse {}", file.display()))?;
    let mut reader = Reader { contents: Contents::default(), children: Vec::new() };
    reader.visit_file(&parsed);
    let Reader { contents, children } = reader;
    modules.insert(module.clone(), contents);
    for child in children {
        let inner = below.join(&child);
        let candidates: [PathBuf; 2] = [below.join(format!("{child}.rs")), inner.join("mod.rs")];
        let Some(file) = candidates.iter().find(|file| file.is_file()) else { continue };
        let mut module = module.clone();
        module.push(child);
        read(file, &inner, &module, modules)?;
    }
    Ok(())
}

struct Reader {
    contents: Contents,
    children: Vec<String>,
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes: &[Attribute] = match item {
            Item::Mod(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            _ => &[],
        };
        if !attributes.iter().any(is_for_tests) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if item.content.is_none() {
            self.children.push(item.ident.to_string());
        }
        visit::visit_item_mod(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.contents.take(&item.tree, &mut Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.contents.paths.insert(names);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.contents.take_tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }
}

fn is_for_tests(attribute: &Attribute) -> bool {
    let is_cfg = attribute.path().is_ident("cfg");
    is_cfg && attribute.parse_args::<syn::Ident>().is_ok_and(|name| name == "test")
}

impl Contents {
    fn take(&mut self, tree: &UseTree, before: &mut Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.take(&path.tree, before);
                before.pop();
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.take(tree, before);
                }
            }
            UseTree::Name(name) => self.alias(name.ident.to_string(), None, before),
            UseTree::Rename(name) => {
                self.alias(name.ident.to_string(), Some(name.rename.to_string()), before);
            }
            UseTree::Glob(_) => {
                self.paths.insert(before.clone());
            }
        }
    }

    fn alias(&mut self, name: String, renamed: Option<String>, before: &[String]) {
        let mut path = before.to_vec();
        if name != "self" {
            path.push(name);
        }
        let Some(last) = path.last().cloned() else { return };
        // `use name;` adds nothing.
        if path.len() > 1 || renamed.is_some() {
            self.aliases.insert(renamed.unwrap_or(last), path.clone());
        }
        self.paths.insert(path);
    }

    /// Takes the paths of what a macro is called with: names joined by `::`.
    fn take_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    if colons != 2 {
                        self.paths.insert(std::mem::take(&mut path));
                    }
                    path.push(name.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    self.paths.insert(std::mem::take(&mut path));
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.take_tokens(group.stream());
                    }
                }
            }
        }
        self.paths.insert(path);
    }
}

/// The module in which what a path means in a module is defined; none if that is another crate's.
fn definition(modules: &Modules, from: &Module, path: &[String], hops: usize) -> Option<Module> {
    let contents = modules.get(from)?;
    let (first, rest) = path.split_first()?;
    let hops = hops.checked_sub(1)?;
    match first.as_str() {
        "crate" => return within(modules, &Vec::new(), rest, hops),
        "self" => return within(modules, from, rest, hops),
        "super" => {
            let (_, parent) = from.split_last()?;
            return match rest.first().map(String::as_str) {
                Some("super") => definition(modules, &parent.to_vec(), rest, hops),
                _ => within(modules, &parent.to_vec(), rest, hops),
            };
        }
        _ => {}
    }
    let child = child(from, first);
    if modules.contains_key(&child) {
        return within(modules, &child, rest, hops);
    }
    let mut meant = contents.aliases.get(first)?.clone();
    meant.extend_from_slice(rest);
    definition(modules, from, &meant, hops)
}

/// The same for a path that begins in the module.
fn within(modules: &Modules, module: &Module, path: &[String], hops: usize) -> Option<Module> {
    let contents = modules.get(module)?;
    let Some((first, rest)) = path.split_first() else { return Some(module.clone()) };
    let hops = hops.checked_sub(1)?;
    let child = child(module, first);
    if modules.contains_key(&child) {
        return within(modules, &child, rest, hops);
    }
    if contents.aliases.contains_key(first) {
        return definition(modules, module, path, hops);
    }
    Some(module.clone())
}

fn child(module: &Module, name: &str) -> Module {
    let mut child = module.clone();
    child.push(name.to_owned());
    child
}

/// Which child of a module needs which, each with one use that shows it.
type Needs = BTreeMap<Module, BTreeMap<String, BTreeMap<String, String>>>;

fn needs(modules: &Modules) -> Needs {
    let mut needs = Needs::new();
    for (module, contents) in modules {
        for path in &contents.paths {
            let Some(defined) = definition(modules, module, path, HOPS) else { continue };
            let shared =
                module.iter().zip(&defined).take_while(|(one, other)| one == other).count();
            // A module and its descendants are one subject.
            let (Some(user), Some(other)) = (module.get(shared), defined.get(shared)) else {
                continue;
            };
            let parent: Module = module.iter().take(shared).cloned().collect();
            let shown = format!("{} uses {}", module.join("::"), path.join("::"));
            let of_parent = needs.entry(parent).or_default();
            of_parent.entry(user.clone()).or_default().entry(other.clone()).or_insert(shown);
        }
    }
    needs
}

fn circles(modules: &Modules) -> Vec<String> {
    let mut found = Vec::new();
    for (parent, needs) in needs(modules) {
        let mut told: BTreeSet<&String> = BTreeSet::new();
        for start in needs.keys() {
            if told.contains(start) {
                continue;
            }
            let Some(circle) = circle(&needs, start) else { continue };
            told.extend(circle.iter().copied());
            let next = circle.iter().skip(1).chain(circle.first());
            let steps: Vec<&str> = circle
                .iter()
                .zip(next)
                .filter_map(|(user, used)| needs.get(*user)?.get(*used).map(String::as_str))
                .collect();
            let place = if parent.is_empty() { "the crate" } else { &parent.join("::") };
            let names = circle.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
            found.push(format!("circle in {place} between {names}: {}", steps.join("; ")));
        }
    }
    found
}

/// The shortest way from a child back to itself.
fn circle<'a>(
    needs: &'a BTreeMap<String, BTreeMap<String, String>>,
    start: &'a String,
) -> Option<Vec<&'a String>> {
    let mut ways: Vec<Vec<&String>> = vec![vec![start]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for used in
                way.last().and_then(|last| needs.get(*last)).into_iter().flat_map(BTreeMap::keys)
            {
                if used == start {
                    return Some(way);
                }
                if seen.insert(used) {
                    let mut way = way.clone();
                    way.push(used);
                    longer.push(way);
                }
            }
        }
        ways = longer;
    }
    None
}

#[cfg(test)]
mod tests {
    use std::fs;

    /// The circles of a crate with these files.
    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("Cargo.toml"), "").unwrap();
        for (name, text) in files {
            let path = directory.path().join("src").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        super::complaints(directory.path()).unwrap()
    }

    #[test]
    fn two_modules_that_need_each_other_are_named_with_the_uses() {
        let circles = found(&[
            ("lib.rs", "mod one; mod other;"),
            ("one.rs", "use crate::other::Thing; pub struct Way;"),
            ("other.rs", "pub struct Thing; fn f() { let _ = super::one::Way; }"),
        ]);
        assert_eq!(
            circles,
            [": circle in the crate between one, other: one uses crate::other::Thing; other uses \
              super::one::Way"]
        );
    }

    #[test]
    fn a_circle_is_seen_through_re_exports_macros_and_deeper_files() {
        for (name, lib, one, other) in [
            (
                "re-export",
                "mod one; mod other; pub use one::Way;",
                "use crate::other::Thing; pub struct Way;",
                "pub struct Thing; fn f(_: crate::Way) {}",
            ),
            (
                "macro",
                "mod one; mod other;",
                "pub struct Way; fn f() { vec![crate::other::Thing]; }",
                "pub struct Thing; use crate::one::Way;",
            ),
            (
                "qualified",
                "mod one; mod other;",
                "use super::other; pub fn f() { other::g() }",
                "use super::one; pub fn g() { one::f() }",
            ),
        ] {
            assert_eq!(
                found(&[("lib.rs", lib), ("one.rs", one), ("other.rs", other)]).len(),
                1,
                "{name}"
            );
        }
        let deeper = found(&[
            ("lib.rs", "mod one; mod other;"),
            ("one.rs", "mod inner; pub struct Way;"),
            ("one/inner.rs", "use crate::other::Thing;"),
            ("other.rs", "use crate::one::Way; pub struct Thing;"),
        ]);
        assert_eq!(deeper.len(), 1, "{deeper:?}");
    }

    #[test]
    fn what_is_one_subject_or_a_test_is_no_circle() {
        for files in [
            // A parent and its child.
            vec![
                ("lib.rs", "mod one;"),
                ("one.rs", "mod inner; pub use inner::Thing; pub struct Way;"),
                ("one/inner.rs", "use super::Way; pub struct Thing;"),
            ],
            // One direction.
            vec![
                ("lib.rs", "mod one; mod other;"),
                ("one.rs", "use crate::other::Thing;"),
                ("other.rs", "pub struct Thing;"),
            ],
            // Tests.
            vec![
                ("lib.rs", "mod one; mod other;"),
                ("one.rs", "use crate::other::Thing; pub struct Way;"),
                ("other.rs", "pub struct Thing; #[cfg(test)] mod tests { use crate::one::Way; }"),
            ],
            // A crate's name.
            vec![
                ("lib.rs", "mod one; mod serde;"),
                ("one.rs", "use other::Thing;"),
                ("serde.rs", "use crate::one::Way;"),
            ],
        ] {
            assert_eq!(found(&files), [] as [&str; 0]);
        }
    }
}
