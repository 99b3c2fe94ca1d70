#!/usr/bin/env bash
# x509-parser 0.18.1 (crates.io, feature verify-aws) and signatures by an ECDSA key of P-521.
#
# One would guess: it verifies them, because its documentation limits it to what aws-lc-rs supports, and
# aws-lc-rs has ECDSA_P521_SHA512_ASN1.
# Seen: SignatureUnsupportedAlgorithm, an error and no answer, for a certificate that openssl verifies and
# that aws-lc-rs 1.19.0 verifies with the same bytes. A CA of that curve looks as if it had not signed.
# Of P-384 the answer is Ok.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for curve in P-384:384 P-521:512; do
    openssl req -x509 -newkey ec -pkeyopt "ec_paramgen_curve:${curve%:*}" "-sha${curve#*:}" -nodes -subj /CN=example \
        -keyout key.pem -outform DER -out "${curve%:*}.der" -days 2 2> /dev/null
    openssl x509 -inform DER -in "${curve%:*}.der" -out cert.pem
    openssl verify -check_ss_sig -CAfile cert.pem cert.pem > /dev/null && echo "openssl: ${curve%:*} verified"
done
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "p521"
version = "0.0.0"
edition = "2024"

[dependencies]
x509-parser = { version = "=0.18.1", features = ["verify-aws"] }
aws-lc-rs = "=1.19.0"
TOML
cat > src/main.rs <<'RUST'
use aws_lc_rs::signature::{ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, UnparsedPublicKey};
use x509_parser::parse_x509_certificate;

fn main() {
    for (curve, algorithm) in [("P-384", &ECDSA_P384_SHA384_ASN1), ("P-521", &ECDSA_P521_SHA512_ASN1)] {
        let file = std::fs::read(format!("{curve}.der")).unwrap();
        let (_, certificate) = parse_x509_certificate(&file).unwrap();
        println!("x509-parser: {curve} {:?}", certificate.verify_signature(None));
        let key = UnparsedPublicKey::new(algorithm, &certificate.public_key().subject_public_key.data);
        let signed = certificate.tbs_certificate.as_ref();
        println!("aws-lc-rs: {curve} {:?}", key.verify(signed, &certificate.signature_value.data));
    }
}
RUST
cargo run --quiet | tee seen
diff - seen <<'SEEN'
x509-parser: P-384 Ok(())
aws-lc-rs: P-384 Ok(())
x509-parser: P-521 Err(SignatureUnsupportedAlgorithm)
aws-lc-rs: P-521 Ok(())
SEEN
