use std::fs;

use super::{attributes, broken_links, complaints, pages, title};
use crate::file::file;
use crate::tree;

#[test]
fn a_page_that_the_contents_do_not_reach_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let docs = directory.path().join("docs");
    fs::create_dir_all(docs.join("cli")).unwrap();
    fs::write(docs.join("SUMMARY.md"), "# Summary\n\n- [A](a.md)\n- [C](cli/c.md)\n").unwrap();
    for page in ["a.md", "b.md", "cli/c.md"] {
        fs::write(docs.join(page), "# Page\n").unwrap();
    }
    let complaints = complaints(directory.path()).unwrap();
    assert_eq!(
        complaints,
        ["docs/b.md is not reachable from docs/SUMMARY.md: add it to a part in xtask/src/book.rs"]
    );
}

#[test]
fn subcommands_are_below_their_command() {
    let reference =
        ["kubectl-gmsa-account-allow", "kubectl-gmsa", "gmsa-webhook", "kubectl-gmsa-account"].map(
            |name| file(format!("docs/cli/{name}.md"), format!("# {}\n", name.replace('-', " "))),
        );
    let pages = pages(tree::root(), &reference).unwrap();
    let expected = "- [kubectl gmsa](cli/kubectl-gmsa.md)\n  \
        - [kubectl gmsa account](cli/kubectl-gmsa-account.md)\n    \
        - [kubectl gmsa account allow](cli/kubectl-gmsa-account-allow.md)\n\
        - [gmsa webhook](cli/gmsa-webhook.md)\n";
    assert!(pages[0].text.contains(expected), "{}", pages[0].text);
}

#[test]
fn links_of_the_site_are_followed() {
    let directory = tempfile::tempdir().unwrap();
    let site = directory.path();
    fs::write(site.join("a.html"), "<h1 id=\"top\">A</h1> <a href=\"b.html#x\">b</a>").unwrap();
    let page = "<p id=\"x\"> <a href=\"a.html#top\">a</a> <a href=\"a.html#no\">a</a> \
        <img src=\"none.svg\"> <a href=\"https://example.com\">e</a> <a href=\"#x\">x</a>";
    fs::write(site.join("b.html"), page).unwrap();
    let broken = broken_links(site).unwrap();
    assert_eq!(broken, ["b.html: a.html#no", "b.html: none.svg"]);
    assert_eq!(attributes(page).len(), 4);
    assert_eq!(title("<!-- x -->\n\n# A page\n\n# Another\n"), "A page");
}
