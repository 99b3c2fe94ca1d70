//! docs/benchmarks.md and its plots.

use std::fmt::Write as _;
use std::path::Path;

use crate::bench::{AT_ONCE, BESIDE, LOADS, Results, Table, Who};
use crate::create::Creation;
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
    if results.calls.0.is_empty() {
        return;
    }
    let values: [fn(&Measured) -> f64; 2] = [|one| one.rate, |one| one.p99];
    let titles = [
        ("rate", "Plain pods a second", ""),
        ("p99", "99th percentile of the time to answer", "µs"),
    ];
    for ((name, title, unit), value) in titles.into_iter().zip(values) {
        let lines: Vec<Line<'_>> = contenders(&results.calls)
            .map(|who| {
                let of = |at_once| value(&medians(results.calls.get(who, 0, at_once).unwrap()));
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
    let before = match results.base_commit.as_str() {
        "" => String::new(),
        commit => format!("\"Before\" is the build of commit `{commit}`. "),
    };
    let mut page = format!(
        "# Benchmarks\n\n<!-- Written by `make bench`. -->\n\n\
         You want to know what the webhook costs: run `make bench`; you see this page.\n\n\
         Measured on {cores} cores. The servers take turns on the first core, the load generator has the \
         second; each figure is the median of the rounds, and each ratio the median of the ratios within a \
         round. The floor is the same server stack with a static answer. {before}\"Waited\" is how long the \
         server was ready to run while another program had its core. Times differ from machine to machine \
         and from hour to hour; the ratios are what to look at.\n\n"
    );
    targets(&mut page, results);
    if !results.calls.0.is_empty() {
        page.push_str(
            "## Calls as API servers make them\n\n\
             HTTP/1.1, a connection for each call in flight, 25 idle ones kept, no TLS session resumed, \
             `?timeout=10s`, AdmissionReviews of 3 KB. Up to 25 at once all connections stay open; 60 and 200 \
             come in waves, as in a burst of pod creations, so that most calls begin with a handshake. The \
             certificate is ECDSA P-256. The generator offers X25519MLKEM768 and AES-128-GCM with SHA-256 first, \
             as Go does.\n\n\
             ![Plain pods a second over calls at once](pictures/benchmark-rate.svg)\n\n\
             ![99th percentile over calls at once](pictures/benchmark-p99.svg)\n\n",
        );
        calls(&mut page, &results.calls, &AT_ONCE);
    }
    if !results.rsa.0.is_empty() {
        page.push_str("\nThe same with an RSA 2048 certificate:\n\n");
        calls(&mut page, &results.rsa, &[25, 200]);
    }
    if !results.handshakes.0.is_empty() {
        handshakes(&mut page, results);
        warm(&mut page, results);
    }
    start(&mut page, results);
    if !results.created.is_empty() {
        created(&mut page, &results.created);
    }
    if !results.http2.0.is_empty() {
        http2(&mut page, results);
    }
    page
}

/// What is aimed at, and what was seen.
struct Aim {
    what: String,
    seen: Option<f64>,
    limit: f64,
    /// Whether the limit is the least, not the most.
    least: bool,
}

impl Aim {
    fn least(what: impl Into<String>, seen: Option<f64>, limit: f64) -> Self {
        Self { what: what.into(), seen, limit, least: true }
    }

    fn most(what: impl Into<String>, seen: Option<f64>, limit: f64) -> Self {
        Self { what: what.into(), seen, limit, least: false }
    }
}

fn targets(page: &mut String, results: &Results) {
    page.push_str("## Targets\n\n| | seen | target | |\n|---|---|---|---|\n");
    for aim in call_aims(&results.calls).into_iter().chain(other_aims(results)) {
        let Some(seen) = aim.seen else { continue };
        let met = if aim.least { seen >= aim.limit } else { seen <= aim.limit };
        let _ = writeln!(
            page,
            "| {} | {seen:.2} | at {} {} | {} |",
            aim.what,
            if aim.least { "least" } else { "most" },
            aim.limit,
            if met { "met" } else { "**not met**" },
        );
    }
    page.push('\n');
}

fn call_aims(calls: &Table) -> Vec<Aim> {
    let cost =
        |one: &Measured, other: &Measured| (one.cpu + one.queued) / (other.cpu + other.queued);
    let rate = |one: &Measured, other: &Measured| one.rate / other.rate;
    let p99 = |one: &Measured, other: &Measured| one.p99 / other.p99;
    let cpu = |one: &Measured, other: &Measured| one.cpu / other.cpu;
    let above = |one: &Measured, other: &Measured| one.cpu - other.cpu;
    let now =
        |other, load, at_once, value| calls.compare((Who::Now, other), (load, at_once), value);
    let burst = "200 at once, plain pods:";
    let mut aims = vec![
        Aim::least(format!("{burst} calls a second, of before"), now(Who::Base, 0, 200, rate), 2.0),
        Aim::most(format!("{burst} p99, of before"), now(Who::Base, 0, 200, p99), 0.5),
        Aim::most(
            format!("{burst} CPU and waiting for the core, of before"),
            now(Who::Base, 0, 200, cost),
            0.5,
        ),
        Aim::least(
            format!("{burst} calls a second, of the Go webhook"),
            now(Who::Peer, 0, 200, rate),
            3.0,
        ),
        Aim::least(
            "200 at once, mutations: calls a second, of the Go webhook",
            now(Who::Peer, 1, 200, rate),
            20.0,
        ),
    ];
    for (load, what) in WHAT.iter().enumerate() {
        let warm = format!("25 at once, {what}:");
        aims.extend([
            Aim::most(format!("{warm} CPU, of before"), now(Who::Base, load, 25, cpu), 0.7),
            Aim::least(
                format!("{warm} calls a second, of the floor"),
                now(Who::Floor, load, 25, rate),
                0.85,
            ),
            Aim::most(format!("{warm} p99, of the floor"), now(Who::Floor, load, 25, p99), 1.25),
            Aim::most(
                format!("{warm} CPU above the floor, µs"),
                now(Who::Floor, load, 25, above),
                4.0,
            ),
        ]);
    }
    aims
}

fn other_aims(results: &Results) -> Vec<Aim> {
    let beside = results.warm.get(Who::Now, 1, 4).zip(results.warm.get(Who::Now, 0, 4));
    let ready = Some(results.ready_store.as_secs_f64() * 1e3).filter(|ready| *ready > 0.0);
    let memory = |specs| {
        let one = results.memory.iter().find(|one| one.0 == Who::Now && one.1 == specs)?;
        Some(megabytes(one.2))
    };
    let cpu = |one: &Measured, other: &Measured| one.cpu / other.cpu;
    let mut aims = vec![
        Aim::most(
            "a handshake (X25519): CPU, of `openssl s_server`",
            results.handshakes.compare((Who::Now, Who::OpenSsl), (0, 1), cpu),
            1.15,
        ),
        Aim::most(
            format!("p99 on warm connections beside {BESIDE} handshakes a second, of that without"),
            beside.map(|(beside, quiet)| ratio(beside, quiet, |one, other| one.p99 / other.p99)),
            2.0,
        ),
        Aim::most("memory after a million requests, 1 credential spec, MB", memory(1), 16.0),
        Aim::most(
            "memory after a million requests, 10,000 credential specs, MB",
            memory(10_000),
            26.0,
        ),
        Aim::most("ready with 10,000 credential specs from `--store`, ms", ready, 200.0),
    ];
    for creation in &results.created {
        for row in creation.rows.iter().filter(|row| row.gmsa && row.at_once == 1) {
            let what =
                format!("{}: added to the creation of a pod with a GMSA, p50, ms", place(creation));
            aims.push(Aim::most(what, Some(row.added / 1e3), 1.0));
        }
    }
    aims
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
                let of = |other, value| table.compare((who, other), (load, *at_once), value);
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
    let table = &results.handshakes;
    for (load, what) in ["X25519", "X25519MLKEM768, X25519"].iter().enumerate() {
        for who in contenders(table) {
            let Some(rounds) = table.get(who, load, 1) else { continue };
            let cpu = |other| {
                shown(table.compare((who, other), (load, 1), |one, other| one.cpu / other.cpu))
            };
            let one = medians(rounds);
            let _ = writeln!(
                page,
                "| {what} | {} | {:.0} | {:.0} | {} | {} |",
                name_of(who),
                one.rate,
                one.cpu,
                cpu(Who::OpenSsl),
                cpu(Who::Base),
            );
        }
    }
}

fn warm(page: &mut String, results: &Results) {
    let _ = writeln!(
        page,
        "\nFour calls at once on warm connections, while another generator makes and closes {BESIDE} \
         connections a second:\n\n\
         | | p50 / p99 µs | with handshakes beside | p99 of that without |\n|---|---|---|---|"
    );
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

fn megabytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes / 1000).unwrap_or(0)) / 1000.0
}

fn start(page: &mut String, results: &Results) {
    page.push_str("\n## Memory and start\n\n| | |\n|---|---|\n");
    if results.start_memory > 0 {
        let memory = megabytes(results.start_memory);
        let _ =
            writeln!(page, "| resident memory at the start, 1 credential spec | {memory:.1} MB |");
    }
    for (who, specs, bytes) in &results.memory {
        let specs = if *specs == 1 { "1 credential spec" } else { "10,000 credential specs" };
        let _ = writeln!(
            page,
            "| after a million requests over 200 connections, {specs}, {} | {:.1} MB |",
            name_of(*who),
            megabytes(*bytes)
        );
    }
    if !results.ready_store.is_zero() {
        let _ = writeln!(
            page,
            "| start to ready, 10,000 credential specs from `--store` | {} ms |\n\
             | start to ready, 10,000 credential specs of a cluster | {} ms |\n\
             | `kubectl gmsa review` of 10,000 Deployments in one file | {:.2} s |",
            results.ready_store.as_millis(),
            results.ready_cluster.as_millis(),
            results.review.as_secs_f64()
        );
    }
}

fn place(creation: &Creation) -> String {
    let (major, minor) = creation.version;
    let place = if creation.node { "on a node" } else { "loopback" };
    format!("Kubernetes {major}.{minor}, {place}")
}

fn created(page: &mut String, creations: &[Creation]) {
    page.push_str(
        "\n## Creation of pods\n\n\
         Pods created on the API server as dry runs, in turns in a namespace whose pods are sent to the webhook \
         and in one whose are not. A pod with a GMSA is sent twice, to mutate and to validate; from 1.28 on the API \
         server sends no plain pod (match conditions), before that every one. It calls the webhook through its \
         Service: \"on a node\" it runs in a pod behind kube-proxy, with two replicas (`make bench \
         ARGS=--cluster`); \"loopback\" has no kube-proxy, and the server listens at the Service's address. API \
         server, etcd, webhook and client share the cores.\n\n\
         | | at once | | without, p50 / p99 ms | with, p50 / p99 ms | added to p50 |\n|---|---|---|---|---|---|\n",
    );
    for creation in creations {
        for one in &creation.rows {
            let _ = writeln!(
                page,
                "| {} | {} | {} | {:.2} / {:.2} | {:.2} / {:.2} | {:+.2} ms |",
                place(creation),
                one.at_once,
                if one.gmsa { "pod with a GMSA" } else { "plain pod" },
                one.without.p50 / 1e3,
                one.without.p99 / 1e3,
                one.with.p50 / 1e3,
                one.with.p99 / 1e3,
                one.added / 1e3,
            );
        }
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
            let of = |other, value| results.http2.compare((who, other), (load, 16), value);
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
