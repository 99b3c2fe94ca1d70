//! Programs that scripts fetch into the cache, and what happens where they did not.

use std::env;
use std::path::PathBuf;

/// The program `helm`, `helm3` or `kubectl` that scripts/helm.sh fetches. Without it the test is skipped by
/// name, and fails where `CI=true`.
pub fn find(test: &str, program: &str) -> Option<PathBuf> {
    let file = cache().unwrap().join("helm/2.0.0").join(program);
    if file.is_file() {
        return Some(file);
    }
    skip(test, &format!("no {program}; scripts/helm.sh fetches it"));
    None
}

/// The directory of cosign and oras, which scripts/artifact-tools.sh fetches; with `--registry` it installs
/// docker-registry. Without one of them the test is skipped by name, and fails where `CI=true`.
pub fn artifact_tools(test: &str) -> Option<PathBuf> {
    let directory = cache().unwrap().join("artifact-tools/forky");
    let paths = env::var_os("PATH").unwrap_or_default();
    let has_registry = env::split_paths(&paths).any(|one| one.join("docker-registry").is_file());
    if has_registry && ["cosign", "oras"].iter().all(|one| directory.join(one).is_file()) {
        return Some(directory);
    }
    let why = "no cosign, oras or docker-registry; scripts/artifact-tools.sh --registry gets them";
    skip(test, why);
    None
}

/// Where the scripts put what they build, in the user's cache.
pub(crate) fn cache() -> Option<PathBuf> {
    env::var_os("XDG_CACHE_HOME")
        .filter(|dir| !dir.is_empty())
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")))
        .map(|cache| cache.join("kube-gmsa"))
}

/// Says by name that a test, or the rest of it, is skipped; fails where `CI=true`.
pub fn skip(test: &str, why: &str) {
    assert_ne!(env::var("CI").as_deref(), Ok("true"), "{test}: {why}");
    eprintln!("SKIPPED {test}: {why}");
}

/// Says by name that a test is skipped, in CI too: it needs a program or an API server that the project's
/// scripts do not get.
pub fn skip_in_ci_too(test: &str, why: &str) {
    eprintln!("SKIPPED {test}: {why}");
}
