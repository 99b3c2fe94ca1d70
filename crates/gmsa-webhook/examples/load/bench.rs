//! Everything that `make bench` measures, in order.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use gmsa_testkit::server::Server;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Bench;
use crate::create::{self, Creation};
use crate::measure::{
    Measured, Sent, Target, measure, measure_beside, measure_http2, median, ratio,
};
use crate::page;
use crate::world::{Key, Other, ROOT, World, body, openssl};

/// How many calls are in flight.
pub(crate) const AT_ONCE: [usize; 4] = [4, 25, 60, 200];
/// The path, and the name of the body.
pub(crate) const LOADS: [(&str, &str); 3] =
    [("/validate", "plain"), ("/mutate", "mutate"), ("/validate", "validate")];
/// Handshakes a second beside the load on warm connections.
pub(crate) const BESIDE: u32 = 500;

/// A part of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Calls over HTTP/1.1
    Calls,
    /// The same with an RSA certificate
    Rsa,
    /// Handshakes alone, and calls on warm connections beside them
    Handshakes,
    /// Calls over one connection of HTTP/2
    Http2,
    /// Creation of pods on an API server
    Creation,
    /// Resident memory after a million requests
    Memory,
    /// Start to ready, and the review command
    Start,
}

/// Whose figures they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Who {
    Now,
    Base,
    Floor,
    Peer,
    OpenSsl,
}

/// The rounds of one figure.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Series {
    pub(crate) who: Who,
    pub(crate) load: usize,
    pub(crate) at_once: usize,
    pub(crate) rounds: Vec<Measured>,
}

/// The rounds of all figures of one kind.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Table(pub(crate) Vec<Series>);

impl Table {
    fn add(&mut self, who: Who, load: usize, at_once: usize, measured: Measured) {
        let fits = |one: &&mut Series| (one.who, one.load, one.at_once) == (who, load, at_once);
        match self.0.iter_mut().find(fits) {
            Some(series) => series.rounds.push(measured),
            None => self.0.push(Series { who, load, at_once, rounds: vec![measured] }),
        }
    }

    pub(crate) fn get(&self, who: Who, load: usize, at_once: usize) -> Option<&[Measured]> {
        let fits = |one: &&Series| (one.who, one.load, one.at_once) == (who, load, at_once);
        self.0.iter().find(fits).map(|series| series.rounds.as_slice())
    }

    /// The median, over the rounds, of what a comparison of two within each gives.
    pub(crate) fn compare(
        &self,
        (who, other): (Who, Who),
        (load, at_once): (usize, usize),
        value: fn(&Measured, &Measured) -> f64,
    ) -> Option<f64> {
        let others = self.get(other, load, at_once).filter(|_| who != other)?;
        Some(ratio(self.get(who, load, at_once)?, others, value))
    }
}

/// Everything that was measured. Parts can be measured one at a time; the figures of the others stay.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Results {
    pub(crate) base_commit: String,
    pub(crate) calls: Table,
    pub(crate) rsa: Table,
    /// Handshakes alone: load 0 is X25519, load 1 post-quantum.
    pub(crate) handshakes: Table,
    /// Calls on warm connections: load 0 without handshakes beside them, load 1 with.
    pub(crate) warm: Table,
    pub(crate) http2: Table,
    pub(crate) start_memory: u64,
    pub(crate) memory: Vec<(Who, usize, u64)>,
    pub(crate) ready_store: Duration,
    pub(crate) ready_cluster: Duration,
    pub(crate) created: Vec<Creation>,
    pub(crate) review: Duration,
}

/// A server under measurement.
struct Contender {
    who: Who,
    target: Target,
    server: Option<Server>,
    _other: Option<Other>,
}

struct Bencher {
    args: Bench,
    world: World,
    rounds: usize,
    seconds: f64,
}

/// Measures what is asked for, and writes the page and its plots.
pub(crate) async fn run(args: &Bench) {
    // Beside the programs, so that parts of one build come together on the page.
    let file = args.programs.join("bench.json");
    let mut results: Results = match std::fs::read(&file) {
        Ok(text) if !args.only.is_empty() || args.cluster.is_some() => {
            serde_json::from_slice(&text).unwrap()
        }
        _ => Results::default(),
    };
    if !args.base_commit.is_empty() {
        results.base_commit.clone_from(&args.base_commit);
    }
    let began = Instant::now();
    let said = |what: &str| eprintln!("{:>4} s: {what}", began.elapsed().as_secs());
    let (rounds, pods) = if args.quick { (1, 100) } else { (5, 400) };
    if let Some(kubeconfig) = &args.cluster {
        said("creation of pods on a cluster");
        results.take(create::on_cluster(kubeconfig, rounds, pods).await);
    } else {
        let seconds = if args.quick { 0.5 } else { 1.0 };
        let world = World::start(&args.programs).await;
        let bencher = Bencher { args: args.clone(), world, rounds, seconds };
        for part in Part::value_variants() {
            if args.only.is_empty() || args.only.contains(part) {
                said(part.to_possible_value().unwrap().get_help().unwrap().to_string().as_str());
                bencher.measure(*part, pods, &mut results).await;
                results.keep(&file, args.quick);
            }
        }
    }
    said("done");
    results.keep(&file, args.quick);
    page::write(&results, Path::new(ROOT), args.quick);
}

impl Results {
    /// Keeps them, so that a part that fails costs only itself.
    fn keep(&self, file: &Path, quick: bool) {
        if !quick {
            std::fs::write(file, serde_json::to_string(self).unwrap()).unwrap();
        }
    }

    /// Puts creations in place of those on the same kind of cluster.
    fn take(&mut self, creation: Creation) {
        self.created.retain(|one| !one.is_like(&creation));
        self.created.push(creation);
        self.created.sort_by_key(|one| (one.version, one.node));
    }
}

impl Bencher {
    async fn measure(&self, part: Part, pods: usize, results: &mut Results) {
        match part {
            Part::Calls => {
                let contenders = self.contenders(Key::P256, true).await;
                results.start_memory = contenders[0].server.as_ref().unwrap().resident_memory();
                results.calls = self.http1(&contenders, &LOADS, &AT_ONCE).await;
            }
            Part::Rsa => {
                let contenders = self.contenders(Key::Rsa2048, false).await;
                results.rsa = self.http1(&contenders, &LOADS[..1], &[25, 200]).await;
            }
            Part::Handshakes => {
                let contenders = self.contenders(Key::P256, true).await;
                results.warm = self.warm(&contenders);
                results.handshakes = self.handshakes(&contenders).await;
            }
            Part::Http2 => {
                let contenders = self.contenders(Key::P256, true).await;
                results.http2 = self.http2(&contenders).await;
            }
            Part::Creation => {
                results.take(create::through_loopback(&self.world, self.rounds, pods).await);
            }
            Part::Memory => {
                results.memory = self.memory(1).await;
                self.world.fill(1..10_000).await;
                results.memory.extend(self.memory(10_000).await);
            }
            Part::Start => {
                let store = format!("--store={}", self.world.store(10_000).display());
                results.ready_store = self.world.time_to_ready(&[store], self.rounds).await;
                self.world.fill(1..10_000).await;
                results.ready_cluster = self.world.time_to_ready(&[], self.rounds).await;
                let review = || review(&self.args.programs, self.world.files.path());
                results.review = median((0..self.rounds).map(|_| review()).collect());
            }
        }
    }

    /// The servers, this build first. The floor reads the same request.
    async fn contenders(&self, key: Key, floor: bool) -> Vec<Contender> {
        let mut all = Vec::new();
        let own: PathBuf = self.args.programs.join("gmsa-webhook");
        let programs = [(Who::Now, Some(&own)), (Who::Base, self.args.base.as_ref())];
        for (who, program) in programs {
            let Some(program) = program else { continue };
            let server = self.world.server(program, key, &[]).await;
            let target = Target { address: server.https, pid: server.pid() };
            all.push(Contender { who, target, server: Some(server), _other: None });
        }
        if floor {
            let (other, target) = self.world.floor().await;
            all.push(Contender { who: Who::Floor, target, server: None, _other: Some(other) });
        }
        if let Some(program) = &self.args.peer {
            let (other, target) = self.world.peer(program, key).await;
            all.push(Contender { who: Who::Peer, target, server: None, _other: Some(other) });
        }
        for one in &all {
            one.target.pin();
            if let Some(server) = &one.server {
                self.world.warm(server, key).await;
            }
        }
        all
    }

    /// Calls as API servers make them.
    async fn http1(
        &self,
        contenders: &[Contender],
        loads: &[(&'static str, &str)],
        at_once: &[usize],
    ) -> Table {
        let mut table = Table::default();
        for _ in 0..self.rounds {
            for (load, (path, name)) in loads.iter().enumerate() {
                for at_once in at_once {
                    for one in contenders {
                        if *name == "validate" && *at_once != 25 {
                            continue;
                        }
                        if let (Some(server), "validate") = (&one.server, *name) {
                            self.world.warm(server, Key::P256).await;
                        }
                        let sent = Sent::as_api_server(path, body(name), *at_once, self.seconds);
                        table.add(one.who, load, *at_once, measure(&one.target, &sent));
                    }
                }
            }
        }
        table
    }

    /// Calls on four warm connections, without handshakes beside them and with.
    fn warm(&self, contenders: &[Contender]) -> Table {
        let mut table = Table::default();
        for _ in 0..self.rounds {
            for one in contenders {
                let sent = Sent::as_api_server("/validate", body("plain"), 4, self.seconds);
                table.add(one.who, 0, 4, measure(&one.target, &sent));
                table.add(one.who, 1, 4, measure_beside(&one.target, &sent, BESIDE));
            }
        }
        table
    }

    /// Handshakes alone, one after the other.
    async fn handshakes(&self, contenders: &[Contender]) -> Table {
        let mut table = Table::default();
        let pair = self.world.certificate(&["localhost"], Key::P256);
        let (_openssl, openssl) = openssl(&pair).await;
        openssl.pin();
        let targets = contenders.iter().filter(|one| one.who != Who::Floor);
        let targets: Vec<(Who, &Target)> =
            targets.map(|one| (one.who, &one.target)).chain([(Who::OpenSsl, &openssl)]).collect();
        for _ in 0..self.rounds {
            for (who, target) in &targets {
                for (load, classical) in [(0, true), (1, false)] {
                    let sent = Sent::handshakes(1, self.seconds, classical);
                    table.add(*who, load, 1, measure(target, &sent));
                }
            }
        }
        table
    }

    /// Over one connection of HTTP/2, as API servers do where a URL names a loopback address.
    async fn http2(&self, contenders: &[Contender]) -> Table {
        let mut table = Table::default();
        for _ in 0..self.rounds.min(3) {
            for (load, (path, name)) in LOADS.iter().enumerate() {
                for one in contenders {
                    if let Some(server) = &one.server {
                        self.world.warm(server, Key::P256).await;
                    }
                    let measured = measure_http2(&one.target, path, &body(name), 1);
                    table.add(one.who, load, 16, measured);
                }
            }
        }
        table
    }

    /// Resident memory after a million requests over 200 connections.
    async fn memory(&self, specs: usize) -> Vec<(Who, usize, u64)> {
        let mut all = Vec::new();
        let own = self.args.programs.join("gmsa-webhook");
        let base = self.args.base.as_ref().filter(|_| specs == 1);
        for (who, program) in [(Who::Now, Some(&own)), (Who::Base, base)] {
            let Some(program) = program else { continue };
            let server = self.world.server(program, Key::P256, &[]).await;
            self.world.warm(&server, Key::P256).await;
            let target = Target { address: server.https, pid: server.pid() };
            target.pin();
            let sent = Sent {
                idle: 200,
                calls: if self.args.quick { 20_000 } else { 1_000_000 },
                ..Sent::as_api_server("/validate", body("plain"), 200, 300.0)
            };
            measure(&target, &sent);
            all.push((who, specs, server.resident_memory()));
        }
        all
    }
}

fn review(programs: &Path, files: &Path) -> Duration {
    let read = |name: &str| std::fs::read_to_string(Path::new(ROOT).join(name)).unwrap();
    let mut text = read("examples/1-credential-spec.yaml");
    let deployment = read("examples/4-deployment-pod-level.yaml");
    for number in 0..10_000 {
        text += "---\n";
        text += &deployment.replace("name: web", &format!("name: web-{number}"));
    }
    let file = files.join("many.yaml");
    std::fs::write(&file, text).unwrap();
    let began = Instant::now();
    let output = Command::new(programs.join("kubectl-gmsa"))
        .args(["review", "-o", "json", "-f"])
        .arg(&file)
        .output()
        .unwrap();
    let took = began.elapsed();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["summary"]["denied"], json!(10_000));
    took
}
