//! The output of Windows, read by its numbers and not by its words.

pub mod codes;
pub mod encoding;
pub mod encryption_types;
pub mod hook;
pub mod klist;
pub mod nltest;
pub mod node;
pub mod nslookup;
pub mod release;
pub mod text;
pub mod whoami;
