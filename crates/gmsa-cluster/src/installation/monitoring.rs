//! What watches the server: the monitor, the alert rules and the dashboard.

use gmsa_core::names::{NAME, SECRET};
use serde_json::{Value, json};

use super::workload::{metadata, selector};
use super::{Options, labels, merge};
use crate::manifests::parse;

/// The alert rules, as they are published.
const ALERTS: &str = include_str!("../../../../deploy/monitoring/alerts.yaml");
/// The dashboard, as it is published.
const DASHBOARD: &str = include_str!("../../../../deploy/monitoring/dashboard.json");

pub(super) fn objects(options: &Options) -> Vec<Value> {
    let mut objects = Vec::new();
    if options.service_monitor {
        objects.push(service_monitor(options));
    }
    if options.prometheus_rule {
        objects.extend(prometheus_rule(options));
    }
    if options.dashboard {
        objects.push(dashboard(options));
    }
    objects
}

/// `monitoring.coreos.com/v1`, of the Prometheus operator.
fn service_monitor(options: &Options) -> Value {
    let mut endpoint = json!({"port": "metrics"});
    if options.metrics_https {
        // The same name as in the serving certificate, whichever address is scraped.
        let tls = json!({"serverName": format!("{NAME}.{}.svc", options.namespace),
            "ca": {"secret": {"name": SECRET, "key": "ca.crt"}}});
        merge(&mut endpoint, json!({"scheme": "https", "tlsConfig": tls}));
    }
    json!({
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": metadata(options),
        "spec": {
            "selector": {"matchLabels": selector()},
            "endpoints": [endpoint],
        },
    })
}

/// `monitoring.coreos.com/v1`, of the Prometheus operator.
fn prometheus_rule(options: &Options) -> Option<Value> {
    let mut rule = parse("alerts.yaml", ALERTS).into_iter().next()?.ok()?.into_value();
    merge(&mut rule, json!({"metadata": metadata(options)}));
    Some(rule)
}

/// The sidecar of Grafana's chart loads the dashboards of `ConfigMap`s with this label.
fn dashboard(options: &Options) -> Value {
    let mut labels = labels();
    merge(&mut labels, json!({"grafana_dashboard": "1"}));
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": format!("{NAME}-dashboard"), "namespace": options.namespace,
            "labels": labels},
        "data": {"gmsa-webhook.json": DASHBOARD},
    })
}
