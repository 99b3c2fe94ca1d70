//! What only the administrator of a node can run: the script, and what it printed.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use gmsa_core::diagnosis::{Outcome, node};
use gmsa_core::windows::node::{NodeOutput, read as read_output};
use serde_json::Value;

use super::Output;
use crate::checks::facts::text;
use crate::failure::Failure;
use crate::output::printer;

/// The script, for Windows PowerShell 5.1.
pub const SCRIPT: &str = include_str!("node/node-checks.ps1");
/// No node says more, in bytes.
const LARGEST: u64 = 16 << 20;

/// Prints the script.
pub fn print() -> Result<u8, Failure> {
    printer::data(SCRIPT)?;
    Ok(0)
}

/// Reads what the script printed on each node.
pub fn read(files: &[PathBuf]) -> Result<Vec<NodeOutput>, Failure> {
    if files.iter().filter(|file| file.as_os_str() == "-").count() > 1 {
        let words = "failed to read the output of a node: standard input holds that of one node";
        return Err(Failure::Input(words.to_owned()));
    }
    files.iter().map(|file| one(file)).collect()
}

fn one(file: &Path) -> Result<NodeOutput, Failure> {
    let shown = match file.to_str() {
        Some("-") => "standard input".to_owned(),
        _ => file.display().to_string(),
    };
    let failed = |why: String| {
        Failure::Input(format!("failed to read the output of a node in {shown}: {why}"))
    };
    let bytes = if file.as_os_str() == "-" {
        bounded(std::io::stdin().lock())
    } else {
        std::fs::File::open(file).and_then(bounded)
    };
    let bytes = bytes.map_err(|error| failed(error.to_string()))?;
    read_output(&bytes).map_err(|error| failed(error.to_string()))
}

fn bounded(from: impl std::io::Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= LARGEST) {
        return Ok(bytes);
    }
    Err(std::io::Error::other("it has more than 16 MiB, which the script never prints"))
}

/// Judges the nodes, against the plug-ins that credential specs name.
pub fn examine(outputs: &[NodeOutput], specs: &[&Value]) -> Vec<Outcome> {
    let plugins: BTreeSet<String> = specs
        .iter()
        .map(|spec| text(spec, "/credspec/ActiveDirectoryConfig/HostAccountConfig/PluginGUID"))
        .filter(|guid| !guid.is_empty())
        .map(str::to_owned)
        .collect();
    let plugins: Vec<String> = plugins.into_iter().collect();
    outputs.iter().flat_map(|output| node::judge(output, &plugins)).collect()
}

/// What was read, for the archive.
pub fn outputs(outputs: &[NodeOutput]) -> impl Iterator<Item = Output> {
    outputs.iter().map(|output| Output {
        name: format!("node/{}.txt", output.computer),
        text: format!("{output:#?}\n"),
    })
}

#[cfg(test)]
mod tests {
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
    fn the_script_holds_nothing_that_5_1_does_not_know() {
        assert!(
            SCRIPT.is_ascii(),
            "5.1 reads a file without a mark in the code page of the machine"
        );
        for line in SCRIPT.lines() {
            for new in [" ?? ", "??=", "?.", "?[", " && ", " || ", " ? ", "-Parallel"] {
                assert!(!line.contains(new), "{line}");
            }
        }
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
}
