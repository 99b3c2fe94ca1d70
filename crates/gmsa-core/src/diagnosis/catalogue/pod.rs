//! What is looked at for one pod, by its objects and from inside.

use super::Check;

/// All of this side, causes before what they explain.
pub static ALL: &[&Check] = &[];
