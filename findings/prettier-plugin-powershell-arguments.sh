#!/usr/bin/env bash
# prettier-plugin-powershell 2.1.12 (npm, with prettier 3.6.2): commands that mean something else after formatting.
#
# One would guess: a formatter moves spaces only where they mean nothing: in PowerShell a bare word is one argument
# (about_Parsing, "argument mode"), such as the account `web$`, a service principal name, or an image.
# Seen: a slash, backslash or dollar sign gets spaces: `Test-ADServiceAccount web$` asks for the account `web`, and
# setspn gets six arguments. A chain of commands becomes lines that begin with `|`, which Windows PowerShell 5.1
# refuses (about_Pipelines: "PowerShell 7 added support").
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" prettier-plugin-powershell@2.1.12 prettier@3.6.2 >/dev/null
cat > script.ps1 <<'POWERSHELL'
Test-ADServiceAccount web$
setspn -S http/web CORP\web$
nltest /sc_verify:corp.example
docker pull mcr.microsoft.com/windows/servercore:ltsc2022
Get-ADServiceAccount -Filter * | Where-Object { $_.Enabled } | Uninstall-ADServiceAccount
POWERSHELL
node_modules/.bin/prettier --plugin prettier-plugin-powershell script.ps1 | tee result
diff result - <<'TEXT'
Test-ADServiceAccount web $
setspn -S http / web CORP \web $
nltest / sc_verify:corp.example
docker pull mcr.microsoft.com / windows / servercore:ltsc2022
Get-ADServiceAccount -Filter *
    | Where-Object {
        $_.Enabled
    }
    | Uninstall-ADServiceAccount
TEXT
