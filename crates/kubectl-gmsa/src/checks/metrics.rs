//! A page of metrics in the text format of Prometheus or `OpenMetrics` 1.0, as far as it is needed.

/// One line with a value.
#[derive(Debug, PartialEq)]
pub struct Sample {
    name: String,
    labels: Vec<(String, String)>,
    /// The value.
    pub value: f64,
}

impl Sample {
    /// The value of a label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// The samples of a page. Lines that cannot be parsed are left out.
#[derive(Debug, Default)]
pub struct Page(Vec<Sample>);

impl Page {
    /// Reads a page.
    pub fn read(text: &str) -> Self {
        Self(text.lines().filter(|line| !line.starts_with('#')).filter_map(sample).collect())
    }

    /// The samples of a metric.
    pub fn samples<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Sample> {
        self.0.iter().filter(move |sample| sample.name == name)
    }

    /// The label of a metric's first sample.
    pub fn label(&self, name: &str, label: &str) -> Option<&str> {
        self.0.iter().find(|sample| sample.name == name)?.label(label)
    }
}

/// `name{label="value",…} 1.5`, perhaps with a time after it.
fn sample(line: &str) -> Option<Sample> {
    let end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at_checked(end)?;
    let mut labels = Vec::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        loop {
            rest = rest.trim_start_matches([',', ' ']);
            if let Some(after) = rest.strip_prefix('}') {
                rest = after;
                break;
            }
            let (key, after) = rest.split_once("=\"")?;
            let (value, after) = quoted(after)?;
            labels.push((key.to_owned(), value));
            rest = after;
        }
    }
    let value = rest.split_whitespace().next()?.parse().ok()?;
    Some(Sample { name: name.to_owned(), labels, value })
}

/// Up to the closing quote; unescapes `\"`, `\\` and `\n`.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn samples_are_read_and_what_is_none_is_left_out() {
        let page = Page::read(
            "# HELP a Words.\na{x=\"1\",y=\"a \\\"b\\\" , }\"} 2\na{x=\"2\"} 3 1700000000\nb 1e3\n\
             c NaN\nd{x=\"1\" 4\ne\n{} 1\nb{x=1} 2\n# EOF\n",
        );
        let values: Vec<f64> = page.samples("a").map(|sample| sample.value).collect();
        assert_eq!(values, [2.0, 3.0]);
        assert_eq!(page.label("a", "y"), Some("a \"b\" , }"));
        assert_eq!(page.samples("b").map(|sample| sample.value).collect::<Vec<_>>(), [1e3]);
        assert!(page.samples("c").next().unwrap().value.is_nan());
        assert_eq!(page.samples("d").count() + page.samples("e").count(), 0);
    }
}
