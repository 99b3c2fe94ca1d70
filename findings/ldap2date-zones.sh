#!/usr/bin/env bash
# ldap2date 2.0.0 (npm): the zone of a generalized time is added, not taken off, and read as one digit.
#
# One would guess: `20261129120000+0100` is 11:00 UTC (RFC 4517 3.3.13; X.680 46: the zone says by how much the
# local time is ahead).
# Seen: 13:40 UTC. The sign is the wrong way round, and of `0100` the hours are its first digit, 0, and the
# minutes the rest, 100. `-0500` gives 03:40 in place of 17:00. Times that end in Z are right.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" ldap2date@2.0.0 >/dev/null
cat > probe.js <<'JS'
const ldap2date = require("ldap2date");
for (const zone of ["Z", ".0Z", "+0000", "+0100", "-0500"]) {
  const time = `20261129120000${zone}`;
  console.log(time, ldap2date.parse(time).toISOString());
}
JS
node probe.js | tee result
diff result - <<'TEXT'
20261129120000Z 2026-11-29T12:00:00.000Z
20261129120000.0Z 2026-11-29T12:00:00.000Z
20261129120000+0000 2026-11-29T12:00:00.000Z
20261129120000+0100 2026-11-29T13:40:00.000Z
20261129120000-0500 2026-11-29T03:40:00.000Z
TEXT
