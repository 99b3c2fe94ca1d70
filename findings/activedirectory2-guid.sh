#!/usr/bin/env bash
# activedirectory2 2.2.0 (npm): the objectGUID of an account is shown as a SID.
#
# One would guess: the text of a GUID, as ADUC and Get-ADUser show it ([MS-DTYP] 2.3.4.3), or the bytes.
# Seen: `S-134-108727780196872-3928849842-418553210`: the function for SIDs is used for both attributes. The number of
# revision 134 is the GUID's first byte, and the second byte, where a SID has the number of its parts, is left
# out, so that GUIDs that differ there look alike. The objectSid is right.
# The directory here is a stand-in with one account.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" activedirectory2@2.2.0 ldapjs@2.3.3 >/dev/null
cat > probe.js <<'JS'
const ActiveDirectory = require("activedirectory2");
const ldapjs = require("ldapjs");
const server = ldapjs.createServer();
server.bind("", (_, response) => response.end());
server.search("DC=x", (_, response) => {
  const attributes = (guid) => ({
    objectClass: ["top", "account"],
    objectGUID: Buffer.from(guid, "hex"),
    objectSid: Buffer.from("01050000000000051500000001000000020000000300000050040000", "hex"),
  });
  response.send({ dn: "CN=web,DC=x", attributes: attributes("86ed62e328b74208b27d2dea7a9df218") });
  response.send({ dn: "CN=shop,DC=x", attributes: attributes("860062e328b74208b27d2dea7a9df218") });
  response.end();
});
server.listen(0, "127.0.0.1", () => {
  const login = { username: "CN=reader", password: "example" };
  const directory = new ActiveDirectory({ url: server.url, baseDN: "DC=x", ...login });
  const query = { filter: "(cn=*)", attributes: ["dn", "objectGUID", "objectSid"] };
  directory.find(query, (error, found) => {
    for (const entry of error ? [error] : found.other) console.log(entry.dn, entry.objectGUID, entry.objectSid);
    process.exit();
  });
});
JS
node probe.js | tee result
diff result - <<'TEXT'
cn=web,dc=x S-134-108727780196872-3928849842-418553210 S-1-5-21-1-2-3-1104
cn=shop,dc=x S-134-108727780196872-3928849842-418553210 S-1-5-21-1-2-3-1104
TEXT
