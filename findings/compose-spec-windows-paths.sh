#!/usr/bin/env bash
# compose-spec 0.2.1 (PyPI, the crate compose_spec): Compose files for containers of Windows.
#
# One would guess: a service of Windows containers is read on any machine, as Compose's own parser does, which takes
# a letter and a colon for a drive: its credential_spec and isolation are fields like any other.
# Seen: on Linux these two are read, and paths of Windows are not: `C:\data:C:\app` is cut at the first colon, and a
# source of a bind mount or a working_dir with a drive, as well as a named pipe, is not absolute.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages compose-spec==0.2.1 2>/dev/null
cat > probe.py <<'PYTHON'
from compose_spec import PyCompose

for fields in [
    ["credential_spec: {file: web.json}", "isolation: process"],
    [r"volumes: ['C:\data:C:\app']"],
    [r"volumes: [{type: bind, source: 'C:\data', target: 'C:\app'}]"],
    [r"volumes: [{type: npipe, source: '\\.\pipe\docker_engine', target: '\\.\pipe\docker_engine'}]"],
    [r"working_dir: 'C:\app'"],
]:
    text = "\n    ".join(["services:\n  web:", "image: web", *fields])
    try:
        service = PyCompose.from_yaml(text).to_dict()["services"]["web"]
    except ValueError as error:
        service = str(error).split(" at line")[0]
    print(*fields, f"-> {service}", sep="\n  ")
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
credential_spec: {file: web.json}
  isolation: process
  -> {'credential_spec': {'file': 'web.json'}, 'image': 'web', 'isolation': 'process'}
volumes: ['C:\data:C:\app']
  -> services.web.volumes[0]: volume container path `\data` is not absolute
volumes: [{type: bind, source: 'C:\data', target: 'C:\app'}]
  -> services.web.volumes[0]: volume host paths must start with `.` or `..`, or be absolute
volumes: [{type: npipe, source: '\\.\pipe\docker_engine', target: '\\.\pipe\docker_engine'}]
  -> services.web.volumes[0]: volume host paths must start with `.` or `..`, or be absolute
working_dir: 'C:\app'
  -> services.web.working_dir: path is not absolute
TEXT
