#!/usr/bin/env bash
# cron-converter 2.0.2 (PyPI): a schedule with a day of the month and a day of the week.
#
# One would guess: `0 0 13 * 5` is each 13th and each Friday: crontab(5) says that a command runs when either field
# matches, and so does the controller of Kubernetes' CronJobs (robfig/cron).
# Seen: only Fridays that are a 13th, four in three years where croniter 7.0.0 names four in three weeks. Also a
# start with a step, `5/15`, is minute 5 alone, not 5, 20, 35 and 50.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages cron-converter==2.0.2 croniter==7.0.0
cat > probe.py <<'PYTHON'
from datetime import datetime

from cron_converter import Cron
from croniter import croniter

start = datetime(2026, 11, 29, 12)
for text in ["0 0 13 * 5", "5/15 * * * *"]:
    schedule, peer = Cron(text).schedule(start), croniter(text, start)
    print(text)
    print("  cron-converter:", *(f"{schedule.next():%Y-%m-%dT%H:%M}" for _ in range(4)))
    print("  croniter:      ", *(f"{peer.get_next(datetime):%Y-%m-%dT%H:%M}" for _ in range(4)))
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
0 0 13 * 5
  cron-converter: 2027-08-13T00:00 2028-10-13T00:00 2029-04-13T00:00 2029-07-13T00:00
  croniter:       2026-12-04T00:00 2026-12-11T00:00 2026-12-13T00:00 2026-12-18T00:00
5/15 * * * *
  cron-converter: 2026-11-29T12:05 2026-11-29T13:05 2026-11-29T14:05 2026-11-29T15:05
  croniter:       2026-11-29T12:05 2026-11-29T12:20 2026-11-29T12:35 2026-11-29T12:50
TEXT
