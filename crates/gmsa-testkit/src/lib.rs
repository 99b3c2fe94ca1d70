//! Real peers for the tests: a control plane, a domain controller, certificates, pods.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::zombie_processes,
    reason = "test support fails loudly"
)]

pub mod api_proxy;
mod binaries;
pub mod browser;
pub mod clock;
pub mod cluster;
mod components;
pub mod connect_proxy;
pub mod control_plane;
pub mod domain_controller;
pub mod https;
mod json_http;
pub mod ldap_front;
pub mod node;
pub mod objects;
pub mod pki;
pub mod process;
pub mod recordings;
pub mod requests;
mod run;
pub mod server;
pub mod shared;
pub mod stand_in;
pub mod tcp_proxy;
pub mod tools;
pub mod webhook;
pub mod windows_node;
