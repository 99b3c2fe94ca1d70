//! What commands print and write.

pub mod file;
pub mod finding;
pub mod next;
pub mod printer;
pub mod render;
pub mod sarif;
