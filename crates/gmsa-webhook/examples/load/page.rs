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

/// What is measured of one server, against the floor in the same rounds.
pub(crate) struct Loads {
    pub(crate) floor: Compared,
    pub(crate) mutate: Compared,
    pub(crate) validate: Compared,
    /// Validation of a pod without a GMSA.
    pub(crate) plain: Compared,
}

impl Results {
    /// Renders the page.
    pub(crate) fn page(&self, version: (u32, u32)) -> String {
        let Self { one, many, .. } = self;
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let row = |name: &str, compared: &Compared| {
            let Compared { measured, rate, cpu, p99 } = compared;
            format!(
                "| {name} | {:.0} | {rate:.2} | {:.1} | {cpu:+.1} | {:.0} / {:.0} | {p99:.2} |\n",
                measured.rate, measured.cpu, measured.p50, measured.p99,
            )
        };
        let mebibytes = |bytes: u64| f64::from(u32::try_from(bytes >> 10).unwrap_or(0)) / 1024.0;
        format!(
            "# Benchmarks\n\n<!-- Written by `make bench`. -->\n\n\
             One run of `make bench` on {cores} cores that server, load generator and control plane \
             (Kubernetes {}.{}) share; other programs may have been running. So look at the ratios: \
             the floor is the same server stack, TLS and HTTP/2 included, that reads the request and \
             answers a static body. h2load sends AdmissionReviews of 3 KB over one HTTP/2 connection \
             with 16 streams, as an API server does. Floor and server take turns; each figure is the \
             median of its rounds, and each ratio that of the ratios within a round.\n\n\
             | | requests/s | of the floor's | CPU µs/request | above the floor's | p50 / p99 µs | p99 of the floor's |\n\
             |---|---|---|---|---|---|---|\n{}{}{}{}{}{}{}{}\n\
             | | |\n|---|---|\n\
             | resident memory, 1 credential spec, after a million requests | {:.1} MiB |\n\
             | resident memory, 10,000 credential specs, under load | {:.1} MiB |\n\
             | start to ready with 1,000 credential specs | {} ms |\n\
             | `kubectl gmsa review` of 10,000 Deployments in one file | {:.2} s |\n",
            version.0,
            version.1,
            row("floor, beside 1 credential spec", &one.floor),
            row("mutate, 1 credential spec", &one.mutate),
            row("validate, 1 credential spec, right remembered", &one.validate),
            row("validate, a pod without a GMSA", &one.plain),
            row("floor, beside 10,000 credential specs", &many.floor),
            row("mutate, 10,000 credential specs", &many.mutate),
            row("validate, 10,000 credential specs", &many.validate),
            row("a pod without a GMSA, 10,000 credential specs", &many.plain),
            mebibytes(self.after_million),
            mebibytes(self.many_memory),
            self.ready.as_millis(),
            self.review.as_secs_f64(),
        )
    }
}
