#!/usr/bin/env bash
# oras 0.2.43 (PyPI): an image of the registry localhost is looked for at docker.io.
#
# One would guess: `localhost/web` is an image of the machine's own registry: the first part is a registry if it has a
# dot or a colon, or is localhost (the reference grammar of distribution, which docker follows).
# Seen: it is the repository localhost/web of docker.io. With a port, `localhost:5000/web`, it is the registry.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages oras==0.2.43 2>/dev/null
cat > probe.py <<'PYTHON'
from oras.container import Container

for text in ["shop/web", "registry.local/web", "localhost:5000/web", "localhost/web", "localhost/shop/web:1"]:
    container = Container(text)
    print(text, "->", container.registry, container.api_prefix)
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
shop/web -> docker.io shop/web
registry.local/web -> registry.local web
localhost:5000/web -> localhost:5000 web
localhost/web -> docker.io localhost/web
localhost/shop/web:1 -> docker.io localhost/shop/web
TEXT
