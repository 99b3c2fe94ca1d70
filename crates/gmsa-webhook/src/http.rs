//! Paths, methods and limits: what is settled before a request is decided.

mod body;
mod budget;
mod endpoint;
mod handler;
mod response;
mod routes;

pub use budget::{Limits, Slot};
pub use endpoint::Endpoint;
pub use handler::{Answer, Handler};
pub use response::Frames;
pub use routes::{Caller, Routes};
