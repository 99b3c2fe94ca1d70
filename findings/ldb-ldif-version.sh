#!/usr/bin/env bash
# ldb-tools 2.6.2 (Debian's 2:2.6.2+samba4.17.12+dfsg-0+deb12u4): LDIF with its version is refused, with exit code 0.
#
# One would guess: a file that begins with `version: 1`, as RFC 2849 requires and as `ldapsearch -L` writes, is read;
# and a tool that reads nothing of its input says so by its exit code.
# Seen: "First line of ldif must be a dn not 'version'", and still "Added 0 records successfully" and exit code 0.
# Where two files were joined, the second one is left out in the same way. Only with an empty line at the end of the
# file, which RFC 2849 does not ask for, is it a failure.
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
record() { printf 'dn: CN=%s,DC=contoso\ncn: %s\n' "$1" "$1"; }
record web > plain.ldif
{ printf 'version: 1\n'; record shop; } > version.ldif
{ record front; printf '\nversion: 1\n'; record back; } > joined.ldif
{ cat version.ldif; echo; } > empty-line.ldif
for file in plain version joined empty-line; do
    echo "$file:"
    code=0
    tool ldbadd "$file.ldif" || code=$?
    echo "exit code $code"
done | tee result
diff result - <<'TEXT'
plain:
Added 1 records successfully
exit code 0
version:
Error: First line of ldif must be a dn not 'version'
Added 0 records successfully
exit code 0
joined:
Error: First line of ldif must be a dn not 'version'
Added 1 records successfully
exit code 0
empty-line:
Error: First line of ldif must be a dn not 'version'
Failed to parse ldif
Add failed after processing 0 records
exit code 1
TEXT
