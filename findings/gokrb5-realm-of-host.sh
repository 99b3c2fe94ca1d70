#!/usr/bin/env bash
# gokrb5 8.4.3 (Debian's golang-github-jcmturner-gokrb5.v8-dev 8.4.3-2): the realm of a host depends on its case.
#
# One would guess: WEB.contoso.com is in the realm of .contoso.com, since names in the DNS know no case (RFC 4343),
# and MIT looks for the name in lower case ("Host names and domain names should be in lower case", krb5.conf,
# [domain_realm]).
# Seen: ResolveRealm finds no realm for a name with a capital in the part that has to match, and gives "".
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
apt-get download -qq golang-github-jcmturner-gokrb5.v8-dev=8.4.3-2 golang-github-jcmturner-aescts.v2-dev \
    golang-github-jcmturner-gofork-dev golang-github-jcmturner-rpc.v2-dev golang-github-hashicorp-go-uuid-dev \
    golang-golang-x-crypto-dev golang-github-jcmturner-dnsutils.v2-dev golang-golang-x-net-dev
for package in *.deb; do dpkg-deb -x "$package" packages; done
cat > probe.go <<'GO'
package main

import (
	"fmt"

	"github.com/jcmturner/gokrb5/v8/config"
)

func main() {
	read, err := config.NewFromString("[domain_realm]\n .contoso.com = CONTOSO.COM\n")
	if err != nil {
		panic(err)
	}
	for _, host := range []string{"web.contoso.com", "WEB.contoso.com", "web.Contoso.com", "WEB.CONTOSO.COM"} {
		fmt.Printf("%s -> %q\n", host, read.ResolveRealm(host))
	}
}
GO
GO111MODULE=off GOFLAGS='' GOPATH=$work/packages/usr/share/gocode GOCACHE=$work/cache go run probe.go | tee result
diff result - <<'TEXT'
web.contoso.com -> "CONTOSO.COM"
WEB.contoso.com -> "CONTOSO.COM"
web.Contoso.com -> ""
WEB.CONTOSO.COM -> ""
TEXT
