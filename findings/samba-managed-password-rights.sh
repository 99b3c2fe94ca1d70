#!/usr/bin/env bash
# Samba 4.24.7 (Debian trixie-backports): which rights let a host read a managed password.
#
# One would guess: an entry of msDS-GroupMSAMembership with GENERIC_ALL, or GENERIC_READ, lets read the password,
# for it includes every right to read; and one for the property msDS-ManagedPassword alone does, too.
# Seen: READ_PROPERTY (0x10) alone is enough, and nothing else is: generic rights are not mapped, and entries
# with an object GUID do not count. 4.22.6 does the same.
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
    --host-ip=127.64.9.9 --server-role=dc --dns-backend=SAMBA_INTERNAL --adminpass=Adm1n-pass \
    --targetdir=/finding/dc --function-level=2016 '--option=interfaces = 127.64.9.9/10' \
    '--option=bind interfaces only = yes' '--option=server services = rpc, ldap, kdc' \
    '--option=prefork children = 1' '--option=pid directory = /finding/dc/run' \
    '--option=ncalrpc dir = /finding/dc/run/ncalrpc' \
    '--option=winbindd socket directory = /finding/dc/run/winbindd' \
    '--option=ntp signd socket directory = /finding/dc/run/ntp_signd' '--option=ad dc functional level = 2016' \
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
mkdir -p dc/run
samba --foreground --no-process-group --configfile=/finding/dc/etc/smb.conf --debug-stdout >>log 2>&1 &
controller=$!
trap 'kill "$controller"; wait "$controller" || true' EXIT
tool computer create HOST1 >/dev/null
tool user setpassword 'HOST1$' --newpassword=H0st-pass >/dev/null 2>&1
sid=$(ldbsearch -H "$database" '(sAMAccountName=HOST1$)' objectSid 2>/dev/null | sed -n 's/^objectSid: //p')
cat >ask.py <<'PYTHON'
"""Searches for the managed passwords of all accounts as HOST1, over an encrypted connection."""
import time

import ldb
from samba import gensec
from samba.credentials import DONT_USE_KERBEROS, Credentials
from samba.param import LoadParm
from samba.samdb import SamDB

lp = LoadParm()
lp.load("/finding/dc/etc/smb.conf")
user = Credentials()
user.guess(lp)
user.set_username("HOST1$")
user.set_domain("CONTOSO")
user.set_password("H0st-pass")
user.set_kerberos_state(DONT_USE_KERBEROS)
user.set_gensec_features(user.get_gensec_features() | gensec.FEATURE_SEAL)
for _ in range(100):
    try:
        db = SamDB("ldap://127.64.9.9", credentials=user, lp=lp)
        break
    except ldb.LdbError:
        time.sleep(0.2)
try:
    found = db.search(expression="(objectClass=msDS-GroupManagedServiceAccount)", base=db.domain_dn(),
                      attrs=["sAMAccountName", "msDS-ManagedPassword"])
    for account in sorted(found, key=lambda one: str(one["sAMAccountName"])):
        print(account["sAMAccountName"], "given" if "msDS-ManagedPassword" in account else "left out")
except ldb.LdbError as error:
    print("result", error.args[0], "no right to view" if "no right to view" in error.args[1] else "")
PYTHON
number=0
for entry in "A;;0x10;;" "A;;GA;;" "A;;GR;;" "A;;0xf01ef;;" "OA;;RP;e362ed86-b728-0842-b27d-2dea7a9df218;"; do
    number=$((number + 1))
    echo "$number: ($entry;HOST)"
    account "N$number" "msDS-GroupMSAMembership: O:BAD:($entry;$sid)"
    echo
done >list
grep '^[0-9]: ' list
grep -v '^[0-9]: ' list >add.ldif
ldbmodify -H "$database" add.ldif
/usr/bin/python3 ask.py 2>/dev/null
RUN
chroot "$root" bash /finding/run.sh | tee "$work/result"
diff "$work/result" - <<'TEXT'
1: (A;;0x10;;;HOST)
2: (A;;GA;;;HOST)
3: (A;;GR;;;HOST)
4: (A;;0xf01ef;;;HOST)
5: (OA;;RP;e362ed86-b728-0842-b27d-2dea7a9df218;;HOST)
Modified 5 records successfully
N1$ given
N2$ left out
N3$ left out
N4$ left out
N5$ left out
TEXT
