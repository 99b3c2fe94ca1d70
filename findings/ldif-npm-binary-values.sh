#!/usr/bin/env bash
# ldif 0.5.1 (npm): values in base64 that are no text are lost.
#
# One would guess: LDIF that is read and written again is the same, as its documentation says ("outputs
# exactly compatible LDIF"; RFC 2849 has base64 for values that are no text).
# Seen: the bytes are taken for UTF-8, and what is none becomes U+FFFD: the objectGUID and the objectSid
# of an account come back with other bytes, and of other length. Text and ASCII survive.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" ldif@0.5.1 >/dev/null
cat > probe.js <<'JS'
const ldif = require("ldif");
const guid = Buffer.from("86ed62e328b74208b27d2dea7a9df218", "hex").toString("base64");
const sid = Buffer.from("010500000000000515000000c0ddaabb99ccddee0102030450040000", "hex").toString("base64");
const text = `dn: CN=web,DC=contoso,DC=com\ncn:: w7Y=\nobjectGUID:: ${guid}\nobjectSid:: ${sid}`;
const written = ldif.parse(`${text}\n`).shift().toLDIF();
const value = (lines, name) => lines.split("\n").find((line) => line.startsWith(name)).split(":: ")[1];
for (const name of ["cn", "objectGUID", "objectSid"]) {
  const bytes = (lines) => Buffer.from(value(lines, name), "base64");
  console.log(`${name}: ${bytes(text).length} bytes read, ${bytes(written).length} written,`,
    bytes(text).equals(bytes(written)) ? "the same" : "others");
}
console.log(value(written, "objectGUID"));
JS
node probe.js | tee result
diff result - <<'TEXT'
cn: 2 bytes read, 2 written, the same
objectGUID: 16 bytes read, 32 written, others
objectSid: 28 bytes read, 40 written, others
77+977+9Yu+/vSjvv71CCO+/vX0t77+9eu+/ve+/vRg=
TEXT
