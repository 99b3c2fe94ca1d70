#!/usr/bin/env bash
# Samba 4.24.7 (Debian trixie-backports): a group managed service account that samba-tool makes cannot be used.
#
# One would guess: `samba-tool service-account create` makes what New-ADServiceAccount makes: an enabled
# account of a workstation (4096) whose password nobody may read until principals are named.
# Seen: userAccountControl is 4130, which is disabled (2), without a password being needed (32); the
# built-in Administrator may read the password; encryption types are not set. 4.22.6 does the same.
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
tool service-account create --name=WebApp1 --dns-host-name=webapp1.contoso.com
tool service-account view --name=WebApp1 >account.json
grep -E '"(userAccountControl|msDS-ManagedPasswordInterval)"' account.json
grep -c msDS-SupportedEncryptionTypes account.json || true
grep -o '(A;.*-500)' account.json | sed 's/S-1-5-21-[0-9]*-[0-9]*-[0-9]*/DOMAIN/'
RUN
chroot "$root" bash /finding/run.sh | tee "$work/result"
diff "$work/result" - <<'TEXT'
Created group managed service account: WebApp1
  "msDS-ManagedPasswordInterval": 30,
  "userAccountControl": 4130
0
(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;DOMAIN-500)
TEXT
