//! Whether a test that is said to run a command does: it exists, it is a test, and it or what it calls
//! has the command's words.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::str::FromStr as _;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A function or constant of the tests.
#[derive(Debug, Default)]
struct Item {
    is_test: bool,
    /// The words of its string literals.
    words: BTreeSet<String>,
    /// The names that it uses.
    names: BTreeSet<String>,
}

/// The items of a file by their names; methods of several types may share one.
type Items = BTreeMap<String, Vec<Item>>;

/// The tests of the repository, read when they are first needed.
#[derive(Default)]
pub(super) struct Tests {
    root: PathBuf,
    files: RefCell<HashMap<PathBuf, Rc<Items>>>,
}

impl Tests {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), files: RefCell::default() }
    }

    /// Why a test, named as `CRATE::FILE::FUNCTION`, cannot be what runs a command: what is wrong with
    /// it, or which of the words it has not. `by` is a name that it uses for the command instead.
    pub(super) fn doubt<'a>(
        &self,
        test: &str,
        words: impl Iterator<Item = &'a str>,
        by: Option<&str>,
    ) -> Option<String> {
        let Some((of, file, function)) = parts(test) else {
            return Some(format!("{test} is not CRATE::FILE::FUNCTION"));
        };
        let directory = self.root.join("crates").join(of).join("tests/it");
        let own = self.items(&directory.join(format!("{file}.rs")));
        let Some(found) = own.get(function) else {
            return Some(format!("there is no test {test}"));
        };
        if !found.iter().any(|item| item.is_test) {
            return Some(format!("{test} is not a test"));
        }
        let mut reach = vec![own.clone()];
        reach.extend(sources(&directory.join("support")).iter().map(|path| self.items(path)));
        if let Some((parent, _)) = file.split_once('/') {
            reach.extend(sources(&directory.join(parent)).iter().map(|path| self.items(path)));
        }
        let (has, uses) = reached(&reach, function);
        if let Some(by) = by {
            let known = uses.contains(by);
            return (!known).then(|| format!("{test} does not use {by}"));
        }
        let missing: Vec<&str> = words.filter(|word| !is_among(word, &has)).collect();
        (!missing.is_empty()).then(|| format!("{test} does not run {}", missing.join(" ")))
    }

    fn items(&self, path: &Path) -> Rc<Items> {
        if let Some(known) = self.files.borrow().get(path) {
            return known.clone();
        }
        let mut items = Items::new();
        if let Ok(text) = fs::read_to_string(path)
            && let Ok(tokens) = TokenStream::from_str(&text)
        {
            read(tokens, &mut items);
        }
        let items = Rc::new(items);
        self.files.borrow_mut().insert(path.to_owned(), items.clone());
        items
    }
}

/// `CRATE::FILE::FUNCTION`, where FILE may have a directory: `remedies::cluster`.
fn parts(test: &str) -> Option<(&str, String, &str)> {
    let (path, function) = test.rsplit_once("::")?;
    let (of, file) = path.split_once("::")?;
    Some((of, file.replace("::", "/"), function))
}

/// The Rust files in a directory.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    files.sort();
    files
}

/// The words and names of a function and of all that it uses.
fn reached(reach: &[Rc<Items>], function: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut words, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut open = vec![function.to_owned()];
    while let Some(name) = open.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        for item in reach.iter().filter_map(|items| items.get(&name)).flatten() {
            // Another test is not called.
            if item.is_test && name != function {
                continue;
            }
            words.extend(item.words.iter().cloned());
            open.extend(item.names.iter().cloned());
        }
    }
    (words, seen)
}

/// Whether a word of a command is among those of a test, which may give a flag's value apart.
fn is_among(word: &str, words: &BTreeSet<String>) -> bool {
    if words.contains(word) {
        return true;
    }
    let Some((flag, value)) = word.split_once('=').filter(|_| word.starts_with('-')) else {
        let with_value = format!("{word}=");
        return word.starts_with("--") && words.iter().any(|known| known.starts_with(&with_value));
    };
    let begins = format!("{flag}={value}");
    words.iter().any(|known| known.starts_with(&begins))
        || words.contains(flag) && (value.is_empty() || words.contains(value))
}

/// Reads the functions and constants of a file, and of the modules and types in it.
fn read(tokens: TokenStream, items: &mut Items) {
    let mut tokens = tokens.into_iter().peekable();
    let mut is_test = false;
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                if let Some(TokenTree::Group(group)) = tokens.peek() {
                    let text = group.stream().to_string().replace(' ', "");
                    is_test |= text == "test" || text.starts_with("tokio::test");
                    tokens.next();
                }
            }
            TokenTree::Ident(keyword)
                if ["fn", "const", "static"].contains(&&*keyword.to_string()) =>
            {
                let Some(TokenTree::Ident(name)) = tokens.peek().cloned() else { continue };
                if name == "fn" {
                    continue;
                }
                tokens.next();
                let mut item = Item { is_test, ..Item::default() };
                is_test = false;
                let is_function = keyword == "fn";
                for token in tokens.by_ref() {
                    match &token {
                        TokenTree::Punct(punct) if punct.as_char() == ';' => break,
                        TokenTree::Group(group)
                            if is_function && group.delimiter() == Delimiter::Brace =>
                        {
                            gather(group.stream(), &mut item);
                            break;
                        }
                        _ => gather(TokenStream::from(token), &mut item),
                    }
                }
                items.entry(name.to_string()).or_default().push(item);
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                read(group.stream(), items);
            }
            _ => {}
        }
    }
}

fn gather(tokens: TokenStream, item: &mut Item) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => gather(group.stream(), item),
            TokenTree::Ident(name) => {
                item.names.insert(name.to_string());
            }
            TokenTree::Literal(literal) => {
                if let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string()) {
                    let text = text.value();
                    let words =
                        text.split(|end: char| end.is_whitespace() || "'\"`()".contains(end));
                    item.words.extend(words.filter(|word| !word.is_empty()).map(str::to_owned));
                }
            }
            TokenTree::Punct(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        const ARGS: [&str; 2] = ["install", "--image=x"];
        fn helper(a: &str) { run(&[a, "--to", "shop/web"]) }
        fn aside() { run("kubectl gmsa revoke x") }
        #[tokio::test(flavor = "multi_thread")]
        async fn grants() { helper("grant"); with_kubectl(); }
        #[test]
        fn installs() { run(&ARGS); format!("--dry-run={mode}"); }
        mod more { impl T { fn not_a_test() {} } }
    "#;

    fn doubt(test: &str, command: &str, by: Option<&str>) -> Option<String> {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("crates/plugin/tests/it");
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("grant.rs"), FILE).unwrap();
        Tests::new(root.path()).doubt(test, command.split_whitespace(), by)
    }

    #[test]
    fn a_test_must_exist_and_run_the_command() {
        let grants = "plugin::grant::grants";
        assert_eq!(doubt(grants, "grant --to", None), None);
        assert_eq!(doubt(grants, "grant", Some("with_kubectl")), None);
        for (test, command, by, why) in [
            (grants, "revoke", None, "plugin::grant::grants does not run revoke"),
            (grants, "grant --new", None, "plugin::grant::grants does not run --new"),
            (grants, "grant", Some("with"), "plugin::grant::grants does not use with"),
            ("plugin::grant::gone", "x", None, "there is no test plugin::grant::gone"),
            ("plugin::other::grants", "x", None, "there is no test plugin::other::grants"),
            ("plugin::grant::aside", "x", None, "plugin::grant::aside is not a test"),
            ("plugin::grant::not_a_test", "x", None, "plugin::grant::not_a_test is not a test"),
            ("grants", "x", None, "grants is not CRATE::FILE::FUNCTION"),
        ] {
            assert_eq!(doubt(test, command, by).as_deref(), Some(why));
        }
    }

    #[test]
    fn a_flag_is_found_with_its_value_within_it_or_after_it() {
        let installs = "plugin::grant::installs";
        assert_eq!(doubt(installs, "install --image --image=x --dry-run=", None), None);
        assert_ne!(doubt(installs, "install --image=y", None), None);
        assert_ne!(doubt(installs, "install --im", None), None);
    }
}
