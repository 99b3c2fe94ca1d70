#!/usr/bin/env bash
# @ldapjs/dn 1.1.0 (npm, the parser of ldapjs 3): an escaped plus sign before a digit or a letter from a to f.
#
# One would guess: `CN=sql\+app` has the value `sql+app` (RFC 4514 2.4 escapes the plus sign so, and
# directories write names so), and a name that is parsed and written again names the same object.
# Seen: `+a` is taken for a number in hexadecimal. `CN=sql\+app` becomes `sql`, a line feed and `pp`;
# `CN=sql\+2,DC=x` gets a control character, and as white space is cut off at the end `CN=sql\+b` becomes
# `CN=sql`: another object, without an error. `CN=sql\+web` is read as meant. An escaped backslash
# is written without its escape, and an escaped space at the end is lost.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" @ldapjs/dn@1.1.0 >/dev/null
cat > probe.js <<'JS'
const { DN } = require("@ldapjs/dn");
const names = ["sql\\+web", "sql\\+app", "sql\\+2", "sql\\+b", "sql\\2Bb", "sql\\\\web", "sql\\ "];
for (const name of names) {
  const written = DN.fromString(`CN=${name},DC=x`).toString();
  console.log(`CN=${name},DC=x ->`, written);
}
JS
node probe.js | tee result
diff result - <<'TEXT'
CN=sql\+web,DC=x -> CN=sql\2bweb,DC=x
CN=sql\+app,DC=x -> CN=sql\0app,DC=x
CN=sql\+2,DC=x -> CN=sql\02,DC=x
CN=sql\+b,DC=x -> CN=sql,DC=x
CN=sql\2Bb,DC=x -> CN=sql\2bb,DC=x
CN=sql\\web,DC=x -> CN=sql\web,DC=x
CN=sql\ ,DC=x -> CN=sql,DC=x
TEXT
