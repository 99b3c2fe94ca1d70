//! `krew.googlecontainertools.github.com/v1alpha2`.

use serde_json::{Value, json};

use super::archive::Archive;
use super::{HOMEPAGE, SUMMARY, VERSION};

pub(super) fn manifest(archives: &[Archive]) -> Value {
    let platforms: Vec<Value> = archives.iter().map(platform).collect();
    json!({
        "apiVersion": "krew.googlecontainertools.github.com/v1alpha2",
        "kind": "Plugin",
        "metadata": {"name": "gmsa"},
        "spec": {
            "version": VERSION,
            "homepage": HOMEPAGE,
            "shortDescription": SUMMARY,
            "description": "Installs the admission webhook for group managed service accounts \
                (gMSA), makes credential specs and the accounts behind them, grants and shows who \
                may use which, and tells what admission will say.\n",
            "platforms": platforms,
        },
    })
}

fn platform(archive: &Archive) -> Value {
    let bin = archive.program();
    json!({
        "selector": {"matchLabels": {"os": archive.os, "arch": archive.arch}},
        "uri": archive.uri(),
        "sha256": archive.sum,
        "bin": bin,
        "files": [{"from": bin, "to": "."}, {"from": "LICENSE", "to": "."}],
    })
}
