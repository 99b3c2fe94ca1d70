#!/usr/bin/env bash
# dockerfilelint 1.8.0 and validate-dockerfile 1.8.1 (npm): a Dockerfile for Windows.
#
# One would guess: a linter of Dockerfiles knows the directive `# escape=` and the instruction SHELL, which
# Microsoft's documentation of Windows containers uses on its first pages, and continues a line that ends with a
# backtick (Dockerfile reference).
# Seen: dockerfilelint takes the second line of a RUN for an instruction, "Possible Bug: Invalid Command";
# validate-dockerfile does too, and calls SHELL invalid. The same file with backslashes, without the directive,
# passes dockerfilelint.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" dockerfilelint@1.8.0 validate-dockerfile@1.8.1 \
    >/dev/null 2>&1
cat > windows <<'TEXT'
# escape=`
FROM mcr.microsoft.com/windows/servercore:ltsc2022
SHELL ["powershell", "-Command"]
RUN Install-WindowsFeature Web-Server; `
    Remove-Item C:\inetpub\wwwroot\*
CMD ["w3svc"]
TEXT
sed -e '/^# escape/d' -e 's/`$/\\/' windows > backslash
cat > probe.cjs <<'JS'
const { execFileSync } = require("node:child_process");
const { readFileSync } = require("node:fs");
const validate = require("validate-dockerfile");

for (const file of ["windows", "backslash"]) {
  let report;
  try {
    report = execFileSync("node_modules/.bin/dockerfilelint", ["--output", "json", file]);
  } catch (error) {
    report = error.stdout;
  }
  for (const { issues } of JSON.parse(report).files) {
    console.log(file, "dockerfilelint:", issues.length);
    for (const { line, category, title } of issues) console.log(`  line ${line}: ${category}: ${title}`);
  }
  const { errors = [] } = validate(readFileSync(file, "utf8"));
  console.log(file, "validate-dockerfile:", errors.length);
  for (const { line, message } of errors) console.log(`  line ${line}: ${message}`);
}
JS
node probe.cjs | tee result
diff result - <<'TEXT'
windows dockerfilelint: 2
  line 5: Clarity: Capitalize Dockerfile Instructions
  line 5: Possible Bug: Invalid Command
windows validate-dockerfile: 2
  line 3: Invalid instruction
  line 5: Invalid instruction
backslash dockerfilelint: 0
backslash validate-dockerfile: 1
  line 2: Invalid instruction
TEXT
