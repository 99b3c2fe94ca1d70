//! `kubectl gmsa completion`, and what kubectl itself asks when Tab is pressed.

mod names;

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap_complete::engine::{CompletionCandidate, complete};

use crate::cli::{self, Completion};
use crate::failure::Failure;
use crate::output::printer;

/// The name under which kubectl looks for the completion of the plugin `gmsa` (kubectl 1.26 and
/// newer).
const KUBECTL_COMPLETE: &str = "kubectl_complete-gmsa";

/// Prints the completion script.
pub fn run(args: &Completion) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut cli::command(), "kubectl-gmsa", &mut script);
    printer::data(&String::from_utf8_lossy(&script))?;
    Ok(0)
}

/// Whether the program was called by kubectl to complete a word.
pub fn is_asked_by_kubectl(program: &OsStr) -> bool {
    Path::new(program).file_stem() == Some(OsStr::new(KUBECTL_COMPLETE))
}

/// Completes the last of the arguments, which follow the program's name.
///
/// Prints what kubectl reads: `VALUE<TAB>DESCRIPTION` on a line each, and at last `:DIRECTIVE`, the
/// number of cobra's `ShellCompDirective` (0: files may follow, 4: they may not, 2 more: no space follows).
pub fn for_kubectl(args: Vec<OsString>) -> Result<u8, Failure> {
    let last = args.len().saturating_sub(1);
    let here = std::env::current_dir().ok();
    let mut command = names::with_names(cli::command(), &args);
    let candidates = complete(&mut command, args, last, here.as_deref()).unwrap_or_default();
    let shown: Vec<_> = candidates.iter().filter(|candidate| !candidate.is_hide_set()).collect();
    let mut lines: String = shown.iter().map(|candidate| line(candidate)).collect();
    // The part behind a slash is completed next.
    let goes_on = |one: &&CompletionCandidate| one.get_value().to_string_lossy().ends_with('/');
    lines.push_str(match (shown.is_empty(), shown.iter().all(goes_on)) {
        (true, _) => ":0\n",
        (false, true) => ":6\n",
        (false, false) => ":4\n",
    });
    printer::data(&lines)?;
    Ok(0)
}

fn line(candidate: &CompletionCandidate) -> String {
    let value = candidate.get_value().to_string_lossy();
    let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
    // One line a candidate, whatever its help is.
    match help.lines().next().map(str::trim).filter(|help| !help.is_empty()) {
        Some(help) => format!("{value}\t{help}\n"),
        None => format!("{value}\n"),
    }
}
