//! Plan (what must be known), facts (what was found out), decision.

mod facts;

pub use facts::{Failure, Right, SpecFact};
