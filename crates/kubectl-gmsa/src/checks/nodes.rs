//! The Windows nodes, against the limits known today (docs/limits.md).

use gmsa_cluster::api::value::{is_true, text};
use gmsa_core::diagnosis::catalogue::cluster::{
    NODE_BUILD, NODE_LIFECYCLE, NODE_PRESENT, NODE_RUNTIME,
};
use gmsa_core::diagnosis::limits::of_build;
use gmsa_core::diagnosis::{Confidence, Outcome};
use gmsa_core::windows::release;
use k8s_openapi::jiff::Timestamp;
use k8s_openapi::jiff::civil::Date;
use serde_json::Value;

use super::facts::Seen;

/// So many days before its end a release is named.
const NOTICE: i32 = 180;

/// Judges the nodes.
pub fn judge(nodes: &Seen<Vec<Value>>, needed: bool) -> Vec<Outcome> {
    let nodes = match nodes {
        Ok(nodes) => nodes,
        Err(why) => return vec![Outcome::unknown(&NODE_PRESENT, why)],
    };
    let windows: Vec<&Value> = nodes.iter().filter(|node| is_windows(node)).collect();
    if windows.is_empty() {
        let words = "the cluster has no Windows node";
        return vec![if needed {
            // One may be added when a pod waits for it: it is the cause if one does.
            Outcome::warning(&NODE_PRESENT, words).sure(Confidence::Likely)
        } else {
            Outcome::skipped(&NODE_PRESENT, words)
        }];
    }
    let count = windows.iter().filter(|node| is_true(node, "Ready")).count();
    let words = format!("{count} of {} Windows nodes are ready", windows.len());
    let mut outcomes = vec![if count == 0 {
        Outcome::problem(&NODE_PRESENT, words)
    } else if count < windows.len() {
        Outcome::warning(&NODE_PRESENT, words)
    } else {
        Outcome::ok(&NODE_PRESENT, words)
    }];
    let today = Timestamp::now().to_string();
    let today = today.get(..10).unwrap_or_default();
    for node in windows {
        let object = format!("Node {}", text(node, "/metadata/name"));
        let info = |key: &str| text(node, &format!("/status/nodeInfo/{key}"));
        let runtime = info("containerRuntimeVersion");
        outcomes.push(build(info("kernelVersion"), runtime).on(&object));
        outcomes.extend(lifecycle(info("kernelVersion"), today).map(|one| one.on(&object)));
        outcomes.push(container_runtime(runtime).on(object));
    }
    outcomes
}

/// Whether a node runs Windows.
pub fn is_windows(node: &Value) -> bool {
    let label = node.pointer("/metadata/labels/kubernetes.io~1os").and_then(Value::as_str);
    label == Some("windows") || text(node, "/status/nodeInfo/operatingSystem") == "windows"
}

/// The build and the update of it in the version of a kernel.
fn of_kernel(kernel: &str) -> (Option<u32>, Option<u32>) {
    let mut parts = kernel.split('.').skip(2).map_while(|part| part.parse::<u32>().ok());
    (parts.next(), parts.next())
}

/// Whether the release still gets updates; `today` is a date (RFC 3339), as those of releases are.
fn lifecycle(kernel: &str, today: &str) -> Option<Outcome> {
    let release = release::of_build(of_kernel(kernel).0?)?;
    let words = format!("{} gets updates until {}", release.name, release.end);
    // Dates of one form are in the order of their texts.
    if release.end < today {
        let words = format!("{} got its last updates on {}", release.name, release.end);
        return Some(Outcome::warning(&NODE_LIFECYCLE, words));
    }
    let is_near = |end: &str| {
        let date = |text: &str| text.parse::<Date>().ok();
        let days = date(today)?.until(date(end)?).ok()?.get_days();
        Some(days <= NOTICE)
    };
    Some(if is_near(release.end) == Some(true) {
        Outcome::warning(&NODE_LIFECYCLE, words)
    } else {
        Outcome::ok(&NODE_LIFECYCLE, words)
    })
}

fn build(kernel: &str, runtime: &str) -> Outcome {
    let (Some(build), revision) = of_kernel(kernel) else {
        return Outcome::unknown(&NODE_BUILD, format!("the node reports no build: \"{kernel}\""));
    };
    let Some(limit) = of_build(build, revision, runtime.starts_with("containerd")) else {
        return Outcome::ok(&NODE_BUILD, kernel);
    };
    let outcome = Outcome::new(&NODE_BUILD, limit.state, format!("{kernel}: {}", limit.message));
    match limit.next {
        Some(next) => outcome.then(next),
        None => outcome,
    }
}

fn container_runtime(runtime: &str) -> Outcome {
    match runtime.split("://").next().unwrap_or_default() {
        "docker" => Outcome::warning(
            &NODE_RUNTIME,
            format!("{runtime}: Kubernetes 1.24 and later need cri-dockerd for it"),
        ),
        "" => Outcome::unknown(&NODE_RUNTIME, "the node reports no container runtime"),
        _ => Outcome::ok(&NODE_RUNTIME, runtime),
    }
}

#[cfg(test)]
mod tests {
    use super::{build, container_runtime, lifecycle};

    #[test]
    fn releases_against_the_end_of_their_updates() {
        for (kernel, today, state) in [
            ("10.0.20348.2031", "2026-11-28", Some("ok")),
            ("10.0.25398.1", "2026-11-28", Some("warning")),
            ("10.0.25398.1", "2025-10-24", Some("warning")),
            ("10.0.25398.1", "2025-01-01", Some("ok")),
            ("10.0.17763.1817", "2028-08-01", Some("warning")),
            ("10.0.17763.1817", "2029-01-10", Some("warning")),
            ("10.0.99999.1", "2026-11-28", None),
            ("5.10.0-generic", "2026-11-28", None),
        ] {
            let outcome = lifecycle(kernel, today);
            assert_eq!(outcome.map(|one| one.state.as_str()), state, "{kernel} {today}");
        }
    }

    #[test]
    fn builds_and_runtimes_against_the_limits() {
        for (kernel, runtime, state) in [
            ("10.0.14393.4000", "docker://19.3.18", "problem"),
            ("10.0.17763.1816", "containerd://1.6.8", "problem"),
            ("10.0.17763.1817", "containerd://1.6.8", "ok"),
            ("10.0.17763.1397", "docker://19.3.18", "ok"),
            ("10.0.18363.1", "containerd://1.6.8", "warning"),
            ("10.0.20348.2031", "containerd://1.7.1", "ok"),
            ("10.0.26100.1", "containerd://2.0.0", "ok"),
            ("5.10.0-generic", "containerd://2.0.0", "unknown"),
            ("", "", "unknown"),
        ] {
            assert_eq!(build(kernel, runtime).state.as_str(), state, "{kernel}");
        }
        for (runtime, state) in [
            ("containerd://1.6.8+azure", "ok"),
            ("containerd://2.0.0-rc.1", "ok"),
            ("docker://20.10.9", "warning"),
            ("", "unknown"),
        ] {
            assert_eq!(container_runtime(runtime).state.as_str(), state, "{runtime}");
        }
    }
}
