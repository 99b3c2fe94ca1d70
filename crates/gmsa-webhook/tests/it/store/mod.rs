//! The server over the examples, without a cluster.
#![allow(dead_code, reason = "each test file uses its part")]

use std::path::Path;
use std::time::Duration;

use gmsa_testkit::https::Https;
use gmsa_testkit::objects::{self, gmsa};
use gmsa_testkit::pki::Authority;
use gmsa_testkit::server::Server;
use serde_json::Value;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_gmsa-webhook");
pub const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");
pub const SOON: Duration = Duration::from_secs(20);

/// A server over the examples, with files of its own.
pub struct World {
    pub server: Server,
    pub https: Https,
    pub authority: Authority,
    pub files: tempfile::TempDir,
}

pub async fn start(more: &[&str]) -> World {
    let authority = Authority::new("test");
    let files = tempfile::tempdir().unwrap();
    let (certificate, key) = authority.server(&["localhost"]).write(files.path(), "server");
    start_with(authority, files, &certificate, &key, more).await
}

pub async fn start_with(
    authority: Authority,
    files: tempfile::TempDir,
    certificate: &Path,
    key: &Path,
    more: &[&str],
) -> World {
    let own = [
        format!("--store={EXAMPLES}"),
        format!("--tls-cert={}", certificate.display()),
        format!("--tls-key={}", key.display()),
    ];
    let args: Vec<&str> = own.iter().map(String::as_str).chain(more.iter().copied()).collect();
    let server = Server::start(PROGRAM, &args, &[]).await;
    let https = Https::new(server.https, authority.pem());
    server.ready(authority.pem()).await;
    World { server, https, authority, files }
}

pub fn expand() -> Value {
    let context = gmsa(Some("gmsa-webapp1"), None);
    objects::review("default", &objects::pod("default", "web", &context))
}
