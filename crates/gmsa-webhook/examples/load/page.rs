//! docs/benchmarks.md.

use std::time::Duration;

use crate::run::Compared;

/// Everything that was measured.
pub(crate) struct Results {
    pub(crate) one: Loads,
    pub(crate) after_million: u64,
    pub(crate) ready: Duration,
    pub(crate) many: Loads,
    pub(crate) many_memory: u64,
    pub(crate) review: Duration,
}

/// What is measured of one server, each against the floor with the same body: mutation, validation,
/// and validation of a pod without a GMSA.
pub(crate) struct Loads(pub(crate) [(Compared, Compared); 3]);

impl Loads {
    fn rows(&self, specs: &str) -> String {
        let what = ["mutate", "validate, right remembered", "validate, a pod without a GMSA"];
        what.into_iter()
            .zip(&self.0)
            .map(|(what, (floor, own))| {
                let row = |name: &str, compared: &Compared| {
                    let Compared { measured, rate, cpu, p99 } = compared;
                    format!(
                        "| {name} | {:.0} | {rate:.2} | {:.1} | {cpu:+.1} | {:.0} / {:.0} | {p99:.2} |\n",
                        measured.rate, measured.cpu, measured.p50, measured.p99,
                    )
                };
                row(&format!("{what}, {specs}"), own) + &row("its floor", floor)
            })
            .collect()
    }
}

impl Results {
    /// Renders the page.
    pub(crate) fn page(&self, version: (u32, u32)) -> String {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let megabytes = |bytes: u64| f64::from(u32::try_from(bytes / 1000).unwrap_or(0)) / 1000.0;
        format!(
            "# Benchmarks\n\n<!-- Written by `make bench`. -->\n\n\
             You want to know what the webhook costs: run `make bench`; you see this page.\n\n\
             One run of `make bench` on {cores} cores that server, load generator and control plane \
             (Kubernetes {}.{}) share; other programs may have been running. So look at the ratios: \
             the floor is the same server stack, TLS and HTTP/2 included, that reads the same request \
             and answers a static body. h2load sends AdmissionReviews of 3 KB over one HTTP/2 \
             connection with 16 streams. Floor and server take turns; each \
             figure is the median of its rounds, and each ratio that of the ratios within a round. \
             In brackets is what we aim at.\n\n\
             | | requests/s | of the floor's (at least 0.75) | CPU µs/request | above the floor's (at most 6) | p50 / p99 µs | p99 of the floor's (at most 1.5) |\n\
             |---|---|---|---|---|---|---|\n{}{}\n\
             | | | |\n|---|---|---|\n\
             | resident memory, 1 credential spec, after a million requests | {:.1} MB | at most 15 |\n\
             | resident memory, 10,000 credential specs, under load | {:.1} MB | at most 25 |\n\
             | start to ready with 1,000 credential specs | {} ms | at most 300 |\n\
             | `kubectl gmsa review` of 10,000 Deployments in one file | {:.2} s | less than 1 |\n",
            version.0,
            version.1,
            self.one.rows("1 credential spec"),
            self.many.rows("10,000 credential specs"),
            megabytes(self.after_million),
            megabytes(self.many_memory),
            self.ready.as_millis(),
            self.review.as_secs_f64(),
        )
    }
}
