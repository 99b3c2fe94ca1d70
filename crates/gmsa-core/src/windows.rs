//! What Windows says, read by its numbers and not by its words.

pub mod codes;
pub mod nltest;
