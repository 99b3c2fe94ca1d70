#!/usr/bin/env bash
# go-ldap 3.4.4 (Debian's golang-github-go-ldap-ldap-dev 3.4.4-2): a name whose value has an equals sign.
#
# One would guess: `CN=team=web` has the attribute CN and the value `team=web`: RFC 4514 2.4 asks for no escape of
# an equals sign (3: stringchar leaves out `"`, `+`, `,`, `;`, `<`, `>` and the backslash only).
# Seen: ParseDN takes what is before the last equals sign for the type, and drops what was before it: type `team`,
# value `web`, without an error. So two names that are equal are not: the same name with `\3D` or `\=`, as Active
# Directory writes it, is read as meant.
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
apt-get download -qq golang-github-go-ldap-ldap-dev=3.4.4-2 golang-github-azure-go-ntlmssp-dev \
    golang-gopkg-asn1-ber.v1-dev golang-golang-x-crypto-dev
for package in *.deb; do dpkg-deb -x "$package" packages; done
cat > probe.go <<'GO'
package main

import (
	"fmt"

	"github.com/go-ldap/ldap"
)

func main() {
	for _, name := range []string{`CN=team=web,DC=x`, `CN=team\=web,DC=x`, `CN=team\3Dweb,DC=x`} {
		read, err := ldap.ParseDN(name)
		if err != nil {
			fmt.Println(name, "->", err)
			continue
		}
		attribute := read.RDNs[0].Attributes[0]
		fmt.Printf("%s -> type %s, value %s\n", name, attribute.Type, attribute.Value)
	}
}
GO
GO111MODULE=off GOFLAGS='' GOPATH=$work/packages/usr/share/gocode GOCACHE=$work/cache go run probe.go | tee result
diff result - <<'TEXT'
CN=team=web,DC=x -> type team, value web
CN=team\=web,DC=x -> type CN, value team=web
CN=team\3Dweb,DC=x -> type CN, value team=web
TEXT
