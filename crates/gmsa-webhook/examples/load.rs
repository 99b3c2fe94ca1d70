//! The benchmark of `make bench`: this build, the build that it is compared with, the floor of the same
//! stack and, if there is one, another webhook, in turns within one run, with calls as API servers make
//! them. Writes docs/benchmarks.md and its plots.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a measurement that fails, fails loudly"
)]

#[path = "load/bench.rs"]
mod bench;
#[path = "load/create.rs"]
mod create;
#[path = "load/drive.rs"]
mod drive;
#[path = "load/measure.rs"]
mod measure;
#[path = "load/page.rs"]
mod page;
#[path = "load/plot.rs"]
mod plot;
#[path = "load/world.rs"]
mod world;

use std::path::PathBuf;

use clap::{Args, Parser};

/// Measures the server.
#[derive(Parser)]
enum Task {
    /// Measure everything, and write docs/benchmarks.md
    Bench(Bench),
    /// Compare the engines by the creation of pods, and print it; needs an API server from 1.36
    Engines(Engines),
    /// Send one load, and print what came of it as JSON
    Drive(drive::Load),
}

/// What is measured.
#[derive(Args, Clone, Debug)]
pub(crate) struct Bench {
    /// The directory of the programs of this build
    programs: PathBuf,
    /// The server of the build that this one is compared with
    #[arg(long)]
    base: Option<PathBuf>,
    /// The commit of that build
    #[arg(long, default_value = "")]
    base_commit: String,
    /// Another GMSA webhook, such as that of kubernetes-sigs/windows-gmsa
    #[arg(long)]
    peer: Option<PathBuf>,
    /// Measure only these parts; the page shows the figures of the last run for the others
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<bench::Part>,
    /// Measure only the creation of pods on the cluster of this kubeconfig, where the webhook is
    /// installed
    #[arg(long)]
    cluster: Option<PathBuf>,
    /// Measure little, and write nothing
    #[arg(long)]
    quick: bool,
}

/// What of the engines is compared.
#[derive(Args, Clone, Debug)]
struct Engines {
    /// The directory of the programs of this build
    programs: PathBuf,
    /// At how many credential specs
    #[arg(long, value_delimiter = ',', default_values_t = [1, 1_000, 10_000])]
    counts: Vec<usize>,
    /// How many rounds
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// How many pods in a round
    #[arg(long, default_value_t = 200)]
    pods: usize,
}

fn main() {
    match Task::parse() {
        Task::Drive(load) => {
            println!("{}", serde_json::to_string(&drive::drive(&load)).unwrap());
        }
        Task::Engines(args) => {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let world = world::World::start(&args.programs).await;
                create::engines(&world, &args.counts, args.rounds, args.pods).await;
            });
        }
        Task::Bench(args) => {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(bench::run(&args));
        }
    }
}
