//! Kubeconfig files, found as kubectl finds them (Kubernetes documentation, "Organizing Cluster Access
//! Using kubeconfig Files").

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use kube::config::{Kubeconfig, KubeconfigError};

/// Which files were looked for, and what those that exist say together.
#[derive(Debug)]
pub struct Found {
    /// In the order in which they count.
    pub paths: Vec<PathBuf>,
    /// Nothing if no file exists, or none names a cluster.
    pub kubeconfig: Option<Kubeconfig>,
}

/// Reads the files of `KUBECONFIG`, else the one in the home directory. A file that is missing is
/// skipped.
pub fn of_environment() -> Result<Found, (PathBuf, KubeconfigError)> {
    read(paths(|name| env::var_os(name), env::home_dir()))
}

/// The name of the context's user, and whether its cluster names a proxy.
pub fn user_and_proxy(kubeconfig: &Kubeconfig, context: Option<&str>) -> (String, bool) {
    let wanted = context.or(kubeconfig.current_context.as_deref());
    let named = kubeconfig.contexts.iter().find(|one| Some(one.name.as_str()) == wanted);
    let Some(context) = named.and_then(|one| one.context.as_ref()) else {
        return (String::new(), false);
    };
    let cluster = kubeconfig.clusters.iter().find(|one| one.name == context.cluster);
    let proxy = cluster.and_then(|one| one.cluster.as_ref()?.proxy_url.as_ref());
    (context.user.clone().unwrap_or_default(), proxy.is_some_and(|proxy| !proxy.is_empty()))
}

fn read(paths: Vec<PathBuf>) -> Result<Found, (PathBuf, KubeconfigError)> {
    let mut merged = Kubeconfig::default();
    for path in paths.iter().filter(|path| path.exists()) {
        merged = Kubeconfig::read_from(path)
            .and_then(|next| merged.merge(next))
            .map_err(|why| (path.clone(), why))?;
    }
    let kubeconfig = Some(merged).filter(|merged| !merged.clusters.is_empty());
    Ok(Found { paths, kubeconfig })
}

fn paths(variable: impl Fn(&str) -> Option<OsString>, home: Option<PathBuf>) -> Vec<PathBuf> {
    let listed: Vec<PathBuf> = variable("KUBECONFIG")
        .map(|list| env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()).collect())
        .unwrap_or_default();
    if !listed.is_empty() {
        return listed;
    }
    let of = |home: PathBuf| home.join(".kube").join("config");
    if !cfg!(windows) {
        return home.map(of).into_iter().collect();
    }
    // The first that holds a kubeconfig, as client-go's homedir does.
    let drive = variable("HOMEDRIVE").zip(variable("HOMEPATH")).map(|(mut drive, path)| {
        drive.push(path);
        drive
    });
    let homes = [variable("HOME"), drive, variable("USERPROFILE")];
    let mut candidates: Vec<PathBuf> = homes
        .into_iter()
        .flatten()
        .filter(|home| !home.is_empty())
        .map(|home| of(home.into()))
        .collect();
    if let Some(first) = candidates.iter().find(|path| path.exists()) {
        candidates = vec![first.clone()];
    }
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_files_of_the_list_are_skipped() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let config = |name: &str| {
            format!(
                "{{current-context: {name}, clusters: [{{name: {name}, cluster: {{server: 'https://{name}'}}}}]}}"
            )
        };
        std::fs::write(at("one"), config("one")).unwrap();
        std::fs::write(at("two"), config("two")).unwrap();
        std::fs::write(at("empty"), "").unwrap();
        let found = read(vec![at("missing"), at("empty"), at("one"), at("two")]).unwrap();
        let merged = found.kubeconfig.unwrap();
        assert_eq!(merged.current_context.as_deref(), Some("one"));
        assert_eq!(merged.clusters.len(), 2);
        assert!(read(vec![at("missing"), at("empty")]).unwrap().kubeconfig.is_none());
        std::fs::write(at("broken"), "{").unwrap();
        assert_eq!(read(vec![at("one"), at("broken")]).unwrap_err().0, at("broken"));
    }

    #[test]
    fn the_variable_comes_before_the_home_directory() {
        let list = env::join_paths(["", "a", "b"]).unwrap();
        let listed =
            paths(|name| (name == "KUBECONFIG").then(|| list.clone()), Some("home".into()));
        assert_eq!(listed, [PathBuf::from("a"), "b".into()]);
        if cfg!(windows) {
            let directory = tempfile::tempdir().unwrap();
            let config = directory.path().join(".kube").join("config");
            std::fs::create_dir_all(config.parent().unwrap()).unwrap();
            let homes = |name: &str| match name {
                "HOME" => Some(directory.path().into()),
                "USERPROFILE" => Some("profile".into()),
                _ => None,
            };
            assert_eq!(paths(homes, None).len(), 2);
            std::fs::write(&config, "").unwrap();
            assert_eq!(paths(homes, None), [config]);
        } else {
            assert_eq!(paths(|_| None, Some("home".into())), [PathBuf::from("home/.kube/config")]);
        }
    }
}
