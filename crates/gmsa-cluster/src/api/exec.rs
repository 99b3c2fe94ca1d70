//! Commands inside containers, over the API server's WebSocket (`v4.channel.k8s.io` and later).

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::Client;
use kube::api::{Api, AttachParams};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::timeout;

use crate::api::client::why;

/// How much of each output is kept; the rest is read and dropped, so that nothing waits.
const MOST: usize = 256 * 1024;

/// A container of a pod.
#[derive(Clone, Copy, Debug)]
pub struct Container<'a> {
    /// The namespace.
    pub namespace: &'a str,
    /// The pod.
    pub pod: &'a str,
    /// The container.
    pub name: &'a str,
}

/// A command that was run to its end, or that the container's runtime could not start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// How it ended.
    pub end: End,
    /// What it wrote.
    pub stdout: Vec<u8>,
    /// What it wrote as errors.
    pub stderr: Vec<u8>,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// With this code.
    Exited(i64),
    /// The runtime could not start it.
    NotStarted(String),
}

/// Why it is not known what a command does.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller may not.
    #[error(
        "failed to run a command in {at}: {why}; you need the rights get and create on pods/exec \
         in the namespace"
    )]
    Forbidden {
        /// In which container.
        at: String,
        /// The API server's message.
        why: String,
    },
    /// It did not end in time.
    #[error("\"{command}\" in {at} did not end within {} s; it may still run there", .after.as_secs())]
    TimedOut {
        /// The command.
        command: String,
        /// In which container.
        at: String,
        /// The time that it had.
        after: Duration,
    },
    /// The connection ended before the command did.
    #[error("the connection to {at} ended before \"{command}\" did")]
    Gone {
        /// The command.
        command: String,
        /// In which container.
        at: String,
    },
    /// The API server or the node refused, or was not reached.
    #[error("failed to run \"{command}\" in {at}: {why}")]
    Refused {
        /// The command.
        command: String,
        /// In which container.
        at: String,
        /// Why.
        why: String,
    },
}

impl std::fmt::Display for Container<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "container \"{}\" of Pod {}/{}", self.name, self.namespace, self.pod)
    }
}

/// Runs a command without input and waits for its end, at most so long.
pub async fn run(
    client: &Client,
    container: Container<'_>,
    command: &[String],
    limit: Duration,
) -> Result<Execution, Error> {
    match timeout(limit, attended(client, container, command)).await {
        Ok(ended) => ended,
        // Kubelets let a command go on whose connection has ended.
        Err(_) => Err(Error::TimedOut {
            command: command.join(" "),
            at: container.to_string(),
            after: limit,
        }),
    }
}

async fn attended(
    client: &Client,
    container: Container<'_>,
    command: &[String],
) -> Result<Execution, Error> {
    let at = container.to_string();
    let shown = command.join(" ");
    let pods: Api<Pod> = Api::namespaced(client.clone(), container.namespace);
    let params = AttachParams::default().container(container.name).stdin(false).stderr(true);
    let mut process = match pods.exec(container.pod, command, &params).await {
        Ok(process) => process,
        Err(kube::Error::Api(status)) if status.code == 403 => {
            return Err(Error::Forbidden { at, why: status.message.clone() });
        }
        Err(error) => return Err(Error::Refused { command: shown, at, why: why(&error) }),
    };
    let status = process.take_status();
    let (stdout, stderr) = (process.stdout(), process.stderr());
    let ended = async {
        match status {
            Some(status) => status.await,
            None => None,
        }
    };
    let outputs = async { tokio::join!(all(stdout), all(stderr)) };
    tokio::pin!(ended, outputs);
    // The outputs do not end by themselves if the connection breaks.
    let (early, status) = tokio::select! {
        status = &mut ended => (None, status),
        early = &mut outputs => (Some(early), ended.await),
    };
    let Some(status) = status else { return Err(Error::Gone { command: shown, at }) };
    let (stdout, stderr) = match early {
        Some(outputs) => outputs,
        None => outputs.await,
    };
    Ok(Execution { end: end(&status), stdout, stderr })
}

/// What a stream gives until its end, up to [`MOST`].
async fn all(stream: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut kept = Vec::new();
    let Some(mut stream) = stream else { return kept };
    let mut chunk = [0; 4096];
    while let Ok(count) = stream.read(&mut chunk).await {
        if count == 0 {
            break;
        }
        let room = MOST.saturating_sub(kept.len()).min(count);
        kept.extend_from_slice(chunk.get(..room).unwrap_or_default());
    }
    kept
}

/// The result in the status on channel 3 (k8s.io/apimachinery, remotecommand).
fn end(status: &Status) -> End {
    if status.status.as_deref() == Some("Success") {
        return End::Exited(0);
    }
    let causes = status.details.iter().flat_map(|details| details.causes.iter().flatten());
    let code = causes
        .filter(|cause| cause.reason.as_deref() == Some("ExitCode"))
        .find_map(|cause| cause.message.as_deref()?.parse().ok());
    match code {
        Some(code) => End::Exited(code),
        None => End::NotStarted(status.message.clone().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_status_tells_how_a_command_ended() {
        for (status, expected) in [
            (json!({"status": "Success"}), End::Exited(0)),
            (
                json!({"status": "Failure", "reason": "NonZeroExitCode", "details":
                    {"causes": [{"reason": "ExitCode", "message": "3221225786"}]}}),
                End::Exited(3_221_225_786),
            ),
            (
                json!({"status": "Failure", "reason": "InternalError", "message": "no such file"}),
                End::NotStarted("no such file".to_owned()),
            ),
            (json!({}), End::NotStarted(String::new())),
        ] {
            let read: Status = serde_json::from_value(status.clone()).unwrap();
            assert_eq!(end(&read), expected, "{status}");
        }
    }
}
