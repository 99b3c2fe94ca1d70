#!/usr/bin/env bash
# ldif 0.5.1 (npm): where an entry is moved to is not read.
#
# One would guess: the two words of RFC 2849 for one change, `changetype: modrdn` and `changetype: moddn`, are
# read alike, with the new name and the new parent.
# Seen: of moddn, which ldapmodify and ldbmodify take too, neither is read, without an error, and what
# is written again is a change that changes nothing. modrdn is as meant.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" ldif@0.5.1 >/dev/null
cat > probe.js <<'JS'
const ldif = require("ldif");
for (const word of ["modrdn", "moddn"]) {
  const change = ldif.parse(`dn: CN=web,CN=Managed Service Accounts,DC=contoso,DC=com
changetype: ${word}
newrdn: CN=web
deleteoldrdn: 1
newsuperior: OU=Web,DC=contoso,DC=com
`).entries[0];
  console.log(change.toLDIF());
}
JS
node probe.js | tee result
diff result - <<'TEXT'
dn: CN=web,CN=Managed Service Accounts,DC=contoso,DC=com
changetype: modrdn
newrdn: CN=web
deleteoldrdn: 1
newsuperior: OU=Web,DC=contoso,DC=com
dn: CN=web,CN=Managed Service Accounts,DC=contoso,DC=com
changetype: moddn
TEXT
