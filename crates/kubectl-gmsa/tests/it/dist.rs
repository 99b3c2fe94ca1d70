//! The release archive: what is in it, and that the sums and krew's manifest are of it.

use std::path::{Path, PathBuf};
use std::process::Command;

use gmsa_testkit::tools;
use serde_json::Value;

/// The directory that scripts/dist.sh fills. Without it the test is skipped by name, and fails
/// where `CI=true`.
fn dist(test: &str) -> Option<PathBuf> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("dist");
    if directory.join("gmsa.yaml").is_file() {
        return Some(directory);
    }
    tools::skip(test, "no archive; `make dist` makes one");
    None
}

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Runs scripts/advisories.sh with a cargo that cannot fetch the database, or whose check fails.
#[test]
fn advisories_are_checked_where_the_database_can_be_had() {
    use std::os::unix::fs::PermissionsExt as _;

    for (can_fetch, is_clean, succeeds, words) in [
        (true, true, true, "== advisories on dependencies"),
        (true, false, false, "== advisories on dependencies"),
        (false, false, true, "== not checked: advisories on dependencies"),
    ] {
        let home = tempfile::tempdir().unwrap();
        let bin = home.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        let cargo = format!(
            "#!/bin/sh\ncase \"$*\" in *\"fetch db\") {can_fetch};; *check*) {is_clean};; esac\n"
        );
        for name in ["cargo", "cargo-deny"] {
            std::fs::write(bin.join(name), &cargo).unwrap();
            std::fs::set_permissions(bin.join(name), std::fs::Permissions::from_mode(0o755))
                .unwrap();
        }
        let script = Path::new(ROOT).join("scripts/advisories.sh");
        let ran = Command::new(script).env("CARGO_HOME", home.path()).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.success(), succeeds, "{said}");
        assert!(said.starts_with(words), "{said}");
    }
    let lint = std::fs::read_to_string(Path::new(ROOT).join("scripts/lint.sh")).unwrap();
    assert!(lint.lines().any(|line| line == "scripts/advisories.sh"), "{lint}");
}

#[test]
fn scripts_are_sound_and_say_which_target_they_do_not_know() {
    for directory in ["scripts", "crates/gmsa-testkit/scripts"] {
        for entry in std::fs::read_dir(Path::new(ROOT).join(directory)).unwrap() {
            let script = entry.unwrap().path();
            let read = if script.extension().is_some_and(|extension| extension == "py") {
                let parse = "import ast, sys; ast.parse(open(sys.argv[1]).read())";
                Command::new("python3").args(["-c", parse]).arg(&script).output().unwrap()
            } else {
                Command::new("bash").arg("-n").arg(&script).output().unwrap()
            };
            let words = String::from_utf8_lossy(&read.stderr);
            assert!(read.status.success(), "{}: {words}", script.display());
        }
    }
    for (script, target, words) in [
        ("image.sh", "sparc64-unknown-linux-gnu", "nothing is made for sparc64"),
        ("dist.sh", "sparc64-unknown-linux-gnu", "nothing is made for sparc64"),
        ("dist.sh", "aarch64-unknown-none", "rustup target add aarch64-unknown-none"),
    ] {
        let script = Path::new(ROOT).join("scripts").join(script);
        let refused = Command::new(script).args(["dev", target]).output().unwrap();
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && said.contains(words), "{said}");
    }
}

#[test]
fn the_archive_contains_a_plugin_that_runs_and_krew_finds_it() {
    let test = "the_archive_contains_a_plugin_that_runs_and_krew_finds_it";
    let Some(dist) = dist(test) else { return };
    let checked = Command::new("sha256sum")
        .args(["-c", "checksums.txt"])
        .current_dir(&dist)
        .output()
        .unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));

    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let version = env!("CARGO_PKG_VERSION");
    let file = format!("kubectl-gmsa_v{version}_linux_{arch}.tar.gz");
    let manifest = std::fs::read_to_string(dist.join("gmsa.yaml")).unwrap();
    let manifest: Value = serde_saphyr::from_str(&manifest).unwrap();
    let platforms = manifest["spec"]["platforms"].as_array().unwrap();
    let of_file = |platform: &&Value| platform["uri"].as_str().unwrap().ends_with(&file);
    let platform = platforms.iter().find(of_file).unwrap();
    let sums = std::fs::read_to_string(dist.join("checksums.txt")).unwrap();
    let sum = platform["sha256"].as_str().unwrap();
    assert!(sums.lines().any(|line| line == format!("{sum}  {file}")), "{sums}");

    let root = tempfile::tempdir().unwrap();
    let archive = dist.join(&file);
    let tar = Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(root.path()).status();
    assert!(tar.unwrap().success());
    for entry in platform["files"].as_array().unwrap() {
        let from = entry["from"].as_str().unwrap();
        assert!(root.path().join(from).is_file(), "{from}");
    }
    assert!(root.path().join("man/kubectl-gmsa-review.1").is_file());
    let plugin = root.path().join(platform["bin"].as_str().unwrap());
    let ran = Command::new(&plugin).arg("version").env_clear().output().unwrap();
    assert_eq!(String::from_utf8_lossy(&ran.stdout), format!("kubectl-gmsa {version}\n"));
    // It has --kerberos, and needs no library of Kerberos to start.
    let needed = Command::new("ldd").arg(&plugin).output().unwrap();
    let needed = String::from_utf8(needed.stdout).unwrap();
    assert!(needed.contains("libc.so") && !needed.contains("gssapi"), "{needed}");
    let program = std::fs::read(&plugin).unwrap();
    let library = b"libgssapi_krb5.so.2";
    assert!(
        program.windows(library.len()).any(|bytes| bytes == library),
        "built without --kerberos"
    );
}

/// The manifests for Windows are of the archive that lies beside them.
#[test]
fn scoop_and_winget_find_the_archive_for_windows() {
    let test = "scoop_and_winget_find_the_archive_for_windows";
    let Some(dist) = dist(test) else { return };
    let file = format!("kubectl-gmsa_v{}_windows_amd64.zip", env!("CARGO_PKG_VERSION"));
    if !dist.join(&file).is_file() {
        let why = format!("no {file}; `scripts/dist.sh dev x86_64-pc-windows-gnu` makes it");
        tools::skip_in_ci_too(test, &why);
        return;
    }
    let summed = Command::new("sha256sum").arg(dist.join(&file)).output().unwrap();
    let sum = String::from_utf8(summed.stdout).unwrap()[..64].to_owned();
    let scoop = std::fs::read_to_string(dist.join("kubectl-gmsa.json")).unwrap();
    let scoop: Value = serde_json::from_str(&scoop).unwrap();
    let found = &scoop["architecture"]["64bit"];
    assert_eq!(found["hash"], sum);
    assert!(found["url"].as_str().unwrap().ends_with(&file), "{found}");
    let winget = dist.join("winget/KubeGmsa.KubectlGmsa.installer.yaml");
    let winget = std::fs::read_to_string(winget).unwrap();
    let winget: Value = serde_saphyr::from_str(&winget).unwrap();
    assert_eq!(winget["Installers"][0]["InstallerSha256"], sum.to_uppercase());
    let archive = std::fs::File::open(dist.join(&file)).unwrap();
    let archive = zip::ZipArchive::new(archive).unwrap();
    for program in [&scoop["bin"], &winget["NestedInstallerFiles"][0]["RelativeFilePath"]] {
        let program = program.as_str().unwrap();
        assert!(archive.index_for_name(program).is_some(), "{program}");
    }
}

/// Debian's emulator runs the program for arm64, with the C library that it was linked with.
#[test]
fn the_archive_for_arm64_contains_a_plugin_that_runs() {
    let test = "the_archive_for_arm64_contains_a_plugin_that_runs";
    let Some(dist) = dist(test) else { return };
    let version = env!("CARGO_PKG_VERSION");
    let file = format!("kubectl-gmsa_v{version}_linux_arm64.tar.gz");
    let emulator = Path::new("/usr/bin/qemu-aarch64-static");
    if !dist.join(&file).is_file() || !emulator.is_file() {
        let why = format!("no {file}, or no {} (qemu-user-static)", emulator.display());
        tools::skip_in_ci_too(test, &why);
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let tar =
        Command::new("tar").arg("-xzf").arg(dist.join(&file)).arg("-C").arg(root.path()).status();
    assert!(tar.unwrap().success());
    // Where Debian's packages for cross-building have the C library.
    let libraries = "/usr/aarch64-linux-gnu";
    let run = |args: &[&str]| {
        let mut command = Command::new(emulator);
        command.arg("-L").arg(libraries).arg(root.path().join("kubectl-gmsa")).args(args);
        command.current_dir(ROOT).output().unwrap()
    };
    let ran = run(&["version"]);
    assert_eq!(String::from_utf8_lossy(&ran.stdout), format!("kubectl-gmsa {version}\n"));
    let reviewed = run(&["review", "-f", "examples/"]);
    assert_eq!(reviewed.status.code(), Some(1), "{}", String::from_utf8_lossy(&reviewed.stderr));
    assert!(String::from_utf8_lossy(&reviewed.stdout).contains("denied"));
}
