//! The catalogue: status codes by fault, and the events of each log.
//!
//! The numbers are those of the pages in `reference`; a test compares status codes and NETLOGON
//! events with Microsoft's own metadata, as the crate `windows-sys` has it.

mod events;
mod status;

use super::Entry;

/// All entries, by source and number.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    status::STATUS.iter().chain(events::EVENTS)
}
