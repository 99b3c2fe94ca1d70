#!/usr/bin/env bash
# ldap-types 0.7.5 (crates.io): a name that is written has no escapes.
#
# One would guess: a DistinguishedName that is parsed and written again names the same object (RFC 4514 2.4 asks for
# an escape of a comma, a plus sign and others).
# Seen: Display writes the value as it is: `CN=a\,b,DC=x` becomes `CN=a,b,DC=x`, which the crate itself refuses, and
# `CN=a\+OU=b,DC=x` becomes another name, of two attributes, without an error.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "probe"
version = "0.1.0"
edition = "2024"
[dependencies]
ldap-types = "=0.7.5"
TOML
cat > src/main.rs <<'RUST'
use ldap_types::basic::DistinguishedName;

fn main() {
    for name in [r"CN=web,DC=x", r"CN=a\,b,DC=x", r"CN=a\+OU=b,DC=x"] {
        let written = DistinguishedName::try_from(name).unwrap().to_string();
        let again = DistinguishedName::try_from(written.as_str());
        println!("{name} -> {written}, read again: {}", again.map_or("refused".to_owned(), |d| d.rdns[0].attributes.len().to_string()));
    }
}
RUST
cargo run --quiet 2> /dev/null | tee result
diff result - <<'TEXT'
CN=web,DC=x -> CN=web,DC=x, read again: 1
CN=a\,b,DC=x -> CN=a,b,DC=x, read again: refused
CN=a\+OU=b,DC=x -> CN=a+OU=b,DC=x, read again: 2
TEXT
