#!/usr/bin/env bash
# dockerfile-parse 2.0.1 (PyPI): values of a Dockerfile with `# escape=`, as Windows images have.
#
# One would guess: after the directive, the backslash is an ordinary character (Dockerfile reference, "escape"), and
# `ENV A=C:\app\ B=2` sets two variables. It knows the directive: a backslash at the end of a line continues nothing.
# Seen: within a line the backslash still escapes: A is `C:app B=2`, B is missing, and the same for labels.
# dockerfile 3.4.0 (PyPI), BuildKit's own parser, reads two of each.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages dockerfile-parse==2.0.1 dockerfile==3.4.0
cat > Dockerfile <<'TEXT'
# escape=`
FROM mcr.microsoft.com/windows/servercore:ltsc2022
COPY web.exe C:\app\
ENV A=C:\app\ B=2
LABEL folder=C:\app\ team=front
TEXT
cat > probe.py <<'PYTHON'
import dockerfile
from dockerfile_parse import DockerfileParser

for command in dockerfile.parse_file("Dockerfile"):
    print("dockerfile:      ", command.cmd, *command.value)
parser = DockerfileParser("Dockerfile")
for instruction in parser.structure:
    print("dockerfile-parse:", instruction["instruction"], instruction["value"])
print("dockerfile-parse:", dict(parser.envs), dict(parser.labels))
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
dockerfile:       FROM mcr.microsoft.com/windows/servercore:ltsc2022
dockerfile:       COPY web.exe C:\app\
dockerfile:       ENV A C:\app\ B 2
dockerfile:       LABEL folder C:\app\ team front
dockerfile-parse: COMMENT escape=`
dockerfile-parse: FROM mcr.microsoft.com/windows/servercore:ltsc2022
dockerfile-parse: COPY web.exe C:\app\
dockerfile-parse: ENV A=C:\app\ B=2
dockerfile-parse: LABEL folder=C:\app\ team=front
dockerfile-parse: {'A': 'C:app B=2'} {'folder': 'C:app team=front'}
TEXT
