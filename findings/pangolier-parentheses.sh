#!/usr/bin/env bash
# pangolier 0.4.2 (PyPI): the parentheses of a PromQL query.
#
# One would guess: an expression that is built from Python's operators keeps its order: `a - (b - c)` needs
# parentheses, since operators of the same precedence are left-associative (Prometheus, "Operators").
# Seen: they are left out: `a - b - c`, and `a / b * c` for `a / (b * c)`: other numbers. Where the operator on the
# right binds more weakly they are written. promcraft 0.6.2 writes all of them.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages pangolier==0.4.2 promcraft==0.6.2
cat > probe.py <<'PYTHON'
from pangolier.metrics import Metric
from promcraft import InstantVector

a, b, c = (Metric(name) for name in "abc")
x, y, z = (InstantVector(name, []) for name in "abc")
for text, query, peer in [
    ("(a + b) * c", (a + b) * c, (x + y) * z),
    ("a - (b - c)", a - (b - c), x - (y - z)),
    ("a / (b * c)", a / (b * c), x / (y * z)),
]:
    print(f"{text}: pangolier {query.to_str()}, promcraft {peer}")
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
(a + b) * c: pangolier (a + b) * c, promcraft (a{} + b{}) * c{}
a - (b - c): pangolier a - b - c, promcraft a{} - (b{} - c{})
a / (b * c): pangolier a / b * c, promcraft a{} / (b{} * c{})
TEXT
