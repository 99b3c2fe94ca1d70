//! The admission webhook server for GMSA on Kubernetes.
//!
//! A request passes through [`serve`] (connections, TLS), [`http`] (routes, limits), [`service`]
//! (which endpoint), [`wire`] (JSON), and [`admission`] or [`warnings`] (the answer).

pub mod admission;
pub mod audit;
pub mod certificates;
pub mod check;
pub mod config;
pub mod http;
pub mod metrics;
pub mod serve;
pub mod server;
pub mod service;
pub mod telemetry;
pub mod tls_profile;
pub mod warnings;
pub mod wire;

/// The version, with the name of its cryptography if that is a FIPS module.
pub const VERSION: &str = if cfg!(feature = "fips") {
    concat!(env!("CARGO_PKG_VERSION"), " (FIPS)")
} else {
    env!("CARGO_PKG_VERSION")
};
