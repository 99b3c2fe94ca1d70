#!/usr/bin/env bash
# packageurl-python 0.17.6 (PyPI) and packageurl-js 2.0.1 (npm): two canonical texts of one package.
#
# One would guess: both make the same canonical text of a package URL, so that the product of a VEX statement and the
# component of an SBOM can be compared as texts (ECMA-427; the rules of the purl specification on percent-encoding).
# Seen: the qualifier of an image, `repository_url=ghcr.io/example/web`, has slashes with the one and %2F with the
# other; the version of a Debian package, 2:4.24.7+dfsg, has %2B with the one and a plus sign with the other. Each
# library keeps to its text when it reads that of the other.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" packageurl-js@2.0.1 >/dev/null
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
    --target packages packageurl-python==0.17.6
cat > texts <<'TEXT'
pkg:cargo/rustls@0.23.1
pkg:oci/web?repository_url=ghcr.io/example/web&tag=1
pkg:oci/web?repository_url=ghcr.io%2Fexample%2Fweb&tag=1
pkg:deb/debian/samba@2:4.24.7%2Bdfsg
pkg:deb/debian/samba@2:4.24.7+dfsg
TEXT
cat > probe.js <<'JS'
const { PackageURL } = require("packageurl-js");
for (const text of require("node:fs").readFileSync("texts", "utf8").trim().split("\n")) {
  console.log("js    ", PackageURL.fromString(text).toString());
}
JS
cat > probe.py <<'PYTHON'
import pathlib

from packageurl import PackageURL

for text in pathlib.Path("texts").read_text().split():
    print("python", PackageURL.from_string(text).to_string())
PYTHON
{
    PYTHONPATH=packages python3 probe.py
    node probe.js
} | tee result
diff result - <<'TEXT'
python pkg:cargo/rustls@0.23.1
python pkg:oci/web?repository_url=ghcr.io/example/web&tag=1
python pkg:oci/web?repository_url=ghcr.io/example/web&tag=1
python pkg:deb/debian/samba@2:4.24.7%2Bdfsg
python pkg:deb/debian/samba@2:4.24.7%2Bdfsg
js     pkg:cargo/rustls@0.23.1
js     pkg:oci/web?repository_url=ghcr.io%2Fexample%2Fweb&tag=1
js     pkg:oci/web?repository_url=ghcr.io%2Fexample%2Fweb&tag=1
js     pkg:deb/debian/samba@2:4.24.7+dfsg
js     pkg:deb/debian/samba@2:4.24.7+dfsg
TEXT
