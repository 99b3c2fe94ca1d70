#!/usr/bin/env bash
# Makes an image of a program as an OCI archive: the program in the root directory, with the libraries that it is
# linked with, and nothing else. Needs buildah, and no daemon.
#
#   program-image.sh PROGRAM ARCHIVE NAME
set -euo pipefail

program=$(realpath "${1:?usage: program-image.sh PROGRAM ARCHIVE NAME}")
archive=${2:?usage: program-image.sh PROGRAM ARCHIVE NAME}
name=${3:?usage: program-image.sh PROGRAM ARCHIVE NAME}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
install -D -m 755 "$program" "$work/root/$(basename "$program")"
# A static program has none.
{ ldd "$program" 2>/dev/null | grep -o '/[^ ]*' || true; } | while read -r library; do
    install -D -m 755 "$(realpath "$library")" "$work/root$library"
done
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
storage=(--root "$work/storage" --runroot "$work/run")
container=$(buildah "${storage[@]}" from scratch)
buildah "${storage[@]}" copy --quiet "$container" "$work/root" / >/dev/null
buildah "${storage[@]}" config --os linux --entrypoint "[\"/$(basename "$program")\"]" --cmd '' "$container"
rm -f "$archive"
buildah "${storage[@]}" commit --quiet "$container" "oci-archive:$archive:$name" >/dev/null
