#!/usr/bin/env bash
# net-ldap 0.17.0 (Ruby, Debian's ruby-net-ldap 0.17.0-1): a name of two attributes has one.
#
# One would guess: `CN=web+OU=front` has two attributes (RFC 4514 2.2), and an escaped number sign or space at the start
# of a value, which 2.4 asks for, is read.
# Seen: Net::LDAP::DN takes the plus sign and all after it for a part of the value, and escapes it when the name is
# written: `CN=web\+OU=front`, another object. A value that begins with an escape that is not two digits
# of hexadecimal, and `\23web` too, raises TypeError; after the first character the same escapes are read.
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
apt-get download -qq ruby-net-ldap=0.17.0-1 ruby3.1 libruby3.1 libgmp10 libyaml-0-2
for package in *.deb; do dpkg-deb -x "$package" packages; done
system=$work/packages/usr/lib/x86_64-linux-gnu
ruby() {
    LD_LIBRARY_PATH=$system "$work/packages/usr/bin/ruby3.1" --disable-gems -I "$work/packages/usr/lib/ruby/3.1.0" \
        -I "$system/ruby/3.1.0" -I "$work/packages/usr/lib/ruby/vendor_ruby" "$@"
}
cat > probe.rb <<'RUBY'
require "net/ldap"
require "net/ldap/dn"
["CN=web,DC=x", "CN=web+OU=front,DC=x", "CN=a\\#web,DC=x", "CN=\\#web,DC=x", "CN=\\ web,DC=x"].each do |name|
  parts = Net::LDAP::DN.new(name).to_a
  puts "#{name} -> #{parts.inspect} -> #{Net::LDAP::DN.new(*parts)}"
rescue TypeError => error
  puts "#{name} -> #{error.class}"
end
RUBY
ruby probe.rb | tee result
diff result - <<'TEXT'
CN=web,DC=x -> ["CN", "web", "DC", "x"] -> CN=web,DC=x
CN=web+OU=front,DC=x -> ["CN", "web+OU=front", "DC", "x"] -> CN=web\+OU=front,DC=x
CN=a\#web,DC=x -> ["CN", "a#web", "DC", "x"] -> CN=a#web,DC=x
CN=\#web,DC=x -> TypeError
CN=\ web,DC=x -> TypeError
TEXT
