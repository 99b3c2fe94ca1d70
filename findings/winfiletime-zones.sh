#!/usr/bin/env bash
# winfiletime 2.1 (PyPI): the offset of a time zone is ignored, not taken off.
#
# One would guess: the same moment gives the same file time, as its documentation says that only a time without
# a zone is taken for UTC ([MS-DTYP] 2.3.3: a FILETIME counts from 1601 in UTC).
# Seen: from_datetime takes the hands of the clock: 14:00 at +02:00 becomes 14:00 UTC, two hours
# later than the same moment as 12:00 UTC. A pwdLastSet that is compared with such a number is off by hours.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages winfiletime==2.1
cat > probe.py <<'PYTHON'
from datetime import datetime, timedelta, timezone

from winfiletime import from_datetime, to_datetime

moment = datetime(2026, 11, 29, 12, tzinfo=timezone.utc)
elsewhere = moment.astimezone(timezone(timedelta(hours=2)))
print("one moment:", moment == elsewhere)
for time in (moment, elsewhere):
    print(time.isoformat(), "->", from_datetime(time), "->", to_datetime(from_datetime(time)).isoformat())
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
one moment: True
2026-11-29T12:00:00+00:00 -> 134404272000000000 -> 2026-11-29T12:00:00
2026-11-29T14:00:00+02:00 -> 134404344000000000 -> 2026-11-29T14:00:00
TEXT
