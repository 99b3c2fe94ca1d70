#!/usr/bin/env bash
# Provisions the domain of the tests into the directory given. Called by build-domain-controller.sh.
# Identifiers and passwords are fixed, so that results are repeatable; nothing here is a secret.
set -euo pipefail

dc=${1:?usage: provision-domain.sh DIRECTORY}/dc
rm -rf "$dc"
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
tool domain provision --configfile=/dev/null --realm=CONTOSO.COM --domain=CONTOSO \
    --host-name=dc1 --host-ip=127.0.0.10 --server-role=dc --dns-backend=SAMBA_INTERNAL \
    --adminpass='Adm1n-pass' --targetdir="$dc" --function-level=2016 \
    --domain-sid=S-1-5-21-1111111111-2222222222-3333333333 \
    --domain-guid=11111111-2222-3333-4444-555555555555 "${options[@]}"
conf=$dc/etc/smb.conf
sed -i '/dns forwarder/d' "$conf"
mkdir -p "$dc/run" "$dc/tls"

local=(-s "$conf" -H "$dc/private/sam.ldb")
# GSSAPI asks for the ticket of this name.
tool spn add ldap/dc1.contoso.com 'DC1$' "${local[@]}"
for host in WEBHOST1 WEBHOST2 OTHERHOST; do
    tool computer create "$host" "${local[@]}"
    tool user setpassword "$host\$" --newpassword='H0st-pass' "${local[@]}"
done
tool group add webhosts "${local[@]}"
tool group addmembers webhosts 'WEBHOST1$' "${local[@]}"
for user in alice locked; do
    tool user create "$user" 'Us3r-pass' "${local[@]}"
done
tool domain passwordsettings set --account-lockout-threshold=3 --account-lockout-duration=30 "${local[@]}"
cp "$0" "$(dirname "$dc")/ready"
