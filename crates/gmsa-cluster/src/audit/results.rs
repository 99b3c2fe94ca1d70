//! What the last audit counted, read where it is kept.

use std::sync::Arc;
use std::time::Duration;

use gmsa_core::names::AUDIT;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use kube::api::Api;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::api::answer;
use crate::api::watch::watch;

/// The poll interval, for changes that no event reports.
const PERIOD: Duration = Duration::from_mins(1);

/// The numbers of an audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Findings of severity error.
    pub errors: u32,
    /// Findings of severity warning.
    pub warnings: u32,
    /// Findings of severity info.
    pub infos: u32,
    /// When it ended, in seconds since 1970; 0 if it was incomplete.
    pub time: i64,
}

/// The `ConfigMap` in which the audit's results are kept.
pub struct Results {
    api: Api<ConfigMap>,
    namespace: String,
}

impl Results {
    /// In this namespace; else that of the kubeconfig or of the pod.
    #[must_use]
    pub fn new(client: &Client, namespace: Option<&str>) -> Self {
        let namespace = namespace.unwrap_or_else(|| client.default_namespace()).to_owned();
        Self { api: Api::namespaced(client.clone(), &namespace), namespace }
    }

    /// Tells the numbers, and again when they change, for as long as it is polled; none if there
    /// are none. While they cannot be read the last ones hold.
    pub async fn follow(self, tell: impl Fn(Option<Counts>)) {
        let changed = Arc::new(Notify::new());
        let mut watching = JoinSet::new();
        watching.spawn(watch(self.api.clone(), AUDIT.to_owned(), Arc::clone(&changed)));
        let mut told = None;
        loop {
            let problem = match answer("read", "the ConfigMap", self.api.get_opt(AUDIT)).await {
                Ok(None) => {
                    tell(None);
                    None
                }
                Ok(Some(map)) => match Counts::of(&map) {
                    Some(counts) => {
                        tell(Some(counts));
                        None
                    }
                    None => Some("it does not contain the numbers of an audit".to_owned()),
                },
                Err(error) => Some(error.why().to_owned()),
            };
            if problem != told
                && let Some(problem) = &problem
            {
                let map = format!("{}/{AUDIT}", self.namespace);
                tracing::warn!(error = problem, "failed to read the audit's ConfigMap {map}");
            }
            told = problem;
            // Whichever comes first.
            let _ = tokio::time::timeout(PERIOD, changed.notified()).await;
        }
    }
}

impl Counts {
    fn of(map: &ConfigMap) -> Option<Self> {
        let data = map.data.as_ref()?;
        let number = |key: &str| data.get(key)?.parse().ok();
        let time = data.get("time")?.parse::<Timestamp>().ok()?.as_second();
        let complete = data.get("complete").is_none_or(|complete| complete == "true");
        Some(Self {
            errors: number("errors")?,
            warnings: number("warnings")?,
            infos: number("infos")?,
            time: if complete { time } else { 0 },
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn counts(data: &serde_json::Value) -> Option<Counts> {
        Counts::of(&serde_json::from_value(json!({"data": data})).unwrap())
    }

    #[test]
    fn numbers_are_read_whole_or_not_at_all() {
        let mut data = json!({"errors": "2", "warnings": "3", "infos": "0", "findings": "x",
            "time": "2026-01-02T03:04:05Z"});
        let expected = Counts { errors: 2, warnings: 3, infos: 0, time: 1_767_323_045 };
        assert_eq!(counts(&data), Some(expected));
        data["complete"] = json!("false");
        assert_eq!(counts(&data), Some(Counts { time: 0, ..expected }), "it may not be all");
        data["errors"] = json!("many");
        assert_eq!(counts(&data), None);
        data["errors"] = json!("-1");
        assert_eq!(counts(&data), None);
        data["errors"] = json!("1");
        data["time"] = json!("yesterday");
        assert_eq!(counts(&data), None);
        assert_eq!(Counts::of(&ConfigMap::default()), None);
    }
}
