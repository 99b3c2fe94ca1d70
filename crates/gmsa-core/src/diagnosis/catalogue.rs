//! Every check, with what it means and which others it explains, once.

pub mod cluster;
pub mod directory;
pub mod node;
pub mod pod;

/// Where a check looks. Causes are named in this order: what comes first makes what comes later fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The API server's objects, without a pod in question.
    Cluster,
    /// Active Directory.
    Directory,
    /// A Windows node, by what its administrator ran there.
    Node,
    /// One pod, by its objects and from inside.
    Pod,
}

impl Side {
    /// The word for it in every output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Directory => "directory",
            Self::Node => "node",
            Self::Pod => "pod",
        }
    }
}

/// One thing that is checked.
#[derive(Debug, PartialEq, Eq)]
pub struct Check {
    /// Its stable id, in kebab case.
    pub id: &'static str,
    /// Where it looks.
    pub side: Side,
    /// What it asks, in a few words.
    pub title: &'static str,
    /// Why it can fail, in Markdown.
    pub cause: &'static str,
    /// What to do then, in Markdown.
    pub remedy: &'static str,
    /// Where it is documented by its vendor: a URL, or a path in this repository.
    pub source: &'static str,
    /// The ids of the checks that fail because this one does.
    pub explains: &'static [&'static str],
}

impl Check {
    /// Where it is documented here: a path in the repository with an anchor.
    #[must_use]
    pub fn page(&self) -> String {
        format!("docs/checks.md#{}", self.id)
    }
}

/// Makes a static [`Check`] of each entry, and the list `ALL` of them.
macro_rules! checks {
    ($side:ident; $($name:ident {
        id: $id:literal,
        title: $title:literal,
        cause: $cause:literal,
        remedy: $remedy:literal,
        source: $source:literal,
        explains: [$($explains:literal),* $(,)?],
    })*) => {
        $(
            #[doc = concat!("The check `", $id, "`.")]
            pub static $name: Check = Check {
                id: $id,
                side: Side::$side,
                title: $title,
                cause: $cause,
                remedy: $remedy,
                source: $source,
                explains: &[$($explains),*],
            };
        )*

        /// All of this side, causes before what they explain.
        pub static ALL: &[&Check] = &[$(&$name),*];
    };
}

use checks;

/// Every check, in the order of the page, which is that in which causes are named.
pub fn all() -> impl Iterator<Item = &'static Check> {
    [cluster::ALL, directory::ALL, node::ALL, pod::ALL].into_iter().flatten().copied()
}

/// The check of that id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Check> {
    all().find(|check| check.id == id)
}
