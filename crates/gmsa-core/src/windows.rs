//! What Windows says, read by its numbers and not by its words.

pub mod codes;
pub mod limits;
pub mod nltest;
pub mod node;
