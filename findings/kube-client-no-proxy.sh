#!/usr/bin/env bash
# kube-client 5.0.0 (crates.io), with its feature http-proxy: NO_PROXY is compared with the proxy, not with the server.
#
# One would guess: NO_PROXY names servers that are reached without the proxy of HTTPS_PROXY, those of the cluster for
# instance, as it does for kubectl (Go's net/http/httpproxy: a name without a port is that of any port) and curl.
# Seen: with the server's name in NO_PROXY, with or without its port, the proxy stays. With the proxy's own name and
# port in it the proxy is gone, for every server. A name without a port matches nothing.
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
kube-client = { version = "=5.0.0", default-features = false, features = ["config", "http-proxy"] }
k8s-openapi = { version = "=0.29.0", features = ["v1_33"] }
tokio = { version = "1", features = ["macros", "rt"] }
[profile.dev]
debug = false
TOML
cat > src/main.rs <<'RUST'
use kube_client::Config;
use kube_client::config::{KubeConfigOptions, Kubeconfig};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let file = Kubeconfig::read_from("kubeconfig").unwrap();
    let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await.unwrap();
    println!("{} proxy {:?}", config.cluster_url, config.proxy_url.map(|url| url.to_string()));
}
RUST
cat > kubeconfig <<'YAML'
apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "https://api.contoso.com:6443"}}]
users: [{name: u, user: {token: example}}]
YAML
cargo build --quiet
program=${CARGO_TARGET_DIR:-target}/debug/probe
export HTTPS_PROXY=http://proxy.contoso.com:3128
for name in "" api.contoso.com api.contoso.com:6443 proxy.contoso.com proxy.contoso.com:3128; do
    echo "NO_PROXY=$name: $(NO_PROXY=$name "$program")"
done | tee result
diff result - <<'TEXT'
NO_PROXY=: https://api.contoso.com:6443/ proxy Some("http://proxy.contoso.com:3128/")
NO_PROXY=api.contoso.com: https://api.contoso.com:6443/ proxy Some("http://proxy.contoso.com:3128/")
NO_PROXY=api.contoso.com:6443: https://api.contoso.com:6443/ proxy Some("http://proxy.contoso.com:3128/")
NO_PROXY=proxy.contoso.com: https://api.contoso.com:6443/ proxy Some("http://proxy.contoso.com:3128/")
NO_PROXY=proxy.contoso.com:3128: https://api.contoso.com:6443/ proxy None
TEXT
