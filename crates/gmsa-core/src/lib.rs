//! What a GMSA credential spec, a Pod and an admission decision are.
//!
//! Nothing here does I/O: facts come in, decisions go out.

pub mod admission;
pub mod credspec;
pub mod diagnosis;
pub mod finding;
pub mod grant;
pub mod index;
pub mod json;
pub mod names;
pub mod pod;
pub mod printable;
pub mod rbac;
pub mod remedies;
pub mod text;
pub mod windows;
pub mod workload;
