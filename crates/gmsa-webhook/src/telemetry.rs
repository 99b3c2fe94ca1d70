//! Logs to standard error, and traces to a collector, if one is given.

#[cfg(feature = "otlp")]
mod otlp;

use std::fmt;
use std::str::FromStr;

use clap::ValueEnum;
use http::Uri;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry};

/// Why telemetry does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program was built without the feature `otlp`.
    #[error(
        "failed to set up traces for --otlp-endpoint: this program was built without them; use the \
         image, or build with `cargo build -p gmsa-webhook --features otlp`"
    )]
    NotBuiltIn,
    /// The client of the collector could not be made.
    #[error("failed to make a client for --otlp-endpoint: {0}")]
    Client(#[from] std::io::Error),
    /// The exporter could not be made.
    #[cfg(feature = "otlp")]
    #[error("failed to set up traces for --otlp-endpoint: {0}")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
}

/// The format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// Where traces go: `http://HOST[:PORT][/PATH]`; port 80 and path `/v1/traces` unless given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector(Uri);

impl FromStr for Collector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = "expected http://HOST:PORT, such as http://collector:4318";
        let uri: Uri = text.parse().map_err(|_| expected.to_owned())?;
        let authority = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
        if uri.scheme_str() != Some("http") || authority.is_empty() || authority.contains('@') {
            return Err(expected.to_owned());
        }
        let uri = match uri.path() {
            "" | "/" => format!("http://{authority}/v1/traces").parse(),
            _ => Ok(uri),
        };
        uri.map(Self).map_err(|_| expected.to_owned())
    }
}

impl fmt::Display for Collector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The target of spans that exist for traces only. The log ignores it, so that such spans cost
/// nothing without traces.
macro_rules! traces {
    () => {
        "gmsa_webhook::traces"
    };
}
pub(crate) use traces;

/// Keeps the exporter running; dropping it sends the remaining spans.
#[must_use = "traces end when it is dropped"]
pub struct Telemetry {
    #[cfg(feature = "otlp")]
    _traces: Option<otlp::Traces>,
}

/// Starts logging and, with a collector, tracing. Libraries log from `warn` on, except at the level
/// `trace`. Must be dropped outside of a runtime.
pub fn start(
    level: &str,
    format: LogFormat,
    collector: Option<&Collector>,
) -> Result<Telemetry, Error> {
    let filter = match level {
        "trace" => concat!("trace,", traces!(), "=off").to_owned(),
        level => {
            let traces = traces!();
            format!("warn,gmsa_webhook={level},gmsa_cluster={level},{traces}=off")
        }
    };
    let logs = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let logs: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Json => logs.json().flatten_event(true).boxed(),
        LogFormat::Text => logs.with_ansi(false).boxed(),
    };
    let logs = logs.with_filter(EnvFilter::new(filter)).boxed();
    #[cfg(feature = "otlp")]
    {
        let traces = collector.map(otlp::Traces::start).transpose()?;
        let mut layers = vec![logs];
        layers.extend(traces.as_ref().map(otlp::Traces::layer));
        install(layers);
        Ok(Telemetry { _traces: traces })
    }
    #[cfg(not(feature = "otlp"))]
    {
        if collector.is_some() {
            return Err(Error::NotBuiltIn);
        }
        install(vec![logs]);
        Ok(Telemetry {})
    }
}

fn install(layers: Vec<Box<dyn Layer<Registry> + Send + Sync>>) {
    // A second start, as in tests, keeps the first.
    let _ = tracing_subscriber::registry().with(layers).try_init();
}
