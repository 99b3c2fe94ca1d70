#!/usr/bin/env bash
# ms-active-directory 1.14.1 (PyPI): the name of a computer that is given with its domain.
#
# One would guess: `web@corp.example` and `CORP\web` name the computer that `web` names: the function takes a domain
# off the name ("if the name came with a domain in it, use that"), and adds the dollar sign of a computer account if
# it is missing.
# Seen: where the dollar sign is missing, the domain is there twice: web@corp.example$@corp.example for Kerberos, and
# corp\CORP\web$ for NTLM, neither of which any account has. With the dollar sign the names are right.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages ms-active-directory==1.14.1 2>/dev/null
cat > probe.py <<'PYTHON'
from ldap3 import KERBEROS, NTLM
from ms_active_directory.environment.format_utils import format_computer_name_for_authentication as format_name

for name in ["web", "web$", "web$@corp.example", "web@corp.example", r"CORP\web$", r"CORP\web"]:
    print(name, "->", *(format_name(name, "corp.example", mechanism) for mechanism in (KERBEROS, NTLM)))
PYTHON
PYTHONPATH=packages python3 probe.py | tee result
diff result - <<'TEXT'
web -> web$@corp.example corp.example\web$
web$ -> web$@corp.example corp.example\web$
web$@corp.example -> web$@corp.example corp.example\web$
web@corp.example -> web@corp.example$@corp.example corp.example\web@corp.example$
CORP\web$ -> web$@corp corp\web$
CORP\web -> CORP\web$@corp corp\CORP\web$
TEXT
