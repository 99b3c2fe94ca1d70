#!/usr/bin/env bash
# regopy 1.5.2 (PyPI, the interpreter rego-cpp): the age that time.diff() computes.
#
# One would guess: from 1 January to 1 March 2026 are two months: time.diff() gives the years, months, days, hours,
# minutes and seconds between two moments (Open Policy Agent, built-in functions).
# Seen: one month, 28 days, 13 hours, 30 minutes and 54 seconds: a month is a twelfth of a mean year. A policy that
# accepts a report of at least two months refuses this one. opa-eval 0.1.1, which runs regorus, counts on the
# calendar.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages regopy==1.5.2 opa-eval==0.1.1
cat > probe.py <<'PYTHON'
import json
from datetime import datetime
from pathlib import Path

from opa_eval import OpaEval
from regopy import Interpreter


def regopy(expression: str) -> object:
    return json.loads(str(Interpreter().query(f"answer = {expression}")))["bindings"]["answer"]


def regorus(expression: str) -> object:
    Path("probe.rego").write_text(f"package probe\n\nanswer := {expression}\n")
    return json.loads(OpaEval("probe.rego", query="data.probe.answer").evaluate("{}"))


for start, end in [("2026-01-01", "2026-01-31"), ("2026-01-01", "2026-03-01"), ("2026-01-01", "2026-11-29")]:
    times = (f"{datetime.fromisoformat(day + 'T00:00:00+00:00').timestamp():.0f}000000000" for day in (end, start))
    expression = f"time.diff({', '.join(times)})"
    print(f"{start} to {end}: regopy {regopy(expression)}, opa-eval {regorus(expression)}")
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
2026-01-01 to 2026-01-31: regopy [0, 0, 30, 0, 0, 0], opa-eval [0, 0, 30, 0, 0, 0]
2026-01-01 to 2026-03-01: regopy [0, 1, 28, 13, 30, 54], opa-eval [0, 2, 0, 0, 0, 0]
2026-01-01 to 2026-11-29: regopy [0, 10, 27, 15, 9, 0], opa-eval [0, 10, 28, 0, 0, 0]
TEXT
