//! Real peers for the tests: a control plane, certificates, pods.
