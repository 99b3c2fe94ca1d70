#!/usr/bin/env bash
# kerberos_crypto 0.3.7 (crates.io): the AES salt of a user is made of the name in lower case.
#
# One would guess: aes_hmac_sha1::generate_salt gives the salt that Active Directory uses: the realm in
# upper case and the name as it is stored ([MS-KILE] 3.1.1.2: only the parts of a computer's salt are
# put in lower case): CONTOSO.COMAdministrator.
# Seen: CONTOSO.COMadministrator, so that AES keys of a user whose name has a capital letter are wrong,
# while the salt of a computer or a managed account, CONTOSO.COMhostwebapp1.contoso.com, is right.
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
kerberos_crypto = "=0.3.7"
TOML
cat > src/main.rs <<'RUST'
fn main() {
    for name in ["Administrator", "WebApp1$"] {
        let salt = kerberos_crypto::aes_hmac_sha1::generate_salt("CONTOSO.COM", name);
        println!("{name}: {}", String::from_utf8_lossy(&salt));
    }
}
RUST
cargo run --quiet 2> /dev/null | tee result
diff result - <<'TEXT'
Administrator: CONTOSO.COMadministrator
WebApp1$: CONTOSO.COMhostwebapp1.contoso.com
TEXT
