//! AdmissionReviews of anybody who reaches the port: the reader, the plan and the questions.
#![no_main]

use gmsa_core::admission::{Step, plan};
use gmsa_webhook::wire::decode;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let Ok(review) = decode(body) else { return };
    for step in [Step::Mutate, Step::Validate] {
        let _ = plan(&review.to_request(step, Some("host")));
    }
});
