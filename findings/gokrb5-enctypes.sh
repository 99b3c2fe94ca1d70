#!/usr/bin/env bash
# gokrb5 8.4.3 (Debian's golang-github-jcmturner-gokrb5.v8-dev 8.4.3-2): a comma takes an encryption type away.
#
# One would guess: default_tkt_enctypes of krb5.conf is read as MIT documents it: a list that "may be delimited with
# commas or whitespace", in which `aes` stands for its family and `DEFAULT -rc4` for all but one (krb5.conf,
# "Encryption types").
# Seen: of `aes256-cts, aes128-cts` only the last type is left: the others, with their commas, are names that it does
# not know, and leaves out without a word. A family or DEFAULT gives a list without any type.
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
	for _, list := range []string{"aes256-cts aes128-cts", "aes256-cts, aes128-cts", "aes", "DEFAULT -rc4"} {
		read, err := config.NewFromString("[libdefaults]\n default_tkt_enctypes = " + list + "\n")
		if err != nil {
			panic(err)
		}
		fmt.Println(list, "->", read.LibDefaults.DefaultTktEnctypeIDs)
	}
}
GO
GO111MODULE=off GOFLAGS='' GOPATH=$work/packages/usr/share/gocode GOCACHE=$work/cache go run probe.go | tee result
diff result - <<'TEXT'
aes256-cts aes128-cts -> [18 17]
aes256-cts, aes128-cts -> [17]
aes -> []
DEFAULT -rc4 -> []
TEXT
