#!/usr/bin/env bash
# rustls 0.23.46 (crates.io) as a server, and the order of its key exchange groups.
#
# One would guess: `CryptoProvider::kx_groups`, "in preference order", decides which of the groups that
# both sides support is agreed, as the order of a server's cipher suites can.
# Seen: the client's order decides. A server with secp384r1 before x25519 agrees x25519 with a client
# that names x25519 first, and secp384r1 with one that names that first; the list of a server says what
# is allowed, not what is preferred.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost \
    -keyout key.pem -out cert.pem -days 2 2> /dev/null
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "groups"
version = "0.0.0"
edition = "2021"

[dependencies]
rustls = { version = "=0.23.46", default-features = false, features = ["ring", "std", "tls12"] }
TOML
cat > src/main.rs <<'RUST'
use std::io::Read as _;
use std::net::TcpListener;
use std::sync::Arc;

use rustls::crypto::ring::{default_provider, kx_group};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

fn main() {
    let mut provider = default_provider();
    provider.kx_groups = vec![kx_group::SECP384R1, kx_group::X25519];
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_file("cert.pem").unwrap()],
            PrivateKeyDer::from_pem_file("key.pem").unwrap(),
        )
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    std::fs::write("port", listener.local_addr().unwrap().port().to_string()).unwrap();
    for stream in listener.incoming().take(2) {
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = StreamOwned::new(connection, stream.unwrap());
        // Until the client closes.
        let _ = stream.read_to_end(&mut Vec::new());
    }
}
RUST
cargo build --quiet
target/debug/groups &
server=$!
trap 'kill "$server" 2> /dev/null; rm -rf "$work"' EXIT
until [ -s port ]; do sleep 0.1; done

agreed() {
    openssl s_client -connect "127.0.0.1:$(cat port)" -groups "$1" < /dev/null 2> /dev/null |
        sed -n 's/^Server Temp Key: //p'
}
echo "$(cargo tree --depth 1 --prefix none | sed -n 2p), the server: secp384r1, x25519"
for groups in X25519:P-384 P-384:X25519; do
    echo "client $groups: $(agreed "$groups")"
done | tee seen
grep -q '^client X25519:P-384: X25519, 253 bits$' seen ||
    { echo 'changed: the order of the client does not decide'; exit 1; }
grep -q '^client P-384:X25519: ECDH, secp384r1, 384 bits$' seen ||
    { echo 'changed: secp384r1 is not agreed'; exit 1; }
