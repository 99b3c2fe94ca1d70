#!/usr/bin/env bash
# cosign 3.1.1 (Debian forky, 3.1.1-2): `cosign attest` has a flag --statement, and does not read it.
#
# One would guess: `cosign attest --statement FILE IMAGE` attaches the signed in-toto statement of the file
# to the image, as `cosign attest-blob --statement FILE` signs it for a file: the help of both says "path to
# the statement file".
# Seen: attest ends with "predicate cannot be empty". With --predicate, too, what it attaches is a statement
# of its own (in-toto v0.1) about the predicate. attest-blob signs the statement unchanged; `oras attach
# --artifact-type application/vnd.dev.sigstore.bundle.v0.3+json` makes its bundle a referrer of the image,
# where `cosign verify-attestation` finds it.
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
apt-get download -qq cosign=3.1.1-2 oras=1.3.3-1 docker-registry=2.8.2+ds1-1
for package in *.deb; do dpkg-deb -x "$package" packages; done
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
image=$(sed -n 's/.*listening on \(127.0.0.1:[0-9]*\).*/\1/p' log)/example
echo example > file
oras push --plain-http "$image:1" file:text/plain > /dev/null
digest=$(oras resolve --plain-http "$image:1")
cat > statement.json <<JSON
{"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "registry.example/example",
 "digest": {"sha256": "${digest#sha256:}"}}], "predicateType": "https://example.com/type", "predicate": {"a": 1}}
JSON
cosign generate-key-pair 2> /dev/null
cosign signing-config create --out services.json
echo '{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}' > roots.json
offline=(--key cosign.key --signing-config services.json --trusted-root roots.json)
payload() { sed 's/.*"payload":"\([^"]*\)".*/\1/' "$1" | base64 --decode; }

cosign attest "${offline[@]}" --statement statement.json "$image@$digest" > attest 2>&1 && exit 1
echo "cosign attest --statement: $(head -n 1 attest)"
grep -q "predicate cannot be empty" attest
cosign attest "${offline[@]}" --statement statement.json --predicate statement.json --bundle both.json \
    "$image@$digest" 2> /dev/null
echo "cosign attest --statement --predicate: $(payload both.json | head -c 120)..."
payload both.json | grep -q '"_type":"https://in-toto.io/Statement/v0.1"'
payload both.json | grep -q '"predicateType":"https://cosign.sigstore.dev/attestation/v1"'
cosign attest-blob "${offline[@]}" --statement statement.json --bundle blob.json 2> /dev/null
echo "cosign attest-blob --statement: $(payload blob.json | head -c 120)..."
payload blob.json | cmp - statement.json
