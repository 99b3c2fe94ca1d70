//! Whether the plugin has the subcommands and flags that a command names.

use clap::Command;

/// What the plugin does not know of a command; nothing for commands of other programs.
pub(super) fn unknown(plugin: &Command, text: &str) -> Option<String> {
    text.split(['|', ';', '>']).find_map(|part| of_one(plugin, part.trim()))
}

fn of_one(plugin: &Command, text: &str) -> Option<String> {
    let words = text.strip_prefix("kubectl gmsa ")?.split_whitespace();
    let mut path = vec![plugin];
    for word in words {
        let current = path.last().copied().unwrap_or(plugin);
        if let Some(next) = current.find_subcommand(word) {
            path.push(next);
            continue;
        }
        let mut known = path.iter().flat_map(|command| command.get_arguments());
        let is_known = if let Some(flag) = word.strip_prefix("--") {
            let name = flag.split('=').next().unwrap_or_default();
            let name = name.trim_end_matches(|end: char| !end.is_ascii_alphanumeric());
            name.is_empty()
                || name == "help"
                || known.any(|one| {
                    one.get_long_and_visible_aliases().is_some_and(|all| all.contains(&name))
                })
        } else if let Some(&[b'-', short]) =
            word.as_bytes().first_chunk::<2>().filter(|_| word.len() == 2)
        {
            short == b'h' || known.any(|one| one.get_short() == Some(char::from(short)))
        } else {
            true
        };
        if !is_known {
            return Some(format!("`kubectl gmsa {}` has no {word}", current.get_name()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_that_the_plugin_has_not_is_named() {
        let plugin = kubectl_gmsa::command();
        let unknown = |text| unknown(&plugin, text);
        assert_eq!(unknown("kubectl gmsa access X -n X -o dot | dot -Tsvg > a.svg"), None);
        assert_eq!(unknown("kubectl gmsa credspec import x/ --out=y/"), None);
        assert_eq!(
            unknown("kubectl gmsa credspec lint --no-such"),
            Some("`kubectl gmsa lint` has no --no-such".to_owned())
        );
        assert_eq!(
            unknown("helm template . | kubectl gmsa review -Z -f -"),
            Some("`kubectl gmsa review` has no -Z".to_owned())
        );
        assert_eq!(unknown("kubectl get pods --no-such"), None);
    }
}
