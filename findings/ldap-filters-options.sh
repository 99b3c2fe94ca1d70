#!/usr/bin/env bash
# ldap-filters 2.2.2 (npm): a filter that is read and written again has lost its attribute options.
#
# One would guess: the filter that is written finds what the one that was read does (RFC 4512 2.5.2:
# `cn;lang-de` is a subtype of `cn`, which has fewer values).
# Seen: `(cn;lang-de=web)` is written as `(cn=web)`, and `(userCertificate;binary=*)` without its option,
# both without an error. A matching rule, as of the usual filter for disabled accounts
# (`userAccountControl:1.2.840.113556.1.4.803:=2`), is refused.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" ldap-filters@2.2.2 >/dev/null
cat > probe.js <<'JS'
const filters = require("ldap-filters");
const texts = ["(cn=web)", "(cn;lang-de=web)", "(!(cn;lang-de=web))", "(userCertificate;binary=*)",
  "(userAccountControl:1.2.840.113556.1.4.803:=2)"];
for (const text of texts) {
  try {
    console.log(text, "->", filters.parse(text).toString());
  } catch {
    console.log(text, "-> refused");
  }
}
JS
node probe.js | tee result
diff result - <<'TEXT'
(cn=web) -> (cn=web)
(cn;lang-de=web) -> (cn=web)
(!(cn;lang-de=web)) -> (!(cn=web))
(userCertificate;binary=*) -> (userCertificate=*)
(userAccountControl:1.2.840.113556.1.4.803:=2) -> refused
TEXT
