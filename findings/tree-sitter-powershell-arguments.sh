#!/usr/bin/env bash
# tree-sitter-powershell 0.26.4 (PyPI, with tree-sitter 0.26.1): arguments that PowerShell takes are
# syntax errors to it.
#
# One would guess: what Microsoft's documentation of the Active Directory module and of kubectl in
# PowerShell prints can be parsed, so that the grammar can check commands that people run.
# Seen: a list of bare words (`-KerberosEncryptionType AES128,AES256`), a lone hyphen
# (`kubectl apply -f -`), the method ForEach (Where is none), and a size suffix behind a division sign
# are errors. `try` without `catch` or `finally`, which PowerShell refuses, is none.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv environment
environment/bin/pip install --quiet --disable-pip-version-check \
    tree-sitter==0.26.1 tree-sitter-powershell==0.26.4
cat > probe.py <<'PYTHON'
import sys

import tree_sitter
import tree_sitter_powershell

parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
rows = [
    ("Set-ADServiceAccount -Identity WebApp1 -KerberosEncryptionType AES128,AES256", True),
    ("Set-ADServiceAccount -Identity WebApp1 -KerberosEncryptionType 'AES128','AES256'", False),
    ("'{}' | kubectl apply -f -", True),
    ("kubectl apply -f object.yaml", False),
    ("$nodes.ForEach({ $_ })", True),
    ("$nodes.Where({ $_ })", False),
    ("$bytes / 1MB", True),
    ("$bytes / 1048576", False),
    ("try { 1 }", False),
]
changed = False
for text, expected in rows:
    error = parser.parse(text.encode()).root_node.has_error
    print("error " if error else "parsed", text)
    changed |= error != expected
sys.exit("changed" if changed else 0)
PYTHON
environment/bin/python probe.py
