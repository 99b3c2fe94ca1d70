//! The address of an OpenTelemetry collector.

use std::fmt;
use std::str::FromStr;

use http::Uri;

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
