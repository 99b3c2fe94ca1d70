# How the domains of the tests are provisioned. Sourced by provision-domain.sh and
# provision-large-domain.sh. Identifiers and passwords are fixed, so that results are repeatable; nothing
# here is a secret.
# shellcheck shell=bash

# Debian's Samba scripts need Debian's Python, whatever else is on the PATH.
tool() { /usr/bin/python3 "$(command -v samba-tool)" "$@"; }

# provision DIRECTORY REALM NETBIOS HOST SID GUID: makes the domain in DIRECTORY/dc, and sets dc and conf.
provision() {
    dc=$1/dc
    conf=$dc/etc/smb.conf
    rm -rf "$dc"
    mkdir -p "$dc"
    local options=(
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
    tool domain provision --configfile=/dev/null --realm="$2" --domain="$3" \
        --host-name="$4" --host-ip=127.0.0.10 --server-role=dc --dns-backend=SAMBA_INTERNAL \
        --adminpass='Adm1n-pass' --targetdir="$dc" --function-level=2016 \
        --domain-sid="$5" --domain-guid="$6" "${options[@]}"
    sed -i '/dns forwarder/d' "$conf"
    mkdir -p "$dc/run" "$dc/tls"
}
