#!/usr/bin/env bash
# Augeas 1.14.0 (Debian's augeas-lenses 1.14.0-1+deb12u1): a krb5.conf that MIT documents cannot be edited.
#
# One would guess: the lens Krb5, with which Puppet and guestfish change /etc/krb5.conf, reads what MIT's krb5.conf
# documents: a realm's own subsection of [libdefaults], auth_to_local_names, a final value (`*`), a duration `1d 2h`.
# Seen: none of them: the whole file fails with parse_failed, whatever line is to be changed. `includedir`, a path of
# a [capaths], and a duration `1d2h` are read.
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
apt-get download -qq augeas-tools=1.14.0-1+deb12u1 augeas-lenses=1.14.0-1+deb12u1 libaugeas0=1.14.0-1+deb12u1 \
    libxml2 libreadline8 libicu72
for package in *.deb; do dpkg-deb -x "$package" packages; done
libraries=$work/packages/usr/lib/x86_64-linux-gnu:$work/packages/lib/x86_64-linux-gnu
mkdir -p root/etc
# lens NAME LINE...: whether the lens reads the file of these lines.
lens() {
    name=$1
    shift
    printf '%s\n' "$@" > root/etc/krb5.conf
    LD_LIBRARY_PATH=$libraries packages/usr/bin/augtool --root "$work/root" --noload --noautoload \
        --include "$work/packages/usr/share/augeas/lenses/dist" > seen <<AUGEAS
set /augeas/load/Krb5/lens "Krb5.lns"
set /augeas/load/Krb5/incl "/etc/krb5.conf"
load
get /augeas/files/etc/krb5.conf/error
AUGEAS
    sed -n "s|^/augeas/files/etc/krb5.conf/error|$name:|p" seen
}
{
    lens "a directory" "includedir /etc/krb5.conf.d/" "[libdefaults]" "    default_realm = CONTOSO.COM"
    lens "a path" "[capaths]" "    A.COM = {" "        B.COM = C.COM" "    }"
    lens "1d2h" "[libdefaults]" "    ticket_lifetime = 1d2h"
    lens "1d 2h" "[libdefaults]" "    ticket_lifetime = 1d 2h"
    lens "a realm" "[libdefaults]" "    CONTOSO.COM = {" "        default_tgs_enctypes = aes" "    }"
    lens "names" "[realms]" "    CONTOSO.COM = {" "        auth_to_local_names = {" "            web = www" "        }" "    }"
    lens "final" "[realms]" "    CONTOSO.COM = {" "        kdc = dc1.contoso.com" "    }*"
} | tee result
diff result - <<'TEXT'
a directory: (o)
a path: (o)
1d2h: (o)
1d 2h: = parse_failed
a realm: = parse_failed
names: = parse_failed
final: = parse_failed
TEXT
