#!/usr/bin/env bash
# Perl's Net::LDAP 0.68 (Debian's libnet-ldap-perl 1:0.6800+dfsg-1): an example of RFC 4515 is no filter.
#
# One would guess: `(:DN:2.4.6.8.10:=Dino)`, the last example of extensible filters in RFC 4515, section 4, is read like
# the others: words in quotation marks of an ABNF know no case (RFC 5234 2.3), and the standard shows both.
# Seen: only `dn` in lower case is known; with the other, Net::LDAP::Filter->new ends with an error of Perl.
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
apt-get download -qq libnet-ldap-perl=1:0.6800+dfsg-1 libconvert-asn1-perl
for package in *.deb; do dpkg-deb -x "$package" packages; done
cat > probe.pl <<'PERL'
use strict;
use warnings;
use Net::LDAP::Filter;

for my $text ('(o:dn:=Ace Industry)', '(:1.2.3:=Wilma Flintstone)', '(:dn:2.4.6.8.10:=Dino)', '(:DN:2.4.6.8.10:=Dino)') {
    my $written = eval { Net::LDAP::Filter->new($text)->as_string } // $@ =~ s/ at .*//sr;
    print "$text -> $written\n";
}
PERL
PERL5LIB=$work/packages/usr/share/perl5 perl probe.pl | tee result
diff result - <<'TEXT'
(o:dn:=Ace Industry) -> (o:dn:=Ace Industry)
(:1.2.3:=Wilma Flintstone) -> (:1.2.3:=Wilma Flintstone)
(:dn:2.4.6.8.10:=Dino) -> (:dn:2.4.6.8.10:=Dino)
(:DN:2.4.6.8.10:=Dino) -> Can't use an undefined value as a HASH reference
TEXT
