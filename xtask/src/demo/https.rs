//! The smallest HTTPS client that the demonstration needs: one request a connection.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;

const TIMEOUT: Duration = Duration::from_secs(10);

/// A server on loopback, known by the CA of its certificate.
pub struct Client {
    port: u16,
    config: Arc<ClientConfig>,
}

impl Client {
    /// Trusts the CA in a PEM file.
    pub fn new(port: u16, ca_file: &Path) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        let certificate = CertificateDer::from_pem_file(ca_file)
            .with_context(|| format!("failed to read the CA in {}", ca_file.display()))?;
        roots.add(certificate).context("failed to use the server's CA")?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .context("failed to set up TLS")?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { port, config: Arc::new(config) })
    }

    /// Posts JSON and reads the JSON of a 200.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let (status, answer) = self.send("POST", path, &body.to_string())?;
        if status != 200 {
            bail!("{path} answered {status}: {}", answer.trim());
        }
        serde_json::from_str(&answer)
            .with_context(|| format!("failed to read the answer of {path}"))
    }

    /// The status of a GET.
    pub fn get(&self, path: &str) -> Result<u16> {
        self.send("GET", path, "").map(|(status, _)| status)
    }

    fn send(&self, method: &str, path: &str, body: &str) -> Result<(u16, String)> {
        let tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))
            .with_context(|| format!("failed to connect to port {}", self.port))?;
        tcp.set_read_timeout(Some(TIMEOUT))?;
        tcp.set_write_timeout(Some(TIMEOUT))?;
        let name = ServerName::try_from("localhost")?;
        let connection = ClientConnection::new(Arc::clone(&self.config), name)?;
        let mut stream = StreamOwned::new(connection, tcp);
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            // A server may close without saying so in TLS.
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => {
                Err(error).with_context(|| format!("failed to read the answer of {path}"))
            }
            _ => parse(&String::from_utf8(answer)?),
        }
    }
}

/// The status and the body of an HTTP/1.1 response with a known length.
fn parse(response: &str) -> Result<(u16, String)> {
    let (head, body) = response.split_once("\r\n\r\n").context("the answer has no end of head")?;
    let status = head.split(' ').nth(1).context("the answer has no status")?;
    Ok((status.parse().context("the answer's status is not a number")?, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_response_has_a_status_and_a_body() {
        let (status, body) =
            parse("HTTP/1.1 503 Service Unavailable\r\na: b\r\n\r\nno\r\n\r\n").unwrap();
        assert_eq!((status, body.as_str()), (503, "no\r\n\r\n"));
        assert!(parse("HTTP/1.1 200 OK\r\n").is_err());
        assert!(parse("nonsense\r\n\r\n").is_err());
    }
}
