#!/usr/bin/env bash
# gokrb5 8.4.3 (Debian's golang-github-jcmturner-gokrb5.v8-dev 8.4.3-2): from 2038 on the old key is taken.
#
# One would guess: of the keys of a keytab the newest one, as `kinit -k` takes it; the moment of an entry is
# 32 bits without a sign, and lasts until 2106 (MIT's format of keytabs; krb5_timestamp since 1.16).
# Seen: the moment is read with a sign: an entry of 2040 is one of 1903, and as the key is chosen by
# the moment, GetEncryptionKey without a version gives that of 2026, for all that is asked of an account whose
# password has changed since. The keytab that gokrb5 writes itself has the same bits.
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
    golang-golang-x-crypto-dev
for package in *.deb; do dpkg-deb -x "$package" packages; done
cat > probe.go <<'GO'
package main

import (
	"fmt"
	"time"

	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/types"
)

func main() {
	written := keytab.New()
	for version, year := range map[uint8]int{1: 2026, 2: 2030, 3: 2040} {
		moment := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
		if err := written.AddEntry("web$", "CONTOSO.COM", "example", moment, version, 18); err != nil {
			panic(err)
		}
	}
	bytes, err := written.Marshal()
	if err != nil {
		panic(err)
	}
	read := keytab.New()
	if err := read.Unmarshal(bytes); err != nil {
		panic(err)
	}
	for version := uint32(1); version <= 3; version++ {
		for _, entry := range read.Entries {
			if entry.KVNO == version {
				fmt.Println("version", entry.KVNO, entry.Timestamp.UTC().Format("2006-01-02"))
			}
		}
	}
	_, version, err := read.GetEncryptionKey(types.NewPrincipalName(1, "web$"), "CONTOSO.COM", 0, 18)
	fmt.Println("taken: version", version, err)
}
GO
GO111MODULE=off GOFLAGS='' GOPATH=$work/packages/usr/share/gocode GOCACHE=$work/cache go run probe.go | tee result
diff result - <<'TEXT'
version 1 2026-01-01
version 2 2030-01-01
version 3 1903-11-25
taken: version 2 <nil>
TEXT
