//! What the script for administrators of Windows nodes printed, in any encoding, and its verdict.
#![no_main]

use gmsa_core::diagnosis::{Verdict, node};
use gmsa_core::windows::node::read;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(output) = read(bytes) else { return };
    let outcomes = node::judge(&output, &["{CCC2A336-D7F3-4818-A213-272B7924213E}".to_owned()]);
    let _ = Verdict::of(&outcomes);
});
