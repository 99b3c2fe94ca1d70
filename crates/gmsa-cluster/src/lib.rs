//! The Kubernetes side: custom resource, watched store, access reviews, manifests.
