//! Logs to standard error, and traces to a collector where one is named.

mod otlp;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::config::{Config, LogFormat};

pub use otlp::{Endpoint, Error};

/// The target of spans that exist for traces only: the log does not look at them, so that without
/// traces they cost nothing.
macro_rules! traces {
    () => {
        "gmsa_webhook::traces"
    };
}
pub(crate) use traces;

/// What must live as long as the process has something to tell.
#[derive(Default)]
#[must_use = "traces end when it is dropped"]
pub struct Telemetry {
    traces: Option<otlp::Traces>,
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(traces) = &self.traces {
            traces.end();
        }
    }
}

/// Starts logging and, with an endpoint, tracing. Libraries are heard from `warn` on, unless all is
/// wanted. Must be dropped outside of a runtime.
pub fn start(config: &Config) -> Result<Telemetry, Error> {
    let level = &config.log_level;
    let filter = match level.as_str() {
        "trace" => concat!("trace,", traces!(), "=off").to_owned(),
        level => {
            let traces = traces!();
            format!("warn,gmsa_webhook={level},gmsa_cluster={level},{traces}=off")
        }
    };
    let logs = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let logs: Box<dyn Layer<Registry> + Send + Sync> = match config.log_format {
        LogFormat::Json => logs.json().flatten_event(true).boxed(),
        LogFormat::Text => logs.with_ansi(false).boxed(),
    };
    let mut layers = vec![logs.with_filter(EnvFilter::new(filter)).boxed()];
    let traces = config.otlp_endpoint.as_ref().map(otlp::Traces::start).transpose()?;
    if let Some(traces) = &traces {
        layers.push(traces.layer());
    }
    // A second start, as in tests, keeps the first.
    let _ = tracing_subscriber::registry().with(layers).try_init();
    Ok(Telemetry { traces })
}
