//! The CEL expressions that API servers evaluate, by an interpreter and against the core.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

mod engine;
mod guard;
mod match_condition;
mod policy;
mod protection;
