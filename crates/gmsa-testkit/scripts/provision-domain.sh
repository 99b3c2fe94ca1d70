#!/usr/bin/env bash
# Provisions the domain of the tests into the directory given. Called by build-domain-controller.sh.
set -euo pipefail

out=${1:?usage: provision-domain.sh DIRECTORY}
# shellcheck source=crates/gmsa-testkit/scripts/provision.sh
. "$(dirname "$0")/provision.sh"
provision "$out" CONTOSO.COM CONTOSO dc1 S-1-5-21-1111111111-2222222222-3333333333 \
    11111111-2222-3333-4444-555555555555

local=(-s "$conf" -H "$dc/private/sam.ldb")
# GSSAPI asks for the ticket of this name.
tool spn add ldap/dc1.contoso.com 'DC1$' "${local[@]}"
for host in WEBHOST1 WEBHOST2 OTHERHOST; do
    tool computer create "$host" "${local[@]}"
    tool user setpassword "$host\$" --newpassword='H0st-pass' "${local[@]}"
done
tool group add webhosts "${local[@]}"
tool group addmembers webhosts 'WEBHOST1$' "${local[@]}"
for user in alice locked; do
    tool user create "$user" 'Us3r-pass' "${local[@]}"
done
tool domain passwordsettings set --account-lockout-threshold=3 --account-lockout-duration=30 "${local[@]}"
