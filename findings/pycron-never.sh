#!/usr/bin/env bash
# pycron 3.3.0 (PyPI): schedules that never match.
#
# One would guess: `0 0 * * 7` is each Sunday, `0 0 * * 5-7` includes it, and `5/15` is minute 5, 20, 35 and 50: "0
# and 7 are both Sunday" (crontab(5)), and the step as the controller of CronJobs (robfig/cron) reads it. A schedule
# that it cannot read is an error.
# Seen: is_now() is false for each minute of two weeks with the first and the last, without an error, and on the
# Sundays of 5-7. cronsim 2.8 finds all of them.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages pycron==3.3.0 cronsim==2.8
cat > probe.py <<'PYTHON'
from datetime import datetime, timedelta

import pycron
from cronsim import CronSim

start = datetime(2026, 11, 29, 12)
for text in ["0 0 * * 0", "0 0 * * 7", "0 0 * * 5-7", "5/15 * * * *"]:
    times = [start + timedelta(minutes=minute) for minute in range(1, 14 * 24 * 60)]
    found = [time for time in times if pycron.is_now(text, time)]
    schedule = CronSim(text, start)
    print(text)
    print("  pycron: ", *(f"{time:%a-%dT%H:%M}" for time in found[:4]))
    print("  cronsim:", *(f"{next(schedule):%a-%dT%H:%M}" for _ in range(4)))
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
0 0 * * 0
  pycron:  Sun-06T00:00 Sun-13T00:00
  cronsim: Sun-06T00:00 Sun-13T00:00 Sun-20T00:00 Sun-27T00:00
0 0 * * 7
  pycron: 
  cronsim: Sun-06T00:00 Sun-13T00:00 Sun-20T00:00 Sun-27T00:00
0 0 * * 5-7
  pycron:  Fri-04T00:00 Sat-05T00:00 Fri-11T00:00 Sat-12T00:00
  cronsim: Fri-04T00:00 Sat-05T00:00 Sun-06T00:00 Fri-11T00:00
5/15 * * * *
  pycron: 
  cronsim: Sun-29T12:05 Sun-29T12:20 Sun-29T12:35 Sun-29T12:50
TEXT
