//! The output of the node script: one JSON document.
//!
//! Each section has a `value`, or an `error` with the reason why it could not be read. Its words depend
//! on the language of Windows and are only shown; numbers and ids are judged.

mod lenient;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::encoding;
use lenient::{many, plain};

/// The version of the document that is understood.
pub const VERSION: u64 = 1;

/// How many characters of a text are kept.
const LONGEST: usize = 300;

/// Why a section is missing: the script is older than it.
pub const NOT_CHECKED: &str = "the script did not check it";

/// A section, or why it could not be read.
pub type Section<T> = Result<T, String>;

/// The output of the script on one node.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeOutput {
    /// The name of the computer.
    pub computer: String,
    /// When it ran, such as `2026-11-25T10:00:00Z`.
    pub time: String,
    /// Windows.
    pub system: Section<System>,
    /// The container runtimes.
    pub runtime: Section<Runtime>,
    /// The clock against those of domain controllers.
    pub clock: Section<Clock>,
    /// The domain of the node.
    pub domain: Section<Domain>,
    /// The accounts that were asked for.
    pub accounts: Section<Vec<Account>>,
    /// The registered plug-ins.
    pub plugins: Section<Vec<Plugin>>,
    /// The domain controllers that DNS names.
    pub dns: Section<Vec<Controllers>>,
    /// The ports of domain controllers.
    pub ports: Section<Vec<Port>>,
    /// `EnableCompartmentNamespace` of the Host Networking Service; none if it is not set.
    pub compartment: Section<Option<i64>>,
    /// The event logs.
    pub events: Events,
}

/// Windows, by numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct System {
    /// The build, such as 20348.
    pub build: u32,
    /// The update of it, such as 2031.
    #[serde(default)]
    pub revision: Option<u32>,
}

/// The container runtimes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Runtime {
    /// The version of containerd.
    #[serde(default)]
    pub containerd: Option<String>,
    /// The version of Docker.
    #[serde(default)]
    pub docker: Option<String>,
}

/// The clock.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Clock {
    /// The time source.
    #[serde(default)]
    pub source: Option<String>,
    /// How far the clocks of controllers are from the node's.
    #[serde(default, deserialize_with = "many")]
    pub offsets: Vec<Offset>,
}

/// How far one clock is from the node's.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Offset {
    /// The controller.
    pub host: String,
    /// How many seconds it is ahead; none if it did not answer.
    #[serde(default)]
    pub seconds: Option<f64>,
}

/// The node's own domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Domain {
    /// Whether it is a member.
    pub joined: bool,
    /// Of which domain.
    #[serde(default)]
    pub name: Option<String>,
    /// Whether the node's secure channel works; none if it could not be asked.
    #[serde(default, rename = "secureChannel")]
    pub secure_channel: Option<bool>,
}

/// The result of `Test-ADServiceAccount` for an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Account {
    /// The account.
    pub name: String,
    /// Whether the node can use it; none if that could not be asked.
    #[serde(default)]
    pub usable: Option<bool>,
    /// Why it could not be asked.
    #[serde(default)]
    pub error: Option<String>,
}

/// A registered plug-in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Plugin {
    /// The class identifier, with or without braces.
    pub guid: String,
    /// The program that it is.
    #[serde(default)]
    pub server: Option<String>,
    /// Whether the program is there; none if nothing names it.
    #[serde(default)]
    pub present: Option<bool>,
}

/// The domain controllers of a domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Controllers {
    /// The domain.
    pub domain: String,
    /// Their names.
    #[serde(default, deserialize_with = "many")]
    pub controllers: Vec<String>,
}

/// A port of a domain controller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Port {
    /// The controller.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether a TCP connection was made.
    pub open: bool,
}

/// The event logs, each with its events; none if the node has no such log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Events {
    /// `Microsoft-Windows-Containers-CCG/Admin`
    pub ccg: Section<Option<Vec<EventGroup>>>,
    /// `Microsoft-AKSGMSAPlugin/Admin`
    pub aks: Section<Option<Vec<EventGroup>>>,
    /// `Application`, by the Rancher plug-in
    pub rancher: Section<Option<Vec<EventGroup>>>,
    /// `Microsoft-Windows-Hyper-V-Compute-Admin`
    pub compute: Section<Option<Vec<EventGroup>>>,
    /// `System`, by NETLOGON
    pub netlogon: Section<Option<Vec<EventGroup>>>,
    /// `System`, by KDCSVC; none if the node is not a domain controller
    pub kdc: Section<Option<Vec<EventGroup>>>,
}

/// Events of one id with the same codes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct EventGroup {
    /// The id.
    pub id: u32,
    /// 1 critical, 2 error, 3 warning, 4 information; 0 is always logged.
    #[serde(default)]
    pub level: u8,
    /// How many there are.
    #[serde(default)]
    pub count: u32,
    /// When the last was, in the form of the document's time.
    #[serde(default)]
    pub last: String,
    /// The numbers in it, hexadecimal.
    #[serde(default, deserialize_with = "many")]
    pub codes: Vec<String>,
}

/// Why a file is not an output of the script.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No text.
    #[error(transparent)]
    Text(#[from] encoding::Error),
    /// No JSON.
    #[error("it is not JSON: {0}; it must be all that the script printed, and nothing else")]
    Json(String),
    /// Another kind of JSON.
    #[error(
        "it is not the output of the script: its kind is not NodeChecks; run the script that \
         kubectl gmsa doctor --print-node-checks prints, on the node"
    )]
    Kind,
    /// A version that is not known.
    #[error(
        "it is of version {0}, and this program reads version {VERSION}: use the script that this \
         version prints (kubectl gmsa doctor --print-node-checks)"
    )]
    Version(String),
}

/// Reads a document in any of the encodings that Windows writes.
pub fn read(bytes: &[u8]) -> Result<NodeOutput, Error> {
    let text = encoding::decode(bytes)?;
    // The document is one line of ASCII: whatever breaks it is a console that wraps.
    let text: String = text.chars().filter(|one| !matches!(one, '\r' | '\n' | '\0')).collect();
    let mut document: Value =
        serde_json::from_str(text.trim()).map_err(|error| Error::Json(error.to_string()))?;
    clean(&mut document);
    plain(&mut document);
    if document.get("kind").and_then(Value::as_str) != Some("NodeChecks") {
        return Err(Error::Kind);
    }
    match document.get("version").and_then(Value::as_u64) {
        Some(VERSION) => {}
        Some(other) => return Err(Error::Version(other.to_string())),
        None => return Err(Error::Version("none".to_owned())),
    }
    let text = |key: &str| {
        document.get(key).and_then(Value::as_str).unwrap_or("unknown").trim().to_owned()
    };
    let nothing = Map::new();
    let top = document.as_object().unwrap_or(&nothing);
    let logs = top.get("events").and_then(Value::as_object).unwrap_or(&nothing);
    Ok(NodeOutput {
        computer: text("computer"),
        time: text("time"),
        system: section(top, "system"),
        runtime: section(top, "runtime"),
        clock: section(top, "clock"),
        domain: section(top, "domain"),
        accounts: list(top, "accounts"),
        plugins: list(top, "plugins"),
        dns: list(top, "dns"),
        ports: list(top, "ports"),
        compartment: section(top, "compartment"),
        events: Events {
            ccg: log(logs, "ccg"),
            aks: log(logs, "aks"),
            rancher: log(logs, "rancher"),
            compute: log(logs, "compute"),
            netlogon: log(logs, "netlogon"),
            kdc: log(logs, "kdc"),
        },
    })
}

/// Makes every text safe for a terminal: one line, and not too long.
fn clean(value: &mut Value) {
    match value {
        Value::String(text) => {
            *text = text
                .chars()
                .take(LONGEST)
                .map(|one| if one.is_control() { ' ' } else { one })
                .collect();
        }
        Value::Array(elements) => elements.iter_mut().for_each(clean),
        Value::Object(members) => members.values_mut().for_each(clean),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The value of a section, or why there is none.
fn section<T: DeserializeOwned>(of: &Map<String, Value>, name: &str) -> Section<T> {
    let section = value(of, name)?;
    serde_json::from_value(section).map_err(|error| format!("it cannot be read: {error}"))
}

fn value(of: &Map<String, Value>, name: &str) -> Section<Value> {
    let section = of.get(name).ok_or(NOT_CHECKED)?;
    match section {
        Value::Null => Ok(Value::Null),
        Value::Object(section) => match section.get("error").and_then(Value::as_str) {
            Some(error) => Err(error.to_owned()),
            None => Ok(section.get("value").cloned().unwrap_or_default()),
        },
        _ => Err("it cannot be read: it is not an object with a value and an error".to_owned()),
    }
}

fn list<T: DeserializeOwned>(of: &Map<String, Value>, name: &str) -> Section<Vec<T>> {
    many(value(of, name)?).map_err(|error| format!("it cannot be read: {error}"))
}

fn log(of: &Map<String, Value>, name: &str) -> Section<Option<Vec<EventGroup>>> {
    let mut log = match value(of, name)? {
        Value::Object(log) => log,
        Value::Null => Map::new(),
        _ => return Err("it cannot be read: it is not an object with groups of events".to_owned()),
    };
    if log.get("absent").and_then(Value::as_bool) == Some(true) {
        return Ok(None);
    }
    let groups = log.remove("groups").unwrap_or_default();
    many(groups).map(Some).map_err(|error| format!("it cannot be read: {error}"))
}

#[cfg(test)]
mod tests;
