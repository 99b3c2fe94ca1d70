#!/usr/bin/env bash
# python-ldap 3.4.3 (Debian's python3-ldap 3.4.3-2+deb12u1): of LDIF with changes only modifications are read.
#
# One would guess: ldif.LDIFRecordList and its parse_change_records(), "parse change records", give all changes of RFC
# 2849, or refuse those that they do not know.
# Seen: records that add, delete or rename are left out without a word, and counted as read.
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
apt-get download -qq python3-ldap=3.4.3-2+deb12u1 python3-pyasn1 python3-pyasn1-modules libldap-2.5-0 libsasl2-2 \
    python3.11-minimal libpython3.11-minimal libpython3.11-stdlib
for package in *.deb; do dpkg-deb -x "$package" packages; done
cat > changes.ldif <<'LDIF'
dn: cn=new,dc=x
changetype: add
cn: new

dn: cn=web,dc=x
changetype: modify
add: description
description: example
-

dn: cn=old,dc=x
changetype: delete

dn: cn=shop,dc=x
changetype: modrdn
newrdn: cn=store
deleteoldrdn: 1

LDIF
cat > probe.py <<'PYTHON'
import ldif

with open("changes.ldif") as file:
    changes = ldif.LDIFRecordList(file)
    changes.parse_change_records()
print("changes:", changes.all_modify_changes)
print("entries:", changes.all_records, "read:", changes.records_read)
PYTHON
PYTHONHOME=$work/packages/usr PYTHONPATH=$work/packages/usr/lib/python3/dist-packages \
    LD_LIBRARY_PATH=$work/packages/usr/lib/x86_64-linux-gnu packages/usr/bin/python3.11 probe.py | tee result
diff result - <<'TEXT'
changes: [('cn=web,dc=x', [(0, 'description', [b'example'])], None)]
entries: [] read: 4
TEXT
