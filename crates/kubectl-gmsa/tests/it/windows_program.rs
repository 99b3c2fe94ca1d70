//! The plugin for Windows, run with wine, prints what that for Linux prints. `make windows` builds it and
//! runs these tests; anywhere else they are skipped by name.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gmsa_testkit::cluster::Cluster;
use gmsa_testkit::domain_controller::{ADMINISTRATOR, ADMINISTRATOR_PASSWORD};
use gmsa_testkit::{objects, shared, tools};
use serde_json::json;

use crate::support::{BY_HAND, ROOT, Ran, install_definition, plugin, unpacked};

/// The program of the archive for Windows, and what it and that for Linux get.
struct Pair {
    /// Where both run: a directory with a space in its name.
    directory: tempfile::TempDir,
    program: PathBuf,
    /// By name, for Linux and for Windows.
    variables: BTreeMap<&'static str, (String, String)>,
}

impl Pair {
    fn new(test: &str) -> Option<Self> {
        let Some(archive) = std::env::var_os("GMSA_WINDOWS_ARCHIVE") else {
            tools::skip_in_ci_too(test, "`make windows` runs it with the plugin for Windows");
            return None;
        };
        let directory =
            tempfile::Builder::new().prefix("gmsa windows ").tempdir_in("/tmp").unwrap();
        let mut files = zip::ZipArchive::new(fs::File::open(archive).unwrap()).unwrap();
        files.extract(directory.path().join("program")).unwrap();
        let program = directory.path().join("program/kubectl-gmsa.exe");
        Some(Self { directory, program, variables: BTreeMap::new() })
    }

    /// Sets a variable to a path, which Windows writes otherwise.
    fn path(&mut self, name: &'static str, path: &Path) {
        let path = path.display().to_string();
        let there = windows(&path);
        self.variables.insert(name, (path, there));
    }

    fn work(&self) -> PathBuf {
        let work = self.directory.path().join("my work");
        fs::create_dir_all(&work).unwrap();
        work
    }

    fn here(&self, args: &[&str]) -> Ran {
        let mut command = plugin(args);
        command.current_dir(self.work());
        command.envs(self.variables.iter().map(|(name, (here, _))| (name, here)));
        crate::support::ran(&mut command)
    }

    fn there(&self, args: &[&str]) -> Ran {
        self.run(&self.program, args)
    }

    /// Runs a program for Windows.
    fn run(&self, program: impl AsRef<OsStr>, args: &[&str]) -> Ran {
        let mut command = Command::new(Path::new(ROOT).join("scripts/wine.sh"));
        command.arg(program).args(args).current_dir(self.work());
        for name in ["GMSA_DC", "GMSA_DOMAIN", "GMSA_CA", "GMSA_BIND_USER", "GMSA_BIND_PASSWORD"] {
            command.env_remove(name);
        }
        command.env("KUBECONFIG", "Z:\\nonexistent");
        command.envs(self.variables.iter().map(|(name, (_, there))| (name, there)));
        command.output().unwrap().into()
    }

    /// Both print the same but for paths, with the arguments of each.
    fn same_with(&self, here: &[&str], there: &[&str]) -> Ran {
        let (linux, windows) = (self.here(here), self.there(there));
        assert_eq!(windows.code, linux.code, "{there:?}: {}{}", windows.stdout, windows.stderr);
        assert_eq!(plain(&windows.stdout), plain(&linux.stdout), "{there:?}");
        assert_eq!(plain(&windows.stderr), plain(&linux.stderr), "{there:?}");
        assert!(!windows.stdout.contains('\r'), "{there:?}");
        windows
    }

    fn same(&self, args: &[&str]) -> Ran {
        self.same_with(args, args)
    }
}

/// A path of this machine as wine shows it.
fn windows(path: &str) -> String {
    format!("Z:{}", path.replace('/', "\\"))
}

/// What is printed, without what differs between the systems: how a path is written.
fn plain(text: &str) -> String {
    text.replace("Z:\\", "/").replace("Z:/", "/").replace('\\', "/").replace("//", "/")
}

/// The same, without times.
fn timeless(text: &str) -> String {
    plain(text).split(|one: char| one.is_ascii_digit()).filter(|part| !part.is_empty()).collect()
}

#[test]
fn without_a_cluster_it_prints_what_it_prints_on_linux() {
    let Some(pair) = Pair::new("without_a_cluster_it_prints_what_it_prints_on_linux") else {
        return;
    };
    assert_eq!(pair.same(&["version"]).code, 0);
    for args in [
        &["--help"][..],
        &["account", "create", "--help"],
        &["completion", "powershell"],
        &["doctor", "explain", "1722"],
    ] {
        assert_eq!(pair.same(args).code, 0, "{args:?}");
    }

    let work = pair.work();
    let manifests = work.join("my pods");
    fs::create_dir(&manifests).unwrap();
    for entry in fs::read_dir(Path::new(ROOT).join("examples")).unwrap() {
        let from = entry.unwrap().path();
        if from.extension().is_some_and(|extension| extension == "yaml") {
            fs::copy(&from, manifests.join(from.file_name().unwrap())).unwrap();
        }
    }
    let denied =
        fs::read_to_string(Path::new(ROOT).join("examples/4-deployment-pod-level.yaml")).unwrap();
    let denied = denied.replace("gmsaCredentialSpecName: ", "gmsaCredentialSpecName: x");
    fs::write(manifests.join("9-powershell.yaml"), of_powershell(&denied)).unwrap();
    for (here, there) in [
        ("my pods/", "my pods\\"),
        ("./my pods/9-powershell.yaml", ".\\my pods\\9-powershell.yaml"),
        ("my pods/*.yaml", "my pods\\*.yaml"),
    ] {
        let ran = pair.same_with(&["review", "-f", here], &["review", "-f", there]);
        assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
        pair.same_with(
            &["review", "-f", here, "-o", "json"],
            &["review", "-f", there, "-o", "json"],
        );
    }
    let absolute = manifests.display().to_string();
    pair.same_with(&["review", "-f", &absolute], &["review", "-f", &windows(&absolute)]);

    for format in ["yaml", "json", "credspec"] {
        let ran = pair.same(&[&BY_HAND[..], &["-o", format]].concat());
        assert!(ran.code == 0 && ran.stdout.contains("WebApp1"), "{}", ran.stderr);
    }
    let written = |name: &str, ran: Ran| {
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        fs::read(work.join(name)).unwrap()
    };
    let out = |name| [&BY_HAND[..], &["-o", "credspec", "--out", name]].concat();
    let linux = written("linux.json", pair.here(&out("linux.json")));
    let made = written("windows.json", pair.there(&out(".\\windows.json")));
    assert_eq!(made, linux);
    // A file that exists stays.
    let refused = pair.there(&out("windows.json"));
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("--overwrite"), "{}", refused.stderr);
    let imported = pair.same(&["credspec", "import", "windows.json", "--name", "gmsa-webapp1"]);
    assert!(imported.code == 0 && imported.stdout.contains("kind: GMSACredentialSpec"));
    pair.same_with(
        &["credspec", "lint", "-f", "my pods/1-credential-spec.yaml"],
        &["credspec", "lint", "-f", "my pods\\1-credential-spec.yaml"],
    );
    // What Windows keeps for devices: one that takes everything, and names that no file can have.
    let ran =
        pair.there(&[&BY_HAND[..], &["-o", "credspec", "--out", "NUL", "--overwrite"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(!work.join("NUL").exists());
    let ran = pair.there(&out("aux.json"));
    assert!(ran.code == 2 && ran.stderr.contains("for a device"), "{}", ran.stderr);
    // Built with it: what fails is the connection.
    let kerberos = ["account", "check", "x", "--dc", "127.0.0.1:1", "--kerberos"];
    let ran = pair.there(&kerberos);
    assert!(!ran.stderr.contains("built without it") && ran.code != 0, "{}", ran.stderr);
}

async fn cluster(test: &str) -> Option<Cluster> {
    let cluster = shared::cluster(test).await?;
    install_definition(&cluster).await;
    Some(cluster)
}

/// As Windows PowerShell writes a file: UTF-16 with a byte order mark, and CRLF.
fn of_powershell(text: &str) -> Vec<u8> {
    let text = text.replace('\n', "\r\n");
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_finds_the_cluster_as_kubectl_does() {
    let test = "it_finds_the_cluster_as_kubectl_does";
    let Some(mut pair) = Pair::new(test) else { return };
    let Some(cluster) = cluster(test).await else { return };
    let work = pair.work();
    let file = |name: &str| {
        let file = work.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::copy(&cluster.kubeconfig, &file).unwrap();
        windows(&file.display().to_string())
    };
    let config = file("my config");
    let missing = windows(&work.join("missing").display().to_string());
    let list = ["credspec", "list"];
    let found =
        |ran: Ran, how: &str| assert_eq!(ran.code, 0, "{how}: {}{}", ran.stdout, ran.stderr);

    found(pair.there(&[&list[..], &["--kubeconfig", &config]].concat()), "--kubeconfig");
    let kubeconfig = fs::read_to_string(&cluster.kubeconfig).unwrap();
    fs::write(work.join("powershell"), of_powershell(&kubeconfig)).unwrap();
    found(pair.there(&[&list[..], &["--kubeconfig", "powershell"]].concat()), "UTF-16");
    pair.variables.insert("KUBECONFIG", (String::new(), format!("{missing};{config}")));
    found(pair.there(&list), "a list with a missing file");

    // Only the home directory leads to a file. Wine gives %HOME% from a variable of its own, and %USERPROFILE%
    // leads to a directory of wine that has none.
    pair.variables.insert("KUBECONFIG", (String::new(), String::new()));
    let nowhere = pair.there(&list);
    assert_eq!(nowhere.code, 3, "{}{}", nowhere.stdout, nowhere.stderr);
    assert!(nowhere.stderr.contains(r"\.kube\config"), "{}", nowhere.stderr);
    let home = |name: &str| windows(&work.join(name).display().to_string());
    file("home/.kube/config");
    pair.variables.insert("WINEHOME", (String::new(), home("home")));
    found(pair.there(&list), "%HOME%");
    // One without a kubeconfig is passed over.
    file("drive/.kube/config");
    pair.variables.insert("WINEHOME", (String::new(), home("nowhere")));
    let drive = home("drive");
    let script = format!(
        "@set \"HOMEDRIVE=Z:\"\r\n@set \"HOMEPATH={}\"\r\n@\"{}\" credspec list\r\n",
        drive.trim_start_matches("Z:"),
        windows(&pair.program.display().to_string())
    );
    // Wine sets both itself.
    fs::write(work.join("list.cmd"), script).unwrap();
    found(pair.run("cmd", &["/c", "list.cmd"]), "%HOMEDRIVE%%HOMEPATH%");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_runs_a_credential_plugin_by_the_endings_of_windows() {
    let test = "it_runs_a_credential_plugin_by_the_endings_of_windows";
    let Some(mut pair) = Pair::new(test) else { return };
    let Some(cluster) = cluster(test).await else { return };
    let (certificate, key) = cluster.administrator();
    let status = json!({
        "clientCertificateData": fs::read_to_string(certificate).unwrap(),
        "clientKeyData": fs::read_to_string(key).unwrap(),
    });
    let version = "client.authentication.k8s.io/v1";
    let answer = json!({"apiVersion": version, "kind": "ExecCredential", "status": status});
    let programs = pair.work().join("programs");
    fs::create_dir(&programs).unwrap();
    fs::write(programs.join("answer.json"), answer.to_string()).unwrap();
    let script = "@echo off\r\necho %1>>\"%~dp0runs\"\r\ntype \"%~dp0answer.json\"\r\n";
    fs::write(programs.join("sign-in.cmd"), script).unwrap();
    // Wine's own directories follow.
    let path = windows(&programs.display().to_string());
    pair.variables.insert("WINEPATH", (String::new(), path));
    let with = |command: &str| {
        cluster.user_kubeconfig(&json!({"exec": {"apiVersion": version, "command": command,
            "args": ["login"], "interactiveMode": "Never"}}))
    };
    let kubeconfig = with("sign-in");
    pair.path("KUBECONFIG", &kubeconfig);
    let ran = pair.there(&["status"]);
    assert!(ran.code < 2, "{}{}", ran.stdout, ran.stderr);
    let runs = fs::read_to_string(programs.join("runs")).unwrap();
    assert_eq!(runs, "login\r\n", "it runs once");

    let kubeconfig = with("sign-out");
    pair.path("KUBECONFIG", &kubeconfig);
    let ran = pair.there(&["status"]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("\"sign-out\""), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_cluster_it_prints_what_it_prints_on_linux() {
    let test = "with_a_cluster_it_prints_what_it_prints_on_linux";
    let Some(mut pair) = Pair::new(test) else { return };
    let Some(cluster) = cluster(test).await else { return };
    let namespace = cluster.namespace("windows").await;
    let name = cluster.unique("gmsa");
    cluster.apply(&objects::credential_spec(&name, "WebApp1")).await;
    let kubeconfig = cluster.kubeconfig.clone();
    pair.path("KUBECONFIG", &kubeconfig);
    let account = format!("{namespace}/default");
    for args in [
        &["credspec", "show", &name][..],
        &["grant", &name, "--to", &account, "--dry-run=server"],
        &["install", "--dry-run=server"],
        &["status"],
        &["access", &name],
        &["access", &name, "-o", "json"],
    ] {
        let ran = pair.same(args);
        assert!(ran.code < 2, "{args:?}: {}{}", ran.stdout, ran.stderr);
        assert!(!ran.stdout.is_empty(), "{args:?}");
    }
    let audit = pair.there(&["audit", "-n", &namespace]);
    assert!(audit.code < 2, "{}{}", audit.stdout, audit.stderr);
    assert_eq!(timeless(&audit.stdout), timeless(&pair.here(&["audit", "-n", &namespace]).stdout));

    let work = pair.work();
    let report = |ran: Ran, file: &str| {
        assert!(ran.code < 2, "{}{}", ran.stdout, ran.stderr);
        fs::read_to_string(work.join(file)).unwrap()
    };
    let linux = report(pair.here(&["report", "--out", "linux.html"]), "linux.html");
    let made = report(pair.there(&["report", "--out", "windows.html"]), "windows.html");
    assert!(made.contains(&name));
    assert_eq!(timeless(&made), timeless(&linux));
    let names = |ran: Ran, file: &str| {
        assert!(ran.code < 2, "{}{}", ran.stdout, ran.stderr);
        unpacked(&work.join(file)).into_keys().collect::<Vec<_>>()
    };
    let linux = names(pair.here(&["doctor", "--bundle", "linux.zip"]), "linux.zip");
    let made = names(pair.there(&["doctor", "--bundle", "windows.zip"]), "windows.zip");
    assert_eq!(made, linux);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_domain_controller_it_prints_what_it_prints_on_linux() {
    let test = "with_a_domain_controller_it_prints_what_it_prints_on_linux";
    let Some(mut pair) = Pair::new(test) else { return };
    let Some(controller) = shared::domain_controller(test).await else { return };
    let name = controller.unique("Win");
    for (variable, value) in [
        ("GMSA_DC", controller.address.to_string()),
        ("GMSA_BIND_USER", ADMINISTRATOR.to_owned()),
        ("GMSA_BIND_PASSWORD", ADMINISTRATOR_PASSWORD.to_owned()),
    ] {
        pair.variables.insert(variable, (value.clone(), value));
    }
    pair.path("GMSA_CA", &controller.ca);
    let create = ["account", "create", &name, "--host", "WEBHOST1"];
    let dry = [&create[..], &["--dry-run=client"]].concat();
    assert_eq!(pair.same(&dry).code, 0);
    let made = pair.there(&create);
    assert_eq!(made.code, 0, "{}{}", made.stdout, made.stderr);
    assert_eq!(pair.same(&["account", "check", &name, "--host", "WEBHOST1"]).code, 0);
    let spec = ["credspec", "create", "win", "--account", &name, "--from-ad"];
    assert!(pair.same(&spec).stdout.contains(&format!("MachineAccountName: {name}")));
    // What is wrong with a log-on is said as well.
    let wrong = "GMSA_BIND_PASSWORD";
    pair.variables.insert(wrong, ("wrong".to_owned(), "wrong".to_owned()));
    let refused = pair.same(&["account", "check", &name]);
    assert!(refused.code > 1 && refused.stderr.contains("data 52e"), "{}", refused.stderr);
}
