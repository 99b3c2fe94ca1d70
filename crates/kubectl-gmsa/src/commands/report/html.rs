//! Text in HTML (WHATWG HTML, 13.3): no text of a cluster may become markup.

use std::fmt;

/// A text between tags, or between the double quotes of an attribute.
pub struct Text<'a>(pub &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // Invisible characters, and those that reverse the direction of a text.
                '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => {
                    write!(f, "{}", character.escape_unicode())?;
                }
                control if control.is_control() => write!(f, "{}", control.escape_default())?,
                other => write!(f, "{other}")?,
            }
        }
        Ok(())
    }
}

/// A table that can be scrolled with the keyboard if it is too wide.
pub struct Table {
    html: String,
}

impl Table {
    /// A table with a caption and the headings of its columns.
    pub fn new(id: &str, caption: &str, columns: &[&str]) -> Self {
        let mut html = format!(
            "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-labelledby=\"{id}\">\n\
             <table>\n<caption id=\"{id}\">{}</caption>\n<thead><tr>",
            Text(caption)
        );
        for column in columns {
            html.push_str(&format!("<th scope=\"col\">{}</th>", Text(column)));
        }
        html.push_str("</tr></thead>\n<tbody>\n");
        Self { html }
    }

    /// A row: its heading, and cells that are HTML already.
    pub fn row(&mut self, heading: &str, cells: &[String]) {
        self.html.push_str(&format!("<tr><th scope=\"row\">{}</th>", Text(heading)));
        for cell in cells {
            self.html.push_str(&format!("<td>{cell}</td>"));
        }
        self.html.push_str("</tr>\n");
    }

    pub fn end(self) -> String {
        self.html + "</tbody>\n</table>\n</div>\n"
    }
}

/// Parts, one after the other.
pub fn all(parts: impl Iterator<Item = String>) -> String {
    parts.collect()
}

/// A list within a cell; a dash for none.
pub fn list(items: impl Iterator<Item = String>) -> String {
    let items = all(items.map(|item| format!("<li>{item}</li>")));
    if items.is_empty() { "–".to_owned() } else { format!("<ul class=\"plain\">{items}</ul>") }
}

/// A text in which backquotes mark commands and names.
pub fn prose(text: &str) -> String {
    let mut html = String::new();
    for (index, part) in text.split('`').enumerate() {
        if index % 2 == 0 {
            html.push_str(&Text(part).to_string());
        } else {
            html.push_str(&format!("<code>{}</code>", Text(part)));
        }
    }
    html
}

/// What to do, with its parts between semicolons: a command is at the beginning of a part, or after
/// its condition and a colon.
pub fn steps(text: &str) -> String {
    let command = |part: &str| match part.find(": kubectl ") {
        _ if part.starts_with("kubectl ") => Some(0),
        found => found.map(|at| at + 2),
    };
    if !text.split("; ").any(|part| command(part).is_some()) {
        return prose(text);
    }
    let step = |part: &str| match command(part).and_then(|start| part.split_at_checked(start)) {
        Some((before, command)) => format!("{}<code>{}</code>", Text(before), Text(command)),
        None => prose(part),
    };
    text.split("; ").map(step).collect::<Vec<_>>().join(";<br>")
}

/// A word on a coloured ground; the word alone is enough to understand it.
pub fn badge(class: &str, word: &str) -> String {
    format!("<span class=\"badge {class}\">{}</span>", Text(word))
}

#[cfg(test)]
mod tests {
    use super::{Text, prose, steps};

    #[test]
    fn nothing_becomes_markup_or_turns_the_text_around() {
        let text = "<script a=\"b\" c='d'>&amp;\u{202e}evil\u{0}\n";
        let shown = Text(text).to_string();
        assert_eq!(
            shown,
            "&lt;script a=&quot;b&quot; c=&#39;d&#39;&gt;&amp;amp;\\u{202e}evil\\u{0}\\n"
        );
        assert_eq!(prose("Use `a<b` or `c`."), "Use <code>a&lt;b</code> or <code>c</code>.");
        assert_eq!(Text("shop/web-1.example").to_string(), "shop/web-1.example");
    }

    #[test]
    fn commands_are_distinguished_from_words() {
        for (text, shown) in [
            ("kubectl gmsa grant a --to b/c", "<code>kubectl gmsa grant a --to b/c</code>"),
            (
                "If it may: kubectl gmsa grant a; else: kubectl delete pod <a>",
                "If it may: <code>kubectl gmsa grant a</code>;<br>else: <code>kubectl delete pod \
                 &lt;a&gt;</code>",
            ),
            ("Create it; `kubectl get x` lists.", "Create it; <code>kubectl get x</code> lists."),
            ("Ask kubectl gmsa.", "Ask kubectl gmsa."),
        ] {
            assert_eq!(steps(text), shown);
        }
    }
}
