//! What only the administrator of a node can run: the script, and what it printed.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use gmsa_cluster::api::value::text;
use gmsa_core::diagnosis::{Outcome, node};
use gmsa_core::windows::node::{NodeOutput, read as read_output};
use serde_json::Value;

use super::Output;
use crate::failure::Failure;
use crate::output::printer;

/// The script, for Windows PowerShell 5.1.
pub const SCRIPT: &str = include_str!("node/node-checks.ps1");
/// The largest output of a node, in bytes.
const LARGEST: u64 = 16 << 20;

/// Prints the script.
pub fn print() -> Result<u8, Failure> {
    printer::data(SCRIPT)?;
    Ok(0)
}

/// Reads what the script printed on each node.
pub fn read(files: &[PathBuf]) -> Result<Vec<NodeOutput>, Failure> {
    if files.iter().filter(|file| file.as_os_str() == "-").count() > 1 {
        let words =
            "failed to read the output of a node: standard input can have only that of one node";
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
mod tests;
