//! Credential plug-ins of a kubeconfig (`users[].user.exec`), by the API `client.authentication.k8s.io`
//! of Kubernetes (documentation, "client-go credential plugins").
//!
//! A client runs the plug-in once, and again only when its token has expired: an interactive plug-in
//! asks its user to sign in each time it runs.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HeaderValue};
use jiff::Timestamp;
use kube::config::{AuthInfo, ExecConfig, ExecInteractiveMode};
use parking_lot::Mutex;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::token::bearer;

const KIND: &str = "ExecCredential";

/// Why a plug-in gave no credential.
#[derive(Debug, thiserror::Error)]
#[error("failed to get a credential from the plug-in \"{command}\" of the kubeconfig: {why}")]
pub struct Error {
    command: String,
    why: String,
}

/// What a plug-in answers.
#[derive(Deserialize)]
struct Answer {
    status: Option<Status>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    #[serde(deserialize_with = "secret")]
    token: Option<SecretString>,
    /// PEM.
    client_certificate_data: Option<String>,
    /// PEM.
    #[serde(deserialize_with = "secret")]
    client_key_data: Option<SecretString>,
    expiration_timestamp: Option<Timestamp>,
}

fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SecretString>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.map(SecretString::from))
}

/// A token, renewed by its plug-in when it has expired.
#[derive(Clone)]
pub struct Renewed(Arc<Mutex<State>>);

struct State {
    plugin: ExecConfig,
    header: HeaderValue,
    expires: Option<Timestamp>,
}

/// Runs the plug-in of this user if there is one. A certificate is put in the plug-in's place; a token
/// is returned, to be added to each request.
pub fn sign_in(user: &mut AuthInfo) -> Result<Option<Renewed>, Error> {
    // As client-go does, credentials that are written down come first.
    let written = user.token.is_some() || user.token_file.is_some() || user.username.is_some();
    let Some(plugin) = user.exec.take() else { return Ok(None) };
    if written || user.auth_provider.is_some() {
        return Ok(None);
    }
    let status = run(&plugin)?;
    if let (Some(certificate), Some(key)) =
        (&status.client_certificate_data, &status.client_key_data)
    {
        user.client_certificate_data = Some(STANDARD.encode(certificate));
        user.client_key_data = Some(STANDARD.encode(key.expose_secret()).into());
    }
    let Some(token) = &status.token else { return Ok(None) };
    let header = bearer(token).map_err(|why| error(&plugin, why))?;
    let state = State { plugin, header, expires: status.expiration_timestamp };
    Ok(Some(Renewed(Arc::new(Mutex::new(state)))))
}

impl Renewed {
    /// Adds the token to a request.
    pub fn authorize<B>(&self, mut request: http::Request<B>) -> http::Request<B> {
        let mut state = self.0.lock();
        if state.expires.is_some_and(|expires| expires <= Timestamp::now()) {
            state.renew();
        }
        request.headers_mut().insert(AUTHORIZATION, state.header.clone());
        request
    }
}

impl State {
    /// A plug-in that fails leaves the old token: the API server's 401 then is the answer.
    fn renew(&mut self) {
        let renewed = run(&self.plugin).and_then(|status| {
            let token = status.token.ok_or_else(|| error(&self.plugin, NOTHING))?;
            let header = bearer(&token).map_err(|why| error(&self.plugin, why))?;
            Ok((header, status.expiration_timestamp))
        });
        match renewed {
            Ok((header, expires)) => (self.header, self.expires) = (header, expires),
            Err(why) => tracing::warn!("{why}"),
        }
    }
}

const NOTHING: &str = "it printed neither a token nor a client certificate with its key";

fn error(plugin: &ExecConfig, why: impl Into<String>) -> Error {
    Error { command: plugin.command.clone().unwrap_or_default(), why: why.into() }
}

fn run(plugin: &ExecConfig) -> Result<Status, Error> {
    let failed = |why: String| error(plugin, why);
    let command = plugin.command.as_deref().unwrap_or_default();
    let interactive = match plugin.interactive_mode {
        Some(ExecInteractiveMode::Never) => false,
        Some(ExecInteractiveMode::IfAvailable) | None => std::io::stdin().is_terminal(),
        Some(ExecInteractiveMode::Always) if std::io::stdin().is_terminal() => true,
        Some(ExecInteractiveMode::Always) => {
            return Err(failed(
                "it must ask its user (interactiveMode Always), and standard input is not a terminal"
                    .to_owned(),
            ));
        }
    };
    let mut child = Command::new(program(plugin).map_err(failed)?);
    child.args(plugin.args.iter().flatten());
    for variable in plugin.env.iter().flatten() {
        if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
            child.env(name, value);
        }
    }
    child.env("KUBERNETES_EXEC_INFO", information(plugin, interactive).to_string());
    child.stdin(if interactive { Stdio::inherit() } else { Stdio::null() });
    // What it asks and complains of is for the user.
    child.stderr(Stdio::inherit());
    let output = child.output().map_err(|why| failed(format!("it does not start: {why}")))?;
    if !output.status.success() {
        return Err(failed(format!(
            "it ended with {}; run \"{command}\" by hand to see what it says",
            output.status
        )));
    }
    // JSON by the API; client-go also takes YAML.
    let answer: Answer = std::str::from_utf8(&output.stdout)
        .ok()
        .and_then(|text| serde_saphyr::from_str(text).ok())
        .ok_or_else(|| failed(format!("what it printed is not an {KIND}")))?;
    let status = answer.status.unwrap_or_default();
    if status.token.is_none()
        && (status.client_certificate_data.is_none() || status.client_key_data.is_none())
    {
        return Err(failed(NOTHING.to_owned()));
    }
    Ok(status)
}

/// The program, searched for as the system's shell does: on Windows with the endings of `PATHEXT`.
fn program(plugin: &ExecConfig) -> Result<PathBuf, String> {
    let command = plugin.command.as_deref().unwrap_or_default();
    which::which(command).map_err(|_| {
        let hint = plugin.install_hint.as_deref().unwrap_or_default().trim();
        let mut why = "there is no such program in PATH".to_owned();
        if command.contains(std::path::is_separator) {
            "there is no such program".clone_into(&mut why);
        }
        if !hint.is_empty() {
            why = format!("{why}. Its hint: {hint}");
        }
        why
    })
}

fn information(plugin: &ExecConfig, interactive: bool) -> Value {
    let spec = if plugin.provide_cluster_info {
        json!({ "interactive": interactive, "cluster": plugin.cluster })
    } else {
        json!({ "interactive": interactive })
    };
    json!({ "apiVersion": plugin.api_version, "kind": KIND, "spec": spec })
}
