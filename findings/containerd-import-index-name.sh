#!/usr/bin/env bash
# ctr and containerd 1.6.20 of Debian 12 (1.6.20~ds1-1+deb12u3): `ctr images import --index-name` and an archive
# whose image has that name.
#
# One would guess: the name is that of the archive's index ("image name to keep index as"), as it is for
# every other name; or the import is refused, because two things want one name.
# Seen: with another name there are two images, the index and the manifest. With the name that the image
# has in the archive there is one, and it is the manifest: the index is not kept, without a word.
set -euo pipefail

[ "$(id -u)" -eq 0 ] || { echo "root is needed: containerd" >&2; exit 1; }
work=$(mktemp -d)
containerd=
trap '[ -z "$containerd" ] || { kill "$containerd"; wait "$containerd" || true; }; rm -rf "$work"' EXIT
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
apt-get download -qq 'containerd=1.6.20~ds1-1+deb12u3'
dpkg-deb -x ./*.deb packages

# An archive of one image, which it calls example.com/image:1.
cat > archive.py <<'PYTHON'
import hashlib, io, json, tarfile

files = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}


def blob(kind, data, **more):
    digest = hashlib.sha256(data).hexdigest()
    files[f"blobs/sha256/{digest}"] = data
    media_type = f"application/vnd.oci.image.{kind}"
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data), **more}


layer = bytes(1024)
root = {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}
config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": root}).encode()
manifest = {"schemaVersion": 2, "config": blob("config.v1+json", config), "layers": [blob("layer.v1.tar", layer)]}
name = {"org.opencontainers.image.ref.name": "example.com/image:1"}
entry = blob("manifest.v1+json", json.dumps(manifest).encode(), annotations=name)
files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()
with tarfile.open("archive.tar", "w") as archive:
    for path, data in files.items():
        info = tarfile.TarInfo(path)
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
PYTHON
python3 archive.py

cat > config.toml <<TOML
version = 2
root = "$work/root"
state = "$work/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
address = "$work/socket"
TOML
packages/usr/bin/containerd --config config.toml 2> log &
containerd=$!
until [ -S socket ]; do kill -0 "$containerd"; sleep 0.1; done
ctr() { packages/usr/bin/ctr --address "$work/socket" "$@"; }

packages/usr/bin/containerd --version
for name in example.com/other:1 example.com/image:1; do
    ctr images import --no-unpack --index-name "$name" archive.tar > said
    echo "--index-name $name: $(wc -l < said) lines of output"
    ctr images list | awk 'NR > 1 { sub(/.*image\./, "", $2); print "  " $1, $2 }'
    ctr images list -q | xargs -n 1 packages/usr/bin/ctr --address "$work/socket" images remove > /dev/null
done | tee seen
diff - seen <<'SEEN'
--index-name example.com/other:1: 0 lines of output
  example.com/image:1 manifest.v1+json
  example.com/other:1 index.v1+json
--index-name example.com/image:1: 0 lines of output
  example.com/image:1 manifest.v1+json
SEEN
