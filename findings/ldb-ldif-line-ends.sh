#!/usr/bin/env bash
# ldb-tools 2.6.2 (Debian's 2:2.6.2+samba4.17.12+dfsg-0+deb12u4): LDIF of Windows gets a carriage return in each value.
#
# One would guess: ldbadd and ldbmodify, Samba's tools for its directory, read LDIF with either line end (RFC 2849:
# SEP is CR LF or LF); tools of Windows write CR LF.
# Seen: the record is added "successfully", and each value ends with a carriage return: the name is `shop\r`, which no
# search for `shop` finds, and the entry stands under `DC=contoso\r`, another tree than that of the first one.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -p apt/lists/partial apt/cache/archives/partial
: > apt/status
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main" \
    > apt/sources.list
cat > apt/apt.conf <<CONFIGURATION
Dir::State "$work/apt";
Dir::State::status "$work/apt/status";
Dir::State::lists "$work/apt/lists";
Dir::Cache "$work/apt/cache";
Dir::Etc::sourcelist "$work/apt/sources.list";
Dir::Etc::sourceparts "-";
APT::Sandbox::User "root";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
CONFIGURATION
export APT_CONFIG=$work/apt/apt.conf
apt-get update -qq
apt-get download -qq ldb-tools=2:2.6.2+samba4.17.12+dfsg-0+deb12u4 libldb2=2:2.6.2+samba4.17.12+dfsg-0+deb12u4 \
    samba-libs=2:4.17.12+dfsg-0+deb12u4 libwbclient0=2:4.17.12+dfsg-0+deb12u4 libtalloc2 libtdb1 libtevent0 liblmdb0 \
    libpopt0 libbsd0 libmd0 libgnutls30 libicu72 libjansson4 libldap-2.5-0 libsasl2-2 libtirpc3 libavahi-client3 \
    libavahi-common3 libdbus-1-3 libcups2 libnsl2
for package in *.deb; do dpkg-deb -x "$package" packages; done
libraries=$work/packages/usr/lib/x86_64-linux-gnu
mkdir modules
cp "$libraries"/samba/ldb/{ldb,tdb,rdn_name}.so modules
tool() {
    LDB_MODULES_PATH=$work/modules LD_LIBRARY_PATH=$libraries:$libraries/samba:$work/packages/lib/x86_64-linux-gnu \
        "packages/usr/bin/$1" -H "tdb://$work/directory" "${@:2}" 2>&1 | grep -v '^ldb: '
}
printf 'dn: CN=web,DC=contoso\ncn: web\ndescription: example\n' > unix.ldif
sed 's/$/\r/; s/CN=web/CN=shop/; s/cn: web/cn: shop/' unix.ldif > windows.ldif
{
    tool ldbadd unix.ldif
    tool ldbadd windows.ldif
    for name in web shop; do
        echo "cn=$name:"
        tool ldbsearch "(cn=$name)" cn description | grep : | sort || true
    done
    echo "all:"
    tool ldbsearch "(cn=*)" cn description | grep : | sort | tr '\r' '#'
    echo "the name:"
    base64 -d <<< c2hvcA0= | tr '\r' '#'
    echo
} | tee result
diff result - <<'TEXT'
Added 1 records successfully
Added 1 records successfully
cn=web:
cn: web
description: example
dn: CN=web,DC=contoso
cn=shop:
all:
cn: web
cn:: c2hvcA0=
description: example
description:: ZXhhbXBsZQ0=
dn: CN=shop,DC=contoso#
dn: CN=web,DC=contoso
the name:
shop#
TEXT
