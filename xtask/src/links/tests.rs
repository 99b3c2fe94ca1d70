use std::fs;

use super::{anchors, complaints, relative_links};

#[test]
fn only_relative_links_in_prose_count() {
    let text = "[a](docs/a.md) and [b](https://example.org/x) `[c](c.md)`\n\
                ```\n[d](d.md)\n```\n\
                [e](#e-part) ![f](f.svg \"title\") [g](mailto:a@example.org)\n\
                [ref]: docs/ref.md\n";
    let links: Vec<String> = relative_links(text).into_iter().collect();
    assert_eq!(links, ["#e-part", "docs/a.md", "docs/ref.md", "f.svg"]);
}

#[test]
fn headings_become_anchors() {
    let text = "# The `plan`, then: facts\n## Twice\n## Twice\n```\n# no heading\n```\n";
    let found = anchors(text);
    for anchor in ["the-plan-then-facts", "twice", "twice-1"] {
        assert!(found.contains(anchor), "{anchor} in {found:?}");
    }
    assert_eq!(found.len(), 3);
}

#[test]
fn links_that_lead_nowhere_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    fs::create_dir_all(root.join("docs")).unwrap();
    fs::write(root.join("docs/page.md"), "# A page\n[up](../README.md)\n").unwrap();
    fs::write(
        root.join("README.md"),
        "[ok](docs/page.md#a-page) [no](docs/none.md) [part](docs/page.md#b) [out](../..)\n",
    )
    .unwrap();
    assert_eq!(
        complaints(root).unwrap(),
        [
            "README.md: the link ../.. leads out of the repository",
            "README.md: the link docs/none.md leads to no file",
            "README.md: the link docs/page.md#b leads to no heading of that file",
        ]
    );
}
