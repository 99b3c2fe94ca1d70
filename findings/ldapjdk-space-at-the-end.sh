#!/usr/bin/env bash
# LDAP SDK for Java 5.3.0 (ldapjdk; Debian's libldap-java 5.3.0+dfsg1-1): two components of a name become one.
#
# One would guess: DN reads `CN=web\ ,DC=x`, in which the space at the end of the value is escaped as RFC 4514 2.4
# asks for, and toRFCString() writes it like that.
# Seen: the space is cut and its backslash stays: `CN=web\,DC=x`, in which the comma is escaped: a name of one
# component, as the library itself reads it. A space at the start is kept, and so is one at the end that is written as
# \20.
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
cat > Probe.java <<'JAVA'
import netscape.ldap.util.DN;

public class Probe {
    public static void main(String[] arguments) {
        for (String text : new String[] {"CN=web,DC=x", "CN=\\ web,DC=x", "CN=web\\20,DC=x", "CN=web\\ ,DC=x"}) {
            DN name = new DN(text);
            String written = name.toRFCString();
            System.out.println(text + " (" + name.countRDNs() + ") -> " + written + " (" + new DN(written).countRDNs() + ")");
        }
    }
}
JAVA
java -cp packages/usr/share/java/ldapjdk.jar Probe.java | tee result
diff result - <<'TEXT'
CN=web,DC=x (2) -> CN=web,DC=x (2)
CN=\ web,DC=x (2) -> CN=\ web,DC=x (2)
CN=web\20,DC=x (2) -> CN=web\20,DC=x (2)
CN=web\ ,DC=x (2) -> CN=web\,DC=x (1)
TEXT
