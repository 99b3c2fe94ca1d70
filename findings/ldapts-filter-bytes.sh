#!/usr/bin/env bash
# ldapts 9.2.0 (npm): bytes that a search filter escapes are sent as UTF-8 of their numbers.
#
# One would guess: `\80\81\ff` in a filter are three bytes (RFC 4515 3), so that an entry can be found by its
# objectGUID or objectSid, and `J\c3\b6rg`, as other tools escape an umlaut, is Jörg.
# Seen: FilterParser takes each pair for a character, and writes six bytes, c2 80 c2 81 c3 bf; the name becomes
# `JÃ¶rg`. Only escapes of ASCII are as meant. Made of its parts with a Buffer, the filter sends three bytes.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" ldapts@9.2.0 >/dev/null
cat > probe.js <<'JS'
const { BerWriter, EqualityFilter, FilterParser } = require("ldapts");
function sent(filter) {
  const writer = new BerWriter();
  filter.write(writer);
  return writer.buffer.subarray(2 + 2 + filter.attribute.length + 2).toString("hex");
}
for (const text of ["(objectGUID=\\80\\81\\ff)", "(cn=J\\c3\\b6rg)", "(cn=a\\2ab)"]) {
  console.log(text, sent(FilterParser.parseString(text)));
}
console.log("of a buffer", sent(new EqualityFilter({ attribute: "objectGUID", value: Buffer.from("8081ff", "hex") })));
JS
node probe.js | tee result
diff result - <<'TEXT'
(objectGUID=\80\81\ff) c280c281c3bf
(cn=J\c3\b6rg) 4ac383c2b67267
(cn=a\2ab) 612a62
of a buffer 8081ff
TEXT
