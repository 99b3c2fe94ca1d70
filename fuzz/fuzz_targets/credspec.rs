//! Credential specs: the canonical text is read as the same value and written as the same text,
//! nothing differs from itself, and the linter takes everything.
#![no_main]

use gmsa_core::credspec::{Prepared, canonical_json, difference, lint};
use gmsa_core::windows::nltest::statuses;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|text: &[u8]| {
    let _ = statuses(text);
    if let Ok(text) = std::str::from_utf8(text) {
        let _ = difference("{}", text);
    }
    let Ok(value) = serde_json::from_slice::<Value>(text) else { return };
    let canonical = canonical_json(&value);
    let again: Value = serde_json::from_str(&canonical).expect("canonical JSON is JSON");
    assert_eq!(canonical_json(&again), canonical);
    if value.is_object() {
        assert_eq!(difference(&canonical, &canonical), None);
    }
    let _ = lint("web", &value);
    let _ = Prepared::from_object("web", &value);
});
