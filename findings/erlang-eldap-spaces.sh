#!/usr/bin/env bash
# Erlang's eldap 1.2.10 (Debian's erlang-eldap 1:25.2.3+dfsg-1+deb12u4): an escaped space is an error.
#
# One would guess: eldap:parse_dn/1, which its manual says reads a DN, takes a space at the start or the end of a
# value with a backslash, the way to write one in RFC 2253 2.4 and RFC 4514 2.4, as it takes `\,` and `\#`.
# Seen: parse_error, invalid_attribute_type. So is `CN=a=b`, in which nothing has to be escaped. Values come back with
# their escapes.
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
apt-get download -qq erlang-eldap=1:25.2.3+dfsg-1+deb12u4 erlang-base=1:25.2.3+dfsg-1+deb12u4 \
    erlang-asn1=1:25.2.3+dfsg-1+deb12u4 libtinfo6 libsystemd0
for package in *.deb; do dpkg-deb -x "$package" packages; done
cat > probe.erl <<'ERLANG'
-module(probe).
-export([main/0]).
main() ->
    Names = ["CN=web,DC=x", "CN=a\\,b,DC=x", "CN=\\#web,DC=x", "CN=\\ web,DC=x", "CN=web\\ ,DC=x", "CN=a\\=b,DC=x",
             "CN=a=b,DC=x"],
    lists:foreach(fun(Name) -> io:format("~s -> ~s~n", [Name, result(eldap:parse_dn(Name))]) end, Names),
    init:stop().
result({ok, [[{attribute_type_and_value, _, Value}] | _]}) -> Value;
result({parse_error, Reason, Rest}) -> io_lib:format("parse_error ~p ~s", [Reason, Rest]).
ERLANG
ROOTDIR=$work/packages/usr/lib/erlang
bin=$(echo "$ROOTDIR"/erts-*/bin)
export ROOTDIR BINDIR=$bin EMU=beam PROGNAME=erl
"$bin/erlexec" -noshell -noinput -eval 'compile:file("probe"), probe:main().' | tee result
diff result - <<'TEXT'
CN=web,DC=x -> web
CN=a\,b,DC=x -> a\,b
CN=\#web,DC=x -> \#web
CN=\ web,DC=x -> parse_error invalid_attribute_type \ web,DC=x
CN=web\ ,DC=x -> parse_error invalid_attribute_type \ ,DC=x
CN=a\=b,DC=x -> a\=b
CN=a=b,DC=x -> parse_error invalid_attribute_type =b,DC=x
TEXT
