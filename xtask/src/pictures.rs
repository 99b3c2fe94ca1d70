//! The pictures of the documents, made from real runs: terminal output as SVG, and screenshots of the
//! report.
//!
//! The output of `review` needs no cluster, so it is compared like any generated file. The others come
//! from a test on a real API server and Chromium; `docs/pictures/sources.txt` holds the hashes of the
//! sources that they show, and that is what is compared.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anstyle_svg::Term;
use anyhow::{Context as _, Result, anyhow, bail};
use aws_lc_rs::digest::{SHA256, digest};

use crate::file::{Generated, file};
use crate::{output, tree};

/// Where the pictures are.
const PICTURES: &str = "docs/pictures";
/// How many characters a line of the terminal has.
const COLUMNS: usize = 110;

/// Sources of the screenshots: when one of these changes, they are taken again.
const SOURCES: [&str; 6] = [
    "crates/kubectl-gmsa/src/commands/access/table.rs",
    "crates/kubectl-gmsa/src/commands/audit/table.rs",
    "crates/kubectl-gmsa/src/commands/report/html.rs",
    "crates/kubectl-gmsa/src/commands/report/map.rs",
    "crates/kubectl-gmsa/src/commands/report/page.rs",
    "crates/kubectl-gmsa/src/commands/report/style.css",
];
/// The outputs that the test records, by name, with the command that is shown above each.
const RECORDED: [(&str, &str); 2] =
    [("access", "kubectl gmsa access"), ("audit", "kubectl gmsa audit -n default")];

/// The picture of `kubectl gmsa review -f examples/`.
pub fn review(root: &Path) -> Result<Generated> {
    std::env::set_current_dir(root)
        .with_context(|| format!("failed to change to {}", root.display()))?;
    let shown = kubectl_gmsa::review_on_a_terminal(Path::new("examples/"))
        .map_err(|error| anyhow!("failed to review examples/: {error}"))?;
    let svg = terminal("kubectl gmsa review -f examples/", &shown);
    Ok(file(format!("{PICTURES}/review.svg"), svg))
}

/// A terminal after a command.
fn terminal(command: &str, output: &str) -> String {
    let screen = format!("\u{1b}[1m$ {command}\u{1b}[0m\n{output}");
    let svg = Term::new().render_svg(&wrapped(&screen, COLUMNS));
    format!("{}\n", svg.trim_end())
}

/// Lines wrapped at the width of the terminal; escape sequences have no width.
fn wrapped(text: &str, columns: usize) -> String {
    let mut wrapped = String::new();
    for line in text.lines() {
        let (mut column, mut escape) = (0, false);
        // The text after a carriage return replaces the text before it, such as a count.
        let line = line.rsplit('\r').next().unwrap_or_default();
        for character in line.trim_end().chars() {
            if escape {
                escape = !character.is_ascii_alphabetic();
            } else if character == '\u{1b}' {
                escape = true;
            } else {
                if column == columns {
                    wrapped.push('\n');
                    column = 0;
                }
                column += 1;
            }
            wrapped.push(character);
        }
        wrapped.push('\n');
    }
    wrapped
}

/// Says when the pictures of the test are older than what they show.
pub fn complaints(root: &Path) -> Result<Vec<String>> {
    let kept = tree::read(&root.join(PICTURES).join("sources.txt")).unwrap_or_default();
    let current = kept == sources(root)?;
    Ok((!current)
        .then(|| {
            format!(
                "{PICTURES} is older than what it shows; run `cargo xtask generate`, which \
                     takes a control plane and Chromium"
            )
        })
        .into_iter()
        .collect())
}

/// The sources with their hashes.
fn sources(root: &Path) -> Result<String> {
    let mut text = String::new();
    for source in SOURCES {
        let hash = digest(&SHA256, tree::read(&root.join(source))?.as_bytes());
        for byte in hash.as_ref() {
            let _ = write!(text, "{byte:02x}");
        }
        let _ = writeln!(text, "  {source}");
    }
    Ok(text)
}

/// Takes the pictures of the test again if what they show has changed.
pub fn take(root: &Path) -> Result<()> {
    if complaints(root)?.is_empty() {
        return Ok(());
    }
    let taken = root.join("target/pictures");
    fs::create_dir_all(&taken).with_context(|| format!("failed to make {}", taken.display()))?;
    let status = Command::new("cargo")
        // The whole workspace, with the features of its tests, to reuse the existing build.
        .args(["test", "--quiet", "--workspace", "--features", "gmsa-webhook/otlp", "--test", "it"])
        .args(["pictures::", "--", "--nocapture"])
        .env("CI", "true")
        .env("GMSA_PICTURES", &taken)
        .current_dir(root)
        .status()
        .context("failed to run cargo test")?;
    if !status.success() {
        bail!("the test that takes the pictures ended with {status}");
    }
    let pictures = root.join(PICTURES);
    for (name, command) in RECORDED {
        let recorded = tree::read(&taken.join(format!("{name}.txt")))?;
        write(&pictures.join(format!("{name}.svg")), terminal(command, &recorded).as_bytes())?;
    }
    for scheme in ["light", "dark"] {
        let name = format!("report-{scheme}.png");
        let from = taken.join(&name);
        let picture =
            fs::read(&from).with_context(|| format!("failed to read {}", from.display()))?;
        write(&pictures.join(name), &picture)?;
    }
    write(&pictures.join("sources.txt"), sources(root)?.as_bytes())?;
    output::line(format_args!("took the pictures in {PICTURES}"))
}

fn write(path: &Path, content: &[u8]) -> Result<()> {
    fs::write(path, content).with_context(|| format!("failed to write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::{terminal, wrapped};

    #[test]
    fn lines_end_where_the_terminal_does_and_colours_take_no_room() {
        assert_eq!(wrapped("abcdef\nab   \n", 4), "abcd\nef\nab\n");
        assert_eq!(wrapped("\r2 pods\r\u{1b}[Kab\n", 4), "\u{1b}[Kab\n");
        assert_eq!(wrapped("\u{1b}[1;31mabcd\u{1b}[0mef", 4), "\u{1b}[1;31mabcd\u{1b}[0m\nef\n");
    }

    #[test]
    fn a_terminal_shows_the_command_and_its_output() {
        let svg = terminal("kubectl gmsa version", "\u{1b}[31mdenied\u{1b}[0m <a>\n");
        assert!(svg.starts_with("<svg ") && svg.contains("version") && svg.contains("denied"));
        assert!(svg.contains("&lt;a&gt;") && !svg.contains('\u{1b}'), "{svg}");
    }
}
