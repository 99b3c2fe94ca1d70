//! The admission webhook server for GMSA on Kubernetes.

pub mod audit;
pub mod body;
pub mod certificates;
pub mod check;
pub mod config;
pub mod connection;
pub mod http;
pub mod listener;
pub mod metrics;
pub mod metrics_server;
pub mod server;
pub mod service;
pub mod stream;
pub mod telemetry;
pub mod tls;
pub mod wire;
