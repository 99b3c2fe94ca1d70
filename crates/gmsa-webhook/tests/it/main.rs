//! The server: over files, and behind a real API server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::float_cmp,
    reason = "a test fails loudly"
)]

mod account;
mod admission;
mod answers;
mod audit;
mod certificates;
mod decisions;
mod definition;
mod denials;
mod early_warnings;
mod engine_states;
mod existing_installation;
mod grant_command;
mod http;
mod image;
mod index;
mod limits;
mod monitoring;
mod outage;
mod reference;
mod rights;
mod store;
mod support;
mod tls;
#[cfg(feature = "otlp")]
mod traces;
#[cfg(not(feature = "otlp"))]
mod traces_left_out;
mod warnings;
