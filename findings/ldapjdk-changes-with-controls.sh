#!/usr/bin/env bash
# LDAP SDK for Java 5.3.0 (ldapjdk; Debian's libldap-java 5.3.0+dfsg1-1): changes become entries.
#
# One would guess: LDIF reads a record with a control and `changetype: delete`, an example of RFC 2849 ("a change record
# with a control"), as a deletion, as it does without the control.
# Seen: it is an entry to add, with an attribute `changetype` whose value is `delete`. Records that modify or rename
# become entries too.
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
apt-get download -qq libldap-java=5.3.0+dfsg1-1
dpkg-deb -x libldap-java*.deb packages
cat > changes.ldif <<'LDIF'
version: 1
dn: ou=Product Development,dc=airius,dc=com
changetype: delete

dn: ou=Product Development,dc=airius,dc=com
control: 1.2.840.113556.1.4.805 true
changetype: delete

dn: ou=Product Development,dc=airius,dc=com
control: 1.2.840.113556.1.4.805 true
changetype: modify
add: description
description: example
-

dn: ou=Product Development,dc=airius,dc=com
control: 1.2.840.113556.1.4.805 true
changetype: modrdn
newrdn: ou=Development
deleteoldrdn: 1
LDIF
cat > Probe.java <<'JAVA'
import java.io.DataInputStream;
import java.io.FileInputStream;
import netscape.ldap.util.LDIF;
import netscape.ldap.util.LDIFRecord;

public class Probe {
    public static void main(String[] arguments) throws Exception {
        LDIF file = new LDIF(new DataInputStream(new FileInputStream("changes.ldif")));
        for (LDIFRecord record = file.nextRecord(); record != null; record = file.nextRecord()) {
            System.out.println(record.getContent().getClass().getSimpleName());
        }
    }
}
JAVA
java -cp packages/usr/share/java/ldapjdk.jar Probe.java | tee result
diff result - <<'TEXT'
LDIFDeleteContent
LDIFAttributeContent
LDIFAttributeContent
LDIFAttributeContent
TEXT
