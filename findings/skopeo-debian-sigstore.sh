#!/usr/bin/env bash
# skopeo 1.9.3 of Debian 12 (1.9.3+ds1-1+b10) lists flags for signatures of sigstore that it cannot make.
#
# One would guess: `skopeo copy --sign-by-sigstore-private-key`, which its help and its man page describe,
# signs an image with a key of cosign.
# Seen: it copies the image, and then ends with "creating signature: Debian-local change: sigstore disabled".
set -euo pipefail

work=$(mktemp -d)
registry=
trap '[ -z "$registry" ] || kill "$registry"; rm -rf "$work"' EXIT
cd "$work"
mkdir -p apt/lists/partial apt/cache/archives/partial
: > apt/status
for suite in bookworm forky; do
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $suite main"
done > apt/sources.list
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
apt-get download -qq skopeo=1.9.3+ds1-1+b10 docker-registry=2.8.2+ds1-1 cosign=3.1.1-2 oras=1.3.3-1 \
    libdevmapper1.02.1/bookworm libgpgme11/bookworm libassuan0/bookworm
for package in *.deb; do dpkg-deb -x "$package" packages; done
libraries=$work/packages/lib/x86_64-linux-gnu:$work/packages/usr/lib/x86_64-linux-gnu
export PATH=$work/packages/usr/bin:$PATH HOME=$work COSIGN_PASSWORD=example

cat > config.yml <<YAML
version: 0.1
log: {formatter: json}
http: {addr: "127.0.0.1:0"}
storage: {filesystem: {rootdirectory: $work/storage}}
YAML
docker-registry serve config.yml > log 2>&1 &
registry=$!
until grep -q 'listening on' log; do kill -0 "$registry"; sleep 0.1; done
address=$(sed -n 's/.*listening on \(127.0.0.1:[0-9]*\).*/\1/p' log)
echo example > file
oras push --oci-layout layout:1 file:text/plain > /dev/null
cosign generate-key-pair 2> /dev/null
printf example > password
mkdir registries.d
echo 'default-docker: {use-sigstore-attachments: true}' > registries.d/default.yaml
skopeo() { LD_LIBRARY_PATH=$libraries "$work/packages/usr/bin/skopeo" "$@"; }

skopeo --version
skopeo copy --help | grep -e --sign-by-sigstore-private-key
skopeo --insecure-policy --registries.d registries.d copy --dest-tls-verify=false \
    --sign-by-sigstore-private-key cosign.key --sign-passphrase-file password \
    oci:layout:1 "docker://$address/example:1" > copy 2>&1 && exit 1
tail -n 1 copy
grep -q "creating signature: Debian-local change: sigstore disabled" copy
