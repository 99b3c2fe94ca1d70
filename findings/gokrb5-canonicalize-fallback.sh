#!/usr/bin/env bash
# gokrb5 8.4.3 (Debian's golang-github-jcmturner-gokrb5.v8-dev 8.4.3-2): some values refuse a whole krb5.conf.
#
# One would guess: the values of MIT's krb5.conf are read: `dns_canonicalize_hostname = fallback`, which its
# documentation describes since 1.18, and on and off for any boolean.
# Seen: "invalid boolean value", and no configuration; the names of krb5.conf that it does not know are ignored.
# `true`, `yes`, `y`, `t` and 1 are read.
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
	for _, line := range []string{
		"dns_canonicalize_hostname = true", "dns_canonicalize_hostname = fallback", "rdns = no", "rdns = off",
		"not_known = off",
	} {
		_, err := config.NewFromString("[libdefaults]\n " + line + "\n")
		fmt.Println(line, "->", err)
	}
}
GO
GO111MODULE=off GOFLAGS='' GOPATH=$work/packages/usr/share/gocode GOCACHE=$work/cache go run probe.go | tee result
diff result - <<'TEXT'
dns_canonicalize_hostname = true -> <nil>
dns_canonicalize_hostname = fallback -> error processing libdefaults section: invalid krb5 config libdefaults section line (dns_canonicalize_hostname = fallback): invalid boolean value
rdns = no -> <nil>
rdns = off -> error processing libdefaults section: invalid krb5 config libdefaults section line (rdns = off): invalid boolean value
not_known = off -> <nil>
TEXT
