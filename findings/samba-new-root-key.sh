#!/usr/bin/env bash
# Samba 4.24.7 (Debian trixie-backports): a KDS root key that is "usable from about now" is not.
#
# One would guess: `samba-tool domain kds root-key create` makes a key that serves from the moment that
# it prints, as `Add-KdsRootKey -EffectiveImmediately` is known not to.
# Seen: it prints "usable from ... (about now)", `list` agrees, and an account is refused with 8009000D, no
# suitable root key. With the controller's clock moved, 4.22.6 takes the key 10 hours and 5 minutes
# after the printed moment. A start in the past serves at once.
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
for key in $(tool domain kds root-key list | grep -oE '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}' | sort -u); do
    tool domain kds root-key delete --name="$key" >/dev/null
done
tool domain kds root-key create | sed -E 's/[0-9a-f]{8}-[0-9a-f-]{27}/KEY/; s/from .*\(/from MOMENT (/'
account Early >early.ldif
{ ldbmodify -H "$database" early.ldif 2>&1 || true; } | grep -o '8009000D: failed to find a suitable root key' | head -n 1
tool domain kds root-key create --use-start-time=2020-01-01 >/dev/null
ldbmodify -H "$database" early.ldif
RUN
chroot "$root" bash /finding/run.sh | tee "$work/result"
diff "$work/result" - <<'TEXT'
created root key KEY, usable from MOMENT (about now)
8009000D: failed to find a suitable root key
Modified 1 records successfully
TEXT
