//! kubectl gmsa: make, review, grant and mend the use of GMSA on Kubernetes.

fn main() {}
