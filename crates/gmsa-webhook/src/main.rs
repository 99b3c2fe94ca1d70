//! The admission webhook server for GMSA on Kubernetes.

fn main() {}
