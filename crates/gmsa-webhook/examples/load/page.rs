//! docs/benchmarks.md and its plots.

use std::fmt::Write as _;
use std::path::Path;

use crate::bench::{AT_ONCE, BESIDE, LOADS, Results, Table, Who};
use crate::measure::{Measured, medians, ratio};
use crate::plot::{Line, chart};

/// What is sent, in words, in the order of the loads.
const WHAT: [&str; 3] = ["plain pod", "mutation", "validation"];
/// Where the section begins that another script writes.
const DIRECTORY: &str = "\n## Active Directory\n";

/// Prints the page; writes it and the plots unless the run was short.
pub(crate) fn write(results: &Results, root: &Path, quick: bool) {
    let file = root.join("docs/benchmarks.md");
    let old = std::fs::read_to_string(&file).unwrap();
    let directory = old.find(DIRECTORY).map_or("", |at| &old[at..]);
    let page = format!("{}{directory}", page(results));
    eprintln!("{page}");
    if quick {
        return;
    }
    std::fs::write(file, page).unwrap();
    let values: [fn(&Measured) -> f64; 2] = [|one| one.rate, |one| one.p99];
    let titles = [
        ("rate", "Plain pods a second", ""),
        ("p99", "99th percentile of the time to answer", "µs"),
    ];
    for ((name, title, unit), value) in titles.into_iter().zip(values) {
        let lines: Vec<Line<'_>> = contenders(&results.http1)
            .map(|who| {
                let of = |at_once| value(&medians(results.http1.get(who, 0, at_once).unwrap()));
                Line { name: name_of(who), values: AT_ONCE.map(of).to_vec() }
            })
            .collect();
        let svg = chart(title, unit, &["4", "25", "60", "200"], &lines);
        std::fs::write(root.join(format!("docs/pictures/benchmark-{name}.svg")), svg).unwrap();
    }
}

fn name_of(who: Who) -> &'static str {
    match who {
        Who::Now => "this build",
        Who::Base => "before",
        Who::Floor => "floor",
        Who::Peer => "Go webhook",
        Who::OpenSsl => "openssl s_server",
    }
}

/// Those whose figures a table has, in a fixed order.
fn contenders(table: &Table) -> impl Iterator<Item = Who> {
    [Who::Now, Who::Base, Who::Floor, Who::Peer, Who::OpenSsl]
        .into_iter()
        .filter(|who| table.0.iter().any(|series| series.who == *who))
}

fn page(results: &Results) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let (major, minor) = results.version;
    let before = match results.base_commit.as_str() {
        "" => String::new(),
        commit => format!("\"Before\" is the build of commit `{commit}`. "),
    };
    let mut page = format!(
        "# Benchmarks\n\n<!-- Written by `make bench`. -->\n\n\
         You want to know what the webhook costs: run `make bench`; you see this page.\n\n\
         One run on {cores} cores, with Kubernetes {major}.{minor}. The servers take turns on the first \
         core, the load generator has the second; each figure is the median of the rounds, and each \
         ratio the median of the ratios within a round. The floor is the same server stack with a static \
         answer. {before}Other programs may have been running: \"waited\" is how long the server was ready to run and \
         another program had its core. CPU time is the figure that such noise changes least.\n\n\
         ## Calls as API servers make them\n\n\
         HTTP/1.1, a connection for each call in flight, 25 idle ones kept, no TLS session resumed, \
         `?timeout=10s`, AdmissionReviews of 3 KB. Up to 25 at once all connections stay open; 60 and 200 \
         come in waves, as in a burst of pod creations, so that most calls begin with a handshake. The \
         certificate is ECDSA P-256, the key exchange what the server prefers of X25519MLKEM768 and X25519.\n\n\
         ![Plain pods a second over calls at once](pictures/benchmark-rate.svg)\n\n\
         ![99th percentile over calls at once](pictures/benchmark-p99.svg)\n\n"
    );
    calls(&mut page, &results.http1, &AT_ONCE);
    page.push_str("\nThe same with an RSA 2048 certificate:\n\n");
    calls(&mut page, &results.rsa, &[25, 200]);
    handshakes(&mut page, results);
    warm(&mut page, results);
    memory(&mut page, results);
    created(&mut page, results);
    http2(&mut page, results);
    let _ = writeln!(
        page,
        "\n## Review\n\n`kubectl gmsa review` of 10,000 Deployments in one file: {:.2} s.",
        results.review.as_secs_f64()
    );
    page
}

fn calls(page: &mut String, table: &Table, at_once: &[usize]) {
    page.push_str(
        "| at once | | calls/s | of before | of the floor | p50 / p99 ms | p99 of before | CPU µs/call | \
         of before | above the floor | waited µs | server busy | generator busy |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for at_once in at_once {
        for (load, what) in WHAT.iter().enumerate() {
            for who in contenders(table) {
                let Some(rounds) = table.get(who, load, *at_once) else { continue };
                let of = |other, value: fn(&Measured, &Measured) -> f64| {
                    let others = table.get(other, load, *at_once).filter(|_| who != other);
                    others.map(|others| ratio(rounds, others, value))
                };
                let one = medians(rounds);
                let _ = writeln!(
                    page,
                    "| {at_once} | {what}, {} | {:.0} | {} | {} | {:.2} / {:.2} | {} | {:.1} | {} | {} | {:.1} | {:.0} % | {:.0} % |",
                    name_of(who),
                    one.rate,
                    shown(of(Who::Base, |one, other| one.rate / other.rate)),
                    shown(of(Who::Floor, |one, other| one.rate / other.rate)),
                    one.p50 / 1e3,
                    one.p99 / 1e3,
                    shown(of(Who::Base, |one, other| one.p99 / other.p99)),
                    one.cpu,
                    shown(of(Who::Base, |one, other| one.cpu / other.cpu)),
                    of(Who::Floor, |one, other| one.cpu - other.cpu)
                        .map_or(String::new(), |above| format!("{above:+.1}")),
                    one.queued,
                    one.server * 100.0,
                    one.generator * 100.0,
                );
            }
        }
    }
}

fn shown(ratio: Option<f64>) -> String {
    ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"))
}

fn handshakes(page: &mut String, results: &Results) {
    page.push_str(
        "\n## Handshakes\n\nFull TLS 1.3 handshakes one after the other, each on a connection of its own that \
         is then closed, with an ECDSA P-256 certificate. The system's openssl does not know X25519MLKEM768 \
         and takes X25519 instead.\n\n\
         | key exchange offered | | handshakes/s | CPU µs/handshake | of openssl's | of before |\n\
         |---|---|---|---|---|---|\n",
    );
    for (load, what) in ["X25519", "X25519MLKEM768, X25519"].iter().enumerate() {
        for who in contenders(&results.handshakes) {
            let Some(rounds) = results.handshakes.get(who, load, 1) else { continue };
            let of = |other| {
                let others = results.handshakes.get(other, load, 1).filter(|_| who != other);
                others.map(|others| ratio(rounds, others, |one, other| one.cpu / other.cpu))
            };
            let one = medians(rounds);
            let _ = writeln!(
                page,
                "| {what} | {} | {:.0} | {:.0} | {} | {} |",
                name_of(who),
                one.rate,
                one.cpu,
                shown(of(Who::OpenSsl)),
                shown(of(Who::Base)),
            );
        }
    }
    let _ = writeln!(
        page,
        "\nFour calls at once on warm connections, while another generator makes and closes {BESIDE} \
         connections a second:\n\n\
         | | p50 / p99 µs | with handshakes beside | p99 of that without |\n|---|---|---|---|"
    );
}

fn warm(page: &mut String, results: &Results) {
    for who in contenders(&results.warm) {
        let rounds = [0, 1].map(|load| results.warm.get(who, load, 4).unwrap());
        let [quiet, beside] = rounds.map(medians);
        let _ = writeln!(
            page,
            "| {} | {:.0} / {:.0} | {:.0} / {:.0} | {:.2} |",
            name_of(who),
            quiet.p50,
            quiet.p99,
            beside.p50,
            beside.p99,
            ratio(rounds[1], rounds[0], |beside, quiet| beside.p99 / quiet.p99),
        );
    }
}

fn memory(page: &mut String, results: &Results) {
    let megabytes = |bytes: u64| f64::from(u32::try_from(bytes / 1000).unwrap_or(0)) / 1000.0;
    let _ = writeln!(
        page,
        "\n## Memory and start\n\n| | |\n|---|---|\n| resident memory at the start, 1 credential spec | {:.1} MB |",
        megabytes(results.start_memory)
    );
    for (who, specs, bytes) in &results.memory {
        let s = if *specs == 1 { "" } else { "s" };
        let specs = if *specs == 1 { "1".to_owned() } else { "10,000".to_owned() };
        let _ = writeln!(
            page,
            "| after a million requests over 200 connections, {specs} credential spec{s}, {} | {:.1} MB |",
            name_of(*who),
            megabytes(*bytes)
        );
    }
    let _ = writeln!(
        page,
        "| start to ready, 10,000 credential specs from `--store` | {} ms |\n\
         | start to ready, 10,000 credential specs of a cluster | {} ms |",
        results.ready_store.as_millis(),
        results.ready_cluster.as_millis()
    );
}

fn created(page: &mut String, results: &Results) {
    let _ = writeln!(
        page,
        "\n## Creation of pods\n\n\
         Pods created on the API server as dry runs, in turns in a namespace that is sent to the webhook and in \
         one that is not. The API server calls the webhook through its Service at {}; no kube-proxy runs, the \
         server listens at that address on the loopback interface. This API server has no match conditions, \
         so plain pods are sent too.\n\n\
         | at once | | without, p50 / p99 ms | with, p50 / p99 ms | added to p50 |\n|---|---|---|---|---|",
        results.service
    );
    for one in &results.created {
        let what = if one.gmsa { "pod with a GMSA" } else { "plain pod" };
        let _ = writeln!(
            page,
            "| {} | {what} | {:.2} / {:.2} | {:.2} / {:.2} | {:+.2} ms |",
            one.at_once,
            one.without.p50 / 1e3,
            one.without.p99 / 1e3,
            one.with.p50 / 1e3,
            one.with.p99 / 1e3,
            one.added / 1e3,
        );
    }
}

fn http2(page: &mut String, results: &Results) {
    page.push_str(
        "\n## HTTP/2\n\nAPI servers speak it to a webhook only where its URL names the loopback interface. \
         One connection with 16 streams, by h2load.\n\n\
         | | calls/s | of before | of the floor | p50 / p99 µs | CPU µs/call | of before |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for (load, what) in WHAT.iter().enumerate().take(LOADS.len()) {
        for who in contenders(&results.http2) {
            let Some(rounds) = results.http2.get(who, load, 16) else { continue };
            let of = |other, value: fn(&Measured, &Measured) -> f64| {
                let others = results.http2.get(other, load, 16).filter(|_| who != other);
                others.map(|others| ratio(rounds, others, value))
            };
            let one = medians(rounds);
            let _ = writeln!(
                page,
                "| {what}, {} | {:.0} | {} | {} | {:.0} / {:.0} | {:.1} | {} |",
                name_of(who),
                one.rate,
                shown(of(Who::Base, |one, other| one.rate / other.rate)),
                shown(of(Who::Floor, |one, other| one.rate / other.rate)),
                one.p50,
                one.p99,
                one.cpu,
                shown(of(Who::Base, |one, other| one.cpu / other.cpu)),
            );
        }
    }
}
