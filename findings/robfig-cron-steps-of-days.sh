#!/usr/bin/env bash
# robfig/cron 3.0.1 (Go, Debian's golang-github-robfig-cron-dev 3.0.1-1), which reads the schedules of CronJobs.
#
# One would guess: a CronJob runs when cron would: `0 0 */2 * 1` on Mondays with an odd date: crontab(5) asks for
# either of two day fields only "if both fields are restricted (i.e., do not contain the '*' character)", and here is
# one.
# Seen: every odd date and every Monday: a step makes a field with an asterisk a restricted one. `0 0 * * 7`, which
# crontab(5) knows as Sunday, is refused. cronsim 2.8 (PyPI), which follows Debian's cron, names the days that cron
# runs on.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --target python cronsim==2.8
mkdir -p apt/lists/partial apt/cache/archives/partial
: > apt/status
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main" \
    > apt/sources.list
cat > apt/apt.conf <<CONFIGURATION
Dir::State "$work/apt";
Dir::State::status "$work/apt/status";
Dir::State::lists "$work/apt/lists";
Dir::Cache "$work/apt/cache";
Dir::Etc::sourcelist "$work/apt/sources.list";
Dir::Etc::sourceparts "-";
APT::Sandbox::User "root";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
CONFIGURATION
export APT_CONFIG=$work/apt/apt.conf
apt-get update -qq
apt-get download -qq golang-github-robfig-cron-dev=3.0.1-1
for package in *.deb; do dpkg-deb -x "$package" packages; done
cat > probe.go <<'GO'
package main

import (
	"fmt"
	"time"

	"github.com/robfig/cron"
)

func main() {
	for _, text := range []string{"0 0 13 * 5", "0 0 * * 1", "0 0 */2 * 1", "0 0 * * 7"} {
		schedule, err := cron.ParseStandard(text)
		fmt.Print("robfig/cron ", text, " ->")
		if err != nil {
			fmt.Println("", err)
			continue
		}
		next := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
		for i := 0; i < 4; i++ {
			next = schedule.Next(next)
			fmt.Print(next.Format(" Mon 01-02"))
		}
		fmt.Println()
	}
}
GO
cat > probe.py <<'PYTHON'
from datetime import datetime

from cronsim import CronSim

for text in ["0 0 13 * 5", "0 0 * * 1", "0 0 */2 * 1", "0 0 * * 7"]:
    schedule = CronSim(text, datetime(2026, 11, 29, 12))
    print("cronsim     ", text, "->", *(f"{next(schedule):%a %m-%d}" for _ in range(4)))
PYTHON
{
    GO111MODULE=off GOFLAGS='' GOPATH=$work/packages/usr/share/gocode GOCACHE=$work/cache go run probe.go
    PYTHONPATH=python python3 probe.py
} | tee result
diff result - <<'TEXT'
robfig/cron 0 0 13 * 5 -> Fri 12-04 Fri 12-11 Sun 12-13 Fri 12-18
robfig/cron 0 0 * * 1 -> Mon 11-30 Mon 12-07 Mon 12-14 Mon 12-21
robfig/cron 0 0 */2 * 1 -> Mon 11-30 Tue 12-01 Thu 12-03 Sat 12-05
robfig/cron 0 0 * * 7 -> end of range (7) above maximum (6): 7
cronsim      0 0 13 * 5 -> Fri 12-04 Fri 12-11 Sun 12-13 Fri 12-18
cronsim      0 0 * * 1 -> Mon 11-30 Mon 12-07 Mon 12-14 Mon 12-21
cronsim      0 0 */2 * 1 -> Mon 12-07 Mon 12-21 Mon 01-11 Mon 01-25
cronsim      0 0 * * 7 -> Sun 12-06 Sun 12-13 Sun 12-20 Sun 12-27
TEXT
