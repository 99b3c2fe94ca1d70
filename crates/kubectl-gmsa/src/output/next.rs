//! The next step: one line that can be run as it is.

use super::printer;
use crate::cli::shared::ClusterFlags;

/// Prints the next step after what a command has done.
pub fn step(cluster: &ClusterFlags, words: &[&str]) {
    printer::note(&format!("next: {}", line(cluster, words)));
}

/// A command of the plugin for the same cluster, in one line.
pub fn line(cluster: &ClusterFlags, words: &[&str]) -> String {
    let mut line = "kubectl gmsa".to_owned();
    let kubeconfig = cluster.kubeconfig.as_ref().map(|path| path.display().to_string());
    let flags = [("--kubeconfig", kubeconfig), ("--context", cluster.context.clone())];
    let flags = flags.into_iter().filter_map(|(flag, value)| Some([flag.to_owned(), value?]));
    for word in words.iter().map(|word| (*word).to_owned()).chain(flags.flatten()) {
        line.push(' ');
        line.push_str(&quoted(&word));
    }
    line
}

/// The word in single quotes if a shell would read it otherwise.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=@%+".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn the_line_names_the_cluster_that_was_named() {
        let none = ClusterFlags::default();
        assert_eq!(line(&none, &["status"]), "kubectl gmsa status");
        let cluster = ClusterFlags {
            kubeconfig: Some(PathBuf::from("/home/a b/it's")),
            context: Some("arn:aws:eks:eu-1:1:cluster/x".to_owned()),
        };
        assert_eq!(
            line(&cluster, &["status"]),
            "kubectl gmsa status --kubeconfig '/home/a b/it'\\''s' --context \
             arn:aws:eks:eu-1:1:cluster/x"
        );
    }
}
