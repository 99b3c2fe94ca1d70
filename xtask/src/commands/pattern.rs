//! The form of a command: `*` is one word, `...` any number of them.

use super::collect::Found;

/// A form.
#[derive(Debug)]
pub(super) struct Pattern(Vec<String>);

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        Self(text.split_whitespace().map(str::to_owned).collect())
    }

    /// Whether the command is of this form. Where nothing says where it ends, words that are none
    /// of a command may follow.
    pub(super) fn covers(&self, found: &Found) -> bool {
        let words: Vec<&str> = found.text.split_whitespace().collect();
        if matches(&self.0, &words) {
            return true;
        }
        let ends = (1..words.len()).rev();
        !found.is_exact
            && ends.into_iter().any(|end| {
                let (head, rest) = words.split_at(end);
                matches(&self.0, head) && is_prose(rest)
            })
    }

    /// Whether a command of this form is part of a line for a shell.
    pub(super) fn is_in(&self, line: &str) -> bool {
        line.split(['|', ';', '&']).map(str::trim).any(|part| {
            let words: Vec<&str> = part.split_whitespace().collect();
            matches(&self.0, &words)
        }) || matches(&self.0, &line.split_whitespace().collect::<Vec<_>>())
    }
}

fn is_prose(rest: &[&str]) -> bool {
    let first = rest.first().copied().unwrap_or_default();
    let is_word = !first.is_empty() && first.chars().all(|letter| letter.is_ascii_lowercase());
    is_word && !rest.iter().any(|word| word.starts_with('-'))
}

fn matches(pattern: &[String], words: &[&str]) -> bool {
    let Some((first, pattern)) = pattern.split_first() else { return words.is_empty() };
    if first == "..." {
        return (0..=words.len())
            .any(|skip| matches(pattern, words.get(skip..).unwrap_or_default()));
    }
    match words.split_first() {
        Some((word, words)) => (first == "*" || first == word) && matches(pattern, words),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, is_exact: bool) -> Found {
        Found { text: text.to_owned(), file: String::new(), is_exact, run_by_page: false }
    }

    #[test]
    fn a_new_flag_or_word_is_not_covered() {
        let grant = Pattern::new("kubectl gmsa grant * --to *");
        assert!(grant.covers(&found("kubectl gmsa grant X --to X/X", true)));
        assert!(!grant.covers(&found("kubectl gmsa grant X --to X/X --new", true)));
        let install = Pattern::new("kubectl gmsa install");
        assert!(install.covers(&found("kubectl gmsa install again", false)));
        assert!(!install.covers(&found("kubectl gmsa install again", true)));
        assert!(!install.covers(&found("kubectl gmsa install --new", false)));
        assert!(!install.covers(&found("kubectl gmsa install then --new", false)));
        assert!(!install.covers(&found("kubectl gmsa install X", false)));
        let any = Pattern::new("kubectl gmsa review ... -f *");
        assert!(any.covers(&found("kubectl gmsa review -o json --cluster -f x", true)));
        assert!(any.is_in("cat x | kubectl gmsa review -f -"));
    }
}
