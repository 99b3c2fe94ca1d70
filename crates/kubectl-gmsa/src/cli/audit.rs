//! The arguments of `audit`.

use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueEnum};
use gmsa_core::finding::Severity;

use super::shared::{ClusterFlags, DirectoryFlags};

/// `kubectl gmsa audit`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # Check everything that runs or would run against the current policy
  kubectl gmsa audit

  # Check one namespace, and exit with 1 on warnings too
  kubectl gmsa audit -n shop --fail-on warning

  # Check only pods created in the last day
  kubectl gmsa audit --since 24h

  # Write SARIF for a code host
  kubectl gmsa audit -o sarif > audit.sarif")]
pub struct Audit {
    /// Check only this namespace [default: all]
    #[arg(short, long, conflicts_with = "all_namespaces", value_parser = super::shared::namespace)]
    pub namespace: Option<String>,
    /// Check all namespaces, which is the default
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// Exit with 1 if a finding has this severity or a higher one
    #[arg(long, value_name = "SEVERITY", default_value = "error")]
    pub fail_on: Severity,
    /// Check only pods created within this time, such as 90m, 24h or 7d. Older pods still count as
    /// users of a credential spec; workloads, rights and credential specs are always checked
    #[arg(long, value_name = "DURATION")]
    pub since: Option<Age>,
    /// Also compare the credential specs and their accounts with Active Directory: domain facts, unusable
    /// accounts, and encryption types (RC4)
    #[arg(long, conflicts_with = "namespace")]
    pub from_ad: bool,
    /// What to print
    #[arg(short, long, value_enum, default_value_t = AuditOutput::Table)]
    pub output: AuditOutput,
    /// Which cluster
    #[command(flatten)]
    pub connect: ClusterFlags,
    /// The directory, with --from-ad.
    #[command(flatten)]
    pub directory: DirectoryFlags,
}

/// What `audit` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AuditOutput {
    /// The findings and what to do
    Table,
    /// The same with the evidence for each finding
    Wide,
    /// A report with a published schema
    Json,
    /// The same as YAML
    Yaml,
    /// SARIF 2.1.0, for code hosts
    Sarif,
}

/// How long ago, written as a number with `s`, `m`, `h` or `d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age(pub Duration);

impl FromStr for Age {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("\"{text}\" is not a duration; write a number with s, m, h or d, such as 24h")
        };
        let unit = text.chars().next_back().ok_or_else(wrong)?;
        let seconds: u64 = match unit {
            's' => 1,
            'm' => 60,
            'h' => 60 * 60,
            'd' => 24 * 60 * 60,
            _ => return Err(wrong()),
        };
        let number = text.strip_suffix(unit).unwrap_or_default();
        // A number of at most a thousand years.
        let number: u32 = number.parse().map_err(|_| wrong())?;
        let seconds = u64::from(number) * seconds;
        if seconds > 1000 * 365 * 24 * 60 * 60 {
            return Err(format!("\"{text}\" is too long ago"));
        }
        Ok(Self(Duration::from_secs(seconds)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_read() {
        for (text, seconds) in [("90s", 90), ("5m", 300), ("24h", 86_400), ("7d", 604_800)] {
            assert_eq!(text.parse(), Ok(Age(Duration::from_secs(seconds))));
        }
        for text in ["", "h", "24", "-1h", "1.5h", "1h30m", "4294967295d", "7é"] {
            assert!(text.parse::<Age>().is_err(), "{text}");
        }
    }
}
