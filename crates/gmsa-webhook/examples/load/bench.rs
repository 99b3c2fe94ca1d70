//! Everything that `make bench` measures, in order.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use gmsa_testkit::server::Server;
use serde_json::{Value, json};

use crate::Bench;
use crate::create::{self, Created};
use crate::measure::{Measured, Sent, Target, measure, measure_beside, measure_http2, median};
use crate::page;
use crate::world::{Key, Other, ROOT, World, body, openssl};

/// How many calls are in flight.
pub(crate) const AT_ONCE: [usize; 4] = [4, 25, 60, 200];
/// The path, and the name of the body.
pub(crate) const LOADS: [(&str, &str); 3] =
    [("/validate", "plain"), ("/mutate", "mutate"), ("/validate", "validate")];
/// Handshakes a second beside the load on warm connections.
pub(crate) const BESIDE: u32 = 500;

/// Whose figures they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Now,
    Base,
    Floor,
    Peer,
    OpenSsl,
}

/// The rounds of one figure.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) who: Who,
    pub(crate) load: usize,
    pub(crate) at_once: usize,
    pub(crate) rounds: Vec<Measured>,
}

/// The rounds of all figures of one kind.
#[derive(Clone, Debug, Default)]
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
}

/// Everything that was measured.
pub(crate) struct Results {
    pub(crate) base_commit: String,
    pub(crate) version: (u32, u32),
    pub(crate) http1: Table,
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
    pub(crate) created: Vec<Created>,
    pub(crate) service: String,
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

/// Measures everything, and writes the page and its plots.
pub(crate) async fn run(args: &Bench) {
    let world = World::start(&args.programs).await;
    let (rounds, seconds) = if args.quick { (1, 0.5) } else { (5, 1.0) };
    let bencher = Bencher { args: args.clone(), world, rounds, seconds };
    let began = Instant::now();
    let said = |what: &str| eprintln!("{:>4} s: {what}", began.elapsed().as_secs());
    said("calls over HTTP/1.1");
    let contenders = bencher.contenders(Key::P256, true).await;
    let start_memory = contenders[0].server.as_ref().unwrap().resident_memory();
    let http1 = bencher.http1(&contenders, &LOADS, &AT_ONCE).await;
    said("warm connections beside handshakes");
    let warm = bencher.warm(&contenders);
    said("HTTP/2");
    let http2 = bencher.http2(&contenders).await;
    said("handshakes");
    let handshakes = bencher.handshakes(&contenders).await;
    drop(contenders);
    said("RSA");
    let contenders = bencher.contenders(Key::Rsa2048, false).await;
    let rsa = bencher.http1(&contenders, &LOADS[..1], &[25, 200]).await;
    drop(contenders);
    said("creation of pods");
    let pods = if args.quick { 100 } else { 400 };
    let (created, service) = create::measure(&bencher.world, rounds, pods).await;
    said("memory with 1 credential spec");
    let mut memory = bencher.memory(1).await;
    said("10,000 credential specs");
    let store = format!("--store={}", bencher.world.store(10_000).display());
    let ready_store = bencher.world.time_to_ready(&[store], rounds).await;
    bencher.world.fill(1..10_000).await;
    let ready_cluster = bencher.world.time_to_ready(&[], rounds).await;
    said("memory with 10,000 credential specs");
    memory.extend(bencher.memory(10_000).await);
    said("review");
    let review =
        median((0..rounds).map(|_| review(&args.programs, bencher.world.files.path())).collect());
    said("done");
    let results = Results {
        base_commit: args.base_commit.clone(),
        version: bencher.world.plane.version(),
        http1,
        rsa,
        handshakes,
        warm,
        http2,
        start_memory,
        memory,
        ready_store,
        ready_cluster,
        created,
        service,
        review,
    };
    page::write(&results, Path::new(ROOT), args.quick);
}

impl Bencher {
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
