//! The postStart hook that waits for the secure channel: the one of the Kubernetes documentation, with
//! a limit.

/// How often netlogon is restarted by default.
pub const TRIES: u16 = 30;

/// The source in the Application event log under which the hook reports its result; it identifies our
/// hook.
const SOURCE: &str = "kube-gmsa";

/// The command of the hook: restarts netlogon until `nltest /query` gives the status 0, at most so
/// often, then writes a line into the Application event log and lets the container start.
///
/// It is read by the number, so the language of Windows does not matter. It always ends with 0: a
/// hook that fails would kill the container. Without a double quote it passes unharmed through the
/// command line that the runtime makes of it.
#[must_use]
pub fn command(tries: u16) -> Vec<String> {
    let script = SCRIPT.replace("TRIES", &tries.to_string()).replace("SOURCE", SOURCE);
    ["powershell.exe", "-NoProfile", "-NonInteractive", "-Command"]
        .into_iter()
        .map(str::to_owned)
        .chain([script.split_whitespace().collect::<Vec<_>>().join(" ")])
        .collect()
}

/// Whether a command is that of our hook, however many tries it has.
#[must_use]
pub fn is_ours<'a>(mut command: impl Iterator<Item = &'a str>) -> bool {
    let marked = format!("-Source '{SOURCE}'");
    command.any(|word| word.contains(&marked))
}

const SCRIPT: &str = "
$ErrorActionPreference = 'Continue';
$restarts = 0;
$done = $false;
while (-not $done) {
  $said = (nltest.exe /query 2>&1 | Out-String);
  $done = ($said -match '=\\s+0\\s+0x0\\b') -and ($said -notmatch '=\\s+[1-9][0-9]*\\s+0x');
  if ($done -or ($restarts -ge TRIES)) { break };
  $restarts++;
  Restart-Service -Name netlogon -Force -ErrorAction SilentlyContinue;
  Start-Sleep -Seconds 2
};
if ($done) { $kind = 'Information'; $id = 1; $end = 'answers' }
else { $kind = 'Warning'; $id = 2; $end = 'does not answer; the container starts without it' };
try {
  New-EventLog -LogName Application -Source 'SOURCE' -ErrorAction SilentlyContinue;
  Write-EventLog -LogName Application -Source 'SOURCE' -EventId $id -EntryType $kind
    -Message ('The secure channel to the domain ' + $end + '. Restarts of netlogon: ' + $restarts)
} catch { };
exit 0";

#[cfg(test)]
mod tests;
