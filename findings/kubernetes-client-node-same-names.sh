#!/usr/bin/env bash
# @kubernetes/client-node 1.4.0 (npm): two files in KUBECONFIG that have a cluster of the same name.
#
# One would guess: the first one counts, as with kubectl ("The first file to set a particular value or map key wins",
# Kubernetes' documentation, "Merging kubeconfig files"), and a file that is not there is left out.
# Seen: loadFromDefault raises "Duplicate cluster: kubernetes". That is the name that kubeadm gives to every cluster, so
# that a list that kubectl works with cannot be loaded. A missing file is an error too, also the last one.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" @kubernetes/client-node@1.4.0 >/dev/null
for name in first second; do
    cat > $name <<YAML
apiVersion: v1
kind: Config
current-context: $name
contexts: [{name: $name, context: {cluster: kubernetes, user: $name}}]
clusters: [{name: kubernetes, cluster: {server: "https://$name.example.com"}}]
users: [{name: $name, user: {token: $name}}]
YAML
done
cat > probe.mjs <<'JS'
import { KubeConfig } from "@kubernetes/client-node";
for (const value of ["first", "first:second", "first:missing"]) {
  process.env.KUBECONFIG = value;
  const config = new KubeConfig();
  try {
    config.loadFromDefault();
    console.log(`${value}: ${config.getCurrentCluster().server}`);
  } catch (error) {
    console.log(`${value}: ${error.message}`);
  }
}
JS
node probe.mjs | tee result
diff result - <<'TEXT'
first: https://first.example.com
first:second: Duplicate cluster: kubernetes
first:missing: ENOENT: no such file or directory, open 'missing'
TEXT
