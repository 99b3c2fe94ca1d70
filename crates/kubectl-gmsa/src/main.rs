//! kubectl gmsa: review, grant, diagnose and repair the use of GMSA on Kubernetes.

use std::process::ExitCode;

fn main() -> ExitCode {
    kubectl_gmsa::run(std::env::args_os())
}
