//! Whether a set of roles and bindings lets a service account `use` a credential spec.
