//! The plugin as a user runs it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

mod access;
mod account;
mod adopt;
mod agreement;
mod audit;
mod audit_directory;
mod authorizers;
mod cert_manager;
mod chart;
mod chart_upgrade;
#[cfg(target_os = "linux")]
mod clock;
mod cluster;
mod commands;
#[cfg(unix)]
mod completion;
mod credspec;
mod definition_drops;
mod directory;
#[cfg(target_os = "linux")]
mod dist;
mod doctor;
mod doctor_bundle;
mod doctor_directory;
mod doctor_directory_large;
mod doctor_installation;
mod doctor_node;
mod doctor_pod;
mod doctor_repair;
mod doctor_reported;
mod documentation;
mod enforcer;
mod engine_static;
mod engine_switch;
mod few_rights;
mod flags;
mod grant;
mod guard;
mod install;
mod install_certificates;
mod install_options;
#[cfg(unix)]
mod interactive;
#[cfg(unix)]
mod kubeconfig;
mod kustomize;
mod left_out;
mod next_steps;
#[cfg(target_os = "linux")]
mod node;
mod pending;
#[cfg(unix)]
mod pictures;
#[cfg(target_os = "linux")]
mod pipelines;
#[cfg(target_os = "linux")]
mod release_artifacts;
mod remedies;
mod report;
mod review;
mod review_cases;
mod review_cluster;
mod review_engine;
mod review_generated;
mod review_output;
mod reviewing;
mod schema;
mod status;
mod support;
mod true_words;
mod webhook_away;
#[cfg(target_os = "linux")]
mod windows_program;
