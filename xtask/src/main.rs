//! Generates and checks files, and runs the demo.

mod book;
mod chart;
mod check;
mod commands;
mod cycles;
mod demo;
mod domain;
mod file;
mod generated;
mod installers;
mod length;
mod links;
mod man;
mod output;
mod paths;
mod pictures;
mod portable;
mod readme;
mod reference;
mod sbom;
mod sizes;
mod statement;
mod tree;
mod vex;
mod words;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Makes and checks what is generated")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Write every generated file
    Generate {
        /// Leave the pictures out that need a control plane and Chromium
        #[arg(long)]
        no_pictures: bool,
    },
    /// Check generated files and documents, the commands that are named, circles
    /// between modules, and the project's domain
    Check,
    /// Build the documentation as a site in target/book, with mdBook
    Book,
    /// Show the main job without a cluster
    Demo,
    /// Print the list of what is built into a program (`CycloneDX`)
    Sbom {
        /// The program
        #[arg(default_value = "gmsa-webhook")]
        program: String,
        /// The features it is built with
        #[arg(long, default_value = "")]
        features: String,
        /// The target of Rust that it is built for
        #[arg(long, default_value = "x86_64-unknown-linux-gnu")]
        target: String,
    },
    /// Write the manifests for krew, Scoop and winget of the archives in a directory with its
    /// checksums.txt
    Installers {
        /// The directory
        directory: PathBuf,
    },
    /// Write the sizes of the images and archives in cargo's directory into docs/release.md
    Sizes {
        /// The directory
        #[arg(default_value = "target")]
        directory: PathBuf,
    },
    /// Print a statement about what a release publishes (in-toto)
    Statement(statement::Options),
    /// Print which known vulnerabilities affect a release (`OpenVEX`)
    Vex,
    /// Print the metadata of the chart as registries keep them
    ChartConfig,
    /// Print the name of the published image
    ImageName,
}

fn main() -> Result<ExitCode> {
    match Arguments::parse().task {
        Task::Generate { no_pictures } => {
            check::generate(tree::root())?;
            if !no_pictures {
                pictures::take(tree::root())?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Task::Sbom { program, features, target } => {
            output::line(sbom::render(tree::root(), &program, &features, &target)?.trim_end())?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Installers { directory } => {
            installers::write(&directory)?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Sizes { directory } => {
            sizes::write(tree::root(), &directory)?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Statement(options) => {
            output::line(statement::render(tree::root(), &options)?)?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Vex => {
            output::line(vex::render(tree::root())?.trim_end())?;
            Ok(ExitCode::SUCCESS)
        }
        Task::ChartConfig => {
            output::line(chart::config(tree::root())?)?;
            Ok(ExitCode::SUCCESS)
        }
        Task::ImageName => {
            output::line(gmsa_cluster::installation::IMAGE)?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Demo => demo::run(tree::root()).map(|()| ExitCode::SUCCESS),
        Task::Book => {
            let site = book::build(tree::root())?;
            output::line(site.join("index.html").display())?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Check => check::check(tree::root()),
    }
}
