use serde_json::Value;

use super::{VERSION, render};

fn sum() -> String {
    "ab".repeat(32)
}

fn sums() -> String {
    let sum = sum();
    ["linux_amd64.tar.gz", "linux_arm64.tar.gz", "windows_amd64.zip"]
        .map(|rest| format!("{sum}  kubectl-gmsa_{VERSION}_{rest}\n"))
        .concat()
}

fn file(name: &str) -> Value {
    let files = render(&sums()).unwrap();
    let (_, text) = files.iter().find(|(found, _)| *found == name).unwrap();
    serde_saphyr::from_str(text).unwrap()
}

#[test]
fn for_krew_each_archive_is_a_platform() {
    let manifest = file("gmsa.yaml");
    let platforms = manifest["spec"]["platforms"].as_array().unwrap();
    let field =
        |index: usize, path: &str| platforms[index].pointer(path).unwrap().as_str().unwrap();
    assert_eq!(platforms.len(), 3);
    assert_eq!(field(0, "/selector/matchLabels/os"), "linux");
    assert_eq!(field(0, "/bin"), "kubectl-gmsa");
    assert_eq!(field(1, "/selector/matchLabels/arch"), "arm64");
    assert_eq!(field(2, "/bin"), "kubectl-gmsa.exe");
    assert_eq!(field(2, "/sha256"), sum());
    assert!(field(2, "/uri").ends_with(&format!("{VERSION}_windows_amd64.zip")));
}

#[test]
fn scoop_and_winget_get_the_archive_for_windows_alone() {
    let scoop = file("kubectl-gmsa.json");
    let architectures = scoop["architecture"].as_object().unwrap();
    assert_eq!(architectures.keys().collect::<Vec<_>>(), ["64bit"]);
    assert_eq!(architectures["64bit"]["hash"], sum());
    let later = scoop["autoupdate"]["architecture"]["64bit"]["url"].as_str().unwrap();
    assert!(later.ends_with("/v$version/kubectl-gmsa_v$version_windows_amd64.zip"), "{later}");

    let installer = file("winget/KubeGmsa.KubectlGmsa.installer.yaml");
    assert_eq!(installer["Installers"].as_array().unwrap().len(), 1);
    assert_eq!(installer["Installers"][0]["Architecture"], "x64");
    assert_eq!(installer["Installers"][0]["InstallerSha256"], sum().to_uppercase());
    let locale = file("winget/KubeGmsa.KubectlGmsa.locale.en-US.yaml");
    for manifest in [&installer, &locale, &file("winget/KubeGmsa.KubectlGmsa.yaml")] {
        assert_eq!(manifest["PackageIdentifier"], "KubeGmsa.KubectlGmsa");
        assert_eq!(manifest["PackageVersion"], env!("CARGO_PKG_VERSION"));
        assert_eq!(manifest["ManifestVersion"], "1.6.0");
    }
}

#[test]
fn without_an_archive_for_windows_there_is_krews_alone() {
    let sums = format!("{}  kubectl-gmsa_{VERSION}_linux_amd64.tar.gz\n", sum());
    let names: Vec<&str> = render(&sums).unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["gmsa.yaml"]);
}

#[test]
fn what_is_not_an_archive_of_this_version_is_refused() {
    for sums in ["", "ab  x.tar.gz", "ab  kubectl-gmsa_v0.0.0_linux_amd64.tar.gz", "nonsense"] {
        assert!(render(sums).is_err(), "{sums}");
    }
}
