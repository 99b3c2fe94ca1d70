//! The usual `process_*` metrics, read from /proc at each scrape (proc(5)).

use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Linux counts process times in ticks of this many a second, on every architecture.
const TICKS_A_SECOND: f64 = 100.0;

#[derive(Debug)]
pub(super) struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        if let Some(seconds) = cpu_seconds(&stat) {
            let name = "process_cpu_seconds";
            let counter = ConstCounter::new(seconds);
            let metric = encoder.encode_descriptor(
                name,
                super::catalogue::help(name),
                None,
                counter.metric_type(),
            )?;
            counter.encode(metric)?;
        }
        let kib = |key: &str| field(&status, key).map(|kib| kib * 1024.0);
        let gauges = [
            ("process_resident_memory_bytes", kib("VmRSS:")),
            ("process_virtual_memory_bytes", kib("VmSize:")),
            ("process_threads", field(&status, "Threads:")),
            ("process_open_fds", open_files()),
            ("process_max_fds", max_files()),
            ("process_start_time_seconds", start_time(&stat)),
        ];
        for (name, value) in gauges {
            let Some(value) = value else { continue };
            let gauge = ConstGauge::new(value);
            let metric = encoder.encode_descriptor(
                name,
                super::catalogue::help(name),
                None,
                gauge.metric_type(),
            )?;
            gauge.encode(metric)?;
        }
        Ok(())
    }
}

/// The number of a line such as `VmRSS:  8123 kB`.
fn field(status: &str, key: &str) -> Option<f64> {
    let line = status.lines().find(|line| line.starts_with(key))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// A field of /proc/self/stat by its number in proc(5); the second may contain spaces.
fn stat_field(stat: &str, number: usize) -> Option<f64> {
    let rest = stat.rsplit_once(')')?.1;
    rest.split_whitespace().nth(number.checked_sub(3)?)?.parse().ok()
}

fn cpu_seconds(stat: &str) -> Option<f64> {
    Some((stat_field(stat, 14)? + stat_field(stat, 15)?) / TICKS_A_SECOND)
}

fn start_time(stat: &str) -> Option<f64> {
    let boot = fs::read_to_string("/proc/stat").ok()?;
    let boot: f64 = boot.lines().find_map(|line| line.strip_prefix("btime "))?.parse().ok()?;
    Some(boot + stat_field(stat, 22)? / TICKS_A_SECOND)
}

fn open_files() -> Option<f64> {
    // The directory that is being read is open itself.
    let count = fs::read_dir("/proc/self/fd").ok()?.count().checked_sub(1)?;
    u32::try_from(count).ok().map(f64::from)
}

fn max_files() -> Option<f64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}
