//! What the real kubectl offers when Tab is pressed after `kubectl gmsa`.

use std::os::unix::fs::symlink;
use std::process::Command;

use gmsa_testkit::tools;

#[test]
fn kubectl_completes_the_plugin() {
    let Some(kubectl) = tools::find("kubectl_completes_the_plugin", "kubectl") else { return };
    let path = tempfile::tempdir().unwrap();
    for name in ["kubectl-gmsa", "kubectl_complete-gmsa"] {
        symlink(env!("CARGO_BIN_EXE_kubectl-gmsa"), path.path().join(name)).unwrap();
    }
    let complete = |words: &[&str]| {
        let ran = Command::new(&kubectl)
            .args(["__complete", "gmsa"])
            .args(words)
            .env("PATH", path.path())
            .env("HOME", path.path())
            .output()
            .unwrap();
        String::from_utf8(ran.stdout).unwrap()
    };
    let commands = complete(&["re"]);
    let mut lines = commands.lines();
    assert_eq!(lines.next(), Some("review\tCheck workloads in files as admission would"));
    assert!(commands.contains("\nrevoke\t"), "{commands}");
    assert!(!commands.contains("\ngrant"), "{commands}");
    assert_eq!(commands.lines().last(), Some(":4"), "{commands}");

    assert!(complete(&["credspec", "cr"]).starts_with("create\t"));
    assert!(complete(&["grant", "--dry"]).starts_with("--dry-run"));
    assert!(complete(&["access", "-o", "mer"]).starts_with("mermaid"));
    assert_eq!(complete(&["nonsense", "x"]).lines().last(), Some(":0"));
}
