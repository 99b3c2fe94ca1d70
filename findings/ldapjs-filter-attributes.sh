#!/usr/bin/env bash
# @ldapjs/filter 2.1.1 (npm, the filters of ldapjs 3): attributes with an option or by their identifier.
#
# One would guess: an attribute description of RFC 4512 2.5, an identifier as `1.2.840.113556.1.4.8` or a
# name with options as `userCertificate;binary`, may stand in a filter (RFC 4515 3 takes it over).
# Seen: parseString refuses both with "invalid expression", and an empty value (`(description=)`)
# with the advice to provide one. The same attributes are taken where a filter is made of its parts, and sent.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" @ldapjs/filter@2.1.1 >/dev/null
cat > probe.js <<'JS'
const { parseString, PresenceFilter } = require("@ldapjs/filter");
const filters = ["(userCertificate=*)", "(userCertificate;binary=*)", "(userAccountControl=512)",
  "(1.2.840.113556.1.4.8=512)", "(description=)"];
for (const text of filters) {
  try {
    console.log(parseString(text).toString());
  } catch (error) {
    console.log(`${text}: ${error.message}`);
  }
}
console.log("of parts:", new PresenceFilter({ attribute: "userCertificate;binary" }).toString());
JS
node probe.js | tee result
diff result - <<'TEXT'
(userCertificate=*)
(userCertificate;binary=*): invalid expression
(userAccountControl=512)
(1.2.840.113556.1.4.8=512): invalid expression
(description=): must either provide a buffer via `raw` or some `value`
of parts: (userCertificate;binary=*)
TEXT
