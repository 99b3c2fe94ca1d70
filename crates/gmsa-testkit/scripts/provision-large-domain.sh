#!/usr/bin/env bash
# Provisions the second realm of the tests into the directory given: its NetBIOS name differs from its
# first DNS label, and it is large. Called by scripts/domain-controller.sh; takes some minutes, once.
# Identifiers and passwords are fixed, so that results are repeatable; nothing here is a secret.
set -euo pipefail

out=${1:?usage: provision-large-domain.sh DIRECTORY}
dc=$out/dc
rm -rf "$dc" "$out/ready"
mkdir -p "$dc"
# Debian's Samba scripts need Debian's Python, whatever else is on the PATH.
tool() { /usr/bin/python3 "$(command -v samba-tool)" "$@"; }

options=(
    '--option=ad dc functional level = 2016'
    '--option=interfaces = 127.0.0.10/8' '--option=bind interfaces only = yes'
    '--option=server services = rpc, ldap, cldap, kdc, dns' '--option=prefork children = 1'
    "--option=tls keyfile = $dc/tls/tls.key" "--option=tls certfile = $dc/tls/tls.crt"
    "--option=tls cafile = $dc/tls/ca.crt"
    "--option=pid directory = $dc/run" "--option=ncalrpc dir = $dc/run/ncalrpc"
    "--option=winbindd socket directory = $dc/run/winbindd"
    "--option=ntp signd socket directory = $dc/run/ntp_signd"
    # Needs no CAP_SYS_ADMIN.
    '--option=vfs objects = dfs_samba4 acl_xattr xattr_tdb'
    "--option=xattr_tdb:file = $dc/private/xattr.tdb"
)
tool domain provision --configfile=/dev/null --realm=CORP.FABRIKAM.EXAMPLE --domain=FABRI \
    --host-name=dcx --host-ip=127.0.0.10 --server-role=dc --dns-backend=SAMBA_INTERNAL \
    --adminpass='Adm1n-pass' --targetdir="$dc" --function-level=2016 \
    --domain-sid=S-1-5-21-3111111111-1555555555-2666666666 \
    --domain-guid=66666666-7777-8888-9999-aaaaaaaaaaaa "${options[@]}"
conf=$dc/etc/smb.conf
sed -i '/dns forwarder/d' "$conf"
mkdir -p "$dc/run" "$dc/tls"
/usr/bin/python3 "$(dirname "$0")/populate-large-domain.py" "$conf" "$dc/private/sam.ldb"
cp "$0" "$out/ready"
