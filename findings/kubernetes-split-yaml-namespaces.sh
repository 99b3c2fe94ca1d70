#!/usr/bin/env bash
# kubernetes-split-yaml 0.3.0 (Debian's 0.3.0-1+b7): of two objects of one name in two namespaces, one is left.
#
# One would guess: a file of many objects is split into "one file pr kubernetes resource", as its help says.
# Seen: the file's name has the name and the kind of an object, not the namespace: the second object overwrites the
# first one's file, with nothing but two equal lines in its log. `--template_sel tpl_ns` has the namespace in the
# path.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -p apt/lists/partial apt/cache/archives/partial
: > apt/status
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main" \
    > apt/sources.list
cat > apt/apt.conf <<CONFIGURATION
Dir::State "$work/apt";
Dir::State::status "$work/apt/status";
Dir::State::lists "$work/apt/lists";
Dir::Cache "$work/apt/cache";
Dir::Etc::sourcelist "$work/apt/sources.list";
Dir::Etc::sourceparts "-";
APT::Sandbox::User "root";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
CONFIGURATION
export APT_CONFIG=$work/apt/apt.conf
apt-get update -qq
apt-get download -qq kubernetes-split-yaml=0.3.0-1+b7
dpkg-deb -x kubernetes-split-yaml*.deb packages
for namespace in front shop; do
    printf -- '---\napiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: web\n  namespace: %s\n' "$namespace"
done > objects.yaml
for template in tpl_flat tpl_ns; do
    echo "$template:"
    packages/usr/bin/kubernetes-split-yaml --template_sel "$template" --outdir "$template" objects.yaml 2> log
    grep -o 'Creating file: [^"]*' log
    grep -r namespace: "$template" | sort
done | tee result
diff result - <<'TEXT'
tpl_flat:
Creating file: tpl_flat/web-sa.yaml
Creating file: tpl_flat/web-sa.yaml
tpl_flat/web-sa.yaml:  namespace: shop
tpl_ns:
Creating file: tpl_ns/front/web.ServiceAccount.yaml
Creating file: tpl_ns/shop/web.ServiceAccount.yaml
tpl_ns/front/web.ServiceAccount.yaml:  namespace: front
tpl_ns/shop/web.ServiceAccount.yaml:  namespace: shop
TEXT
