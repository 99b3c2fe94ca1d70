//! Scoop's app manifest (<https://github.com/ScoopInstaller/Scoop/wiki/App-Manifests>).

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

use super::archive::Archive;
use super::{HOMEPAGE, LICENSE, NUMBER, SUMMARY, VERSION};

pub(super) fn manifest(archives: &[&Archive]) -> Result<Value> {
    let mut architectures = Map::new();
    let mut updates = Map::new();
    for archive in archives {
        let name = match archive.arch.as_str() {
            "amd64" => "64bit",
            "arm64" => "arm64",
            other => bail!("failed to write Scoop's manifest: it has no name for {other}"),
        };
        let uri = archive.uri();
        architectures.insert(name.to_owned(), json!({"url": uri, "hash": archive.sum}));
        let later = uri.replace(VERSION, "v$version");
        updates.insert(name.to_owned(), json!({"url": later}));
    }
    Ok(json!({
        "version": NUMBER,
        "description": SUMMARY,
        "homepage": HOMEPAGE,
        "license": LICENSE,
        "architecture": architectures,
        "bin": "kubectl-gmsa.exe",
        "checkver": "github",
        "autoupdate": {
            "architecture": updates,
            "hash": {"url": "$baseurl/checksums.txt"},
        },
    }))
}
