#!/usr/bin/env bash
# rfc2253 0.2.0 (npm): a name of two attributes gets another attribute when it is written.
#
# One would guess: a name that is parsed and written again names the same object (RFC 2253 2.2 and RFC 4514
# 2.2: the attributes of one name are joined by a plus sign).
# Seen: `CN=web+OU=front` becomes a name whose first attribute is called `\+OU`: the plus sign is kept as
# a part of the next attribute, and escaped. The bytes of an escaped umlaut become a character each,
# `JÃ¶rg`. Neither is an error.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" rfc2253@0.2.0 >/dev/null
cat > probe.js <<'JS'
const { parse } = require("rfc2253");
for (const name of ["CN=web,DC=x", "CN=web+OU=front,DC=x", "CN=J\\C3\\B6rg,DC=x"]) {
  const read = parse(name);
  console.log(`${name} -> ${read.format()}, value ${JSON.stringify(read.get("CN"))}`);
}
JS
node probe.js | tee result
diff result - <<'TEXT'
CN=web,DC=x -> CN=web,DC=x, value "web"
CN=web+OU=front,DC=x -> \+OU=front+CN=web,DC=x, value "web"
CN=J\C3\B6rg,DC=x -> CN=JÃ¶rg,DC=x, value "JÃ¶rg"
TEXT
