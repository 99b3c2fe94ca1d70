#!/usr/bin/env bash
# cel-python 0.5.0 (PyPI) and texts that are no numbers, durations or times of CEL.
#
# One would guess: int("0x10"), int("1_000"), duration("1d") and timestamp("2026-01-01") are errors: the
# first two are not decimal, the third has no unit of CEL, whose largest is the hour, and a time is one of
# RFC 3339 (CEL language definition, "List of Standard Definitions"). A policy that is tried with this
# package then fails on an API server.
# Seen: 16, 1000, a day, and midnight in UTC.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages cel-python==0.5.0 2>/dev/null
cat > probe.py <<'PYTHON'
import celpy
from celpy.adapter import json_to_cel

environment = celpy.Environment()
for expression in ('int("0x10")', 'int("1_000")', 'duration("1d")', 'timestamp("2026-01-01")'):
    value = environment.program(environment.compile(expression)).evaluate({})
    print(f"{expression}: {str(value)}")
PYTHON
PYTHONPATH=packages python3 probe.py | tee seen
diff - seen <<'SEEN'
int("0x10"): 16
int("1_000"): 1000
duration("1d"): 86400s
timestamp("2026-01-01"): 2026-01-01T00:00:00Z
SEEN
