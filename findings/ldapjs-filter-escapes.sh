#!/usr/bin/env bash
# ldapjs 3.0.7 (npm, with @ldapjs/filter 2.1.1): the escapes of a search filter are sent as they are written.
#
# One would guess: `(cn=a\2ab)` asks the server for the value `a*b`, as in every LDAP client (RFC 4515 3:
# the escapes are part of the text, not of the value that is sent).
# Seen: the value that is sent is the five characters `a\2ab`, and a search for an
# objectGUID sends `\80\81\ff`, nine characters for three bytes. Such searches find nothing, without
# an error. The same filter made of its parts (EqualityFilter) sends the value as meant.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" ldapjs@3.0.7 @ldapjs/filter@2.1.1 >/dev/null
cat > probe.js <<'JS'
const ldapjs = require("ldapjs");
const { EqualityFilter } = require("@ldapjs/filter");
/// The value at the end of a filter with the two-letter attribute `cn` or the ten letters of objectGUID.
const sent = (filter, attribute) => filter.toBer().buffer.subarray(2 + 2 + attribute.length + 2).toString("latin1");
console.log("ldapjs", require("ldapjs/package.json").version);
console.log("text (cn=a\\2ab):", sent(ldapjs.parseFilter("(cn=a\\2ab)"), "cn"));
console.log("text (objectGUID=\\80\\81\\ff):", sent(ldapjs.parseFilter("(objectGUID=\\80\\81\\ff)"), "objectGUID"));
console.log("text (cn=web \\28old\\29):", sent(ldapjs.parseFilter("(cn=web \\28old\\29)"), "cn"));
console.log("made of cn and a*b:", sent(new EqualityFilter({ attribute: "cn", value: "a*b" }), "cn"));
JS
node probe.js | tee result
diff result - <<'TEXT'
ldapjs 3.0.7
text (cn=a\2ab): a\2ab
text (objectGUID=\80\81\ff): \80\81\ff
text (cn=web \28old\29): web \28old\29
made of cn and a*b: a*b
TEXT
