//! Warnings as API servers pass them on. Each travels in an HTTP header (RFC 7234, 5.5): one with a
//! line break is dropped without a word. If all of them have more than 4,096 characters, each is cut
//! to 256, and what is then too much is dropped.

/// The longest warning, in characters, which are bytes here.
const LONGEST: usize = 256;
/// The length of all warnings together.
const ALL: usize = 4096;
/// Marks an omission.
const CUT: &str = " ...";

/// Makes warnings fit: ASCII without control characters, short enough, each once. If not all do, the
/// last one counts those that are left out.
#[must_use]
pub fn fit(warnings: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    let mut length = 0;
    let mut left_out = 0;
    for warning in warnings {
        let warning = shorten(&ascii(&warning));
        if kept.contains(&warning) {
            continue;
        }
        // Room for the count of further warnings.
        if left_out > 0 || length + warning.len() > ALL - LONGEST {
            left_out += 1;
            continue;
        }
        length += warning.len();
        kept.push(warning);
    }
    if left_out > 0 {
        kept.push(format!("gmsa: {left_out} more warnings are left out"));
    }
    kept
}

fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '…' => out.push_str("..."),
            ' '..='~' => out.push(character),
            other => out.extend(other.escape_default()),
        }
    }
    out
}

/// Cuts an ASCII text: at the end of a clause if that leaves most of it, because half a
/// command is worse than none.
fn shorten(text: &str) -> String {
    let room = LONGEST - CUT.len();
    let Some(head) = (text.len() > LONGEST).then(|| text.get(..room)).flatten() else {
        return text.to_owned();
    };
    let clause = head.rfind("; ").filter(|end| *end >= room / 2);
    let word = head.rfind(' ').filter(|end| *end >= room / 2);
    let end = clause.or(word).unwrap_or(room);
    format!("{}{CUT}", head.get(..end).unwrap_or(head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_fit_into_a_header() {
        let long = format!("gmsa: denied; an administrator grants it with {}", "x".repeat(400));
        let clauses = format!("gmsa: {}; {}", "a b ".repeat(40), "command ".repeat(40));
        let fitted = fit([long, clauses, "snow\u{2603}man\n…".to_owned()]);
        assert!(fitted.iter().all(|one| one.len() <= 256 && one.is_ascii()), "{fitted:?}");
        assert!(fitted[1].ends_with("a b  ..."), "{fitted:?}");
        assert_eq!(fitted[2], "snow\\u{2603}man\\n...");
        let many = fit((0..100).map(|n| format!("{n} {}", "y".repeat(200))));
        assert!(many.iter().map(String::len).sum::<usize>() <= 4096);
        let (last, kept) = many.split_last().unwrap();
        let left_out = 100 - kept.len();
        assert_eq!(*last, format!("gmsa: {left_out} more warnings are left out"));
        assert_eq!(fit(["a", "a"].map(str::to_owned)), ["a"]);
        assert!(fit(Vec::new()).is_empty());
    }
}
