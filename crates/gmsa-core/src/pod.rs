//! The borrowed view of a Pod: only what bears on a GMSA.
