#!/usr/bin/env bash
# buildah 1.28.2 of Debian 12 (1.28.2+ds1-3+deb12u1+b3): `--timestamp 0` and an OCI archive.
#
# One would guess: `buildah commit --timestamp 0 … oci-archive:FILE` writes the same bytes each time, as its
# man page says of images for that option ("builds deterministically").
# Seen: the image in it is the same (the same digest in index.json), the file is not: the entries of the
# archive keep the times at which they were written. `docker-archive:FILE` gives 1970, and the same bytes.
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
apt-get download -qq buildah=1.28.2+ds1-3+deb12u1+b3 libdevmapper1.02.1 libgpgme11 libassuan0 libsubid4 libseccomp2
for package in *.deb; do dpkg-deb -x "$package" packages; done
echo '{"default": [{"type": "insecureAcceptAnything"}]}' > policy.json
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
buildah() {
    LD_LIBRARY_PATH=$work/packages/lib/x86_64-linux-gnu:$work/packages/usr/lib/x86_64-linux-gnu \
        "$work/packages/usr/bin/buildah" --root "$work/storage" --runroot "$work/run" "$@"
}

buildah --version
mkdir files
echo example > files/file
container=$(buildah from scratch)
buildah copy --quiet "$container" files / > /dev/null
for format in oci docker; do
    for time in first second; do
        buildah commit --quiet --signature-policy policy.json --timestamp 0 "$container" \
            "$format-archive:$work/$format-$time.tar:example" > /dev/null
        # The times of the archive are whole seconds.
        sleep 1.1
    done
done
same() { if cmp -s "$1" "$2"; then echo "the same bytes"; else echo "other bytes"; fi; }
{
    for format in oci docker; do
        echo "$format-archive: $(same $format-first.tar $format-second.tar)"
    done
    for time in first second; do tar -xOf oci-$time.tar index.json > index-$time; done
    echo "index.json of the first: $(same index-first index-second)"
} | tee seen
tar --utc -tvf oci-first.tar index.json
tar --utc -tvf docker-first.tar manifest.json
diff - seen <<'SEEN'
oci-archive: other bytes
docker-archive: the same bytes
index.json of the first: the same bytes
SEEN
