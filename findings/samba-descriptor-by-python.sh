#!/usr/bin/env bash
# Samba 4.24.7 (Debian trixie-backports): a descriptor written as SDDL is stored as its text by SamDB.add.
#
# One would guess: ldbmodify and samba.samdb.SamDB.add, both over the same database and schema, store the same
# for `msDS-GroupMSAMembership: O:BAD:(A;;0xf01ff;;;BA)`, or the second refuses it.
# Seen: ldbmodify parses SDDL into a descriptor; SamDB.add stores the letters as the value of an attribute
# that holds a descriptor, without an error. Nobody may then read the password. It takes
# ndr_pack(security.descriptor.from_sddl(...)). 4.22.6 does the same.
set -euo pipefail

[ "$(id -u)" -eq 0 ] || { echo "root is needed: debootstrap" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mirror=http://deb.debian.org/debian
version=2:4.24.7+dfsg-1~bpo13+1
root=${SAMBA_ROOT:-$work/root}
if [ ! -x "$root/usr/sbin/samba" ]; then
    debootstrap --variant=minbase trixie "$root" $mirror >/dev/null
    echo "deb $mirror trixie-backports main" >"$root/etc/apt/sources.list.d/backports.list"
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" && chmod 755 "$root/usr/sbin/policy-rc.d"
    chroot "$root" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get install -y -qq --no-install-recommends \
        -t trixie-backports samba-ad-dc=$version samba-ad-provision ldb-tools >/dev/null 2>&1
fi
[ "$(chroot "$root" dpkg-query -W -f '${Version}' samba-ad-dc)" = "$version" ]
mkdir -p "$root/finding"
trap 'rm -rf "$work" "$root/finding"' EXIT
cat >"$root/finding/run.sh" <<'RUN'
set -euo pipefail
cd /finding
samba-tool domain provision --configfile=/dev/null --realm=CONTOSO.COM --domain=CONTOSO --host-name=dc1 \
    --host-ip=127.0.0.10 --server-role=dc --dns-backend=SAMBA_INTERNAL --adminpass=Adm1n-pass \
    --targetdir=/finding/dc --function-level=2016 '--option=ad dc functional level = 2016' \
    '--option=vfs objects = dfs_samba4 acl_xattr xattr_tdb' \
    '--option=xattr_tdb:file = /finding/dc/private/xattr.tdb' >log 2>&1
database=/finding/dc/private/sam.ldb
tool() { samba-tool "$@" -s /finding/dc/etc/smb.conf -H "$database"; }
accounts="CN=Managed Service Accounts,DC=contoso,DC=com"
# account NAME [LINE]: as LDIF.
account() {
    printf 'dn: CN=%s,%s\nchangetype: add\nobjectClass: msDS-GroupManagedServiceAccount\n' "$1" "$accounts"
    printf 'sAMAccountName: %s$\ndNSHostName: %s.contoso.com\nuserAccountControl: 4096\n' "$1" "$1"
    printf 'msDS-ManagedPasswordInterval: 30\n%s\n' "${2:-}"
}
account Tool 'msDS-GroupMSAMembership: O:BAD:(A;;0xf01ff;;;BA)' >add.ldif
ldbmodify -H "$database" add.ldif
cat >add.py <<'PYTHON'
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

lp = LoadParm()
lp.load("/finding/dc/etc/smb.conf")
db = SamDB(url="/finding/dc/private/sam.ldb", session_info=system_session(lp), lp=lp)
db.add({
    "dn": "CN=Python,CN=Managed Service Accounts,DC=contoso,DC=com",
    "objectClass": "msDS-GroupManagedServiceAccount",
    "sAMAccountName": "Python$",
    "dNSHostName": "python.contoso.com",
    "userAccountControl": "4096",
    "msDS-ManagedPasswordInterval": "30",
    "msDS-GroupMSAMembership": "O:BAD:(A;;0xf01ff;;;BA)",
})
for name in ("Tool", "Python"):
    found = db.search(base=db.domain_dn(), expression=f"(sAMAccountName={name}$)",
                      attrs=["msDS-GroupMSAMembership"])
    value = bytes(found[0]["msDS-GroupMSAMembership"][0])
    print(f"{name}:", value.decode() if value.startswith(b"O:") else f"a descriptor of revision {value[0]}")
PYTHON
/usr/bin/python3 add.py
RUN
chroot "$root" bash /finding/run.sh | tee "$work/result"
diff "$work/result" - <<'TEXT'
Modified 1 records successfully
Tool: a descriptor of revision 1
Python: O:BAD:(A;;0xf01ff;;;BA)
TEXT
