//! Plan (what must be known), facts (the answers), decision.
//!
//! [`plan`] looks at a request. Unless the request alone decides it, the [`Judgement`] asks
//! its [`Question`]s until none is left, the caller answers them into [`Facts`] (the server from its
//! store and the API server, the plugin from files or a cluster), and [`decide`] gives the [`Decision`].

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
pub use denial::{
    CONTENTS_WITHOUT_NAME, Denial, GRANTS_IT, MAX_CONTENTS, MAX_PLACES, OR_WITH_KUBECTL, Reason,
    denials_page,
};
pub use facts::{Facts, Failure, Right, SpecFact};
pub use plan::{Judgement, Plan, plan};
pub use questions::{Candidate, Question};
pub use request::{Operation, Request, Step};
pub use verdict::decide;
pub use warnings::RANDOM_HOSTNAME_PREFIX;

#[cfg(test)]
mod tests;
