//! The commands, one module each. What two of them need is elsewhere.

pub mod access;
pub mod account;
pub mod audit;
pub mod completion;
pub mod credspec;
pub mod doctor;
pub mod install;
pub mod report;
pub mod review;
pub mod revoke;
pub mod status;
pub mod uninstall;
pub mod version;
