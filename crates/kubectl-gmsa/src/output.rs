//! What commands print and write.

pub mod file;
pub mod finding;
pub mod next;
pub mod printer;
pub mod render;
pub mod sarif;

use std::fmt::Display;

/// How many there are, in words: `1 pod`, `2 pods`.
pub fn counted<N: Copy + Display + PartialEq + From<u8>>(number: N, noun: &str) -> String {
    let plural = if number == N::from(1) { "" } else { "s" };
    format!("{number} {noun}{plural}")
}
