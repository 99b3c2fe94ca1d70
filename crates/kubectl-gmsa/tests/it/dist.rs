//! The release archives: what is in them, and that the sums and the manifests for installers are of them.

use std::os::unix::fs::PermissionsExt as _;
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

/// Each archive is named with its sum for krew, and holds a program for its system.
#[test]
fn every_archive_is_whole_and_krew_finds_it() {
    let test = "every_archive_is_whole_and_krew_finds_it";
    let Some(dist) = dist(test) else { return };
    let checked = Command::new("sha256sum")
        .args(["-c", "checksums.txt"])
        .current_dir(&dist)
        .output()
        .unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    let manifest = std::fs::read_to_string(dist.join("gmsa.yaml")).unwrap();
    let manifest: Value = serde_saphyr::from_str(&manifest).unwrap();
    let platforms = manifest["spec"]["platforms"].as_array().unwrap();
    let sums = std::fs::read_to_string(dist.join("checksums.txt")).unwrap();
    assert_eq!(platforms.len(), sums.lines().count(), "{sums}");
    for line in sums.lines() {
        let (sum, file) = line.split_once("  ").unwrap();
        let platform = platforms.iter().find(|one| one["sha256"] == sum).unwrap();
        assert!(platform["uri"].as_str().unwrap().ends_with(file), "{platform}");
        let labels = &platform["selector"]["matchLabels"];
        let (os, arch) = (labels["os"].as_str().unwrap(), labels["arch"].as_str().unwrap());
        assert!(file.contains(&format!("_{os}_{arch}.")), "{file}: {labels}");

        let root = unpacked(&dist.join(file));
        for entry in platform["files"].as_array().unwrap() {
            let from = entry["from"].as_str().unwrap();
            assert!(root.path().join(from).is_file(), "{file}: {from}");
        }
        assert!(root.path().join("man/kubectl-gmsa-review.1").is_file(), "{file}");
        // What unpacks it into a directory of programs does not change that directory.
        assert_eq!(std::fs::metadata(root.path()).unwrap().permissions().mode() & 0o777, 0o751);
        let program = root.path().join(platform["bin"].as_str().unwrap());
        assert_eq!(format_of(&std::fs::read(program).unwrap()), (os, arch), "{file}");
        let stem = file.trim_end_matches(".zip").trim_end_matches(".tar.gz");
        let ingredients = std::fs::read(dist.join(format!("{stem}.cdx.json"))).unwrap();
        let ingredients: Value = serde_json::from_slice(&ingredients).unwrap();
        assert_eq!(ingredients["metadata"]["component"]["name"], "kubectl-gmsa", "{file}");
    }
}

/// The archive in a directory of its own.
fn unpacked(archive: &Path) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    std::fs::set_permissions(root.path(), std::fs::Permissions::from_mode(0o751)).unwrap();
    if archive.extension().is_some_and(|extension| extension == "zip") {
        let file = std::fs::File::open(archive).unwrap();
        zip::ZipArchive::new(file).unwrap().extract(root.path()).unwrap();
    } else {
        let tar = Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(root.path()).status();
        assert!(tar.unwrap().success());
    }
    root
}

/// For which system and processor a program is, as Go calls them, by its first bytes (ELF; Microsoft, "PE
/// Format"; Apple, `mach-o/loader.h`).
fn format_of(program: &[u8]) -> (&'static str, &'static str) {
    let number = |at: usize| u16::from_le_bytes(program[at..at + 2].try_into().unwrap());
    match program {
        [0x7f, b'E', b'L', b'F', ..] => match number(18) {
            62 => ("linux", "amd64"),
            183 => ("linux", "arm64"),
            other => panic!("ELF for machine {other}"),
        },
        [b'M', b'Z', ..] => {
            let header = usize::from(number(0x3c));
            assert_eq!(&program[header..header + 4], b"PE\0\0");
            match number(header + 4) {
                0x8664 => ("windows", "amd64"),
                0xaa64 => ("windows", "arm64"),
                other => panic!("PE for machine {other:#x}"),
            }
        }
        [0xcf, 0xfa, 0xed, 0xfe, 7, ..] => ("darwin", "amd64"),
        [0xcf, 0xfa, 0xed, 0xfe, 12, ..] => ("darwin", "arm64"),
        other => panic!("a program that begins with {:?}", &other[..8]),
    }
}

#[test]
fn the_archive_of_this_machine_contains_a_plugin_that_runs() {
    let test = "the_archive_of_this_machine_contains_a_plugin_that_runs";
    let Some(dist) = dist(test) else { return };
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let version = env!("CARGO_PKG_VERSION");
    let file = format!("kubectl-gmsa_v{version}_linux_{arch}.tar.gz");
    if !dist.join(&file).is_file() {
        tools::skip(test, &format!("no {file}; `make dist` makes it"));
        return;
    }
    let root = unpacked(&dist.join(&file));
    let plugin = root.path().join("kubectl-gmsa");
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
        let why = format!("no {file}; `make windows` makes it");
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
    let root = unpacked(&dist.join(&file));
    for program in [&scoop["bin"], &winget["NestedInstallerFiles"][0]["RelativeFilePath"]] {
        let program = program.as_str().unwrap();
        assert!(root.path().join(program).is_file(), "{program}");
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
    // Where the C library is that it was linked with: not always this machine's.
    if std::env::var_os("QEMU_LD_PREFIX").is_none() {
        tools::skip_in_ci_too(test, "`make arm64` runs it with the plugin for arm64");
        return;
    }
    let root = unpacked(&dist.join(&file));
    let run = |args: &[&str]| {
        let mut command = Command::new(emulator);
        command.arg(root.path().join("kubectl-gmsa")).args(args);
        command.current_dir(ROOT).output().unwrap()
    };
    let ran = run(&["version"]);
    assert_eq!(
        String::from_utf8_lossy(&ran.stdout),
        format!("kubectl-gmsa {version}\n"),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    // The same as the program of this machine.
    let reviewed = run(&["review", "-f", "examples/", "-o", "json"]);
    let expected = crate::support::run(&["review", "-f", "examples/", "-o", "json"]);
    assert_eq!(reviewed.status.code(), Some(expected.code));
    assert_eq!(String::from_utf8_lossy(&reviewed.stdout), expected.stdout);
}
