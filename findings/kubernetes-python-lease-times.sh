#!/usr/bin/env bash
# kubernetes 37.0.2 (PyPI): a Lease that is renewed on a full second is written in a form that servers refuse.
#
# One would guess: every datetime is written so that the API server reads it, and the server reads every time of
# RFC 3339, as it does in other fields (`metadata.creationTimestamp`).
# Seen: renewTime and acquireTime are of the type MicroTime, which takes exactly six digits of a fraction (its layout in
# Kubernetes' source is `2006-01-02T15:04:05.000000Z07:00`). The client uses isoformat(), which leaves the fraction
# out where it is zero: the server (seen with 1.36.2) answers `cannot parse "+00:00" as ".000000"`. It happens
# to one renewal in a million, and to every one that is rounded to seconds.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages kubernetes==37.0.2
cat > probe.py <<'PYTHON'
import re
from datetime import datetime, timezone

from kubernetes import client

MICRO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)")

api = client.ApiClient()
now = datetime(2026, 11, 29, 12, 0, 0, 250000, tzinfo=timezone.utc)
for time in (now, now.replace(microsecond=0)):
    lease = client.V1Lease(spec=client.V1LeaseSpec(renew_time=time))
    written = api.sanitize_for_serialization(lease)["spec"]["renewTime"]
    print(written, "is a MicroTime" if MICRO_TIME.fullmatch(written) else "is not")
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
2026-11-29T12:00:00.250000+00:00 is a MicroTime
2026-11-29T12:00:00+00:00 is not
TEXT
