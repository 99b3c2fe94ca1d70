//! The program without the feature `otlp`.

use std::process::Command;

#[test]
fn a_program_without_traces_says_so_instead_of_running_without_them() {
    let output = Command::new(env!("CARGO_BIN_EXE_gmsa-webhook"))
        .args(["--store=.", "--otlp-endpoint=http://collector:4318"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("--otlp-endpoint"), "{error}");
    assert!(error.contains("--features otlp"), "{error}");
}
