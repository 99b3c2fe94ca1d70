//! The admission webhook server for GMSA on Kubernetes.

use std::env;

use anyhow::Context as _;
use gmsa_webhook::config::{self, FactSource, Task};
use gmsa_webhook::{audit, check, server, telemetry};

fn main() -> anyhow::Result<()> {
    let environment = |name: &str| env::var(name).ok();
    let args = config::parse(env::args_os(), environment).unwrap_or_else(|error| error.exit());
    let (config, warnings) = config::resolve(args, environment)?;
    let _telemetry =
        telemetry::start(&config.log_level, config.log_format, config.otlp_endpoint.as_ref())?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    // One thread answers (ADR 4).
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("failed to start the runtime")?;
    if let (Some(check), FactSource::Cluster { kubeconfig }) = (&config.check, &config.facts) {
        runtime.block_on(check::run(check, kubeconfig.as_deref()))?;
        return Ok(());
    }
    match config.task {
        None => runtime.block_on(server::run(config))?,
        Some(Task::Audit) => runtime.block_on(audit::run(&config))?,
    }
    Ok(())
}
