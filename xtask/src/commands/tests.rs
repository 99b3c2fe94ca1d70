use std::process::Command;

use super::*;

const MAKEFILE: &str = "\ntest:\n";
const CODE: &str = r#"fn f() { print("next: kubectl gmsa status -n {}"); }"#;
const STATUS: &str =
    "- command: kubectl gmsa status -n *\n  run: kubectl gmsa status -n a\n  gives: b\n";
const TESTS: [(&str, &str, &str); 2] = [
    ("documentation", "every_command_works", ""),
    ("commands", "every_line_has_the_effect_that_is_promised", ""),
];

/// A repository with some code and some entries.
struct Repository(tempfile::TempDir);

impl Repository {
    fn new(files: &[(&str, &str)]) -> Self {
        let repository = Self(tempfile::tempdir().unwrap());
        let git = Command::new("git").args(["init", "-q"]).current_dir(&repository.0).status();
        assert!(git.unwrap().success());
        repository.write("Makefile", MAKEFILE);
        for (file, test, body) in TESTS {
            let path = format!("crates/kubectl-gmsa/tests/it/{file}.rs");
            repository.write(&path, &format!("#[test]\nfn {test}() {{{body}}}\n"));
        }
        for (path, text) in files {
            repository.write(path, text);
        }
        repository
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn complaints(&self) -> Vec<String> {
        complaints(self.0.path()).unwrap()
    }
}

#[test]
fn a_new_command_without_an_entry_fails_wherever_it_is_named() {
    let places = [
        ("crates/kubectl-gmsa/src/new.rs", r#"const A: &str = "x: kubectl gmsa audit -n {name}";"#),
        ("crates/kubectl-gmsa/src/a/b.rs", "fn f() { g(\"Run `kubectl gmsa audit -n {name}`\") }"),
        ("docs/new.md", "Run `kubectl gmsa audit -n X`.\n"),
        ("docs/runbooks.md", "```text\n$ kubectl gmsa audit -n X\n```\n"),
        ("README.md", "- `kubectl gmsa\n  audit -n X`\n"),
        ("charts/gmsa/templates/NOTES.txt", "  kubectl gmsa audit -n {{ .Release.Namespace }}\n"),
        ("deploy/monitoring/alerts.yaml", "    description: \"run `kubectl gmsa audit -n X`.\"\n"),
        ("examples/pod.yaml", "# Then: kubectl gmsa audit -n X\n"),
        ("xtask/src/demo/page.rs", r#"const A: &str = "see kubectl gmsa audit -n X";"#),
    ];
    for (path, text) in places {
        let files = [
            ("crates/kubectl-gmsa/src/lib.rs", CODE),
            ("docs/commands.yaml", STATUS),
            (path, text),
        ];
        let found = Repository::new(&files).complaints();
        let expected = format!(
            "{path}: no entry of docs/commands.yaml says how `kubectl gmsa audit -n X` is run"
        );
        assert_eq!(found, [expected]);
    }
}

#[test]
fn an_entry_must_be_needed_and_say_what_is_seen() {
    for (entry, why) in [
        (
            "- command: kubectl gmsa status -n *\n  run: kubectl gmsa status -n a\n",
            "nothing says what",
        ),
        (
            "- command: kubectl gmsa status -n *\n  run: kubectl gmsa audit -n a\n  gives: b\n",
            "form",
        ),
        ("- command: kubectl gmsa status -n *\n  marked: windows\n  example: a\n", "without a why"),
        ("- command: kubectl gmsa status -n *\n  marked: windows\n  why: a\n", "no example"),
        ("- command: kubectl gmsa status -n *\n", "one of test, run and marked"),
        (
            "- command: kubectl gmsa status -n *\n  test: kubectl-gmsa::commands::gone\n",
            "there is no test kubectl-gmsa::commands::gone",
        ),
        (
            "- command: kubectl gmsa status -n *\n  \
             test: kubectl-gmsa::documentation::every_command_works\n",
            "does not run status -n",
        ),
        (
            "- command: kubectl gmsa status -n *\n  run: kubectl gmsa status -n a\n  gives: b\n\
          - command: kubectl gmsa audit\n  run: kubectl gmsa audit\n  gives: b\n",
            "nothing prints",
        ),
    ] {
        let files = [("crates/kubectl-gmsa/src/lib.rs", CODE), ("docs/commands.yaml", entry)];
        let found = Repository::new(&files).complaints();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found.concat().contains(why), "{found:?} does not say {why:?}");
    }
}

#[test]
fn the_table_counts_and_shows_how() {
    let entries = format!(
        "{STATUS}- command: Get-KdsRootKey\n  marked: windows\n  why: needs it\n  example: Get-KdsRootKey\n"
    );
    let repository = Repository::new(&[
        ("crates/kubectl-gmsa/src/lib.rs", CODE),
        ("docs/a.md", "`Get-KdsRootKey`\n\n```sh\nkubectl gmsa version\n```\n"),
        ("docs/commands.yaml", &entries),
    ]);
    assert_eq!(repository.complaints(), [""; 0]);
    let page = page(repository.0.path()).unwrap();
    for text in [
        "\n3 commands:\n\n- 2 are run: 1 as a line",
        "- 1 are marked, because they cannot be run on the machine of a test: 1 windows.\n",
        "| `kubectl gmsa status -n X` | runs as `kubectl gmsa status -n a`, prints `b` |\n",
        "| `Get-KdsRootKey` | windows: needs it |\n",
    ] {
        assert!(page.contains(text), "{page}");
    }
}
