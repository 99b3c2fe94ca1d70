#!/usr/bin/env bash
# kube 5.0.0 (crates.io): an exec credential plugin runs three times before the first request.
#
# One would guess: once for a client, as kubectl does, because the ExecCredential that the plugin
# prints is valid until its expirationTimestamp.
# Seen: making a Client from a kubeconfig whose user has an `exec` plugin, with a token that expires in
# 2036, runs the plugin three times; no request has been sent by then. A user of an interactive
# sign-in is asked three times.
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
use kube::config::{Config, KubeConfigOptions, Kubeconfig};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = Kubeconfig::read_from("kubeconfig")?;
    let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?;
    let _client = kube::Client::try_from(config)?;
    println!("a client is made, no request was sent");
    Ok(())
}
RUST
cat > plugin <<'SH'
#!/bin/sh
echo ran >> "$(dirname "$0")/runs"
echo '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
  "status": {"token": "example", "expirationTimestamp": "2036-01-01T00:00:00Z"}}'
SH
chmod +x plugin
cat > kubeconfig <<YAML
apiVersion: v1
kind: Config
current-context: example
contexts: [{name: example, context: {cluster: example, user: example}}]
clusters: [{name: example, cluster: {server: "https://127.0.0.1:6443"}}]
users:
- name: example
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: $work/plugin
      interactiveMode: Never
YAML
cargo run --quiet
runs=$(wc -l < runs)
echo "kube 5.0.0 ran the plugin $runs times"
[ "$runs" -eq 3 ]
