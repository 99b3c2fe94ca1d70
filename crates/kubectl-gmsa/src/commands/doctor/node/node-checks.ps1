<#
.SYNOPSIS
Checks what a Windows node of Kubernetes needs for group managed service accounts.

.DESCRIPTION
Printed by `kubectl gmsa doctor --print-node-checks`. Run it on the node as an administrator, in
Windows PowerShell 5.1 or newer, and give what it prints to `kubectl gmsa doctor --node-output FILE`.

It changes nothing and prints one JSON document: numbers, ids, names of accounts, domains and
controllers. It contains no texts of events, no passwords and no input of plug-ins. Each section has
a value, or an error with the reason why it could not be read.

Run on a domain controller, it also reads the events 201 to 209 of KDCSVC (RC4 in Kerberos).

.PARAMETER Account
Managed service accounts that the node must be able to use, as in a credential spec.

.PARAMETER Domain
The DNS names of their domains; the node's own domain is always checked.

.PARAMETER Days
How many days of events are read.

.EXAMPLE
.\node-checks.ps1 -Account WebApp1 -Domain contoso.com > node-checks.json
#>
[CmdletBinding()]
param(
    [string[]] $Account = @(),
    [string[]] $Domain = @(),
    [int] $Days = 7
)

$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$WarningPreference = 'SilentlyContinue'
$invariant = [System.Globalization.CultureInfo]::InvariantCulture

# With -File a list arrives as one text.
$accounts = @($Account | ForEach-Object { $_ -split ',' } | ForEach-Object { $_.Trim().TrimEnd('$') } |
    Where-Object { $_ -ne '' })
$domains = @($Domain | ForEach-Object { $_ -split ',' } | ForEach-Object { $_.Trim() } |
    Where-Object { $_ -ne '' })

# A section with one value. What outputs nothing is a null of its own kind, which Windows PowerShell
# writes as {}: an assignment of $null makes it a plain one.
function Get-Section {
    param([scriptblock] $Body)
    try {
        $value = & $Body
        if ($null -eq $value) {
            $value = $null
        }
        return @{ value = $value; error = $null }
    } catch {
        return @{ value = $null; error = [string] $_.Exception.Message }
    }
}

# A section with a list, which stays one if it has no element or one.
function Get-List {
    param([scriptblock] $Body)
    try {
        [object[]] $value = @(& $Body)
        return @{ value = $value; error = $null }
    } catch {
        return @{ value = $null; error = [string] $_.Exception.Message }
    }
}

function Format-Time {
    param([datetime] $Time)
    return $Time.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ', $invariant)
}

function Format-Code {
    param([uint32] $Number)
    return '0x{0:X8}' -f $Number
}

# Reads a program's output; what it writes to its error stream is not an error.
function Get-Output {
    param([string] $Program, [string[]] $Arguments)
    $before = $ErrorActionPreference
    $ErrorActionPreference = 'Continue'
    try {
        return @(& $Program @Arguments 2>&1 | ForEach-Object { [string] $_ })
    } finally {
        $ErrorActionPreference = $before
    }
}

function Test-Port {
    param([string] $Target, [int] $Port)
    $client = New-Object System.Net.Sockets.TcpClient
    try {
        $pending = $client.BeginConnect($Target, $Port, $null, $null)
        if (-not $pending.AsyncWaitHandle.WaitOne(2000)) {
            return $false
        }
        $client.EndConnect($pending)
        return $true
    } catch {
        return $false
    } finally {
        $client.Close()
    }
}

# The status codes in an event: in its text, and in the data that it carries.
function Get-Codes {
    param($Record)
    $codes = @{}
    foreach ($match in [regex]::Matches([string] $Record.Message, '0[xX]([0-9A-Fa-f]{1,8})\b')) {
        $number = [Convert]::ToUInt32($match.Groups[1].Value, 16)
        $codes[(Format-Code $number)] = $true
    }
    foreach ($property in @($Record.Properties)) {
        $data = $property.Value
        if ($data -is [byte[]] -and $data.Length -ge 4) {
            $codes[(Format-Code ([BitConverter]::ToUInt32($data, 0)))] = $true
        } elseif ($data -is [string] -and $data -match '^%%(\d{1,10})$') {
            $number = [uint64] $Matches[1]
            if ($number -le [uint32]::MaxValue) {
                $codes[(Format-Code ([uint32] $number))] = $true
            }
        } elseif ($data -is [uint32] -and $data -gt 0) {
            $codes[(Format-Code $data)] = $true
        } elseif ($data -is [int32] -and $data -ne 0) {
            $bytes = [BitConverter]::GetBytes($data)
            $codes[(Format-Code ([BitConverter]::ToUInt32($bytes, 0)))] = $true
        }
    }
    return @($codes.Keys | Sort-Object)
}

# The events of a log, grouped by id and codes. The provider is a regular expression for its name.
function Get-Groups {
    param([string] $Log, [hashtable] $Filter, [string] $Provider = '')
    if ($null -eq (Get-WinEvent -ListLog $Log -ErrorAction SilentlyContinue)) {
        return @{ absent = $true; groups = @() }
    }
    $Filter['LogName'] = $Log
    $Filter['StartTime'] = (Get-Date).AddDays(-$Days)
    try {
        $records = @(Get-WinEvent -FilterHashtable $Filter -MaxEvents 2000)
    } catch {
        # The words depend on the language, the id does not.
        if ($_.FullyQualifiedErrorId -like 'NoMatching*') {
            $records = @()
        } else {
            throw
        }
    }
    $groups = @{}
    foreach ($record in $records) {
        if ($record.ProviderName -notmatch $Provider) {
            continue
        }
        [string[]] $codes = @(Get-Codes $record)
        $key = '{0}/{1}' -f $record.Id, ($codes -join ',')
        $time = Format-Time $record.TimeCreated
        if (-not $groups.ContainsKey($key)) {
            $groups[$key] = @{
                id = [int] $record.Id; level = [int] $record.Level; count = 0
                first = $time; last = $time; codes = $codes
            }
        }
        $group = $groups[$key]
        $group.count = $group.count + 1
        if ($time -lt $group.first) { $group.first = $time }
        if ($time -gt $group.last) { $group.last = $time }
    }
    [object[]] $list = @($groups.Values)
    return @{ absent = $false; groups = $list }
}

function Get-Controllers {
    param([string] $Name)
    $records = Resolve-DnsName -Name "_ldap._tcp.dc._msdcs.$Name" -Type SRV -DnsOnly
    return @($records | Where-Object { $_.Type -eq 'SRV' } | ForEach-Object { $_.NameTarget } |
        Sort-Object -Unique)
}

$computer = Get-Section { Get-CimInstance -ClassName Win32_ComputerSystem }
$joined = $false
if ($null -ne $computer.value) {
    $joined = [bool] $computer.value.PartOfDomain
}
if ($joined -and ($domains -notcontains $computer.value.Domain)) {
    $domains = @($domains) + @([string] $computer.value.Domain)
}

$dns = Get-List {
    foreach ($name in $domains) {
        [string[]] $found = @()
        try {
            $found = @(Get-Controllers $name)
        } catch {
            $found = @()
        }
        @{ domain = $name; controllers = $found }
    }
}
$controllers = @($dns.value | ForEach-Object { $_.controllers } | Where-Object { $_ } |
    Select-Object -First 3)

$report = [ordered] @{
    apiVersion = 'kube-gmsa.dev/v1'
    kind = 'NodeChecks'
    version = 1
    computer = [string] $env:COMPUTERNAME
    time = Format-Time (Get-Date)
    system = Get-Section {
        $key = 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
        $current = Get-ItemProperty -Path $key
        @{ build = [int] $current.CurrentBuildNumber; revision = [int] $current.UBR }
    }
    runtime = Get-Section {
        $versions = @{ containerd = $null; docker = $null }
        $service = Get-CimInstance -ClassName Win32_Service -Filter "Name = 'containerd'"
        if ($null -ne $service) {
            $versions.containerd = 'unknown'
            if ($service.PathName -match '^"?([^"]+?\.exe)') {
                $words = @(Get-Output $Matches[1] @('--version')) -join ' '
                if ($words -match 'v?(\d+\.\d+\.\d+\S*)') {
                    $versions.containerd = $Matches[1]
                }
            }
        }
        if ($null -ne (Get-Service -Name docker -ErrorAction SilentlyContinue)) {
            $versions.docker = 'unknown'
            if ($null -ne (Get-Command docker -ErrorAction SilentlyContinue)) {
                $arguments = @('version', '--format', '{{.Server.Version}}')
                $words = @(Get-Output 'docker' $arguments) -join ' '
                if ($words -match '(\d+\.\d+\.\d+\S*)') {
                    $versions.docker = $Matches[1]
                }
            }
        }
        $versions
    }
    clock = Get-Section {
        $source = @(Get-Output 'w32tm.exe' @('/query', '/source')) -join ' '
        [object[]] $offsets = @(foreach ($name in $controllers) {
            $arguments = @('/stripchart', "/computer:$name", '/samples:1', '/dataonly')
            $words = @(Get-Output 'w32tm.exe' $arguments) -join ' '
            $seconds = $null
            if ($words -match '([+-]\d+[.,]\d+)s') {
                $seconds = [double]::Parse($Matches[1].Replace(',', '.'), $invariant)
            }
            @{ host = $name; seconds = $seconds }
        })
        @{ source = $source.Trim(); offsets = $offsets }
    }
    domain = Get-Section {
        if ($null -ne $computer.error) {
            throw $computer.error
        }
        $channel = $null
        if ($joined) {
            try {
                $channel = [bool] (Test-ComputerSecureChannel)
            } catch {
                $channel = $null
            }
        }
        $name = $null
        if ($joined) {
            $name = [string] $computer.value.Domain
        }
        @{ joined = $joined; name = $name; secureChannel = $channel }
    }
    accounts = Get-List {
        if ($accounts.Count -gt 0 -and $null -eq (Get-Module -ListAvailable -Name ActiveDirectory)) {
            throw 'the PowerShell module ActiveDirectory is missing: Install-WindowsFeature RSAT-AD-PowerShell'
        }
        foreach ($name in $accounts) {
            try {
                @{ name = $name; usable = [bool] (Test-ADServiceAccount -Identity $name); error = $null }
            } catch {
                @{ name = $name; usable = $null; error = [string] $_.Exception.Message }
            }
        }
    }
    plugins = Get-List {
        $key = 'HKLM:\SYSTEM\CurrentControlSet\Control\CCG\COMClasses'
        if (Test-Path -Path $key) {
            foreach ($child in @(Get-ChildItem -Path $key)) {
                $guid = [string] $child.PSChildName
                $class = "HKLM:\SOFTWARE\Classes\CLSID\$guid\InprocServer32"
                $server = $null
                $present = $null
                if (Test-Path -Path $class) {
                    $server = [string] (Get-ItemProperty -Path $class).'(default)'
                    $server = [Environment]::ExpandEnvironmentVariables($server.Trim('"'))
                    # A name without a folder is looked for by Windows.
                    if ($server -match '^[A-Za-z]:\\') {
                        $present = [bool] (Test-Path -LiteralPath $server)
                    }
                }
                @{ guid = $guid; server = $server; present = $present }
            }
        }
    }
    dns = $dns
    ports = Get-List {
        foreach ($name in $controllers) {
            foreach ($port in @(53, 88, 135, 389, 445, 636, 3268, 9389)) {
                @{ host = $name; port = $port; open = [bool] (Test-Port $name $port) }
            }
        }
    }
    compartment = Get-Section {
        $key = 'HKLM:\SYSTEM\CurrentControlSet\Services\hns\State'
        if (Test-Path -Path $key) {
            $value = (Get-ItemProperty -Path $key).EnableCompartmentNamespace
            if ($null -ne $value) {
                [int] $value
            }
        }
    }
    events = @{
        ccg = Get-Section { Get-Groups 'Microsoft-Windows-Containers-CCG/Admin' @{} }
        aks = Get-Section { Get-Groups 'Microsoft-AKSGMSAPlugin/Admin' @{} }
        rancher = Get-Section {
            # Whatever the plug-in calls itself, nothing else uses these ids with such a name.
            $providers = @(Get-WinEvent -ListProvider '*rancher*', '*CCGRKC*' -ErrorAction SilentlyContinue |
                ForEach-Object { $_.Name } | Sort-Object -Unique)
            if ($providers.Count -eq 0) {
                @{ absent = $true; groups = @() }
            } else {
                Get-Groups 'Application' @{ ProviderName = $providers }
            }
        }
        compute = Get-Section {
            Get-Groups 'Microsoft-Windows-Hyper-V-Compute-Admin' @{ Level = @(1, 2, 3) }
        }
        netlogon = Get-Section {
            Get-Groups 'System' @{ ProviderName = 'NETLOGON'; Level = @(1, 2, 3) }
        }
        # Only a domain controller has a key distribution center: the roles 4 and 5.
        kdc = Get-Section {
            if ($null -ne $computer.error) {
                throw $computer.error
            }
            if ([int] $computer.value.DomainRole -lt 4) {
                @{ absent = $true; groups = @() }
            } else {
                $ids = @(201, 202, 203, 204, 205, 206, 207, 208, 209)
                Get-Groups 'System' @{ Id = $ids } '^(KDC|Kdcsvc|Microsoft-Windows-Kerberos-Key-Distribution-Center)$'
            }
        }
    }
}

# One line of ASCII, so that no console and no encoding changes it.
$json = ConvertTo-Json -InputObject $report -Depth 8 -Compress
$escape = [System.Text.RegularExpressions.MatchEvaluator] {
    param($match)
    '\u{0:x4}' -f [int] [char] $match.Value
}
[regex]::Replace($json, '[^\x20-\x7E]', $escape)
