//! `review` in pipelines: the steps of the GitHub Action, the hook of pre-commit and the job of GitLab,
//! run as their shells run them. The archive that they download is made here, with this program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use gmsa_testkit::tools;
use serde_json::Value;

use crate::support::ROOT;

const VERSION: &str = concat!("v", env!("CARGO_PKG_VERSION"));

/// A runner of jobs, with a release to download from.
struct Runner {
    directory: tempfile::TempDir,
    /// Found before all else.
    path: Vec<PathBuf>,
}

impl Runner {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let release = directory.path().join("releases").join(VERSION);
        std::fs::create_dir_all(&release).unwrap();
        let arch = if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" };
        let archive = format!("kubectl-gmsa_{VERSION}_linux_{arch}.tar.gz");
        let program = Path::new(env!("CARGO_BIN_EXE_kubectl-gmsa"));
        let pack = Command::new("tar")
            .args(["--gzip", "-C"])
            .arg(program.parent().unwrap())
            .arg("-cf")
            .arg(release.join(&archive))
            .arg("./kubectl-gmsa")
            .status();
        assert!(pack.unwrap().success());
        let sums = Command::new("sha256sum").arg(&archive).current_dir(&release).output().unwrap();
        std::fs::write(release.join("checksums.txt"), sums.stdout).unwrap();
        let runner = Self { directory, path: Vec::new() };
        std::fs::create_dir(runner.file("temp")).unwrap();
        runner
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn releases(&self) -> String {
        format!("file://{}", self.file("releases").display())
    }

    /// Runs a script as GitHub's runners do. Programs are looked for in `path` first.
    fn bash(
        &self,
        script: &str,
        env: &BTreeMap<String, String>,
        path: &[PathBuf],
        at: &Path,
    ) -> Output {
        let own = std::env::var_os("PATH").unwrap();
        let all = path.iter().chain(&self.path).cloned().chain(std::env::split_paths(&own));
        Command::new("bash")
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
            .current_dir(at)
            .env("PATH", std::env::join_paths(all).unwrap())
            .env("GITHUB_PATH", self.file("path"))
            .env("GITHUB_STEP_SUMMARY", self.file("summary"))
            .env_remove("KUBECONFIG")
            .envs(env)
            .output()
            .unwrap()
    }

    /// Runs the steps of the action with these inputs, until one fails.
    fn act(&self, inputs: &[(&str, &str)]) -> Output {
        let text = std::fs::read_to_string(Path::new(ROOT).join("action.yml")).unwrap();
        let action: Value = serde_saphyr::from_str(&text).unwrap();
        for (name, _) in inputs {
            assert!(action["inputs"].get(name).is_some(), "{name}");
        }
        let value = |name: &str| match name.split_once('.') {
            Some(("inputs", input)) => {
                let given = inputs.iter().find(|(name, _)| *name == input);
                given.map_or_else(
                    || action["inputs"][input]["default"].as_str().unwrap().to_owned(),
                    |(_, value)| (*value).to_owned(),
                )
            }
            Some(("runner", "temp")) => self.file("temp").display().to_string(),
            Some(("github", "action_ref")) => VERSION.to_owned(),
            _ => panic!("{name}"),
        };
        let mut last = None;
        let mut path = Vec::new();
        for step in action["runs"]["steps"].as_array().unwrap() {
            assert_eq!(step["shell"], "bash");
            let env = step["env"].as_object().unwrap().iter();
            let env =
                env.map(|(key, text)| (key.clone(), evaluated(text.as_str().unwrap(), &value)));
            let script = step["run"].as_str().unwrap();
            assert!(!script.contains("${{"), "an input in a script is a command of its writer");
            let ran = self.bash(script, &env.collect(), &path, Path::new(ROOT));
            if !ran.status.success() {
                return ran;
            }
            if let Ok(added) = std::fs::read_to_string(self.file("path")) {
                path = added.lines().map(PathBuf::from).collect();
            }
            last = Some(ran);
        }
        last.unwrap()
    }
}

/// What an expression of GitHub's becomes: `${{ a.b || c.d }}` is the first that is not empty.
fn evaluated(text: &str, value: &impl Fn(&str) -> String) -> String {
    let Some((before, rest)) = text.split_once("${{") else { return text.to_owned() };
    let (expression, after) = rest.split_once("}}").unwrap();
    let mut found = expression.split("||").map(|name| value(name.trim()));
    let first = found.find(|value| !value.is_empty()).unwrap_or_default();
    format!("{before}{first}{}", evaluated(after, value))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_action_fails_where_admission_would_deny() {
    let runner = Runner::new();
    let releases = runner.releases();
    let sarif = runner.file("gmsa.sarif").display().to_string();
    let ran = runner.act(&[("files", "examples\n"), ("releases", &releases), ("sarif", &sarif)]);
    let out = text(&ran.stdout);
    assert_eq!(ran.status.code(), Some(1), "{out}{}", text(&ran.stderr));
    assert!(out.contains("2 admitted, 1 denied"), "{out}");
    let summary = std::fs::read_to_string(runner.file("summary")).unwrap();
    assert!(summary.contains(out.trim_end()), "{summary}");
    let sarif: Value = serde_json::from_str(&std::fs::read_to_string(&sarif).unwrap()).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    assert!(sarif["runs"][0]["results"].as_array().is_some_and(|one| !one.is_empty()));
}

#[test]
fn the_action_passes_what_is_admitted_and_renders_overlays() {
    let test = "the_action_passes_what_is_admitted_and_renders_overlays";
    let mut runner = Runner::new();
    let releases = runner.releases();
    let files: Vec<String> =
        ["1-credential-spec", "2-role", "3-role-binding", "4-deployment-pod-level"]
            .iter()
            .map(|name| format!("examples/{name}.yaml"))
            .collect();
    let ran = runner.act(&[("files", &files.join("\n")), ("releases", &releases)]);
    assert_eq!(ran.status.code(), Some(0), "{}{}", text(&ran.stdout), text(&ran.stderr));
    assert!(text(&ran.stdout).contains("0 denied"), "{}", text(&ran.stdout));

    let Some(kubectl) = tools::find(test, "kubectl") else { return };
    runner.path.push(kubectl.parent().unwrap().to_owned());
    let overlay = runner.file("over lay");
    std::fs::create_dir(&overlay).unwrap();
    for file in &files {
        let name = file.strip_prefix("examples/").unwrap();
        std::fs::copy(Path::new(ROOT).join(file), overlay.join(name)).unwrap();
    }
    let names: Vec<&str> = files.iter().map(|file| &file["examples/".len()..]).collect();
    let kustomization = format!("resources: [{}]\n", names.join(", "));
    std::fs::write(overlay.join("kustomization.yaml"), kustomization).unwrap();
    let overlay = overlay.display().to_string();
    let ran = runner.act(&[("kustomize", &overlay), ("releases", &releases)]);
    assert_eq!(ran.status.code(), Some(0), "{}{}", text(&ran.stdout), text(&ran.stderr));
    assert!(text(&ran.stdout).contains("1 admitted"), "{}", text(&ran.stdout));
}

#[test]
fn the_action_says_what_it_lacks_and_runs_nothing_that_was_changed() {
    let runner = Runner::new();
    let releases = runner.releases();
    let ran = runner.act(&[("releases", &releases)]);
    assert_eq!(ran.status.code(), Some(2));
    assert!(text(&ran.stdout).contains("name what to review"), "{}", text(&ran.stdout));
    let ran = runner.act(&[("version", "main"), ("releases", &releases)]);
    assert_eq!(ran.status.code(), Some(2));
    assert!(text(&ran.stdout).contains("name the version"), "{}", text(&ran.stdout));

    let sums = runner.file("releases").join(VERSION).join("checksums.txt");
    let changed = std::fs::read_to_string(&sums).unwrap().replace(['0', '1'], "2");
    std::fs::write(&sums, changed).unwrap();
    let ran = runner.act(&[("files", "examples"), ("releases", &releases)]);
    assert_eq!(ran.status.code(), Some(2));
    assert!(text(&ran.stdout).contains("does not have the checksum"), "{}", text(&ran.stdout));
}

#[test]
fn the_hook_of_pre_commit_reviews_what_it_is_given() {
    let text = std::fs::read_to_string(Path::new(ROOT).join(".pre-commit-hooks.yaml")).unwrap();
    let hooks: Value = serde_saphyr::from_str(&text).unwrap();
    let hook = &hooks[0];
    assert_eq!((&hook["language"], &hook["pass_filenames"]), (&"system".into(), &false.into()));
    let page = std::fs::read_to_string(Path::new(ROOT).join("docs/review.md")).unwrap();
    assert!(page.contains(&format!("- id: {}", hook["id"].as_str().unwrap())));
    let entry: Vec<&str> = hook["entry"].as_str().unwrap().split(' ').collect();
    assert_eq!(entry[0], "kubectl-gmsa");
    // As pre-commit runs it: the entry, then the arguments of the configuration.
    let ran = Command::new(env!("CARGO_BIN_EXE_kubectl-gmsa"))
        .args(&entry[1..])
        .args(["-f", "examples"])
        .current_dir(ROOT)
        .env_remove("KUBECONFIG")
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(1), "{}", String::from_utf8_lossy(&ran.stderr));
    // And with its own, in a directory of manifests.
    let args = hook["args"].as_array().unwrap().iter().map(|one| one.as_str().unwrap());
    let ran = Command::new(env!("CARGO_BIN_EXE_kubectl-gmsa"))
        .args(&entry[1..])
        .args(args)
        .current_dir(Path::new(ROOT).join("examples"))
        .env_remove("KUBECONFIG")
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(1), "{}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn the_job_of_gitlab_runs_as_the_page_shows_it() {
    let runner = Runner::new();
    let page = std::fs::read_to_string(Path::new(ROOT).join("docs/review.md")).unwrap();
    let block = page.split("```yaml\n").find(|block| block.starts_with("gmsa-review:")).unwrap();
    let job: Value = serde_saphyr::from_str(block.split("```").next().unwrap()).unwrap();
    let job = &job["gmsa-review"];
    let arch = if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" };
    let variables = job["variables"].as_object().unwrap().iter().map(|(key, value)| {
        let value = value.as_str().unwrap();
        let (_, release) = value.rsplit_once("/releases/download").unwrap_or(("", ""));
        let value = match release {
            "" => value.replace("amd64", arch),
            release => format!("{}{release}", runner.releases()),
        };
        (key.clone(), value)
    });
    let variables = variables.collect();
    let work = tempfile::tempdir().unwrap();
    std::fs::create_dir(work.path().join("deploy")).unwrap();
    for name in ["1-credential-spec.yaml", "4-deployment-pod-level.yaml"] {
        let from = Path::new(ROOT).join("examples").join(name);
        std::fs::copy(from, work.path().join("deploy").join(name)).unwrap();
    }
    let script: Vec<&str> =
        job["script"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    let ran = runner.bash(&script.join("\n"), &variables, &[], work.path());
    let out = text(&ran.stdout);
    // The role is missing.
    assert_eq!(ran.status.code(), Some(1), "{out}{}", text(&ran.stderr));
    assert!(out.contains("1 denied"), "{out}");
}
