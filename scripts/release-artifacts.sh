#!/usr/bin/env bash
# Makes what a release publishes, of what `make image` and `make dist` have built, in target/artifacts:
#
#   oci/gmsa-webhook, oci/kubectl-gmsa, oci/charts/gmsa   OCI layouts, each with its signature and its
#                                                         attestations as referrers
#   archives, checksums.txt, manifests for installers     what `make dist` made
#   gmsa-VERSION.tgz                                      the chart
#   *.sigstore.json                                       signatures and attestations of these files
#   *.cdx.json, vex.openvex.json, cosign.pub
#
#   scripts/release-artifacts.sh [PROFILE]
#
# PROFILE is the profile of cargo that they were built with; release unless given. COSIGN_KEY names the
# private key, as `cosign generate-key-pair` makes it, and COSIGN_PASSWORD is its password. BUILDER_ID is
# the address that the provenance names as the builder. Nothing is sent anywhere: no registry, no
# transparency log. docs/verify.md says how users check all of it.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

profile=${1:-release}
target=${CARGO_TARGET_DIR:-target}
out=${GMSA_ARTIFACTS:-$target/artifacts}
[ -n "${COSIGN_KEY:-}" ] ||
    die "failed to sign: set COSIGN_KEY to a private key; \`cosign generate-key-pair\` makes one"
[ -r "$COSIGN_KEY" ] || die "failed to sign: $COSIGN_KEY cannot be read"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
image=$(cargo xtask image-name)
prefix=${image%/*}
for program in gmsa-webhook kubectl-gmsa; do
    compgen -G "$target/image/$program-*.tar" >/dev/null || die "no image of $program: run make image first"
done
[ -f "$target/dist/checksums.txt" ] || die "no archive of the plugin: run make dist first"
tools=$(scripts/artifact-tools.sh)
PATH=$tools:$PATH

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$out"
mkdir -p "$out/oci/charts"
# No service is asked: neither for certificates nor for a transparency log.
cosign signing-config create --out "$work/services.json"
echo '{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}' >"$work/roots.json"
offline=(--key "$COSIGN_KEY" --signing-config "$work/services.json" --trusted-root "$work/roots.json")
quietly() {
    "$@" >"$work/output" 2>&1 || { cat "$work/output" >&2; die "failed: $*"; }
}
quietly cosign public-key --key "$COSIGN_KEY" --outfile "$out/cosign.pub"

# attest BUNDLE KIND [FLAG...]: a signed statement, in sigstore's format.
attest() {
    local bundle=$1
    shift
    cargo xtask statement --profile "$profile" ${BUILDER_ID:+--builder "$BUILDER_ID"} "$@" >"$work/statement.json"
    quietly cosign attest-blob "${offline[@]}" --statement "$work/statement.json" --bundle "$bundle"
}

# attach LAYOUT NAME KIND [FLAG...]: the same about an artefact of a layout, as its referrer.
bundle_type=application/vnd.dev.sigstore.bundle.v0.3+json
attach() {
    local layout=$1 name=$2 kind=$3 digest
    shift 3
    digest=$(oras resolve --oci-layout "$layout:$version")
    attest "$work/$kind.sigstore.json" "$kind" --subject "$prefix/$name=$digest" "$@"
    (
        cd "$work"
        quietly oras attach --oci-layout "$layout:$version" --artifact-type "$bundle_type" \
            --annotation "org.opencontainers.image.created=1970-01-01T00:00:00Z" \
            "$kind.sigstore.json:$bundle_type"
    )
}

out=$(cd "$out" && pwd)
cargo xtask vex >"$out/vex.openvex.json"

# image_layout PROGRAM: the images of one program for all processors, under one name.
image_layout() {
    local program=$1 layout=$out/oci/$1 archive digest arch tags=()
    for archive in "$target/image/$program"-*.tar; do
        arch=${archive##*-} arch=${arch%.tar}
        digest=$(tar -xOf "$archive" index.json | sed -n 's/.*"digest":"\(sha256:[0-9a-f]*\)".*/\1/p')
        quietly oras cp --from-oci-layout "$archive@$digest" --to-oci-layout "$layout:$version-$arch"
        tags+=("$version-$arch")
    done
    if [ "${#tags[@]}" -gt 1 ]; then
        quietly oras manifest index create --oci-layout "$layout:$version" "${tags[@]}"
    else
        quietly oras tag --oci-layout "$layout:${tags[0]}" "$version"
    fi
    attach "$layout" "$program" signature
    attach "$layout" "$program" provenance
    attach "$layout" "$program" sbom --predicate "$target/image/$program.cdx.json"
    attach "$layout" "$program" vex --predicate "$out/vex.openvex.json"
    say "$prefix/$program:$version is $(oras resolve --oci-layout "$layout:$version")"
}
image_layout gmsa-webhook
image_layout kubectl-gmsa

# Sorted, without times and owners, which `helm package` would put in.
chart=gmsa-$version.tgz
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --exclude='*.md.gotmpl' \
    --exclude=.helmignore -C charts -cf - gmsa | gzip -n -9 >"$out/$chart"
layout=$out/oci/charts/gmsa
cargo xtask chart-config >"$work/config.json"
(
    cd "$work"
    cp "$out/$chart" .
    quietly oras push --oci-layout "$layout:$version" \
        --config config.json:application/vnd.cncf.helm.config.v1+json \
        --annotation "org.opencontainers.image.created=1970-01-01T00:00:00Z" \
        "$chart:application/vnd.cncf.helm.chart.content.v1.tar+gzip"
)
attach "$layout" charts/gmsa signature
attach "$layout" charts/gmsa provenance
say "$prefix/charts/gmsa:$version is $(oras resolve --oci-layout "$layout:$version")"

cp -r "$target"/dist/. "$out/"
cp "$target/image/gmsa-webhook.cdx.json" "$out/"
quietly cosign sign-blob "${offline[@]}" --bundle "$out/checksums.txt.sigstore.json" "$out/checksums.txt"
subjects=()
while read -r sum file; do
    subjects+=(--subject "$file=sha256:$sum")
    # Each system's program is linked with other crates.
    name=${file%.tar.gz}
    name=${name%.zip}
    attest "$out/$name.sbom.sigstore.json" sbom --subject "$file=sha256:$sum" --predicate "$out/$name.cdx.json"
done <"$out/checksums.txt"
attest "$out/provenance.sigstore.json" provenance "${subjects[@]}"
attest "$out/vex.sigstore.json" vex "${subjects[@]}" --predicate "$out/vex.openvex.json"
say "$(find "$out" -type f | wc -l) files in $out"
