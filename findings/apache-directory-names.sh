#!/usr/bin/env bash
# Apache Directory's LDAP API 2.1.2 (Debian's libapache-directory-api-java 2.1.2-1): other names for normal ones.
#
# One would guess: Dn.getNormName() gives the name in a normal form, one that still is the name: what RFC 4514 escapes
# in a value stays escaped, and a name of two attributes has two.
# Seen: escapes are removed: `CN=web\,DC=x`, one component, gets `cn=web,DC=x`, which reads as two. Of two attributes,
# the second one gets its value twice: `cn=web+OU=front=front`. The names themselves compare as they should.
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
apt-get download -qq libapache-directory-api-java=2.1.2-1 libslf4j-java libcommons-lang3-java \
    libcommons-collections4-java libmina2-java libantlr-java
for package in *.deb; do dpkg-deb -x "$package" packages; done
cat > Probe.java <<'JAVA'
import org.apache.directory.api.ldap.model.name.Dn;

public class Probe {
    public static void main(String[] arguments) throws Exception {
        String[] texts = {"CN=web,DC=x", "CN=Smith\\, Jim,DC=x", "CN=web\\,DC=x", "CN=web+OU=front"};
        for (String text : texts) {
            Dn name = new Dn(text);
            String normal = name.getNormName();
            String size;
            try {
                size = "components " + new Dn(normal).size();
            } catch (Exception error) {
                size = error.getClass().getSimpleName();
            }
            System.out.println(text + " (components " + name.size() + ") -> " + normal + " (" + size + ")");
        }
        System.out.println("equal: " + new Dn("CN=web\\,DC=x").equals(new Dn("CN=web,DC=x")));
    }
}
JAVA
jars=packages/usr/share/java
java -cp "$jars/apache-directory-api-all.jar:$jars/slf4j-api.jar:$jars/slf4j-nop.jar:$jars/commons-lang3.jar:$jars/antlr.jar" \
    Probe.java | tee result
diff result - <<'TEXT'
CN=web,DC=x (components 2) -> CN=web,DC=x (components 2)
CN=Smith\, Jim,DC=x (components 2) -> cn=Smith, Jim,dc=x (LdapInvalidDnException)
CN=web\,DC=x (components 1) -> cn=web,DC=x (components 2)
CN=web+OU=front (components 1) -> cn=web+OU=front=front (components 1)
equal: false
TEXT
