//! winget's three manifests, version 1.6.0 of their schemas
//! (<https://github.com/microsoft/winget-cli/tree/master/schemas/JSON/manifests/v1.6.0>).

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::archive::Archive;
use super::{HOMEPAGE, LICENSE, NUMBER, SUMMARY};

const IDENTIFIER: &str = "KubeGmsa.KubectlGmsa";
const SCHEMAS: &str = "1.6.0";

pub(super) fn manifests(archives: &[&Archive]) -> Result<[(&'static str, Value); 3]> {
    let installers: Vec<Value> =
        archives.iter().map(|one| installer(one)).collect::<Result<_>>()?;
    let version = json!({
        "PackageIdentifier": IDENTIFIER,
        "PackageVersion": NUMBER,
        "DefaultLocale": "en-US",
        "ManifestType": "version",
        "ManifestVersion": SCHEMAS,
    });
    let installer = json!({
        "PackageIdentifier": IDENTIFIER,
        "PackageVersion": NUMBER,
        "InstallerType": "zip",
        "NestedInstallerType": "portable",
        "NestedInstallerFiles": [{
            "RelativeFilePath": "kubectl-gmsa.exe",
            "PortableCommandAlias": "kubectl-gmsa",
        }],
        "Installers": installers,
        "ManifestType": "installer",
        "ManifestVersion": SCHEMAS,
    });
    let locale = json!({
        "PackageIdentifier": IDENTIFIER,
        "PackageVersion": NUMBER,
        "PackageLocale": "en-US",
        "Publisher": "kube-gmsa",
        "PackageName": "kubectl-gmsa",
        "PackageUrl": HOMEPAGE,
        "License": LICENSE,
        "ShortDescription": SUMMARY,
        "ManifestType": "defaultLocale",
        "ManifestVersion": SCHEMAS,
    });
    Ok([
        ("winget/KubeGmsa.KubectlGmsa.yaml", version),
        ("winget/KubeGmsa.KubectlGmsa.installer.yaml", installer),
        ("winget/KubeGmsa.KubectlGmsa.locale.en-US.yaml", locale),
    ])
}

fn installer(archive: &Archive) -> Result<Value> {
    let architecture = match archive.arch.as_str() {
        "amd64" => "x64",
        "arm64" => "arm64",
        other => bail!("failed to write winget's manifest: it has no name for {other}"),
    };
    Ok(json!({
        "Architecture": architecture,
        "InstallerUrl": archive.uri(),
        "InstallerSha256": archive.sum.to_uppercase(),
    }))
}
