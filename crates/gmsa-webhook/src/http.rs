//! Paths, methods and limits: what happens before a request is decided.

mod body;
mod budget;
mod endpoint;
mod response;
mod routes;

pub use budget::{Limits, Slot};
pub use endpoint::{Answer, Endpoint, Handler};
pub use response::Frames;
pub use routes::{Caller, Routes};
