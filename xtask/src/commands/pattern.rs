//! The form of a command: `*` is any part of one word, `...` any number of words.

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

    /// Whether a command of this form is part of a line for a shell, which may add words to it.
    pub(super) fn is_in(&self, line: &str) -> bool {
        let longer: Vec<String> = self.0.iter().cloned().chain(["...".to_owned()]).collect();
        line.split(['|', ';', '&'])
            .chain([line])
            .any(|part| matches(&longer, &part.split_whitespace().collect::<Vec<_>>()))
    }

    /// The words after the program that every command of this form has: subcommands and flags.
    pub(super) fn fixed(&self) -> impl Iterator<Item = &str> {
        let is_program = |word: &str| ["kubectl", "gmsa", "helm", "samba-tool"].contains(&word);
        let words = self.0.iter().map(String::as_str).skip_while(move |word| is_program(word));
        words.take_while(|word| !["|", ">"].contains(word)).filter_map(|word| {
            let fixed = word.split('*').next().unwrap_or_default();
            let is_flag = fixed.starts_with('-');
            let is_whole = fixed == word;
            let is_name = fixed.starts_with(|first: char| first.is_ascii_lowercase());
            (is_flag || is_whole && is_name).then_some(fixed)
        })
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
        Some((word, words)) => is_like(first, word) && matches(pattern, words),
        None => false,
    }
}

/// Whether a word is like another in which `*` stands for anything.
fn is_like(like: &str, word: &str) -> bool {
    match like.split_once('*') {
        None => like == word,
        Some((head, like)) => word.strip_prefix(head).is_some_and(|rest| {
            like.is_empty()
                || rest
                    .char_indices()
                    .any(|(at, _)| is_like(like, rest.get(at..).unwrap_or_default()))
        }),
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
        assert!(install.is_in("kubectl gmsa install --yes"));
        assert!(!install.is_in("kubectl gmsa upgrade"));
    }

    #[test]
    fn a_star_stands_for_part_of_a_word() {
        let delete = Pattern::new("kubectl delete pods -l */x=true");
        assert!(delete.covers(&found("kubectl delete pods -l X/x=true", true)));
        assert!(!delete.covers(&found("kubectl delete pods -l X/x=false", true)));
        let flag = Pattern::new("kubectl gmsa upgrade --certificates=*");
        assert!(flag.covers(&found("kubectl gmsa upgrade --certificates=files", true)));
        assert_eq!(flag.fixed().collect::<Vec<_>>(), ["upgrade", "--certificates="]);
        let piped = Pattern::new("kubectl gmsa access X -o dot | dot -Tsvg > a.svg");
        assert_eq!(piped.fixed().collect::<Vec<_>>(), ["access", "-o", "dot"]);
    }
}
