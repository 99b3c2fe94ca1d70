#!/usr/bin/env bash
# net-ldap 0.17.0 (Ruby, Debian's ruby-net-ldap 0.17.0-1): characters that a filter must not have.
#
# One would guess: in the value of a filter only `*`, `(`, `)`, `\` and NUL need an escape (RFC 4515 3), and all
# comparisons of RFC 4511 4.5.1.7 are there.
# Seen: Filter.construct refuses a semicolon, a question mark, a quotation mark, a bar and `<` in a value, and an empty
# value, with "Invalid filter syntax"; also `~=`. Spaces around a value are cut off. A filter of three
# parts becomes two nested ones, which asks for the same.
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
["(description=web, shop)", "(description=web; shop)", "(description=web|shop)", "(description=who?)",
 "(description=)", "(cn~=web)", "(description= web )", "(&(cn=a)(cn=b)(cn=c))"].each do |text|
  puts "#{text} -> #{Net::LDAP::Filter.construct(text)}"
rescue Net::LDAP::FilterSyntaxInvalidError => error
  puts "#{text} -> #{error.message}"
end
RUBY
ruby probe.rb | tee result
diff result - <<'TEXT'
(description=web, shop) -> (description=web, shop)
(description=web; shop) -> Invalid filter syntax.
(description=web|shop) -> Invalid filter syntax.
(description=who?) -> Invalid filter syntax.
(description=) -> Invalid filter syntax.
(cn~=web) -> Invalid filter syntax.
(description= web ) -> (description=web)
(&(cn=a)(cn=b)(cn=c)) -> (&(&(cn=a)(cn=b))(cn=c))
TEXT
