//! Makes and checks what is generated.

fn main() {}
