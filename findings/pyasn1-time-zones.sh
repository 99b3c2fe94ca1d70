#!/usr/bin/env bash
# pyasn1 0.6.5 (PyPI): a time whose zone is not a whole number of hours, or west of UTC.
#
# One would guess: fromDateTime() writes a GeneralizedTime, the syntax of LDAP's and Active Directory's times, whose
# zone is hours and minutes with a sign (RFC 4517, 3.3.13), and asDateTime gives the same moment back.
# Seen: the minutes are written as seconds, and a zone west of UTC as one east of it, of a day less: +05:30 becomes
# "+051800", and -05:00 "+1900". The first cannot be read back, the second is another moment, by a whole day.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --target packages pyasn1==0.6.5
cat > probe.py <<'PYTHON'
from datetime import datetime, timedelta, timezone

from pyasn1.error import PyAsn1Error
from pyasn1.type.useful import GeneralizedTime

for minutes in [0, 120, 330, -300]:
    time = datetime(2026, 11, 29, 12, tzinfo=timezone(timedelta(minutes=minutes)))
    text = GeneralizedTime.fromDateTime(time)
    try:
        read = text.asDateTime.astimezone(timezone.utc).isoformat()
    except PyAsn1Error:
        read = "not readable"
    print(f"{time.isoformat()} = {time.astimezone(timezone.utc).isoformat()}: {text} -> {read}")
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
2026-11-29T12:00:00+00:00 = 2026-11-29T12:00:00+00:00: 20261129120000Z -> 2026-11-29T12:00:00+00:00
2026-11-29T12:00:00+02:00 = 2026-11-29T10:00:00+00:00: 20261129120000+0200 -> 2026-11-29T10:00:00+00:00
2026-11-29T12:00:00+05:30 = 2026-11-29T06:30:00+00:00: 20261129120000+051800 -> not readable
2026-11-29T12:00:00-05:00 = 2026-11-29T17:00:00+00:00: 20261129120000+1900 -> 2026-11-28T17:00:00+00:00
TEXT
