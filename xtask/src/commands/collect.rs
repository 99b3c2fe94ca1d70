//! Finds commands: in the string literals of the code, in code spans and blocks of documents, and in
//! the texts of charts and alerts.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::str::FromStr as _;

use anyhow::{Context as _, Result, bail};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A command, and where it was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    /// The command in one line; `X` for what is filled in.
    pub(super) text: String,
    /// The file.
    pub(super) file: String,
    /// Whether backquotes or a line say where it ends.
    pub(super) is_exact: bool,
    /// Whether it is in a block marked `sh`, which a test runs.
    pub(super) run_by_page: bool,
}

/// What a command begins with; `make` and `helm` are words of English too.
const PROGRAMS: [&str; 4] = ["kubectl", "helm", "make", "samba-tool"];
const KUBECTL: [&str; 33] = [
    "annotate",
    "apply",
    "auth",
    "config",
    "cordon",
    "cp",
    "create",
    "debug",
    "delete",
    "describe",
    "diff",
    "drain",
    "edit",
    "exec",
    "explain",
    "expose",
    "get",
    "gmsa",
    "krew",
    "kustomize",
    "label",
    "logs",
    "patch",
    "port-forward",
    "replace",
    "rollout",
    "run",
    "scale",
    "set",
    "taint",
    "top",
    "uncordon",
    "wait",
];
const HELM: [&str; 8] =
    ["install", "upgrade", "uninstall", "test", "template", "get", "rollback", "list"];
/// Programs with the same name for people, so that a flag or a known word must follow.
const OTHERS: [&str; 6] = ["nltest", "klist", "setspn", "w32tm", "nslookup", "openssl"];
const OTHERS_WORDS: [&str; 4] = ["get", "purge", "pkcs7", "DOMAIN."];
/// The verbs of PowerShell's cmdlets that change or ask something of a machine or a domain.
const VERBS: [&str; 10] =
    ["Add", "Get", "Set", "New", "Remove", "Restart", "Test", "Install", "Uninstall", "Reset"];

/// The files of the repository, by their paths from its root.
pub(super) fn files(root: &Path) -> Result<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .context("failed to run git")?;
    if !output.status.success() {
        bail!("failed to list the files with git: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect())
}

/// Every command, each once for a file.
pub(super) fn all(root: &Path) -> Result<BTreeSet<Found>> {
    let makefile = fs::read_to_string(root.join("Makefile")).context("failed to read Makefile")?;
    let mut all = BTreeSet::new();
    for file in files(root)? {
        let Some(kind) = kind(&file) else { continue };
        let Ok(text) = fs::read_to_string(root.join(&file)) else { continue };
        let mut found = Vec::new();
        match kind {
            Kind::Code => {
                let tokens = TokenStream::from_str(&text)
                    .map_err(|error| anyhow::anyhow!("failed to read {file}: {error}"))?;
                literals(tokens, &mut |literal| of_text(&filled_in(literal), &mut found));
            }
            Kind::Document => of_document(&text, &mut found),
            Kind::Template => of_text(&without_actions(&text), &mut found),
        }
        let is_command = |one: &Piece| is_command(&one.text, &makefile) && !is_usage(&one.text);
        all.extend(found.into_iter().filter(is_command).map(|one| Found {
            text: one.text,
            file: file.clone(),
            is_exact: one.is_exact,
            run_by_page: one.run_by_page,
        }));
    }
    Ok(all)
}

enum Kind {
    Code,
    Document,
    Template,
}

/// What a file is read as; none if it prints and suggests nothing. The manual pages say what docs/cli
/// says, and the changelog what was at its time.
fn kind(file: &str) -> Option<Kind> {
    let is_test = file.contains("/tests/") || file.ends_with("tests.rs");
    let extension = Path::new(file).extension().unwrap_or_default();
    if extension == "rs" {
        let is_ours = file.starts_with("crates/") && file.contains("/src/")
            || file.starts_with("xtask/src/demo");
        let is_shown = is_ours && !is_test && !file.starts_with("crates/gmsa-testkit/");
        return is_shown.then_some(Kind::Code);
    }
    if is_test || file == super::PAGE || file == "CHANGELOG.md" {
        return None;
    }
    if extension == "md" {
        return Some(Kind::Document);
    }
    // The guard's messages put together in CEL the commands that a denial of the webhook prints.
    // So do those of the engine.
    let of_policies =
        ["charts/gmsa/guard.json", "charts/gmsa/engine.json", "deploy/guard/", "deploy/engine/"];
    if of_policies.iter().any(|start| file.starts_with(start)) {
        return None;
    }
    let is_shown = ["charts/", "deploy/", "examples/"].iter().any(|start| file.starts_with(start));
    is_shown.then_some(Kind::Template)
}

/// Calls for each string literal outside of tests and of documentation comments.
fn literals(tokens: TokenStream, each: &mut impl FnMut(&str)) {
    let mut tokens = tokens.into_iter().peekable();
    let mut skip_item = false;
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                while let Some(TokenTree::Punct(_)) = tokens.peek() {
                    tokens.next();
                }
                if let Some(TokenTree::Group(group)) = tokens.peek() {
                    let text = group.stream().to_string().replace(' ', "");
                    let is_doc = text.starts_with("doc=");
                    skip_item |= text == "cfg(test)";
                    if is_doc || text == "cfg(test)" {
                        tokens.next();
                    }
                }
            }
            TokenTree::Punct(punct) if punct.as_char() == ';' => skip_item = false,
            TokenTree::Group(group) if skip_item => {
                skip_item = group.delimiter() != Delimiter::Brace;
            }
            TokenTree::Group(group) => literals(group.stream(), each),
            TokenTree::Literal(literal) if !skip_item => {
                if let Ok(literal) = syn::parse_str::<syn::LitStr>(&literal.to_string()) {
                    each(&literal.value());
                }
            }
            _ => {}
        }
    }
}

/// The text of a format string, `X` for each of its arguments.
fn filled_in(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (head, tail) = rest.split_at(at);
        out.push_str(head);
        let doubled = tail.starts_with("{{") || tail.starts_with("}}");
        let end = tail.find('}').filter(|_| tail.starts_with('{') && !doubled);
        rest = if let Some(end) = end {
            out.push('X');
            tail.get(end + 1..).unwrap_or_default()
        } else {
            out.push_str(tail.get(..1).unwrap_or_default());
            tail.get(if doubled { 2 } else { 1 }..).unwrap_or_default()
        };
    }
    out.push_str(rest);
    out
}

/// The text of a template of Helm or Prometheus, `X` for what is filled in.
fn without_actions(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once("{{") {
        out.push_str(head);
        let (action, tail) = tail.split_once("}}").unwrap_or((tail, ""));
        if action.contains('"') {
            // A message within.
            out.push_str(&action.replace("%s", "X").replace("%q", "X"));
        } else if !action.starts_with(['-', '/']) {
            out.push('X');
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

struct Piece {
    text: String,
    is_exact: bool,
    run_by_page: bool,
}

/// The commands of a page in Markdown.
fn of_document(text: &str, found: &mut Vec<Piece>) {
    let mut block: Option<bool> = None;
    let mut prose = String::new();
    let mut line_so_far = String::new();
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(language) = trimmed.strip_prefix("```") {
            block = match block {
                None => Some(language == "sh"),
                Some(_) => None,
            };
            continue;
        }
        let Some(run_by_page) = block else {
            prose.push_str(line);
            prose.push('\n');
            continue;
        };
        if trimmed.starts_with('#') {
            continue;
        }
        line_so_far.push_str(trimmed.trim_end_matches('\\'));
        if trimmed.ends_with('\\') {
            continue;
        }
        let command = words(&line_so_far);
        let command = command.split(" # ").next().unwrap_or_default().to_owned();
        if begins_command(&command) {
            found.push(Piece { text: command, is_exact: true, run_by_page });
        } else {
            of_text(&command, found);
        }
        line_so_far.clear();
    }
    for (_, span) in spans(&prose).filter(|(is_code, _)| *is_code) {
        let command = words(span);
        if begins_command(&command) {
            found.push(Piece { text: command, is_exact: true, run_by_page: false });
        }
    }
}

/// The commands of a text: those in backquotes, and those that end with a clause.
fn of_text(text: &str, found: &mut Vec<Piece>) {
    let text = text.replace("\\\n", " ");
    for (is_code, part) in spans(&text) {
        if is_code {
            let command = words(part);
            if begins_command(&command) {
                found.push(Piece { text: command, is_exact: true, run_by_page: false });
            }
            continue;
        }
        let mut rest = part;
        while let Some(at) = command_in(rest) {
            let tail = rest.get(at..).unwrap_or_default();
            let end = [";", "\n", "\"", ")", " (", ": ", ", ", ". ", "</", " | ", " -> "]
                .iter()
                .filter_map(|end| tail.find(end))
                .min()
                .unwrap_or(tail.len());
            let (command, tail) = tail.split_at(end);
            let text = words(command).trim_end_matches(['.', ':', ',', '?']).to_owned();
            // A line of its own ends where it ends.
            found.push(Piece { text, is_exact: false, run_by_page: false });
            rest = tail;
        }
    }
}

/// Where the next command begins.
fn command_in(text: &str) -> Option<usize> {
    let boundary = |at: usize| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        before.is_none_or(|before| !before.is_alphanumeric() && !"-/._=".contains(before))
    };
    let starts = text.char_indices().map(|(at, _)| at).filter(|at| boundary(*at));
    starts.into_iter().find(|at| {
        let rest = text.get(*at..).unwrap_or_default();
        !rest.starts_with(char::is_whitespace) && begins_command(rest)
    })
}

fn begins_command(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or_default();
    if PROGRAMS.contains(&first) {
        return words.next().is_some();
    }
    if OTHERS.contains(&first) {
        let is_word = |word: &str| word.starts_with(['-', '/']) || OTHERS_WORDS.contains(&word);
        return words.next().is_some_and(is_word);
    }
    let Some((verb, noun)) = first.split_once('-') else { return false };
    let noun =
        noun.split(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or_default();
    VERBS.contains(&verb)
        && noun.len() > 2
        && noun.starts_with(|first: char| first.is_ascii_uppercase())
}

/// Whether it is a line of a synopsis, which says what may be written and not what to write.
fn is_usage(text: &str) -> bool {
    text.contains("[OPTIONS]") || text.contains("<COMMAND>")
}

/// Whether it is one indeed: `make` is with a target, `helm` with a verb.
fn is_command(text: &str, makefile: &str) -> bool {
    let mut words = text.split_whitespace();
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    match first {
        "make" => makefile.contains(&format!("\n{second}:")),
        "helm" => HELM.contains(&second),
        "kubectl" => KUBECTL.contains(&second),
        _ => true,
    }
}

/// The parts of a text within and outside of backquotes.
fn spans(text: &str) -> impl Iterator<Item = (bool, &str)> {
    text.split('`').enumerate().map(|(index, part)| (index % 2 == 1, part))
}

/// In one line with single spaces.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_code(code: &str) -> Vec<(String, bool)> {
        let mut found = Vec::new();
        literals(code.parse().unwrap(), &mut |text| of_text(&filled_in(text), &mut found));
        found.into_iter().map(|piece| (piece.text, piece.is_exact)).collect()
    }

    #[test]
    fn commands_are_found_in_literals_alone() {
        let code = r#"
            /// See `kubectl of a comment`.
            fn f() {
                g("see kubectl get pods -n {namespace}; then `kubectl gmsa status` again");
                format!("{a}{{b}}: run kubectl gmsa grant {} --to {x}/{y}, and more")
            }
            #[command(after_help = "Examples:\n  kubectl gmsa doctor\n  kubectl gmsa access \\\n  -o dot")]
            struct Help;
            #[cfg(test)]
            mod tests { const A: &str = "kubectl of a test"; }
            const B: &str = "Reset it with Test-ComputerSecureChannel -Repair, or ask";
        "#;
        let expected = [
            ("kubectl get pods -n X", false),
            ("kubectl gmsa status", true),
            ("kubectl gmsa grant X --to X/X", false),
            ("kubectl gmsa doctor", false),
            ("kubectl gmsa access -o dot", false),
            ("Test-ComputerSecureChannel -Repair", false),
        ];
        assert_eq!(of_code(code), expected.map(|(text, exact)| (text.to_owned(), exact)));
    }

    #[test]
    fn commands_are_found_in_spans_and_blocks() {
        let page = "Use `kubectl gmsa\nstatus`, not kubectl apply.\n\n```sh\n# Words\nmake test\n\
                    kubectl get a \\\n  -o json # why\n```\n\n```text\n$ kubectl gmsa review -f x\n```\n";
        let mut found = Vec::new();
        of_document(page, &mut found);
        let found: Vec<_> = found.iter().map(|one| (one.text.as_str(), one.run_by_page)).collect();
        assert_eq!(
            found,
            [
                ("make test", true),
                ("kubectl get a -o json", true),
                ("kubectl gmsa review -f x", false),
                ("kubectl gmsa status", false),
            ]
        );
    }

    #[test]
    fn words_of_english_are_no_commands() {
        let makefile = "\ntest: lint\n";
        assert!(!is_command("kubectl alone", makefile));
        assert!(is_command("make test", makefile));
        assert!(!is_command("make it", makefile));
        assert!(!is_command("helm keeps", makefile));
        assert!(begins_command("klist -li 0x3e7 purge"));
        assert!(!begins_command("klist failed with 0x51f"));
        assert!(is_usage("kubectl gmsa doctor [OPTIONS] [POD]"));
        assert!(!is_usage("kubectl gmsa doctor"));
    }
}
