//! Sockets and connections: listening, TLS, HTTP/2 and HTTP/1.1, and the metrics port.

mod connection;
mod listener;
pub mod metrics;
mod stream;
pub mod tls;

pub use connection::Limits;
pub use listener::{BindError, Server, bind};
