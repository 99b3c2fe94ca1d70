use super::SCRIPT;

/// Windows PowerShell 5.1 is not to be had here: this is as far as its grammar goes.
#[test]
fn the_script_is_sound_powershell() {
    let mut parser = tree_sitter::Parser::new();
    parser.set_language(&tree_sitter_powershell::LANGUAGE.into()).unwrap();
    let tree = parser.parse(SCRIPT, None).unwrap();
    let mut open = vec![tree.root_node()];
    while let Some(node) = open.pop() {
        let line = node.start_position().row + 1;
        let words = SCRIPT.lines().nth(line - 1);
        assert!(!node.is_error() && !node.is_missing(), "line {line}: {words:?}");
        let mut cursor = node.walk();
        open.extend(node.children(&mut cursor));
    }
    // The grammar finds faults at all.
    let broken = SCRIPT.replacen("} catch {", "catch {", 1);
    assert!(parser.parse(broken, None).unwrap().root_node().has_error());
}

#[test]
fn the_script_uses_nothing_that_5_1_lacks() {
    assert!(SCRIPT.is_ascii(), "5.1 reads a file without a mark in the code page of the machine");
    for line in SCRIPT.lines() {
        for new in NEWER {
            assert!(!line.contains(new), "{line}");
        }
    }
}

/// Operators, parameters and commands of PowerShell 6 and 7; the last line are commands that these no
/// longer have.
const NEWER: [&str; 25] = [
    " ?? ",
    "??=",
    "?.",
    "?[",
    " && ",
    " || ",
    " ? ",
    "-Parallel",
    "-AsArray",
    "-AsHashtable",
    "-EnumsAsStrings",
    "-EscapeHandling",
    "-SkipHttpErrorCheck",
    "-NoProxy",
    "Get-Error",
    "Join-String",
    "Test-Json",
    "Remove-Service",
    "$IsWindows",
    "$PSStyle",
    "::new(",
    "Get-WmiObject",
    "Get-EventLog",
    "Write-EventLog",
    "Get-Service -ComputerName",
];

/// What Windows PowerShell 5.1 makes of nothing and of lists is settled where sections are made.
#[test]
fn lists_and_values_are_made_in_one_place() {
    // Lists are typed, so that no element or one leaves a list.
    for list in ["accounts", "plugins", "ports"] {
        assert!(SCRIPT.contains(&format!("    {list} = Get-List {{")), "{list}");
    }
    assert!(SCRIPT.contains("$dns = Get-List {"));
    let values: Vec<&str> = SCRIPT.lines().filter(|line| line.contains("value = (&")).collect();
    assert_eq!(values, [""; 0], "the output of a block goes through a variable");
    for line in
        SCRIPT.lines().filter(|line| line.contains("groups = ") || line.contains("offsets = "))
    {
        let typed = line.contains("[object[]]")
            || line.contains("groups = $list")
            || line.contains("groups = @()")
            || line.contains("offsets = $offsets");
        assert!(typed || line.contains("$groups = @{}"), "{line}");
    }
    // The depth of the document, which 5.1 cuts at 2 without a word.
    assert!(SCRIPT.contains("ConvertTo-Json -InputObject $report -Depth 8 -Compress"));
}

#[test]
fn the_script_changes_nothing() {
    let verbs =
        ["Set-", "Remove-", "New-Item", "Restart-", "Stop-", "Install-", "Invoke-", "Reset-"];
    for verb in verbs {
        let mut calls = SCRIPT.split(['\n', '{', '(', ';', '|']).map(str::trim_start);
        assert!(!calls.any(|call| call.starts_with(verb)), "{verb}");
    }
}
