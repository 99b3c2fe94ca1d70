#!/usr/bin/env bash
# Samba 4.24.7 (Debian trixie-backports): a service principal name that two accounts have cannot be deleted.
#
# One would guess: that a name is unique is checked where it comes, so that deleting the value from one of two
# accounts that have it (by replication, or older software) is how the conflict is resolved.
# Seen: deleting the value is refused with 19, constraint violation, because the check finds the other
# account; deleting the whole attribute, or replacing it by the other names, works. And the same name
# twice in one account, in different case, is accepted. 4.22.6 does the same.
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
for name in One Two; do
    account $name >add.ldif
    ldbmodify -H "$database" add.ldif >/dev/null
    printf 'dn: CN=%s,%s\nchangetype: modify\nadd: servicePrincipalName\nservicePrincipalName: http/both\n' \
        $name "$accounts" >both.ldif
    # Below the checks, as replication is.
    ldbmodify -H "/finding/dc/private/sam.ldb.d/DC=CONTOSO,DC=COM.ldb" both.ldif >/dev/null
done
change() { printf 'dn: CN=One,%s\nchangetype: modify\n%b\n' "$accounts" "$1" >change.ldif; }
change 'delete: servicePrincipalName\nservicePrincipalName: http/both'
{ ldbmodify -H "$database" change.ldif 2>&1 || true; } | grep -o 'Constraint violation during LDB_MODIFY (19)' | head -n 1
change 'delete: servicePrincipalName'
ldbmodify -H "$database" change.ldif
change 'add: servicePrincipalName\nservicePrincipalName: http/uno\nservicePrincipalName: HTTP/UNO'
ldbmodify -H "$database" change.ldif 2>/dev/null
ldbsearch -H "$database" '(sAMAccountName=One$)' servicePrincipalName 2>/dev/null | grep ^service
RUN
chroot "$root" bash /finding/run.sh | tee "$work/result"
diff "$work/result" - <<'TEXT'
Constraint violation during LDB_MODIFY (19)
Modified 1 records successfully
Modified 1 records successfully
servicePrincipalName: http/uno
servicePrincipalName: HTTP/UNO
TEXT
