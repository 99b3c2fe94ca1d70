#!/usr/bin/env bash
# sddl 0.1.9 (crates.io): an object entry loses its GUID when it is written.
#
# One would guess: text read by SecurityDescriptor::from_sddl and written again means the same
# ([MS-DTYP] 2.5.1.1: the fourth field of an entry is the object GUID).
# Seen: `(OA;;RP;e362ed86-b728-0842-b27d-2dea7a9df218;;WD)`, the right to read one property, is written
# as `(OA;;RP;;;WD)`, the right to read all of them; the GUID is still in the parsed value. Also a
# descriptor without a group, as Samba writes msDS-GroupMSAMembership (`O:BAD:(...)`), is refused
# though [MS-DTYP] makes every part optional.
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
sddl = "=0.1.9"
TOML
cat > src/main.rs <<'RUST'
use sddl::SecurityDescriptor;

fn main() {
    let one_property = "O:BAG:BAD:(OA;;RP;e362ed86-b728-0842-b27d-2dea7a9df218;;WD)";
    let parsed = SecurityDescriptor::from_sddl(one_property, None).unwrap();
    println!("written: {parsed}");
    println!("in the value: {}", format!("{:?}", parsed.dacl()).contains("e362ed86"));
    let no_group = SecurityDescriptor::from_sddl("O:BAD:(A;;RP;;;AU)", None);
    println!("without a group: {}", if no_group.is_ok() { "read" } else { "refused" });
}
RUST
cargo run --quiet 2> /dev/null | tee result
diff result - <<'TEXT'
written: O:S-1-5-32-544G:S-1-5-32-544D:(OA;;RP;;;WD)
in the value: true
without a group: refused
TEXT
