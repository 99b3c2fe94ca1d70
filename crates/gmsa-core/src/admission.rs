//! Plan (what must be known), facts (what was found out), decision.
//!
//! [`plan`] looks at a request. If it is not decided by itself, the [`Judgement`] asks its
//! [`Question`]s until none is left, somebody answers them into [`Facts`] (the server from its
//! store and the API server, the command line from files), and [`decide`] gives the [`Decision`].

mod decision;
mod denial;
mod facts;
pub mod patch;
mod plan;
mod questions;
mod request;
mod verdict;
mod warnings;

pub use decision::{Decision, Outcome};
pub use denial::{Denial, MAX_CONTENTS, MAX_PLACES, Reason, denials_page};
pub use facts::{Facts, Failure, Right, SpecFact};
pub use plan::{Judgement, Plan, plan};
pub use questions::Question;
pub use request::{Operation, Request, Step};
pub use verdict::decide;
pub use warnings::RANDOM_HOSTNAME_PREFIX;

#[cfg(test)]
mod tests;
