use super::*;

/// What opens and closes outside of quotes, and whether quotes are closed.
fn is_balanced(script: &str) -> bool {
    let mut open = Vec::new();
    let mut quoted = false;
    for character in script.chars() {
        match character {
            '\'' => quoted = !quoted,
            _ if quoted => {}
            '(' | '{' | '[' => open.push(character),
            ')' | '}' | ']' => {
                let opener = match character {
                    ')' => '(',
                    '}' => '{',
                    _ => '[',
                };
                if open.pop() != Some(opener) {
                    return false;
                }
            }
            _ => {}
        }
    }
    !quoted && open.is_empty()
}

#[test]
fn the_check_of_the_syntax_can_fail() {
    for (script, expected) in [
        ("if ($a) { 'it)' }", true),
        ("if ($a { }", false),
        ("'open", false),
        ("( ]", false),
        ("a }", false),
    ] {
        assert_eq!(is_balanced(script), expected, "{script}");
    }
}

#[test]
fn the_script_is_balanced_has_an_end_and_passes_command_lines() {
    for tries in [1, TRIES, u16::MAX] {
        let command = command(tries);
        let (script, start) = command.split_last().unwrap();
        assert_eq!(start, ["powershell.exe", "-NoProfile", "-NonInteractive", "-Command"]);
        assert!(is_balanced(script), "{script}");
        assert!(script.contains(&format!("$restarts -ge {tries})")), "{script}");
        assert!(script.ends_with("exit 0") && script.contains("/query"), "{script}");
        // Runtimes quote arguments with it, and Kubernetes expands $(NAME).
        for bad in ["\"", "$(", "\n", "TRIES", "SOURCE", "%"] {
            assert!(!script.contains(bad), "{bad} in {script}");
        }
        assert!(is_ours(command.iter().map(String::as_str)));
    }
    assert!(!is_ours(["powershell.exe", "-command", "Restart-Service netlogon"].into_iter()));
}

#[test]
fn every_statement_is_separated_from_the_next() {
    let command = command(TRIES);
    let script = command.last().unwrap();
    // On one line nothing but a semicolon or a bracket separates statements.
    for statement in
        ["$ErrorActionPreference", "$restarts = 0", "$done = $false", "$said =", "exit 0"]
    {
        let place = script.find(statement).unwrap();
        let before = script[..place].trim_end();
        assert!(before.is_empty() || before.ends_with([';', '{']), "{statement}: {before}");
    }
}
