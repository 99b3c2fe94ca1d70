#!/usr/bin/env bash
# Builds server and plugin with the FIPS module of AWS-LC (the feature `fips`), and tests what differs with
# it: their versions, handshakes of OpenSSL, certificates, Kerberos keys.
#
#   fips.sh [PROFILE]      dev (the default), or release
#
# In target/fips, so that the other build stays. What is missing of cmake, Go and libclang is installed, on
# Debian.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

profile=${1:-dev}
missing=()
have cmake || missing+=(cmake)
have go || missing+=(golang-go)
have openssl || missing+=(openssl)
compgen -G '/usr/lib/llvm-*/lib/libclang*.so*' >/dev/null || missing+=(libclang-dev)
[ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
have cargo-nextest || install_crate cargo-nextest "$cargo_nextest_version"

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/fips
# Built from the crate's own source: a library that the machine happens to have is not that module.
export AWS_LC_FIPS_SYS_USE_SYSTEM=0
features=gmsa-webhook/fips,gmsa-webhook/otlp,kubectl-gmsa/fips
directory=$CARGO_TARGET_DIR/$profile
[ "$profile" != dev ] || directory=$CARGO_TARGET_DIR/debug

say "building (the module takes some minutes the first time)"
cargo build --locked --profile "$profile" --workspace --bins --features "$features"
for program in gmsa-webhook kubectl-gmsa; do
    version=$("$directory/$program" --version)
    [[ $version == *" (FIPS)" ]] || die "$directory/$program is $version, without the module"
    say "$directory/$program: $version"
done
say "tests"
cargo nextest run --locked --cargo-profile "$profile" --workspace --features "$features" \
    -E 'test(/^tls::/) | test(/^certificates::/) | test(/::kerberos::keys::/) | test(/^admission::/)'
