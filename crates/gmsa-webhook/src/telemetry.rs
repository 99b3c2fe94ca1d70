//! Logs, to standard error.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{Config, LogFormat};

/// Starts logging. Libraries are heard from `warn` on, unless all is wanted.
pub fn start(config: &Config) {
    let level = &config.log_level;
    let filter = match level.as_str() {
        "trace" => "trace".to_owned(),
        level => format!("warn,gmsa_webhook={level},gmsa_cluster={level}"),
    };
    let filter = EnvFilter::new(filter);
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    // A second start, as in tests, keeps the first.
    let _ = match config.log_format {
        LogFormat::Json => registry.with(layer.json().flatten_event(true)).try_init(),
        LogFormat::Text => registry.with(layer.with_ansi(false)).try_init(),
    };
}
