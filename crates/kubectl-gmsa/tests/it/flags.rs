//! Flags as users of kubectl know them.

use crate::support::run_on;
use clap::Command;
use std::path::Path;

/// Every command with its words.
fn commands<'a>(command: &'a Command, words: &str, found: &mut Vec<(String, &'a Command)>) {
    for sub in command.get_subcommands() {
        let words = format!("{words} {}", sub.get_name());
        commands(sub, &words, found);
        found.push((words, sub));
    }
}

#[test]
fn what_is_printed_as_json_is_printed_as_yaml_too() {
    let root = kubectl_gmsa::command();
    let mut all = Vec::new();
    commands(&root, "kubectl gmsa", &mut all);
    let mut seen = 0;
    for (words, command) in &all {
        let Some(output) = command.get_arguments().find(|arg| arg.get_id() == "output") else {
            continue;
        };
        let formats: Vec<String> =
            output.get_possible_values().iter().map(|one| one.get_name().to_owned()).collect();
        assert_eq!(output.get_short(), Some('o'), "{words}");
        if formats.iter().any(|one| one == "json") {
            seen += 1;
            assert!(formats.iter().any(|one| one == "yaml"), "{words}: {formats:?}");
        }
    }
    assert!(seen >= 10, "only {seen} commands print JSON");
}

#[test]
fn flags_of_the_cluster_may_come_before_the_command() {
    let kubeconfig = Path::new("/nonexistent/of-the-environment");
    let flags = ["--kubeconfig", "/nonexistent/given"];
    for words in [&["status"][..], &["credspec", "list"], &["audit"], &["doctor"]] {
        let before = run_on(kubeconfig, &[&flags[..], words].concat());
        let after = run_on(kubeconfig, &[words, &flags].concat());
        assert_eq!(before.code, 3, "{words:?}: {}", before.stderr);
        assert!(before.stderr.contains("/nonexistent/given"), "{words:?}: {}", before.stderr);
        assert_eq!(before.stderr, after.stderr, "{words:?}");
    }
    let ran = run_on(kubeconfig, &["-n", "Bad NS", "audit"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("\"Bad NS\" is not a namespace name"), "{}", ran.stderr);
    let ran = run_on(kubeconfig, &["-n", "shop", "audit", "--from-ad"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("leave --namespace out"), "{}", ran.stderr);
    let ran = run_on(kubeconfig, &["doctor", "deployment/web", "pod/web"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("one pod or workload at a time"), "{}", ran.stderr);
}

#[test]
fn examples_of_the_help_can_be_copied() {
    let root = kubectl_gmsa::command();
    let mut all = Vec::new();
    commands(&root, "kubectl gmsa", &mut all);
    let mut lines = 0;
    for (words, command) in &all {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        for line in help.lines() {
            lines += 1;
            // A longer line is broken on every terminal, and what is copied from there is two commands.
            assert!(line.chars().count() < 100, "{words}: {line}");
        }
    }
    assert!(lines > 100, "only {lines} lines");
}
