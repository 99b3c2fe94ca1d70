//! The directory against a real domain controller, and against stand-ins that misbehave.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

mod accounts;
mod connection;
mod controllers;
mod kerberos;
mod large;
mod limits;
mod refusals;
mod rights;
mod support;
