//! What commands print and write.

pub mod file;
pub mod next;
pub mod printer;
pub mod render;
pub mod sarif;

/// How many credential specs there are, in words.
pub fn number_of_specs(number: usize) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} credential spec{plural}")
}
